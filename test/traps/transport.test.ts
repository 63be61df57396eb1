// Traps 5 to 7, 11, 12, 26 and 29 to 34: the whole client over TCP, TLS and WebSocket where these misbehave.
//
// The transports alone are tested in test/transport; traps 8 (a late close event) and 28 (hosts file, SNI) there only, since
// all of them is between a dialer and its socket. What a client makes of names and ports (trap 27, and 28's name for the
// IP of a cluster) is in test/client/address.test.ts, options.test.ts and pool.test.ts.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { WebSocket } from "ws";
import { connect, createConnect, type Dialer, type NatsConnection } from "../../src/index.node.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { dialTcp } from "../../src/transport/tcp.node.ts";
import { dialWebSocket, webSocketDialer } from "../../src/transport/websocket.ts";
import type { WebSocketLike } from "../../src/transport/websocket-factory.ts";
import { atEnd, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { certPath, startServer } from "../fixtures/real-server.ts";
import { scriptedPeer, startScripted } from "../fixtures/scripted-server.ts";
import { heapUsed } from "../transport/support.ts";
import { collect, connectTo, failing, next, noUnhandled, until, Watch } from "./support.ts";
import { serveWebSocket } from "./websocket-server.ts";

/** A socket as a browser has it: no way to end it at once, and closing waits for the peer. */
class BrowserSocket implements WebSocketLike {
  binaryType = "blob";
  readyState = 0;
  onopen: unknown;
  onmessage: unknown;
  onerror: unknown;
  onclose: unknown;
  inner: WebSocket | undefined;
  /** nothing goes out any more, and nobody tells */
  stuck = false;
  /** no 'close' event */
  mute = false;
  closed = false;

  /** The connection begins; before, the socket is one that takes its time. */
  begin(url: string): this {
    const inner = new WebSocket(url, { perMessageDeflate: false });
    this.inner = inner;
    inner.binaryType = "arraybuffer";
    inner.onopen = () => {
      this.readyState = 1;
      this.say("onopen", {});
    };
    inner.onmessage = (event) => this.say("onmessage", event);
    inner.onclose = (event) => {
      this.readyState = 3;
      if (!this.mute) this.say("onclose", event);
    };
    inner.onerror = () => {};
    if (this.closed) inner.terminate();
    return this;
  }

  say(handler: "onopen" | "onmessage" | "onerror" | "onclose", event: unknown): void {
    (this[handler] as ((event: unknown) => void) | undefined)?.(event);
  }

  get bufferedAmount(): number {
    return this.stuck ? 5_000_000 : (this.inner?.bufferedAmount ?? 0);
  }

  send(data: never): void {
    if (!this.stuck) this.inner?.send(data);
  }

  close(): void {
    this.closed = true;
    if (!this.stuck) this.inner?.close();
  }
}

/** A connect() over sockets that `make` gives, and those made so far. */
function overSockets(make: (url: string, nth: number) => BrowserSocket) {
  const sockets: BrowserSocket[] = [];
  const dialer = webSocketDialer(async (url) => {
    const socket = make(url, sockets.length + 1);
    sockets.push(socket);
    return { socket, encrypted: false };
  });
  return { sockets, open: createConnect({ ws: dialer }) };
}

test("trap 5: a WebSocket whose bufferedAmount never drains is left after maxPingOut pings", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: true });
  const { sockets, open } = overSockets((url) => new BrowserSocket().begin(url));
  atEnd(t, () => sockets[0]?.inner?.terminate());
  const maxPingOut = 2;
  const nc = await connectTo(t, server.wsUrl, { pingInterval: 500, maxPingOut }, open);
  const watch = new Watch(nc);
  (sockets[0] as BrowserSocket).stuck = true;
  nc.publish("a", "lost");
  failing("STALE_CONNECTION")((await watch.until("disconnect")).error);
  assert.ok(watch.of("ping").every(({ pendingPings }) => pendingPings <= maxPingOut));
  await watch.until("reconnect");
  assert.equal(sockets.length, 2);
  await nc.flush();
});

