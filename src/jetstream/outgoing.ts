// Outgoing: one message of a publisher, on its way to a stream, and what becomes of it. Made by jetstream/publisher.
//
//   waiting --> sent --> settled        with its ack, or an error
//                ^ |
//                | +--> refused, for now: sent again when the timer says so
//                | +--> cut, with its link: sent again with the next one
//                '------'
import type { Payload } from "../client/connection.ts";
import type { NatsError } from "../errors.ts";
import { aborted } from "../lib/deferred.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { Gated } from "./gates.ts";
import { OutcomeUnknownError, type PubAck } from "./pub-ack.ts";
import type { PublishExpectations } from "./publish-options.ts";

/** What is sent, and how. */
export interface OutgoingMessage {
  readonly subject: string;
  readonly payload: Payload | undefined;
  readonly headers: MsgHdrs | undefined;
  readonly gates: readonly Gated[];
  readonly msgID: string | undefined;
  readonly expect: PublishExpectations | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Who waits for what becomes of it. */
export interface Waiter {
  resolve(ack: PubAck): void;
  reject(error: unknown): void;
}

export class Outgoing {
  readonly message: OutgoingMessage;
  state: "waiting" | "sent" | "refused" | "cut" | "settled" = "waiting";
  /** an ack of it may have got lost: whatever comes but an ack, it may be stored */
  open = false;
  token = 0;
  attempts = 0;
  /** of `performance.now()`: the last time it was sent */
  sentAt = 0;
  /** of `performance.now()`, from the first time it was sent */
  deadline = 0;
  readonly #waiter: Waiter;
  // there while the signal is listened to
  readonly #onAbort: (() => void) | undefined;

  /** `fail` gives up on it: its signal fired */
  constructor(message: OutgoingMessage, waiter: Waiter, fail: (of: Outgoing, error: NatsError) => void) {
    const { subject, signal } = message;
    this.message = message;
    this.#waiter = waiter;
    if (signal === undefined) return;
    this.#onAbort = () => fail(this, aborted(signal, `the publish to '${subject}'`));
    signal.addEventListener("abort", this.#onAbort);
  }

  /** May it be sent `retries` times and once more, without being stored twice? */
  isRepeatable(retries: number): boolean {
    const { msgID, expect = {} } = this.message;
    // looked at before the id: a message that is stored would be refused for what it changed
    const conditional = expect.lastSequence ?? expect.lastSubjectSequence;
    return msgID !== undefined && conditional === undefined && this.mayRepeat(retries);
  }

  /** Has it been sent no more than `retries` times? -1 stands for any number. */
  mayRepeat(retries: number): boolean {
    return retries < 0 || this.attempts <= retries;
  }

  /** It is over, with its ack or with an error. False when it was over before. */
  settle(ack: PubAck | undefined, error?: unknown): boolean {
    const { subject, msgID, signal } = this.message;
    const { state } = this;
    if (state === "settled") return false;
    this.state = "settled";
    if (this.#onAbort !== undefined) signal?.removeEventListener("abort", this.#onAbort);
    if (ack !== undefined) this.#waiter.resolve(ack);
    else if (this.open || state === "sent") {
      this.#waiter.reject(new OutcomeUnknownError(subject, msgID, error as NatsError));
    } else this.#waiter.reject(error);
    return true;
  }
}
