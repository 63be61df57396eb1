// Limits, liveness and farewells of real servers: what closes a connection, and how it comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { headers } from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { atLeast, startServer, suiteVersion } from "../fixtures/real-server.ts";
import { check, Events, inbox, numbers, PATIENT, rejects, texts } from "../suites/tools.ts";
import { dial, eventually } from "./support.ts";

test("maximum connections exceeded: a server that is full is passed over, and taken when it has room", async (t) => {
  trackLeaks(t);
  const [full, other] = [await startServer(t, { config: "max_connections: 1" }), await startServer(t)];
  const first = await dial(t, { servers: full.url });
  const error = await rejects(dial(t, { servers: full.url }), "MAX_CONNECTIONS");
  assert.match(error.serverText ?? "", /^maximum connections exceeded$/i);
  const nc = await dial(t, { servers: [full.url, other.url], noRandomize: true });
  assert.equal(nc.getServer(), other.address);
  const waiting = dial(t, { servers: full.url, waitOnFirstConnect: true });
  await first.close();
  assert.equal((await waiting).getServer(), full.address);
});

test("maximum control line exceeded: the link is lost with that reason, and the connection comes back (C-LIM-2)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: "max_control_line: 512" });
  const nc = await dial(t, { servers: server.url });
  const events = new Events(nc);
  const got = await inbox(nc, "x");
  nc.publish(`long.${"y".repeat(600)}`);
  assert.match(check((await events.until("error")).error, "PROTOCOL").message, /max_control_line/);
  const error = check((await events.until("disconnect")).error, "PROTOCOL");
  assert.match(error.serverText ?? "", /^maximum control line exceeded$/i);
  await events.until("reconnect");
  nc.publish("x", "back");
  assert.deepEqual(texts(await got.first(1)), ["back"]);
});

test("Maximum Payload Violation: a limit that was lowered behind our back; after the reconnect it is known (C-LIM-1)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const nc = await dial(t, { servers: server.url });
  const events = new Events(nc);
  await server.reload("max_payload: 1000");
  nc.publish("x", new Uint8Array(2000));
  const error = check((await events.until("disconnect")).error, "MAX_PAYLOAD");
  assert.match(error.serverText ?? "", /^maximum payload violation$/i);
  await events.until("reconnect");
  assert.equal(nc.info?.max_payload, 1000);
  assert.throws(() => nc.publish("x", new Uint8Array(2000)), { code: "MAX_PAYLOAD" });
});

test("C-ADR4-8, C-CONN-3 a server without headers: they are refused here, and no responders is a timeout", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: "no_header_support: true" });
  const proxy = await startProxy(t, server);
  const nc = await dial(t, { servers: proxy.url });
  const fields = JSON.parse(/^CONNECT (\{.*\})\r$/m.exec(proxy.sent.toString())?.[1] ?? "");
  assert.deepEqual([fields.headers, fields.no_responders], [false, false]);
  const sent = headers();
  sent.set("a", "b");
  assert.throws(() => nc.publish("x", "", { headers: sent }), { code: "UNSUPPORTED" });
  await rejects(nc.request("x", "", { headers: sent }), "UNSUPPORTED");
  await rejects(nc.request("nobody", "", { timeout: 30 }), "TIMEOUT");
  nc.subscribe("echo", { callback: (_, msg) => void msg.respond(msg.data) });
  assert.equal((await nc.request("echo", "x", PATIENT)).string(), "x");
});

test("C-LIM-3 a slow consumer is closed without a word: the connection comes back, and the server counted it", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config: 'max_pending: 1MB\nmax_payload: 256KB\nwrite_deadline: "1s"',
  });
  const proxy = await startProxy(t, server);
  const nc = await dial(t, { servers: proxy.url });
  const sender = await dial(t, { servers: server.url });
  const events = new Events(nc);
  const got = await inbox(nc, "x");
  proxy.pause("received");
  const payload = new Uint8Array(200_000);
  await eventually(async () => {
    for (let i = 0; i < 10; i++) sender.publish("x", payload);
    await sender.flush();
    return (await server.varz()).slow_consumers > 0;
  }, "no slow consumer");
  proxy.resume();
  check((await events.until("disconnect")).error, "CONNECTION");
  assert.deepEqual(events.of("error"), []);
  await events.until("reconnect");
  await nc.flush();
  const before = got.all.length;
  sender.publish("x", "after");
  assert.equal((await got.first(before + 1)).at(-1)?.string(), "after");
});