test("trap 5: close() does not wait for ever for a WebSocket that is stuck and never says close", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: true });
  const { sockets, open } = overSockets((url) => new BrowserSocket().begin(url));
  atEnd(t, () => sockets[0]?.inner?.terminate());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const nc = await connectTo(t, server.wsUrl, {}, open);
  const [socket] = sockets as [BrowserSocket];
  socket.stuck = socket.mute = true;
  const closed = nc.close();
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal(socket.closed, false, "not while bytes wait");
  t.mock.timers.tick(6000);
  await closed;
  assert.equal(socket.closed, true);
});

test("trap 6: a WebSocket that says 'error' and no 'close' is redialled", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { websocket: true });
  const { sockets, open } = overSockets((url) => new BrowserSocket().begin(url));
  const nc = await connectTo(t, server.wsUrl, {}, open);
  const watch = new Watch(nc);
  const [socket] = sockets as [BrowserSocket];
  socket.mute = true;
  socket.say("onerror", { message: "read ETIMEDOUT" });
  failing("CONNECTION", "ETIMEDOUT")((await watch.until("disconnect")).error);
  await watch.until("reconnect");
  await nc.flush();
  await server.waitForConnections(1);
});

test("trap 7: a WebSocket that opens after the client gave it up is closed, and is no second live transport", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { websocket: true });
  const { sockets, open } = overSockets((url, nth) => {
    const socket = new BrowserSocket();
    return nth === 1 ? socket : socket.begin(url);
  });
  const nc = await connectTo(t, server.wsUrl, { timeout: 1000, waitOnFirstConnect: true }, open);
  assert.equal(sockets.length, 2);
  const got = collect(nc.subscribe("once"));
  const late = sockets[0] as BrowserSocket;
  // it had been told to close, and opens all the same
  late.closed = false;
  late.begin(server.wsUrl);
  await until(() => late.readyState === 3, "the late socket closed");
  nc.publish("once", "1");
  await nc.flush();
  assert.deepEqual(got.texts, ["1"]);
  await server.waitForConnections(1);
});

for (const scheme of ["nats", "tls", "ws", "wss"]) {
  test(`trap 11: ${scheme}: a connect() that is aborted before it resolves leaves no socket`, async (t) => {
    trackLeaks(t);
    noUnhandled(t);
    // takes the connection and says nothing
    const server = await startScripted(t);
    const abort = new AbortController();
    const connecting = connect({
      servers: server.url.replace("nats", scheme),
      signal: abort.signal,
      waitOnFirstConnect: true,
    });
    const peer = await server.nextPeer();
    abort.abort(new Error("enough"));
    await assert.rejects(connecting, failing("ABORTED"));
    await within(peer.closed, "the socket lives");
    assert.equal(server.peers.length, 1);
  });
}

for (const scheme of ["nats", "ws"]) {
  test(`trap 12: ${scheme}: 4000 failed dials of one client leave the heap as it was`, async (t) => {
    trackLeaks(t);
    const server = await serveWebSocket(t);
    const scripted = await startScripted(t, async (peer) => peer.handshake());
    const url = scheme === "ws" ? `ws://${server.address}` : scripted.url;
    let failures = 0;
    const nc = await connectTo(t, url, {
      // a rest after every thousand, to look at the heap
      reconnectDelayHandler: () => (++failures % 1000 === 0 ? 60_000 : 0),
    });
    const events = nc.status();
    await Promise.all([server.stop(), scripted.stop()]);
    const heap: number[] = [];
    for await (const event of events) {
      if (event.type !== "reconnecting" || event.delay < 1000) continue;
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      if (heap.push(heapUsed()) === 4) break;
      await nc.reconnect();
    }
    // the first thousand are the warm-up, in which code is compiled
    const growth = Math.min(...heap.slice(2)) - Math.max(...heap.slice(0, 2));
    assert.ok(growth < 300_000, `${growth} bytes more: ${heap.join(", ")}`);
  });
}

const ipv6 = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .some(({ address }) => address === "::1");

