// Time: texts of moments, to the nanosecond.

// RFC 3339, and what Go makes of a time: 2026-08-21 15:04:05.999 +0000 UTC
const MOMENT = /^(\d+-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)? ?(Z|[+-]\d\d:?\d\d)/;

/** Nanoseconds since 1970; undefined when the text is no time. */
export function nanosOf(text: string): bigint | undefined {
  const [, day, time, fraction = "", zone = ""] = MOMENT.exec(text) ?? [];
  const ms = Date.parse(`${day}T${time}${zone.replace(/(\d\d)(\d\d)$/, "$1:$2")}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
