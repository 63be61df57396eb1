// Traps 3, 4, 9, 10, 13, 14, 25, 35 and 36: what a client does when its link breaks, and when it is told to go meanwhile.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { certPath, startCluster, startServer } from "../fixtures/real-server.ts";
import { type Peer, startScripted } from "../fixtures/scripted-server.ts";
import { serveWebSocket } from "./websocket-server.ts";
import { collect, connectTo, failing, noUnhandled, until, Watch } from "./support.ts";

test("trap 3: a TCP and a WebSocket connection of one process both recover from a restart of the server", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { websocket: true });
  const [tcp, ws] = await Promise.all([connectTo(t, server.url), connectTo(t, server.wsUrl)]);
  const [tcpWatch, wsWatch] = [new Watch(tcp), new Watch(ws)];
  const [atTcp, atWs] = [collect(tcp.subscribe("to.tcp")), collect(ws.subscribe("to.ws"))];
  for (let round = 1; round <= 2; round++) {
    if (round === 2) {
      await server.restart();
      await Promise.all([tcpWatch.until("reconnect"), wsWatch.until("reconnect")]);
    }
    await Promise.all([tcp.flush(), ws.flush()]);
    tcp.publish("to.ws", `round ${round}`);
    ws.publish("to.tcp", `round ${round}`);
    await Promise.all([atTcp.atLeast(round), atWs.atLeast(round)]);
  }
  const kinds = (await server.connz()).connections.map(({ type }) => type).sort();
  assert.deepEqual(kinds, ["nats", "websocket"]);
});

for (const transport of ["tcp", "tls", "ws"] as const) {
  test(`trap 4: ${transport}: a peer that stops reading, with the send buffer full, is left after maxPingOut pings`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t, {
      ...(transport === "tls" && { tls: "required" as const }),
      ...(transport === "ws" && { websocket: true }),
    });
    const port = transport === "ws" ? server.wsPort : server.port;
    const proxy = await startProxy(t, { host: server.host, port });
    const maxPingOut = 2;
    const nc = await connectTo(t, `${transport === "tcp" ? "nats" : transport}://${proxy.address}`, {
      pingInterval: 1000,
      maxPingOut,
      ...(transport === "tls" && { tls: { caFile: certPath("ca.crt") } }),
    });
    const watch = new Watch(nc);
    proxy.pause();
    const payload = new Uint8Array(500_000);
    while (nc.pendingBytes < 20_000_000 && nc.state === "connected") {
      nc.publish("flood", payload);
      await new Promise(setImmediate);
    }
    assert.ok(nc.pendingBytes > 1_000_000, "the send buffer is full");
    const { error } = await watch.until("disconnect");
    failing("STALE_CONNECTION")(error);
    assert.ok(watch.of("ping").every(({ pendingPings }) => pendingPings <= maxPingOut));
    assert.equal(watch.of("staleConnection").length, 1);
    proxy.resume();
    await watch.until("reconnect");
    // what was kept is more than a busy machine takes between two pings
    const roundTrip = (): Promise<boolean> =>
      nc.flush().then(
        () => true,
        () => false,
      );
    await until(roundTrip, "a round trip");
  });
}

test("trap 9: two clients of a server that is down for a while have two connections when it is back", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { websocket: true });
  const clients = await Promise.all([connectTo(t, server.url), connectTo(t, server.wsUrl)]);
  const watches = clients.map((nc) => new Watch(nc));
  await server.kill();
  await Promise.all(watches.map((watch) => watch.until("reconnecting", 15)));
  await server.start();
  await Promise.all(watches.map((watch) => watch.until("reconnect")));
  await Promise.all(clients.map((nc) => nc.flush()));
  const { num_connections } = await server.connz();
  const { total_connections } = await server.varz();
  assert.deepEqual([num_connections, total_connections], [2, 2]);
});

test("trap 10: on a network that swallows and cuts, each client ends with one socket, and no message comes twice", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const quick = { pingInterval: 50, maxPingOut: 2, timeout: 1000 };
  const subscriber = await connectTo(t, proxy.url, quick);
  const publisher = await connectTo(t, proxy.url, quick);
  const watches = [new Watch(subscriber), new Watch(publisher)];
  const got = collect(subscriber.subscribe("lossy"));
  let sent = 0;
  const publish = (): void => publisher.publish("lossy", String(sent++));
  // more than half of the time nothing passes; some dials are refused, some connections are cut
  for (let episode = 1; episode <= 12; episode++) {
    publish();
    proxy.pause(episode % 3 === 0 ? "received" : "both");
    publish();
    if (episode % 4 === 0) proxy.refuse(1);
    await Promise.all(watches.map((watch) => watch.until("disconnect", episode)));
    publish();
    proxy.resume();
    if (episode % 5 === 0) proxy.cut();
    await until(() => subscriber.state === "connected" && publisher.state === "connected", "both to be back");
  }
  // the last pings may have been too slow for one of them: until a quiet moment
  await until(async () => {
    const before = watches.map((watch) => watch.of("disconnect").length);
    await Promise.allSettled([subscriber.flush(), publisher.flush()]);
    const { num_connections } = await server.connz();
    return (
      num_connections === 2 &&
      proxy.connections === 2 &&
      watches.every((watch, index) => watch.of("disconnect").length === before[index])
    );
  }, "one connection each");
  publisher.publish("lossy", "last");
  await until(() => got.texts.includes("last"), "the last message");
  assert.equal(new Set(got.texts).size, got.texts.length, "no message came twice");
});

