// Clock: the time and its timers, as something that is handed in: tests hand in one that they move.

/** A timer that runs. */
export interface Timer {
  cancel(): void;
}

/** Where the time comes from. */
export interface Clock {
  /** milliseconds since 1970, with fractions where there are any */
  now(): number;
  /** call once, after so many milliseconds. A timer keeps no process alive. */
  after(ms: number, callback: () => void): Timer;
}

/** The time of the runtime. */
export const systemClock: Clock = {
  // Date.now() has whole milliseconds, and what is stored one after the other needs different times
  now: () => performance.timeOrigin + performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, 0x7fff_ffff));
    (timer as { unref?(): void }).unref?.();
    return { cancel: () => clearTimeout(timer) };
  },
};
