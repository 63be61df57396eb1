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

/** What the text begins with is in lower case; `""` stands for any. `once` is of a fetch or next, `always` of a consume. */
type Rule = readonly [code: number, text: string, kind: StatusKind, once: Reaction, always: Reaction];

/** The first that matches counts. */
const RULES: readonly Rule[] = [
  // code  text begins with  kind  fetch  consume
  [404, "no messages", "over", "end", "again"],
  [408, "request timeout", "over", "end", "again"],
  [408, "interest expired", "over", "end", "again"],
  [408, "requests pending", "over", "end", "later"],
  [409, "message size exceeds maxbytes", "too-large", "end", "again"],
  [409, "batch completed", "over", "end", "again"],
  [409, "exceeded maxwaiting", "busy", "error", "later"],
  [409, "exceeded maxrequest", "limit", "error", "later"],
  [409, "leadership change", "lost", "later", "later"],
  [409, "server shutdown", "lost", "later", "later"],
  [409, "consumer deleted", "deleted", "error", "error"],
  [409, "consumer is push based", "refused", "error", "error"],
  [412, "", "refused", "error", "error"],
  [423, "", "unpinned", "again", "again"],
  [400, "", "refused", "error", "error"],
  [503, "", "absent", "check", "check"],
];

const UNKNOWN: Rule = [0, "", "unknown", "note", "note"];

/** What a status line says (C-STAT-1: by number, and by the beginning of the text whatever its case). */
export function readStatus(code: number, text: string): Rule {
  const lower = text.toLowerCase();
  return RULES.find((rule) => rule[0] === code && lower.startsWith(rule[1])) ?? UNKNOWN;
}

/** The number in a header of a status; undefined where it isn't there. */
export function numberIn(headers: MsgHdrs, name: string): number | undefined {
  const value = headers.get(name);
  return value === "" ? undefined : Number(value);
}
