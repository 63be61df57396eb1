// Header block: reads and extends the bytes of a message's header, as the server does: by exact name, without judging the rest.
import { concat, Empty, utf8Decoder, utf8Encoder } from "../lib/bytes.ts";

const LINE_FEED = 10;

/** The value of the first line that begins with exactly `name:`, without the blanks before it; undefined where there is none. */
export function headerValue(header: Uint8Array, name: string): string | undefined {
  const { length } = name;
  for (let at = header.indexOf(LINE_FEED) + 1; at > 0; at = header.indexOf(LINE_FEED, at) + 1) {
    if (header[at + length] !== 58 || !begins(header, at, name)) continue;
    let from = at + length + 1;
    while (header[from] === 32) from++;
    const end = header.indexOf(13, from);
    return end < 0 ? undefined : utf8Decoder.decode(header.subarray(from, end));
  }
  return undefined;
}

function begins(header: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (header[at + i] !== name.charCodeAt(i)) return false;
  return true;
}

/** The block with more lines at its end: `name: value`. A block of its own where there is none. */
export function withHeaders(
  header: Uint8Array,
  lines: readonly (readonly [name: string, value: string | number])[],
): Uint8Array {
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  if (header.length === 0) return utf8Encoder.encode(`NATS/1.0\r\n${text}\r\n`);
  return concat([header.subarray(0, -2), utf8Encoder.encode(`${text}\r\n`)]);
}

/** The block without the lines whose name `drops` says yes to; empty when nothing is left. */
export function withoutHeaders(header: Uint8Array, drops: (name: string) => boolean): Uint8Array {
  const [first = "", ...lines] = utf8Decoder.decode(header).split("\r\n");
  const kept = lines.filter((line) => line !== "" && !drops(line.slice(0, Math.max(0, line.indexOf(":")))));
  return kept.length === 0 ? Empty : utf8Encoder.encode(`${first}\r\n${kept.join("\r\n")}\r\n\r\n`);
}
