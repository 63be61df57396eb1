// Subscription: delivery of messages to one iterator or callback, through one bounded queue. Made by client/subscriptions.
//
//   onMessage --> callback runs now                          (callback, nothing ahead of it)
//             --> waiting next() of the iterator             (iterator, queue empty)
//             --> queue [oldest ... newest] --> next() / a callback slot that became free
//
// Ends: `finish` lets the queue be handed over first, `fail` and `discard` don't.
import { InvalidArgumentError, InvalidOperationError, NatsError, TimeoutError } from "../errors.ts";
import { type Deferred, deferred, LONGEST_TIMER, type SettleOptions } from "../lib/deferred.ts";
import { Queue } from "../lib/queue.ts";
import type { MsgCallback, Subscription, SubscriptionOptions, WaitOptions } from "./connection.ts";
import type { MsgImpl } from "./message.ts";

/** The limits of a queue, all decided. */
export interface ResolvedLimits {
  readonly messages: number;
  readonly bytes: number;
  readonly overflow: "drop-newest" | "drop-oldest" | "close";
}

export const DEFAULT_LIMITS: ResolvedLimits = {
  messages: 524288,
  bytes: 67108864,
  overflow: "drop-newest",
};

/** What a subscription needs of its owner. */
export interface SubscriptionHost {
  /** tell the server: UNSUB, with the count of messages it may still deliver where `max` is given */
  unsubscribe(sub: NatsSubscription, max?: number): void;
  /** the subscription takes no more messages: forget it */
  forget(sub: NatsSubscription): void;
  /** a round trip to the server */
  flush(options: WaitOptions): Promise<void>;
  /** a wait that ends with the connection, if not before */
  wait(promise: Promise<void>, options: SettleOptions): Promise<void>;
  /** user code failed */
  handlerFailed(error: unknown, subject: string): void;
  /** the queue passed a mark */
  slow(sub: NatsSubscription): void;
  /** messages that had arrived were dropped */
  droppedInbound(count: number): void;
  /** a callback is about to run */
  entered(sub: NatsSubscription): void;
  /** it has returned from its synchronous part; true when it called drain, and is not to be waited for */
  left(): boolean;
  /** a drain begins: a callback of this subscription that is on the stack is not waited for */
  excuse(sub: NatsSubscription): void;
}

// The lifecycle; one writer each: drain(), #end().
const OPEN = 0;
const DRAINING = 1;
// takes nothing more; what is queued may still be handed over
const CLOSED = 2;

/** What only some subscriptions have; kept apart so that an idle one stays small. */
interface Extras {
  limits: ResolvedLimits;
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

type Waiter = {
  resolve(result: IteratorResult<MsgImpl>): void;
  reject(error: unknown): void;
};

export class NatsSubscription implements Subscription {
  readonly sid: number;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly callback: MsgCallback | undefined;
  /** messages after which it ends; 0 for none */
  max = 0;
  received = 0;
  dropped = 0;
  #host: SubscriptionHost;
  #state = OPEN;
  #error: NatsError | undefined;
  #thrown = false;
  #processed = 0;
  #running = 0;
  #bytes = 0;
  #items: Queue<MsgImpl> | undefined;
  #waiter: Waiter | undefined;
  #iterating = false;
  #closed: Deferred<undefined | Error> | undefined;
  #idle: Deferred<void> | undefined;
  #draining: Promise<void> | undefined;
  #extras: Extras = PLAIN;

  constructor(host: SubscriptionHost, sid: number, subject: string, options: SubscriptionOptions) {
    this.#host = host;
    this.sid = sid;
    this.subject = subject;
    this.queue = options.queue;
    this.callback = options.callback;
    const { limits, slow, concurrency, timeout } = options;
    if (limits !== undefined || slow || concurrency || timeout) {
      this.#extras = {
        ...PLAIN,
        limits: {
          messages: limits?.messages ?? DEFAULT_LIMITS.messages,
          bytes: limits?.bytes ?? DEFAULT_LIMITS.bytes,
          overflow: limits?.overflow ?? DEFAULT_LIMITS.overflow,
        },
        slow: slow ?? 0,
        concurrency: concurrency ?? 0,
        timer:
          timeout === undefined
            ? undefined
            : setTimeout(() => this.#firstMessageMissing(timeout), Math.min(timeout, LONGEST_TIMER)),
      };
    }
    if (options.max !== undefined) this.max = options.max;
  }

  // -- delivery ------------------------------------------------------------------------------------------------------

