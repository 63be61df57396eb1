// Tests of src/auth/base32.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase32, encodeBase32 } from "../../src/auth/base32.ts";
import { draws } from "../fixtures/draws.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test("the examples of RFC 4648 are written without padding and read back", () => {
  const examples = {
    "": "",
    f: "MY",
    fo: "MZXQ",
    foo: "MZXW6",
    foob: "MZXW6YQ",
    fooba: "MZXW6YTB",
    foobar: "MZXW6YTBOI",
  };
  for (const [plain, written] of Object.entries(examples)) {
    assert.equal(encodeBase32(bytesOf(plain)), written);
    assert.deepEqual(decodeBase32(written), bytesOf(plain));
  }
});

test("any bytes survive the round trip", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.deepEqual(decodeBase32(encodeBase32(bytes)), Uint8Array.from(bytes));
    }),
    draws(100),
  );
});

test("only one text stands for given bytes: every text that is read is the one that is written", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ABYZ27"), maxLength: 12 }), (text) => {
      const bytes = decodeBase32(text);
      if (bytes) assert.equal(encodeBase32(bytes), text);
    }),
    draws(1000),
  );
});

test("lower case, padding, other characters, spare bits and spare characters are refused", () => {
  for (const text of ["my", "MY======", "M1", "M8", "M-", "M ", "MÄ", "MZ", "A", "MZX", "MZXW6A", "😀A"]) {
    assert.equal(decodeBase32(text), undefined, text);
  }
});
