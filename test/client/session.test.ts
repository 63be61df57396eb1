// Tests of src/client/session.ts: the connection as the user has it, with the test as its server, or a real one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AuthorizationError,
  ClosedConnectionError,
  connect,
  ConnectionError,
  deferred,
  headers,
  isNatsError,
  NatsError,
  type NatsErrorCode,
  type Server,
} from "../../src/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { converse, msg, outcome, settled, welcome } from "./conversation.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;

describe("publishing", () => {
  test("subject, reply, headers and payload are encoded; text is UTF-8, nothing is nothing", async (t) => {
    const { nc, peer } = await converse(t);
    const h = headers();
    h.set("A", "b");
    nc.publish("a", "grüße 🦉");
    nc.publish("b", Uint8Array.of(1, 2, 3), { reply: "r" });
    nc.publish("c");
    nc.publish("d", "x", { headers: h });
    assert.equal(await peer.readLine(), "PUB a 12");
    assert.equal(await peer.readLine(), "grüße 🦉");
    assert.equal(await peer.readLine(), "PUB b r 3");
    assert.deepEqual([...(await peer.readBytes())], [1, 2, 3]);
    assert.equal(await peer.readLine(), "PUB c 0");
    assert.equal(await peer.readLine(), "");
    assert.equal(await peer.readLine(), "HPUB d 18 19");
    assert.equal(await peer.readLine(), "NATS/1.0\r\nA: b\r\n\r\nx");
  });

  test("the payload is taken when publish is called: changing it afterwards changes nothing", async (t) => {
    const { nc, peer } = await converse(t);
    const small = Uint8Array.of(65, 66);
    const large = new Uint8Array(100_000).fill(67);
    nc.publish("a", small);
    nc.publish("b", large);
    small.fill(88);
    large.fill(88);
    await peer.expect(/^PUB a/);
    assert.equal(await peer.readLine(), "AB");
    await peer.expect(/^PUB b/);
    assert.equal((await peer.readLine()).replaceAll("C", ""), "");
  });

  test("C-LIM-1: header and payload beyond max_payload are refused here; just as many go", async (t) => {
    const { nc, peer } = await converse(t, {}, { info: { max_payload: 30 } });
    const h = headers();
    h.set("A", "b");
    nc.publish("a", "x".repeat(30));
    nc.publish("a", "x".repeat(12), { headers: h });
    const refused = (error: unknown) => code("MAX_PAYLOAD")(error) && (error as NatsError).subject === "a";
    assert.throws(() => nc.publish("a", "x".repeat(31)), refused);
    assert.throws(() => nc.publish("a", "x".repeat(13), { headers: h }), refused);
    assert.throws(() => nc.publish("a", "ü".repeat(16)), refused);
    await nc.flush();
    assert.equal(peer.received.toString().match(/PUB a/g)?.length, 2);
    assert.equal(nc.stats().outMsgs, 2);
  });

  test("C-LIM-1: a later INFO changes the limit; 0 and less is none", async (t) => {
    const { nc, peer } = await converse(t, {}, { info: { max_payload: 30 } });
    peer.info({ max_payload: 10 });
    await settled();
    assert.throws(() => nc.publish("a", "x".repeat(11)), code("MAX_PAYLOAD"));
    peer.info({ max_payload: -1 });
    await settled();
    nc.publish("a", "x".repeat(5000));
  });

  test("publishMessage sends a message on as it is, respondMessage to its reply subject", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { max: 2 });
    const block = "NATS/1.0\r\nA: b\r\n\r\n";
    peer.send(msg("a", sub.getID(), "x", { reply: "r", headers: block }) + msg("a", sub.getID(), "y"));
    const seen: boolean[] = [];
    for await (const m of sub) {
      nc.publishMessage(m);
      seen.push(nc.respondMessage(m));
    }
    assert.deepEqual(seen, [true, false]);
    await nc.flush();
    assert.equal(await peer.readLine(), `SUB a ${sub.getID()}`);
    assert.equal(await peer.readLine(), `UNSUB ${sub.getID()} 2`);
    assert.equal(await peer.readLine(), "HPUB a r 18 19");
    await peer.readLine();
    assert.equal(await peer.readLine(), "HPUB r 18 19");
    await peer.readLine();
    assert.equal(await peer.readLine(), "PUB a 1");
  });

  test("C-OK-1: in verbose mode the acknowledgements change nothing", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const nc = await connect({ servers: proxy.url, verbose: true });
    atEnd(t, () => nc.close());
    const sub = nc.subscribe("a", { max: 2 });
    nc.publish("a", "1");
    nc.publish("a", "2");
    const seen: string[] = [];
    for await (const m of sub) seen.push(m.string());
    await nc.flush();
    assert.deepEqual(seen, ["1", "2"]);
    // CONNECT, SUB, UNSUB, PUB, PUB
    assert.equal(proxy.received.toString().match(/\+OK\r\n/g)?.length, 5);
  });
});

