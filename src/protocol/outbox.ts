// Outbox: encodes operations back to back and keeps them, whole, until a link takes them. Owned by client/session.
//
//   arena   |#########|=======|.............|      # taken by the link   = encoded, open   . free
//                     ^start  ^at
//   chunks  [bytes][bytes]                         sealed: full arenas and messages with a buffer of their own
//
// An arena is sliced, never written twice, so the link may keep what it took; where it says that this is gone, the arena
// begins again: fresh memory costs more than the copying. Control operations (SUB, UNSUB, PING) are
// remembered by position: after a disconnect only the messages are worth sending again.
import { InvalidArgumentError } from "../errors.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import type { MsgHdrsImpl } from "./headers.ts";
import { validatePublishSubject } from "./subject.ts";

/** Encoded operations that belong together. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** how many messages are in it */
  readonly messages: number;
  /** start and end of each control operation in `bytes` */
  readonly controls: readonly number[];
  /** the arena it is the end of */
  readonly arena?: Uint8Array | undefined;
}

const MIN_ARENA = 4096;
const MAX_ARENA = 1048576;
// arenas of the largest size kept for later
const KEPT = 2;
const NO_BYTES = new Uint8Array(0);
const NO_CONTROLS: readonly number[] = [];
// copying byte by byte beats a call into the runtime up to about here (bench/micro)
const SHORT = 40;

/** Encodes and queues what goes to the server. */
export class Outbox {
  /** bytes encoded and not yet taken */
  bytes = 0;
  /** messages encoded and not yet taken */
  messages = 0;
  /** payload and header bytes of the message encoded last */
  lastSize = 0;

  #arena: Uint8Array = NO_BYTES;
  #start = 0;
  #at = 0;
  #openMessages = 0;
  #openControls: number[] = [];
  #chunks: Chunk[] = [];
  // arenas to fill next: a few of the largest size
  readonly #free: Uint8Array[] = [];

  /**
   * Encode one message: PUB, or HPUB where there are headers.
   * `maxPayload` is the server's limit; 0 or less means none.
   * @throws {NatsError} INVALID_SUBJECT, INVALID_ARGUMENT, MAX_PAYLOAD; the outbox is as it was then
   */
  message(
    subject: string,
    reply: string | undefined,
    headers: MsgHdrsImpl | undefined,
    payload: Uint8Array | string | undefined,
    maxPayload: number,
  ): void {
    if (typeof subject !== "string" || (reply !== undefined && typeof reply !== "string")) {
      validatePublishSubject(typeof subject !== "string" ? subject : reply);
    }
    let text: string | undefined;
    let body: Uint8Array | undefined;
    let size = 0;
    if (typeof payload === "string") {
      // taken for ASCII until it is written
      text = payload;
      size = payload.length;
    } else if (payload !== undefined) {
      if (!(payload instanceof Uint8Array)) throw notAPayload(payload);
      body = payload;
      size = payload.length;
    }
    const headerSize = headers === undefined ? 0 : headers.encodedLength();
    const total = size + headerSize;
    if (maxPayload > 0 && total > maxPayload) {
      if (text !== undefined)
        return this.message(subject, reply, headers, utf8Encoder.encode(text), maxPayload);
      throw new InvalidArgumentError(
        `message of ${total} bytes to '${subject}' where the server takes ${maxPayload} (max_payload): send less, or raise the server's limit`,
        { subject },
        "MAX_PAYLOAD",
      );
    }
    // 32: op, blanks, sizes, line ends
    let at = this.#reserve(32 + 3 * subject.length + (reply === undefined ? 0 : 3 * reply.length) + total);
    const bytes = this.#arena;
    const begin = at;
    if (headers !== undefined) bytes[at++] = 0x48; // H
    bytes[at] = 0x50; // P
    bytes[at + 1] = 0x55; // U
    bytes[at + 2] = 0x42; // B
    bytes[at + 3] = 0x20;
    at = writeSubject(bytes, at + 4, subject);
    if (reply !== undefined) {
      at = writeSubject(bytes, at, reply);
    }
    if (headers !== undefined) {
      at = writeNumber(bytes, at, headerSize);
      bytes[at++] = 0x20;
    }
    at = writeNumber(bytes, at, total);
    bytes[at] = 0x0d;
    bytes[at + 1] = 0x0a;
    at += 2;
    if (headers !== undefined) at = headers.encodeInto(bytes, at);
    if (text !== undefined) {
      if (!writeAscii(bytes, at, text)) {
        // nothing has moved on yet: once more, with its bytes
        return this.message(subject, reply, headers, utf8Encoder.encode(text), maxPayload);
      }
    } else if (body !== undefined) {
      if (size <= SHORT) for (let i = 0; i < size; i++) bytes[at + i] = body[i] as number;
      else bytes.set(body, at);
    }
    at += size;
    bytes[at] = 0x0d;
    bytes[at + 1] = 0x0a;
    this.#at = at + 2;
    this.bytes += at + 2 - begin;
    this.messages++;
    this.#openMessages++;
    this.lastSize = total;
  }

