// Decoder: turns bytes from a peer, in any pieces, into protocol operations. Used by client/link and by the server role.
//
// The grammar; fields are separated by blanks, op names are case-insensitive, lines end in LF or CRLF:
//
//   client role reads                                   server role reads
//     INFO <json>                                         CONNECT <json>
//     MSG  <subject> <sid> [reply] <size>                 PUB  <subject> [reply] <size>
//     HMSG <subject> <sid> [reply] <header> <size>        HPUB <subject> [reply] <header> <size>
//     PING | PONG | +OK | -ERR '<text>'                   SUB <subject> [queue] <sid> | UNSUB <sid> [max]
//                                                         PING | PONG | INFO <json> | +OK
//
// It is longer than its neighbours because the whole grammar is here, and because a frame that arrived whole is read
// in place, without a copy: only what a chunk boundary cuts goes through `carry`.
import { ProtocolError } from "../errors.ts";
import { decodeText } from "../lib/bytes.ts";

/** How much of anything a peer may send. */
export interface DecoderLimits {
  /** bytes of one control line. Default 1 MiB for the client role (INFO of large clusters), 4096 for the server's. */
  maxControlLine?: number;
  /** bytes of header block and payload together. Default 64 MiB. */
  maxPayload?: number;
}

/** Called for each operation of the client role. Positions are offsets in `bytes`; equal start and end mean absent. */
export interface ClientSink {
  onMsg(
    bytes: Uint8Array,
    sid: number,
    subjectStart: number,
    subjectEnd: number,
    replyStart: number,
    replyEnd: number,
    headerStart: number,
    dataStart: number,
    dataEnd: number,
  ): void;
  onInfo(json: string): void;
  onErr(text: string): void;
  onPing(): void;
  onPong(): void;
}

/** Called for each operation of the server role. `sizes` is the text of the size fields, as the peer wrote it. */
export interface ServerSink {
  onPub(
    bytes: Uint8Array,
    subjectStart: number,
    subjectEnd: number,
    replyStart: number,
    replyEnd: number,
    headerStart: number,
    dataStart: number,
    dataEnd: number,
    sizes: string,
  ): void;
  onConnect(json: string): void;
  onSub(subject: string, queue: string, sid: string): void;
  onUnsub(sid: string, max: string): void;
  onPing(): void;
  onPong(): void;
}

/** Why a {@link Decoder} gave up: its fatal error's `limit` says which limit was passed, if it was one. */
export type DecoderLimit = "control line" | "payload" | "header";

/** A peer's bytes are not the protocol. Code `PROTOCOL`, or `MAX_PAYLOAD` where a size is over the limit. */
export class DecodeError extends ProtocolError {
  declare readonly limit?: DecoderLimit;
  constructor(message: string, limit?: DecoderLimit) {
    super(message, {}, limit === "payload" ? "MAX_PAYLOAD" : "PROTOCOL");
    if (limit !== undefined) Object.defineProperty(this, "limit", { value: limit, enumerable: true });
  }
}

const MAX_FIELDS = 6;
const CLIENT_OPS = ["msg ", "hmsg ", "ping", "pong", "info", "+ok", "-err"];
const SERVER_OPS = ["pub ", "hpub ", "sub ", "unsub ", "ping", "pong", "connect", "info", "+ok"];
const LF = 10;
const CR = 13;

/** Decodes one stream. After it threw, the stream is dead: `push` throws the same error again. */
export class Decoder {
  readonly #client: ClientSink | undefined;
  readonly #server: ServerSink | undefined;
  #maxControlLine: number;
  #maxPayload: number;
  // what a chunk boundary cut: the start of one frame
  #carry: Uint8Array | undefined;
  #carried = 0;
  // bytes that the carried frame has in all; 0 while its control line is incomplete
  #frame = 0;
  #dead: unknown;
  // the fields of the line being read: start and end of each
  readonly #fields = new Int32Array(2 * MAX_FIELDS);
  #fieldCount = 0;

  constructor(role: "client", sink: ClientSink, limits?: DecoderLimits);
  constructor(role: "server", sink: ServerSink, limits?: DecoderLimits);
  constructor(role: "client" | "server", sink: ClientSink | ServerSink, limits: DecoderLimits = {}) {
    this.#client = role === "client" ? (sink as ClientSink) : undefined;
    this.#server = role === "server" ? (sink as ServerSink) : undefined;
    this.#maxControlLine = limits.maxControlLine ?? (role === "client" ? 1 << 20 : 4096);
    this.#maxPayload = limits.maxPayload ?? 1 << 26;
  }

  /** Change the limits for what follows. */
  limit(limits: DecoderLimits): void {
    this.#maxControlLine = limits.maxControlLine ?? this.#maxControlLine;
    this.#maxPayload = limits.maxPayload ?? this.#maxPayload;
  }

