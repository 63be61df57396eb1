// Client role: the operations a client reads.
//
//   INFO <json>
//   MSG  <subject> <sid> [reply] <size>                 payload
//   HMSG <subject> <sid> [reply] <header> <size>        headers and payload
//   PING | PONG | +OK | -ERR '<text>'
import { DONE, HEADERS, type Kind, type Line, PAYLOAD, type Role, UNKNOWN } from "./decoder.ts";

/** Takes the messages. Positions are offsets in `bytes`; equal start and end mean absent. */
export interface MsgSink {
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
}

/** Takes all but the messages. */
export interface ClientSink {
  onInfo(json: string): void;
  onErr(text: string): void;
  onPing(): void;
  onPong(): void;
}

export class ClientRole implements Role {
  // INFO of a large cluster is long
  readonly maxControlLine: number = 1 << 20;
  readonly maxPayload: number = 1 << 26;
  readonly ops: readonly string[] = ["msg ", "hmsg ", "ping", "pong", "info", "+ok", "-err"];
  readonly #sink: ClientSink;
  readonly #messages: MsgSink;

  constructor(sink: ClientSink, messages: MsgSink) {
    this.#sink = sink;
    this.#messages = messages;
  }

  line(line: Line): Kind {
    const { count } = line;
    // most lines are MSG and HMSG
    if (count === 4 || count === 5 || count === 6) {
      if (count < 6 && line.is("msg")) return PAYLOAD;
      if (count > 4 && line.is("hmsg")) return HEADERS;
    }
    if (line.is("ping", false)) this.#sink.onPing();
    else if (line.is("pong", false)) this.#sink.onPong();
    else if (line.is("info") && count === 2) this.#sink.onInfo(line.text(1));
    else if (line.is("-err")) this.#sink.onErr(count === 2 ? line.text(1) : "");
    else if (!line.is("+ok")) return UNKNOWN;
    return DONE;
  }

  payload(line: Line, header: number, data: number, end: number): void {
    const { bytes, fields, count } = line;
    // MSG has 4 fields, HMSG 5; one more is the reply. Only HMSG begins with H
    const reply = ((bytes[fields[0] as number] as number) | 32) === 0x68 ? count === 6 : count === 5;
    this.#messages.onMsg(
      bytes,
      line.number(2),
      fields[2] as number,
      fields[3] as number,
      reply ? (fields[6] as number) : 0,
      reply ? (fields[7] as number) : 0,
      header,
      data,
      end,
    );
  }
}
