// MemoryStore: the messages of a stream in memory, in blocks by sequence, with an index of their subjects.
//
//   blocks   [1024..2047]  [2048..3071]  [4096..5119]      a block without messages is not kept
//              .xx.x...      xxxxxxxx      xxx             a slot for each sequence
import { subjectMatches } from "../../protocol/subject.ts";
import { Arena, type Kept } from "./arena.ts";
import { byBytes } from "./go-json.ts";
import type { Store } from "./store.ts";
import type { Filters, Stored } from "./stored.ts";
import { isLiteral, SubjectIndex } from "./subject-index.ts";
import { neededBy, TokenMarks } from "./token-marks.ts";

const BLOCK = 1024;
// messages that are looked at one by one before the subjects are asked
const SCAN = 256;
// subjects that are looked at before the blocks are
const ASKED = 2048;

/** forwards or backwards */
type Step = 1 | -1;

interface Block {
  /** sequence of the first slot */
  readonly base: number;
  readonly slots: (Kept | undefined)[];
  live: number;
  /** of all that were ever in it */
  readonly marks: TokenMarks;
}

/** How the bytes of a message are counted: as those of a file, or of memory. */
export type Accounting = "file" | "memory";

export class MemoryStore implements Store {
  readonly #accounting: Accounting;
  readonly #index = new SubjectIndex();
  readonly #arena = new Arena();
  /** ascending */
  #blocks: Block[] = [];
  #messages = 0;
  #bytes = 0;
  #firstSeq: number;
  #lastSeq: number;
  #lastTime = 0;

