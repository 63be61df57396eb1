// Sync iterator: take the items of an async iterator one by one, without a loop.

/** Items one at a time. */
export interface SyncIterator<T> {
  /** the next item; null at the end */
  next(): Promise<T | null>;
}

/** Take items one at a time; `next()` gives null at the end, and rejects when the source does. */
export function syncIterator<T>(source: AsyncIterable<T>): SyncIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? null : value;
    },
  };
}
