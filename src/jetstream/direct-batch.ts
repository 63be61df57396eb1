// Direct batch: the messages that answer one direct get, one after the other, without a pause (ADR-31).
import type { Msg, QueuedIterator, Subscription, WaitOptions } from "../client/connection.ts";
import { ClosedConnectionError, NatsError, type PermissionViolationError, TimeoutError } from "../errors.ts";
import { AsyncQueue } from "../lib/async-queue.ts";
import { onAbort } from "../lib/deferred.ts";
import { IdleTimer } from "../lib/idle-timer.ts";
import type { DirectGetRequest } from "../protocol/jetstream/api.ts";
import { type Api, toJson } from "./api.ts";
import { DIRECT_GET, directError } from "./direct-get.ts";
import { requireLevel } from "./gates.ts";
import type { LinkListener } from "./link-watch.ts";
import { validateName } from "./names.ts";
import { type DirectMsg, fromDirect } from "./stored.ts";

/** What the server says at the end of several messages. */
export interface DirectEnd {
  /** messages that would have come next */
  readonly pending: number;
  /** sequence of the last that came */
  readonly lastSequence: bigint;
  /** of the last messages of subjects: the sequence they are as of */
  readonly upToSequence?: bigint;
}

/** Several messages of a direct get. They are iterated once. */
export interface DirectMessages<Request> extends QueuedIterator<DirectMsg> {
  /** what the server said at the end; undefined before, and when it did not end well */
  readonly end: DirectEnd | undefined;
  /** the request for what comes next; undefined before the end, and when nothing is left */
  readonly next: Request | undefined;
}

// how much may come is in the request
const AS_ASKED = { messages: Infinity, bytes: Infinity, overflow: "close" } as const;

/**
 * Ask for several messages.
 *
 * @throws {NatsError} UNSUPPORTED, INVALID_ARGUMENT, ABORTED, CLOSED, DRAINING; what the server says is thrown by the iteration
 */
export async function directBatch<T extends DirectGetRequest>(
  api: Api,
  stream: string,
  request: T,
  { timeout = api.options.timeout, signal }: WaitOptions = {},
): Promise<DirectMessages<T>> {
  validateName("stream", stream);
  await requireLevel(api, [["a direct get of several messages", 1]], { timeout, signal });
  return new DirectBatch(api, api.subject(DIRECT_GET, stream), stream, request, timeout, signal);
}

/** One request and its replies. Ends with what the server says, its idle time, its signal, the connection or the consumer. */
class DirectBatch<T extends DirectGetRequest> implements DirectMessages<T>, LinkListener {
  readonly #subject: string;
  readonly #request: T;
  readonly #stream: string;
  readonly #queue: AsyncQueue<DirectMsg> = new AsyncQueue(AS_ASKED, () => 0);
  readonly #sub: Subscription;
  readonly #idle: IdleTimer;
  readonly #release: () => void;
  readonly #what: string;
  #end: DirectEnd | undefined;
  #ended = false;

  constructor(
    { nc, links }: Api,
    subject: string,
    stream: string,
    request: T,
    timeout: number,
    signal: AbortSignal | undefined,
  ) {
    const what = `the direct get of stream '${stream}'`;
    let deafen: (() => void) | undefined;
    this.#what = what;
    this.#subject = subject;
    this.#request = request;
    this.#stream = stream;
    this.#release = () => {
      this.#idle.stop();
      deafen?.();
      this.#sub.unsubscribe();
      links.remove(this);
    };
    const inbox = nc.createInbox();
    this.#sub = nc.subscribe(inbox, {
      callback: (error, msg) => (error ? this.#finish(error) : this.#onMessage(msg)),
    });
    this.#idle = new IdleTimer(timeout, () => {
      const text = `${what} had no message for ${timeout} ms`;
      this.#finish(
        new TimeoutError(text, { stream }, nc.state === "connected" ? "no reply" : "no connection"),
      );
    });
    void this.#sub.closed.then((error) => this.#finish(error ?? new ClosedConnectionError()));
    links.add(this);
    try {
      deafen = signal && onAbort(signal, what, (error) => this.#finish(error));
      nc.publish(subject, toJson(request), { reply: inbox });
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  get end(): DirectEnd | undefined {
    return this.#end;
  }

  get next(): T | undefined {
    const { pending = 0, lastSequence = 0n, upToSequence } = this.#end ?? {};
    if (pending === 0) return undefined;
    const { start_time: _, up_to_time: __, ...request } = this.#request;
    return {
      ...request,
      seq: lastSequence + 1n,
      ...(upToSequence !== undefined && { up_to_seq: upToSequence }),
    } as T;
  }

  onRefused(error: PermissionViolationError): void {
    if (error.subject === this.#subject) this.#finish(error);
  }

  #onMessage(msg: Msg): void {
    this.#idle.touch();
    const found = fromDirect(msg);
    const { headers } = msg;
    if (found !== undefined) {
      if (headers?.has("Nats-Num-Pending")) this.#queue.push(found);
      else this.#finish(tooOld(this.#stream));
      return;
    }
    const { code = 0, description = "" } = headers ?? {};
    if (code === 204 || code === 404) {
      const last = (name: string): bigint => BigInt(headers?.last(name) || 0);
      const upTo = last("Nats-UpTo-Sequence");
      this.#end = {
        pending: Number(last("Nats-Num-Pending")),
        lastSequence: last("Nats-Last-Sequence"),
        ...(upTo > 0n && { upToSequence: upTo }),
      };
      this.#finish();
    } else this.#finish(directError(this.#stream, { code, description }));
  }

  #finish(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    this.#queue.end(error);
  }

  stop(error?: Error): void {
    this.#queue.clear();
    this.#finish(error);
  }

  [Symbol.asyncIterator](): AsyncIterator<DirectMsg, undefined> {
    return this.#queue.iterate(
      this.#what,
      () => undefined,
      () => this.stop(),
    );
  }

  getProcessed(): number {
    return this.#queue.taken;
  }

  getPending(): number {
    return this.#queue.length;
  }

  getReceived(): number {
    return this.#queue.taken + this.#queue.length;
  }
}

// a server before 2.11 takes it for the get of one message
function tooOld(stream: string): NatsError {
  return new NatsError(
    "UNSUPPORTED",
    `a direct get of several messages needs nats-server 2.11: the one that answered for stream '${stream}' sent a single one`,
    { stream },
  );
}
