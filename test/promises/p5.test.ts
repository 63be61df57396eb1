// P5: memory is bounded. Every queue has a limit, a default, and a behaviour at the limit that is stated and tried here.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  connect,
  type ConnectionOptions,
  deferred,
  isNatsError,
  type NatsConnection,
  type NatsErrorCode,
  type SubscriptionLimits,
} from "../../src/index.node.ts";
import { converse, msg, settled, Watch, welcome } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;

async function client(t: Scope, servers: string, options: ConnectionOptions = {}): Promise<NatsConnection> {
  const nc = await connect({ servers, reconnectTimeWait: 2, reconnectJitter: 0, ...options });
  atEnd(t, () => nc.close());
  return nc;
}

async function texts(messages: AsyncIterable<{ string(): string }>): Promise<string[]> {
  const seen: string[] = [];
  for await (const m of messages) seen.push(m.string());
  return seen;
}

describe("P5 the queue of a subscription", () => {
  const outcomes: [SubscriptionLimits["overflow"], kept: string[], dropped: number][] = [
    [undefined, ["1", "2", "3"], 5],
    ["drop-newest", ["1", "2", "3"], 5],
    ["drop-oldest", ["6", "7", "8"], 5],
  ];
  for (const [overflow, kept, dropped] of outcomes) {
    for (const taker of ["loop", "callback", "stream"] as const) {
      test(`P5 ${overflow ?? "by default"}, taken by a ${taker}: keeps ${kept.join()}, and counts the others`, async (t) => {
        trackLeaks(t);
        const server = await startServer(t);
        const nc = await client(t, server.url);
        const events = new Watch(nc);
        const limits = { messages: 3, ...(overflow && { overflow }) };
        const gate = deferred<void>();
        const called: string[] = [];
        const sub =
          taker === "callback"
            ? nc.subscribe("a", {
                limits,
                concurrency: 1,
                callback: async (_, m) => {
                  called.push(m.string());
                  await gate;
                },
              })
            : nc.subscribe("a", { limits });
        // the one that the callback is busy with
        if (taker === "callback") nc.publish("a", "busy");
        for (let n = 1; n <= 8; n++) nc.publish("a", String(n));
        await nc.flush();
        assert.equal(sub.getPending(), 3);
        assert.equal(sub.dropped, dropped);
        assert.equal(nc.stats().droppedInbound, dropped);
        assert.equal((await events.until("slowConsumer")).sub, sub);
        gate.resolve();
        void sub.drain();
        const taken =
          taker === "loop" ? await texts(sub) : taker === "stream" ? await texts(sub.readable) : [];
        if (taker === "callback") await sub.drain();
        assert.deepEqual(taker === "callback" ? called.slice(1) : taken, kept);
        await nc.flush();
        assert.equal(events.of("slowConsumer").length, 1);
      });
    }
  }

  test("P5 close ends it with SLOW_CONSUMER, for a loop, a stream and a callback, and no other with it", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server.url);
    const limits = { messages: 3, overflow: "close" } as const;
    const seen: unknown[] = [];
    const callback = nc.subscribe("a", {
      limits,
      concurrency: 1,
      callback: (error, m) => {
        seen.push(error?.code ?? m.string());
        return new Promise(() => {});
      },
    });
    const [loop, stream, other] = [
      nc.subscribe("a", { limits }),
      nc.subscribe("a", { limits }),
      nc.subscribe("a", { max: 8 }),
    ];
    for (let n = 1; n <= 8; n++) nc.publish("a", String(n));
    await nc.flush();
    await assert.rejects(texts(loop), code("SLOW_CONSUMER"));
    await assert.rejects(texts(stream.readable), code("SLOW_CONSUMER"));
    assert.deepEqual(seen, ["1", "SLOW_CONSUMER"]);
    for (const sub of [callback, loop, stream]) assert.ok(code("SLOW_CONSUMER")(await sub.closed));
    assert.equal((await texts(other)).length, 8);
    await nc.flush();
    const { connections } = await server.connz("subs=1");
    assert.deepEqual(connections[0]?.subscriptions_list ?? [], []);
  });

  test("P5 by default it holds 64 MiB", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: "max_pending: 268435456" });
    const nc = await client(t, server.url);
    const sub = nc.subscribe("a");
    const payload = new Uint8Array(1_000_000);
    for (let n = 0; n < 80; n++) {
      nc.publish("a", payload);
      await nc.writable();
    }
    await nc.flush();
    // 67 messages of 1 000 001 bytes are 67 000 067, one more would be more than 67 108 864
    assert.equal(sub.getPending(), 67);
    assert.equal(sub.dropped, 13);
    sub.unsubscribe();
  });

  test("P5 by default it holds 524 288 messages", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    peer.send(msg("a", sub.getID()).repeat(524_300));
    await nc.flush();
    assert.equal(sub.getPending(), 524_288);
    assert.equal(sub.dropped, 12);
    sub.unsubscribe();
  });

  test("P5 a slow one holds up no other, nor requests, nor the pings of the server", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: 'ping_interval: "200ms"\nping_max: 2' });
    const nc = await client(t, server.url);
    const slow = nc.subscribe("a", { limits: { messages: 10 } });
    const queued = nc.subscribe("a", {
      concurrency: 1,
      limits: { messages: 10 },
      callback: () => new Promise(() => {}),
    });
    let fast = 0;
    nc.subscribe("a", { callback: () => void fast++ });
    nc.subscribe("q", { callback: (_, m) => void m.respond("ok") });
    for (let n = 0; n < 1000; n++) nc.publish("a", String(n));
    assert.equal((await nc.request("q", "", PATIENT)).string(), "ok");
    assert.equal(fast, 1000);
    assert.equal(slow.getPending(), 10);
    assert.equal(queued.getPending(), 10);
    assert.equal(nc.state, "connected");
  });
});

