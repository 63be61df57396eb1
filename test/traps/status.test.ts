// Traps 37 to 40: status iterators and listeners that end, timers that don't pile up, and a silent console.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { type TestContext, test } from "node:test";
import type { NatsConnection } from "../../src/index.node.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { scriptedPeer, startScripted } from "../fixtures/scripted-server.ts";
import { PATIENT } from "../suites/tools.ts";
import { growth } from "../transport/support.ts";
import { connectTo, failing, noUnhandled, until, Watch } from "./support.ts";

test("trap 37: 10 000 messages published in one turn are one flush and no timers", async (t) => {
  trackLeaks(t);
  const [client, server] = memoryPair();
  const peer = scriptedPeer(server);
  const [nc] = await Promise.all([
    connectTo(t, "nats://memory", { dialer: async () => client }),
    peer.handshake(),
  ]);
  const writes = t.mock.method(client, "write");
  const timers = t.mock.method(globalThis, "setTimeout");
  const microtasks = t.mock.method(globalThis, "queueMicrotask");
  const before = process.getActiveResourcesInfo().length;
  for (let i = 0; i < 10_000; i++) nc.publish("a.b.c");
  // each is a write of the transport here too, which delivers by microtask
  const scheduled = microtasks.mock.callCount() - writes.mock.callCount();
  assert.deepEqual([scheduled, timers.mock.callCount()], [1, 0]);
  assert.equal(process.getActiveResourcesInfo().length, before);
  await new Promise(setImmediate);
  assert.ok(writes.mock.callCount() < 10, `${writes.mock.callCount()} writes`);
  const sent = writes.mock.calls.reduce((sum, { arguments: [bytes] }) => sum + bytes.length, 0);
  assert.equal(sent, 10_000 * "PUB a.b.c 0\r\n\r\n".length);
});

test("trap 37: a publisher that is faster than the socket leaves no timers either", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const nc = await connectTo(t, proxy.url);
  proxy.pause("sent");
  const timeouts = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timeouts();
  for (let i = 0; i < 200; i++) {
    nc.publish("a", new Uint8Array(50_000));
    if (i % 20 === 0) await new Promise(setImmediate);
  }
  assert.ok(nc.pendingBytes > 0);
  assert.equal(timeouts(), before);
  proxy.resume();
  await nc.flush();
  assert.equal(timeouts(), before);
});

/** Makes the client report something to all who listen. */
async function report(nc: NatsConnection): Promise<void> {
  await nc.reconnect();
}

test("trap 38: trap 39: a loop over the status ends at close, and what comes after the loop runs", async (t) => {
  trackLeaks(t);
  for (const how of ["close", "drain", "loss"]) {
    const server = await startServer(t);
    const nc = await connectTo(t, server.url, { reconnect: false });
    const seen: string[] = [];
    let after = false;
    const loop = (async () => {
      for await (const { type } of nc.status()) seen.push(type);
      after = true;
    })();
    if (how === "close") await nc.close();
    else if (how === "drain") await nc.drain();
    else await server.kill();
    await within(loop, `the loop does not end after ${how}`);
    assert.equal(after, true);
    assert.equal(seen.at(-1), "close");
    assert.deepEqual([...(await Promise.all([take(nc), take(nc)]))], [0, 0]);
  }
});

/** How many events a status iterator of a closed connection still gives. */
async function take(nc: NatsConnection): Promise<number> {
  let count = 0;
  for await (const _event of nc.status()) count++;
  return count;
}

