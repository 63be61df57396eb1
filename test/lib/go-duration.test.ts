// Tests of lib/go-duration.
import assert from "node:assert/strict";
import { test } from "node:test";
import { goDuration } from "../../src/lib/go-duration.ts";

test("units add up, in any order, with fractions", () => {
  const rows: [string, number][] = [
    ["5s", 5000],
    ["1h30m", 5_400_000],
    ["1m1h", 3_660_000],
    ["1.5s", 1500],
    [".5m", 30_000],
    ["100ms", 100],
    ["1us", 0.001],
    ["1µs1μs", 0.002],
    ["1000000ns", 1],
    ["+5s", 5000],
  ];
  for (const [text, ms] of rows) assert.equal(goDuration(text), ms, text);
});

test("what has no unit, or is something else, is none", () => {
  for (const text of ["", "5", "5 s", "s", "1h30", "-5s", "5d", "1h x", ".s", "1..5s", "NaN", "2562048h"]) {
    assert.equal(goDuration(text), undefined, text);
  }
});
