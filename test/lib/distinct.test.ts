import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { utf8Encoder } from "../../src/lib/bytes.ts";
import { Distinct } from "../../src/lib/distinct.ts";
import { draws } from "../fixtures/draws.ts";

// somewhere among other bytes
function add(distinct: Distinct, text: string): void {
  const bytes = utf8Encoder.encode(`<${text}>`);
  distinct.add(bytes, 1, bytes.length - 1);
}

test("different texts count once each, however often and in which order they come", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (texts) => {
      const distinct = new Distinct();
      for (const text of [...texts, ...texts]) add(distinct, text);
      assert.equal(distinct.size, new Set(texts).size);
      distinct.clear();
      assert.equal(distinct.size, 0);
      for (const text of texts) add(distinct, text);
      assert.equal(distinct.size, new Set(texts).size);
    }),
    draws(500),
  );
});

test("200 000 texts that differ in little are 200 000", () => {
  const distinct = new Distinct();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 100_000; i++) {
      add(distinct, `$KV.b.key.${i}`);
      add(distinct, `$KV.b.${i}.key`);
    }
  }
  assert.equal(distinct.size, 200_000);
});