  /** True between frames: nothing of an unfinished operation is held. */
  get idle(): boolean {
    return this.#carry === undefined;
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
    if (length > this.#maxControlLine + 16) {
      throw new DecodeError(
        `control line of more than ${this.#maxControlLine} bytes: raise maxControlLine if that is what the peer means`,
        "control line",
      );
    }
  }

  // Read one frame at `at`. The offset after it; or, when `end` cuts it, -(1 + its length), the length 0 if unknown.
  #read(bytes: Uint8Array, at: number, end: number): number {
    const fields = this.#fields;
    let count = 0;
    let start = -1;
    let i = at;
    let byte = 0;
    // fields of a line: blanks collapse, so "MSG a 1  2" has four
    for (; i < end; i++) {
      byte = bytes[i] as number;
      if (byte > 32) {
        if (start < 0) {
          start = i;
          // the fields of these may hold blanks: they are read as one text
          if (count === 1 && this.#isText(bytes, fields[0] as number)) {
            i = bytes.indexOf(LF, i);
            if (i < 0 || i >= end) {
              this.#checkOp(bytes, fields[0] as number, end);
              return -1;
            }
            byte = LF;
            count = this.#field(2, start, this.#trimEnd(bytes, start, i));
            start = -1;
            break;
          }
        }
      } else if (byte === 32 || byte === LF || byte === CR || byte === 9) {
        if (start >= 0) {
          if (count < MAX_FIELDS) {
            fields[2 * count] = start;
            fields[2 * count + 1] = i;
          }
          count++;
          start = -1;
        }
        if (byte === LF) break;
        if (byte === CR && i + 1 < end && bytes[i + 1] !== LF) throw this.#malformed(bytes, at, end);
      } else if (start < 0) {
        start = i;
      }
    }
    if (byte !== LF) {
      // garbage is known by its first bytes: don't wait for a line that never ends
      if (count > 0 || start >= 0) this.#checkOp(bytes, count > 0 ? (fields[0] as number) : start, end);
      return -1;
    }
    this.#fieldCount = count;
    const lineEnd = i + 1;
    if (lineEnd - at > this.#maxControlLine + 16) this.#checkLine(lineEnd - at);
    if (count === 0) throw this.#malformed(bytes, at, lineEnd);
    return this.#dispatch(bytes, at, lineEnd, end);
  }

