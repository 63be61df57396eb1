// TTL: how long a message is kept, as the text of a header (ADR-43).
import { InvalidArgumentError } from "../errors.ts";
import { goDuration } from "../lib/go-duration.ts";

/**
 * Milliseconds as whole seconds, rounded up; a text as it is: digits are seconds, or a Go duration, or `never`.
 *
 * @throws {@link InvalidArgumentError} INVALID_ARGUMENT
 */
export function ttlText(name: string, ttl: number | string): string {
  const seconds = typeof ttl === "number";
  const ms = seconds ? ttl : /^\d+$/.test(ttl) ? Number(ttl) * 1000 : goDuration(ttl);
  if (ttl !== "never" && !(ms !== undefined && ms >= 1000 && ms < Infinity)) {
    throw new InvalidArgumentError(
      `${name} is ${JSON.stringify(ttl)}: give milliseconds, seconds as text, a duration as "1h30m", or "never"; ` +
        "one second or more",
    );
  }
  return seconds ? String(Math.ceil(ttl / 1000)) : ttl;
}