describe("the state", () => {
  test("is connected, reconnecting, connected again, draining, closed", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer, events } = await converse(t);
    assert.equal(nc.state, "connected");
    assert.deepEqual([nc.isClosed(), nc.isDraining()], [false, false]);
    assert.equal(nc.info?.server_id, "SCRIPTED");
    assert.equal(nc.getServerVersion()?.minor, 15);
    peer.destroy();
    await events.until("disconnect");
    assert.equal(nc.state, "reconnecting");
    assert.equal(nc.info, undefined);
    assert.equal(nc.getServer(), "");
    // the version stays known
    assert.equal(nc.getServerVersion()?.minor, 15);
    const next = await welcome(await nextPeer());
    await events.until("reconnect");
    assert.equal(nc.state, "connected");
    next.answerPings(false);
    const drained = nc.drain();
    assert.equal(nc.state, "draining");
    assert.equal(nc.isDraining(), true);
    next.answerPings();
    await drained;
    assert.equal(nc.state, "closed");
    assert.deepEqual([nc.isClosed(), nc.isDraining()], [true, false]);
    assert.equal(await nc.closed(), undefined);
  });

  test("C-ADR40-21: the events of a link that is lost and found, in order, with server, attempt, delay and error", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t);
    const server = nc.getServer();
    peer.destroy();
    await welcome(await nextPeer());
    await events.until("reconnect");
    assert.deepEqual(
      events.seen.map(({ type }) => type),
      ["disconnect", "reconnecting", "reconnect"],
    );
    const [lost, trying, back] = [
      events.of("disconnect")[0],
      events.of("reconnecting")[0],
      events.of("reconnect")[0],
    ];
    assert.equal(lost?.server, server);
    assert.ok(lost?.error instanceof ConnectionError);
    assert.deepEqual([trying?.server, trying?.attempt, trying?.delay], [server, 1, 0]);
    assert.equal(trying?.error, lost?.error);
    assert.equal(back?.server, server);
    await nc.close();
    await events.ended;
    assert.deepEqual(events.seen.at(-1), { type: "close", unsent: 0 });
  });

  test("C-ADR40-21: who reads events slowly, or not at all, holds up nothing", async (t) => {
    const { nc, peer } = await converse(t);
    const lazy = nc.status()[Symbol.asyncIterator]();
    for (let i = 0; i < 5000; i++) peer.send("-ERR 'something'\r\n");
    await nc.flush();
    assert.equal(nc.state, "connected");
    await nc.close();
    let last: unknown;
    let count = 0;
    for (let next = await lazy.next(); next.done !== true; next = await lazy.next()) {
      last = next.value;
      count++;
    }
    // the limit of one listener: the newest stay
    assert.equal(count, 4096);
    assert.deepEqual(last, { type: "close", unsent: 0 });
  });

  test("events: update, ldm, error; each as the server says it", async (t) => {
    const { peer, events } = await converse(t);
    peer.info({ connect_urls: ["10.0.0.1:4222", "10.0.0.2:4222"] });
    peer.info({ connect_urls: ["10.0.0.2:4222"] });
    await events.until("update", 2);
    const [first, second] = events.of("update");
    assert.deepEqual(first?.added?.toSorted?.() ?? [...(first?.added ?? [])].sort(), [
      "10.0.0.1:4222",
      "10.0.0.2:4222",
    ]);
    assert.deepEqual(second?.deleted, ["10.0.0.1:4222"]);
    peer.send("-ERR 'Whatever it is'\r\n");
    const { error } = await events.until("error");
    assert.equal((error as NatsError).serverText, "Whatever it is");
    peer.info({ ldm: true });
    await events.until("ldm");
  });

  test("the servers are a snapshot, without credentials", async (t) => {
    const { nc } = await converse(t, { servers: ["nats://user:secret@127.0.0.1:4333"] });
    const servers = nc.getServers();
    assert.equal(servers.length, 1);
    const { hostname, port, listen, src, gossiped, didConnect, reconnects } = servers[0] as Server;
    assert.deepEqual(
      { hostname, port, listen, src, gossiped, didConnect, reconnects },
      {
        hostname: "127.0.0.1",
        port: 4333,
        listen: "127.0.0.1:4333",
        src: "nats://127.0.0.1:4333",
        gossiped: false,
        didConnect: true,
        reconnects: 0,
      },
    );
    assert.throws(() => (servers as Server[]).push(servers[0] as Server), TypeError);
    nc.setServers(["one:1", "two:2"]);
    assert.deepEqual(
      nc
        .getServers()
        .map(({ listen: of }) => of)
        .sort(),
      ["one:1", "two:2"],
    );
    assert.equal(servers.length, 1);
    assert.throws(() => nc.setServers([]), code("INVALID_ARGUMENT"));
    assert.equal(nc.getServers().length, 2);
  });
});

