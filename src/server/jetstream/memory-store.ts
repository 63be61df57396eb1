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
    if (seq === this.#firstSeq) this.#firstSeq = this.#nextLive(seq)?.seq ?? this.#lastSeq + 1;
    return stored;
  }

  removeUpTo(seq: number, gone: (message: Stored) => void): number {
    let removed = 0;
    for (let first = this.#nextLive(0); first !== undefined && first.seq <= seq; removed++) {
      this.remove(first.seq);
      gone(first);
      first = this.#nextLive(first.seq);
    }
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    if (this.#messages === 0) this.#firstSeq = Math.max(this.#firstSeq, seq + 1);
    return removed;
  }

  next(filters: Filters, from: number): Stored | undefined {
    if (matchesAll(filters)) return this.#nextLive(from);
    if (filters.every(isLiteral)) return this.#nextOf(filters, from);
    let at = this.#nextLive(from);
    for (let i = 0; at !== undefined && i < SCAN; i++) {
      if (matches(filters, at.subject)) return at;
      at = this.#nextLive(at.seq + 1);
    }
    return at === undefined ? undefined : this.#nextOf(filters, at.seq);
  }

  // By its subjects where those are few, else by what the blocks may have.
  #nextOf(filters: Filters, from: number): Stored | undefined {
    const lists = this.#index.matchingSoon(filters, ASKED);
    if (lists === undefined) return this.#searchFrom(filters, from);
    let found = Infinity;
    for (const list of lists) found = Math.min(found, list.next(from) ?? Infinity);
    return this.get(found);
  }

  #searchFrom(filters: Filters, from: number): Stored | undefined {
    const needed = filters.map(neededBy);
    for (let i = this.#blockAt(from); i < this.#blocks.length; i++) {
      const { base, slots, marks } = this.#blocks[i] as Block;
      if (!needed.some((one) => marks.has(one))) continue;
      for (let slot = Math.max(0, from - base); slot < slots.length; slot++) {
        const stored = slots[slot];
        if (stored !== undefined && matches(filters, stored.subject)) return stored;
      }
    }
    return undefined;
  }

  last(filters: Filters, upTo: number = this.#lastSeq): Stored | undefined {
    if (matchesAll(filters)) return this.#previousLive(upTo);
    if (filters.every(isLiteral)) return this.#lastOf(filters, upTo);
    let at = this.#previousLive(upTo);
    for (let i = 0; at !== undefined && i < SCAN; i++) {
      if (matches(filters, at.subject)) return at;
      at = this.#previousLive(at.seq - 1);
    }
    return at === undefined ? undefined : this.#lastOf(filters, at.seq);
  }

  #lastOf(filters: Filters, upTo: number): Stored | undefined {
    const lists = this.#index.matchingSoon(filters, ASKED);
    if (lists === undefined) return this.#searchUpTo(filters, upTo);
    let found = -1;
    for (const list of lists) found = Math.max(found, list.previous(upTo) ?? -1);
    return this.get(found);
  }

  #searchUpTo(filters: Filters, upTo: number): Stored | undefined {
    const needed = filters.map(neededBy);
    for (let i = Math.min(this.#blockAt(upTo), this.#blocks.length - 1); i >= 0; i--) {
      const { base, slots, marks } = this.#blocks[i] as Block;
      if (!needed.some((one) => marks.has(one))) continue;
      for (let slot = Math.min(slots.length - 1, upTo - base); slot >= 0; slot--) {
        const stored = slots[slot];
        if (stored !== undefined && matches(filters, stored.subject)) return stored;
      }
    }
    return undefined;
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
      if ((this.#previousLive(base + slots.length - 1) as Stored).time < time) low = middle + 1;
      else high = middle;
    }
    let at = this.#nextLive(this.#blocks[low]?.base ?? Infinity);
    while (at !== undefined && at.time < time) at = this.#nextLive(at.seq + 1);
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

  #nextLive(from: number): Stored | undefined {
    for (let i = this.#blockAt(from); i < this.#blocks.length; i++) {
      const { base, slots } = this.#blocks[i] as Block;
      for (let slot = Math.max(0, from - base); slot < slots.length; slot++) {
        const stored = slots[slot];
        if (stored !== undefined) return stored;
      }
    }
    return undefined;
  }

  #previousLive(upTo: number): Stored | undefined {
    for (let i = Math.min(this.#blockAt(upTo), this.#blocks.length - 1); i >= 0; i--) {
      const { base, slots } = this.#blocks[i] as Block;
      for (let slot = Math.min(slots.length - 1, upTo - base); slot >= 0; slot--) {
        const stored = slots[slot];
        if (stored !== undefined) return stored;
      }
    }
    return undefined;
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
