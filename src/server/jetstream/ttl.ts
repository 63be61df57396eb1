// TTL: how long a single message shall be kept, as its header says.
import { goDuration } from "../../lib/go-duration.ts";

export const TTL = "Nats-TTL";
/** not even `max_age` removes it */
export const NEVER: number = Infinity;

/** Milliseconds, in whole seconds; {@link NEVER}; undefined where the text is no such thing. */
export function ttlOf(text: string): number | undefined {
  if (text.toLowerCase() === "never") return NEVER;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : (goDuration(text) ?? 0);
  return ms < 1000 ? undefined : ms - (ms % 1000);
}