describe("counters", () => {
  test("C-ADR40-22: messages and bytes of payload and headers, over all links", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t);
    const sub = nc.subscribe("a");
    const h = headers();
    h.set("A", "b");
    nc.publish("out", "12345");
    nc.publish("out", "1", { headers: h });
    peer.send(
      msg("a", sub.getID(), "123") + msg("a", sub.getID(), "", { headers: "NATS/1.0\r\nA: b\r\n\r\n" }),
    );
    await nc.flush();
    const first = { inMsgs: 2, inBytes: 3 + 18, outMsgs: 2, outBytes: 5 + 18 + 1 };
    const zero = { pendingBytes: 0, droppedInbound: 0, droppedOutbound: 0 };
    assert.deepEqual(nc.stats(), { ...first, ...zero, reconnects: 0 });
    peer.destroy();
    const next = await welcome(await nextPeer());
    await events.until("reconnect");
    next.send(msg("a", sub.getID(), "4"));
    await nc.flush();
    assert.deepEqual(nc.stats(), { ...first, ...zero, inMsgs: 3, inBytes: 22, reconnects: 1 });
  });

  test("what publish refused is not counted", async (t) => {
    const { nc } = await converse(t);
    assert.throws(() => nc.publish("a b"));
    assert.throws(() => nc.publish("a", {} as never));
    assert.equal(nc.stats().outMsgs, 0);
    assert.equal(nc.pendingBytes, 0);
  });
});

