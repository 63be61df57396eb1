// Decoder: cuts a peer's bytes, in any pieces, into whole operations; a Role says which operations there are.
//
//   bytes --> lines, split into fields at blanks --> Role.line --> done | unknown | a payload follows
//                                                                                   '--> Role.payload
//
// Op names are case-insensitive, lines end in LF or CRLF, and a payload is as long as its size says, then CRLF. A frame
// that arrived whole is read in place, without a copy: only what a chunk boundary cuts goes through `carry`.
import { ProtocolError } from "../errors.ts";
import { decodeText } from "../lib/bytes.ts";

/**
 * Why a {@link Decoder} gave up: its fatal error's `limit` says which limit was passed, or that the arguments of an operation
 * it knows are wrong; it has none where there is no such operation.
 */
export type DecoderLimit = "control line" | "payload" | "header" | "arguments";

/** A peer's bytes are not the protocol. Code `PROTOCOL`, or `MAX_PAYLOAD` where a size is over the limit. */
export class DecodeError extends ProtocolError {
  declare readonly limit?: DecoderLimit;
  constructor(message: string, limit?: DecoderLimit) {
    super(message, {}, limit === "payload" ? "MAX_PAYLOAD" : "PROTOCOL");
    if (limit !== undefined) this.limit = limit;
  }
}

/** An operation that a {@link Role} does not know. */
export const UNKNOWN = 0;
/** An operation that was a line, and is done. */
export const DONE = 1;
/** An operation whose last field is the size of the payload that follows. */
export const PAYLOAD = 2;
/** The same with a size of headers before it: they are the beginning of what follows. */
export const HEADERS = 3;
export type Kind = typeof UNKNOWN | typeof DONE | typeof PAYLOAD | typeof HEADERS;

/** One side of the protocol: which operations it reads, and what becomes of them. */
export interface Role {
  /** bytes that one control line may have */
  readonly maxControlLine: number;
  /** bytes that header block and payload may have together */
  readonly maxPayload: number;
  /** the ops in lower case; a blank at the end where fields must follow */
  readonly ops: readonly string[];
  /** what the line is; ops without a payload are handled here */
  line(line: Line): Kind;
  /** an operation came with its payload, in `line.bytes`; `header` is where its headers begin, `data` where they end */
  payload(line: Line, header: number, data: number, end: number): void;
}

const MAX_FIELDS = 6;

/** The control line that is being read, as offsets in `bytes`. One object serves all lines. */
export class Line {
  bytes!: Uint8Array;
  /** start and end of each field */
  readonly fields: Int32Array = new Int32Array(2 * MAX_FIELDS);
  /** how many there are, also those beyond the six that are kept */
  count = 0;

  start(field: number): number {
    return this.fields[2 * field] as number;
  }

  end(field: number): number {
    return this.fields[2 * field + 1] as number;
  }

  text(field: number): string {
    return decodeText(this.bytes, this.start(field), this.end(field));
  }

  /** The number that a field of digits is. */
  number(field: number): number {
    const { bytes } = this;
    const end = this.end(field);
    let value = 0;
    for (let i = this.start(field); i < end; i++) value = value * 10 + (bytes[i] as number) - 48;
    return value;
  }

  /** Is it this op? `word` is in lower case; of PING and PONG servers read only the beginning, hence `exact`. */
  is(word: string, exact = true): boolean {
    const length = this.end(0) - this.start(0);
    return (
      (exact ? length === word.length : length >= word.length) && matches(this.bytes, this.start(0), word)
    );
  }
}

const LF = 10;
const CR = 13;

/** Decodes one stream. After it threw, the stream is dead: `push` throws the same error again. */
export class Decoder {
  readonly #role: Role;
  readonly #line = new Line();
  // what a chunk boundary cut: the start of one frame
  #carry: Uint8Array | undefined;
  #carried = 0;
  // bytes that the carried frame has in all; 0 while its control line is incomplete
  #frame = 0;
  #dead: unknown;

