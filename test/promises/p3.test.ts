// P3: nothing is lost silently. What was accepted is sent whole and in order, or counted and reported.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connect,
  type ConnectionOptions,
  headers,
  isNatsError,
  type NatsConnection,
  type NatsErrorCode,
} from "../../src/index.node.ts";
import { settled, Watch } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Proxy, startProxy } from "../fixtures/proxy.ts";
import { certPath, startServer } from "../fixtures/real-server.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;

interface Line {
  /** publishes, through the proxy */
  readonly nc: NatsConnection;
  readonly events: Watch;
  readonly proxy: Proxy;
  /** the payloads that came to a subscriber with a link of its own */
  readonly arrived: string[];
  /** resolves when the server has given the subscriber all it had */
  caughtUp(): Promise<void>;
}

async function line(
  t: Scope,
  options: ConnectionOptions = {},
  transport: "tcp" | "tls" | "ws" = "tcp",
): Promise<Line> {
  const server = await startServer(t, { websocket: true, ...(transport === "tls" && { tls: "available" }) });
  const { host } = server;
  const proxy = await startProxy(t, { host, port: transport === "ws" ? server.wsPort : server.port });
  const listener = await connect({ servers: server.url, tls: null });
  const nc = await connect({
    servers: `${{ tcp: "nats", tls: "tls", ws: "ws" }[transport]}://${proxy.address}`,
    ...(transport === "tls" && { tls: { caFile: certPath("ca.crt") } }),
    reconnectTimeWait: 2,
    reconnectJitter: 0,
    ...options,
  });
  atEnd(t, () => Promise.all([nc.close(), listener.close()]));
  const arrived: string[] = [];
  listener.subscribe("a", { callback: (_, m) => void arrived.push(m.string()) });
  await listener.flush();
  return {
    nc,
    events: new Watch(nc),
    proxy,
    arrived,
    caughtUp: async () => {
      if (nc.state === "connected") await nc.flush();
      await listener.flush();
    },
  };
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

describe("P3 an outage", () => {
  test("P3 buffer: everything published meanwhile arrives after it, in order, exactly once", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived, caughtUp } = await line(t);
    for (const n of numbers(1, 500)) nc.publish("a", n);
    await nc.flush();
    proxy.refuse();
    proxy.cut();
    await events.until("disconnect");
    const h = headers();
    h.set("A", "b");
    for (const n of numbers(501, 3000)) nc.publish("a", n, Number(n) % 3 === 0 ? { headers: h } : undefined);
    await events.until("reconnecting", 3);
    for (const n of numbers(3001, 3500)) nc.publish("a", n);
    assert.ok(nc.pendingBytes > 0);
    await proxy.accept();
    await events.until("reconnect");
    for (const n of numbers(3501, 4000)) nc.publish("a", n);
    await caughtUp();
    assert.deepEqual(arrived, numbers(1, 4000));
    assert.equal(nc.stats().droppedOutbound, 0);
    assert.equal(nc.stats().outMsgs, 4000);
    assert.equal(nc.pendingBytes, 0);
  });

  test("P3 buffer: so it is over several links that break before they have taken it", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived, caughtUp } = await line(t);
    proxy.refuse();
    proxy.cut();
    await events.until("disconnect");
    for (const n of numbers(1, 1000)) nc.publish("a", n);
    // links that die in their handshake
    for (let i = 0; i < 3; i++) void proxy.cutAfter(20);
    await proxy.accept();
    await events.until("reconnect");
    await caughtUp();
    assert.deepEqual(arrived, numbers(1, 1000));
    assert.equal(proxy.accepted >= 4, true);
  });

  test("P3 buffer: over the limit publish throws OUTBOUND_FULL, and what was accepted arrives", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived, caughtUp } = await line(t, { maxPendingBytes: 20_000 });
    proxy.refuse();
    proxy.cut();
    await events.until("disconnect");
    const accepted: string[] = [];
    let refused = 0;
    for (const n of numbers(1, 5000)) {
      try {
        nc.publish("a", n);
        accepted.push(n);
      } catch (error) {
        assert.ok(code("OUTBOUND_FULL")(error));
        refused++;
      }
    }
    assert.ok(accepted.length > 500 && refused > 500, `${accepted.length} accepted, ${refused} refused`);
    assert.ok(nc.pendingBytes <= 20_100, String(nc.pendingBytes));
    await proxy.accept();
    await events.until("reconnect");
    await caughtUp();
    assert.deepEqual(arrived, accepted);
    // refused is not dropped: the caller knows
    assert.equal(nc.stats().droppedOutbound, 0);
    assert.equal(nc.stats().outMsgs, accepted.length);
  });

  test("P3 throw: publish throws DISCONNECTED, and nothing of it is sent later", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived, caughtUp } = await line(t, { whenDisconnected: "throw" });
    proxy.refuse();
    proxy.cut();
    await events.until("disconnect");
    for (const n of numbers(1, 10)) assert.throws(() => nc.publish("a", n), code("DISCONNECTED"));
    await proxy.accept();
    await events.until("reconnect");
    nc.publish("a", "after");
    await caughtUp();
    assert.deepEqual(arrived, ["after"]);
    assert.equal(nc.stats().outMsgs, 1);
  });

  test("P3 drop: publish drops and counts, and nothing of it is sent later", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived, caughtUp } = await line(t, { whenDisconnected: "drop" });
    proxy.refuse();
    proxy.cut();
    await events.until("disconnect");
    for (const n of numbers(1, 10)) nc.publish("a", n);
    assert.equal(nc.stats().droppedOutbound, 10);
    assert.equal(nc.stats().outMsgs, 0);
    await proxy.accept();
    await events.until("reconnect");
    nc.publish("a", "after");
    await caughtUp();
    assert.deepEqual(arrived, ["after"]);
    assert.equal(nc.stats().droppedOutbound, 10);
  });

  test("P3 what is still unsent at close is counted in its event and in the stats", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived } = await line(t);
    proxy.refuse();
    proxy.cut();
    await events.until("disconnect");
    for (const n of numbers(1, 42)) nc.publish("a", n);
    await nc.close();
    await events.ended;
    assert.deepEqual(events.of("close"), [{ type: "close", unsent: 42 }]);
    assert.equal(nc.stats().droppedOutbound, 42);
    assert.deepEqual(arrived, []);
  });

  test("P3 drain sends what is kept, when the connection comes back in time", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived, caughtUp } = await line(t);
    proxy.refuse();
    proxy.cut();
    await events.until("disconnect");
    for (const n of numbers(1, 100)) nc.publish("a", n);
    const drained = nc.drain();
    await proxy.accept();
    await drained;
    await caughtUp();
    assert.deepEqual(arrived, numbers(1, 100));
    await events.ended;
    assert.equal(events.of("close")[0]?.unsent, 0);
  });
});

