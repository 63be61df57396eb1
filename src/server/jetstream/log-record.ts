// Log record: what a file store writes down, and reads again. Several stand back to back in a segment.
//
//   <length u32> <crc32 u32> <kind u8> ...      length and checksum are of all that follows them
//   message     <seq f64> <time f64> <subject u32> <header u32>  subject header data
//   skip        <seq f64> <time f64>                             also the beginning of a segment
//   remove      <seq f64>
//   removeUpTo  <seq f64>
import { utf8Decoder, utf8Encoder } from "../../lib/bytes.ts";
import type { Stored } from "./stored.ts";

export type LogRecord =
  | ({ readonly kind: "message" } & Stored)
  | { readonly kind: "skip"; readonly seq: number; readonly time: number }
  | { readonly kind: "remove" | "removeUpTo"; readonly seq: number };

const KINDS = ["message", "skip", "remove", "removeUpTo"] as const;
const HEAD = 8;

/** The bytes of a record. */
export function encodeRecord(record: LogRecord): Uint8Array {
  const subject = record.kind === "message" ? utf8Encoder.encode(record.subject) : undefined;
  const body =
    record.kind === "message"
      ? 25 + (subject as Uint8Array).length + record.header.length + record.data.length
      : record.kind === "skip"
        ? 17
        : 9;
  const bytes = new Uint8Array(HEAD + body);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body);
  view.setUint8(8, KINDS.indexOf(record.kind));
  view.setFloat64(9, record.seq);
  if (record.kind === "message" || record.kind === "skip") view.setFloat64(17, record.time);
  if (record.kind === "message" && subject !== undefined) {
    view.setUint32(25, subject.length);
    view.setUint32(29, record.header.length);
    bytes.set(subject, 33);
    bytes.set(record.header, 33 + subject.length);
    bytes.set(record.data, 33 + subject.length + record.header.length);
  }
  view.setUint32(4, crc32(bytes.subarray(HEAD)));
  return bytes;
}

/** Read a segment. Where what is whole ends: behind it something is torn, or nothing is. */
export function decodeRecords(bytes: Uint8Array, take: (record: LogRecord) => void): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + HEAD < bytes.length) {
    const end = at + HEAD + view.getUint32(at);
    if (end > bytes.length || end < at + HEAD + 9) break;
    if (crc32(bytes.subarray(at + HEAD, end)) !== view.getUint32(at + 4)) break;
    take(decode(bytes, view, at, end));
    at = end;
  }
  return at;
}

function decode(bytes: Uint8Array, view: DataView, at: number, end: number): LogRecord {
  const kind = KINDS[view.getUint8(at + 8)] ?? "skip";
  const seq = view.getFloat64(at + 9);
  if (kind === "remove" || kind === "removeUpTo") return { kind, seq };
  const time = view.getFloat64(at + 17);
  if (kind === "skip") return { kind, seq, time };
  const header = at + 33 + view.getUint32(at + 25);
  const data = header + view.getUint32(at + 29);
  return {
    kind,
    seq,
    time,
    subject: utf8Decoder.decode(bytes.subarray(at + 33, header)),
    header: bytes.subarray(header, data),
    data: bytes.subarray(data, end),
  };
}

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    crc = (TABLE[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
