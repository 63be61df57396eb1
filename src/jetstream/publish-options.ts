// Publish options: what can be said of a message to be stored, and the headers that say it.
import type { Payload, WaitOptions } from "../client/connection.ts";
import { InvalidArgumentError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { type MsgHdrs, MsgHdrsImpl, toHeaders } from "../protocol/headers.ts";
import { validateSubscribeSubject } from "../protocol/subject.ts";
import type { Gated } from "./gates.ts";
import type { CancelScheduleOptions, ScheduleOptions } from "./schedule.ts";
import { ttlText } from "./ttl.ts";

/** What must be true for a message to be stored. Where it isn't, the publish is refused, and nothing is stored. */
export interface PublishExpectations {
  /** the stream that takes it has this name */
  streamName?: string;
  /** the message stored last in the stream has this id */
  lastMsgID?: string;
  /** the last sequence of the stream; 0 while it never had a message */
  lastSequence?: number | bigint;
  /** the last sequence of the subject; 0 where it has none */
  lastSubjectSequence?: number | bigint;
  /** the subject that `lastSubjectSequence` is of, rather than that of the message; wildcards allowed. Server 2.11. */
  lastSubjectSequenceSubject?: string;
}

/** What can be said of a message to be stored, however it is published. */
export interface JetStreamMessageOptions {
  /** headers of the message; the object is not changed */
  headers?: MsgHdrs | undefined;
  /** id of the message: within its `duplicate_window` (default two minutes) the stream stores one message of an id */
  msgID?: string;
  /** what must be true for it to be stored; where it isn't: codes WRONG_LAST_SEQUENCE, JETSTREAM_API */
  expect?: PublishExpectations;
  /**
   * How long the message is kept: milliseconds, made whole seconds by rounding up; or as text: seconds (`"90"`), a Go duration
   * (`"1h30m"`), or `"never"`, which exempts it from `max_age` too. One second or more. The stream must have `allow_msg_ttl`.
   * Server 2.11.
   */
  ttl?: number | string;
  /** remove what was stored before: of its subject (`sub`) or of the stream (`all`). The stream must have `allow_rollup_hdrs`. */
  rollup?: "sub" | "all";
  /** what the counter of the subject grows by; the payload must be empty. The stream must have `allow_msg_counter`. Server 2.12. */
  increment?: number | bigint;
  /** publish it when it is time. Server 2.12. */
  schedule?: ScheduleOptions;
  /** end a schedule with this message. Not together with `schedule`. Server 2.14. */
  cancelSchedule?: CancelScheduleOptions;
}

/** How often a publish that nobody answered is tried again. */
export interface RetryOptions {
  /**
   * How often to publish again when nobody answers (no responders): no stream has the subject, or it has no leader right now.
   * Default 2; -1 for as long as the timeout leaves time. From the second time on the message has an id, unless you gave one.
   */
  retries?: number;
  /** milliseconds before it is published again; default 250 */
  retryWait?: number;
}

/** Options of {@link JetStreamClient.publish}. */
export interface JetStreamPublishOptions extends JetStreamMessageOptions, RetryOptions, WaitOptions {
  /** milliseconds for all of it, with its retries; default: the `timeout` of the {@link JetStreamOptions} */
  timeout?: number | undefined;
}

/** A message ready to be published. */
export interface Prepared {
  readonly headers: MsgHdrs | undefined;
  /** what the server must be able to */
  readonly gates: readonly Gated[];
}

const NO_GATES: readonly Gated[] = [];

/** Makes a message ready. @throws {@link NatsError} INVALID_ARGUMENT, INVALID_SUBJECT */
export type Prepare = (
  subject: string,
  payload: Payload | undefined,
  options: JetStreamMessageOptions,
) => Prepared;

/** A message with all that its options say, but for schedules. @throws {@link NatsError} INVALID_ARGUMENT, INVALID_SUBJECT */
export function prepareMessage(payload: Payload | undefined, options: JetStreamMessageOptions): Prepared {
  const { headers, msgID, expect, ttl, rollup, increment } = options;
  const fields: [string, string][] = [];
  const gates: Gated[] = [];
  if (msgID !== undefined) {
    checkText("msgID", msgID, "an id");
    fields.push(["Nats-Msg-Id", msgID]);
  }
  if (expect !== undefined) expected(expect, fields, gates);
  if (ttl !== undefined) {
    fields.push(["Nats-TTL", ttlText("ttl", ttl)]);
    gates.push(["a TTL per message", 1]);
  }
  if (rollup !== undefined) fields.push(["Nats-Rollup", rollup]);
  if (increment !== undefined) {
    check(isWhole(increment), "increment", increment, "a whole number, or a bigint");
    if (payload !== undefined && payload.length > 0) {
      throw InvalidArgumentError.format(["increment", "payload"], "are mutually exclusive");
    }
    fields.push(["Nats-Incr", String(increment)]);
    gates.push(["a message counter", 2]);
  }
  if (fields.length === 0) return { headers: headers && toHeaders(headers), gates: NO_GATES };
  return { headers: withFields(headers, fields), gates };
}

/** Headers with some fields set; those given are not changed. */
export function withFields(given: MsgHdrs | undefined, fields: readonly [string, string][]): MsgHdrsImpl {
  const made = given === undefined ? new MsgHdrsImpl() : toHeaders(given).clone();
  for (const [name, value] of fields) made.set(name, value);
  return made;
}

function expected(expect: PublishExpectations, fields: [string, string][], gates: Gated[]): void {
  const { streamName, lastMsgID, lastSequence, lastSubjectSequence, lastSubjectSequenceSubject } = expect;
  if (streamName !== undefined) {
    checkText("streamName", streamName, "a name");
    fields.push(["Nats-Expected-Stream", streamName]);
  }
  if (lastMsgID !== undefined) {
    checkText("lastMsgID", lastMsgID, "an id");
    fields.push(["Nats-Expected-Last-Msg-Id", lastMsgID]);
  }
  if (lastSequence !== undefined) {
    fields.push(["Nats-Expected-Last-Sequence", sequenceText("lastSequence", lastSequence)]);
  }
  if (lastSubjectSequence !== undefined) {
    fields.push([
      "Nats-Expected-Last-Subject-Sequence",
      sequenceText("lastSubjectSequence", lastSubjectSequence),
    ]);
  }
  if (lastSubjectSequenceSubject !== undefined) {
    validateSubscribeSubject(lastSubjectSequenceSubject, "lastSubjectSequenceSubject");
    if (lastSubjectSequence === undefined) {
      throw new InvalidArgumentError(
        "lastSubjectSequenceSubject needs lastSubjectSequence, the sequence to expect",
      );
    }
    fields.push(["Nats-Expected-Last-Subject-Sequence-Subject", lastSubjectSequenceSubject]);
    gates.push(["lastSubjectSequenceSubject", 1]);
  }
}

// to the server an empty one is as if nothing was said
function checkText(name: string, text: string, what: string): void {
  if (text === "") throw new InvalidArgumentError(`${name} is empty: give ${what}, or leave it out`);
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

/** A sequence as the text of a header. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function sequenceText(name: string, value: number | bigint): string {
  check(value >= 0 && isWhole(value), name, value, "a sequence, 0 or more");
  return String(value);
}

/** The last sequence that a message expects; 0 counts. */
export function expectedSequence({
  expect,
}: {
  readonly expect?: PublishExpectations | undefined;
}): number | undefined {
  const sequence = expect?.lastSubjectSequence ?? expect?.lastSequence;
  return sequence === undefined ? undefined : Number(sequence);
}
