// Subscription: delivery of messages to one iterator or callback, through one bounded queue. Made by client/subscriptions.
//
//   onMessage --> callback runs now                          (callback, nothing ahead of it)
//             --> queue --> next() / a callback slot that became free
//
// Ends: `finish` lets the queue be handed over first, `fail` and `unsubscribe` don't.
import { InvalidOperationError, NatsError, TimeoutError } from "../errors.ts";
import { AsyncQueue, type QueueLimits } from "../lib/async-queue.ts";
import { check } from "../lib/check.ts";
import { type Deferred, deferred, type SettleOptions, startTimer } from "../lib/deferred.ts";
import type { MsgCallback, Status, Subscription, SubscriptionOptions, WaitOptions } from "./connection.ts";
import { type MsgImpl, sizeOf } from "./message.ts";

export const DEFAULT_LIMITS: QueueLimits = {
  messages: 524288,
  bytes: 67108864,
  overflow: "drop-newest",
};

/** What subscriptions need of their connection. */
export interface SubscriptionOwner {
  /** a line for the server, if there is one */
  control(line: string): void;
  /** a round trip to the server */
  flush(options: WaitOptions): Promise<void>;
  /** a wait that ends with the connection, if not before */
  wait(promise: Promise<void>, options: SettleOptions): Promise<void>;
  /** tell whoever listens */
  emit(status: Status): void;
}

/** The table that a subscription is in. */
export interface SubscriptionHost {
  readonly owner: SubscriptionOwner;
  /** whose callback is on the stack, unless it began a drain: it is not waited for then */
  running: NatsSubscription | undefined;
  /** messages that had arrived and were dropped */
  dropped: number;
  /** the subscription takes no more messages: forget it */
  remove(sub: NatsSubscription): void;
}

// The lifecycle; one writer each: drain(), #end().
const OPEN = 0;
const DRAINING = 1;
// takes nothing more; what is queued may still be handed over
const CLOSED = 2;

/** What only some subscriptions have; kept apart so that an idle one stays small. */
interface Extras {
  limits: QueueLimits;
  slow: number;
  isSlow: boolean;
  concurrency: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  readable: ReadableStream<MsgImpl> | undefined;
}

const PLAIN: Extras = {
  limits: DEFAULT_LIMITS,
  slow: 0,
  isSlow: false,
  concurrency: 0,
  timer: undefined,
  readable: undefined,
};

export class NatsSubscription implements Subscription {
  readonly sid: number;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly callback: MsgCallback | undefined;
  /** messages after which it ends; 0 for none */
  max: number;
  received = 0;
  dropped = 0;
  #host: SubscriptionHost;
  #state = OPEN;
  #error: NatsError | undefined;
  // callbacks called, and those that still run
  #called = 0;
  #running = 0;
  #inflow: AsyncQueue<MsgImpl> | undefined;
  #closed: Deferred<undefined | Error> | undefined;
  #idle: Deferred<void> | undefined;
  #draining: Promise<void> | undefined;
  #extras: Extras = PLAIN;

  constructor(host: SubscriptionHost, sid: number, subject: string, options: SubscriptionOptions) {
    const { limits = {}, slow = 0, concurrency = 0, timeout, max = 0 } = options;
    this.#host = host;
    this.sid = sid;
    this.subject = subject;
    this.queue = options.queue;
    this.callback = options.callback;
    this.max = max;
    if (options.limits === undefined && timeout === undefined && slow + concurrency === 0) return;
    const {
      messages = DEFAULT_LIMITS.messages,
      bytes = DEFAULT_LIMITS.bytes,
      overflow = "drop-newest",
    } = limits;
    this.#extras = { ...PLAIN, limits: { messages, bytes, overflow }, slow, concurrency };
    if (timeout !== undefined) {
      this.#extras.timer = startTimer(() => this.#tooLate(timeout), timeout);
    }
  }

  // -- delivery ------------------------------------------------------------------------------------------------------

