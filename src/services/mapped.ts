// Mapped: a queued iterator that makes something else of each item. Used for endpoints and for the answers to discovery.
import type { QueuedIterator } from "../client/connection.ts";

/** What is iterated, with its counters; a subscription and the replies to a request are both. */
export interface Source<T> extends AsyncIterable<T> {
  getReceived(): number;
  getProcessed(): number;
  getPending(): number;
}

/** What of an iteration is told to its source. */
export interface Mapping<T, U> {
  map(item: T): U;
  /** the consumer has come back for the next item, or left */
  taken?(): void;
  /** end the source; `error` is thrown by the iteration */
  stop(error?: Error): void;
}

/** Iterate `source` through `mapping`. Ends with it, by `stop()`, or when its loop is left. */
export function mapped<T, U>(source: Source<T>, mapping: Mapping<T, U>): QueuedIterator<U> {
  let failure: Error | undefined;
  return {
    async *[Symbol.asyncIterator]() {
      for await (const item of source) {
        try {
          yield mapping.map(item);
        } finally {
          mapping.taken?.();
        }
      }
      if (failure !== undefined) throw failure;
    },
    stop(error) {
      failure ??= error;
      mapping.stop(error);
    },
    getReceived: () => source.getReceived(),
    getProcessed: () => source.getProcessed(),
    getPending: () => source.getPending(),
  };
}
