// Listeners: who gets what, how much waits, and how it ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Listeners } from "../../src/lib/listeners.ts";

async function rest<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("each listener gets every event since it began, also before its first next()", async () => {
  const source = new Listeners<number>();
  source.emit(0);
  const a = source.listen();
  source.emit(1);
  const b = source.listen();
  source.emit(2);
  source.close();
  assert.deepEqual(await rest(a), [1, 2]);
  assert.deepEqual(await rest(b), [2]);
});

test("a next() that waits gets the next event, in order of asking", async () => {
  const source = new Listeners<number>();
  const events = source.listen();
  const asked = [events.next(), events.next(), events.next()];
  source.emit(1);
  source.emit(2);
  source.close();
  assert.deepEqual(await Promise.all(asked), [
    { done: false, value: 1 },
    { done: false, value: 2 },
    { done: true, value: undefined },
  ]);
});

test("trap 39: a loop ends at close, after what was waiting", async () => {
  const source = new Listeners<string>();
  const loop = rest(source.listen());
  source.emit("a");
  source.emit("close");
  source.close();
  assert.deepEqual(await loop, ["a", "close"]);
  assert.equal(source.size, 0);
  assert.deepEqual(await rest(source.listen()), [], "who comes later is at the end at once");
  assert.equal(source.size, 0);
});

test("trap 38: break, return and throw remove the listener, and only that one", async () => {
  const source = new Listeners<number>();
  const stays = source.listen();
  const leave = async (how: "break" | "throw"): Promise<void> => {
    const events = source.listen();
    source.emit(1);
    for await (const _ of events) {
      if (how === "throw") throw new RangeError("x");
      break;
    }
  };
  await leave("break");
  assert.equal(source.size, 1);
  await assert.rejects(leave("throw"), RangeError);
  assert.equal(source.size, 1);
  const events = source.listen();
  const waiting = events.next();
  assert.deepEqual(await events.return(), { done: true, value: undefined });
  assert.deepEqual(await waiting, { done: true, value: undefined });
  source.emit(2);
  assert.deepEqual(await events.next(), { done: true, value: undefined });
  const left = source.listen();
  source.emit(3);
  await left.return();
  assert.deepEqual(await left.next(), { done: true, value: undefined }, "what waited is gone");
  source.close();
  assert.deepEqual(await rest(stays), [1, 1, 2, 3]);
});

test("a listener that does not take its events keeps the newest, and counts what it lost", async () => {
  const source = new Listeners<number>(3);
  const slow = source.listen();
  const quick = source.listen();
  const taken: number[] = [];
  for (let i = 0; i < 10; i++) {
    source.emit(i);
    taken.push((await quick.next()).value as number);
  }
  assert.deepEqual([slow.dropped, quick.dropped], [7, 0]);
  assert.deepEqual(taken, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  source.close();
  assert.deepEqual(await rest(slow), [7, 8, 9]);
});

test("4096 events wait by default", () => {
  const source = new Listeners<number>();
  const events = source.listen();
  for (let i = 0; i < 4096; i++) source.emit(i);
  assert.equal(events.dropped, 0);
  source.emit(4096);
  assert.equal(events.dropped, 1);
});