test("trap 26: IPv6 literals and IPv4-mapped addresses connect", {
  skip: !ipv6 && "no ::1 here",
}, async (t) => {
  trackLeaks(t);
  const six = await startServer(t, { host: "::1", websocket: true });
  assert.match(six.url, /\[::1\]/);
  for (const url of [six.url, `[::1]:${six.port}`, six.wsUrl, `[0:0:0:0:0:0:0:1]:${six.port}`]) {
    const nc = await connectTo(t, url);
    await nc.flush();
    assert.match(nc.getServer(), /^\[[0:1]+\]:\d+$/);
  }
});

test("trap 26: an IPv4-mapped address is dialled as the IPv4 address that it is", async (t) => {
  trackLeaks(t);
  const four = await startServer(t);
  const nc = await connectTo(t, `nats://[::ffff:127.0.0.1]:${four.port}`);
  await nc.flush();
  assert.equal(nc.getServer(), four.address);
});

test("trap 29: a server that offers TLS is talked to under TLS, and in clear with tls: null", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "available" });
  const tlsOf = async (nc: NatsConnection): Promise<boolean> => {
    await nc.flush();
    const { connections } = await server.waitForConnections(1);
    await nc.close();
    await server.waitForConnections(0);
    return connections[0]?.tls_version !== undefined;
  };
  assert.equal(await tlsOf(await connectTo(t, server.url, { tls: { caFile: certPath("ca.crt") } })), true);
  assert.equal(await tlsOf(await connectTo(t, server.url, { tls: null })), false);
  // without a word about TLS it upgrades, and does not trust the test's authority
  await assert.rejects(connect({ servers: server.url }), failing("TLS", "tls.ca"));
});

test("trap 30: a WebSocket address where there is only TCP is refused with a text that says so", async (t) => {
  trackLeaks(t);
  const tcpOnly = createConnect({ nats: dialTcp, tls: dialTcp });
  await assert.rejects(
    tcpOnly({ servers: "ws://127.0.0.1:80/x" }),
    failing("UNSUPPORTED", "ws://127.0.0.1:80/x", "nats and tls"),
  );
  await assert.rejects(
    connect({ servers: "ws://127.0.0.1:80", dialer: dialTcp }),
    failing("UNSUPPORTED", "WebSocket address"),
  );
  const wsOnly = createConnect({ ws: dialWebSocket, wss: dialWebSocket });
  await assert.rejects(wsOnly({ servers: "nats://127.0.0.1" }), failing("UNSUPPORTED", "ws and wss"));
});

for (const [how, chunk] of [
  ["byte by byte", 1],
  ["cut in the middle", 40],
] as const) {
  test(`trap 31: an INFO that comes ${how} is understood`, async (t) => {
    trackLeaks(t);
    const [client, server] = memoryPair({ chunk });
    const peer = scriptedPeer(server);
    const [nc] = await Promise.all([
      connectTo(t, "nats://memory", { dialer: async () => client }),
      peer.handshake({ server_name: "in pieces" }),
    ]);
    assert.equal(nc.info?.["server_name"], "in pieces");
  });
}

test("trap 31: two INFOs in one chunk both count, before and after the handshake", async (t) => {
  trackLeaks(t);
  const [client, server] = memoryPair();
  const peer = scriptedPeer(server);
  const info = (max_payload: number, connect_urls: string[]): string =>
    `INFO ${JSON.stringify({ server_id: "A", version: "2.15.1", proto: 1, headers: true, max_payload, connect_urls })}\r\n`;
  peer.send(info(1000, ["10.0.0.1:4222"]) + info(2000, ["10.0.0.2:4222"]));
  const greeted = peer.skipTo(/^PING$/).then(() => peer.send("PONG\r\n"));
  const nc = await connectTo(t, "nats://memory", { dialer: async () => client, noRandomize: true });
  await greeted;
  const known = (): string[] => nc.getServers().map(({ hostname }) => hostname);
  assert.equal(nc.info?.max_payload, 2000);
  assert.deepEqual(known().toSorted(), ["10.0.0.2", "memory"]);
  const watch = new Watch(nc);
  peer.send(info(3000, ["10.0.0.3:4222"]) + info(4000, ["10.0.0.4:4222"]));
  await watch.until("update", 2);
  assert.equal(nc.info?.max_payload, 4000);
  assert.deepEqual(known().toSorted(), ["10.0.0.4", "memory"]);
  assert.throws(() => nc.publish("a", new Uint8Array(4001)), failing("MAX_PAYLOAD", "4000"));
});