test("P5 replies of requestMany that nobody takes: up to 64 MiB, then it ends with SLOW_CONSUMER", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const nc = await client(t, server.url);
  const service = await client(t, server.url);
  const payload = new Uint8Array(1_000_000);
  service.subscribe("q", {
    callback: async (_, m) => {
      for (let n = 0; n < 70; n++) {
        m.respond(payload);
        await service.writable();
      }
      m.respond("last");
      await service.flush();
      service.publish("answered");
    },
  });
  await service.flush();
  for (const noMux of [false, true]) {
    const answered = nc.subscribe("answered", { max: 1 });
    const replies = await nc.requestMany("q", "", { noMux, maxWait: 60_000 });
    await texts(answered);
    assert.equal(replies.getPending(), 0);
    await assert.rejects(texts(replies), code("SLOW_CONSUMER"));
  }
});

describe("P5 what is to be sent", () => {
  test("P5 while connected: maxOutboundBytes, then OUTBOUND_FULL; writable() says when there is room", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const nc = await client(t, proxy.url, { maxOutboundBytes: 4 << 20 });
    proxy.pause("sent");
    const payload = new Uint8Array(100_000);
    let accepted = 0;
    assert.throws(() => {
      // a full socket gets rid of nothing, however many turns it has
      for (; accepted < 1000; accepted++) nc.publish("a", payload);
    }, code("OUTBOUND_FULL"));
    await settled(20);
    for (let refused = 0; refused < 2 && accepted < 1000; await settled(2)) {
      try {
        nc.publish("a", payload);
        accepted++;
        refused = 0;
      } catch (error) {
        assert.ok(code("OUTBOUND_FULL")(error));
        refused++;
      }
    }
    assert.ok(accepted < 1000, "there was no end to it");
    // one batch may be with the socket
    assert.ok(nc.pendingBytes < (4 << 20) + (3 << 20), `${nc.pendingBytes} bytes wait`);
    const room = nc.writable();
    proxy.resume();
    await room;
    nc.publish("a", payload);
    await nc.flush();
    assert.equal(nc.pendingBytes, 0);
    assert.equal((await server.varz()).in_msgs, accepted + 1);
  });

  test("P5 while disconnected: maxPendingBytes, by default 8 MiB, then OUTBOUND_FULL", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer, events } = await converse(t);
    peer.destroy();
    await events.until("disconnect");
    const payload = new Uint8Array(1 << 20);
    let accepted = 0;
    assert.throws(() => {
      for (; accepted < 20; accepted++) nc.publish("a", payload);
    }, code("OUTBOUND_FULL"));
    assert.equal(accepted, 7);
    assert.ok(nc.pendingBytes <= 8 << 20);
    // control lines are no queue: the subscriptions are told anew
    for (let n = 0; n < 1000; n++) nc.subscribe("a").unsubscribe();
    assert.ok(nc.pendingBytes <= 8 << 20);
    await welcome(await nextPeer());
    await events.until("reconnect");
  });

  test("P5 drop and throw keep nothing", async (t) => {
    trackLeaks(t);
    for (const whenDisconnected of ["drop", "throw"] as const) {
      const { nc, peer, events } = await converse(t, { whenDisconnected });
      peer.destroy();
      await events.until("disconnect");
      for (let n = 0; n < 100; n++) {
        if (whenDisconnected === "drop") nc.publish("a", "x");
        else assert.throws(() => nc.publish("a", "x"), code("DISCONNECTED"));
      }
      assert.equal(nc.pendingBytes, 0);
    }
  });
});

