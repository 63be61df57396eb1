// Lister: the pages of a list of the API, one after the other or item by item.
import type { PageReply, Unlisted } from "../protocol/jetstream/api.ts";

/** A list that comes in pages. Iterate it for its items, or take the pages with `next()`. */
export interface Lister<T> extends AsyncIterable<T> {
  /** the next page; empty when there are no more */
  next(): Promise<T[]>;
  /** names of what could not be listed because it did not answer, on the pages so far */
  readonly missing: readonly string[];
  /** why what is offline is: reasons by name, on the pages so far. Server 2.11. */
  readonly offline: Readonly<Record<string, string>>;
}

/** A page, as it is fetched. */
type Page<T> = PageReply & Unlisted & ({ streams: T[] | null } | { consumers: T[] | null });

/** The list whose page that begins at an offset is what `fetch` gets; of what `select` makes of its items, unless that is undefined. */
export function lister<S, T = S>(
  fetch: (offset: number) => Promise<Page<S>>,
  select?: (item: S) => T | undefined,
): Lister<T> {
  let offset = 0;
  let done = false;
  const missing: string[] = [];
  const offline: Record<string, string> = {};
  let turn: Promise<T[]> = Promise.resolve([]);
  const fetched = async (): Promise<T[]> => {
    if (done) return [];
    const page = await fetch(offset);
    const { total, missing: gone = [], offline: down = {} } = page;
    const all = ("streams" in page ? page.streams : page.consumers) ?? [];
    missing.push(...gone);
    Object.assign(offline, down);
    offset += all.length + gone.length;
    // the total is that of this page: the list may grow and shrink meanwhile
    done = all.length + gone.length === 0 || offset >= total;
    const wanted = select === undefined ? (all as unknown as T[]) : all.flatMap((item) => select(item) ?? []);
    // a page of nothing that is wanted is not the end
    return wanted.length === 0 ? fetched() : wanted;
  };
  // where a page begins is known when the one before is here; one that failed is asked for again
  const next = (): Promise<T[]> => (turn = turn.then(fetched, fetched));
  return {
    next,
    missing,
    offline,
    async *[Symbol.asyncIterator]() {
      for (let page = await next(); page.length > 0; page = await next()) yield* page;
    },
  };
}
