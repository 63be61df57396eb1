// Turns: runs callbacks in microtasks, but lets the event loop turn once these go on for long: no timer would ever be due otherwise.

// milliseconds
const LONG = 5;

export class Turns {
  /** since when microtasks may follow each other; undefined: the event loop has turned */
  #since: number | undefined;
  #late: (() => void)[] = [];

  /** Run it behind what runs now. */
  soon(callback: () => void): void {
    if (this.#since === undefined) {
      this.#since = performance.now();
      setTimeout(() => this.#turned(), 0);
    } else if (performance.now() - this.#since > LONG) {
      this.#late.push(callback);
      return;
    }
    queueMicrotask(callback);
  }

  #turned(): void {
    this.#since = undefined;
    const late = this.#late;
    this.#late = [];
    for (const callback of late) callback();
  }
}
