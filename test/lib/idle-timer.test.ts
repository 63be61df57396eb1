// Idle timer: fires once, and only after a whole pause.
import assert from "node:assert/strict";
import { test } from "node:test";
import { IdleTimer } from "../../src/lib/idle-timer.ts";

test("it fires once, when nothing happened for as long as it was told", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 5;
  t.mock.method(performance, "now", () => now);
  const advance = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  let fired = 0;
  const timer = new IdleTimer(100, () => fired++);
  advance(60);
  timer.touch();
  advance(60);
  assert.equal(fired, 0);
  advance(40);
  assert.equal(fired, 1);
  advance(1000);
  assert.equal(fired, 1);
});

test("a stopped one never fires", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const timer = new IdleTimer(100, () => assert.fail("it fired"));
  timer.stop();
  t.mock.timers.tick(1000);
});
