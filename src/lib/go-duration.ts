// Go duration: texts such as 1h30m, as servers read them.

const MS: Record<string, number> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
// nanoseconds have 63 bits
const LONGEST = 2 ** 63 / 1e6;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/;

/** The milliseconds of a duration, up to 292 years; undefined when the text is none. */
export function goDuration(text: string): number | undefined {
  let ms = 0;
  const rest = text.replace(/^\+/, "").replace(new RegExp(PART, "g"), (_, count: string, unit: string) => {
    ms += Number(count) * (MS[unit.replace(/[µμ]/, "u")] as number);
    return "";
  });
  return text !== "" && rest === "" && ms < LONGEST ? ms : undefined;
}
