// Requests: many requests over one inbox subscription; each waits for one reply or several. Owned by client/session.
//
//   <inbox> = <prefix>.<22 characters>       SUB <inbox>.* 1       request 7 has the reply subject <inbox>.7
import {
  InvalidArgumentError,
  type NatsError,
  NoRespondersError,
  type PermissionViolationError,
  RequestError,
  TimeoutError,
} from "../errors.ts";
import { aborted, delay } from "../lib/deferred.ts";
import { createInbox } from "../protocol/subject.ts";
import type { RequestManyOptions, RequestOptions } from "./connection.ts";
import type { MsgImpl } from "./message.ts";
import { ReplyIterator } from "./replies.ts";

/** What requests need of the connection. */
export interface RequestHost {
  /** tell the server of the shared inbox, if it does not know it yet */
  subscribeInbox(subject: string): void;
  /** is there a connection now? */
  isConnected(): boolean;
}

/** One request in flight. `deadline` is a time of `performance.now()`. */
interface Pending {
  readonly subject: string;
  deadline: number;
  onReply(msg: MsgImpl): void;
  onError(error: NatsError): void;
  onDeadline(): void;
}

/** A table of requests with one timer for all their deadlines. */
export class Requests {
  readonly #host: RequestHost;
  readonly #prefix: string;
  #inbox: string | undefined;
  #pending = new Map<number, Pending>();
  #nextToken = 1;
  #subscribed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = 0;

  constructor(host: RequestHost, prefix: string) {
    this.#host = host;
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

  /** true once the server has been told of the inbox: it has to be again after a reconnect */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Wait for one reply; `publish` is given the reply subject, and may throw. */
  one(
    subject: string,
    options: RequestOptions,
    trace: Error | undefined,
    publish: (reply: string) => void,
  ): Promise<MsgImpl> {
    const timeout = positive(options.timeout, "timeout", 1000);
    const { signal } = options;
    return new Promise<MsgImpl>((resolve, reject) => {
      if (signal?.aborted) {
        reject(aborted(signal, `the request to '${subject}'`));
        return;
      }
      const token = this.#nextToken++;
      const onAbort =
        signal === undefined
          ? undefined
          : () => finish(() => reject(aborted(signal, `the request to '${subject}'`)));
      const finish = (then: () => void) => {
        this.#pending.delete(token);
        if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
        then();
      };
      this.#pending.set(token, {
        subject,
        deadline: this.#deadline(timeout),
        onReply: (msg) => {
          this.#pending.delete(token);
          if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
          if (msg.isNoResponders) reject(traced(noResponders(subject), trace));
          else resolve(msg);
        },
        onError: (error) => finish(() => reject(traced(requestError(subject, error), trace))),
        onDeadline: () => finish(() => reject(traced(this.timedOut(subject, timeout), trace))),
      });
      try {
        this.#subscribeInbox();
        publish(`${this.inbox}.${token}`);
      } catch (error) {
        this.#pending.delete(token);
        reject(error as NatsError);
        return;
      }
      if (onAbort !== undefined) signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Wait for several replies. */
  many(
    subject: string,
    options: Partial<RequestManyOptions>,
    publish: (reply: string) => void,
  ): ReplyIterator {
    const token = this.#nextToken++;
    const replies = new ReplyIterator(subject, options, () => this.#pending.delete(token));
    this.#pending.set(token, {
      subject,
      deadline: Number.POSITIVE_INFINITY,
      onReply: (msg) => replies.push(msg),
      onError: (error) => replies.stop(requestError(subject, error)),
      onDeadline: () => undefined,
    });
    try {
      this.#subscribeInbox();
      publish(`${this.inbox}.${token}`);
    } catch (error) {
      replies.stop();
      throw error;
    }
    return replies;
  }

  /** A message came to the inbox: its last token says whose it is. Late ones are dropped (C-REQ-4). */
  onReply(msg: MsgImpl, bytes: Uint8Array, subjectStart: number, subjectEnd: number): void {
    let token = 0;
    for (let i = subjectStart + this.inbox.length + 1; i < subjectEnd; i++) {
      token = token * 10 + (bytes[i] as number) - 48;
    }
    this.#pending.get(token)?.onReply(msg);
  }

  /** The server refused a publish: rejects the requests to that subject. True when there was one. */
  refused(error: PermissionViolationError): boolean {
    let found = false;
    for (const pending of [...this.#pending.values()]) {
      if (pending.subject !== error.subject) continue;
      found = true;
      pending.onError(error);
    }
    return found;
  }

  /** The shared inbox can't be used: rejects all; the next request tries again (C-ERR-3). */
  inboxFailed(error: NatsError): void {
    this.#subscribed = false;
    this.failAll(error);
  }

  failAll(error: NatsError): void {
    for (const pending of [...this.#pending.values()]) pending.onError(error);
    this.#stopTimer();
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

  #subscribeInbox(): void {
    if (this.#subscribed) return;
    this.#host.subscribeInbox(this.subject);
    this.#subscribed = true;
  }

  /** The error of a request that was not answered in time. */
  timedOut(subject: string, timeout: number): TimeoutError {
    const missing = this.#host.isConnected() ? "no reply" : "no connection";
    return new TimeoutError(
      `${missing} for the request to '${subject}' within ${timeout} ms`,
      { subject },
      missing,
    );
  }

  // All requests share one timer, set for the earliest deadline; replies leave it alone.
  #deadline(timeout: number): number {
    const deadline = performance.now() + timeout;
    if (this.#timer === undefined || deadline < this.#timerAt) this.#startTimer(deadline, timeout);
    return deadline;
  }

  #startTimer(at: number, delay: number): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timerAt = at;
    // a longer delay would wrap around in the timers of the runtimes
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.ceil(delay), 2 ** 31 - 1));
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const pending of this.#pending.values()) {
      if (pending.deadline <= now) pending.onDeadline();
      else if (pending.deadline < next) next = pending.deadline;
    }
    if (next === Number.POSITIVE_INFINITY) return;
    // with very many in flight, deadlines are looked at less often rather than all the time
    this.#startTimer(next, Math.max(next - now, this.#pending.size / 1000));
  }
}

function noResponders(subject: string): RequestError {
  return requestError(subject, new NoRespondersError(subject));
}

export function requestError(subject: string, cause: NatsError): RequestError {
  // its code leads the message already
  const why = cause.message.replace(/^\[\w+\] /, "");
  return new RequestError(`the request to '${subject}' failed: ${why}`, cause);
}

export function positive(value: number | undefined, name: string, fallback: number): number {
  if (value === undefined) return fallback;
  if (!(value > 0)) {
    throw new InvalidArgumentError(`${name} is ${String(value)}: give milliseconds, more than 0`);
  }
  return value;
}

// The stack of the call, where it was kept: the timer or the socket has none that helps.
function traced<E extends NatsError>(error: E, trace: Error | undefined): E {
  if (trace?.stack !== undefined) {
    error.stack = `${error.name}: ${error.message}${trace.stack.slice(trace.stack.indexOf("\n"))}`;
  }
  return error;
}
