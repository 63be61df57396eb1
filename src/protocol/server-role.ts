// Server role: the operations a server reads.
//
//   CONNECT <json>
//   PUB  <subject> [reply] <size>                       payload
//   HPUB <subject> [reply] <header> <size>              headers and payload
//   SUB <subject> [queue] <sid> | UNSUB <sid> [max]
//   PING | PONG | INFO <json> | +OK                     the last two are ignored
//
// An operation of these with other arguments is the end, and so is -ERR from a client.
import { decodeText } from "../lib/bytes.ts";
import { DecodeError, DONE, HEADERS, type Kind, type Line, PAYLOAD, type Role, UNKNOWN } from "./decoder.ts";

/** Takes what clients send. Positions are offsets in `bytes`; equal start and end mean absent. */
export interface ServerSink {
  /** `sizes` is the text of the size fields as the client wrote it: that is how they are passed on */
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

export class ServerRole implements Role {
  /** bytes that the arguments of an operation may have: what nats-server calls max_control_line */
  readonly maxControlLine: number;
  maxPayload: number;
  readonly ops: readonly string[] = [
    "pub ",
    "hpub ",
    "sub ",
    "unsub ",
    "ping",
    "pong",
    "connect",
    "info",
    "+ok",
    "-err",
  ];
  readonly #sink: ServerSink;

  constructor(sink: ServerSink, maxControlLine = 4096, maxPayload: number = 1 << 26) {
    this.#sink = sink;
    this.maxControlLine = maxControlLine;
    this.maxPayload = maxPayload;
  }

  line(line: Line): Kind {
    const { count } = line;
    const sink = this.#sink;
    if (line.is("ping", false)) sink.onPing();
    else if (line.is("pong", false)) sink.onPong();
    else {
      this.#checkLength(line);
      // the server takes these for unknown where no blank follows
      if (count === 1 && ["pub", "hpub", "sub", "unsub"].some((op) => line.is(op))) return UNKNOWN;
      if (line.is("pub")) return expect(count === 3 || count === 4, PAYLOAD);
      if (line.is("hpub")) return expect(count === 4 || count === 5, HEADERS);
      if (line.is("connect")) {
        expect(count === 2);
        sink.onConnect(line.text(1));
      } else if (line.is("sub")) {
        expect(count === 3 || count === 4);
        sink.onSub(line.text(1), count === 4 ? line.text(2) : "", line.text(count - 1));
      } else if (line.is("unsub")) {
        expect(count === 2 || count === 3);
        sink.onUnsub(line.text(1), count === 3 ? line.text(2) : "");
      } else if (line.is("info")) expect(count === 2 && isJson(line.text(1)));
      else if (line.is("-err")) expect(false);
      else if (!line.is("+ok")) return UNKNOWN;
    }
    return DONE;
  }

  // The decoder bounds the line, the operation included.
  #checkLength(line: Line): void {
    const { count } = line;
    if (count < 2 || line.end(Math.min(count, 6) - 1) - line.start(1) <= this.maxControlLine) return;
    throw new DecodeError(`arguments of more than ${this.maxControlLine} bytes`, "control line");
  }

  payload(line: Line, header: number, data: number, end: number): void {
    const { bytes, fields, count } = line;
    // PUB has 3 fields, HPUB 4; one more is the reply. Only HPUB begins with H
    const sizes = ((bytes[fields[0] as number] as number) | 32) === 0x68 ? 2 : 1;
    const reply = count - sizes === 3;
    this.#sink.onPub(
      bytes,
      fields[2] as number,
      fields[3] as number,
      reply ? (fields[4] as number) : 0,
      reply ? (fields[5] as number) : 0,
      header,
      data,
      end,
      decodeText(bytes, line.start(count - sizes), line.end(count - 1)),
    );
  }
}

function expect(holds: boolean, kind: Kind = DONE): Kind {
  if (!holds) throw new DecodeError("an operation has other arguments than it takes", "arguments");
  return kind;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
