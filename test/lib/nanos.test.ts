// Nanos: both directions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { millis, nanos } from "../../src/lib/nanos.ts";

test("nanos multiplies by a million, millis divides and rounds down (C-ADR1-5)", () => {
  assert.deepEqual([nanos(0), nanos(1), nanos(1500)], [0, 1_000_000, 1_500_000_000]);
  assert.deepEqual([millis(0), millis(999_999), millis(1_999_999), millis(5e9)], [0, 0, 1, 5000]);
});
