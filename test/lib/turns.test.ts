// Tests of lib/turns: microtasks that leave room for timers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../src/lib/turns.ts";

test("callbacks run in order, behind what runs and before any timer", async (t) => {
  // no time passes: a busy machine may stand still between any two lines
  t.mock.method(performance, "now", () => 0);
  const turns = new Turns();
  const ran: string[] = [];
  turns.soon(() => ran.push("a"));
  turns.soon(() => ran.push("b"));
  ran.push("here");
  await Promise.resolve();
  assert.deepEqual(ran, ["here", "a", "b"]);
});

test("callbacks that go on for ever let a timer fire", async () => {
  const turns = new Turns();
  let rounds = 0;
  let fired = false;
  const done = new Promise<void>((resolve) => {
    const again = (): void => {
      rounds++;
      if (fired) resolve();
      else turns.soon(again);
    };
    turns.soon(again);
  });
  setTimeout(() => (fired = true), 20);
  await done;
  assert.ok(rounds > 1);
});
