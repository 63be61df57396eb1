// Watchers: the consumers of a stream, by what they filter. Finds who is concerned by a message without asking all.
import { type Interest, Router } from "../router.ts";
import type { Filters, Stored } from "./stored.ts";
import type { Watcher } from "./watched.ts";

interface Filter extends Interest {
  readonly watcher: Watcher;
}

export class Watchers {
  readonly #router = new Router<Filter>();
  readonly #filters = new Map<Watcher, readonly Filter[]>();

  [Symbol.iterator](): Iterator<Watcher> {
    return [...this.#filters.keys()][Symbol.iterator]();
  }

  /** Once more: its filters are read again. What they were before. */
  add(watcher: Watcher): Filters | undefined {
    const before = this.#filters.get(watcher)?.map(({ subject }) => subject);
    this.remove(watcher);
    const subjects = watcher.filters.length === 0 ? [">"] : watcher.filters;
    const filters = subjects.map((subject) => ({ subject, queue: "", watcher }));
    for (const filter of filters) this.#router.add(filter);
    this.#filters.set(watcher, filters);
    return before;
  }

  /** False where it was not there. */
  remove(watcher: Watcher): boolean {
    for (const filter of this.#filters.get(watcher) ?? []) this.#router.remove(filter);
    return this.#filters.delete(watcher);
  }

  /** Those whose filters match. */
  of(subject: string): readonly Filter[] {
    return this.#router.match(subject).plain;
  }

  /** Would somebody that counts take a message of this subject? */
  interested(subject: string): boolean {
    return this.of(subject).some(({ watcher }) => watcher.counts);
  }

  /** Does somebody that counts still want this message? */
  wanted(message: Stored): boolean {
    return this.of(message.subject).some(({ watcher }) => watcher.counts && watcher.wants(message));
  }
}