describe("P3 a link that breaks in the middle of a message", () => {
  for (const [name, into] of [
    ["control line", 4],
    ["payload", 60],
    ["line end", "PUB a 200\r\n".length + 201],
  ] as const) {
    test(`P3 in its ${name}: nothing arrives half, and what follows is whole`, async (t) => {
      trackLeaks(t);
      const { nc, events, proxy, arrived, caughtUp } = await line(t);
      const payload = (n: number) => `${n}:`.padEnd(200, "x");
      const message = "PUB a 200\r\n".length + 202;
      await nc.flush();
      const cut = proxy.cutAfter(3 * message + into);
      for (let n = 1; n <= 8; n++) nc.publish("a", payload(n));
      await cut;
      await events.until("reconnect");
      for (let n = 9; n <= 12; n++) nc.publish("a", payload(n));
      await caughtUp();
      for (const text of arrived) assert.equal(text.length, 200);
      const seen = arrived.map((text) => Number.parseInt(text, 10));
      // 1 to 3 had passed, the socket had taken the rest of the batch: nobody can know of it
      assert.deepEqual(seen, [1, 2, 3, 9, 10, 11, 12]);
      assert.match(proxy.sent.toString(), /PUB a 200\r\n9:x/);
    });
  }

  for (const transport of ["tcp", "tls", "ws"] as const) {
    test(`P3 over ${transport}: what the socket had not taken is counted in disconnect.lost and in the stats, and what waited behind it arrives`, async (t) => {
      trackLeaks(t);
      const { nc, events, proxy, arrived, caughtUp } = await line(t, {}, transport);
      const size = 16_384;
      const payload = (n: number) => `${n}:`.padEnd(size, "x");
      // the network takes nothing more: the socket's buffers fill, then ours
      proxy.pause("sent");
      const total = 1500;
      for (let n = 1; n <= total; n++) nc.publish("a", payload(n));
      await settled();
      const waiting = nc.pendingBytes;
      assert.ok(waiting > 1 << 20, String(waiting));
      proxy.cut({ reset: true });
      const { lost } = await events.until("disconnect");
      assert.ok(lost > 0, "nothing was counted");
      assert.equal(nc.stats().droppedOutbound, lost);
      // what was ours to keep is kept
      assert.ok(
        nc.pendingBytes + lost * (size + 20) >= waiting,
        `${nc.pendingBytes} of ${waiting} left, ${lost} lost`,
      );
      proxy.resume();
      await events.until("reconnect");
      await caughtUp();
      const seen = arrived.map((text) => Number.parseInt(text, 10));
      for (const text of arrived) assert.equal(text.length, size);
      // in order, once
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((a, b) => a - b),
      );
      assert.equal(seen.at(-1), total);
      // one gap: behind it everything is there
      const gaps = seen.filter((n, i) => n !== (seen[i - 1] ?? n - 1) + 1 && i > 0);
      assert.ok(gaps.length <= 1, `gaps before ${gaps.join(", ")}`);
      assert.equal(nc.pendingBytes, 0);
    });
  }

  test("P3 a flush that resolves means that all before it has arrived; one that rejects, that nobody knows", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy, arrived, caughtUp } = await line(t);
    let known = 0;
    let n = 0;
    for (let round = 0; round < 10; round++) {
      if (round % 3 === 2) void proxy.cutAfter(100);
      for (let i = 0; i < 20; i++) nc.publish("a", String(++n));
      const last = n;
      try {
        await nc.flush();
        known = last;
        await caughtUp();
        const seen = arrived.map(Number);
        assert.ok(seen.includes(known), `${known} was flushed and is not there`);
      } catch (error) {
        assert.ok(code("DISCONNECTED")(error), String(error));
        await events.until("reconnect", events.of("disconnect").length);
      }
    }
    const seen = arrived.map(Number);
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => a - b),
    );
    assert.equal(events.of("disconnect").length, 3);
    assert.equal(seen.at(-1), n);
  });
});

