// Outgoing: one message of a publisher, on its way to a stream, and what becomes of it. Made by jetstream/publisher: a plain object,
// as there is one for every message.
//
//   waiting --> sent --> settled        with its ack, or an error
//                ^ |
//                | +--> refused, for now: sent again when the timer says so
//                | +--> cut, with its link: sent again with the next one
//                '------'
import type { Payload } from "../client/connection.ts";
import type { NatsError } from "../errors.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { Gated } from "./gates.ts";
import { OutcomeUnknownError, type PubAck } from "./pub-ack.ts";
import type { PublishExpectations } from "./publish-options.ts";

export interface Outgoing {
  readonly subject: string;
  readonly payload: Payload | undefined;
  readonly headers: MsgHdrs | undefined;
  readonly gates: readonly Gated[];
  readonly msgID: string | undefined;
  readonly expect: PublishExpectations | undefined;
  resolve(ack: PubAck): void;
  reject(error: unknown): void;
  /** listens to its signal no more */
  deafen: (() => void) | undefined;
  state: "waiting" | "sent" | "refused" | "cut" | "settled";
  /** an ack of it may have got lost: whatever comes but an ack, it may be stored */
  open: boolean;
  token: number;
  attempts: number;
  /** of `performance.now()`: the last time it was sent */
  sentAt: number;
  /** of `performance.now()`, from the first time it was sent */
  deadline: number;
}

/** Has it been sent no more than `retries` times? -1 stands for any number. */
export function mayRepeat({ attempts }: Outgoing, retries: number): boolean {
  return retries < 0 || attempts <= retries;
}

/** May it be sent again without being stored twice, also where it may be stored already? */
export function isRepeatable(one: Outgoing, retries: number): boolean {
  const { msgID, expect = {} } = one;
  // looked at before the id: a message that is stored would be refused for what it changed
  const conditional = expect.lastSequence ?? expect.lastSubjectSequence;
  return msgID !== undefined && conditional === undefined && mayRepeat(one, retries);
}

/** It is over, with its ack or with an error. False when it was over before. */
export function settleOutgoing(one: Outgoing, ack: PubAck | undefined, error: unknown): boolean {
  const { state } = one;
  if (state === "settled") return false;
  one.state = "settled";
  one.deafen?.();
  if (ack !== undefined) one.resolve(ack);
  else if (one.open || state === "sent") {
    one.reject(new OutcomeUnknownError(one.subject, one.msgID, error as NatsError));
  } else one.reject(error);
  return true;
}
