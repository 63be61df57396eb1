// Listeners: events handed to any number of async iterators, each with its own bounded queue.
import { Queue } from "./queue.ts";

/** One listener's events; it ends when the source closes, and leaves when a loop over it is left. */
export interface EventIterator<T> extends AsyncIterableIterator<T> {
  /** events that were not taken in time and made room for newer ones */
  readonly dropped: number;
  return(): Promise<IteratorResult<T>>;
}

interface Listener<T> {
  put(event: T): void;
  end(): void;
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
    for (const listener of this.#listeners) listener.put(event);
  }

  /** End all listeners, after what waits for them; who listens later is at the end at once. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  /** Listen from now on, also before the first `next()`. */
  listen(): EventIterator<T> {
    const listeners = this.#listeners;
    const limit = this.#limit;
    const events = new Queue<T>();
    const takers = new Queue<(result: IteratorResult<T>) => void>();
    const atEnd: IteratorResult<T> = { done: true, value: undefined };
    let ended = this.#closed;
    let dropped = 0;
    const listener: Listener<T> = {
      put(event) {
        const taker = takers.shift();
        if (taker) return taker({ done: false, value: event });
        if (events.length >= limit) {
          events.shift();
          dropped++;
        }
        events.push(event);
      },
      end() {
        ended = true;
        for (let taker = takers.shift(); taker; taker = takers.shift()) taker(atEnd);
      },
    };
    if (!ended) listeners.add(listener);
    return {
      get dropped() {
        return dropped;
      },
      async next() {
        if (events.length > 0) return { done: false, value: events.shift() as T };
        return ended ? atEnd : new Promise((resolve) => takers.push(resolve));
      },
      async return() {
        listeners.delete(listener);
        events.clear();
        listener.end();
        return atEnd;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
