// Waits: how they end together, and each alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNatsError } from "../../src/errors.ts";
import { Waits } from "../../src/lib/waits.ts";

test("all that wait are resolved or rejected together, and none twice", async () => {
  const waits = new Waits();
  const first = [waits.add({}), waits.add({ timeout: 60_000 })];
  waits.resolve();
  waits.reject(new RangeError("too late"));
  await Promise.all(first);
  const second = [waits.add({}), waits.add({})];
  waits.reject(new RangeError("x"));
  for (const wait of second) await assert.rejects(wait, RangeError);
});

test("a wait ends by its promise, its deadline or its signal as well", async () => {
  const waits = new Waits();
  await waits.add({}, Promise.resolve());
  await assert.rejects(waits.add({}, Promise.reject(new RangeError("x"))), RangeError);
  const code = (wanted: string) => (error: unknown) => isNatsError(error) && error.code === wanted;
  await assert.rejects(waits.add({ timeout: 1 }), code("TIMEOUT"));
  await assert.rejects(waits.add({ signal: AbortSignal.abort() }), code("ABORTED"));
});
