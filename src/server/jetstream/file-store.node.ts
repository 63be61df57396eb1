// FileStore: a memory store that writes down what happens to it, and is the same again when it is opened.
import type { LogRecord } from "./log-record.ts";
import { MemoryStore } from "./memory-store.ts";
import { MessageLog } from "./message-log.node.ts";
import { refuse } from "./refusal.ts";
import type { Stored } from "./stored.ts";

// what the files may have of messages that are gone, beside as much again as of those that are there
const SLACK = 16 << 20;

/** What a store tells those who keep it. */
export interface FileStoreEvents {
  /** something waits for a flush */
  dirty(store: FileStore): void;
  /** its files are to go */
  destroyed(store: FileStore): void;
}

export class FileStore extends MemoryStore {
  readonly #log: MessageLog;
  readonly #events: FileStoreEvents;
  /** bytes of the records of the messages that are there */
  #live = 0;
  // what happens is not written down, because all of it is
  #quiet = true;
  #failed = false;

  /** Opens what is in the directory, or begins there. */
  constructor(dir: string, firstSeq: number | undefined, events: FileStoreEvents) {
    super("file", firstSeq);
    this.#log = new MessageLog(dir);
    this.#events = events;
    this.#log.open((record) => this.#replay(record));
    this.#quiet = false;
  }

  #replay(record: LogRecord): void {
    const { seq } = record;
    if (record.kind === "message") {
      this.#reach(seq - 1, record.time);
      if (seq === this.lastSeq + 1) this.append(record.subject, record.header, record.data, record.time);
    } else if (record.kind === "skip") this.#reach(seq, record.time);
    else if (record.kind === "remove") this.remove(seq);
    else this.removeUpTo(seq, () => {});
  }

  // The sequences up to this one are used up. The beginning of a segment may not know the time.
  #reach(seq: number, time: number): void {
    if (seq > this.lastSeq) super.skip(time === 0 ? this.lastTime : time, seq);
  }

  /** @throws {Refusal} 10023 when the disk has failed */
  override append(subject: string, header: Uint8Array, data: Uint8Array, time: number): Stored {
    if (this.#failed) refuse(10023);
    this.#note({ kind: "message", seq: this.lastSeq + 1, subject, header, data, time });
    this.#live += this.size(subject, header, data);
    return super.append(subject, header, data, time);
  }

  override skip(time: number, upTo: number = this.lastSeq + 1): void {
    this.#note({ kind: "skip", seq: upTo, time });
    super.skip(time, upTo);
  }

  override remove(seq: number): ReturnType<MemoryStore["remove"]> {
    const removed = super.remove(seq);
    if (removed === undefined) return undefined;
    this.#live -= this.size(removed.subject, removed.header, removed.data);
    this.#note({ kind: "remove", seq });
    return removed;
  }

  override removeUpTo(seq: number, gone: (message: Stored) => void): number {
    this.#note({ kind: "removeUpTo", seq });
    const quiet = this.#quiet;
    this.#quiet = true;
    const count = super.removeUpTo(seq, gone);
    this.#quiet = quiet;
    return count;
  }

  #note(record: LogRecord): void {
    if (this.#quiet || this.#failed) return;
    this.#log.add(record, this);
    this.#events.dirty(this);
  }

  /** What happened is safe when this returns. @throws what the file system says; the store takes no more then */
  flush(): void {
    if (this.#failed) return;
    try {
      this.#log.flush();
      this.#log.dropBefore(this.firstSeq);
      if (this.#log.size > 2 * this.#live + SLACK) this.#log.rewrite(this.#records(), this);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  *#records(): Iterable<LogRecord> {
    for (let at = this.next([], 0); at !== undefined; at = this.next([], at.seq + 1)) {
      const { seq, subject, header, data, time } = at;
      yield { kind: "message", seq, subject, header, data, time };
    }
  }

  override async close(): Promise<void> {
    this.flush();
    this.#log.close();
  }

  override async destroy(): Promise<void> {
    this.#quiet = true;
    this.#log.close();
    this.#events.destroyed(this);
  }
}
