// Verb: one kind of request to the API, and what a call of it brings along. The tables of stream-api and consumer-api hold them.
import type { Message } from "../message.ts";
import type { JetStream } from "./jetstream.ts";

/** One request. */
export interface Call {
  readonly js: JetStream;
  /** the tokens that stand for `*` and `>` of the verb: `["S", "c"]` for `CONSUMER.INFO.S.c` */
  readonly tokens: readonly string[];
  /** the payload, as text */
  readonly body: string;
  readonly header: Uint8Array;
  readonly message: Message;
}

/** The answer, without `type`. Undefined: none at all. @throws {Refusal} which makes the answer an error */
export type Handler = (call: Call) => object | undefined;

export interface Verb {
  /** behind `$JS.API.`; `*` and `>` are tokens of the call */
  readonly subject: string;
  /** `io.nats.jetstream.api.v1.<type>_response` */
  readonly type: string;
  readonly handle: Handler;
  /** what the answer has beside an error */
  readonly zeros?: object;
  /** a message header for the level of the API is looked at by the handler (it reads the body first) */
  readonly levelLater?: boolean;
  /** the calls that are counted and audited; default: all */
  readonly counted?: "errors" | "none";
}
