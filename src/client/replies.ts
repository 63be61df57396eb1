// Replies: the iterator of requestMany, and when it ends (ADR-47). Fed by client/requests.
import { NoRespondersError } from "../errors.ts";
import { AsyncQueue } from "../lib/async-queue.ts";
import { check, checkChoice } from "../lib/check.ts";
import { onAbort, startTimer } from "../lib/deferred.ts";
import type { QueuedIterator, RequestManyOptions } from "./connection.ts";
import { type MsgImpl, sizeOf } from "./message.ts";
import { DEFAULT_LIMITS, tooFast } from "./subscription.ts";

/** The replies to one request, and what brings them. */
export interface Replies extends QueuedIterator<MsgImpl> {
  /** a reply came */
  push(msg: MsgImpl): void;
  stop(error?: Error): void;
}

/**
 * The replies to one request. They end by their strategy, their time, their signal, an error, or the consumer's return.
 * `release` is called once, at the end of receiving.
 */
export function repliesTo(
  subject: string,
  options: Partial<RequestManyOptions>,
  release: () => void,
): Replies {
  const { strategy = "timer", maxWait = 1000, maxMessages = -1, stall = 300, signal } = options;
  checkChoice("strategy", strategy, "timer, count, stall or sentinel");
  check(maxWait >= 1, "maxWait", maxWait, "milliseconds, 1 or more");
  check(
    strategy !== "count" || maxMessages > 0,
    "maxMessages",
    maxMessages,
    "a limit: 'count' needs 1 or more",
  );
  const queue = new AsyncQueue<MsgImpl>(DEFAULT_LIMITS, sizeOf);
  let received = 0;
  let done = false;
  let stallTimer: ReturnType<typeof setTimeout> | undefined;

  const stop = (error?: Error): void => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    clearTimeout(stallTimer);
    deafen?.();
    release();
    queue.end(error);
  };
  const end = (): void => stop();
  // C-ADR47-8: only the time in which the consumer waits counts as stall
  const asked = (): void => {
    // C-ADR47-3: a stall below 1 ms or beyond the total is no stall
    const stalls = strategy === "stall" && stall >= 1 && stall < maxWait;
    if (stalls && received > 0 && queue.waiting) stallTimer = setTimeout(end, stall);
  };
  const deafen = signal && onAbort(signal, `the request to '${subject}'`, stop);
  const timer = startTimer(end, maxWait);

  return {
    push(msg) {
      if (done) return;
      // C-ADR47-6: before any reply it is an error, after one it is the end
      if (msg.isNoResponders) return stop(received === 0 ? new NoRespondersError(subject) : undefined);
      received++;
      clearTimeout(stallTimer);
      if (queue.push(msg) > 0) {
        const error = tooFast("replies to", subject, queue.length);
        queue.clear();
        stop(error);
      } else if (received === maxMessages || (strategy === "sentinel" && msg.data.length === 0)) stop();
    },
    stop,
    [Symbol.asyncIterator]: () => queue.iterate(`the request to '${subject}'`, asked, end),
    getProcessed: () => queue.taken,
    getPending: () => queue.length,
    getReceived: () => received,
  };
}
