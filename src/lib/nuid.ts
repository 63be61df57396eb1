// Nuid: unique ids of 22 characters, fast in a row.
import { base62, randomBytes, randomId } from "./random.ts";

// 62 to the fifth: half of the running number. The whole does not fit the 53 bits of a number.
const HALF = 916_132_832;

/** A half in five digits. */
function digits(half: number): string {
  const at = (weight: number): number => base62(((half / weight) | 0) % 62);
  return String.fromCharCode(at(14_776_336), at(238_328), at(3844), at(62), at(1));
}

/**
 * A source of unique ids: 12 random characters (`crypto.getRandomValues`), then 10 that count up in steps of a random size.
 *
 * An id costs little and two sources never agree, but who has seen one id can guess the next. Use {@link nuid} where
 * that matters. Nothing random is asked for before the first `next()`.
 */
export class Nuid {
  #prefix = "";
  #high = 0;
  #low = 0;
  #step = 0;
  // prefix and high half, as text
  #head = "";

  /** The next id. @throws {@link NatsError} UNSUPPORTED where the runtime has no generator */
  next(): string {
    this.#low += this.#step;
    if (this.#low >= HALF) {
      this.#low -= HALF;
      this.#high++;
      this.#head = this.#prefix + digits(this.#high);
    }
    if (this.#step === 0 || this.#high >= HALF) this.reset();
    return this.#head + digits(this.#low);
  }

  /** Take a new prefix, a new start and a new step. */
  reset(): void {
    const random = new DataView(randomBytes(12).buffer);
    this.#prefix = randomId(12);
    this.#high = random.getUint32(0) % HALF;
    this.#low = random.getUint32(4) % HALF;
    this.#step = 33 + (random.getUint32(8) % 301);
    this.#head = this.#prefix + digits(this.#high);
  }
}

/**
 * Unique ids of 22 random characters (131 bits). It keeps no state, so `reset()` has nothing to do.
 *
 * For many ids in a row `new Nuid()` is cheaper.
 */
export const nuid: Pick<Nuid, "next" | "reset"> = {
  next: () => randomId(22),
  reset() {},
};
