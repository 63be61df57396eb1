// Arena: keeps the bytes of many messages in few large arrays: an array for each would take more room than most payloads. Owned by memory-store.
import { Empty } from "../../lib/bytes.ts";
import type { Stored } from "./stored.ts";

const SLAB = 65_536;
// what is larger has an array of its own
const LARGE = 8192;

interface Slab {
  readonly bytes: Uint8Array;
  used: number;
  /** bytes of those that are not removed */
  live: number;
  readonly held: Kept[];
}

export class Kept implements Stored {
  readonly seq: number;
  readonly subject: string;
  readonly time: number;
  /** where its bytes are; changes when the slab is given up */
  slab: Slab;
  offset: number;
  readonly #headerLength: number;
  /** of header and data */
  readonly length: number;

  constructor(seq: number, subject: string, time: number, slab: Slab, headerLength: number, length: number) {
    this.seq = seq;
    this.subject = subject;
    this.time = time;
    this.slab = slab;
    this.offset = slab.used;
    this.#headerLength = headerLength;
    this.length = length;
  }

  get header(): Uint8Array {
    return this.#headerLength === 0 ? Empty : this.#view(0, this.#headerLength);
  }

  get data(): Uint8Array {
    return this.length === this.#headerLength ? Empty : this.#view(this.#headerLength, this.length);
  }

  #view(from: number, to: number): Uint8Array {
    return this.slab.bytes.subarray(this.offset + from, this.offset + to);
  }
}

export class Arena {
  #slab: Slab = slab(0);

  /** Keep a copy: what comes is a view of what was read. */
  keep(seq: number, subject: string, time: number, header: Uint8Array, data: Uint8Array): Kept {
    const length = header.length + data.length;
    const into = this.#room(length);
    const kept = new Kept(seq, subject, time, into, header.length, length);
    into.bytes.set(header, into.used);
    into.bytes.set(data, into.used + header.length);
    hold(into, kept);
    return kept;
  }

  /** It was removed; those for which `lives` says yes move out of a slab that is nearly empty. */
  free(kept: Kept, lives: (kept: Kept) => boolean): void {
    const from = kept.slab;
    from.live -= kept.length;
    if (from === this.#slab || from.live >= SLAB / 4) return;
    for (const one of from.held.splice(0)) {
      if (!lives(one)) continue;
      const into = this.#room(one.length);
      into.bytes.set(from.bytes.subarray(one.offset, one.offset + one.length), into.used);
      one.slab = into;
      one.offset = into.used;
      hold(into, one);
    }
  }

  #room(length: number): Slab {
    if (length > LARGE) return slab(length);
    if (this.#slab.used + length > this.#slab.bytes.length) this.#slab = slab(SLAB);
    return this.#slab;
  }
}

function slab(size: number): Slab {
  return { bytes: size === 0 ? Empty : new Uint8Array(size), used: 0, live: 0, held: [] };
}

function hold(into: Slab, kept: Kept): void {
  if (kept.length === 0) return;
  into.used += kept.length;
  into.live += kept.length;
  into.held.push(kept);
}