  /** A message arrived. */
  onMessage(msg: MsgImpl): void {
    if (this.#state === CLOSED) return;
    this.received++;
    if (this.received === 1) this.#stopTimer();
    const last = this.max > 0 && this.received >= this.max;
    const { callback } = this;
    if (callback !== undefined) {
      const { concurrency } = this.#extras;
      if (concurrency > 0 && (this.#running >= concurrency || this.#items !== undefined)) this.#enqueue(msg);
      else {
        this.#processed++;
        this.#call(callback, msg);
      }
    } else if (this.#waiter !== undefined) {
      const waiter = this.#waiter;
      this.#waiter = undefined;
      this.#processed++;
      waiter.resolve({ value: msg, done: false });
    } else {
      this.#enqueue(msg);
    }
    if (last) this.finish();
  }

  #enqueue(msg: MsgImpl): void {
    const items = (this.#items ??= new Queue<MsgImpl>());
    const size = msg.size();
    const { limits, slow } = this.#extras;
    if (items.length >= limits.messages || this.#bytes + size > limits.bytes) {
      this.#overflow(items, msg, size, limits);
      return;
    }
    this.#bytes += size;
    items.push(msg);
    if (slow > 0 && items.length === slow) this.#host.slow(this);
  }

  #overflow(items: Queue<MsgImpl>, msg: MsgImpl, size: number, limits: ResolvedLimits): void {
    if (limits.overflow === "drop-oldest") {
      while (items.length > 0 && (items.length >= limits.messages || this.#bytes + size > limits.bytes)) {
        this.#bytes -= (items.shift() as MsgImpl).size();
        this.#drop(1);
      }
      if (limits.messages > 0 && size <= limits.bytes) {
        this.#bytes += size;
        items.push(msg);
        return;
      }
    }
    this.#drop(1);
    if (limits.overflow !== "close") return;
    this.#host.unsubscribe(this);
    this.fail(
      new NatsError(
        "SLOW_CONSUMER",
        `messages on '${this.subject}' come faster than they are taken: ${items.length} are queued`,
        { subject: this.subject },
      ),
    );
  }

  // Count; the first of an episode is reported.
  #drop(count: number): void {
    this.dropped += count;
    this.#host.droppedInbound(count);
    const extras = this.#own();
    if (!extras.isSlow) this.#host.slow(this);
    extras.isSlow = true;
  }

  #own(): Extras {
    if (this.#extras === PLAIN) this.#extras = { ...PLAIN };
    return this.#extras;
  }

  #take(items: Queue<MsgImpl>): MsgImpl {
    const msg = items.shift() as MsgImpl;
    this.#bytes -= msg.size();
    this.#processed++;
    // an episode of dropping ends when half of the queue is free again
    if (this.#extras.isSlow && items.length <= this.#extras.limits.messages / 2) this.#extras.isSlow = false;
    if (items.length === 0) this.#items = undefined;
    return msg;
  }

  #call(callback: MsgCallback, msg: MsgImpl): void {
    const host = this.#host;
    host.entered(this);
    const promise = this.#run(callback, null, msg);
    const excused = host.left();
    if (promise === undefined) return;
    if (!excused) this.#running++;
    void promise.then(() => {
      if (!excused) this.#returned();
    });
  }

  // Code of the user; a promise, which never rejects, where it gave one. The `then` of it is user code too.
  #run(callback: MsgCallback, error: NatsError | null, msg?: MsgImpl): Promise<unknown> | undefined {
    try {
      const result = callback(error, msg as MsgImpl) as PromiseLike<unknown> | undefined;
      if (typeof result?.then !== "function") return undefined;
      return Promise.resolve(result).catch((failure: unknown) => this.#failed(failure, msg));
    } catch (failure) {
      this.#failed(failure, msg);
      return undefined;
    }
  }

  #failed(failure: unknown, msg: MsgImpl | undefined): void {
    this.#host.handlerFailed(failure, msg?.subject ?? this.subject);
  }

  #returned(): void {
    this.#running--;
    const { concurrency } = this.#extras;
    const callback = this.callback as MsgCallback;
    while (this.#items !== undefined && this.#running < concurrency) {
      this.#call(callback, this.#take(this.#items));
    }
    this.#settleIdle();
  }

