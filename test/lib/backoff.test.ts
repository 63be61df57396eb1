// Backoff: the policy and its scatter.
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../../src/lib/backoff.ts";

const DEFAULT = [0, 250, 250, 500, 500, 3000, 5000];

test("follows the default policy, then stays at its last entry", () => {
  const waits = backoff(undefined, () => 0.5);
  const middle = (attempt: number): number => waits.backoff(attempt);
  assert.deepEqual(
    DEFAULT.map((_, i) => middle(i)),
    DEFAULT,
  );
  assert.equal(middle(100), 5000);
});

test("scatters each wait from half to one and a half", () => {
  const low = backoff([100, 0], () => 0);
  const high = backoff([100, 0], () => 0.999999);
  assert.deepEqual([low.backoff(0), high.backoff(0)], [50, 149]);
  assert.deepEqual([low.backoff(1), high.backoff(1)], [0, 0]);
  const real = backoff([1000]);
  const waits = Array.from({ length: 200 }, () => real.backoff(0));
  assert.ok(waits.every((wait) => wait >= 500 && wait < 1500 && Number.isInteger(wait)));
  assert.ok(new Set(waits).size > 50);
});

test("odd input gives a wait all the same", () => {
  assert.equal(backoff([]).backoff(3), 0);
  assert.equal(backoff([7], () => 0.5).backoff(-1), 7);
});

test("a policy changed afterwards changes nothing", () => {
  const policy = [10];
  const b = backoff(policy, () => 0.5);
  policy[0] = 99;
  assert.equal(b.backoff(0), 10);
});