  #checkOp(bytes: Uint8Array, op: number, end: number): void {
    const ops = this.#client === undefined ? SERVER_OPS : CLIENT_OPS;
    for (const word of ops) {
      if (is(bytes, op, word.slice(0, end - op))) return;
    }
    throw this.#malformed(bytes, op, end);
  }

  #field(count: number, start: number, end: number): number {
    this.#fields[2 * count - 2] = start;
    this.#fields[2 * count - 1] = end;
    return count;
  }

  #trimEnd(bytes: Uint8Array, start: number, end: number): number {
    while (end > start && (bytes[end - 1] as number) <= 32) end--;
    return end;
  }

  // INFO, CONNECT and -ERR carry text
  #isText(bytes: Uint8Array, op: number): boolean {
    const first = (bytes[op] as number) | 32;
    return first === 0x69 || first === 0x63 || first === 0x2d;
  }

  #dispatch(bytes: Uint8Array, at: number, lineEnd: number, end: number): number {
    const fields = this.#fields;
    const count = this.#fieldCount;
    const op = fields[0] as number;
    const opLength = (fields[1] as number) - op;
    const client = this.#client;
    const server = this.#server;
    switch ((bytes[op] as number) | 32) {
      case 0x6d: // MSG
        if (client !== undefined && opLength === 3 && is(bytes, op, "msg") && (count === 4 || count === 5)) {
          return this.#payload(bytes, at, lineEnd, end, false);
        }
        break;
      case 0x68: // HMSG HPUB
        if (client !== undefined && opLength === 4 && is(bytes, op, "hmsg") && (count === 5 || count === 6)) {
          return this.#payload(bytes, at, lineEnd, end, true);
        }
        if (server !== undefined && opLength === 4 && is(bytes, op, "hpub") && (count === 4 || count === 5)) {
          return this.#payload(bytes, at, lineEnd, end, true);
        }
        break;
      case 0x70: // PING PONG PUB
        if (server !== undefined && opLength === 3 && is(bytes, op, "pub") && (count === 3 || count === 4)) {
          return this.#payload(bytes, at, lineEnd, end, false);
        }
        if (opLength >= 4 && is(bytes, op, "ping")) {
          (client ?? (server as ServerSink)).onPing();
          return lineEnd;
        }
        if (opLength >= 4 && is(bytes, op, "pong")) {
          (client ?? (server as ServerSink)).onPong();
          return lineEnd;
        }
        break;
      case 0x69: // INFO
        if (opLength === 4 && is(bytes, op, "info") && count === 2) {
          client?.onInfo(this.#text(bytes, 1));
          return lineEnd;
        }
        break;
      case 0x2b: // +OK
        if (opLength === 3 && is(bytes, op, "+ok")) return lineEnd;
        break;
      case 0x2d: // -ERR
        if (client !== undefined && opLength === 4 && is(bytes, op, "-err")) {
          client.onErr(count === 2 ? this.#text(bytes, 1) : "");
          return lineEnd;
        }
        break;
      case 0x63: // CONNECT
        if (server !== undefined && opLength === 7 && is(bytes, op, "connect") && count === 2) {
          server.onConnect(this.#text(bytes, 1));
          return lineEnd;
        }
        break;
      case 0x73: // SUB
        if (server !== undefined && opLength === 3 && is(bytes, op, "sub") && (count === 3 || count === 4)) {
          server.onSub(
            this.#text(bytes, 1),
            count === 4 ? this.#text(bytes, 2) : "",
            this.#text(bytes, count - 1),
          );
          return lineEnd;
        }
        break;
      case 0x75: // UNSUB
        if (
          server !== undefined &&
          opLength === 5 &&
          is(bytes, op, "unsub") &&
          (count === 2 || count === 3)
        ) {
          server.onUnsub(this.#text(bytes, 1), count === 3 ? this.#text(bytes, 2) : "");
          return lineEnd;
        }
        break;
    }
    throw this.#malformed(bytes, at, lineEnd);
  }

  // MSG HMSG PUB HPUB: the last one or two fields are sizes, the payload follows the line
  #payload(bytes: Uint8Array, at: number, lineEnd: number, end: number, withHeader: boolean): number {
    const fields = this.#fields;
    const count = this.#fieldCount;
    const total = this.#size(bytes, count - 1);
    let header = 0;
    let sizes = 1;
    if (withHeader) {
      header = this.#size(bytes, count - 2);
      sizes = 2;
      if (header > total) {
        throw new DecodeError(`header of ${header} bytes in a message of ${total}`, "header");
      }
    }
    if (total > this.#maxPayload) {
      throw new DecodeError(`message of ${total} bytes where ${this.#maxPayload} are allowed`, "payload");
    }
    const dataEnd = lineEnd + total;
    const next = dataEnd + 2;
    if (next > end) return -(1 + next - at);
    if (bytes[dataEnd] !== CR || bytes[dataEnd + 1] !== LF) {
      throw new DecodeError(`payload is not followed by CRLF: ${snippet(bytes, at, lineEnd)}`);
    }
    const client = this.#client;
    if (client !== undefined) {
      const reply = count - sizes === 4;
      client.onMsg(
        bytes,
        this.#sid(bytes),
        fields[2] as number,
        fields[3] as number,
        reply ? (fields[6] as number) : 0,
        reply ? (fields[7] as number) : 0,
        lineEnd,
        lineEnd + header,
        dataEnd,
      );
    } else {
      const reply = count - sizes === 3;
      (this.#server as ServerSink).onPub(
        bytes,
        fields[2] as number,
        fields[3] as number,
        reply ? (fields[4] as number) : 0,
        reply ? (fields[5] as number) : 0,
        lineEnd,
        lineEnd + header,
        dataEnd,
        decodeText(bytes, fields[2 * (count - sizes)] as number, fields[2 * count - 1] as number),
      );
    }
    return next;
  }

  #sid(bytes: Uint8Array): number {
    let sid = 0;
    for (let i = this.#fields[4] as number; i < (this.#fields[5] as number); i++) {
      sid = sid * 10 + (bytes[i] as number) - 48;
    }
    return sid;
  }

  // C-PROTO-7: decimal, at most 9 digits
  #size(bytes: Uint8Array, field: number): number {
    const start = this.#fields[2 * field] as number;
    const end = this.#fields[2 * field + 1] as number;
    let size = 0;
    for (let i = start; i < end; i++) {
      const digit = (bytes[i] as number) - 48;
      if (digit < 0 || digit > 9 || end - start > 9) {
        throw new DecodeError(`'${snippet(bytes, start, end)}' is not a size`);
      }
      size = size * 10 + digit;
    }
    return size;
  }

  #text(bytes: Uint8Array, field: number): string {
    return decodeText(bytes, this.#fields[2 * field] as number, this.#fields[2 * field + 1] as number);
  }

  #malformed(bytes: Uint8Array, start: number, end: number): DecodeError {
    return new DecodeError(`not a protocol line: ${snippet(bytes, start, end)}`);
  }
}

// op names, compared without case; `word` is lower-case
function is(bytes: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[at + i] as number;
    const want = word.charCodeAt(i);
    if (byte !== want && (byte | 32) !== want && !(want === 32 && byte === 9)) return false;
  }
  return true;
}

// the op and the size of a line, never its fields: they may hold what is private
function snippet(bytes: Uint8Array, start: number, end: number): string {
  return JSON.stringify(decodeText(bytes, start, Math.min(end, start + 24)));
}
