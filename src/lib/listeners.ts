// Listeners: events handed to any number of async iterators, each with its own bounded queue.
import { AsyncQueue } from "./async-queue.ts";

/** One listener's events; it ends when the source closes, and leaves when a loop over it is left. */
export interface EventIterator<T> extends AsyncIterableIterator<T> {
  /** events that were not taken in time and made room for newer ones */
  readonly dropped: number;
  return(): Promise<IteratorResult<T>>;
}

interface Listener<T> {
  readonly queue: AsyncQueue<T>;
  dropped: number;
}

/** The source of events of type T. */
export class Listeners<T> {
  readonly #listeners = new Set<Listener<T>>();
  readonly #limit: number;
  #closed = false;

  /** `limit`: the events that one listener may leave waiting, default 4096; beyond it the oldest is dropped. */
  constructor(limit = 4096) {
    this.#limit = limit;
  }

  /** how many listen */
  get size(): number {
    return this.#listeners.size;
  }

  /** Give an event to everyone who listens now. */
  emit(event: T): void {
    for (const listener of this.#listeners) listener.dropped += listener.queue.push(event);
  }

  /** End all listeners, after what waits for them; who listens later is at the end at once. */
  close(): void {
    this.#closed = true;
    for (const { queue } of this.#listeners) queue.end();
    this.#listeners.clear();
  }

  /** Listen from now on, also before the first `next()`. */
  listen(): EventIterator<T> {
    const queue = new AsyncQueue<T>({ messages: this.#limit, bytes: 0, overflow: "drop-oldest" }, () => 0);
    const listener: Listener<T> = { queue, dropped: 0 };
    if (this.#closed) queue.end();
    else this.#listeners.add(listener);
    // who asks again before the answer waits behind it
    let unanswered = 0;
    let last: Promise<unknown> | undefined;
    return {
      get dropped() {
        return listener.dropped;
      },
      next() {
        const next = unanswered++ > 0 && last ? last.then(() => queue.next()) : queue.next();
        last = next.then(() => unanswered--);
        return next;
      },
      return: async () => {
        this.#listeners.delete(listener);
        queue.clear();
        queue.end();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
