// One line: a text of somebody else's as a header can have it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { oneLine } from "../../src/lib/one-line.ts";

test("line breaks become a blank, however many there are", () => {
  assert.equal(oneLine("a\r\nb\n\nc"), "a b c");
});

test("half of a surrogate pair becomes U+FFFD, also where the text is cut; whole pairs stay", () => {
  assert.equal(oneLine("a\ud800b😀"), "a\ufffdb😀");
  assert.equal(oneLine("ab😀", 3), "ab\ufffd");
  assert.equal(oneLine("ab😀", 4), "ab😀");
});
