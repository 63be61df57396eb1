// PubAck: what says that a message was stored, and the errors that say why it was not or that nobody knows.
import type { Msg } from "../client/connection.ts";
import { isNatsError, NatsError, RequestError } from "../errors.ts";
import { parseJson } from "../lib/json.ts";
import type { PubAckReply } from "../protocol/jetstream/publish.ts";
import { apiError, JetStreamStatusError } from "./api-error.ts";

/** A message was stored. */
export interface PubAck {
  /** the stream that has it */
  stream: string;
  /** its sequence there; rounded above 2^53 - 1 */
  seq: number;
  /** the stream had a message with this id already: `seq` is that one's, and nothing was stored */
  duplicate: boolean;
  /** the domain of the stream, where it has one */
  domain?: string;
  /** of a counter: its value now. Server 2.12. */
  val?: bigint;
  /** of the end of a batch: its id. Server 2.12. */
  batch?: string;
  /** of the end of a batch: how many messages it had. Server 2.12. */
  count?: number;
}

/** A batch was stored; `seq` is the sequence of its last message. */
export type BatchAck = PubAck & {
  /** id of the batch */
  batch: string;
  /** messages of the batch */
  count: number;
};

/** No stream takes what is published to the subject; nothing was stored. Code `NO_RESPONDERS`. */
export class NoStreamError extends NatsError {
  /** how often it was published */
  readonly attempts: number;
  constructor(subject: string, attempts: number, cause?: unknown) {
    super(
      "NO_RESPONDERS",
      `no stream takes '${subject}' (${attempts} attempt${attempts === 1 ? "" : "s"}): none has this subject, ` +
        "it has no leader right now, or JetStream is not enabled",
      { subject, cause },
    );
    this.attempts = attempts;
  }

  override get name(): string {
    return "NoStreamError";
  }
}

/**
 * The message was published, and no ack came: it may be stored or not. `code` and `cause` say why no ack came: TIMEOUT,
 * ABORTED, DISCONNECTED or CLOSED. Published again with the same `msgID` it is stored once in any case.
 */
export class OutcomeUnknownError extends RequestError {
  declare readonly subject: string;
  /** the id that the message had, if it had one */
  readonly msgID: string | undefined;
  constructor(subject: string, msgID: string | undefined, cause: NatsError) {
    const why = cause.message.replace(/^\[\w+\] /, "");
    super(`outcome unknown: whether the message to '${subject}' was stored is not known, as ${why}`, cause);
    this.subject = subject;
    this.msgID = msgID;
  }

  override get name(): string {
    return "OutcomeUnknownError";
  }
}

/** The error of a publish that was under way; what leaves its outcome open is told so. */
export function publishError(subject: string, msgID: string | undefined, error: unknown): unknown {
  if (!isNatsError(error)) return error;
  const { code } = error;
  // without a RequestError around it, CLOSED was there before the message
  const open =
    code === "TIMEOUT" || code === "ABORTED" || (code === "CLOSED" && error instanceof RequestError);
  return open ? new OutcomeUnknownError(subject, msgID, error) : error;
}

/** The message without payload by which a server says that nobody is there. */
export function isNoResponders(msg: Msg): boolean {
  return msg.data.length === 0 && msg.headers?.code === 503;
}

/**
 * The ack in a reply.
 *
 * @throws {@link NatsError} JETSTREAM_API, WRONG_LAST_SEQUENCE and the other codes of `apiError`, JETSTREAM_STATUS, CODEC
 */
export function readPubAck(msg: Msg, subject: string, expected?: number): PubAck {
  return pubAckOf(parsePubAck(msg, subject), subject, expected);
}

/** The JSON of a reply, whatever it says. @throws {@link NatsError} JETSTREAM_STATUS, CODEC */
export function parsePubAck(msg: Msg, subject: string): PubAckReply {
  if (msg.data.length === 0 && msg.headers?.hasError) {
    throw new JetStreamStatusError(msg.headers.code, msg.headers.description, { subject });
  }
  try {
    return parseJson(msg.string()) as PubAckReply;
  } catch (cause) {
    throw noAck(subject, cause);
  }
}

/** The ack in the JSON of a reply. */
export function pubAckOf(reply: PubAckReply, subject: string, expected?: number): PubAck {
  const { error, stream, seq, duplicate = false, domain, val, batch, count } = reply ?? {};
  if (error !== undefined) throw apiError(error, { subject, expected, stream });
  if (!stream || seq === undefined) throw noAck(subject);
  return {
    stream,
    seq,
    duplicate,
    ...(domain !== undefined && { domain }),
    ...(val !== undefined && { val: BigInt(val) }),
    ...(batch !== undefined && { batch }),
    ...(count !== undefined && { count }),
  };
}

function noAck(subject: string, cause?: unknown): NatsError {
  return new NatsError(
    "CODEC",
    `the reply to what was published to '${subject}' is no ack of a stream: does a subscriber answer there too?`,
    { subject, cause },
  );
}
