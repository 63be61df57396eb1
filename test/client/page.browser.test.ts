// Tests of src/client/page.browser.ts on a page, and a worker, that the test plays.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { NetworkEvent } from "../../src/client/options.ts";
import { watchPage } from "../../src/client/page.browser.ts";

/** `window`, with listeners that count, and its time. */
class FakePage extends EventTarget {
  readonly document: { visibilityState: DocumentVisibilityState } = { visibilityState: "visible" };
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }

  happens(type: string, fields: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }

  becomes(state: DocumentVisibilityState): void {
    this.document.visibilityState = state;
    this.happens("visibilitychange");
  }
}

/** Begin to watch; `pass` lets time go by, with a turn of the event loop at its end. */
function watched(t: TestContext, page: Parameters<typeof watchPage>[1]) {
  let now = 1_000_000;
  t.mock.method(Date, "now", () => now);
  t.mock.timers.enable({ apis: ["setInterval"] });
  const told: NetworkEvent[] = [];
  const end = watchPage((event) => told.push(event), page);
  t.after(end);
  const sleep = (ms: number): void => {
    now += ms;
  };
  const pass = (ms: number): void => {
    sleep(ms);
    t.mock.timers.tick(10_000);
  };
  return { told, end, sleep, pass };
}

test("offline, online and a tab that is shown are told; one that is hidden is not", (t) => {
  const page = new FakePage();
  const { told } = watched(t, page);
  page.happens("offline");
  page.happens("online");
  page.becomes("hidden");
  page.becomes("visible");
  assert.deepEqual(told, ["lost", "back", "shown"]);
});

test("the end of a freeze and the way out of the back-forward cache are told; the first pageshow and a freeze are not", (t) => {
  const page = new FakePage();
  const { told } = watched(t, page);
  page.happens("pageshow", { persisted: false });
  page.happens("freeze");
  assert.deepEqual(told, []);
  page.happens("pageshow", { persisted: true });
  page.happens("resume");
  assert.deepEqual(told, ["back", "back"]);
});

test("a sleep is noticed by the time that it took, with the first turn or the first event after it", (t) => {
  const page = new FakePage();
  const { told, sleep, pass } = watched(t, page);
  // a hidden tab has a turn once a minute
  for (let minute = 0; minute < 10; minute++) pass(61_000);
  assert.deepEqual(told, []);
  pass(76_000);
  assert.deepEqual(told, ["back"]);
  sleep(76_000);
  page.becomes("hidden");
  assert.deepEqual(told, ["back", "back"]);
  pass(10_000);
  assert.deepEqual(told, ["back", "back"]);
});

test("a worker has no document: its online and offline are told", (t) => {
  const worker = new EventTarget();
  const { told } = watched(t, worker);
  for (const type of ["offline", "online", "visibilitychange"]) worker.dispatchEvent(new Event(type));
  assert.deepEqual(told, ["lost", "back"]);
});

test("at its end no listener and no timer is left", (t) => {
  const page = new FakePage();
  const { told, end, pass } = watched(t, page);
  assert.ok(page.listeners > 0);
  end();
  assert.equal(page.listeners, 0);
  page.happens("online");
  pass(76_000);
  assert.deepEqual(told, []);
});

test("a runtime whose global tells nothing is let alone", (t) => {
  // Node's has no addEventListener
  const { told, pass } = watched(t, undefined);
  pass(76_000);
  assert.deepEqual(told, []);
});
