// Subscriptions: the table of live subscriptions by sid; takes what the decoder found and gives it to whom it is for.
import type { NatsError } from "../errors.ts";
import { NatsSubscription, type SubscriptionHost } from "./subscription.ts";
import type { Publisher, SubscriptionOptions } from "./connection.ts";
import type { MsgSink } from "../protocol/client-role.ts";
import { MsgImpl } from "./message.ts";

/** The sid of the shared inbox of all requests. */
export const MUX_SID = 1;

/** Takes the replies that come to the shared inbox. */
export type ReplySink = (msg: MsgImpl, bytes: Uint8Array, subjectStart: number, subjectEnd: number) => void;

/** All subscriptions of one connection. They survive its links. */
export class Subscriptions implements MsgSink {
  inMsgs = 0;
  inBytes = 0;
  /** ended, with callbacks that still run */
  readonly ending: Set<NatsSubscription> = new Set();
  readonly #table = new Map<number, NatsSubscription>();
  readonly #publisher: Publisher;
  readonly #onReply: ReplySink;
  #nextSid = MUX_SID + 1;

  constructor(publisher: Publisher, onReply: ReplySink) {
    this.#publisher = publisher;
    this.#onReply = onReply;
  }

  get size(): number {
    return this.#table.size;
  }

  [Symbol.iterator](): IterableIterator<NatsSubscription> {
    return this.#table.values();
  }

  add(host: SubscriptionHost, subject: string, options: SubscriptionOptions): NatsSubscription {
    const sub = new NatsSubscription(host, this.#nextSid++, subject, options);
    this.#table.set(sub.sid, sub);
    return sub;
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
    else this.#onReply(msg, bytes, subjectStart, subjectEnd);
  }

  /** The lines that tell a new server of every live subscription, with what remains of their counts. */
  *lines(): Generator<string> {
    for (const sub of this.#table.values()) {
      yield subLine(sub.subject, sub.queue, sub.sid);
      if (sub.max > 0) yield `UNSUB ${sub.sid} ${sub.max - sub.received}\r\n`;
    }
  }

  /**
   * Ends the subscription that a server error is about: by sid where it is known, else the first live one with that
   * subject and queue (C-ERR-2). True when there was one.
   */
  fail(error: NatsError, sid?: number): boolean {
    for (const sub of this.#table.values()) {
      const found =
        sid === undefined ? sub.subject === error.subject && sub.queue === error.queue : sub.sid === sid;
      if (!found) continue;
      sub.fail(error);
      return true;
    }
    return false;
  }

  /** Ends the subscription that was added last: what "maximum subscriptions exceeded" is about. */
  failLast(error: NatsError): boolean {
    let last: NatsSubscription | undefined;
    for (const sub of this.#table.values()) last = sub;
    last?.fail(error);
    return last !== undefined;
  }
}

export function subLine(subject: string, queue: string | undefined, sid: number): string {
  return queue === undefined ? `SUB ${subject} ${sid}\r\n` : `SUB ${subject} ${queue} ${sid}\r\n`;
}
