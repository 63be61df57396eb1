// Counter: `Nats-Incr` adds to the value of a subject, which is the payload of its last message. One of the extras.
import { Empty, utf8Decoder, utf8Encoder } from "../../lib/bytes.ts";
import { withHeaders } from "../header-block.ts";
import { type Arrival, asked, INCREMENT } from "./arrival.ts";
import { checkSize, type Draft, type View } from "./draft.ts";
import { refuseExtra } from "./extra-refusal.ts";
import { refuse } from "./refusal.ts";
import { invalid, type WholeStreamConfig } from "./stream-config.ts";

/** what of the value came from counters of other streams */
export const COUNTED = "Nats-Counter-Sources";

/** What is added; undefined where the message is no increment. @throws {Refusal} */
export function increment({ asks, data }: Arrival, { config }: View): bigint | undefined {
  const text = asks.get(INCREMENT) ?? "";
  if (text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text)) refuseExtra(10171);
  if (config.allow_msg_counter !== true) refuse(10168);
  if (data.length > 0) refuseExtra(10170);
  for (const name of asks.keys()) {
    const counts = name === "Nats-Rollup" || name.startsWith("Nats-Expected-");
    if (counts && asks.get(name) !== "") refuseExtra(10171);
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

/** What is stored of an increment: the new value. @throws {Refusal} 10054, 10172 */
export function counted(
  subject: string,
  header: Uint8Array,
  by: bigint,
  view: View,
): Pick<Draft, "header" | "data" | "value"> {
  const latest = view.latest(subject);
  const value = (latest === undefined ? 0n : (counterValue(latest.data) ?? refuseExtra(10172))) + by;
  const others = asked(latest?.header ?? Empty).get(COUNTED);
  const kept = {
    header: others === undefined ? header : withHeaders(header, [[COUNTED, others]]),
    data: counterPayload(value),
  };
  checkSize(kept, view);
  return { ...kept, value };
}

export function counterPayload(value: bigint): Uint8Array {
  return utf8Encoder.encode(`{"val":"${value}"}`);
}

/** What a stream of counters can't be besides. @throws {Refusal} 10052 */
export function checkCounter(config: WholeStreamConfig): void {
  if (!config.allow_msg_counter) return;
  if (config.discard === "new") invalid("counter stream cannot use discard new");
  if (config.allow_msg_ttl) invalid("counter stream cannot use message TTLs");
  if (config.allow_msg_schedules) invalid("counter stream cannot use message schedules");
  if (config.retention !== "limits") invalid("counter stream can only use limits retention");
}