  /** Encode a control operation: one or more whole lines with their line ends. */
  control(line: string): void {
    const at = this.#reserve(3 * line.length);
    const end = at + utf8Encoder.encodeInto(line, this.#arena.subarray(at)).written;
    this.#openControls.push(at - this.#start, end - this.#start);
    this.#at = end;
    this.bytes += end - at;
  }

  /** Take everything, oldest first. */
  take(): Chunk[] {
    this.#seal();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.bytes = 0;
    this.messages = 0;
    return chunks;
  }

  /** Take up to about `bytes`, oldest first; at least one chunk where there is any. */
  takeSome(bytes: number): Chunk[] {
    if (this.bytes <= bytes) return this.take();
    this.#seal();
    let count = 0;
    let taken = 0;
    for (const chunk of this.#chunks) {
      if (count > 0 && taken + chunk.bytes.length > bytes) break;
      taken += chunk.bytes.length;
      this.messages -= chunk.messages;
      count++;
    }
    this.bytes -= taken;
    return this.#chunks.splice(0, count);
  }

  /** These chunks and all before them are gone: the arenas that ended with them may be written again. */
  reuse(gone: readonly Chunk[]): void {
    for (const { arena } of gone) {
      if (arena?.length === MAX_ARENA && this.#free.length < KEPT) this.#free.push(arena);
    }
  }

  /** Everything that was taken is gone: the open arena is written again from its beginning, unless something waits in it. */
  rewind(): void {
    if (this.bytes > 0) return;
    this.#start = this.#at = 0;
    // what one large message needed is not kept
    if (this.#arena.length > MAX_ARENA) this.#arena = NO_BYTES;
  }

  /** Put back, in front, the messages of chunks that were taken but never sent, and forget all control operations. */
  restore(unsent: readonly Chunk[]): void {
    const chunks = [...unsent, ...this.take()].map(messagesOf).filter((chunk) => chunk.messages > 0);
    this.#chunks = chunks;
    for (const chunk of chunks) {
      this.bytes += chunk.bytes.length;
      this.messages += chunk.messages;
    }
  }

  // Room for `size` bytes in the arena; the offset to write at.
  #reserve(size: number): number {
    if (this.#at + size > this.#arena.length) {
      this.#seal(this.#arena);
      // arenas grow while several are filled between two takes
      const factor = this.#chunks.length > 0 ? 2 : 1;
      const grown = Math.min(MAX_ARENA, Math.max(MIN_ARENA, this.#arena.length * factor));
      this.#arena =
        (size <= MAX_ARENA ? this.#free.pop() : undefined) ?? new Uint8Array(Math.max(size, grown));
      this.#start = this.#at = 0;
    }
    return this.#at;
  }

  #seal(arena?: Uint8Array): void {
    if (this.#at === this.#start) return;
    this.#chunks.push({
      bytes: this.#arena.subarray(this.#start, this.#at),
      messages: this.#openMessages,
      controls: this.#openControls.length === 0 ? NO_CONTROLS : this.#openControls,
      arena,
    });
    if (this.#openControls.length > 0) this.#openControls = [];
    this.#openMessages = 0;
    this.#start = this.#at;
  }
}

function messagesOf(chunk: Chunk): Chunk {
  const { bytes, controls, messages } = chunk;
  if (controls.length === 0) return chunk;
  const kept = new Uint8Array(bytes.length);
  let at = 0;
  let from = 0;
  for (let i = 0; i < controls.length; i += 2) {
    kept.set(bytes.subarray(from, controls[i]), at);
    at += (controls[i] as number) - from;
    from = controls[i + 1] as number;
  }
  kept.set(bytes.subarray(from), at);
  return { bytes: kept.subarray(0, at + bytes.length - from), messages, controls: NO_CONTROLS };
}

// Writes text that is ASCII; false when it was not.
function writeAscii(bytes: Uint8Array, at: number, text: string): boolean {
  const { length } = text;
  // what is not ASCII has more bytes than it has characters
  if (length > SHORT) return utf8Encoder.encodeInto(text, bytes.subarray(at, at + length)).read === length;
  let all = 0;
  for (let i = 0; i < length; i++) {
    const char = text.charCodeAt(i);
    bytes[at + i] = char;
    all |= char;
  }
  return all < 128;
}

// Writes the subject and a blank, checking it on the way; what is unusual goes to the full check.
function writeSubject(bytes: Uint8Array, at: number, subject: string): number {
  const begin = at;
  const length = subject.length;
  let previous = 0x2e;
  for (let i = 0; i < length; i++) {
    const char = subject.charCodeAt(i);
    if (char <= 32 || char >= 127 || char === 0x2a || char === 0x3e || (char === 0x2e && previous === 0x2e)) {
      return writeUnusualSubject(bytes, begin, subject);
    }
    bytes[at++] = previous = char;
  }
  if (previous === 0x2e) return writeUnusualSubject(bytes, begin, subject);
  bytes[at] = 0x20;
  return at + 1;
}

function writeUnusualSubject(bytes: Uint8Array, at: number, subject: string): number {
  validatePublishSubject(subject);
  at += utf8Encoder.encodeInto(subject, bytes.subarray(at)).written;
  bytes[at] = 0x20;
  return at + 1;
}

function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    bytes[at] = 48 + value;
    return at + 1;
  }
  let end = at + 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) end++;
  for (let i = end - 1, rest = value; i >= at; i--) {
    const tens = (rest / 10) | 0;
    bytes[i] = 48 + rest - tens * 10;
    rest = tens;
  }
  return end;
}

function notAPayload(payload: unknown): InvalidArgumentError {
  const kind = payload === null ? "null" : ((payload as object).constructor?.name ?? typeof payload);
  return new InvalidArgumentError(
    `a payload is a Uint8Array or a string, not ${kind}: encode it first, for example with JSON.stringify`,
  );
}
