// Sync iterator: items, end, errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { syncIterator } from "../../src/lib/sync-iterator.ts";

test("gives the items one by one, then null for ever", async () => {
  const items = syncIterator(
    (async function* () {
      yield 1;
      yield 0;
    })(),
  );
  assert.deepEqual(
    [await items.next(), await items.next(), await items.next(), await items.next()],
    [1, 0, null, null],
  );
});

test("rejects when the source does", async () => {
  const items = syncIterator(
    (async function* () {
      yield 1;
      throw new RangeError("x");
    })(),
  );
  assert.equal(await items.next(), 1);
  await assert.rejects(items.next(), RangeError);
});