describe("an outage", () => {
  test("C-ADR40-14: after CONNECT and PONG come all SUBs, with id, queue and what remains, then what was published", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t);
    const [a, b, c] = [nc.subscribe("a", { queue: "q" }), nc.subscribe("b", { max: 3 }), nc.subscribe("c")];
    await nc.flush();
    const request = nc.request("asked", "", { timeout: 30_000 });
    peer.send(msg("b", b.getID(), "1"));
    await nc.flush();
    peer.destroy();
    await events.until("disconnect");
    nc.publish("x", "1");
    c.unsubscribe();
    const d = nc.subscribe("d");
    nc.publish("x", "2");
    const next = await nextPeer();
    next.info();
    await next.expect(/^CONNECT /);
    await next.expect(/^PING$/);
    // nothing before the PONG
    await settled();
    assert.equal(next.received.toString().split("PING\r\n")[1], "");
    next.send("PONG\r\n");
    const lines: string[] = [];
    for (let i = 0; i < 9; i++) lines.push(await next.readLine());
    const subs = lines.slice(0, 5);
    assert.deepEqual(
      subs.sort(),
      [
        `SUB ${/SUB (_INBOX\.\S+)/.exec(peer.received.toString())?.[1]} 1`,
        `SUB a q ${a.getID()}`,
        `SUB b ${b.getID()}`,
        `SUB d ${d.getID()}`,
        `UNSUB ${b.getID()} 2`,
      ].sort(),
    );
    assert.deepEqual(lines.slice(5), ["PUB x 1", "1", "PUB x 1", "2"]);
    await events.until("reconnect");
    next.answerPings();
    await nc.close();
    await assert.rejects(request, code("CLOSED"));
  });

  test("C-ADR40-16: lines that waited behind a full socket are not sent again over the next link; the messages are, whole", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t, {}, { pair: { highWaterMark: 1, latency: 30 } });
    // what ends the link is on its way, and arrives before what we send
    peer.send("NONSENSE\r\n");
    nc.publish("a", "first");
    await Promise.resolve();
    const sub = nc.subscribe("b");
    const flush = assert.rejects(nc.flush(), code("DISCONNECTED"));
    nc.publish("a", "second");
    sub.unsubscribe();
    const kept = nc.subscribe("c");
    nc.publish("a", "third");
    await flush;
    assert.equal((await events.until("disconnect")).lost, 1);
    const next = await welcome(await nextPeer());
    await events.until("reconnect");
    await nc.flush();
    const [, after = ""] = next.received.toString().split(/PING\r\n/);
    assert.equal(after, `SUB c ${kept.getID()}\r\nPUB a 6\r\nsecond\r\nPUB a 5\r\nthird\r\n`);
  });

  test("C-ADR40-14: what is published on the event of the reconnect comes after the SUBs", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t);
    const sub = nc.subscribe("a");
    await nc.flush();
    const published = events.until("reconnect").then(() => nc.publish("x", "right away"));
    peer.destroy();
    const next = await welcome(await nextPeer());
    await published;
    assert.equal(await next.readLine(), `SUB a ${sub.getID()}`);
    assert.equal(await next.readLine(), "PUB x 10");
  });

  test("C-ADR40-15: beyond maxPendingBytes publish fails, and what is kept stays", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t, { maxPendingBytes: 100 });
    peer.destroy();
    await events.until("disconnect");
    nc.publish("a", "x".repeat(50));
    const full = (error: unknown) => code("OUTBOUND_FULL")(error) && (error as NatsError).subject === "a";
    assert.throws(() => nc.publish("a", "y".repeat(50)), full);
    assert.equal(nc.state, "reconnecting");
    nc.publish("a", "z");
    const next = await welcome(await nextPeer());
    assert.deepEqual(
      [await next.readLine(), await next.readLine(), await next.readLine(), await next.readLine()],
      ["PUB a 50", "x".repeat(50), "PUB a 1", "z"],
    );
    assert.equal(nc.stats().outMsgs, 2);
    assert.equal(nc.stats().droppedOutbound, 0);
  });

  test("C-ADR40-15: maxPendingBytes 0 keeps nothing; headers and reply count, too", async (t) => {
    const { nc, peer, events } = await converse(t, { maxPendingBytes: 0 });
    peer.destroy();
    await events.until("disconnect");
    assert.throws(() => nc.publish("a"), code("OUTBOUND_FULL"));
    const other = await converse(t, { maxPendingBytes: 100 });
    other.peer.destroy();
    await other.events.until("disconnect");
    const h = headers();
    h.set("A", "x".repeat(200));
    assert.throws(() => other.nc.publish("a", "", { headers: h }), code("OUTBOUND_FULL"));
    assert.throws(() => other.nc.publish("a", "", { reply: "r".repeat(200) }), code("OUTBOUND_FULL"));
    assert.equal(other.nc.pendingBytes, 0);
  });

  test("whenDisconnected throw: publish fails with DISCONNECTED", async (t) => {
    const { nc, peer, events } = await converse(t, { whenDisconnected: "throw" });
    peer.destroy();
    await events.until("disconnect");
    assert.throws(() => nc.publish("a"), code("DISCONNECTED"));
    await assert.rejects(nc.request("a"), code("DISCONNECTED"));
    assert.equal(nc.stats().droppedOutbound, 0);
  });

  test("whenDisconnected drop: publish drops and counts; what is malformed is refused all the same", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t, { whenDisconnected: "drop" });
    peer.destroy();
    await events.until("disconnect");
    nc.publish("a", "lost");
    assert.throws(() => nc.publish("a b"), code("INVALID_SUBJECT"));
    assert.equal(nc.stats().droppedOutbound, 1);
    assert.equal(nc.stats().outMsgs, 0);
    const next = await welcome(await nextPeer());
    await events.until("reconnect");
    nc.publish("a", "sent");
    await next.expect(/^PUB a 4$/);
    await next.expect(/^sent$/);
  });

  test("C-ADR40-17: pending flushes reject with DISCONNECTED; a flush without a link too", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t);
    peer.answerPings(false);
    const [flush, rtt] = [nc.flush(), nc.rtt()];
    const lost = [flush, rtt].map((wait) => assert.rejects(wait, code("DISCONNECTED")));
    peer.destroy();
    await Promise.all(lost);
    await events.until("disconnect");
    await assert.rejects(nc.flush(), code("DISCONNECTED"));
  });

  test("C-ADR40-18: reconnect() drops the link and dials at once; refused when draining or closed", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer, events } = await converse(t, { reconnectTimeWait: 60_000 });
    const sub = nc.subscribe("a");
    await nc.reconnect();
    const next = await welcome(await nextPeer());
    await peer.closed;
    await events.until("reconnect");
    assert.equal(await next.readLine(), `SUB a ${sub.getID()}`);
    assert.deepEqual(
      events.seen.map(({ type }) => type),
      ["forceReconnect", "disconnect", "reconnecting", "reconnect"],
    );
    next.answerPings(false);
    const drained = nc.drain();
    await assert.rejects(nc.reconnect(), code("DRAINING"));
    next.answerPings();
    await drained;
    await assert.rejects(nc.reconnect(), code("CLOSED"));
  });

  test("with reconnect: false the end of the link is the end, and its reason that of closed()", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t, { reconnect: false });
    const request = nc.request("q", "", { timeout: 60_000 });
    peer.destroy();
    const reason = await nc.closed();
    assert.ok(reason instanceof ConnectionError);
    assert.equal(nc.state, "closed");
    await assert.rejects(request, code("CLOSED"));
    await events.ended;
    assert.deepEqual(
      events.seen.map(({ type }) => type),
      ["disconnect", "close"],
    );
    assert.equal(events.of("close")[0]?.error, reason);
  });
});

