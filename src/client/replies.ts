// Replies: the iterator of requestMany, and when it ends (ADR-47). Fed by client/requests or by a subscription of its own.
import { InvalidArgumentError, InvalidOperationError, NatsError, NoRespondersError } from "../errors.ts";
import { aborted, LONGEST_TIMER } from "../lib/deferred.ts";
import { Queue } from "../lib/queue.ts";
import type { QueuedIterator, RequestManyOptions } from "./connection.ts";
import type { MsgImpl } from "./message.ts";
import { DEFAULT_LIMITS } from "./subscription.ts";

const STRATEGIES = ["timer", "count", "stall", "sentinel"];

type Next = IteratorResult<MsgImpl, undefined>;

/** The replies to one request. Ends by its strategy, its time, its signal, an error, or the consumer's return. */
export class ReplyIterator implements QueuedIterator<MsgImpl> {
  readonly #subject: string;
  readonly #release: () => void;
  readonly #items = new Queue<MsgImpl>();
  readonly #stall: number;
  readonly #count: number;
  readonly #sentinel: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #total: ReturnType<typeof setTimeout>;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;
  #waiter: { resolve(next: Next): void; reject(error: unknown): void } | undefined;
  #iterating = false;
  #done = false;
  #error: Error | undefined;
  #received = 0;
  #bytes = 0;
  #processed = 0;

  /** `release` is called once, at the end of receiving. */
  constructor(subject: string, options: Partial<RequestManyOptions>, release: () => void) {
    const { strategy = "timer", maxWait = 1000, maxMessages = -1, stall = 300, signal } = options;
    if (!STRATEGIES.includes(strategy)) {
      throw new InvalidArgumentError(
        `strategy is '${String(strategy)}': give one of ${STRATEGIES.join(", ")}`,
      );
    }
    if (!(maxWait >= 1))
      throw new InvalidArgumentError(`maxWait is ${String(maxWait)}: give milliseconds, 1 or more`);
    if (strategy === "count" && !(maxMessages > 0)) {
      throw new InvalidArgumentError(
        `maxMessages is ${String(maxMessages)}: the strategy 'count' needs 1 or more`,
      );
    }
    this.#subject = subject;
    this.#release = release;
    this.#count = maxMessages;
    // C-ADR47-3: a stall below 1 ms or beyond the total is no stall
    this.#stall = strategy === "stall" && stall >= 1 && stall < maxWait ? stall : 0;
    this.#sentinel = strategy === "sentinel";
    this.#total = setTimeout(() => this.#finish(), Math.min(maxWait, LONGEST_TIMER));
    this.#signal = signal;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  #onAbort = (): void => {
    this.stop(aborted(this.#signal as AbortSignal, `the request to '${this.#subject}'`));
  };

  /** A reply came. */
  push(msg: MsgImpl): void {
    if (this.#done) return;
    if (msg.isNoResponders) {
      // C-ADR47-6: before any reply it is an error, after one it is the end
      if (this.#received === 0) this.stop(new NoRespondersError(this.#subject));
      else this.#finish();
      return;
    }
    this.#received++;
    if (this.#waiter !== undefined) {
      const waiter = this.#waiter;
      this.#waiter = undefined;
      this.#processed++;
      waiter.resolve({ value: msg, done: false });
    } else if (this.#items.length >= DEFAULT_LIMITS.messages || this.#bytes > DEFAULT_LIMITS.bytes) {
      const text = `replies to '${this.#subject}' come faster than they are taken: ${this.#items.length} are queued`;
      this.#items.clear();
      this.stop(new NatsError("SLOW_CONSUMER", text, { subject: this.#subject }));
      return;
    } else {
      this.#bytes += msg.size();
      this.#items.push(msg);
    }
    if (this.#received === this.#count || (this.#sentinel && msg.data.length === 0)) this.#finish();
    else clearTimeout(this.#stallTimer);
  }

  stop(error?: Error): void {
    if (this.#done) return;
    this.#error = error;
    this.#finish();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#total);
    clearTimeout(this.#stallTimer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#release();
    if (this.#waiter === undefined) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    const error = this.#takeError();
    if (error === undefined) waiter.resolve({ value: undefined, done: true });
    else waiter.reject(error);
  }

  #takeError(): Error | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  [Symbol.asyncIterator](): AsyncIterator<MsgImpl, undefined> {
    if (this.#iterating) {
      throw new InvalidOperationError(`the replies to '${this.#subject}' are being iterated already`);
    }
    this.#iterating = true;
    return {
      next: () => this.#next(),
      return: () => {
        this.stop();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  #next(): Promise<Next> {
    // an error surfaces before what is queued
    const error = this.#takeError();
    if (error !== undefined) return Promise.reject(error);
    const msg = this.#items.shift();
    if (msg !== undefined) {
      this.#processed++;
      this.#bytes -= msg.size();
      return Promise.resolve({ value: msg, done: false });
    }
    if (this.#done) return Promise.resolve({ value: undefined, done: true });
    if (this.#waiter !== undefined) {
      return Promise.reject(new InvalidOperationError("next() was called before the one before it settled"));
    }
    // C-ADR47-8: only the time in which the consumer waits counts as stall
    if (this.#stall > 0 && this.#received > 0) {
      this.#stallTimer = setTimeout(() => this.#finish(), this.#stall);
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  getProcessed(): number {
    return this.#processed;
  }

  getPending(): number {
    return this.#items.length;
  }

  getReceived(): number {
    return this.#received;
  }
}
