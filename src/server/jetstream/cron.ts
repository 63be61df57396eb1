// Cron: six fields - second, minute, hour, day of the month, month, day of the week - and when they are next all true.
//
//   0 30 9-17/2 * JAN,feb MON-FRI

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

// least and most of each field, and names that stand for numbers from the least on
const FIELDS: readonly (readonly [least: number, most: number, names?: readonly string[]])[] = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12, MONTHS],
  [0, 6, DAYS],
];

const SHORTHANDS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
  "@monthly": "0 0 0 1 * *",
  "@weekly": "0 0 0 * * 0",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@hourly": "0 0 * * * *",
};

// what is not true within so many years never is
const YEARS = 5;

/** The next time behind `after`, in milliseconds; undefined where there is none. */
export type Cron = (after: number) => number | undefined;

/** `zone`: a name of the IANA, `Local`, or `""` for UTC. Undefined where the text is no pattern. */
export function cron(text: string, zone: string): Cron | undefined {
  const parts = (SHORTHANDS[text] ?? text).trim().split(/\s+/);
  if (parts.length !== FIELDS.length) return undefined;
  const fields = parts.map((part, i) => field(part, ...(FIELDS[i] as (typeof FIELDS)[number])));
  if (!fields.every((one) => one !== undefined)) return undefined;
  const [seconds, minutes, hours, dates, months, days] = fields as [Field, Field, Field, Field, Field, Field];
  // where both say something, one of them is enough
  const either = !dates.any && !days.any;
  const onDay = (at: Date): boolean => {
    const [date, day] = [dates.has(at.getUTCDate()), days.has(at.getUTCDay())];
    return either ? date || day : date && day;
  };
  // in the time of clocks on the wall, as if it were UTC
  const next = (from: number): number | undefined => {
    const at = new Date(from);
    const end = at.getUTCFullYear() + YEARS;
    while (at.getUTCFullYear() <= end) {
      if (!months.has(at.getUTCMonth() + 1)) at.setUTCFullYear(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
      else if (!onDay(at)) at.setUTCDate(at.getUTCDate() + 1);
      else if (!hours.has(at.getUTCHours())) {
        at.setUTCHours(at.getUTCHours() + 1, 0, 0);
        continue;
      } else if (!minutes.has(at.getUTCMinutes())) {
        at.setUTCMinutes(at.getUTCMinutes() + 1, 0);
        continue;
      } else if (!seconds.has(at.getUTCSeconds())) {
        at.setUTCSeconds(at.getUTCSeconds() + 1);
        continue;
      } else return at.getTime();
      at.setUTCHours(0, 0, 0);
    }
    return undefined;
  };
  const offset = offsetOf(zone);
  return (after) => {
    let wall: number | undefined = Math.floor((after + offset(after)) / 1000) * 1000;
    while ((wall = next(wall + 1000)) !== undefined) {
      const guess = wall - offset(wall - offset(after));
      // clocks jump over some times in spring
      if (guess > after && guess + offset(guess) === wall) return guess;
    }
    return undefined;
  };
}

interface Field {
  readonly any: boolean;
  has(value: number): boolean;
}

function field(text: string, least: number, most: number, names: readonly string[] = []): Field | undefined {
  const values = new Set<number>();
  let any = false;
  for (const item of text.toLowerCase().split(",")) {
    if (item === "") continue;
    const [, range = "", step] = /^([^/]+)(?:\/(\d+))?$/.exec(item) ?? [];
    // what is behind it counts for nothing
    const all = /^[*?](-|$)/.test(range);
    if (all && step === undefined) any = true;
    const [, from = "", to] = /^(\+?[a-z\d]+)(?:-(\+?[a-z\d]+))?$/.exec(range) ?? [];
    const first = all ? least : number(from, least, names);
    const last =
      all || (to === undefined && step !== undefined)
        ? most
        : to === undefined
          ? first
          : number(to, least, names);
    if (!(first >= least && last <= most && first <= last) || step === "0") return undefined;
    for (let value = first; value <= last; value += Number(step ?? 1)) values.add(value);
  }
  return { any, has: (value) => values.has(value) };
}

function number(text: string, least: number, names: readonly string[]): number {
  const index = names.indexOf(text);
  return index >= 0 ? index + least : /^\+?\d+$/.test(text) ? Number(text) : NaN;
}

/** @throws {RangeError} where there is no such zone */
export function offsetOf(zone: string): (time: number) => number {
  if (zone === "" || zone === "UTC") return () => 0;
  const format = new Intl.DateTimeFormat("en-US", {
    ...(zone !== "Local" && { timeZone: zone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    const of = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) as number;
    const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
    return wall - Math.floor(time / 1000) * 1000;
  };
}
