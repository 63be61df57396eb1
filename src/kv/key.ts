// Key: names of buckets and keys, and filters of keys; checked before anything is sent (ADR-6).
import { check } from "../lib/check.ts";

const TOKEN = String.raw`[-/=\w]+`;
const KEY = new RegExp(`^${TOKEN}(\\.${TOKEN})*$`);
const FILTER = new RegExp(`^(>|(${TOKEN}|\\*)(\\.(${TOKEN}|\\*))*(\\.>)?)$`);

// a subject and what is around it must fit into a line of the server, 4096 bytes by default: one that does not costs the link
const LONGEST = 3500;

function checkText(what: string, value: unknown, rule: RegExp, allowed: string): void {
  if (typeof value !== "string" || !rule.test(value)) {
    return check(false, what, JSON.stringify(value), allowed);
  }
  const { length } = value;
  check(length <= LONGEST, `the length of ${what}`, length, `${LONGEST} characters at most`);
}

/** @throws {@link NatsError} INVALID_ARGUMENT */
export function validateBucket(name: unknown): asserts name is string {
  checkText("the name of the bucket", name, /^[-\w]+$/, "letters, digits, _ and - only");
}

/** @throws {@link NatsError} INVALID_ARGUMENT */
export function validateKey(key: unknown): asserts key is string {
  checkText("the key", key, KEY, "tokens with a dot between them, of letters, digits and _ - / = only");
}

/** @throws {@link NatsError} INVALID_ARGUMENT */
export function validateFilter(filter: unknown): asserts filter is string {
  checkText("the filter of keys", filter, FILTER, "a key in which * may be a token, and > the last one");
}

/** Does it stand for more than one key? */
export function isFilter(key: string): boolean {
  return /(^|\.)[*>](\.|$)/.test(key);
}
