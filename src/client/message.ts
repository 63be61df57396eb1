// Message: one delivered message; subject, reply and headers are decoded when they are asked for.
import type { Codec } from "../codec/codec.ts";
import { NatsError } from "../errors.ts";
import { type BytesReader, decodeText, utf8Decoder } from "../lib/bytes.ts";
import { parseJson } from "../lib/json.ts";
import { type MsgHdrs, MsgHdrsImpl } from "../protocol/headers.ts";
import type { Msg, Payload, Publisher, PublishOptions, ReviverFn } from "./connection.ts";

/** A message over the bytes it came in. */
export class MsgImpl implements Msg {
  readonly sid: number;
  readonly #publisher: Publisher;
  readonly #bytes: Uint8Array;
  readonly #subjectStart: number;
  readonly #subjectEnd: number;
  readonly #replyStart: number;
  readonly #replyEnd: number;
  readonly #headerStart: number;
  readonly #dataStart: number;
  readonly #dataEnd: number;
  #subject: string | undefined;
  #data: Uint8Array | undefined;
  #headers: MsgHdrs | undefined;

  /** `subject` is given where it is known without decoding. */
  constructor(
    publisher: Publisher,
    bytes: Uint8Array,
    sid: number,
    subjectStart: number,
    subjectEnd: number,
    replyStart: number,
    replyEnd: number,
    headerStart: number,
    dataStart: number,
    dataEnd: number,
  ) {
    this.#publisher = publisher;
    this.#bytes = bytes;
    this.sid = sid;
    this.#subjectStart = subjectStart;
    this.#subjectEnd = subjectEnd;
    this.#replyStart = replyStart;
    this.#replyEnd = replyEnd;
    this.#headerStart = headerStart;
    this.#dataStart = dataStart;
    this.#dataEnd = dataEnd;
  }

  get subject(): string {
    return (this.#subject ??= decodeText(this.#bytes, this.#subjectStart, this.#subjectEnd));
  }

  get reply(): string | undefined {
    return this.#replyStart === this.#replyEnd
      ? undefined
      : decodeText(this.#bytes, this.#replyStart, this.#replyEnd);
  }

  readReply<T>(read: BytesReader<T>): T {
    return read(this.#bytes, this.#replyStart, this.#replyEnd);
  }

  readSubject<T>(read: BytesReader<T>): T {
    return read(this.#bytes, this.#subjectStart, this.#subjectEnd);
  }

  get data(): Uint8Array {
    return (this.#data ??= view(this.#bytes, this.#dataStart, this.#dataEnd));
  }

  get headers(): MsgHdrs | undefined {
    if (this.#headers === undefined && this.#headerStart !== this.#dataStart) {
      this.#headers = MsgHdrsImpl.decode(view(this.#bytes, this.#headerStart, this.#dataStart));
    }
    return this.#headers;
  }

  size(): number {
    return (
      this.#subjectEnd -
      this.#subjectStart +
      this.#replyEnd -
      this.#replyStart +
      this.#dataEnd -
      this.#headerStart
    );
  }

  get statusCode(): number {
    const at = this.#headerStart + 9;
    if (this.#dataStart !== this.#dataEnd || this.#dataStart < at + 3) return 0;
    const bytes = this.#bytes;
    // NATS/1.0 <three digits>
    if (bytes[at - 1] !== 0x20) return 0;
    let code = 0;
    for (let i = at; i < at + 3; i++) code = code * 10 + (bytes[i] as number) - 0x30;
    return code >= 100 && code < 1000 ? code : 0;
  }

  /** True for `NATS/1.0 503` with an empty payload: nobody was there to answer. */
  get isNoResponders(): boolean {
    return this.statusCode === 503;
  }

  respond(payload?: Payload, options?: PublishOptions): boolean {
    const reply = this.reply;
    if (reply === undefined) return false;
    this.#publisher.publish(reply, payload, options);
    return true;
  }

  json<T = unknown>(reviver?: ReviverFn): T {
    try {
      return parseJson(this.string(), reviver) as T;
    } catch (cause) {
      throw new NatsError("CODEC", `the payload on '${this.subject}' is not JSON`, {
        cause,
        subject: this.subject,
      });
    }
  }

  string(): string {
    return utf8Decoder.decode(this.data);
  }

  decode<T>(codec: Codec<T>): T {
    return codec.decode(this.data);
  }
}

/** As {@link MsgImpl.size}. */
export const sizeOf = (msg: MsgImpl): number => msg.size();

// a plain Uint8Array, also where `bytes` is a Buffer
function view(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
