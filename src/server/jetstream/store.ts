// Store: the messages of one stream, by sequence and by subject. The memory store and the file store are such stores.
import type { Filters, Stored } from "./stored.ts";

/** What a reader of a stream asks its messages for. */
export interface StoreReader {
  /** how many there are */
  readonly messages: number;
  /** as the accounting of the declared storage counts them */
  readonly bytes: number;
  /** sequence of the first; one more than the last where there is none; 0 where none was ever used up */
  readonly firstSeq: number;
  /** sequence of the last that was ever given */
  readonly lastSeq: number;
  /** 0 where there is none */
  readonly firstTime: number;
  /** when the last was stored, also when it is gone; 0 where there was none */
  readonly lastTime: number;
  /** different subjects */
  readonly subjectCount: number;

  get(seq: number): Stored | undefined;
  /** the first that matches, at or behind `from` */
  next(filters: Filters, from: number): Stored | undefined;
  /** the last that matches, at or before `upTo` (default: the end) */
  last(filters: Filters, upTo?: number): Stored | undefined;
  /** how many match, at or behind `from` */
  count(filters: Filters, from: number): number;
  /** sequence of the last of each subject that matches, at or before `upTo` (default: the end), ascending */
  lastOfEach(filters: Filters, upTo?: number): number[];
  /** the first sequence that was stored at or after `time`; one behind the end where there is none */
  seqAt(time: number): number;
  /** the subjects that match and how many each has, sorted by their bytes */
  subjects(filter: string): Map<string, number>;
  /** how many of exactly this subject there are */
  countOf(subject: string): number;
  /** sequences that are missing between the first and the last, ascending */
  deleted(): number[];
}

/** What its stream does to it. What goes is handed to `gone` one by one. */
export interface Store extends StoreReader {
  /** the bytes that a message would count */
  size(subject: string, header: Uint8Array, data: Uint8Array): number;
  /** Keep a message. Its sequence is the one behind the last. */
  append(subject: string, header: Uint8Array, data: Uint8Array, time: number): Stored;
  /** Use up sequences without messages: the next one, or all up to `upTo`. */
  skip(time: number, upTo?: number): void;
  remove(seq: number): Stored | undefined;
  /** All at and before `seq` go, whether there are messages or not: the first is `seq + 1` at least. */
  removeUpTo(seq: number, gone: (message: Stored) => void): number;
  /** end, keeping what a file has */
  close(): Promise<void>;
  /** end, leaving nothing */
  destroy(): Promise<void>;
}
