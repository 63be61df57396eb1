// Distinct: how many different texts there were, without keeping them, or making strings of their bytes.
import type { BytesReader } from "./bytes.ts";

/*
 * A text is known by 53 bits of its hash, in a table that is half full at most; 0 is a free place. Two of a million texts are
 * taken for one with a chance of 1 in 18 000: who counts them must bear one too few.
 */
const SMALLEST = 1024;

export class Distinct {
  #hashes = new Float64Array(SMALLEST);
  #size = 0;

  /** how many different ones were added */
  get size(): number {
    return this.#size;
  }

  /** one more: these bytes of the array */
  readonly add: BytesReader<void> = (bytes, start, end) => {
    const hash = hashOf(bytes, start, end);
    const at = place(this.#hashes, hash);
    if (this.#hashes[at] === hash) return;
    this.#hashes[at] = hash;
    if (++this.#size * 2 > this.#hashes.length) this.#grow();
  };

  clear(): void {
    this.#hashes = new Float64Array(SMALLEST);
    this.#size = 0;
  }

  #grow(): void {
    const larger = new Float64Array(this.#hashes.length * 2);
    for (const hash of this.#hashes) if (hash !== 0) larger[place(larger, hash)] = hash;
    this.#hashes = larger;
  }
}

// Where it is, or the free place for it.
function place(hashes: Float64Array, hash: number): number {
  const mask = hashes.length - 1;
  let at = hash & mask;
  while (hashes[at] !== 0 && hashes[at] !== hash) at = (at + 1) & mask;
  return at;
}

// 1 to 2 ** 53. Multiplying carries upwards, the shifts bring it down again.
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let high = end - start;
  let low = ~high;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    high = Math.imul(high ^ byte, 0x9e3779b1);
    high ^= high >>> 15;
    low = Math.imul(low ^ byte, 0x85ebca6b);
    low ^= low >>> 13;
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0) + 1;
}
