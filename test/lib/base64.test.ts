// Tests of src/lib/base64.ts.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64, encodeBase64, encodeBase64Url } from "../../src/lib/base64.ts";
import { draws } from "../fixtures/draws.ts";

test("bytes are written as RFC 4648 says, in both alphabets, and read back from both", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      assert.equal(encodeBase64(bytes), buffer.toString("base64"));
      assert.equal(encodeBase64Url(bytes), buffer.toString("base64url"));
      assert.deepEqual(decodeBase64(encodeBase64(bytes)), Uint8Array.from(bytes));
      assert.deepEqual(decodeBase64(encodeBase64Url(bytes)), Uint8Array.from(bytes));
    }),
    draws(100),
  );
});

test("a large array is no trouble", () => {
  const bytes = new Uint8Array(300_001).fill(251);
  assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString("base64"));
});

test("what is not base64 is undefined", () => {
  for (const text of [
    "a",
    "abcde",
    "ab cd",
    "ab\n==",
    "ab=",
    "abc==",
    "a=bc",
    "ab===",
    "äb==",
    "=",
    "====",
  ]) {
    assert.equal(decodeBase64(text), undefined, JSON.stringify(text));
  }
});
