// Replies: the iterator of requestMany, and when it ends (ADR-47). Fed by client/requests.
import { NoRespondersError } from "../errors.ts";
import { AsyncQueue } from "../lib/async-queue.ts";
import { check, checkChoice } from "../lib/check.ts";
import { onAbort, startTimer } from "../lib/deferred.ts";
import type { QueuedIterator, RequestManyOptions } from "./connection.ts";
import { type MsgImpl, sizeOf } from "./message.ts";
import { DEFAULT_LIMITS, tooFast } from "./subscription.ts";

/** The replies to one request. Ends by its strategy, its time, its signal, an error, or the consumer's return. */
export class ReplyIterator implements QueuedIterator<MsgImpl> {
  readonly #subject: string;
  readonly #release: () => void;
  readonly #queue = new AsyncQueue<MsgImpl>(DEFAULT_LIMITS, sizeOf);
  readonly #stall: number;
  readonly #count: number;
  readonly #sentinel: boolean;
  readonly #deafen: (() => void) | undefined;
  readonly #total: ReturnType<typeof setTimeout>;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;
  #done = false;
  #received = 0;

  /** `release` is called once, at the end of receiving. */
  constructor(subject: string, options: Partial<RequestManyOptions>, release: () => void) {
    const { strategy = "timer", maxWait = 1000, maxMessages = -1, stall = 300, signal } = options;
    checkChoice("strategy", strategy, "timer, count, stall or sentinel");
    check(maxWait >= 1, "maxWait", maxWait, "milliseconds, 1 or more");
    check(
      strategy !== "count" || maxMessages > 0,
      "maxMessages",
      maxMessages,
      "a limit: 'count' needs 1 or more",
    );
    this.#subject = subject;
    this.#release = release;
    this.#count = maxMessages;
    // C-ADR47-3: a stall below 1 ms or beyond the total is no stall
    this.#stall = strategy === "stall" && stall >= 1 && stall < maxWait ? stall : 0;
    this.#sentinel = strategy === "sentinel";
    this.#deafen = signal && onAbort(signal, `the request to '${subject}'`, (error) => this.stop(error));
    this.#total = startTimer(this.#end, maxWait);
  }

  #end = (): void => this.stop();

  /** A reply came. */
  push(msg: MsgImpl): void {
    if (this.#done) return;
    if (msg.isNoResponders) {
      // C-ADR47-6: before any reply it is an error, after one it is the end
      this.stop(this.#received === 0 ? new NoRespondersError(this.#subject) : undefined);
      return;
    }
    this.#received++;
    clearTimeout(this.#stallTimer);
    if (this.#queue.push(msg) > 0) {
      const error = tooFast("replies to", this.#subject, this.#queue.length);
      this.#queue.clear();
      this.stop(error);
    } else if (this.#received === this.#count || (this.#sentinel && msg.data.length === 0)) this.stop();
  }

  stop(error?: Error): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#total);
    clearTimeout(this.#stallTimer);
    this.#deafen?.();
    this.#release();
    this.#queue.end(error);
  }

  [Symbol.asyncIterator](): AsyncIterator<MsgImpl, undefined> {
    return this.#queue.iterate(this.#subject, this.#asked, this.#end);
  }

  // C-ADR47-8: only the time in which the consumer waits counts as stall
  #asked = (): void => {
    if (this.#stall > 0 && this.#received > 0 && this.#queue.waiting) {
      this.#stallTimer = setTimeout(this.#end, this.#stall);
    }
  };

  getProcessed(): number {
    return this.#queue.taken;
  }

  getPending(): number {
    return this.#queue.length;
  }

  getReceived(): number {
    return this.#received;
  }
}