describe("errors of the server", () => {
  test("C-ERR-5: C-ERR-6: each is an event with its text, and an unknown one closes nothing", async (t) => {
    const { nc, peer, events } = await converse(t);
    peer.send("-ERR 'A Thing Nobody Heard Of'\r\n-ERR unquoted\r\n");
    await events.until("error", 2);
    assert.deepEqual(
      events.of("error").map(({ error }) => [(error as NatsError).code, (error as NatsError).serverText]),
      [
        ["PROTOCOL", "A Thing Nobody Heard Of"],
        ["PROTOCOL", "unquoted"],
      ],
    );
    await nc.flush();
    assert.equal(nc.state, "connected");
  });

  test("C-ERR-1: C-ERR-7: what the server said last is why the link ended", async (t) => {
    const { nc, peer, events } = await converse(t, { reconnect: false });
    peer.send("-ERR 'Unknown Protocol Operation'\r\n");
    await events.until("error");
    peer.destroy();
    const reason = (await nc.closed()) as NatsError;
    assert.equal(reason.code, "PROTOCOL");
    assert.equal(reason.serverText, "Unknown Protocol Operation");
    assert.equal((await events.until("disconnect")).error, reason);
  });

  test("C-ERR-7: an error that ends nothing is no reason", async (t) => {
    const { nc, peer } = await converse(t, { reconnect: false });
    peer.send(`-ERR 'Permissions Violation for Publish to "x"'\r\n`);
    await settled();
    peer.destroy();
    assert.equal(((await nc.closed()) as NatsError).code, "CONNECTION");
  });

  test("C-ERR-7: the login that is refused twice is the reason, not that the link closed", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer } = await converse(t);
    peer.destroy();
    for (let i = 0; i < 2; i++) {
      const next = await nextPeer();
      next.info();
      await next.expect(/^CONNECT/);
      next.send("-ERR 'Authorization Violation'\r\n");
      next.close();
    }
    assert.ok((await nc.closed()) instanceof AuthorizationError);
  });

  test("bytes that are no protocol end the link with PROTOCOL, and the next one is fresh", async (t) => {
    const { peer, nextPeer, events } = await converse(t);
    peer.send("MSG not what it should be at all\r\n");
    const { error } = await events.until("disconnect");
    assert.equal(error?.code, "PROTOCOL");
    await welcome(await nextPeer());
    await events.until("reconnect");
  });
});

describe("room to publish", () => {
  test("writable() resolves at once while little waits, and when it is little again", async (t) => {
    trackLeaks(t);
    const { nc } = await converse(t, {}, { pair: { highWaterMark: 1024, latency: 5 } });
    await nc.writable();
    const chunk = new Uint8Array(100_000);
    for (let i = 0; i < 5; i++) nc.publish("a", chunk);
    assert.ok(nc.pendingBytes >= 500_000, String(nc.pendingBytes));
    assert.equal(nc.stats().pendingBytes, nc.pendingBytes);
    const [first, second] = [nc.writable(), nc.writable({ timeout: 5000 })];
    assert.equal(await Promise.race([first, Promise.resolve("pending")]), "pending");
    await Promise.all([first, second]);
    assert.ok(nc.pendingBytes <= 65_536, String(nc.pendingBytes));
  });

  test("writable() ends by its timeout, its signal and the end of the connection", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t, {
      reconnectToServer: (pool) => ({ server: pool[0] as Server, delay: 60_000 }),
    });
    peer.destroy();
    await events.until("disconnect");
    nc.publish("a", new Uint8Array(100_000));
    await assert.rejects(nc.writable({ timeout: 5 }), code("TIMEOUT"));
    const controller = new AbortController();
    const bySignal = nc.writable({ signal: controller.signal });
    const byClose = nc.writable();
    controller.abort();
    await assert.rejects(bySignal, code("ABORTED"));
    await nc.close();
    await assert.rejects(byClose, code("CLOSED"));
    await assert.rejects(nc.writable(), code("CLOSED"));
  });

  test("more than maxOutboundBytes is refused with OUTBOUND_FULL while connected, too", async (t) => {
    const { nc, events } = await converse(
      t,
      { maxOutboundBytes: 200_000 },
      { pair: { highWaterMark: 1, latency: 20 } },
    );
    const chunk = new Uint8Array(150_000);
    nc.publish("a", chunk);
    assert.throws(() => {
      for (let i = 0; i < 10; i++) nc.publish("a", chunk);
    }, code("OUTBOUND_FULL"));
    await nc.writable();
    nc.publish("a", "room again");
    assert.deepEqual(events.seen, []);
  });

  test("writableStream publishes what is written, waits for room, and closes with a round trip", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const h = headers();
    h.set("A", "b");
    const writer = nc.writableStream("a", { headers: h }).getWriter();
    await writer.write("1");
    await writer.write(Uint8Array.of(50));
    await writer.close();
    assert.equal(nc.stats().outMsgs, 2);
    assert.equal(peer.received.toString().match(/HPUB a 18 19/g)?.length, 2);
    assert.throws(() => nc.writableStream("a b"), code("INVALID_SUBJECT"));
    const other = nc.writableStream("a").getWriter();
    await nc.close();
    await assert.rejects(other.write("x"), code("CLOSED"));
    await assert.rejects(other.closed, code("CLOSED"));
  });

  test("a readable piped into a writableStream of another connection carries everything", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const [one, two] = [await connect({ servers: server.url }), await connect({ servers: server.url })];
    atEnd(t, () => Promise.all([one.close(), two.close()]));
    const total = 2000;
    const source = one.subscribe("in", { max: total });
    const sink = one.subscribe("out", { max: total });
    await one.flush();
    const payloads = new TransformStream({
      transform: (m: { data: Uint8Array }, controller: { enqueue(data: Uint8Array): void }) =>
        controller.enqueue(m.data),
    });
    const piped = source.readable.pipeThrough(payloads).pipeTo(two.writableStream("out"));
    for (let i = 0; i < total; i++) one.publish("in", String(i));
    let next = 0;
    for await (const m of sink) assert.equal(m.string(), String(next++));
    assert.equal(next, total);
    await piped;
  });
});

