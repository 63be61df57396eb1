// Waiting: each way a wait can end, and what is left after it.
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { isNatsError, TimeoutError } from "../../src/errors.ts";
import { deadline, deferred, delay, settle } from "../../src/lib/deferred.ts";

/** A signal that counts who listens to it. */
function watched(): { controller: AbortController; signal: AbortSignal; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count--;
    remove(...args);
  };
  return { controller, signal, listeners: () => count };
}

/** Timers that only `tick` moves; `pending()` counts those set and neither fired nor cleared. */
function clock(t: TestContext): { tick: (ms: number) => void; pending: () => number } {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const live = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  t.mock.method(globalThis, "setTimeout", (run: () => void, ms: number) => {
    const timer = set(() => {
      live.delete(timer);
      run();
    }, ms);
    live.add(timer);
    return timer;
  });
  t.mock.method(globalThis, "clearTimeout", (timer: never) => {
    live.delete(timer);
    clear(timer);
  });
  return { tick: (ms) => t.mock.timers.tick(ms), pending: () => live.size };
}

const code = (expected: string) => (error: unknown) => isNatsError(error) && error.code === expected;

describe("deferred", () => {
  test("is a promise that its resolve settles", async () => {
    const d = deferred<number>();
    assert.ok(d instanceof Promise);
    d.resolve(5);
    d.reject(new Error("too late"));
    assert.equal(await d, 5);
  });

  test("is a promise that its reject settles", async () => {
    const d = deferred<number>();
    const error = new Error("x");
    d.reject(error);
    await assert.rejects(d, error);
  });
});

describe("delay", () => {
  test("resolves when its time has come, not before", async (t) => {
    const { tick, pending } = clock(t);
    let over = false;
    const d = delay(50);
    void d.then(() => {
      over = true;
    });
    tick(49);
    await Promise.resolve();
    assert.equal(over, false);
    tick(1);
    await d;
    assert.equal(pending(), 0);
  });

  test("cancel resolves it at once and stops its timer", async (t) => {
    const { pending } = clock(t);
    const d = delay(50);
    assert.equal(pending(), 1);
    d.cancel();
    await d;
    d.cancel();
    assert.equal(pending(), 0);
  });
});

describe("deadline", () => {
  test("passes the outcome on and stops its timer", async (t) => {
    const { pending } = clock(t);
    assert.equal(await deadline(Promise.resolve(1), 50), 1);
    await assert.rejects(deadline(Promise.reject(new RangeError("x")), 50), RangeError);
    assert.equal(pending(), 0);
  });

  test("rejects with TimeoutError after 1000 ms by default", async (t) => {
    const { tick, pending } = clock(t);
    const waiting = deadline(new Promise(() => {}));
    let error: unknown;
    void waiting.catch((reason: unknown) => {
      error = reason;
    });
    tick(999);
    await Promise.resolve();
    assert.equal(error, undefined);
    tick(1);
    await assert.rejects(waiting, (e) => e instanceof TimeoutError && /1000 ms/.test(e.message));
    assert.equal(pending(), 0);
  });
});

describe("settle", () => {
  test("ends by the outcome of a promise and leaves nothing", async (t) => {
    const { pending } = clock(t);
    const { signal, listeners } = watched();
    let finished = 0;
    const options = { timeout: 50, signal, finish: () => finished++ };
    const first = settle(Promise.resolve("a"), options);
    assert.deepEqual([pending(), listeners()], [1, 1]);
    assert.equal(await first, "a");
    await assert.rejects(settle(Promise.reject(new RangeError("x")), options), RangeError);
    assert.deepEqual([pending(), listeners(), finished], [0, 0, 2]);
  });

  test("ends by the first callback and ignores what follows", async (t) => {
    const { tick, pending } = clock(t);
    const { controller, signal, listeners } = watched();
    let finished = 0;
    const value = settle<string>(
      (resolve, reject) => {
        resolve("a");
        resolve("b");
        reject(new Error("c"));
      },
      { timeout: 50, signal, finish: () => finished++ },
    );
    tick(100);
    controller.abort();
    assert.equal(await value, "a");
    assert.deepEqual([pending(), listeners(), finished], [0, 0, 1]);
  });

  test("a function that throws rejects the wait, and leaves nothing", async (t) => {
    const { pending } = clock(t);
    const { signal, listeners } = watched();
    const thrown = settle(
      () => {
        throw new RangeError("x");
      },
      { timeout: 50, signal },
    );
    await assert.rejects(thrown, RangeError);
    assert.deepEqual([pending(), listeners()], [0, 0]);
  });

  test("ends by its deadline, which says what was waited for", async (t) => {
    const { tick, pending } = clock(t);
    const { signal, listeners } = watched();
    let finished = 0;
    const never = settle(() => {}, { timeout: 50, signal, what: "the flush", finish: () => finished++ });
    tick(50);
    await assert.rejects(
      never,
      (e) => e instanceof TimeoutError && /the flush took longer than 50 ms/.test(e.message),
    );
    assert.deepEqual([pending(), listeners(), finished], [0, 0, 1]);
  });

  test("ends by its signal, whose reason is the cause", async (t) => {
    const { pending } = clock(t);
    const { controller, signal, listeners } = watched();
    const reason = new Error("enough");
    const never = settle(() => {}, { timeout: 50, signal, what: "the flush" });
    controller.abort(reason);
    await assert.rejects(never, (error: unknown) => {
      assert.ok(code("ABORTED")(error));
      assert.match((error as Error).message, /the flush/);
      assert.equal((error as Error).cause, reason);
      return true;
    });
    assert.deepEqual([pending(), listeners()], [0, 0]);
  });

  test("a signal that was aborted before starts nothing", async (t) => {
    const { pending } = clock(t);
    let started = false;
    let finished = 0;
    const start = (): void => {
      started = true;
    };
    const options = { timeout: 50, signal: AbortSignal.abort(), finish: () => finished++ };
    await assert.rejects(settle(start, options), code("ABORTED"));
    assert.deepEqual([started, pending(), finished], [false, 0, 1]);
  });

  test("a promise that rejects after its wait was over is nobody's unhandled rejection", async (t) => {
    const unhandled: unknown[] = [];
    const seen = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", seen);
    t.after(() => process.off("unhandledRejection", seen));
    const late = deferred();
    const aborted = settle(late, { signal: AbortSignal.abort() });
    const refused = settle(late, { timeout: -1 });
    late.reject(new Error("late"));
    await assert.rejects(aborted, code("ABORTED"));
    await assert.rejects(refused, code("INVALID_ARGUMENT"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(unhandled, []);
  });

  test("without a deadline, or with one of more than 24 days, there is no timer", async (t) => {
    const { pending } = clock(t);
    for (const timeout of [undefined, Infinity, 2 ** 31]) {
      const d = deferred<number>();
      const waiting = settle(d, { timeout });
      assert.equal(pending(), 0);
      d.resolve(1);
      assert.equal(await waiting, 1);
    }
  });

  test("a timeout that is no duration is refused by name and value", async () => {
    for (const timeout of [-1, Number.NaN, "x" as never]) {
      await assert.rejects(settle(Promise.resolve(), { timeout }), (error: unknown) => {
        assert.ok(code("INVALID_ARGUMENT")(error));
        assert.ok((error as Error).message.includes(`got ${timeout}`));
        return true;
      });
    }
  });
});
