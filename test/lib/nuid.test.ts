// Nuid: shape and uniqueness of ids.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Nuid, nuid } from "../../src/lib/nuid.ts";
import { base62 } from "../../src/lib/random.ts";

const BASE62 = String.fromCharCode(...Array.from({ length: 62 }, (_, i) => base62(i)));

const value = (id: string): bigint =>
  Array.from(id).reduce((sum, digit) => sum * 62n + BigInt(BASE62.indexOf(digit)), 0n);

test("an id has 22 characters of base 62, the first 12 stay, the last 10 count up in one step", () => {
  const ids = new Nuid();
  let last = ids.next();
  const second = ids.next();
  assert.match(last, /^[0-9A-Za-z]{22}$/);
  const step = value(second.slice(12)) - value(last.slice(12));
  assert.ok(step >= 33n && step <= 333n, `step ${step}`);
  last = second;
  for (let i = 0; i < 100; i++) {
    const next = ids.next();
    assert.equal(next.slice(0, 12), last.slice(0, 12));
    assert.equal(value(next.slice(12)) - value(last.slice(12)), step);
    last = next;
  }
});

test("ids stay different where the lower five digits run over", (t) => {
  const seen = new Set<string>();
  // start: high half 7, low half 62^5 - 100, step 33
  const numbers = [7, 916_132_832 - 100, 0];
  stubRandom(t, numbers);
  const ids = new Nuid();
  let last = value(ids.next().slice(12));
  assert.equal(last, 7n * 62n ** 5n + 62n ** 5n - 100n);
  for (let i = 0; i < 10; i++) {
    const id = ids.next();
    seen.add(id);
    assert.equal(value(id.slice(12)), last + 33n);
    last += 33n;
  }
  assert.equal(seen.size, 10);
});

test("at the end of the count comes a new prefix", (t) => {
  stubRandom(t, [916_132_831, 916_132_831, 0]);
  const ids = new Nuid();
  const first = ids.next();
  assert.ok(first.endsWith("zzzzzzzzzz"));
  const second = ids.next();
  assert.match(second, /^[0-9A-Za-z]{22}$/);
  assert.notEqual(second.slice(0, 12), first.slice(0, 12));
});

test("reset takes a new prefix, and two sources never agree", () => {
  const ids = new Nuid();
  const first = ids.next();
  ids.reset();
  assert.notEqual(ids.next().slice(0, 12), first.slice(0, 12));
  assert.notEqual(new Nuid().next().slice(0, 12), new Nuid().next().slice(0, 12));
});

test("nothing random is asked for before the first id", (t) => {
  const random = t.mock.method(crypto, "getRandomValues");
  const ids = new Nuid();
  assert.equal(random.mock.callCount(), 0);
  for (let i = 0; i < 1000; i++) ids.next();
  assert.ok(random.mock.callCount() < 10);
});

test("nuid gives ids of 22 characters that share nothing", () => {
  const [a, b] = [nuid.next(), nuid.next()];
  assert.match(a, /^[0-9A-Za-z]{22}$/);
  assert.match(b, /^[0-9A-Za-z]{22}$/);
  assert.notEqual(a.slice(0, 12), b.slice(0, 12));
  nuid.reset();
});

/** The first 12 random bytes are these three numbers; all others stay random. */
function stubRandom(t: TestContext, numbers: number[]): void {
  const real = crypto.getRandomValues.bind(crypto);
  let first = true;
  t.mock.method(crypto, "getRandomValues", (bytes: Uint8Array<ArrayBuffer>) => {
    if (!first || bytes.length !== 12) return real(bytes);
    first = false;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (const [i, number] of numbers.entries()) view.setUint32(i * 4, number);
    return bytes;
  });
}
