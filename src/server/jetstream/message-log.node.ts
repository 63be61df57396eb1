// Message log: the files in which a file store writes down what happens. They are only ever added to. Owned by file-store.
//
//   generation           which files count; a rewrite makes the next
//   3-0.log 3-1.log ...  the segments, in order; the last is written to
//
// What was written is there when the process is killed: the system has it. A record that was cut short is left out.
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { concat } from "../../lib/bytes.ts";
import { decodeRecords, encodeRecord, type LogRecord } from "./log-record.ts";
import { replaceFile } from "./replace-file.node.ts";

const SEGMENT = 8 << 20;
// bytes that wait for a flush at most
const WAITING = 1 << 20;
const GENERATION = "generation";

interface Segment {
  readonly path: string;
  /** its messages have no lesser sequence */
  readonly from: number;
  size: number;
}

/** Where the log is when a segment begins. */
export interface LogPosition {
  readonly lastSeq: number;
  readonly lastTime: number;
}

export class MessageLog {
  readonly #dir: string;
  #generation = 0;
  /** number of the next segment */
  #number = 0;
  #segments: Segment[] = [];
  #size = 0;
  #file: number | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** how large the files are */
  get size(): number {
    return this.#size;
  }

  /** Read what there is, and go on behind it. */
  open(take: (record: LogRecord) => void): void {
    mkdirSync(this.#dir, { recursive: true });
    const names = readdirSync(this.#dir);
    if (names.includes(GENERATION)) {
      this.#generation = Number(readFileSync(join(this.#dir, GENERATION), "utf8"));
    }
    const numbers: number[] = [];
    for (const name of names) {
      const [, generation, number] = /^(\d+)-(\d+)\.log$/.exec(name) ?? [];
      if (number === undefined) continue;
      if (Number(generation) === this.#generation) numbers.push(Number(number));
      // a rewrite that did not come to its end, or was not cleaned up behind
      else rmSync(join(this.#dir, name));
    }
    numbers.sort((a, b) => a - b);
    for (const number of numbers) this.#read(number, take, number === numbers.at(-1));
    const last = this.#segments.at(-1);
    if (last !== undefined) this.#file = openSync(last.path, "a");
  }

  // What is torn at the end of the last is cut off: it was never confirmed.
  #read(number: number, take: (record: LogRecord) => void, last: boolean): void {
    const path = this.#path(number);
    const bytes = readFileSync(path);
    let from: number | undefined;
    const size = decodeRecords(bytes, (record) => {
      from ??= record.seq + 1;
      take(record);
    });
    if (last && size < bytes.length) truncateSync(path, size);
    this.#number = number + 1;
    if (from === undefined) rmSync(path);
    else {
      this.#segments.push({ path, from, size });
      this.#size += size;
    }
  }

  #path(number: number): string {
    return join(this.#dir, `${this.#generation}-${number}.log`);
  }

  /** Write it down at the next flush. `before`: where the log is without it. */
  add(record: LogRecord, before: LogPosition): void {
    const bytes = encodeRecord(record);
    const last = this.#segments.at(-1);
    if (last === undefined || last.size + bytes.length > SEGMENT) this.#begin(before);
    this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    (this.#segments.at(-1) as Segment).size += bytes.length;
    this.#size += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > WAITING) this.flush();
  }

  #begin({ lastSeq, lastTime }: LogPosition): void {
    this.#end();
    const path = this.#path(this.#number++);
    this.#file = openSync(path, "a");
    this.#segments.push({ path, from: lastSeq + 1, size: 0 });
    this.#put(encodeRecord({ kind: "skip", seq: lastSeq, time: lastTime }));
  }

  /** Give what waits to the system. @throws what the file system says */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const bytes = this.#waiting.length === 1 ? (this.#waiting[0] as Uint8Array) : concat(this.#waiting);
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#file as number, bytes, written);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** No message before `seq` is left: segments that have only such go. */
  dropBefore(seq: number): void {
    for (let next = this.#segments[1]; next !== undefined && next.from <= seq; next = this.#segments[1]) {
      const { path, size } = this.#segments.shift() as Segment;
      this.#size -= size;
      rmSync(path);
    }
  }

  /** Write down anew what is left, and forget all else. */
  rewrite(records: Iterable<LogRecord>, position: LogPosition): void {
    const old = this.#segments;
    this.#generation++;
    this.#number = 0;
    this.#segments = [];
    this.#size = 0;
    let lastSeq = 0;
    for (const record of records) {
      this.add(record, { lastSeq, lastTime: 0 });
      lastSeq = record.seq;
    }
    this.add({ kind: "skip", seq: position.lastSeq, time: position.lastTime }, { lastSeq, lastTime: 0 });
    this.flush();
    replaceFile(join(this.#dir, GENERATION), `${this.#generation}`);
    for (const { path } of old) rmSync(path);
  }

  #end(): void {
    this.flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  close(): void {
    this.#end();
  }
}
