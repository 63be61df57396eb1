// Publish: the headers of published messages, and the JSON that answers them.
import type { ApiError } from "./stream.ts";

/** Headers that a stream reads from what is published to it, and keeps. */
export const PubHeaders = {
  /** a stream stores one message of an id within its `duplicate_window` */
  MsgIdHdr: "Nats-Msg-Id",
  /** the stream that shall take it */
  ExpectedStreamHdr: "Nats-Expected-Stream",
  /** the last sequence of the stream */
  ExpectedLastSeqHdr: "Nats-Expected-Last-Sequence",
  /** the id of the last message */
  ExpectedLastMsgIdHdr: "Nats-Expected-Last-Msg-Id",
  /** the last sequence of the subject */
  ExpectedLastSubjectSequenceHdr: "Nats-Expected-Last-Subject-Sequence",
  /** the subject that this sequence is of, where it isn't that of the message. Server 2.11. */
  ExpectedLastSubjectSequenceSubjectHdr: "Nats-Expected-Last-Subject-Sequence-Subject",
  /** how long it is kept. Server 2.11. */
  MessageTTL: "Nats-TTL",
  /** what a counter grows by. Server 2.12. */
  Increment: "Nats-Incr",
  /** when it is published again. Server 2.12. */
  Schedule: "Nats-Schedule",
  /** where it is published then */
  ScheduleTarget: "Nats-Schedule-Target",
  /** the subject whose last message is published instead. Server 2.14. */
  ScheduleSource: "Nats-Schedule-Source",
  /** how long what is published then is kept */
  ScheduleTTL: "Nats-Schedule-TTL",
  /** where the clock of a cron schedule stands. Server 2.14. */
  ScheduleTimeZone: "Nats-Schedule-Time-Zone",
  /** what is published then replaces what was before. Server 2.14. */
  ScheduleRollup: "Nats-Schedule-Rollup",
  /** of what a schedule published: the subject of the schedule */
  Scheduler: "Nats-Scheduler",
  /** of what a schedule published: when it does next, or `purge` */
  ScheduleNext: "Nats-Schedule-Next",
  /** the atomic batch it is of. Server 2.12. */
  BatchId: "Nats-Batch-Id",
  /** its place in the batch, from 1 on */
  BatchSequence: "Nats-Batch-Sequence",
  /** ends the batch: `1` with this message, `eob` without it */
  BatchCommit: "Nats-Batch-Commit",
} as const;

/** Says that a message was stored, or why not. */
export interface PubAckReply {
  stream?: string;
  seq?: number;
  domain?: string;
  duplicate?: boolean;
  /** of a counter: its value in decimal digits, of any number. Server 2.12. */
  val?: string;
  /** of a batch: its id. Server 2.12. */
  batch?: string;
  /** of a batch: how many messages. Server 2.12. */
  count?: number;
  error?: ApiError;
}

/** What the server says of a fast-ingest batch while it goes on. */
export type IngestFrame =
  /** all up to `seq` is done with; the next comes after `msgs` messages */
  | { type: "ack"; seq: number; msgs: number }
  /** the messages from `last_seq` to the one before `seq` did not arrive */
  | { type: "gap"; last_seq: number; seq: number }
  /** the message `seq` was refused */
  | { type: "err"; seq: number; error: ApiError };