describe("flush and rtt", () => {
  test("answers are matched in order; each ends by its own timeout or signal", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    peer.answerPings(false);
    const first = nc.flush({ timeout: 10 });
    const second = nc.flush();
    const third = nc.flush({ signal: AbortSignal.timeout(10) });
    await assert.rejects(first, code("TIMEOUT"));
    await assert.rejects(
      third,
      (error) => code("ABORTED")(error) && ((error as Error).cause as Error).name === "TimeoutError",
    );
    peer.send("PONG\r\n");
    assert.equal(await outcome(second), "pending");
    peer.send("PONG\r\n");
    assert.equal(await outcome(second), undefined);
    await assert.rejects(nc.flush({ signal: AbortSignal.abort() }), code("ABORTED"));
    await assert.rejects(nc.flush({ timeout: -1 }), code("INVALID_ARGUMENT"));
  });

  test("rtt is the milliseconds of a round trip", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const nc = await connect({ servers: proxy.url });
    atEnd(t, () => nc.close());
    proxy.latency(15);
    const rtt = await nc.rtt();
    assert.ok(rtt >= 29, String(rtt));
  });

  test("closing ends a flush that waits with CLOSED", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    peer.answerPings(false);
    const flush = nc.flush();
    const rejected = assert.rejects(flush, code("CLOSED"));
    await nc.close();
    await rejected;
    await assert.rejects(nc.flush(), code("CLOSED"));
    await assert.rejects(nc.rtt(), code("CLOSED"));
  });
});

