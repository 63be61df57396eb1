// Pace: when the next message of a consumer may go that has a rate, or that replays its stream as fast as it was written.
import type { Stored } from "./stored.ts";

// pauses between messages that are not worth waiting for
const SHORT = 1;

export class Pace {
  // bytes that may go at once, and since when
  #allowance = Infinity;
  #at = 0;
  // when the message before was stored
  #before = Infinity;
  // the message that was asked for, and when it may go
  #seq = 0;
  #due = 0;

  /** `rate`: bytes in a millisecond, 0 for any; `burst`: bytes at once; `replay`: keep the pauses of the stream. */
  due(
    { seq, time }: Stored,
    size: number,
    now: number,
    rate: number,
    burst: number,
    replay: boolean,
  ): number {
    if (seq === this.#seq) return this.#due;
    this.#seq = seq;
    const pause = replay ? time - this.#before : 0;
    this.#before = time;
    this.#due = now + (pause > SHORT ? pause : 0);
    if (rate > 0) {
      this.#allowance = Math.min(burst, this.#allowance + (this.#due - this.#at) * rate) - size;
      this.#at = this.#due;
      if (this.#allowance < 0) this.#due -= this.#allowance / rate;
    }
    return this.#due;
  }

  /** All that was stored is sent: what comes now comes at its time anyway. */
  caughtUp(): void {
    this.#before = Infinity;
  }
}
