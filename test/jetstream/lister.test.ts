import assert from "node:assert/strict";
import { test } from "node:test";
import { lister } from "../../src/jetstream/lister.ts";

const total = 5;

// pages of two names, of which the second can't be had at first
function pages(): (
  offset: number,
) => Promise<{ streams: string[]; total: number; offset: number; limit: number }> {
  let failures = 1;
  return async (offset) => {
    await Promise.resolve();
    if (offset === 2 && failures-- > 0) throw new Error("not now");
    const streams = ["a", "b", "c", "d", "e"].slice(offset, offset + 2);
    return { streams, total, offset, limit: 2 };
  };
}

test("pages that are asked for at once come one after the other, each once; one that failed comes with the next call", async () => {
  const list = lister<string>(pages());
  const found = await Promise.allSettled(Array.from({ length: 5 }, () => list.next()));
  assert.deepEqual(
    found.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason))),
    [["a", "b"], "Error: not now", ["c", "d"], ["e"], []],
  );
});