test("P5 a status listener keeps 4096 events, the newest; one that listens no more keeps none", async (t) => {
  trackLeaks(t);
  const { nc, peer } = await converse(t);
  const lazy = nc.status()[Symbol.asyncIterator]();
  for (let n = 1; n <= 5000; n++) peer.send(`-ERR '${n}'\r\n`);
  await nc.flush();
  const first = (await lazy.next()).value as { error: { serverText: string } };
  assert.equal(first.error.serverText, "905");
  await lazy.return?.();
  assert.equal((await lazy.next()).done, true);
});

describe("P5 what a peer announces", () => {
  const hostile: [string, string, NatsErrorCode][] = [
    ["a payload beyond all limits", "MSG a 2 99999999\r\n", "MAX_PAYLOAD"],
    ["a size that is no number of this world", "MSG a 2 999999999999\r\n", "PROTOCOL"],
    ["headers larger than their message", "HMSG a 2 100 50\r\n", "PROTOCOL"],
    ["a line without an end", `INFO {"x":"${"x".repeat(3 << 20)}`, "PROTOCOL"],
  ];
  for (const [name, bytes, wanted] of hostile) {
    test(`P5 ${name} ends the link with a typed error, and takes no memory`, async (t) => {
      trackLeaks(t);
      const { nc, peer, nextPeer, events } = await converse(t);
      nc.subscribe("a");
      const before = process.memoryUsage().arrayBuffers;
      peer.send(bytes);
      const { error } = await events.until("disconnect");
      assert.equal(error?.code, wanted);
      assert.ok(process.memoryUsage().arrayBuffers - before < 32 << 20);
      await welcome(await nextPeer());
      await events.until("reconnect");
    });
  }
});

describe("P5 nothing is kept of what has ended", () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  async function collected(refs: WeakRef<object>[]): Promise<void> {
    for (let round = 0; round < 10 && refs.some((ref) => ref.deref() !== undefined); round++) {
      await settled();
      gc();
    }
    assert.equal(refs.filter((ref) => ref.deref() !== undefined).length, 0, "still in memory");
  }

  test("P5 subscriptions, messages, requests, iterators and waits are collected", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server.url);
    nc.subscribe("q", { callback: (_, m) => void m.respond("ok") });
    const controller = new AbortController();
    const { signal } = controller;
    const refs: WeakRef<object>[] = [];
    const keep = <T extends object>(value: T): T => {
      refs.push(new WeakRef(value));
      return value;
    };
    // a function of its own: what the last round leaves in registers is nobody's leak
    const round = async () => {
      keep(nc.subscribe("a")).unsubscribe();
      const callback = keep(() => {});
      await keep(nc.subscribe("a", { callback })).drain();
      keep(nc.subscribe("b", { timeout: 600_000 })).unsubscribe();
      const counted = keep(nc.subscribe("c", { max: 1 }));
      nc.publish("c", "x");
      for await (const m of counted) keep(m);
      keep(await nc.request("q", "", { ...PATIENT, signal }));
      keep(await nc.request("q", "", { ...PATIENT, signal, noMux: true }));
      const replies = keep(await nc.requestMany("q", "", { signal, strategy: "count", maxMessages: 1 }));
      for await (const m of replies) keep(m);
      await nc.request("nobody", "", { signal }).catch(keep);
      await nc.flush({ signal });
      await nc.writable({ signal });
      keep(nc.status()[Symbol.asyncIterator]())
        .return?.()
        .catch(() => {});
    };
    for (let n = 0; n < 50; n++) await round();
    assert.deepEqual(getEventListeners(signal, "abort"), []);
    await nc.flush();
    await collected(refs);
    const { connections } = await server.connz("subs=1");
    assert.equal(connections[0]?.subscriptions, 2);
  });

  test("P5 a hundred links leave one", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server.url);
    const events = new Watch(nc);
    nc.subscribe("a");
    for (let n = 1; n <= 100; n++) {
      await nc.reconnect();
      await events.until("reconnect", n);
    }
    await nc.flush();
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
    for (let turn = 0; turn < 100 && sockets() > 1; turn++) await settled(1);
    assert.equal(sockets(), 1);
    const { connections } = await server.waitForConnections(1);
    assert.equal(connections[0]?.subscriptions, 1);
  });
});