describe("drain", () => {
  test("C-ADR40-20: UNSUB of all, a round trip, the messages, what handlers publish, a round trip, the end", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t);
    peer.answerPings(false);
    const looped: string[] = [];
    const loop = nc.subscribe("loop");
    const looping = (async () => {
      for await (const m of loop) looped.push(m.string());
    })();
    const gate = deferred<void>();
    const sub = nc.subscribe("a", {
      callback: async (_, m) => {
        await gate;
        m.respond(`re: ${m.string()}`);
      },
    });
    await peer.expect(/^SUB loop/);
    await peer.expect(/^SUB a/);
    peer.send(msg("a", sub.getID(), "1", { reply: "r" }));
    await settled();
    const drained = nc.drain();
    assert.equal(nc.state, "draining");
    assert.deepEqual(
      [await peer.readLine(), await peer.readLine()].sort(),
      [`UNSUB ${loop.getID()}`, `UNSUB ${sub.getID()}`].sort(),
    );
    await peer.expect(/^PING$/);
    assert.throws(() => nc.subscribe("new"), code("DRAINING"));
    await assert.rejects(nc.request("new"), code("DRAINING"));
    await assert.rejects(nc.drain(), code("DRAINING"));
    nc.publish("still", "allowed");
    // what the server sent before it knew
    peer.send(msg("a", sub.getID(), "2", { reply: "r" }) + msg("loop", loop.getID(), "x") + "PONG\r\n");
    await peer.expect(/^PUB still 7$/);
    await peer.expect(/^allowed$/);
    assert.equal(await outcome(drained), "pending", "callbacks still run");
    gate.resolve();
    await peer.expect(/^PUB r 5$/);
    await peer.expect(/^re: 1$/);
    await peer.expect(/^PUB r 5$/);
    await peer.expect(/^re: 2$/);
    await peer.expect(/^PING$/);
    assert.throws(() => nc.publish("too", "late"), code("DRAINING"));
    assert.equal(await outcome(drained), "pending");
    peer.send("PONG\r\n");
    await drained;
    await looping;
    assert.deepEqual(looped, ["x"]);
    assert.equal(await nc.closed(), undefined);
    await events.ended;
    assert.deepEqual(events.of("close"), [{ type: "close", unsent: 0 }]);
    assert.throws(() => nc.publish("a"), ClosedConnectionError);
    await assert.rejects(nc.drain(), code("CLOSED"));
  });

  test("waits for the last of the callbacks that wait for their turn, also of a subscription that has ended", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const gates: ReturnType<typeof deferred<void>>[] = [];
    const sub = nc.subscribe("a", {
      concurrency: 1,
      max: 3,
      callback: async (_, m) => {
        const gate = deferred<void>();
        gates.push(gate);
        await gate;
        m.respond("done");
      },
    });
    for (let i = 0; i < 3; i++) peer.send(msg("a", sub.getID(), String(i), { reply: `r.${i}` }));
    await settled();
    assert.equal(sub.isClosed(), true);
    const drained = nc.drain();
    for (let i = 0; i < 3; i++) {
      assert.equal(await outcome(drained), "pending", `callback ${i} still runs`);
      gates[i]?.resolve();
    }
    await drained;
    assert.equal(peer.received.toString().match(/PUB r\.\d 4/g)?.length, 3);
  });

  test("waits for what a loop has queued", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    for (let i = 0; i < 3; i++) peer.send(msg("a", sub.getID(), String(i)));
    const iterator = sub[Symbol.asyncIterator]();
    await iterator.next();
    const drained = nc.drain();
    assert.equal(await outcome(drained), "pending");
    await iterator.next();
    await iterator.next();
    await drained;
    assert.equal((await iterator.next()).done, true);
  });

  for (const how of ["awaited", "begun"] as const) {
    test(`${how} inside a callback it doesn't wait for that one, but for the others`, async (t) => {
      trackLeaks(t);
      const { nc, peer } = await converse(t);
      const gate = deferred<void>();
      const done: string[] = [];
      const callback = async (_: unknown, m: { string(): string }) => {
        const text = m.string();
        if (text === "drain") {
          const drained = nc.drain();
          if (how === "awaited") await drained;
        } else {
          await gate;
        }
        done.push(text);
      };
      const [a, b] = [nc.subscribe("a", { callback }), nc.subscribe("b", { callback })];
      peer.send(msg("a", a.getID(), "a") + msg("b", b.getID(), "b") + msg("a", a.getID(), "drain"));
      await settled();
      assert.equal(nc.state, "draining");
      assert.deepEqual(done, how === "awaited" ? [] : ["drain"]);
      gate.resolve();
      await nc.closed();
      await settled();
      assert.deepEqual(done.sort(), ["a", "b", "drain"]);
    });
  }

  test("begun inside a callback that returns at once, it waits for the others of that subscription", async (t) => {
    const { nc, peer } = await converse(t);
    const gate = deferred<void>();
    const sub = nc.subscribe("a", {
      callback: (_, m) => {
        if (m.string() === "work") return gate;
        void nc.drain();
        return undefined;
      },
    });
    peer.send(msg("a", sub.getID(), "work") + msg("a", sub.getID(), "drain"));
    await settled();
    assert.equal(nc.state, "draining");
    gate.resolve();
    await nc.closed();
  });

  test("ends closed by its timeout and its signal, though a callback never returns", async (t) => {
    trackLeaks(t);
    for (const how of ["timeout", "signal"] as const) {
      const { nc, peer } = await converse(t);
      const sub = nc.subscribe("a", { callback: () => new Promise(() => {}) });
      peer.send(msg("a", sub.getID(), "x"));
      await settled();
      const drained = nc.drain(how === "timeout" ? { timeout: 10 } : { signal: AbortSignal.timeout(10) });
      await assert.rejects(drained, code(how === "timeout" ? "TIMEOUT" : "ABORTED"));
      assert.equal(nc.state, "closed");
      assert.equal(await nc.closed(), undefined);
    }
  });

  test("close() cuts it short: it rejects with CLOSED", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { callback: () => new Promise(() => {}) });
    peer.send(msg("a", sub.getID(), "x"));
    await settled();
    const drained = nc.drain();
    const rejected = assert.rejects(drained, code("CLOSED"));
    await nc.close();
    await rejected;
  });

  test("without a connection and with nothing to send it ends closed at once", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t, {
      reconnectToServer: (pool) => ({ server: pool[0] as Server, delay: 60_000 }),
    });
    nc.subscribe("a");
    peer.destroy();
    await events.until("reconnecting");
    await nc.drain();
    assert.equal(nc.state, "closed");
    assert.equal(await nc.closed(), undefined);
  });

  test("without a connection and with messages to send it waits for the next link, sends them, and ends closed", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer, events } = await converse(t);
    const sub = nc.subscribe("a");
    await nc.flush();
    peer.destroy();
    await events.until("disconnect");
    nc.publish("x", "kept");
    const drained = nc.drain();
    const next = await welcome(await nextPeer());
    await drained;
    // not subscribed again, though
    assert.equal(next.received.toString().includes(`SUB a ${sub.getID()}`), false);
    assert.match(next.received.toString(), /PUB x 4\r\nkept\r\n/);
    await events.ended;
    assert.deepEqual(events.of("close"), [{ type: "close", unsent: 0 }]);
  });

  test("without a connection that ever comes it ends closed by its timeout, and says what was not sent", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t, {
      reconnectToServer: (pool) => ({ server: pool[0] as Server, delay: 60_000 }),
    });
    peer.destroy();
    await events.until("reconnecting");
    nc.publish("x", "1");
    nc.publish("x", "2");
    await assert.rejects(nc.drain({ timeout: 10 }), code("TIMEOUT"));
    assert.equal(nc.state, "closed");
    await events.ended;
    assert.deepEqual(events.of("close"), [{ type: "close", unsent: 2 }]);
    assert.equal(nc.stats().droppedOutbound, 2);
  });

  test("a link that breaks meanwhile ends it closed", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t);
    peer.answerPings(false);
    nc.subscribe("a");
    const drained = nc.drain();
    await peer.skipTo(/^PING$/);
    peer.destroy();
    await drained;
    assert.equal(nc.state, "closed");
    assert.equal(events.of("reconnect").length, 0);
  });

  test("a connection that is given up meanwhile ends it with CLOSED and the reason", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t, { reconnect: false });
    const sub = nc.subscribe("a", { callback: () => new Promise(() => {}) });
    peer.send(msg("a", sub.getID(), "x"));
    await settled();
    const drained = nc.drain();
    const rejected = assert.rejects(
      drained,
      (error) => code("CLOSED")(error) && ((error as Error).cause as NatsError).code === "CONNECTION",
    );
    await nc.flush();
    peer.destroy();
    await rejected;
    assert.equal(events.of("close")[0]?.error, await nc.closed());
  });

  test("await using drains; what is published is sent", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const other = await connect({ servers: server.url });
    atEnd(t, () => other.close());
    const sub = other.subscribe("a", { max: 100 });
    await other.flush();
    {
      await using nc = await connect({ servers: server.url });
      for (let i = 0; i < 100; i++) nc.publish("a", String(i));
    }
    let count = 0;
    for await (const m of sub) assert.equal(m.string(), String(count++));
    assert.equal(count, 100);
    // on one that is closed or draining it waits for the end
    const { nc, peer } = await converse(t);
    peer.answerPings(false);
    const drained = nc.drain();
    const disposed = nc[Symbol.asyncDispose]();
    assert.equal(await outcome(disposed), "pending");
    peer.answerPings();
    await drained;
    await disposed;
    await nc[Symbol.asyncDispose]();
  });
});

