// Token marks: roughly, which tokens some subjects have in their first places. Where a mark of a filter is missing, nothing matches it.

const PLACES = 4;
// a token has one of 32 marks, whose number takes five bits
const BITS = 5;

/** The marks of a subject: a number for each place, in one. */
export function marksOf(tokens: readonly string[]): number {
  let marks = 0;
  for (let place = 0; place < PLACES; place++) marks |= markOf(tokens[place] ?? "") << (BITS * place);
  return marks;
}

function markOf(token: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193);
  // what one character changes reaches the upper bits too
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> (32 - BITS);
}

/** What a filter needs in each place, as a bit; 0 where it takes all. */
export function neededBy(filter: string): number[] {
  const tokens = filter.split(".").slice(0, PLACES);
  return tokens.map((token) => (token === "*" || token === ">" ? 0 : 1 << markOf(token)));
}

export class TokenMarks {
  // those that were seen in each place, as bits
  readonly #seen: number[] = Array.from({ length: PLACES }, () => 0);

  add(marks: number): void {
    for (let place = 0; place < PLACES; place++) {
      (this.#seen[place] as number) |= 1 << ((marks >>> (BITS * place)) & 31);
    }
  }

  /** May one of them match? */
  has(needed: readonly number[]): boolean {
    return needed.every((bit, place) => bit === 0 || ((this.#seen[place] as number) & bit) !== 0);
  }
}