  [Symbol.asyncIterator](): AsyncIterator<MsgImpl, undefined> {
    if (this.callback !== undefined) {
      throw new InvalidOperationError(
        `the subscription on '${this.subject}' has a callback: it can't be iterated too`,
      );
    }
    if (this.#iterating) {
      throw new InvalidOperationError(`the subscription on '${this.subject}' is being iterated already`);
    }
    this.#iterating = true;
    return {
      next: () => this.#next(),
      return: () => {
        this.unsubscribe();
        return Promise.resolve({ value: undefined, done: true });
      },
      throw: (error: unknown) => {
        this.unsubscribe();
        return Promise.reject(error as Error);
      },
    };
  }

  #next(): Promise<IteratorResult<MsgImpl, undefined>> {
    if (this.#items !== undefined) {
      const value = this.#take(this.#items);
      this.#settleIdle();
      return Promise.resolve({ value, done: false });
    }
    if (this.#state === CLOSED) {
      if (this.#error === undefined || this.#thrown) return Promise.resolve({ value: undefined, done: true });
      // thrown once; who goes on iterating sees the end
      this.#thrown = true;
      return Promise.reject(this.#error);
    }
    if (this.#waiter !== undefined) {
      return Promise.reject(new InvalidOperationError("next() was called before the one before it settled"));
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve: resolve as Waiter["resolve"], reject };
    });
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
    const queued = this.getPending();
    this.dropped += queued;
    this.#host.droppedInbound(queued);
    this.#discard();
    this.#end(error);
  }

  #discard(): void {
    this.#items = undefined;
    this.#bytes = 0;
    this.#settleIdle();
  }

  #end(error: NatsError | undefined): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#stopTimer();
    this.#host.forget(this);
    this.#error = error;
    this.#closed?.resolve(error);
    if (this.#waiter !== undefined) {
      const waiter = this.#waiter;
      this.#waiter = undefined;
      this.#thrown = true;
      if (error === undefined) waiter.resolve({ value: undefined, done: true });
      else waiter.reject(error);
    }
    const { callback } = this;
    if (error !== undefined && callback !== undefined) {
      void this.#run(callback, error);
    }
    this.#settleIdle();
  }

  get closed(): Promise<undefined | Error> {
    if (this.#closed === undefined) {
      this.#closed = deferred();
      if (this.#state === CLOSED) this.#closed.resolve(this.#error);
    }
    return this.#closed;
  }

  unsubscribe(max?: number): void {
    if (max !== undefined && !Number.isInteger(max)) {
      throw new InvalidArgumentError(
        `max is ${String(max)}: give a whole number of messages, or leave it out`,
      );
    }
    if (this.#state === CLOSED) {
      this.#discard();
      return;
    }
    if (max !== undefined && max > this.received) {
      this.max = max;
      this.#host.unsubscribe(this, max);
      return;
    }
    this.#host.unsubscribe(this);
    if (max === undefined || max <= 0) this.#discard();
    this.finish();
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
    this.#state = DRAINING;
    this.#host.excuse(this);
    this.#host.unsubscribe(this);
    this.#draining = this.#drained(options);
    return this.#draining;
  }

  async #drained(options: WaitOptions): Promise<void> {
    try {
      await this.#host.flush(options);
    } catch (error) {
      // the link is gone, and what was on it: there is no more to come
      if ((error as NatsError).code !== "DISCONNECTED") throw error;
    } finally {
      this.finish();
    }
    await this.#host.wait(this.handedOver(), {
      ...options,
      what: `handing over the messages on '${this.subject}'`,
    });
  }

  /** Resolves when nothing is queued or running, as far as somebody takes: an iterator nobody began does not count. */
  handedOver(): Promise<void> {
    const queued = this.#items !== undefined && (this.#iterating || this.callback !== undefined);
    if (!queued && this.#running === 0) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle;
  }

  /** True while a callback runs or waits for its turn. */
  get busy(): boolean {
    return this.callback !== undefined && (this.#running > 0 || this.#items !== undefined);
  }

  #settleIdle(): void {
    if (this.#idle === undefined || this.#items !== undefined || this.#running > 0) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }

  #firstMessageMissing(timeout: number): void {
    if (this.#state === CLOSED) return;
    this.#host.unsubscribe(this);
    this.fail(
      new TimeoutError(`no message on '${this.subject}' within ${timeout} ms`, { subject: this.subject }),
    );
  }

  #stopTimer(): void {
    if (this.#extras.timer === undefined) return;
    clearTimeout(this.#extras.timer);
    this.#extras.timer = undefined;
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
    return this.#processed;
  }

  getPending(): number {
    return this.#items?.length ?? 0;
  }

  getID(): number {
    return this.sid;
  }

  getMax(): number | undefined {
    return this.max > 0 ? this.max : undefined;
  }
}
