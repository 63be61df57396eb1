// Go time: RFC 3339 text as Go reads and writes it again, with the errors it has for what is none.
import { goQuote } from "./go-text.ts";
import { GoError } from "./go-error.ts";

const LAYOUT = "2006-01-02T15:04:05Z07:00";

// what the layout is made of: its name in errors, what it takes, and the range that its number has
const PARTS: readonly (readonly [
  name: string,
  shape: RegExp,
  what?: string,
  least?: number,
  most?: number,
])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/, "month", 1, 12],
  ["-", /^-/],
  ["02", /^\d\d/, "day", 1, 31],
  ["T", /^T/],
  ["15", /^\d\d/, "hour", 0, 23],
  [":", /^:/],
  ["04", /^\d\d/, "minute", 0, 59],
  [":", /^:/],
  ["05", /^\d\d(?:[.,]\d+)?/, "second", 0, 59],
  ["Z07:00", /^(?:Z|[+-]\d\d:\d\d)/],
];

/** The text as Go writes it again. @throws {Error} with the text of Go's error */
export function readTime(text: string): string {
  const of = `parsing time ${goQuote(text)}`;
  const read: string[] = [];
  let rest = text;
  let range = "";
  for (const [name, shape, what, least = 0, most = 0] of PARTS) {
    const [part] = shape.exec(rest) ?? [];
    if (part === undefined) {
      throw new GoError(`${of} as "${LAYOUT}": cannot parse ${goQuote(rest)} as "${name}"`);
    }
    const value = Number.parseInt(part, 10);
    if (what !== undefined && (value < least || value > most))
      throw new GoError(`${of}: ${what} out of range`);
    read.push(part);
    rest = rest.slice(part.length);
  }
  const [year, , month, , day, , , , , , second = "", zone = ""] = read;
  const [whole = "", fraction = ""] = second.split(/[.,]/);
  if (Number(zone.slice(1, 3)) > 24) range = "time zone offset hour out of range";
  else if (Number(zone.slice(4)) > 60) range = "time zone offset minute out of range";
  else if (rest !== "") range = `extra text: ${goQuote(rest)}`;
  else if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day)) {
    range = "day out of range";
  }
  if (range !== "") throw new GoError(`${of}: ${range}`);
  const digits = fraction.slice(0, 9).replace(/0+$/, "");
  const offset = zone.slice(1) === "00:00" ? "Z" : zone;
  return `${read.slice(0, 10).join("")}${whole}${digits === "" ? "" : `.${digits}`}${offset}`;
}

/** Milliseconds since 1970, with fractions, of a text that `readTime` gave. */
export function timeOf(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  return Date.parse(text.replace(/\.\d+/, "")) + Number(`0.${fraction}`) * 1000;
}
