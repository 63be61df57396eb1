// Stored: a message as a stream has it, from a get of the API or from a direct get.
import type { Msg, ReviverFn } from "../client/connection.ts";
import type { Codec } from "../codec/codec.ts";
import { NatsError } from "../errors.ts";
import { decodeBase64 } from "../lib/base64.ts";
import { Empty, utf8Decoder } from "../lib/bytes.ts";
import { parseJson } from "../lib/json.ts";
import { nanosOf } from "../lib/time.ts";
import { type MsgHdrs, MsgHdrsImpl } from "../protocol/headers.ts";
import type { StoredMessageReply } from "../protocol/jetstream/api.ts";

/** A message of a stream. */
export interface StoredMsg {
  /** the subject it is stored under */
  readonly subject: string;
  /** its sequence; above 2^53 - 1 it is rounded, see `sequence` */
  readonly seq: number;
  /** its sequence, exactly */
  readonly sequence: bigint;
  /** its headers; those of a direct get end with the server's own */
  readonly header: MsgHdrs;
  /** the payload; always a plain `Uint8Array` */
  readonly data: Uint8Array;
  /** when it was stored, to the millisecond */
  readonly time: Date;
  /** when it was stored, to the nanosecond: since 1970 */
  readonly timestampNanos: bigint;
  /** when it was stored, as the server writes it */
  readonly timestamp: string;
  /**
   * the payload, parsed as JSON
   * @throws {NatsError} CODEC
   */
  json<T = unknown>(reviver?: ReviverFn): T;
  /** the payload as text */
  string(): string;
  /**
   * the payload, decoded
   * @throws {NatsError} CODEC
   */
  decode<T>(codec: Codec<T>): T;
}

/** A message from a direct get. */
export interface DirectMsg extends StoredMsg {
  /** the stream that answered: the one that was asked for, or a mirror of it */
  readonly stream: string;
  /** in a batch: the sequence of the message before it; 0 in the first */
  readonly lastSequence: number;
  /** in a batch: how many there are after it */
  readonly pending: number;
}

/** Both of them. */
export class StoredMessage implements DirectMsg {
  readonly subject: string;
  readonly sequence: bigint;
  readonly header: MsgHdrs;
  readonly data: Uint8Array;
  readonly timestamp: string;
  readonly stream: string;
  readonly lastSequence: number;
  readonly pending: number;

  constructor(
    subject: string,
    sequence: string,
    header: MsgHdrs,
    data: Uint8Array,
    timestamp: string,
    stream: string,
    lastSequence = 0,
    pending = 0,
  ) {
    this.subject = subject;
    this.sequence = BigInt(sequence);
    this.header = header;
    this.data = data;
    this.timestamp = timestamp;
    this.stream = stream;
    this.lastSequence = lastSequence;
    this.pending = pending;
  }

  get seq(): number {
    return Number(this.sequence);
  }

  get timestampNanos(): bigint {
    return nanosOf(this.timestamp) ?? 0n;
  }

  get time(): Date {
    return new Date(Number(this.timestampNanos / 1_000_000n));
  }

  json<T = unknown>(reviver?: ReviverFn): T {
    try {
      return parseJson(this.string(), reviver) as T;
    } catch (cause) {
      throw new NatsError(
        "CODEC",
        `the payload of message ${this.sequence} of stream '${this.stream}' is not JSON`,
        {
          cause,
          subject: this.subject,
          stream: this.stream,
        },
      );
    }
  }

  string(): string {
    return utf8Decoder.decode(this.data);
  }

  decode<T>(codec: Codec<T>): T {
    return codec.decode(this.data);
  }
}

/** The message of a reply of STREAM.MSG.GET; `text` is the reply, where the sequence has all its digits. */
export function fromReply(stream: string, message: StoredMessageReply, text: string): StoredMsg {
  const { subject, seq, hdrs, data, time } = message;
  // a quote within a subject is escaped
  const [, digits = String(seq)] = /"seq":(\d+)/.exec(text) ?? [];
  const block = bytesOf(hdrs);
  const header = block.length > 0 ? MsgHdrsImpl.decode(block) : new MsgHdrsImpl();
  return new StoredMessage(subject, digits, header, bytesOf(data), time, stream);
}

function bytesOf(base64: string | undefined): Uint8Array {
  return (base64 && decodeBase64(base64)) || Empty;
}
/** The message of a direct get; undefined when it has none of the headers of one. */
export function fromDirect(msg: Msg): DirectMsg | undefined {
  const { headers } = msg;
  // a message that was published again has these headers twice: the server's are the last
  const last = (name: string): string => headers?.last(name) ?? "";
  const sequence = last("Nats-Sequence");
  if (headers === undefined || !/^\d+$/.test(sequence)) return undefined;
  return new StoredMessage(
    last("Nats-Subject"),
    sequence,
    headers,
    msg.data,
    last("Nats-Time-Stamp"),
    last("Nats-Stream"),
    Number(last("Nats-Last-Sequence")),
    Number(last("Nats-Num-Pending")),
  );
}