describe("close", () => {
  test("C-ADR40-19: ends everything at once and for good; closed() resolves, never rejects", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t);
    const sub = nc.subscribe("a");
    const iteration = sub[Symbol.asyncIterator]().next();
    const request = nc.request("q", "", { timeout: 60_000 });
    const many = await nc.requestMany("q", "", { maxWait: 60_000 });
    const replies = many[Symbol.asyncIterator]().next();
    const rejected = [assert.rejects(request, code("CLOSED")), assert.rejects(replies, code("CLOSED"))];
    nc.publish("last", "words");
    const [one, two] = [nc.close(), nc.close()];
    assert.equal(one, two);
    assert.equal(nc.state, "closed");
    await one;
    await Promise.all(rejected);
    assert.equal((await iteration).done, true);
    assert.equal(await sub.closed, undefined);
    assert.equal(await nc.closed(), undefined);
    assert.match(peer.received.toString(), /PUB last 5\r\nwords\r\n/);
    await events.ended;
    assert.throws(() => nc.publish("a"), code("CLOSED"));
    assert.throws(() => nc.subscribe("a"), code("CLOSED"));
    assert.throws(() => nc.setServers(["a"]), code("CLOSED"));
    assert.throws(
      () => nc.publishMessage({ subject: "a", data: new Uint8Array(0) } as never),
      code("CLOSED"),
    );
    // who listens from now on is at the end
    for await (const _ of nc.status()) assert.fail();
    await nc.close();
  });

  test("counts what was accepted and never sent, in its event and in the stats", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t, {
      reconnectToServer: (pool) => ({ server: pool[0] as Server, delay: 60_000 }),
    });
    peer.destroy();
    await events.until("reconnecting");
    for (let i = 0; i < 7; i++) nc.publish("a", String(i));
    nc.subscribe("control lines don't count".replaceAll(" ", "-"));
    await nc.close();
    await events.ended;
    assert.deepEqual(events.of("close"), [{ type: "close", unsent: 7 }]);
    assert.equal(nc.stats().droppedOutbound, 7);
    assert.equal(nc.pendingBytes, 0);
  });

  test("while it dials it ends at once, and the peer that answers later is let go", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer } = await converse(t);
    peer.destroy();
    const next = await nextPeer();
    await nc.close();
    next.info();
    await next.closed;
    assert.equal(next.received.length, 0);
  });

  test("in the moment the link comes up it stays closed", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer, events } = await converse(t);
    peer.destroy();
    const next = await nextPeer();
    next.info();
    await next.expect(/^CONNECT/);
    next.send("PONG\r\n");
    await Promise.resolve();
    await nc.close();
    await next.closed;
    assert.equal(nc.state, "closed");
    assert.equal(events.of("reconnect").length, 0);
  });
});