  /** `firstSeq`: the sequence that the first message gets */
  constructor(accounting: Accounting, firstSeq = 0) {
    this.#accounting = accounting;
    this.#firstSeq = firstSeq;
    this.#lastSeq = Math.max(0, firstSeq - 1);
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get firstTime(): number {
    return this.get(this.#firstSeq)?.time ?? 0;
  }

  get lastTime(): number {
    return this.#lastTime;
  }

  get subjectCount(): number {
    return this.#index.size;
  }

  size(subject: string, header: Uint8Array, data: Uint8Array): number {
    const text = utf8Length(subject) + header.length + data.length;
    if (this.#accounting === "memory") return 16 + text;
    return text + (header.length > 0 ? 34 : 30);
  }

  get(seq: number): Kept | undefined {
    const block = this.#blocks[this.#blockAt(seq)];
    return block?.slots[seq - block.base];
  }

  append(subject: string, header: Uint8Array, data: Uint8Array, time: number): Stored {
    const seq = this.#lastSeq + 1;
    const stored = this.#arena.keep(seq, subject, time, header, data);
    let block = this.#blocks.at(-1);
    const base = seq - (seq % BLOCK);
    if (block?.base !== base) {
      this.#blocks.push((block = { base, slots: [], live: 0, marks: new TokenMarks() }));
    }
    // the slots of a block that begins with holes
    while (block.slots.length < seq - base) block.slots.push(undefined);
    block.slots.push(stored);
    block.live++;
    block.marks.add(this.#index.add(subject, seq).marks);
    if (this.#messages++ === 0) this.#firstSeq = seq;
    this.#bytes += this.size(subject, header, data);
    this.#lastSeq = seq;
    this.#lastTime = time;
    return stored;
  }

  skip(time: number, upTo: number = this.#lastSeq + 1): void {
    this.#lastSeq = upTo;
    this.#lastTime = time;
    if (this.#messages === 0) this.#firstSeq = this.#lastSeq + 1;
  }

  remove(seq: number): Stored | undefined {
    const at = this.#blockAt(seq);
    const block = this.#blocks[at];
    const stored = block?.slots[seq - block.base];
    if (block === undefined || stored === undefined) return undefined;
    block.slots[seq - block.base] = undefined;
    if (--block.live === 0) this.#blocks.splice(at, 1);
    this.#index.remove(stored.subject, seq);
    this.#arena.free(stored, this.#lives);
    this.#messages--;
    this.#bytes -= this.size(stored.subject, stored.header, stored.data);
    if (seq === this.#firstSeq) this.#firstSeq = this.#walk(seq, 1)?.seq ?? this.#lastSeq + 1;
    return stored;
  }

  removeUpTo(seq: number, gone: (message: Stored) => void): number {
    let removed = 0;
    for (let first = this.#walk(0, 1); first !== undefined && first.seq <= seq; removed++) {
      this.remove(first.seq);
      gone(first);
      first = this.#walk(first.seq, 1);
    }
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    if (this.#messages === 0) this.#firstSeq = Math.max(this.#firstSeq, seq + 1);
    return removed;
  }

  next(filters: Filters, from: number): Stored | undefined {
    return this.#find(filters, from, 1);
  }

  last(filters: Filters, upTo: number = this.#lastSeq): Stored | undefined {
    return this.#find(filters, upTo, -1);
  }

  // The first that matches, from here on: one by one, then by its subjects where those are few, else by what the blocks may have.
  #find(filters: Filters, from: number, step: Step): Stored | undefined {
    let at = this.#walk(from, step);
    if (matchesAll(filters)) return at;
    if (!filters.every(isLiteral)) {
      for (let i = 0; at !== undefined && i < SCAN; i++) {
        if (matches(filters, at.subject)) return at;
        at = this.#walk(at.seq + step, step);
      }
    }
    if (at === undefined) return undefined;
    const lists = this.#index.matchingSoon(filters, ASKED);
    if (lists === undefined) return this.#walk(at.seq, step, filters);
    let found = step * Infinity;
    for (const list of lists) {
      const seq = step > 0 ? list.next(from) : list.previous(from);
      if (seq !== undefined && (found - seq) * step > 0) found = seq;
    }
    return this.get(found);
  }

  count(filters: Filters, from: number): number {
    let count = 0;
    if (!matchesAll(filters)) {
      for (const list of this.#index.matching(filters)) count += list.countFrom(from);
      return count;
    }
    if (from <= this.#firstSeq) return this.#messages;
    for (let i = this.#blockAt(from); i < this.#blocks.length; i++) {
      const { base, slots, live } = this.#blocks[i] as Block;
      if (base >= from) count += live;
      else for (let slot = from - base; slot < slots.length; slot++) if (slots[slot] !== undefined) count++;
    }
    return count;
  }

  lastOfEach(filters: Filters, upTo: number = this.#lastSeq): number[] {
    const found: number[] = [];
    for (const list of this.#index.matching(filters.length === 0 ? [">"] : filters)) {
      const seq = list.previous(upTo);
      if (seq !== undefined) found.push(seq);
    }
    return found.sort((a, b) => a - b);
  }

  seqAt(time: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { base, slots } = this.#blocks[middle] as Block;
      if ((this.#walk(base + slots.length - 1, -1) as Stored).time < time) low = middle + 1;
      else high = middle;
    }
    let at = this.#walk(this.#blocks[low]?.base ?? Infinity, 1);
    while (at !== undefined && at.time < time) at = this.#walk(at.seq + 1, 1);
    return at?.seq ?? this.#lastSeq + 1;
  }

  subjects(filter: string): Map<string, number> {
    const found = this.#index.matching([filter]).map(({ subject, count }) => [subject, count] as const);
    return new Map(found.sort(([a], [b]) => byBytes(a, b)));
  }

  countOf(subject: string): number {
    return this.#index.get(subject)?.count ?? 0;
  }

  deleted(): number[] {
    const missing: number[] = [];
    let expected = this.#firstSeq;
    for (const { slots, base } of this.#blocks) {
      for (let i = 0; i < slots.length; i++) {
        if (slots[i] === undefined) continue;
        for (; expected < base + i; expected++) missing.push(expected);
        expected++;
      }
    }
    for (; this.#messages > 0 && expected <= this.#lastSeq; expected++) missing.push(expected);
    return missing;
  }

  async close(): Promise<void> {}

  async destroy(): Promise<void> {}

  readonly #lives = (kept: Kept): boolean => this.get(kept.seq) === kept;

  // The first that is there and matches, from here on.
  #walk(from: number, step: Step, filters: Filters = []): Stored | undefined {
    const needed = filters.map(neededBy);
    const last = this.#blocks.length - 1;
    for (let i = step > 0 ? this.#blockAt(from) : Math.min(this.#blockAt(from), last); ; i += step) {
      const block = this.#blocks[i];
      if (block === undefined) return undefined;
      const { base, slots, marks } = block;
      if (filters.length > 0 && !needed.some((one) => marks.has(one))) continue;
      let slot = step > 0 ? Math.max(0, from - base) : Math.min(slots.length - 1, from - base);
      for (; slot >= 0 && slot < slots.length; slot += step) {
        const stored = slots[slot];
        if (stored !== undefined && matches(filters, stored.subject)) return stored;
      }
    }
  }

  // The first block that ends behind `seq`: the one that may have it, or the next.
  #blockAt(seq: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle] as Block).base + BLOCK <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** None, or one that nothing escapes. */
export function matchesAll(filters: Filters): boolean {
  return filters.length === 0 || (filters.length === 1 && filters[0] === ">");
}

export function matches(filters: Filters, subject: string): boolean {
  return filters.length === 0 || filters.some((filter) => subjectMatches(filter, subject));
}

function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // half of a pair: four bytes for both
    length += code < 0x80 ? 1 : code < 0x800 || (code & 0xf800) === 0xd800 ? 2 : 3;
  }
  return length;
}
