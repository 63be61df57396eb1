// Line: sequences that wait for something, first come first served, each once.
import { Queue } from "../../lib/queue.ts";

export class Line {
  readonly #waiting = new Set<number>();
  // with some that have left
  readonly #order = new Queue<number>();

  get size(): number {
    return this.#waiting.size;
  }

  push(seq: number): void {
    if (this.#waiting.has(seq)) return;
    this.#waiting.add(seq);
    this.#order.push(seq);
  }

  /** The next one; it stays. */
  first(): number | undefined {
    for (;;) {
      const seq = this.#order.peek();
      if (seq === undefined || this.#waiting.has(seq)) return seq;
      this.#order.shift();
    }
  }

  delete(seq: number): void {
    if (!this.#waiting.delete(seq)) return;
    // whoever comes again is not to find an old place
    if (this.#order.peek() === seq) this.#order.shift();
    if (this.#waiting.size === 0) this.#order.clear();
  }

  clear(): void {
    this.#waiting.clear();
    this.#order.clear();
  }

  values(): IterableIterator<number> {
    return this.#waiting.values();
  }
}