test("trap 13: close() in the wait before a dial resolves at once; there are no more dials and no timers", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startScripted(t);
  const [nc] = await Promise.all([
    connectTo(t, server.url, { reconnectDelayHandler: () => 60_000 }),
    server.nextPeer().then((peer) => peer.handshake()),
  ]);
  const watch = new Watch(nc);
  await server.stop();
  const { delay } = await watch.until("reconnecting", 2);
  // what remains of it at the moment of the event
  assert.ok(delay > 50_000 && delay <= 60_000, `${delay}`);
  await server.listen();
  await within(nc.close(), "close waits for the dial");
  await within(watch.ended, "the status goes on");
  assert.equal(server.peers.length, 1);
  assert.equal(await nc.closed(), undefined);
});

test("trap 13: close() in the middle of a dial ends it, and its socket", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startScripted(t);
  const [nc, first] = await Promise.all([
    connectTo(t, server.url),
    server.nextPeer().then(async (peer) => {
      await peer.handshake();
      return peer;
    }),
  ]);
  first.destroy();
  // takes the connection and says nothing
  const second = await server.nextPeer();
  await within(nc.close(), "it waits for the dial", 10_000);
  await within(second.closed, "the socket of the dial lives");
  assert.equal(server.peers.length, 2);
});

test("trap 14: drain() while disconnected ends closed", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const nc = await connectTo(t, server.url, { reconnectDelayHandler: () => 60_000 });
  const watch = new Watch(nc);
  const sub = collect(nc.subscribe("a"));
  nc.publish("a");
  await nc.flush();
  await server.kill();
  await watch.until("disconnect");
  await within(nc.drain(), "drain does not end");
  assert.equal(nc.state, "closed");
  assert.deepEqual(sub.texts, [""]);
});

test("trap 14: drain() while disconnected sends what was kept once there is a link, and ends by its timeout where there is none", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const reader = await connectTo(t, server.url);
  const got = collect(reader.subscribe("kept"));
  await reader.flush();
  for (const back of [true, false]) {
    const nc = await connectTo(t, proxy.url);
    const watch = new Watch(nc);
    proxy.refuse();
    proxy.cut();
    await watch.until("disconnect");
    nc.publish("kept", `back: ${back}`);
    const drained = nc.drain({ timeout: back ? 20_000 : 50 });
    if (back) {
      await proxy.accept();
      await drained;
    } else {
      await assert.rejects(drained, failing("TIMEOUT"));
    }
    assert.equal(nc.state, "closed");
    await watch.ended;
    assert.equal(watch.of("close")[0]?.unsent, back ? 0 : 1);
    await proxy.accept();
  }
  await reader.flush();
  assert.deepEqual(got.texts, ["back: true"]);
});

test("trap 14: the ping of a drain that the link takes along is nobody's rejection", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const nc = await connectTo(t, proxy.url, { reconnectDelayHandler: () => 60_000 });
  const watch = new Watch(nc);
  nc.subscribe("a", { callback: () => undefined });
  await nc.flush();
  proxy.pause();
  proxy.refuse();
  const drained = nc.drain();
  await until(() => nc.state === "draining", "draining");
  proxy.cut();
  await within(drained, "drain does not end");
  await watch.ended;
  assert.equal(nc.state, "closed");
});

test("trap 25: a path and a query are kept at reconnects, and gossiped servers are dialled over WebSocket too", async (t) => {
  trackLeaks(t);
  const second = await serveWebSocket(t);
  const first = await serveWebSocket(t);
  const nc = await connectTo(t, `ws://${first.address}/gate/way?tenant=7`, { noRandomize: true });
  const watch = new Watch(nc);
  first.drop();
  await watch.until("reconnect");
  assert.deepEqual(first.urls, ["/gate/way?tenant=7", "/gate/way?tenant=7"]);
  first.say({ connect_urls: [first.address, second.address] });
  await watch.until("update");
  await first.stop();
  await watch.until("reconnect", 2);
  assert.equal(second.urls.length, 1);
  assert.equal(nc.getServer(), second.address);
});

