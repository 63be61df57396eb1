// Go text: quotes and JSON as a server written in Go writes them. What differs from ours is visible on the wire.

const ESCAPES: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON; `<`, `>` and `&` are escaped. A Map keeps the order of its keys, which an object doesn't when some are numbers. */
export function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    const fields = entries.filter(([, field]) => field !== undefined);
    return `{${fields.map(([name, field]) => `${goJson(name)}:${goJson(field)}`).join(",")}}`;
  }
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => ESCAPES[char] as string);
}

const SHORT: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** A text in quotes, as `%q` makes it. */
export function goQuote(text: string): string {
  const quoted = text.replace(/[\x22\\\p{C}\p{Z}]/gu, (char) => {
    if (char === " ") return char;
    const short = SHORT[char];
    if (short !== undefined) return short;
    const code = char.codePointAt(0) as number;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${quoted}"`;
}

/** No time at all. */
export const NO_TIME = "0001-01-01T00:00:00Z";

/** RFC 3339 with up to nine digits of a second, without zeros at the end. `ms` may have fractions. */
export function goTime(ms: number): string {
  const whole = Math.floor(ms);
  const nanos = Math.floor((ms - whole) * 1e6);
  const text = new Date(whole).toISOString();
  const digits = `${text.slice(20, 23)}${String(nanos).padStart(6, "0")}`.replace(/0+$/, "");
  return `${text.slice(0, 19)}${digits === "" ? "" : `.${digits}`}Z`;
}

/** Nanoseconds since 1970, as digits. `ms` may have fractions. */
export function goNanos(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, "0")}`;
}

/** A duration as Go writes it: `1m30s`, `1.5s`, `100ms`, `0s`. */
export function goDurationText(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 0) return `-${goDurationText(-ms)}`;
  if (ms < 1000) {
    const [unit, of] = ms >= 1 ? ["ms", 1] : ms >= 1e-3 ? ["µs", 1e-3] : ["ns", 1e-6];
    return `${digits(ms / of)}${unit}`;
  }
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${digits((ms - minutes * 60_000) / 1000)}s`;
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes % 60}m` : ""}${seconds}`;
}

// Up to nine behind the point, none of them a zero at the end.
function digits(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, "");
}