test("trap 31: an empty first chunk is no INFO and no end", async (t) => {
  trackLeaks(t);
  const [client, server] = memoryPair();
  const peer = scriptedPeer(server);
  const dialer: Dialer = async () => {
    const open = client.open.bind(client);
    client.open = (events) => {
      open(events);
      queueMicrotask(() => events.onData(new Uint8Array(0)));
    };
    return client;
  };
  const [nc] = await Promise.all([connectTo(t, "nats://memory", { dialer }), peer.handshake()]);
  assert.equal(nc.state, "connected");
});

for (const transport of ["tcp", "ws"] as const) {
  test(`trap 32: ${transport}: messages near 790 kB come whole, also when the bytes come in small pieces`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { websocket: true });
    const port = transport === "ws" ? server.wsPort : server.port;
    const proxy = await startProxy(t, { host: server.host, port });
    const nc = await connectTo(t, `${transport === "ws" ? "ws" : "nats"}://${proxy.address}`);
    const messages = nc.subscribe("large")[Symbol.asyncIterator]();
    for (const size of [790_000, 789_999, 1_048_576]) {
      const sent = patterned(size);
      nc.publish("large", sent);
      assert.deepEqual((await next(messages)).data, sent);
    }
    proxy.splitBytes(4099);
    const sent = patterned(200_003);
    nc.publish("large", sent);
    assert.deepEqual((await next(messages)).data, sent);
  });
}

/** Bytes in which every position tells where it is. */
function patterned(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

test("trap 33: with compression negotiated, pings and messages of any size interleave and stay whole", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    websocket: { compression: true },
    config: 'ping_interval: "100ms", ping_max: 1000',
  });
  let extensions: string[] = [];
  const dialer = webSocketDialer(async (url) => {
    const socket = new WebSocket(url, { perMessageDeflate: true });
    socket.on("upgrade", ({ headers }) => {
      extensions = [headers["sec-websocket-extensions"] ?? ""];
    });
    return { socket: socket as unknown as WebSocketLike, encrypted: false };
  });
  const nc = await connectTo(t, server.wsUrl, { dialer, pingInterval: 20, maxPingOut: 1000 });
  const watch = new Watch(nc);
  assert.match(extensions.join(), /permessage-deflate/, "compression is on");
  // what can't be compressed, and what almost vanishes
  const payloads = [0, 1, 64, 65, 4096, 65_536, 300_000, 1_048_576].flatMap((size) => [
    new Uint8Array(randomBytes(size)),
    new Uint8Array(size),
  ]);
  const received: Uint8Array[] = [];
  nc.subscribe("mixed", { callback: (_, msg) => void received.push(msg.data) });
  for (const [index, payload] of payloads.entries()) {
    nc.publish("mixed", payload);
    await nc.flush();
    if (index % 4 === 0) await watch.until("ping", index / 4 + 1);
  }
  for (const payload of payloads) nc.publish("mixed", payload);
  await nc.flush();
  assert.deepEqual(received, [...payloads, ...payloads]);
  assert.equal(watch.of("disconnect").length, 0);
});

for (const transport of ["tcp", "ws"] as const) {
  test(`trap 34: ${transport}: the payload of a view is the view, not the buffer behind it`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { websocket: true });
    const nc = await connectTo(t, server.urlFor(transport));
    const messages = nc.subscribe("view")[Symbol.asyncIterator]();
    const whole = patterned(200_000);
    for (const [from, to] of [
      [10, 20],
      [1000, 70_000],
    ] as const) {
      nc.publish("view", whole.subarray(from, to));
      nc.publish("view", Buffer.from(whole.buffer, from, to - from));
      assert.deepEqual((await next(messages)).data, whole.slice(from, to));
      assert.deepEqual((await next(messages)).data, whole.slice(from, to));
    }
  });
}