for (const tls of [false, true]) {
  test(`trap 25: in a cluster, a ${tls ? "wss" : "ws"} client goes on over ${tls ? "wss" : "ws"}`, async (t) => {
    trackLeaks(t);
    const cluster = await startCluster(t, 2, { websocket: { tls } });
    const [first, second] = cluster;
    const wsUrl = (first?.wsUrl ?? "").replace("127.0.0.1", "localhost");
    const ca = tls ? { tls: { ca: await pem("ca.crt") } } : {};
    const nc = await connectTo(t, wsUrl, { noRandomize: true, ...ca });
    const watch = new Watch(nc);
    await until(() => nc.getServers().length > 1, "the gossip");
    await first?.kill();
    await watch.until("reconnect");
    await nc.flush();
    assert.equal(nc.getServer(), `127.0.0.1:${second?.wsPort}`);
    assert.deepEqual(
      (await second?.connz())?.connections.map(({ type, tls_version }) => [type, Boolean(tls_version)]),
      [["websocket", tls]],
    );
  });
}

async function pem(name: string): Promise<string> {
  return readFile(certPath(name), "utf8");
}

test("trap 35: reconnect() twice in a row makes one new link, at once", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const nc = await connectTo(t, server.url, { reconnectDelayHandler: () => 60_000 });
  const watch = new Watch(nc);
  await Promise.all([nc.reconnect(), nc.reconnect()]);
  await watch.until("reconnect");
  await nc.flush();
  assert.equal(watch.of("disconnect").length, 1);
  assert.equal(watch.of("reconnect").length, 1);
  assert.equal(watch.of("forceReconnect").length, 2);
  await server.waitForConnections(1);
});

test("trap 35: reconnect() in the wait before a dial dials at once", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const nc = await connectTo(t, server.url, { reconnectDelayHandler: () => 60_000 });
  const watch = new Watch(nc);
  await server.kill();
  // the first attempt is made at once; this is the wait for the second
  await watch.until("reconnecting", 2);
  await server.start();
  await nc.reconnect();
  await watch.until("reconnect");
  await nc.flush();
});

test("trap 35: reconnect() in the middle of a dial changes nothing, and after close() it is refused", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startScripted(t);
  const greeted = async (): Promise<Peer> => {
    const peer = await server.nextPeer();
    await peer.handshake();
    peer.answerPings();
    return peer;
  };
  const [nc, first] = await Promise.all([connectTo(t, server.url), greeted()]);
  const watch = new Watch(nc);
  first.destroy();
  const second = await server.nextPeer();
  await nc.reconnect();
  await nc.reconnect();
  await second.handshake();
  second.answerPings();
  await watch.until("reconnect");
  await nc.flush();
  assert.equal(server.peers.length, 2);
  await nc.close();
  await assert.rejects(nc.reconnect(), failing("CLOSED"));
});

test("trap 36: after a reconnect the server hears of the live subscriptions, with what is left of their max, and of no other", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const nc = await connectTo(t, proxy.url);
  const watch = new Watch(nc);
  const live = nc.subscribe("live", { queue: "q" });
  const gone = nc.subscribe("gone");
  const offline = nc.subscribe("offline");
  const counted = collect(nc.subscribe("counted", { max: 5 }));
  const late = nc.subscribe("late");
  const lateGot = collect(late);
  gone.unsubscribe();
  nc.publish("counted", "1");
  nc.publish("counted", "2");
  nc.publish("late", "1");
  await nc.flush();
  await Promise.all([counted.atLeast(2), lateGot.atLeast(1)]);
  proxy.refuse();
  proxy.cut();
  await watch.until("disconnect");
  offline.unsubscribe();
  late.unsubscribe(2);
  const since = proxy.sent.length;
  await proxy.accept();
  await watch.until("reconnect");
  await nc.flush();
  const sent = proxy.sent.toString().slice(since);
  const { connections } = await server.connz();
  assert.deepEqual(connections[0]?.subscriptions_list?.toSorted(), ["counted", "late", "live"]);
  assert.match(sent, new RegExp(`SUB live q ${live.getID()}\r\n`));
  assert.match(sent, /SUB counted (\d+)\r\nUNSUB \1 3\r\n/);
  assert.match(sent, new RegExp(`SUB late ${late.getID()}\r\nUNSUB ${late.getID()} 1\r\n`));
  assert.doesNotMatch(sent, /gone|offline/);

  for (const payload of ["3", "4", "5", "6"]) nc.publish("counted", payload);
  for (const payload of ["2", "3"]) nc.publish("late", payload);
  await nc.flush();
  assert.deepEqual(counted.texts, ["1", "2", "3", "4", "5"]);
  assert.deepEqual(lateGot.texts, ["1", "2"]);
  const after = (await server.connz()).connections[0]?.subscriptions_list;
  assert.deepEqual(after, ["live"]);
});
