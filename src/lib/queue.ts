// Queue: first in, first out, in constant time. Used by everything that holds messages for later.

/*
 * A ring in an array whose length is a power of two, so that `index & mask` is the remainder:
 *
 *            head               tail = (head + length) & mask
 *             |                   |
 *     +---+---+---+---+---+---+---+---+
 *     |   |   | a | b | c | d | e |   |     push writes at tail, shift reads at head and empties the slot
 *     +---+---+---+---+---+---+---+---+
 *
 * A full ring doubles; a queue that has never held anything, or was cleared, has none. A ring that was emptied and is large
 * is dropped.
 */
const SMALLEST = 16;
/** a ring of this many slots is kept when it is empty */
const KEPT = 1024;

// oxlint-disable-next-line unicorn/no-new-array -- Array.from would write every slot
const emptyRing = (slots: number): undefined[] => new Array(slots);
const NO_RING: undefined[] = [];

/** A queue of any length. */
export class Queue<T> {
  #ring: (T | undefined)[] = NO_RING;
  #head = 0;
  #length = 0;

  /** how many items wait */
  get length(): number {
    return this.#length;
  }

  /** Add an item at the end. */
  push(item: T): void {
    let ring = this.#ring;
    if (this.#length === ring.length) ring = this.#grow();
    ring[(this.#head + this.#length++) & (ring.length - 1)] = item;
  }

  /** Take the first item; undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const ring = this.#ring;
    const head = this.#head;
    const item = ring[head];
    ring[head] = undefined;
    this.#head = (head + 1) & (ring.length - 1);
    if (--this.#length === 0 && ring.length > KEPT) this.clear();
    return item;
  }

  /** The first item, which stays; undefined when there is none. */
  peek(): T | undefined {
    return this.#ring[this.#head];
  }

  /** Drop all items. */
  clear(): void {
    this.#ring = NO_RING;
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): (T | undefined)[] {
    const old = this.#ring;
    const ring: (T | undefined)[] = emptyRing(Math.max(SMALLEST, old.length * 2));
    for (let i = 0; i < old.length; i++) ring[i] = old[(this.#head + i) & (old.length - 1)];
    this.#head = 0;
    this.#ring = ring;
    return ring;
  }
}
