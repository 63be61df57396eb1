// Arrival: a message that came to a stream, under the subject it will have, with the headers that say what to do with it.
import { concat, utf8Decoder, utf8Encoder } from "../../lib/bytes.ts";
import { withoutHeaders } from "../header-block.ts";

/** Headers by their names, of which the first counts. */
export interface Asks {
  readonly size: number;
  get(name: string): string | undefined;
  has(name: string): boolean;
  keys(): Iterable<string>;
}

export interface Arrival {
  readonly subject: string;
  readonly header: Uint8Array;
  readonly data: Uint8Array;
  /** those that begin with `Nats-`, by their exact names; the first of each */
  readonly asks: Asks;
}

/** the header that makes a message one of an atomic batch */
export const BATCH_ID = "Nats-Batch-Id";
/** the header of what is added to a counter */
export const INCREMENT = "Nats-Incr";
/** how the reply of a message of a fast batch ends */
export const FAST = ".$FI";
const NOTHING: Asks = { size: 0, get: () => undefined, has: () => false, keys: () => [] };
const VERSION = utf8Encoder.encode("NATS/1.0");
const REQUEST_INFO = "Nats-Request-Info";

/** Read the headers. A status and what a service import added are not kept. */
export function arrival(subject: string, header: Uint8Array, data: Uint8Array): Arrival {
  if (header.length === 0) return { subject, header, data, asks: NOTHING };
  const asks = asked(header);
  const end = header.indexOf(13);
  if (end > VERSION.length && VERSION.every((byte, i) => byte === header[i]))
    header = concat([VERSION, header.subarray(end)]);
  if (asks.has(REQUEST_INFO)) header = withoutHeaders(header, (name) => name === REQUEST_INFO);
  return { subject, header, data, asks };
}

/** The headers of a block that begin with `Nats-`. */
export function asked(header: Uint8Array): Asks {
  if (header.length === 0) return NOTHING;
  const asks = new Map<string, string>();
  const lines = utf8Decoder.decode(header).split("\r\n");
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    const colon = line.indexOf(":");
    if (colon < 0 || !line.startsWith("Nats-")) continue;
    const name = line.slice(0, colon);
    if (!asks.has(name)) asks.set(name, line.slice(colon + 1).replace(/^ +/, ""));
  }
  return asks;
}
