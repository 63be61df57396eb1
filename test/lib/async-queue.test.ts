// Async queue: who gets what, what is dropped, and how it ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNatsError } from "../../src/errors.ts";
import { AsyncQueue, type QueueLimits } from "../../src/lib/async-queue.ts";

const queueOf = (limits: Partial<QueueLimits> = {}) =>
  new AsyncQueue<string>(
    { messages: 3, bytes: 10, overflow: "drop-newest", ...limits },
    (text) => text.length,
  );

async function rest(queue: AsyncQueue<string>): Promise<string[]> {
  const all: string[] = [];
  for (let item = await queue.next(); item.done !== true; item = await queue.next()) all.push(item.value);
  return all;
}

test("a next() that waits gets the item at once; else it is queued, and only what next() gave counts as taken", async () => {
  const queue = queueOf();
  const next = queue.next();
  assert.equal(queue.waiting, true);
  assert.equal(queue.push("a"), 0);
  assert.deepEqual([queue.waiting, queue.length, queue.taken], [false, 0, 1]);
  assert.deepEqual(await next, { value: "a", done: false });
  queue.push("b");
  queue.push("c");
  assert.equal(queue.shift(), "b");
  assert.deepEqual([queue.length, queue.taken], [1, 1]);
  assert.deepEqual(await queue.next(), { value: "c", done: false });
  assert.equal(queue.taken, 2);
});

test("beyond the limits it drops the newest, or the oldest to make room, and says how many", async () => {
  const newest = queueOf();
  assert.deepEqual(
    ["a", "b", "c", "d"].map((item) => newest.push(item)),
    [0, 0, 0, 1],
  );
  newest.end();
  assert.deepEqual(await rest(newest), ["a", "b", "c"]);

  const oldest = queueOf({ overflow: "drop-oldest" });
  assert.deepEqual(
    ["a", "b", "c", "d", "123456789", "12345678901"].map((item) => oldest.push(item)),
    [0, 0, 0, 1, 2, 3],
    "the last never fits",
  );
  assert.equal(oldest.length, 0);
});

test("bytes that were taken or cleared count no more", () => {
  const queue = queueOf();
  assert.deepEqual([queue.push("12345678"), queue.push("12345")], [0, 1]);
  queue.shift();
  assert.deepEqual([queue.push("12345"), queue.push("12345"), queue.push("1")], [0, 0, 1]);
  queue.clear();
  assert.deepEqual([queue.length, queue.push("1234567890")], [0, 0]);
});

test("the error of the end comes first, once; then what is queued, then the end", async () => {
  const queue = queueOf();
  queue.push("a");
  queue.end(new RangeError("x"));
  await assert.rejects(queue.next(), RangeError);
  assert.deepEqual(await rest(queue), ["a"]);

  const failed = queueOf();
  const waiting = failed.next();
  failed.end(new RangeError("x"));
  await assert.rejects(waiting, RangeError);
  assert.equal((await failed.next()).done, true);
});

test("one iterator and one next() at a time; leaving the loop is told", async () => {
  const queue = queueOf();
  const told: string[] = [];
  const iterator = queue.iterate(
    "a",
    () => told.push("asked"),
    () => {
      told.push("left");
      queue.end();
    },
  );
  const invalid = (error: unknown) => isNatsError(error) && error.code === "INVALID_OPERATION";
  assert.throws(
    () =>
      queue.iterate(
        "a",
        () => {},
        () => {},
      ),
    invalid,
  );
  const next = iterator.next();
  await assert.rejects(iterator.next(), invalid);
  assert.deepEqual(await iterator.return?.(), { value: undefined, done: true });
  assert.equal((await next).done, true);
  assert.deepEqual(told, ["asked", "asked", "left"]);
});
