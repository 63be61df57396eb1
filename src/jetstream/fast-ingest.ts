// Fast ingest: a batch that is stored as it comes, with one ack for many messages (ADR-50); what js.startFastIngest gives.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Payload, WaitOptions } from "../client/connection.ts";
import type { NatsError } from "../errors.ts";
import type { Api } from "./api.ts";
import { assertLevel } from "./gates.ts";
import { Ingest } from "./ingest.ts";
import { prepare } from "./prepare.ts";
import type { BatchAck } from "./pub-ack.ts";
import type { JetStreamMessageOptions } from "./publish-options.ts";

/** Options of {@link JetStreamClient.startFastIngest}; those of a message are for the first one. */
export interface FastIngestOptions extends JetStreamMessageOptions, WaitOptions {
  /**
   * Go on when a message is lost or refused? Default false: the batch ends there, and what is stored is all that was published
   * before. With true each loss is told by `gaps()`, each refusal by `errors()`.
   */
  allowGaps?: boolean;
  /** the most messages for which the server may send one ack: 1 to 65 535, default 100. The server begins with fewer when busy. */
  ackInterval?: number;
  /** how many acks may be due before `add` waits: 1 to 3, default 2 */
  maxOutstandingAcks?: number;
  /** milliseconds of silence, when an answer is due, that end the batch; default: the `timeout` of the {@link JetStreamOptions} */
  timeout?: number | undefined;
}

/** How far a batch is. */
export interface FastIngestProgress {
  /** the number of the message in the batch, from 1 on */
  batchSeq: number;
  /** the server is done with the messages up to this number */
  ackSeq: number;
}

/** The messages from `lastSeq` to the one before `seq` were lost. */
export interface FastIngestGap {
  /** number of the first message that was lost */
  lastSeq: number;
  /** number of the message that came instead */
  seq: number;
}

/** A message of a batch was refused. */
export interface FastIngestRefusal {
  /** its number in the batch */
  seq: number;
  /** why */
  error: NatsError;
}

/** A batch that is stored as it comes. The server forgets it when nothing comes for ten seconds: `ping` keeps it. */
export interface FastIngest extends Disposable {
  /** its id */
  readonly batch: string;
  /** the server is done with the messages up to this number; without `allowGaps` they are stored */
  readonly acked: number;
  /** messages that were lost so far */
  readonly lost: number;
  /** messages that were refused so far */
  readonly refused: number;
  /**
   * Add a message; resolves when it is sent, which waits while the server is behind. Up to 65 536 wait.
   * @throws {NatsError} the error that ended the batch, INVALID_OPERATION after its end, UNSUPPORTED, OUTBOUND_FULL, and
   * those of `publish`
   */
  add(subject: string, payload?: Payload, options?: JetStreamMessageOptions): Promise<FastIngestProgress>;
  /** Add the last message, and wait for the ack of the batch. @throws {NatsError} as `done` */
  last(
    subject: string,
    payload?: Payload,
    options?: JetStreamMessageOptions & WaitOptions,
  ): Promise<BatchAck>;
  /** End the batch without a last message. @throws {NatsError} as `done` */
  end(options?: WaitOptions): Promise<BatchAck>;
  /** Ask how far the server is. @throws {NatsError} TIMEOUT, ABORTED, and the error that ended the batch */
  ping(options?: WaitOptions): Promise<FastIngestProgress>;
  /** What is lost from now on; ends with the batch. */
  gaps(): AsyncIterable<FastIngestGap>;
  /** What is refused from now on; ends with the batch. */
  errors(): AsyncIterable<FastIngestRefusal>;
  /**
   * The ack of the batch, once `last` or `end` was called.
   * @throws {NatsError} BATCH_INCOMPLETE when it ended before: go on after `acked`; its `cause` is the refusal, if that was why;
   * those of `js.publish`
   */
  done(options?: WaitOptions): Promise<BatchAck>;
  /** Send no more. What is stored stays. Does nothing after the end; `using` does it. */
  abort(): void;
}

/**
 * Begin a batch with its first message.
 *
 * @throws {NatsError} those of `js.publish`
 */
export async function startFastIngest(
  api: Api,
  subject: string,
  payload?: Payload,
  options: FastIngestOptions = {},
): Promise<FastIngest> {
  const { timeout = api.options.timeout, signal } = options;
  const wait: WaitOptions = { timeout, signal };
  const { headers, gates } = prepare(subject, payload, options);
  const level = await api.level(wait);
  assertLevel(api, [["fast ingest", 4], ...gates], level);
  const ingest = new Ingest(api, level, subject, options);
  await ingest.begin(payload, headers, wait);
  return ingest;
}
