// Manual clock: a time that moves only when it is told to. For tests of what takes long.
import type { Clock, Timer } from "../lib/clock.ts";

interface Alarm {
  readonly due: number;
  readonly callback: () => void;
}

/**
 * Hand it to a server, and its pings, deadlines, delays and redeliveries come when you say.
 *
 * @example
 * const clock = new ManualClock();
 * await using server = await NatsServer.start({ clock });
 * clock.advance(120_000);
 */
export class ManualClock implements Clock {
  #now: number;
  readonly #alarms = new Set<Alarm>();

  /** `now`: milliseconds since 1970; default is the present */
  constructor(now: number = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): Timer {
    const alarm = { due: this.#now + Math.max(0, ms), callback };
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /** Move on by `ms`: what falls due on the way happens, in its order, each at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#alarms.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }

  #next(end: number): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.due <= end && (next === undefined || alarm.due < next.due)) next = alarm;
    }
    return next;
  }
}
