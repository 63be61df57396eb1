// Async queue: items for one consumer, who may wait for them. Held by subscriptions, replies and listeners.
//
//   push --> a next() that waits
//        --> queue [oldest ... newest] --> next() or shift()
//
// After `end`, what is queued can still be taken; its error comes first, once.
import { InvalidOperationError } from "../errors.ts";
import { Queue } from "./queue.ts";

/** How much may be queued, and what becomes of the rest. */
export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
  /** `close` is for the owner to carry out: the queue itself drops the newest then */
  readonly overflow: "drop-newest" | "drop-oldest" | "close";
}

type Result<T> = IteratorResult<T, undefined>;

/** A bounded queue with one consumer. */
export class AsyncQueue<T> {
  /** items that `next()` gave */
  taken = 0;
  /** there is an iterator */
  iterating = false;
  readonly #limits: QueueLimits;
  readonly #sizeOf: (item: T) => number;
  readonly #items: Queue<T> = new Queue();
  #bytes = 0;
  #waiter: ((result: Result<T> | Promise<Result<T>>) => void) | undefined;
  #ended = false;
  #error: unknown;

  constructor(limits: QueueLimits, sizeOf: (item: T) => number) {
    this.#limits = limits;
    this.#sizeOf = sizeOf;
  }

  /** how many items are queued */
  get length(): number {
    return this.#items.length;
  }

  /** true while a `next()` waits */
  get waiting(): boolean {
    return this.#waiter !== undefined;
  }

  /** Add an item; gives the number of items dropped for it, or itself. */
  push(item: T): number {
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      this.taken++;
      waiter({ value: item, done: false });
      return 0;
    }
    const size = this.#sizeOf(item);
    let dropped = 0;
    if (this.#limits.overflow === "drop-oldest") {
      for (; this.length > 0 && this.#isFull(size); dropped++) this.shift();
    }
    if (this.#isFull(size)) return dropped + 1;
    this.#bytes += size;
    this.#items.push(item);
    return dropped;
  }

  #isFull(size: number): boolean {
    return this.length >= this.#limits.messages || this.#bytes + size > this.#limits.bytes;
  }

  /** Take the oldest item, if there is one, without `next()`. */
  shift(): T | undefined {
    const item = this.#items.shift();
    if (item !== undefined) this.#bytes -= this.#sizeOf(item);
    return item;
  }

  /** The next item; done after the end. One at a time. */
  next(): Promise<Result<T>> {
    const error = this.#error;
    if (error !== undefined) {
      this.#error = undefined;
      return Promise.reject(error);
    }
    const value = this.shift();
    if (value !== undefined) {
      this.taken++;
      return Promise.resolve({ value, done: false });
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    if (this.waiting) {
      return Promise.reject(new InvalidOperationError("next() was called before the one before it settled"));
    }
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  /** The iterator; a second one is refused. `asked` is called after each `next()`, `leave` when the loop is left. */
  iterate(what: string, asked: () => void, leave: () => void): AsyncIterator<T, undefined> {
    if (this.iterating) throw new InvalidOperationError(`${what} is being iterated already`);
    this.iterating = true;
    const left = <R>(result: R): R => {
      leave();
      return result;
    };
    return {
      next: () => {
        const result = this.next();
        asked();
        return result;
      },
      return: () => left(Promise.resolve({ value: undefined, done: true })),
      throw: (error: unknown) => left(Promise.reject(error as Error)),
    };
  }

  /** Drop what is queued. */
  clear(): void {
    this.#items.clear();
    this.#bytes = 0;
  }

  /** No more items; `next()` rejects with the error first, where there is one. */
  end(error?: unknown): void {
    this.#ended = true;
    this.#error = error;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(this.next());
  }
}
