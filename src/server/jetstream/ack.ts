// Ack: what a client says of a message that it got, and to which subject.
//
//   $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time ns>.<pending>
import { goDuration } from "../../lib/go-duration.ts";
import { utf8Decoder } from "../../lib/bytes.ts";

/** What was said. `none`: nothing that means anything. */
export type Said =
  | { readonly kind: "ack" | "progress" | "none" }
  /** `delay`: milliseconds; undefined for at once */
  | { readonly kind: "nak"; readonly delay: number | undefined }
  | { readonly kind: "term"; readonly reason: string }
  /** `request`: the body of a pull */
  | { readonly kind: "next"; readonly request: string };

const ACK: Said = { kind: "ack" };

/** What the payload of an acknowledgement says. */
export function parseAck(data: Uint8Array): Said {
  if (data.length === 0) return ACK;
  const text = utf8Decoder.decode(data);
  if (text === "+ACK" || text === "+OK") return ACK;
  if (text === "+WPI") return { kind: "progress" };
  if (text.startsWith("-NAK")) return { kind: "nak", delay: delayOf(text.slice(4).trim()) };
  if (text.startsWith("+TERM")) return { kind: "term", reason: text.slice(5).trim() };
  if (text.startsWith("+NXT")) return { kind: "next", request: text.slice(4).trim() };
  return { kind: "none" };
}

function delayOf(text: string): number | undefined {
  if (!text.startsWith("{")) return goDuration(text);
  try {
    const { delay } = JSON.parse(text) as { delay?: unknown };
    return typeof delay === "number" ? delay / 1e6 : undefined;
  } catch {
    return undefined;
  }
}
