// Archive: a stream with its consumers as bytes, for snapshots. A form of its own: what nats-server makes it does not read.
//
//   ISONATS-ARCHIVE 1\n
//   {"created":...,"last":...,"consumers":[...]}\n
//   <seq> <time> <bytes of header> <bytes of data> <subject>\n  header, data        for each message
import { concat, utf8Decoder, utf8Encoder } from "../../lib/bytes.ts";
import type { KeptConsumer } from "./storage.ts";
import type { Store, StoreReader } from "./store.ts";
import { GoError } from "../go-error.ts";

const MAGIC = "ISONATS-ARCHIVE 1";
const LINE_FEED = 10;

interface Head {
  /** when the stream was made, in milliseconds */
  readonly created: number;
  /** sequence of its last message, and when that was stored */
  readonly last: number;
  readonly lastTime: number;
  readonly consumers: readonly KeptConsumer[];
}

export function archive(store: StoreReader, created: number, consumers: readonly KeptConsumer[]): Uint8Array {
  const head: Head = { created, last: store.lastSeq, lastTime: store.lastTime, consumers };
  const parts: Uint8Array[] = [utf8Encoder.encode(`${MAGIC}\n${JSON.stringify(head)}\n`)];
  for (let at = store.next([], 0); at !== undefined; at = store.next([], at.seq + 1)) {
    const { seq, time, header, data, subject } = at;
    parts.push(
      utf8Encoder.encode(`${seq} ${time} ${header.length} ${data.length} ${subject}\n`),
      header,
      data,
    );
  }
  return concat(parts);
}

/** What is in an archive; its messages go into `store`. @throws {Error} where it is none */
export function unarchive(bytes: Uint8Array, makeStore: (created: number) => Store): Head & { store: Store } {
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf(LINE_FEED, at);
    if (end < 0) throw new GoError("unexpected EOF");
    const text = utf8Decoder.decode(bytes.subarray(at, end));
    at = end + 1;
    return text;
  };
  const block = (size: number): Uint8Array => {
    const part = bytes.subarray(at, at + size);
    if (part.length < size) throw new GoError("unexpected EOF");
    at += size;
    return part;
  };
  if (line() !== MAGIC) throw new GoError("corrupt input");
  const head = JSON.parse(line()) as Head;
  const store = makeStore(head.created);
  while (at < bytes.length) {
    const [, seq = "", time = "", header = "", data = "", subject = ""] =
      /^(\d+) ([\d.]+) (\d+) (\d+) (\S+)$/.exec(line()) ?? [];
    if (subject === "" || Number(seq) <= store.lastSeq) throw new GoError("corrupt input");
    skipTo(store, Number(seq) - 1, Number(time));
    store.append(subject, block(Number(header)), block(Number(data)), Number(time));
  }
  skipTo(store, head.last, head.lastTime);
  return { ...head, store };
}

// The sequences up to this one are used up.
function skipTo(store: Store, seq: number, time: number): void {
  if (store.messages === 0 && store.lastSeq < seq) store.removeUpTo(seq, () => {});
  while (store.lastSeq < seq) store.skip(time);
}