  /** A message arrived. */
  onMessage(msg: MsgImpl): void {
    if (this.#state === CLOSED) return;
    this.received++;
    if (this.received === 1) clearTimeout(this.#extras.timer);
    const last = this.max > 0 && this.received >= this.max;
    const { callback } = this;
    if (callback === undefined || !this.#hasSlot()) this.#enqueue(msg);
    else this.#call(callback, msg);
    if (last) this.finish();
  }

  // May a callback run now, ahead of nothing?
  #hasSlot(): boolean {
    const { concurrency } = this.#extras;
    return concurrency === 0 || (this.#running < concurrency && this.getPending() === 0);
  }

  get #queue(): AsyncQueue<MsgImpl> {
    return (this.#inflow ??= new AsyncQueue(this.#extras.limits, sizeOf));
  }

  #enqueue(msg: MsgImpl): void {
    const queue = this.#queue;
    const dropped = queue.push(msg);
    const extras = this.#extras;
    if (dropped > 0) {
      this.#drop(dropped);
      // the first of an episode is reported
      if (!this.#own().isSlow) this.#emitSlow();
      this.#own().isSlow = true;
      if (extras.limits.overflow === "close") {
        this.#unsubscribe();
        this.fail(tooFast("messages on", this.subject, queue.length));
      }
    } else if (extras.slow > 0 && queue.length === extras.slow) this.#emitSlow();
  }

  #drop(count: number): void {
    this.dropped += count;
    this.#host.dropped += count;
  }

  #emitSlow(): void {
    this.#host.owner.emit({
      type: "slowConsumer",
      sub: this,
      pending: this.getPending(),
      dropped: this.dropped,
    });
  }

  #own(): Extras {
    if (this.#extras === PLAIN) this.#extras = { ...PLAIN };
    return this.#extras;
  }

  #call(callback: MsgCallback, msg: MsgImpl): void {
    const host = this.#host;
    this.#called++;
    host.running = this;
    const promise = this.#run(callback, null, msg);
    const excused = host.running === undefined;
    host.running = undefined;
    if (promise === undefined || excused) return;
    this.#running++;
    void promise.then(() => this.#returned());
  }

  // Code of the user; a promise, which never rejects, where it gave one. The `then` of it is user code too.
  #run(callback: MsgCallback, error: NatsError | null, msg?: MsgImpl): Promise<unknown> | undefined {
    try {
      const result = callback(error, msg as MsgImpl) as PromiseLike<unknown> | undefined;
      if (typeof result?.then === "function") return this.#watch(result, msg);
    } catch (failure) {
      this.#failed(failure, msg);
    }
    return undefined;
  }

  // Apart from the above, which would make a closure for each message.
  #watch(result: PromiseLike<unknown>, msg: MsgImpl | undefined): Promise<unknown> {
    return Promise.resolve(result).catch((failure: unknown) => this.#failed(failure, msg));
  }

  #failed(error: unknown, msg: MsgImpl | undefined): void {
    const subject = msg?.subject ?? this.subject;
    this.#host.owner.emit({ type: "handlerError", error, subject, source: "subscription" });
  }

  #returned(): void {
    this.#running--;
    while (this.#running < this.#extras.concurrency && this.getPending() > 0) {
      this.#call(this.callback as MsgCallback, this.#queue.shift() as MsgImpl);
    }
    this.#taken();
  }

  // What is queued has become less, or a callback less runs.
  #taken(): void {
    const extras = this.#extras;
    // an episode of dropping ends when half of the queue is free again
    if (extras.isSlow && this.getPending() <= extras.limits.messages / 2) extras.isSlow = false;
    if (this.getPending() > 0 || this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<MsgImpl, undefined> {
    if (this.callback !== undefined) {
      throw new InvalidOperationError(
        `the subscription on '${this.subject}' has a callback: it can't be iterated too`,
      );
    }
    return this.#queue.iterate(
      `the subscription on '${this.subject}'`,
      () => this.#taken(),
      () => this.unsubscribe(),
    );
  }

  get readable(): ReadableStream<MsgImpl> {
    return (this.#own().readable ??= this.#stream());
  }

  #stream(): ReadableStream<MsgImpl> {
    const iterator = this[Symbol.asyncIterator]();
    return new ReadableStream<MsgImpl>(
      {
        pull: async (controller) => {
          const { value, done } = await iterator.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => this.unsubscribe(),
      },
      // the queue of the subscription is the buffer
      { highWaterMark: 0 },
    );
  }

  // -- end -----------------------------------------------------------------------------------------------------------

  /** End; what is queued is handed over first. */
  finish(): void {
    this.#end(undefined);
  }

  /** End with an error, ahead of what is queued. */
  fail(error: NatsError): void {
    if (this.#state === CLOSED) return;
    this.#drop(this.getPending());
    this.#discard();
    this.#end(error);
  }

  #discard(): void {
    this.#inflow?.clear();
    this.#taken();
  }

  #end(error: NatsError | undefined): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    clearTimeout(this.#extras.timer);
    this.#host.remove(this);
    this.#error = error;
    this.#closed?.resolve(error);
    if (this.callback === undefined) this.#queue.end(error);
    else if (error !== undefined) void this.#run(this.callback, error);
    this.#taken();
  }

  get closed(): Promise<undefined | Error> {
    if (this.#closed === undefined) {
      this.#closed = deferred();
      if (this.#state === CLOSED) this.#closed.resolve(this.#error);
    }
    return this.#closed;
  }

  unsubscribe(max?: number): void {
    check(
      max === undefined || Number.isInteger(max),
      "max",
      max,
      "a whole number of messages, or leave it out",
    );
    if (this.#state !== CLOSED) {
      const more = max !== undefined && max > this.received;
      this.#unsubscribe(more ? max : undefined);
      if (more) {
        this.max = max;
        return;
      }
      // that many are here: they may still be taken
      if (max !== undefined && max > 0) return this.finish();
    }
    this.#discard();
    this.finish();
  }

  #unsubscribe(max?: number): void {
    this.#host.owner.control(unsubLine(this.sid, max));
  }

  drain(options: WaitOptions = {}): Promise<void> {
    if (this.#draining !== undefined) return this.#draining;
    if (this.#state === CLOSED) {
      return Promise.reject(
        new InvalidOperationError(
          `the subscription on '${this.subject}' has ended: there is nothing to drain`,
        ),
      );
    }
    // whoever waits for the end in its own callback is not waited for
    if (this.#host.running === this) this.#host.running = undefined;
    this.#state = DRAINING;
    this.#unsubscribe();
    this.#draining = this.#drained(options);
    return this.#draining;
  }

  async #drained(options: WaitOptions): Promise<void> {
    const { owner } = this.#host;
    try {
      await owner.flush(options);
    } catch (error) {
      // the link is gone, and what was on it: there is no more to come
      if ((error as NatsError).code !== "DISCONNECTED") throw error;
    } finally {
      this.finish();
    }
    await owner.wait(this.handedOver(), {
      ...options,
      what: `handing over the messages on '${this.subject}'`,
    });
  }

  /** Resolves when nothing is queued or running, as far as somebody takes: an iterator nobody began does not count. */
  handedOver(): Promise<void> {
    const taker = this.callback !== undefined || this.#inflow?.iterating === true;
    if (this.#running === 0 && !(taker && this.getPending() > 0)) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle;
  }

  /** True while a callback runs or waits for its turn. */
  get busy(): boolean {
    return this.callback !== undefined && (this.#running > 0 || this.getPending() > 0);
  }

  #tooLate(timeout: number): void {
    const { subject } = this;
    this.#unsubscribe();
    this.fail(new TimeoutError(`no message on '${subject}' within ${timeout} ms`, { subject }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== CLOSED) await this.drain();
  }

  // -- looks ---------------------------------------------------------------------------------------------------------

  isDraining(): boolean {
    return this.#state === DRAINING;
  }

  isClosed(): boolean {
    return this.#state === CLOSED;
  }

  getSubject(): string {
    return this.subject;
  }

  getReceived(): number {
    return this.received;
  }

  getProcessed(): number {
    return this.#called + (this.#inflow?.taken ?? 0);
  }

  getPending(): number {
    return this.#inflow?.length ?? 0;
  }

  getID(): number {
    return this.sid;
  }

  getMax(): number | undefined {
    return this.max > 0 ? this.max : undefined;
  }
}

/** Messages or replies came faster than they were taken. */
export function tooFast(what: string, subject: string, queued: number): NatsError {
  const text = `${what} '${subject}' come faster than they are taken: ${queued} are queued`;
  return new NatsError("SLOW_CONSUMER", text, { subject });
}

/** The line that ends a subscription at the server; with `max`, once so many messages were delivered in all. */
export function unsubLine(sid: number, max?: number): string {
  return max === undefined ? `UNSUB ${sid}\r\n` : `UNSUB ${sid} ${max}\r\n`;
}
