import assert from "node:assert/strict";
import { test } from "node:test";
import { cron } from "../../src/server/jetstream/cron.ts";

const at = (text: string): number => Date.parse(text);

const NEXT: readonly (readonly [pattern: string, zone: string, after: string, next: string])[] = [
  ["* * * * * *", "", "2026-01-01T00:00:00.500Z", "2026-01-01T00:00:01Z"],
  ["0 * * * * *", "", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"],
  ["30 */15 * * * *", "", "2026-01-01T00:15:30Z", "2026-01-01T00:30:30Z"],
  ["0 5/15 * * * *", "", "2026-01-01T00:51:00Z", "2026-01-01T01:05:00Z"],
  ["0 0 9-17/4 * * *", "", "2026-01-01T17:00:00Z", "2026-01-02T09:00:00Z"],
  ["0 0 12 * * MON-FRI", "", "2026-01-02T12:00:00Z", "2026-01-05T12:00:00Z"],
  ["0 0 0 31 * ?", "", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"],
  ["0 0 0 29 feb *", "", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"],
  ["0 0 0 1 * 0", "", "2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z"],
  ["@hourly", "", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00Z"],
  ["@daily", "", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"],
  ["@weekly", "", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"],
  ["@monthly", "", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
  ["@yearly", "", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"],
  ["0 0 8 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T07:00:00Z"],
  ["0 0 8 * * *", "Europe/Berlin", "2026-07-01T07:00:00Z", "2026-07-02T06:00:00Z"],
  // clocks go from 2:00 to 3:00
  ["0 30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-30T00:30:00Z"],
  ["0 0 3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"],
  ["0 0 0 * * *", "America/New_York", "2026-06-15T05:00:00Z", "2026-06-16T04:00:00Z"],
];

for (const [pattern, zone, after, next] of NEXT) {
  test(`'${pattern}' is next true at ${next}, in ${zone || "UTC"} after ${after}`, () => {
    assert.equal(cron(pattern, zone)?.(at(after)), at(next));
  });
}

for (const pattern of [
  "* * * * *",
  "60 * * * * *",
  "0 0 0 1 * 7",
  "0 0 0 0 * *",
  "a * * * * *",
  "5-1 * * * * *",
  "*/0 * * * * *",
  "@never",
  "",
]) {
  test(`'${pattern}' is no pattern`, () => {
    assert.equal(cron(pattern, ""), undefined);
  });
}

test("the 31st of February never comes", () => {
  assert.equal(cron("0 0 0 31 2 *", "")?.(0), undefined);
});
