// Subject: the checks that keep malformed names off the wire, matching, and inboxes.
import { InvalidSubjectError } from "../errors.ts";
import { nuid } from "../lib/nuid.ts";
import { halfPair } from "../lib/surrogates.ts";

const DOT = 46;
const STAR = 42;
const GT = 62;

function refuse(what: string, value: unknown, rule: string): never {
  if (typeof value !== "string")
    throw new InvalidSubjectError(`${what} must be a string, got ${typeof value}`);
  // control characters would be invisible
  const shown = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  throw new InvalidSubjectError(`${what} '${shown}' ${rule}`, { subject: value });
}

/** What no name may have, because it would end the name on the wire or change on the way; undefined when all is well. */
function badCharacter(value: string, i: number): string | undefined {
  const c = value.charCodeAt(i);
  if (c === 32) return `has a space at index ${i}`;
  if (c < 32 || (c > 126 && c < 160)) return `has a control character at index ${i}`;
  return halfPair(value, i);
}

function check(subject: unknown, what: string, literal: boolean): void {
  if (typeof subject !== "string" || subject === "") refuse(what, subject, "is empty");
  const length = subject.length;
  // where the token begins
  let start = 0;
  for (let i = 0; i < length; i++) {
    const c = subject.charCodeAt(i);
    // nearly all characters: letters
    if (c > GT && c < 127) continue;
    if (c === DOT) {
      if (i === start) refuse(what, subject, "has an empty token");
      start = i + 1;
    } else if (c <= 32 || c > 126) {
      const bad = badCharacter(subject, i);
      if (bad !== undefined) refuse(what, subject, bad);
    } else if (
      (c === STAR || c === GT) &&
      i === start &&
      (i + 1 === length || subject.charCodeAt(i + 1) === DOT)
    ) {
      // the filter of a consumer is part of the subject that makes it
      if (literal && !subject.includes(".CONSUMER.CREATE."))
        refuse(what, subject, "has a wildcard: it must be one exact subject");
      if (c === GT && i + 1 < length) refuse(what, subject, "has a '>' that is not its last token");
    }
  }
  if (start === length) refuse(what, subject, "has an empty token at its end");
}

/**
 * Refuse what can't be a subject to publish to or to reply to: anything empty, with an empty token, with a wildcard
 * token, with a space or a control character, or with half of a surrogate pair. `what` names it in the message.
 *
 * @throws {@link InvalidSubjectError} INVALID_SUBJECT
 */
export function validatePublishSubject(subject: unknown, what = "subject"): asserts subject is string {
  check(subject, what, true);
}

/**
 * Refuse what can't be subscribed to. Here `*` may be a token, and `>` the last one; within a longer token they are
 * ordinary characters.
 *
 * @throws {@link InvalidSubjectError} INVALID_SUBJECT
 */
export function validateSubscribeSubject(subject: unknown, what = "subject"): asserts subject is string {
  check(subject, what, false);
}

/** Refuse what can't be the name of a queue group. @throws {@link InvalidSubjectError} INVALID_SUBJECT */
export function validateQueue(queue: unknown): asserts queue is string {
  const what = "queue group";
  if (typeof queue !== "string" || queue === "") refuse(what, queue, "is empty");
  for (let i = 0; i < queue.length; i++) {
    const bad = badCharacter(queue, i);
    if (bad !== undefined) refuse(what, queue, bad);
  }
}

/**
 * Refuse what inboxes can't begin with: what is no subject to publish to, and what the server keeps for itself.
 *
 * @throws {@link InvalidSubjectError} INVALID_SUBJECT
 */
export function validateInboxPrefix(prefix: unknown): asserts prefix is string {
  const what = "inbox prefix";
  check(prefix, what, true);
  for (const reserved of ["_R_.", "_GR_.", "$JS.ACK.", "$NRG."]) {
    if (`${prefix as string}.`.startsWith(reserved)) refuse(what, prefix, "is reserved by the server");
  }
}

/** True when the subject has a wildcard token. */
export function isWildcard(subject: string): boolean {
  return /(^|\.)(\*|>$)(\.|$)/.test(subject);
}

/** How many tokens the subject has. */
export function tokenCount(subject: string): number {
  let count = 1;
  for (let i = subject.indexOf("."); i >= 0; i = subject.indexOf(".", i + 1)) count++;
  return count;
}

/** True when a subscription on `filter` receives what is published to `subject`. Both must be valid. */
export function subjectMatches(filter: string, subject: string): boolean {
  let s = 0;
  let f = 0;
  for (; f < filter.length; f++, s++) {
    const c = filter.charCodeAt(f);
    if ((c === STAR || c === GT) && (f === 0 || filter.charCodeAt(f - 1) === DOT)) {
      const whole = f + 1 === filter.length || filter.charCodeAt(f + 1) === DOT;
      if (whole && c === GT) return true;
      if (whole) {
        const dot = subject.indexOf(".", s);
        s = (dot < 0 ? subject.length : dot) - 1;
        continue;
      }
    }
    if (c !== subject.charCodeAt(s)) return false;
  }
  return s === subject.length;
}

/**
 * A subject that nobody else uses: the prefix (default `_INBOX`), a dot, and an id.
 *
 * `ids` is where the id comes from; a `Nuid` is cheaper for many.
 *
 * @throws {@link InvalidSubjectError} INVALID_SUBJECT
 */
export function createInbox(prefix = "", ids: { next(): string } = nuid): string {
  if (prefix === "") prefix = "_INBOX";
  validateInboxPrefix(prefix);
  return `${prefix}.${ids.next()}`;
}
