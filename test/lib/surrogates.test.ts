// Surrogates: which halves are alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { halfPair } from "../../src/lib/surrogates.ts";

test("halves without the other are told with their index; pairs and everything else are fine", () => {
  const alone = (text: string) => [...text.split("").keys()].filter((i) => halfPair(text, i) !== undefined);
  assert.deepEqual(alone("aé€\u{1f9ff}\u{10000}z"), []);
  assert.deepEqual(alone("\ud83e"), [0]);
  assert.deepEqual(alone("a\udfffb"), [1]);
  assert.deepEqual(alone("\udd00\ud83e"), [0, 1]);
  assert.deepEqual(alone("\ud83e\ud83e\udd00"), [0]);
  assert.match(halfPair("a\udfff", 1) ?? "", /index 1: it can't be sent as UTF-8/);
});
