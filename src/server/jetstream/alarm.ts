// Alarm: one timer for whatever comes next. Who is called looks what that is.
import type { Clock, Timer } from "../../lib/clock.ts";

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #due = Infinity;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Ring at that time, or before: an earlier time that was set remains. Infinity: nothing new. */
  at(time: number): void {
    if (time < this.#due) this.set(time);
  }

  /** Ring at that time, and at no other. Infinity: not at all. */
  set(time: number): void {
    if (time === this.#due) return;
    this.off();
    if (time === Infinity) return;
    this.#due = time;
    this.#timer = this.#clock.after(Math.max(0, time - this.#clock.now()), () => {
      this.#due = Infinity;
      this.#timer = undefined;
      this.#ring();
    });
  }

  get isSet(): boolean {
    return this.#due !== Infinity;
  }

  off(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = Infinity;
  }
}
