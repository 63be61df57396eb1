// The file store: what it says when it is opened again, whole or torn.
import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { FileStore } from "../../src/server/jetstream/file-store.node.ts";
import type { Stored } from "../../src/server/jetstream/stored.ts";
import { draws } from "../fixtures/draws.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const IGNORED = { dirty() {}, destroyed() {} };

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isonats-files-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function all(store: FileStore): Stored[] {
  const found: Stored[] = [];
  for (let at = store.next([], 0); at !== undefined; at = store.next([], at.seq + 1)) {
    const { seq, subject, header, data, time } = at;
    found.push({ seq, subject, header: header.slice(), data: data.slice(), time });
  }
  return found;
}

function state(store: FileStore): object {
  const { messages, firstSeq, lastSeq, firstTime, lastTime, bytes: size, subjectCount } = store;
  return { messages, firstSeq, lastSeq, firstTime, lastTime, size, subjectCount, all: all(store) };
}

const size = (dir: string): number =>
  readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);

const command = fc.oneof(
  { weight: 8, arbitrary: fc.record({ append: fc.constantFrom("a", "a.b", "é"), size: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ skip: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ remove: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ upTo: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.constant({ reopen: true }) },
);

test("a file store that is opened again is what it was", async (t) => {
  const root = folder(t);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
      const dir = join(root, `${runs++}`);
      let store = new FileStore(dir, 7, IGNORED);
      let time = 1000;
      for (const one of commands) {
        time += 1.25;
        if ("append" in one) store.append(one.append, bytes("h"), bytes("x".repeat(one.size)), time);
        else if ("skip" in one) store.skip(time, store.lastSeq + one.skip);
        else if ("remove" in one) store.remove(one.remove);
        else if ("upTo" in one) store.removeUpTo(one.upTo, () => {});
        else {
          const before = state(store);
          await store.close();
          store = new FileStore(dir, 7, IGNORED);
          assert.deepEqual(state(store), before);
        }
      }
      const before = state(store);
      await store.close();
      const again = new FileStore(dir, 7, IGNORED);
      assert.deepEqual(state(again), before);
      await again.close();
    }),
    draws(60),
  );
});

test("wherever the file is torn, all whole records before are there, and it goes on behind them", async (t) => {
  const root = folder(t);
  const whole = join(root, "whole");
  const store = new FileStore(whole, undefined, IGNORED);
  const ends: number[] = [];
  for (let i = 1; i <= 4; i++) {
    store.append("s", bytes(""), bytes(`m${i}`), i);
    store.flush();
    ends.push(size(whole));
  }
  await store.close();
  const name = readdirSync(whole)[0] as string;
  for (let length = 0; length <= (ends.at(-1) as number); length++) {
    const dir = join(root, `torn-${length}`);
    cpSync(whole, dir, { recursive: true });
    truncateSync(join(dir, name), length);
    const torn = new FileStore(dir, undefined, IGNORED);
    const there = ends.filter((end) => end <= length).length;
    assert.equal(torn.messages, there, `cut at ${length}`);
    assert.equal(torn.append("s", bytes(""), bytes("next"), 9).seq, there + 1);
    await torn.close();
    const again = new FileStore(dir, undefined, IGNORED);
    assert.equal(again.messages, there + 1);
    await again.close();
  }
});

test("garbage behind the last record is cut off", async (t) => {
  const dir = folder(t);
  const store = new FileStore(dir, undefined, IGNORED);
  store.append("s", bytes(""), bytes("m"), 1);
  await store.close();
  const [name] = readdirSync(dir) as [string];
  appendFileSync(join(dir, name), new Uint8Array(100).fill(0xff));
  const again = new FileStore(dir, undefined, IGNORED);
  assert.equal(again.messages, 1);
  again.append("s", bytes(""), bytes("n"), 2);
  await again.close();
  const third = new FileStore(dir, undefined, IGNORED);
  assert.deepEqual(
    all(third).map(({ seq }) => seq),
    [1, 2],
  );
  await third.close();
});

test("files whose messages are gone go, first those at the front", async (t) => {
  const dir = folder(t);
  const store = new FileStore(dir, undefined, IGNORED);
  const data = new Uint8Array(1 << 20);
  for (let i = 0; i < 40; i++) {
    store.append("s", bytes(""), data, i);
    if (i >= 4) store.remove(store.firstSeq);
    store.flush();
  }
  assert.ok(size(dir) < 24 << 20, `${size(dir)} bytes for 4 MiB`);
  const before = state(store);
  await store.close();
  const again = new FileStore(dir, undefined, IGNORED);
  assert.deepEqual(state(again), before);
  await again.close();
});

test("all is written anew where one old message keeps the first file", async (t) => {
  const dir = folder(t);
  const store = new FileStore(dir, undefined, IGNORED);
  const data = new Uint8Array(1 << 20);
  store.append("kept", bytes("h"), bytes("old"), 1);
  for (let i = 2; i < 60; i++) {
    store.append("s", bytes(""), data, i);
    if (i > 2) store.remove(i - 1);
    store.flush();
  }
  assert.ok(size(dir) < 24 << 20, `${size(dir)} bytes for 1 MiB`);
  const before = state(store);
  await store.close();
  const again = new FileStore(dir, undefined, IGNORED);
  assert.deepEqual(state(again), before);
  await again.close();
});

test("where the file can't be written, what waits is not confirmed, and nothing more is taken", async (t) => {
  const store = new FileStore(folder(t), undefined, IGNORED);
  store.append("s", bytes(""), bytes("m"), 1);
  await store.close();
  store.append("s", bytes(""), bytes("n"), 2);
  assert.throws(() => store.flush());
  assert.throws(() => store.append("s", bytes(""), bytes("o"), 3), { message: "insufficient resources" });
  assert.equal(store.remove(1)?.seq, 1);
});
