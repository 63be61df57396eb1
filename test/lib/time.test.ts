// Time: the texts of moments that servers write.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nanosOf } from "../../src/lib/time.ts";

const at = BigInt(Date.UTC(2026, 7, 21, 15, 4, 5)) * 1_000_000n;

const cases: Record<string, bigint | undefined> = {
  "2026-08-21T15:04:05Z": at,
  "2026-08-21T15:04:05.123456789Z": at + 123_456_789n,
  "2026-08-21T15:04:05.5Z": at + 500_000_000n,
  "2026-08-21T17:04:05.000000001+02:00": at + 1n,
  "2026-08-21 15:04:05.999 +0000 UTC": at + 999_000_000n,
  "0001-01-01T00:00:00Z": BigInt(Date.parse("0001-01-01T00:00:00Z")) * 1_000_000n,
  "2026-13-21T15:04:05Z": undefined,
  "21 August": undefined,
  "": undefined,
};

for (const [text, nanos] of Object.entries(cases)) {
  test(`'${text}' is ${nanos === undefined ? "no time" : `${nanos} ns`} (C-ADR31-2)`, () => {
    assert.equal(nanosOf(text), nanos);
  });
}
