// Counter: `Nats-Incr` adds to the value of a subject, which is the payload of its last message. Used by draft.
import { utf8Decoder, utf8Encoder } from "../../lib/bytes.ts";
import type { Arrival } from "./arrival.ts";
import type { View } from "./draft.ts";
import { refuse } from "./refusal.ts";

export const INCREMENT = "Nats-Incr";
/** what of the value came from counters of other streams */
export const COUNTED = "Nats-Counter-Sources";

/** What is added; undefined where the message is no increment. @throws {Refusal} */
export function increment({ asks, data }: Arrival, { config }: View): bigint | undefined {
  const text = asks.get(INCREMENT) ?? "";
  if (text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text)) refuse(10171);
  if (config.allow_msg_counter !== true) refuse(10168);
  if (data.length > 0) refuse(10170);
  for (const name of asks.keys()) {
    const counts = name === "Nats-Rollup" || name.startsWith("Nats-Expected-");
    if (counts && asks.get(name) !== "") refuse(10171);
  }
  return BigInt(text.replace("+", ""));
}

/** The value of a payload; undefined where it is none. */
export function counterValue(data: Uint8Array): bigint | undefined {
  try {
    const { val } = JSON.parse(utf8Decoder.decode(data)) as { val?: unknown };
    return typeof val === "string" && /^-?\d+$/.test(val) ? BigInt(val) : undefined;
  } catch {
    return undefined;
  }
}

/** The value after an increment. @throws {Refusal} 10172 */
export function incremented(subject: string, by: bigint, view: View): bigint {
  const latest = view.latest(subject);
  return (latest === undefined ? 0n : (counterValue(latest.data) ?? refuse(10172))) + by;
}

export function counterPayload(value: bigint): Uint8Array {
  return utf8Encoder.encode(`{"val":"${value}"}`);
}