test("trap 38: break and return end a status iterator, and what it would have got is not kept", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const nc = await connectTo(t, server.url);
  const watch = new Watch(nc);
  const left: AsyncIterator<unknown>[] = [];
  for (let i = 0; i < 3; i++) {
    const events = nc.status();
    setImmediate(() => void report(nc));
    for await (const _event of events) break;
    left.push(events[Symbol.asyncIterator]());
    await watch.until("reconnect", i + 1);
  }
  for (const events of left) assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test("trap 38: neither status iterators that were left nor requests with one signal accumulate listeners", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const nc = await connectTo(t, server.url);
  const service = await connectTo(t, server.url);
  service.subscribe("service", { callback: (_, msg) => void msg.respond() });
  await service.flush();
  const { signal } = new AbortController();
  const round = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const events = nc.status()[Symbol.asyncIterator]();
      await events.return?.();
    }
    const sub = nc.subscribe("never");
    for (let i = 0; i < times / 10; i++) {
      await nc.request("service", "", { ...PATIENT, signal });
      await nc.request("service", "", { ...PATIENT, signal, noMux: true });
      for await (const _reply of await nc.requestMany("service", "", { signal, maxMessages: 1 })) break;
      await nc.flush({ ...PATIENT, signal });
      await nc.writable({ signal });
    }
    sub.unsubscribe();
  };
  await round(2000);
  const grown = await growth(() => round(4000), 500_000);
  assert.ok(grown < 500_000, `${grown} bytes`);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  await nc.flush();
  const { connections } = await server.connz();
  assert.deepEqual(
    connections.map(({ subscriptions }) => subscriptions),
    [1, 1],
    "the inbox of one, the service of the other",
  );
});

/** Fails the test when anything is written to the console or to the standard streams while `run` runs. */
async function silent(t: TestContext, run: () => Promise<void>): Promise<void> {
  const written: unknown[] = [];
  const note = (...args: unknown[]): void => void written.push(args);
  const mocks = (["log", "info", "warn", "error", "debug", "trace"] as const).map((name) =>
    t.mock.method(console, name, note),
  );
  const emitted = t.mock.method(process, "emitWarning", note);
  try {
    await run();
  } finally {
    for (const { mock } of [...mocks, emitted]) mock.restore();
  }
  assert.deepEqual(written, []);
}

for (const [what, bytes, code] of [
  ["an operation that nobody knows", "BOGUS a b\r\n", "PROTOCOL"],
  ["a message with an absurd size", "MSG a 1 99999999999999\r\n", "PROTOCOL"],
  ["a message without a line end", "MSG a 2 2\r\nabcd\r\n", "PROTOCOL"],
  ["an INFO that is no JSON", "INFO {\r\n", "PROTOCOL"],
] as const) {
  test(`trap 40: ${what} is a status with the reason, nothing on the console, and a new link`, async (t) => {
    trackLeaks(t);
    noUnhandled(t);
    await silent(t, async () => {
      const server = await startScripted(t);
      const [nc, peer] = await Promise.all([
        connectTo(t, server.url),
        server.nextPeer().then(async (first) => {
          await first.handshake();
          return first;
        }),
      ]);
      const watch = new Watch(nc);
      peer.send(bytes);
      failing(code)((await watch.until("disconnect")).error);
      const again = await server.nextPeer();
      await again.handshake();
      await watch.until("reconnect");
      await nc.close();
    });
  });
}

test("trap 40: a connection that is reset, user code that throws and a failed reconnect write nothing to the console", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  await silent(t, async () => {
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    let dials = 0;
    const nc = await connectTo(t, proxy.url, {
      authenticator: () => {
        if (++dials === 2) throw new Error("secret of the vault");
      },
      reconnectDelayHandler: () => {
        throw new Error("no idea");
      },
      reconnectToServer: () => {
        throw new Error("nor I");
      },
    });
    const watch = new Watch(nc);
    nc.subscribe("a", {
      callback: () => {
        throw new Error("from the callback");
      },
    });
    nc.publish("a");
    await watch.until("handlerError");
    proxy.cut({ reset: true });
    await watch.until("reconnect");
    const sources = new Set(watch.of("handlerError").map(({ source }) => source));
    assert.deepEqual([...sources].toSorted(), [
      "authenticator",
      "reconnectDelayHandler",
      "reconnectToServer",
      "subscription",
    ]);
    await nc.close();
    await until(() => proxy.connections === 0, "no connection");
  });
});
