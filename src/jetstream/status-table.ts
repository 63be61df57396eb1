// Status table: what each status line means for the pulls of a consumer (conformance 10.4), as data. Read by jetstream/puller.
import type { MsgHdrs } from "../protocol/headers.ts";

/** What a status says. */
export type StatusKind =
  /** this pull is over, as it was asked for */
  | "over"
  /** this pull is over because the next message is larger than the bytes it has left */
  | "too-large"
  /** all pulls are lost: who served them does no longer */
  | "lost"
  /** a limit of the consumer is in the way of this pull */
  | "limit"
  /** too many pulls wait */
  | "busy"
  /** another client has the pin */
  | "unpinned"
  /** nobody serves this consumer right now: it may be gone, or have no leader */
  | "absent"
  /** the consumer is gone */
  | "deleted"
  /** it will never be served: the request, or the kind of the consumer, is wrong */
  | "refused"
  /** a status this version does not know */
  | "unknown";

/** What a flow does about it. */
export type Reaction =
  /** nothing but to note it */
  | "note"
  /** the flow ends, as asked for; what arrived is handed over */
  | "end"
  /** the flow ends with an error */
  | "error"
  /** pull again, for what is missing */
  | "again"
  /** pull again after a wait: the reason may last */
  | "later"
  /** make sure that the consumer is there, then pull again */
  | "check";

interface Rule {
  readonly code: number;
  /** what the text begins with, in lower case; `""` for any */
  readonly text: string;
  readonly kind: StatusKind;
  /** of a fetch or next */
  readonly once: Reaction;
  /** of a consume */
  readonly always: Reaction;
}

const rule = (code: number, text: string, kind: StatusKind, once: Reaction, always: Reaction): Rule => ({
  code,
  text,
  kind,
  once,
  always,
});

/** The first that matches counts. */
const RULES: readonly Rule[] = [
  //   code  text begins with                 kind            fetch    consume
  rule(404, "no messages", "over", "end", "again"),
  rule(408, "request timeout", "over", "end", "again"),
  rule(408, "interest expired", "over", "end", "again"),
  rule(408, "requests pending", "over", "end", "later"),
  rule(409, "message size exceeds maxbytes", "too-large", "end", "again"),
  rule(409, "batch completed", "over", "end", "again"),
  rule(409, "exceeded maxwaiting", "busy", "error", "later"),
  rule(409, "exceeded maxrequest", "limit", "error", "later"),
  rule(409, "leadership change", "lost", "later", "later"),
  rule(409, "server shutdown", "lost", "later", "later"),
  rule(409, "consumer deleted", "deleted", "error", "error"),
  rule(409, "consumer is push based", "refused", "error", "error"),
  rule(412, "", "refused", "error", "error"),
  rule(423, "", "unpinned", "again", "again"),
  rule(400, "", "refused", "error", "error"),
  rule(503, "", "absent", "check", "check"),
];

const UNKNOWN: Rule = rule(0, "", "unknown", "note", "note");

/** What a status line says (C-STAT-1: by number, and by the beginning of the text whatever its case). */
export function readStatus(code: number, text: string): Rule {
  const lower = text.toLowerCase();
  return RULES.find((one) => one.code === code && lower.startsWith(one.text)) ?? UNKNOWN;
}

/** The number in a header of a status; undefined where it isn't there. */
export function numberIn(headers: MsgHdrs, name: string): number | undefined {
  const value = headers.get(name);
  return value === "" ? undefined : Number(value);
}
