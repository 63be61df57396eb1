// Requests: the table of what waits for one reply or several, over one inbox subscription or each over its own.
//
//   <inbox> = <prefix>.<22 characters>       SUB <inbox>.* 1       request 7 has the reply subject <inbox>.7
import {
  InvalidArgumentError,
  type NatsError,
  NoRespondersError,
  RequestError,
  TimeoutError,
} from "../errors.ts";
import { check } from "../lib/check.ts";
import { delay, onAbort, startTimer } from "../lib/deferred.ts";
import { createInbox } from "../protocol/subject.ts";
import type { NatsConnection, RequestManyOptions, RequestOptions, Subscription } from "./connection.ts";
import type { MsgImpl } from "./message.ts";
import type { Publishing } from "./publishing.ts";
import { repliesTo, type Replies } from "./replies.ts";
import { MUX_SID, subLine } from "./subscriptions.ts";

/** Who waits for replies. */
interface Asker {
  push(msg: MsgImpl): void;
  stop(error?: Error): void;
}

/** One request in flight. */
interface Pending {
  readonly subject: string;
  readonly asker: Asker;
  /** its own subscription, where it does not use the shared inbox */
  readonly sub: Subscription | undefined;
  readonly timeout: number;
  /** as of `performance.now()` */
  readonly deadline: number;
}

/** A table of requests with one timer for all their deadlines. */
export class Requests {
  /** the server has been told of the inbox: it has to be again after a reconnect */
  subscribed = false;
  readonly #prefix: string;
  #inbox: string | undefined;
  readonly #nc: Pick<NatsConnection, "subscribe">;
  readonly #publishing: Pick<Publishing, "control" | "link">;
  readonly #pending = new Map<number, Pending>();
  #nextToken = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = 0;

  /** `prefix` is how inboxes begin. */
  constructor(
    nc: Pick<NatsConnection, "subscribe">,
    publishing: Pick<Publishing, "control" | "link">,
    prefix: string,
  ) {
    this.#nc = nc;
    this.#publishing = publishing;
    this.#prefix = prefix;
  }

  /** the subject of the inbox without its last token; many connections never need one */
  get inbox(): string {
    return (this.#inbox ??= createInbox(this.#prefix));
  }

  /** the wildcard subject of the shared inbox */
  get subject(): string {
    return `${this.inbox}.*`;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Wait for one reply; `publish` is given the reply subject, and may throw. */
  one(subject: string, options: RequestOptions, publish: (reply: string) => void): Promise<MsgImpl> {
    return new Promise<MsgImpl>((resolve, reject) => {
      const { timeout = 1000, signal, noMux, reply } = options;
      check(timeout > 0, "timeout", timeout, "milliseconds, more than 0");
      if (reply !== undefined && noMux !== true) {
        throw InvalidArgumentError.format(
          ["reply", "noMux"],
          "go together: without noMux the reply subject is ours",
        );
      }
      let token = 0;
      const end = (): void => {
        this.#leave(token);
        deafen?.();
      };
      const stop = (error?: Error): void => {
        end();
        reject(error as Error);
      };
      const push = (msg: MsgImpl): void => {
        if (msg.isNoResponders) return stop(requestError(subject, new NoRespondersError(subject)));
        end();
        resolve(msg);
      };
      const deafen = signal && onAbort(signal, `the request to '${subject}'`, stop);
      try {
        let inbox: string;
        [token, inbox] = this.#enter(subject, { push, stop }, options, timeout);
        publish(inbox);
      } catch (error) {
        stop(error as Error);
      }
    });
  }

  /** Wait for several replies. */
  many(subject: string, options: Partial<RequestManyOptions>, publish: (reply: string) => void): Replies {
    let token = 0;
    const replies = repliesTo(subject, options, () => this.#leave(token));
    try {
      let inbox: string;
      [token, inbox] = this.#enter(subject, replies, options, Infinity);
      publish(inbox);
    } catch (error) {
      replies.stop();
      throw error;
    }
    return replies;
  }

  // Take the request into the table; its token and its reply subject.
  #enter(
    subject: string,
    asker: Asker,
    options: Pick<RequestOptions, "noMux" | "reply">,
    timeout: number,
  ): [token: number, reply: string] {
    const token = this.#nextToken++;
    let reply: string;
    let sub: Subscription | undefined;
    if (options.noMux === true) {
      reply = options.reply ?? createInbox(this.#prefix);
      sub = this.#nc.subscribe(reply, {
        callback: (error, msg) =>
          error === null ? asker.push(msg as MsgImpl) : asker.stop(requestError(subject, error)),
      });
    } else {
      reply = `${this.inbox}.${token}`;
      if (!this.subscribed) this.#publishing.control(subLine(this.subject, MUX_SID));
      this.subscribed = true;
    }
    this.#pending.set(token, { subject, asker, sub, timeout, deadline: this.#deadline(timeout) });
    return [token, reply];
  }

  #leave(token: number): void {
    const pending = this.#pending.get(token);
    this.#pending.delete(token);
    pending?.sub?.unsubscribe();
  }

