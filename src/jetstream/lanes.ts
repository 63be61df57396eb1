// Lanes: runs tasks, so many at once, and those of one key one after the other in the order in which they came.

/** Tasks that wait for their turn. */
export class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #tails = new Map<string, Promise<void>>();

  /** `width`: tasks that run at once */
  constructor(width: number) {
    this.#free = width;
  }

  /** Run it when its turn comes; settles as it does. Without a key it waits for nobody but a free place. */
  run(key: string | undefined, task: () => Promise<void>): Promise<void> {
    if (key === undefined) return this.#inPlace(task);
    const before = this.#tails.get(key);
    const mine = before === undefined ? this.#inPlace(task) : before.then(() => this.#inPlace(task));
    // whoever comes next waits for the end, whatever it is
    const tail: Promise<void> = mine.then(
      () => this.#leave(key, tail),
      () => this.#leave(key, tail),
    );
    this.#tails.set(key, tail);
    return mine;
  }

  #leave(key: string, tail: Promise<void>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }

  async #inPlace(task: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await task();
    } finally {
      // the place goes on to the next
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