  constructor(role: Role) {
    this.#role = role;
  }

  /**
   * Decode a chunk, calling the sink for each complete operation. The chunk must not change afterwards: messages refer to it.
   * @throws {DecodeError} PROTOCOL, MAX_PAYLOAD
   */
  push(chunk: Uint8Array): void {
    if (this.#dead !== undefined) throw this.#dead;
    try {
      let at = 0;
      if (this.#carry !== undefined) {
        at = this.#resume(chunk);
        if (at < 0) return;
      }
      const length = chunk.length;
      while (at < length) {
        const next = this.#read(chunk, at, length);
        if (next < 0) {
          this.#keep(chunk, at, -next - 1);
          return;
        }
        at = next;
      }
    } catch (error) {
      this.#carry = undefined;
      this.#dead = error;
      throw error;
    }
  }

  // Begin to carry chunk[at..]; frame is its whole length, 0 when unknown.
  #keep(chunk: Uint8Array, at: number, frame: number): void {
    const rest = chunk.length - at;
    if (frame === 0) this.#checkLine(rest);
    // an absurd size costs nothing until its bytes come
    this.#carry = new Uint8Array(
      frame === 0 ? Math.max(256, rest * 2) : Math.min(frame, Math.max(1 << 20, rest)),
    );
    this.#carry.set(at === 0 ? chunk : chunk.subarray(at), 0);
    this.#carried = rest;
    this.#frame = frame;
  }

  // Complete the carried frame from the chunk; the offset after it, or -1 when the chunk was not enough.
  #resume(chunk: Uint8Array): number {
    let at = 0;
    if (this.#frame === 0) {
      const lf = chunk.indexOf(LF);
      at = lf < 0 ? chunk.length : lf + 1;
      this.#append(chunk, 0, at);
      if (lf < 0) {
        this.#checkLine(this.#carried);
        return -1;
      }
      const next = this.#read(this.#carry as Uint8Array, 0, this.#carried);
      if (next >= 0) {
        this.#carry = undefined;
        return at;
      }
      this.#frame = -next - 1;
    }
    const take = Math.min(this.#frame - this.#carried, chunk.length - at);
    this.#append(chunk, at, at + take);
    if (this.#carried < this.#frame) return -1;
    const carry = this.#carry as Uint8Array;
    this.#carry = undefined;
    this.#read(carry, 0, this.#frame);
    return at + take;
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    let carry = this.#carry as Uint8Array;
    const need = this.#carried + end - start;
    if (need > carry.length) {
      const size = Math.max(need, carry.length * 2, Math.min(this.#frame, 1 << 20));
      const grown = new Uint8Array(this.#frame > 0 ? Math.min(size, this.#frame) : size);
      grown.set(carry.subarray(0, this.#carried));
      this.#carry = carry = grown;
    }
    carry.set(chunk.subarray(start, end), this.#carried);
    this.#carried = need;
  }

  #checkLine(length: number): void {
    const { maxControlLine } = this.#role;
    if (length > maxControlLine + 16) {
      throw new DecodeError(
        `control line of more than ${maxControlLine} bytes: raise maxControlLine if that is what the peer means`,
        "control line",
      );
    }
  }

  // Read one frame at `at`. The offset after it; or, when `end` cuts it, -(1 + its length), the length 0 if unknown.
  #read(bytes: Uint8Array, at: number, end: number): number {
    const { fields } = this.#line;
    let count = 0;
    let i = at;
    let byte = 0;
    // fields of a line: blanks collapse, so "MSG a 1  2" has four
    for (; i < end; i++) {
      byte = bytes[i] as number;
      if (byte > 32 || !isBlank(byte)) {
        const start = i;
        // the argument of these may hold blanks: it is one field
        if (count === 1 && isText(bytes[fields[0] as number] as number)) {
          i = bytes.indexOf(LF, i);
          if (i < 0) i = end;
          else {
            byte = LF;
            fields[2] = start;
            fields[3] = trimEnd(bytes, start, i);
            count = 2;
          }
          break;
        }
        do byte = bytes[++i] as number;
        while (i < end && (byte > 32 || !isBlank(byte)));
        if (count < MAX_FIELDS) {
          fields[2 * count] = start;
          fields[2 * count + 1] = i;
        }
        count++;
        if (i >= end) break;
      }
      if (byte === LF) break;
      if (byte === CR && i + 1 < end && bytes[i + 1] !== LF) throw malformed(bytes, at, end);
    }
    if (byte !== LF || i >= end) {
      // garbage is known by its first bytes: don't wait for a line that never ends
      if (count > 0) this.#checkOp(bytes, fields[0] as number, end);
      return -1;
    }
    const lineEnd = i + 1;
    this.#checkLine(lineEnd - at);
    this.#line.bytes = bytes;
    this.#line.count = count;
    const kind = count > 0 ? this.#role.line(this.#line) : UNKNOWN;
    if (kind === UNKNOWN) throw malformed(bytes, at, lineEnd);
    return kind === DONE ? lineEnd : this.#payload(at, lineEnd, end, kind === HEADERS);
  }

  // The last one or two fields are sizes, the payload follows the line.
  #payload(at: number, lineEnd: number, end: number, withHeaders: boolean): number {
    const line = this.#line;
    const { bytes, count } = line;
    const total = size(line, count - 1);
    let header = 0;
    if (withHeaders) {
      header = size(line, count - 2);
      if (header > total) {
        throw new DecodeError(`header of ${header} bytes in a message of ${total}`, "header");
      }
    }
    const { maxPayload } = this.#role;
    if (total > maxPayload) {
      throw new DecodeError(`message of ${total} bytes where ${maxPayload} are allowed`, "payload");
    }
    const dataEnd = lineEnd + total;
    const next = dataEnd + 2;
    if (next > end) return -(1 + next - at);
    if (bytes[dataEnd] !== CR || bytes[dataEnd + 1] !== LF) {
      throw new DecodeError(`payload is not followed by CRLF: ${snippet(bytes, at, lineEnd)}`);
    }
    this.#role.payload(line, lineEnd, lineEnd + header, dataEnd);
    return next;
  }

  #checkOp(bytes: Uint8Array, op: number, end: number): void {
    for (const word of this.#role.ops) {
      if (matches(bytes, op, word.slice(0, end - op))) return;
    }
    throw malformed(bytes, op, end);
  }
}

function isBlank(byte: number): boolean {
  return byte === 32 || byte === LF || byte === CR || byte === 9;
}

// INFO, CONNECT and -ERR carry text
function isText(first: number): boolean {
  return (first | 32) === 0x69 || (first | 32) === 0x63 || first === 0x2d;
}

function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && (bytes[end - 1] as number) <= 32) end--;
  return end;
}

// C-PROTO-7: decimal, at most 9 digits
function size({ bytes, fields }: Line, field: number): number {
  const start = fields[2 * field] as number;
  const end = fields[2 * field + 1] as number;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 48;
    if (digit < 0 || digit > 9 || end - start > 9) {
      throw new DecodeError(`'${snippet(bytes, start, end)}' is not a size`, "arguments");
    }
    value = value * 10 + digit;
  }
  return value;
}

// op names, compared without case; `word` is in lower case, its blank stands for a tab too
function matches(bytes: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[at + i] as number;
    const want = word.charCodeAt(i);
    if (byte !== want && (byte | 32) !== want && !(want === 32 && byte === 9)) return false;
  }
  return true;
}

function malformed(bytes: Uint8Array, start: number, end: number): DecodeError {
  return new DecodeError(`not a protocol line: ${snippet(bytes, start, end)}`);
}

// the beginning of a line, not its fields: they may hold what is private
function snippet(bytes: Uint8Array, start: number, end: number): string {
  return JSON.stringify(decodeText(bytes, start, Math.min(end, start + 24)));
}