test("Stale Connection: the server's pings are answered, and when they can't be it says so (C-PING-1)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: 'ping_interval: "300ms"\nping_max: 5' });
  const proxy = await startProxy(t, server);
  const nc = await dial(t, { servers: proxy.url });
  const events = new Events(nc);
  await proxy.forwarded("sent", /(PONG\r\n[^]*){3}/);
  assert.deepEqual(events.types, []);
  // what we say does not reach the server any more; what it says reaches us
  proxy.pause("sent");
  const error = check((await events.until("disconnect")).error, "STALE_CONNECTION");
  assert.match(error.serverText ?? "", /^stale connection$/i);
  proxy.resume();
  await events.until("reconnect");
});

test("C-PING-2 a server that stops answering is left for another after its pings", async (t) => {
  trackLeaks(t);
  const [frozen, other] = [await startServer(t), await startServer(t)];
  const nc = await dial(t, {
    servers: [frozen.url, other.url],
    noRandomize: true,
    pingInterval: 200,
    maxPingOut: 2,
  });
  const events = new Events(nc);
  frozen.signal("SIGSTOP");
  check((await events.until("disconnect")).error, "STALE_CONNECTION");
  await events.until("reconnect");
  assert.equal(nc.getServer(), other.address);
  assert.equal(events.of("staleConnection").length, 1);
  assert.ok(events.of("ping").some(({ pendingPings }) => pendingPings === 2));
});

for (const [what, config, logged] of [
  ["route", "cluster { host: 127.0.0.1, port: -1 }", /Listening for route connections on [^:]*:(\d+)/],
  [
    "leaf node",
    "leafnodes { host: 127.0.0.1, port: -1 }",
    /Listening for leafnode connections on [^:]*:(\d+)/,
  ],
  [
    "gateway",
    "gateway { name: G, host: 127.0.0.1, port: -1 }",
    /Listening for gateways connections on [^:]*:(\d+)/,
  ],
] as const) {
  test(`attempted to connect to ${what} port: the error says that it is the wrong one`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config });
    const [, port] = await server.waitForLog(logged);
    const error = await rejects(dial(t, { servers: `nats://127.0.0.1:${port}` }), "CONNECTION");
    assert.match(error.serverText ?? "", new RegExp(`^attempted to connect to ${what} port$`, "i"));
    assert.match(error.message, /use the server's port for clients/);
  });
}

test("C-ADR5-1, C-ADR5-2 lame duck of a single server: it is told, and used until it is gone", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config: 'lame_duck_duration: "30s"\nlame_duck_grace_period: "2s"',
  });
  const nc = await dial(t, { servers: server.url });
  const events = new Events(nc);
  const got = await inbox(nc, "x");
  server.signal("SIGUSR2");
  assert.equal((await events.until("ldm")).server, server.address);
  assert.equal(nc.state, "connected");
  nc.publish("x", "still");
  assert.deepEqual(texts(await got.first(1)), ["still"]);
  check((await events.until("disconnect")).error, "CONNECTION");
  for (const n of numbers(3)) nc.publish("x", n);
  await server.restart();
  await events.until("reconnect");
  assert.deepEqual(texts(await got.first(4)), ["still", ...numbers(3)]);
  assert.equal(events.of("disconnect")[0]?.lost, 0);
});

test("C-ADR5-3 an operator sends one client away: the same as a lame duck, and a kick is one more reconnect", {
  skip: atLeast(suiteVersion(), "2.10") ? false : "this came with 2.10",
}, async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config:
      "accounts { SYS { users: [ { user: sys, password: sys } ] }, A { users: [ { user: a, password: a } ] } }\nsystem_account: SYS",
  });
  const admin = await dial(t, { servers: server.url, user: "sys", pass: "sys" });
  const nc = await dial(t, { servers: server.url, user: "a", pass: "a" });
  const events = new Events(nc);
  const { server_id, client_id } = nc.info ?? {};
  await admin.request(`$SYS.REQ.SERVER.${server_id}.LDM`, JSON.stringify({ cid: client_id }), PATIENT);
  await events.until("ldm");
  assert.equal(nc.state, "connected");
  await admin.request(`$SYS.REQ.SERVER.${server_id}.KICK`, JSON.stringify({ cid: client_id }), PATIENT);
  check((await events.until("disconnect")).error, "CONNECTION");
  await events.until("reconnect");
  assert.notEqual(nc.info?.client_id, client_id);
});