  /** A message came to the inbox: its last token says whose it is. Late ones are dropped (C-REQ-4). */
  onReply(msg: MsgImpl, bytes: Uint8Array, subjectStart: number, subjectEnd: number): void {
    let token = 0;
    for (let i = subjectStart + this.inbox.length + 1; i < subjectEnd; i++) {
      token = token * 10 + (bytes[i] as number) - 48;
    }
    this.#pending.get(token)?.asker.push(msg);
  }

  /** The server refused a publish: rejects the requests to that subject. */
  refused(error: NatsError): void {
    this.#fail(error, ({ subject }) => subject === error.subject);
  }

  /** The shared inbox can't be used: rejects all that use it; the next request tries again (C-ERR-3). */
  inboxFailed(error: NatsError): void {
    this.subscribed = false;
    this.#fail(error, ({ sub }) => sub === undefined);
  }

  failAll(error: NatsError): void {
    this.#fail(error, () => true);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fail(error: NatsError, which: (pending: Pending) => boolean): void {
    for (const pending of [...this.#pending.values()].filter(which)) {
      pending.asker.stop(requestError(pending.subject, error));
    }
  }

  /** Resolves when what is in flight now has ended, or after `ms` milliseconds. */
  async settled(ms: number): Promise<void> {
    const last = this.#nextToken;
    for (let waited = 0; waited < ms; waited += 20) {
      const [oldest] = this.#pending.keys();
      if (oldest === undefined || oldest >= last) return;
      await delay(20);
    }
  }

  // All requests share one timer, set for the earliest deadline; replies leave it alone.
  #deadline(timeout: number): number {
    const deadline = performance.now() + timeout;
    if (timeout < Infinity && (this.#timer === undefined || deadline < this.#timerAt)) {
      this.#startTimer(deadline, timeout);
    }
    return deadline;
  }

  #startTimer(at: number, delay: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = startTimer(() => this.#expire(), Math.ceil(delay));
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    let next = Infinity;
    for (const { subject, asker, timeout, deadline } of this.#pending.values()) {
      if (deadline <= now) asker.stop(this.#timedOut(subject, timeout));
      else next = Math.min(next, deadline);
    }
    // with very many in flight, deadlines are looked at less often rather than all the time
    if (next < Infinity) this.#startTimer(next, Math.max(next - now, this.#pending.size / 1000));
  }

  #timedOut(subject: string, timeout: number): TimeoutError {
    const missing = this.#publishing.link === undefined ? "no connection" : "no reply";
    return new TimeoutError(
      `${missing} for the request to '${subject}' within ${timeout} ms`,
      { subject },
      missing,
    );
  }
}

function requestError(subject: string, cause: NatsError): RequestError {
  // its code leads the message already
  const why = cause.message.replace(/^\[\w+\] /, "");
  return new RequestError(`the request to '${subject}' failed: ${why}`, cause);
}

/**
 * The error with the stack of whoever awaits the function that calls this: that of the timer or the socket helps nobody.
 * An engine knows the awaiting functions when it is asked; to keep a stack for each request that may fail costs more
 * than the request.
 */
export function traced(error: Error): Error {
  // its first line is that of the error which it is for
  const stack = new Error().stack?.replace(/^.*/, () => `${error.name}: ${error.message}`);
  if (stack !== undefined) error.stack = stack;
  return error;
}
