// Random: lengths, alphabets, orders.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNatsError } from "../../src/errors.ts";
import { base62, randomBytes, randomId, shuffle } from "../../src/lib/random.ts";

test("randomBytes gives the length asked for, beyond what one call of the runtime gives", () => {
  for (const length of [0, 1, 65_536, 65_537, 200_000]) assert.equal(randomBytes(length).length, length);
  const tail = randomBytes(150_000).subarray(131_072);
  assert.ok(new Set(tail).size > 200, "the last part is random too");
});

test("the digits of base 62 are 0 to 9, A to Z, a to z", () => {
  const digits = Array.from({ length: 62 }, (_, digit) => base62(digit));
  assert.equal(
    String.fromCharCode(...digits),
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  );
});

test("randomId draws every digit of base 62 equally often", () => {
  assert.equal(randomId(0), "");
  assert.match(randomId(22), /^[0-9A-Za-z]{22}$/);
  const counts = new Map<string, number>();
  for (const digit of randomId(62_000)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  assert.equal(counts.size, 62);
  // 1000 each, with a deviation of 31: 180 by chance is one run in a million; a plain remainder of 256 gives 211
  for (const [digit, count] of counts) assert.ok(Math.abs(count - 1000) < 180, `${digit}: ${count}`);
});

test("shuffle keeps the items and follows the generator", () => {
  const items = [1, 2, 3, 4];
  assert.equal(
    shuffle(items, () => 0),
    items,
  );
  assert.deepEqual(items, [2, 3, 4, 1]);
  assert.deepEqual(
    shuffle([1, 2, 3, 4], () => 0.9999),
    [1, 2, 3, 4],
  );
  assert.deepEqual(shuffle([]), []);
  const orders = new Set(Array.from({ length: 500 }, () => shuffle(["a", "b", "c"]).join("")));
  assert.equal(orders.size, 6);
});

test("without a generator the error says what to do", (t) => {
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto") as PropertyDescriptor;
  t.after(() => Object.defineProperty(globalThis, "crypto", real));
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  assert.throws(
    () => randomBytes(4),
    (error) => isNatsError(error) && error.code === "UNSUPPORTED",
  );
});
