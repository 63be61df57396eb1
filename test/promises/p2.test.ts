// P2: every wait settles: by its result, its deadline, its signal, or the end of the connection. Nothing is left after it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connect,
  type ConnectionOptions,
  isNatsError,
  type NatsConnection,
  type NatsErrorCode,
  type Subscription,
} from "../../src/index.node.ts";
import { outcome, settled, Watch } from "../client/conversation.ts";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Proxy, startProxy } from "../fixtures/proxy.ts";
import { startScripted } from "../fixtures/scripted-server.ts";
import { startServer } from "../fixtures/real-server.ts";

interface Wait {
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;

interface Line {
  readonly nc: NatsConnection;
  readonly proxy: Proxy;
  readonly events: Watch;
  /** a subscription with a callback that never returns, which has a message */
  readonly stuck: Subscription;
}

/** A connection over a proxy that lets nothing through any more, as far as anybody can tell. */
async function halfOpen(t: Scope, options: ConnectionOptions = {}): Promise<Line> {
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const nc = await connect({ servers: proxy.url, reconnectTimeWait: 5, reconnectJitter: 0, ...options });
  atEnd(t, () => nc.close());
  const events = new Watch(nc);
  const stuck = nc.subscribe("stuck", { callback: () => new Promise(() => {}) });
  nc.publish("stuck");
  await nc.flush();
  proxy.pause();
  return { nc, proxy, events, stuck };
}

const large = new Uint8Array(1 << 20);

/** Each call that waits, begun so that its result will not come. */
const waits: Record<string, (line: Line, wait: Wait) => Promise<unknown>> = {
  request: ({ nc }, wait) => nc.request("q", "", { timeout: 60_000, ...wait }),
  "request noMux": ({ nc }, wait) => nc.request("q", "", { timeout: 60_000, noMux: true, ...wait }),
  context: ({ nc }, wait) => nc.context({ timeout: 60_000, ...wait }),
  flush: ({ nc }, wait) => nc.flush(wait),
  rtt: ({ nc }, wait) => nc.rtt(wait),
  "subscription drain": ({ nc }, wait) => nc.subscribe("a").drain(wait),
  "subscription drain with a callback that never returns": ({ stuck }, wait) => stuck.drain(wait),
  drain: ({ nc }, wait) => nc.drain(wait),
  writable: ({ nc }, wait) => {
    for (let i = 0; i < 20; i++) nc.publish("a", large);
    return nc.writable(wait);
  },
};

for (const [name, begin] of Object.entries(waits)) {
  describe(`P2 ${name} that gets no answer`, () => {
    test(`P2 ${name}: ends by its timeout`, async (t) => {
      trackLeaks(t);
      const line = await halfOpen(t);
      const pending = begin(line, { timeout: 30 });
      const early = assert.rejects(within(pending, "still pending"), code("TIMEOUT"));
      // a drain closes the connection, which a peer that takes nothing holds up
      if (name === "drain" || name === "writable") setTimeout(() => line.proxy.cut({ reset: true }), 60);
      await early;
      line.proxy.resume();
    });

    test(`P2 ${name}: ends by its signal`, async (t) => {
      trackLeaks(t);
      const line = await halfOpen(t);
      const controller = new AbortController();
      const pending = begin(line, { signal: controller.signal });
      const rejected = assert.rejects(
        within(pending, "still pending"),
        (error) => code("ABORTED")(error) && (error as Error).cause === "enough",
      );
      assert.equal(await outcome(pending), "pending");
      controller.abort("enough");
      if (name === "drain") setTimeout(() => line.proxy.cut({ reset: true }), 30);
      await rejected;
      line.proxy.resume();
      if (name === "writable") line.proxy.cut({ reset: true });
    });

    test(`P2 ${name}: ends with the connection, before close() resolves`, async (t) => {
      trackLeaks(t);
      const line = await halfOpen(t);
      const pending = begin(line, {});
      let ended = false;
      const rejected = assert.rejects(
        pending.finally(() => {
          ended = true;
        }),
        (error) => isNatsError(error) && (error.code === "CLOSED" || error.code === "DISCONNECTED"),
      );
      await settled();
      const closed = line.nc.close();
      // close() waits for a peer that takes nothing; the network says that it is gone
      line.proxy.cut({ reset: true });
      await closed;
      await settled();
      assert.equal(ended, true);
      await rejected;
      assert.equal(line.nc.isClosed(), true);
    });
  });
}

test("P2 iterators end with the connection: subscription, replies, status, web stream", async (t) => {
  trackLeaks(t);
  const { nc, proxy, events } = await halfOpen(t);
  const next = nc.subscribe("a")[Symbol.asyncIterator]().next();
  const read = nc.subscribe("a").readable.getReader().read();
  const status = (async () => {
    const types: string[] = [];
    for await (const { type } of nc.status()) types.push(type);
    return types;
  })();
  const replies = await nc.requestMany("q", "", { maxWait: 60_000 });
  const alone = await nc.requestMany("q", "", { maxWait: 60_000, noMux: true });
  const failing = [replies, alone].map((one) =>
    assert.rejects(one[Symbol.asyncIterator]().next(), code("CLOSED")),
  );
  const writer = nc.writableStream("a").getWriter();
  for (let i = 0; i < 20; i++) writer.write(large).catch(() => {});
  const written = assert.rejects(writer.closed, code("CLOSED"));
  const sub = nc.subscribe("a");
  await settled();
  const closed = nc.close();
  proxy.cut({ reset: true });
  await closed;
  assert.equal((await next).done, true);
  assert.equal((await read).done, true);
  await Promise.all(failing);
  await written;
  assert.equal(await sub.closed, undefined);
  assert.equal(await nc.closed(), undefined);
  assert.equal((await status).at(-1), "close");
  await events.ended;
});

test("P2 requestMany ends by its time and its signal", async (t) => {
  trackLeaks(t);
  const { nc, proxy } = await halfOpen(t);
  for (const noMux of [false, true]) {
    for await (const _ of await nc.requestMany("q", "", { noMux, maxWait: 20 })) assert.fail();
    const replies = await nc.requestMany("q", "", {
      noMux,
      maxWait: 60_000,
      signal: AbortSignal.timeout(20),
    });
    await assert.rejects(replies[Symbol.asyncIterator]().next(), code("ABORTED"));
  }
  proxy.resume();
});

test("P2 a peer that is half open is noticed: what waits for it settles, and what is sent later comes through", async (t) => {
  trackLeaks(t);
  const { nc, proxy, events } = await halfOpen(t, { pingInterval: 30, maxPingOut: 2, timeout: 1000 });
  const flush = assert.rejects(nc.flush(), code("DISCONNECTED"));
  const sub = nc.subscribe("a", { max: 1 });
  await events.until("staleConnection");
  assert.equal((await events.until("disconnect")).error?.code, "STALE_CONNECTION");
  await flush;
  nc.publish("a", "later");
  proxy.resume();
  for await (const m of sub) assert.equal(m.string(), "later");
  assert.equal(events.of("reconnect").length >= 1, true);
});

describe("P2 connect", () => {
  test("P2 to a server that never says anything ends by its timeout", async (t) => {
    trackLeaks(t);
    const scripted = await startScripted(t);
    await assert.rejects(connect({ servers: scripted.url, timeout: 30 }), code("TIMEOUT"));
    await (await scripted.nextPeer()).closed;
  });

  test("P2 to a server that stops in the middle of the handshake ends by its timeout", async (t) => {
    trackLeaks(t);
    const scripted = await startScripted(t, async (peer) => {
      peer.info();
      await peer.expect(/^CONNECT/);
      await peer.closed;
    });
    await assert.rejects(connect({ servers: scripted.url, timeout: 500 }), code("TIMEOUT"));
  });

  test("P2 for ever is for ever, not at once", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    proxy.latency(10);
    const nc = await connect({ servers: proxy.url, timeout: Number.POSITIVE_INFINITY });
    await nc.close();
  });

  test("P2 ends by its signal: before it began, while it dials, while it waits for another attempt", async (t) => {
    trackLeaks(t);
    const aborted = (error: unknown) => code("ABORTED")(error) && (error as Error).cause === "enough";
    await assert.rejects(connect({ servers: "127.0.0.1:1", signal: AbortSignal.abort("enough") }), aborted);
    const scripted = await startScripted(t);
    const dialling = new AbortController();
    const first = connect({ servers: scripted.url, signal: dialling.signal });
    const rejected = assert.rejects(first, aborted);
    const peer = await scripted.nextPeer();
    dialling.abort("enough");
    await rejected;
    await peer.closed;
    const waiting = new AbortController();
    let attempts = 0;
    const second = connect({
      servers: "127.0.0.1:1",
      signal: waiting.signal,
      waitOnFirstConnect: true,
      reconnectDelayHandler: () => {
        attempts++;
        queueMicrotask(() => waiting.abort("enough"));
        return 60_000;
      },
    });
    await assert.rejects(second, aborted);
    assert.equal(attempts, 1);
  });

  test("P2 a signal that fires after it has connected changes nothing", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const controller = new AbortController();
    const nc = await connect({ servers: server.url, signal: controller.signal });
    atEnd(t, () => nc.close());
    controller.abort();
    await nc.flush();
    assert.equal(nc.state, "connected");
  });
});

