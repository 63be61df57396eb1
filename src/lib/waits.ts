// Waits: promises that somebody else settles, all at once. Each may end before by its own deadline or signal.
import { settle, type SettleOptions } from "./deferred.ts";

interface Wait {
  resolve(): void;
  reject(error: unknown): void;
}

/** Waits for the same event. */
export class Waits {
  readonly #waits = new Set<Wait>();

  /** Wait for the event; or for the promise, which then ends the wait as well. */
  add(options: SettleOptions, promise?: Promise<void>): Promise<void> {
    let wait: Wait | undefined;
    return settle<void>(
      (resolve, reject) => {
        wait = { resolve, reject };
        this.#waits.add(wait);
        void promise?.then(resolve, reject);
      },
      { ...options, finish: () => wait && this.#waits.delete(wait) },
    );
  }

  /** The event came. */
  resolve(): void {
    for (const wait of this.#waits) wait.resolve();
  }

  /** It won't come. */
  reject(error: unknown): void {
    for (const wait of this.#waits) wait.reject(error);
  }
}
