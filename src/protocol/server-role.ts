// Server role: the operations a server reads.
//
//   CONNECT <json>
//   PUB  <subject> [reply] <size>                       payload
//   HPUB <subject> [reply] <header> <size>              headers and payload
//   SUB <subject> [queue] <sid> | UNSUB <sid> [max]
//   PING | PONG | INFO <json> | +OK                     the last two are ignored
import { decodeText } from "../lib/bytes.ts";
import { DONE, HEADERS, type Kind, type Line, PAYLOAD, type Role, UNKNOWN } from "./decoder.ts";

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
  // max_control_line of nats-server, and the op before it
  readonly maxControlLine: number = 4096;
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
  ];
  readonly #sink: ServerSink;

  constructor(sink: ServerSink) {
    this.#sink = sink;
  }

  line(line: Line): Kind {
    const { count } = line;
    const sink = this.#sink;
    if ((count === 3 || count === 4) && line.is("pub")) return PAYLOAD;
    if ((count === 4 || count === 5) && line.is("hpub")) return HEADERS;
    if (line.is("ping", false)) sink.onPing();
    else if (line.is("pong", false)) sink.onPong();
    else if (line.is("connect") && count === 2) sink.onConnect(line.text(1));
    else if (line.is("sub") && (count === 3 || count === 4)) {
      sink.onSub(line.text(1), count === 4 ? line.text(2) : "", line.text(count - 1));
    } else if (line.is("unsub") && (count === 2 || count === 3)) {
      sink.onUnsub(line.text(1), count === 3 ? line.text(2) : "");
    } else if (!line.is("+ok") && !(line.is("info") && count === 2)) return UNKNOWN;
    return DONE;
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
