// Queue: order, growth, and what it leaves behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { Queue } from "../../src/lib/queue.ts";
import { draws } from "../fixtures/draws.ts";

test("an empty queue gives undefined", () => {
  const queue = new Queue<number>();
  assert.deepEqual([queue.length, queue.peek(), queue.shift(), queue.length], [0, undefined, undefined, 0]);
});

test("first in, first out, as an array does it, whatever the order of calls", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant("push"), count: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 5, arbitrary: fc.record({ op: fc.constant("shift"), count: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("clear"), count: fc.constant(1) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new Queue<number>();
      let model: number[] = [];
      let next = 0;
      for (const { op, count } of steps) {
        for (let i = 0; i < count; i++) {
          if (op === "push") {
            queue.push(next);
            model.push(next++);
          } else if (op === "shift") assert.equal(queue.shift(), model.shift());
          else {
            queue.clear();
            model = [];
          }
          assert.equal(queue.length, model.length);
          assert.equal(queue.peek(), model[0]);
        }
      }
    }),
    draws(100),
  );
});

test("undefined is an item like any other", () => {
  const queue = new Queue<undefined | string>();
  queue.push(undefined);
  queue.push("a");
  assert.deepEqual([queue.length, queue.shift(), queue.shift(), queue.length], [2, undefined, "a", 0]);
});

test("a queue works on after it grew large and was emptied", () => {
  const queue = new Queue<number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 100_000; i++) queue.push(i);
    for (let i = 0; i < 100_000; i++) assert.equal(queue.shift(), i);
    assert.equal(queue.length, 0);
  }
});

test("what was taken or cleared is not kept alive", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const queue = new Queue<object>();
  const refs: WeakRef<object>[] = [];
  const fill = (): void => {
    for (let i = 0; i < 40; i++) {
      const item = { i };
      refs.push(new WeakRef(item));
      queue.push(item);
    }
  };
  fill();
  for (let i = 0; i < 39; i++) queue.shift();
  // a WeakRef keeps its target until the job ends
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  assert.deepEqual(refs.map((ref) => ref.deref() !== undefined).filter(Boolean), [true]);
  queue.clear();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  assert.equal(
    refs.every((ref) => ref.deref() === undefined),
    true,
  );
});
