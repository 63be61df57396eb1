// Tests of src/codec/text.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { text } from "../../src/codec/text.ts";
import { draws } from "../fixtures/draws.ts";

test("every string survives the round trip, a byte order mark included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      assert.equal(text.decode(text.encode(value)), value);
    }),
    draws(100),
  );
  assert.equal(text.decode(text.encode("\ufeffa")), "\ufeffa");
  assert.deepEqual(text.encode("é"), Uint8Array.of(0xc3, 0xa9));
});

test("bytes that are not UTF-8 are a CODEC error with its cause", () => {
  assert.throws(
    () => text.decode(Uint8Array.of(0xff)),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, "CODEC");
      assert.ok(error.cause instanceof TypeError);
      return true;
    },
  );
});

test("what is not a string is a CODEC error", () => {
  for (const value of [7, undefined, null, {}]) {
    assert.throws(() => text.encode(value as never), { code: "CODEC" });
  }
});