test("P3 close of a peer that takes nothing counts what it never took", async (t) => {
  trackLeaks(t);
  const { nc, events, proxy } = await line(t);
  await nc.flush();
  proxy.pause("sent");
  const payload = new Uint8Array(1 << 20);
  for (let n = 0; n < 30; n++) nc.publish("a", payload);
  await settled();
  const closed = nc.close();
  proxy.cut({ reset: true });
  await closed;
  await events.ended;
  const unsent = events.of("close")[0]?.unsent ?? 0;
  assert.ok(unsent > 0 && unsent <= 30, String(unsent));
  assert.equal(nc.stats().droppedOutbound, unsent);
});

describe("P3 what comes in", () => {
  test("P3 what a full queue drops is counted by the subscription, by the connection, and told once", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await connect({ servers: server.url });
    atEnd(t, () => nc.close());
    const events = new Watch(nc);
    const newest = nc.subscribe("a", { limits: { messages: 10 } });
    const oldest = nc.subscribe("a", { limits: { messages: 10, overflow: "drop-oldest" } });
    const closing = nc.subscribe("a", { limits: { messages: 10, overflow: "close" } });
    const all = nc.subscribe("a");
    for (const n of numbers(1, 100)) nc.publish("a", n);
    await nc.flush();
    await settled();
    assert.deepEqual([newest.dropped, oldest.dropped, closing.dropped, all.dropped], [90, 90, 11, 0]);
    assert.equal(nc.stats().droppedInbound, 90 + 90 + 11);
    assert.equal(events.of("slowConsumer").length, 3);
    for (const sub of [newest, oldest, all]) {
      assert.equal(sub.getReceived(), 100);
      assert.equal(sub.getProcessed() + sub.getPending() + sub.dropped, 100);
    }
    assert.ok(isNatsError(await closing.closed));
  });

  test("P3 bytes that come in pieces of one are whole messages", async (t) => {
    trackLeaks(t);
    const { nc, proxy } = await line(t);
    proxy.splitBytes(1);
    const sub = nc.subscribe("b", { max: 50 });
    const h = headers();
    h.set("A", "ü");
    for (const n of numbers(1, 50)) nc.publish("b", `${n} grüße`, { headers: h });
    let next = 1;
    for await (const m of sub) {
      assert.equal(m.string(), `${next++} grüße`);
      assert.equal(m.headers?.get("A"), "ü");
    }
  });

  test("P3 a message that was cut on its way in is not delivered half", async (t) => {
    trackLeaks(t);
    const { nc, events, proxy } = await line(t);
    const seen: string[] = [];
    const sub = nc.subscribe("b", { callback: (_, m) => void seen.push(m.string()) });
    await nc.flush();
    const cut = proxy.cutAfter(`MSG b ${sub.getID()} 100\r\n`.length + 50, "received");
    nc.publish("b", "x".repeat(100));
    await cut;
    await events.until("reconnect");
    nc.publish("b", "y".repeat(100));
    await nc.flush();
    assert.deepEqual(seen, ["y".repeat(100)]);
    assert.equal(sub.getReceived(), 1);
  });
});
