// Open batches: those of one stream that wait for their next message, within what a stream and a server may have. Owned by
// atomic-batches and fast-batches.
import type { Clock, Timer } from "../../lib/clock.ts";

// milliseconds without a message after which a batch is given up
const IDLE = 10_000;

interface Open<B> {
  readonly batch: B;
  timer: Timer;
}

/** How many there are on a server. */
export interface Count {
  open: number;
}

export class OpenBatches<B> {
  readonly #open = new Map<string, Open<B>>();
  readonly #clock: Clock;
  readonly #count: Count;
  readonly #most: number;
  readonly #mostOfAll: number;
  readonly #idle: (id: string) => void;

  /** `idle` is called when nothing came for one, which is no more then */
  constructor(clock: Clock, count: Count, most: number, mostOfAll: number, idle: (id: string) => void) {
    this.#clock = clock;
    this.#count = count;
    this.#most = most;
    this.#mostOfAll = mostOfAll;
    this.#idle = idle;
  }

  get size(): number {
    return this.#open.size;
  }

  get full(): boolean {
    return this.size >= this.#most || this.#count.open >= this.#mostOfAll;
  }

  /** The batch, for which something came. */
  get(id: string): B | undefined {
    const known = this.#open.get(id);
    known?.timer.cancel();
    if (known !== undefined) known.timer = this.#timer(id);
    return known?.batch;
  }

  add(id: string, batch: B): void {
    this.#open.set(id, { batch, timer: this.#timer(id) });
    this.#count.open++;
  }

  #timer(id: string): Timer {
    return this.#clock.after(IDLE, () => {
      this.delete(id);
      this.#idle(id);
    });
  }

  delete(id: string): void {
    this.#open.get(id)?.timer.cancel();
    if (this.#open.delete(id)) this.#count.open--;
  }

  clear(): void {
    for (const id of [...this.#open.keys()]) this.delete(id);
  }
}
