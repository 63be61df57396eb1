// Subscriptions: the table of live subscriptions by sid; takes what the decoder found and gives it to whom it is for.
import type { NatsError } from "../errors.ts";
import { check, checkChoice } from "../lib/check.ts";
import type { MsgSink } from "../protocol/client-role.ts";
import { validateQueue, validateSubscribeSubject } from "../protocol/subject.ts";
import type { Publisher, SubscriptionOptions } from "./connection.ts";
import { MsgImpl } from "./message.ts";
import {
  NatsSubscription,
  type SubscriptionHost,
  type SubscriptionOwner,
  unsubLine,
} from "./subscription.ts";

/** The sid of the shared inbox of all requests. */
export const MUX_SID = 1;

/** Takes the replies that come to the shared inbox. */
export interface ReplySink {
  onReply(msg: MsgImpl, bytes: Uint8Array, subjectStart: number, subjectEnd: number): void;
}

/** All subscriptions of one connection. They survive its links. */
export class Subscriptions implements MsgSink, SubscriptionHost {
  readonly owner: SubscriptionOwner;
  running: NatsSubscription | undefined;
  inMsgs = 0;
  inBytes = 0;
  dropped = 0;
  /** ended, with callbacks that still run */
  readonly ending: Set<NatsSubscription> = new Set();
  readonly #table = new Map<number, NatsSubscription>();
  readonly #publisher: Publisher;
  readonly #replies: ReplySink;
  #nextSid = MUX_SID + 1;

  /** The messages respond through `publisher`. */
  constructor(publisher: Publisher, replies: ReplySink, owner: SubscriptionOwner) {
    this.owner = owner;
    this.#publisher = publisher;
    this.#replies = replies;
  }

  [Symbol.iterator](): IterableIterator<NatsSubscription> {
    return this.#table.values();
  }

  /** @throws {NatsError} INVALID_SUBJECT, INVALID_ARGUMENT */
  add(subject: string, options: SubscriptionOptions): NatsSubscription {
    validateSubscribeSubject(subject);
    checkOptions(options);
    const sub = new NatsSubscription(this, this.#nextSid++, subject, options);
    this.#table.set(sub.sid, sub);
    for (const line of linesOf(sub)) this.owner.control(line);
    return sub;
  }

  /** Tell the server to send nothing more. */
  unsubscribe(): void {
    for (const { sid } of this) this.owner.control(unsubLine(sid));
  }

  remove(sub: NatsSubscription): void {
    this.#table.delete(sub.sid);
    if (!sub.busy) return;
    this.ending.add(sub);
    void sub.handedOver().then(() => this.ending.delete(sub));
  }

  /** A message came. Positions are offsets in `bytes`; see MsgSink. */
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
  ): void {
    this.inMsgs++;
    this.inBytes += dataEnd - headerStart;
    const sub = this.#table.get(sid);
    // C-PROTO-11: what is in flight after UNSUB is dropped
    if (sub === undefined && sid !== MUX_SID) return;
    const msg = new MsgImpl(
      this.#publisher,
      bytes,
      sid,
      subjectStart,
      subjectEnd,
      replyStart,
      replyEnd,
      headerStart,
      dataStart,
      dataEnd,
    );
    if (sub !== undefined) sub.onMessage(msg);
    else this.#replies.onReply(msg, bytes, subjectStart, subjectEnd);
  }

  /** The lines that tell a new server of every live subscription, with what remains of their counts. */
  lines(): string[] {
    return [...this].flatMap(linesOf);
  }

  /**
   * Ends the subscription that a server error is about: by sid where it is known, else the first live one with that
   * subject and queue (C-ERR-2). True when there was one.
   */
  fail(error: NatsError, sid?: string): boolean {
    for (const sub of this.#table.values()) {
      const found =
        sid === undefined
          ? sub.subject === error.subject && sub.queue === error.queue
          : String(sub.sid) === sid;
      if (!found) continue;
      sub.fail(error);
      return true;
    }
    return false;
  }

  /** Ends the subscription that was added last: what "maximum subscriptions exceeded" is about. */
  failLast(error: NatsError): boolean {
    const last = [...this].at(-1);
    last?.fail(error);
    return last !== undefined;
  }
}

function checkOptions({
  queue,
  callback,
  max,
  timeout,
  concurrency,
  slow,
  limits = {},
}: SubscriptionOptions): void {
  const { messages, bytes, overflow = "drop-newest" } = limits;
  if (queue !== undefined) validateQueue(queue);
  check(
    callback === undefined || typeof callback === "function",
    "callback",
    `of type ${typeof callback}`,
    "a function, or iterate",
  );
  for (const [name, value] of Object.entries({ max, timeout, concurrency, slow, messages, bytes })) {
    const fits = value === undefined || (value > 0 && (name !== "max" || Number.isInteger(value)));
    check(fits, name, value, "a number of 1 or more, or leave it out");
  }
  checkChoice("overflow", overflow, "drop-newest, drop-oldest or close");
}

function linesOf({ subject, queue, sid, max, received }: NatsSubscription): string[] {
  const line = subLine(subject, sid, queue);
  return max > 0 ? [line, unsubLine(sid, max - received)] : [line];
}

/** The line that begins a subscription at the server. */
export function subLine(subject: string, sid: number, queue?: string): string {
  return queue === undefined ? `SUB ${subject} ${sid}\r\n` : `SUB ${subject} ${queue} ${sid}\r\n`;
}
