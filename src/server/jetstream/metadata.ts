// Metadata: of streams and consumers; among it what the server says of them and of itself. For the checks of their configurations.
import { utf8Encoder } from "../../lib/bytes.ts";
import { API_LEVEL, VERSION } from "../version.ts";
import { byBytes } from "./go-json.ts";

type Metadata = Readonly<Record<string, string>>;

const NEEDED = "_nats.req.level";
const OURS = ["_nats.ver", "_nats.level", NEEDED];
const MOST = 131_072;

/** bytes of UTF-8 */
export function bytesOf(text: string): number {
  return utf8Encoder.encode(text).length;
}

export function isTooLarge(metadata: Metadata = {}): boolean {
  return bytesOf(Object.entries(metadata).flat().join("")) > MOST;
}

/** What is kept: that of the client, and the level of the API that it needs. The rest is made when it is shown. */
export function keptMetadata(level: number, given: Metadata = {}): Record<string, string> {
  const own = Object.entries(given).filter(([key]) => !OURS.includes(key));
  return Object.fromEntries(sorted([...own, [NEEDED, String(level)]]));
}

/** As answers have it; `_nats.ver` and `_nats.level` are of the server that answers. */
export function shownMetadata(kept: Metadata = {}): Map<string, string> {
  return new Map(
    sorted([...Object.entries(kept), ["_nats.ver", VERSION], ["_nats.level", String(API_LEVEL)]]),
  );
}

function sorted(entries: [string, string][]): [string, string][] {
  return entries.sort(([a], [b]) => byBytes(a, b));
}
