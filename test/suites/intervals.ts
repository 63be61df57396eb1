// Intervals: those that begin in a case, which go round when it says so: ten seconds of silence take no time.
import { gate } from "./tools.ts";

interface Interval {
  readonly ms: number;
  readonly fn: () => void;
}

/** Lets so many milliseconds pass for the intervals, once there is one. Other timers know nothing of it. */
export type Pass = (ms: number) => Promise<void>;

/** Runs the body of a case; to the end of it `setInterval` is a stand-in. */
export async function withIntervals(body: (pass: Pass) => Promise<void>): Promise<void> {
  const [setReal, clearReal] = [setInterval, clearInterval];
  const running = new Map<number, Interval>();
  let last = 0;
  let begun = gate();
  Object.assign(globalThis, {
    // negative: no runtime has such a number
    setInterval: (fn: () => void, ms: number): number => {
      running.set(--last, { fn, ms });
      begun.open();
      return last;
    },
    clearInterval: (id?: number): void => {
      if (!running.delete(id ?? 0)) clearReal(id);
    },
  });
  try {
    await body(async (ms) => {
      while (running.size === 0) {
        begun = gate();
        await begun.promise;
      }
      for (const [id, interval] of [...running]) {
        for (let at = interval.ms; at <= ms && running.has(id); at += interval.ms) interval.fn();
      }
    });
  } finally {
    Object.assign(globalThis, { setInterval: setReal, clearInterval: clearReal });
  }
}