describe("P2 the end of the connection itself", () => {
  test("P2 close() resolves whatever the connection is doing", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const open = async () => {
      const nc = await connect({
        servers: proxy.url,
        reconnectTimeWait: 60_000,
        maxReconnectTimeWait: 60_000,
      });
      return { nc, events: new Watch(nc) };
    };
    // idle
    await (await open()).nc.close();
    // waiting for its next attempt
    const waiting = await open();
    proxy.refuse();
    proxy.cut();
    await waiting.events.until("reconnecting", 2);
    await waiting.nc.close();
    await proxy.accept();
    // dialling a peer that says nothing
    const dialling = await open();
    const dialled = proxy.nextConnection();
    proxy.cut();
    proxy.pause();
    await dialled;
    await dialling.nc.close();
    proxy.resume();
    // draining
    const draining = await open();
    draining.nc.subscribe("a", { callback: () => new Promise(() => {}) });
    draining.nc.publish("a");
    await draining.nc.flush();
    const drained = assert.rejects(draining.nc.drain(), code("CLOSED"));
    await settled();
    await draining.nc.close();
    await drained;
    // closing already, closed already
    const closing = await open();
    await Promise.all([closing.nc.close(), closing.nc.close()]);
    await closing.nc.close();
  });

  test("P2 drain() ends closed, also when it begins without a connection", async (t) => {
    trackLeaks(t);
    const { nc, proxy, events } = await halfOpen(t, {
      reconnectTimeWait: 60_000,
      maxReconnectTimeWait: 60_000,
    });
    const iteration = nc.subscribe("a")[Symbol.asyncIterator]().next();
    proxy.resume();
    proxy.refuse();
    proxy.cut();
    await events.until("reconnecting", 2);
    // the callback that never returns is the one thing we can't settle
    await assert.rejects(nc.drain({ timeout: 20 }), code("TIMEOUT"));
    assert.equal(nc.state, "closed");
    assert.equal((await iteration).done, true);
    assert.equal(await nc.closed(), undefined);
  });

  test("P2 when reconnecting is given up everything ends, and closed() says why", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await connect({
      servers: server.url,
      maxReconnectAttempts: 2,
      reconnectTimeWait: 2,
      reconnectJitter: 0,
    });
    const events = new Watch(nc);
    const request = assert.rejects(nc.request("$SYS.none.such", "", { timeout: 60_000 }), isNatsError);
    const iteration = nc.subscribe("a")[Symbol.asyncIterator]().next();
    await server.kill();
    const reason = await nc.closed();
    assert.equal((reason as { code?: string }).code, "CONNECTION_REFUSED");
    await request;
    assert.equal((await iteration).done, true);
    await events.ended;
    assert.equal(events.of("close")[0]?.error, reason);
    await assert.rejects(nc.flush(), code("CLOSED"));
  });
});
