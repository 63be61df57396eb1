// A cluster of three real servers under load: gossip, kill -9, restart and lame duck, and what becomes of messages.
//
// What must hold: every subscription works on, the order of each publisher is kept, nothing comes twice, what is missing
// was in a link when it broke, and requests fail with typed errors only, and go on.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { NatsConnection } from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { type Cluster, certPath, type RealServer, startCluster } from "../fixtures/real-server.ts";
import { Events, inbox, texts } from "../suites/tools.ts";
import { Asker, gaps, Reader, Writer } from "./load.ts";
import { dial, eventually } from "./support.ts";

type Three = Cluster & readonly [RealServer, RealServer, RealServer];

async function three(t: TestContext, options: Parameters<typeof startCluster>[2] = {}): Promise<Three> {
  trackLeaks(t);
  return (await startCluster(t, 3, options)) as Three;
}

/** A connection that is on this server first, and knows the others by gossip only. */
async function on(t: TestContext, server: RealServer): Promise<{ nc: NatsConnection; events: Events }> {
  const nc = await dial(t, { servers: server.url, name: server.name });
  return { nc, events: new Events(nc) };
}

interface Routez {
  routes?: { remote_id: string; subscriptions_list?: string[] }[];
}

/** Resolves when the connection knows of so many servers: a route is up before all clients hear of it. */
async function gossip(nc: NatsConnection, count: number): Promise<void> {
  await eventually(() => nc.getServers().length >= count, `${count} servers are not heard of`);
}

/** Resolves when all other servers that run know that somebody at the server of `nc` listens to the subject. */
async function known(cluster: readonly RealServer[], nc: NatsConnection, subject: string): Promise<void> {
  await nc.flush();
  const id = nc.info?.server_id;
  for (const server of cluster) {
    if (server.pid === undefined || server.address === nc.getServer()) continue;
    await eventually(async () => {
      const { routes = [] } = await server.monitor<Routez>("/routez?subs=1");
      return routes.some(
        ({ remote_id, subscriptions_list = [] }) => remote_id === id && subscriptions_list.includes(subject),
      );
    }, `${server.name} does not know of '${subject}'`);
  }
}

test("C-ADR40-3 gossip: servers come into the pool and leave it, with an event; the one that was named stays", async (t) => {
  const cluster = await three(t);
  const [a, b, c] = cluster;
  const { nc, events } = await on(t, a);
  await gossip(nc, 3);
  const heard = events.of("update").length;
  const pool = (): Record<string, boolean> =>
    Object.fromEntries(nc.getServers().map(({ listen, gossiped }) => [listen, gossiped]));
  assert.deepEqual(pool(), { [a.address]: false, [b.address]: true, [c.address]: true });
  await c.kill();
  assert.deepEqual((await events.until("update", heard + 1)).deleted, [c.address]);
  assert.deepEqual(pool(), { [a.address]: false, [b.address]: true });
  await c.restart();
  assert.deepEqual((await events.until("update", heard + 2)).added, [c.address]);
  await a.kill();
  await events.until("reconnect");
  assert.equal(pool()[a.address], false);
  const ignorant = await dial(t, { servers: b.url, ignoreClusterUpdates: true });
  assert.deepEqual(
    ignorant.getServers().map(({ listen }) => listen),
    [b.address],
  );
});

test("C-TLS-5 gossip under TLS: what comes by its address is verified against the name that was given", async (t) => {
  const cluster = await three(t, { tls: "required" });
  const [a] = cluster;
  const nc = await dial(t, {
    servers: `tls://localhost:${a.port}`,
    tls: { caFile: certPath("ca.crt") },
  });
  const events = new Events(nc);
  await gossip(nc, 3);
  const gossiped = nc.getServers().filter((server) => server.gossiped);
  assert.ok(gossiped.length >= 2);
  for (const { tlsName } of gossiped) assert.equal(tlsName, "localhost");
  await a.kill();
  await events.until("reconnect");
  assert.equal(nc.info?.tls_required, true);
  await nc.flush();
});

test("C-WS-12 gossip over WebSocket: the pool has WebSocket addresses, and the next link is one", async (t) => {
  for (const tls of [false, true]) {
    await t.test(tls ? "wss" : "ws", async (t) => {
      const cluster = await three(t, { websocket: { tls } });
      const [a, b, c] = cluster;
      const ca = readFileSync(certPath("ca.crt"), "utf8");
      const nc = await dial(t, { servers: a.wsUrl, ...(tls && { tls: { ca } }) });
      const events = new Events(nc);
      await gossip(nc, 3);
      const ports = nc.getServers().map(({ port }) => port);
      assert.deepEqual(ports.sort(), [a.wsPort, b.wsPort, c.wsPort].sort());
      await a.kill();
      await events.until("reconnect");
      const next = [b, c].find(({ wsPort }) => nc.getServer().endsWith(`:${wsPort}`));
      const { connections = [] } = (await next?.connz()) ?? {};
      assert.deepEqual(
        connections.map(({ type }) => type),
        ["websocket"],
      );
    });
  }
});

test("kill -9 under a publisher: it goes on elsewhere, and only what was in the link is missing (P3, P4)", async (t) => {
  const cluster = await three(t);
  const [a, b, c] = cluster;
  const writers = [await on(t, a), await on(t, a), await on(t, b)];
  const reader = await on(t, c);
  const read = new Reader(reader.nc, "load.*");
  await known(cluster, reader.nc, "load.*");
  const loads = writers.map(({ nc }, i) => new Writer(nc, `load.${i}`));
  await Promise.all(loads.map((_, i) => read.reached(`load.${i}`, 300)));
  // how far each had come when it learnt of its loss
  const atLoss = writers.slice(0, 2).map(async ({ events }, i) => {
    const { lost } = await events.until("disconnect");
    return { lost, sent: loads[i]?.sent ?? 0 };
  });
  await a.kill();
  const losses = await Promise.all(atLoss);
  await Promise.all(writers.slice(0, 2).map(({ events }) => events.until("reconnect")));
  await Promise.all(loads.map((load, i) => read.reached(`load.${i}`, load.sent + 300)));
  const counts = await Promise.all(loads.map((load) => load.stop()));
  await Promise.all(counts.map((count, i) => read.reached(`load.${i}`, count - 1)));
  assert.deepEqual(read.errors, []);
  for (const [i, { lost, sent }] of losses.entries()) {
    const missing = gaps(read.of(`load.${i}`).all, counts[i] ?? 0);
    assert.ok(missing.length <= 1, `more than one gap: ${JSON.stringify(missing)}`);
    const [first, last] = missing[0] ?? [0, -1];
    assert.ok(last < sent, `${last} was published after the loss at ${sent}`);
    assert.ok(lost <= last - first + 1, `${lost} were said to be lost, ${last - first + 1} are missing`);
    assert.equal(writers[i]?.nc.stats().droppedOutbound, lost);
  }
  assert.deepEqual(gaps(read.of("load.2").all, counts[2] ?? 0), []);
});

test("kill -9 under subscribers: each works on elsewhere, after one gap, and those on other servers miss nothing", async (t) => {
  const cluster = await three(t);
  const [a, b, c] = cluster;
  const hit = [await on(t, a), await on(t, a)];
  const other = await on(t, b);
  const reads = [...hit, other].map(({ nc }) => new Reader(nc, "load.*"));
  for (const { nc } of [...hit, other]) await known(cluster, nc, "load.*");
  const writers = [await on(t, c), await on(t, b)];
  const loads = writers.map(({ nc }, i) => new Writer(nc, `load.${i}`));
  const reached = (numbers: number[]): Promise<unknown> =>
    Promise.all(reads.flatMap((read) => numbers.map((n, i) => read.reached(`load.${i}`, n))));
  await reached([300, 300]);
  await a.kill();
  await Promise.all(hit.map(({ events }) => events.until("reconnect")));
  for (const { nc } of hit) await nc.flush();
  await reached(loads.map(({ sent }) => sent + 300));
  const counts = await Promise.all(loads.map((load) => load.stop()));
  await reached(counts.map((count) => count - 1));
  for (const [at, read] of reads.entries()) {
    assert.deepEqual(read.errors, []);
    for (const [i, count] of counts.entries()) {
      const missing = gaps(read.of(`load.${i}`).all, count);
      assert.ok(missing.length <= (at < 2 ? 1 : 0), `reader ${at}: ${JSON.stringify(missing)}`);
    }
  }
});

test("a restart of each server in turn: all come back each time, and the order is kept", async (t) => {
  const cluster = await three(t);
  const [a, b, c] = cluster;
  const all = [await on(t, a), await on(t, b), await on(t, c)];
  const reads = all.map(({ nc }) => new Reader(nc, "load.*"));
  for (const { nc } of all) await known(cluster, nc, "load.*");
  const loads = all.map(({ nc }, i) => new Writer(nc, `load.${i}`));
  for (const server of cluster) {
    const before = all.map(({ events }) => events.of("reconnect").length);
    const moved = all.filter(({ nc }) => nc.getServer() === server.address);
    await server.restart();
    await cluster.routed();
    await Promise.all(moved.map((one) => one.events.until("reconnect", (before[all.indexOf(one)] ?? 0) + 1)));
    for (const { nc } of all) await nc.flush();
    // from here on, everybody hears everybody
    await Promise.all(
      reads.flatMap((read) => loads.map((load, i) => read.reached(`load.${i}`, load.sent + 100))),
    );
  }
  const counts = await Promise.all(loads.map((load) => load.stop()));
  for (const read of reads) {
    await Promise.all(counts.map((count, i) => read.reached(`load.${i}`, count - 1)));
    assert.deepEqual(read.errors, []);
  }
});

const lameDuck = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "10s"';

test("C-ADR5-1, C-ADR5-2 lame duck under a publisher: it moves at once, and nothing is lost", async (t) => {
  const cluster = await three(t, { config: lameDuck });
  const [a, b] = cluster;
  // what is on its way in this network when a link is cut does not arrive
  const network = await startProxy(t, a);
  network.latency(10);
  const writers = [await dial(t, { servers: network.url }), await dial(t, { servers: network.url })].map(
    (nc) => ({ nc, events: new Events(nc) }),
  );
  const reader = await on(t, b);
  const read = new Reader(reader.nc, "load.*");
  await known(cluster, reader.nc, "load.*");
  const loads = writers.map(({ nc }, i) => new Writer(nc, `load.${i}`));
  await Promise.all(loads.map((_, i) => read.reached(`load.${i}`, 200)));
  a.signal("SIGUSR2");
  for (const { nc, events } of writers) {
    assert.equal((await events.until("ldm")).server, network.address);
    assert.equal((await events.until("disconnect")).lost, 0);
    await events.until("reconnect");
    assert.ok(![network.address, a.address].includes(nc.getServer()), `it is on ${nc.getServer()}`);
  }
  await Promise.all(loads.map((load, i) => read.reached(`load.${i}`, load.sent + 200)));
  const counts = await Promise.all(loads.map((load) => load.stop()));
  await Promise.all(counts.map((count, i) => read.reached(`load.${i}`, count - 1)));
  assert.deepEqual(read.errors, []);
  for (const [i, count] of counts.entries()) {
    assert.deepEqual(gaps(read.of(`load.${i}`).all, count), [], `of publisher ${i}`);
  }
});

test("C-ADR5-2 lame duck under the members of a queue group: what one leaves the others get", async (t) => {
  const cluster = await three(t, { config: lameDuck });
  const [a, b, c] = cluster;
  const members = [await on(t, a), await on(t, b)];
  const reads = members.map(({ nc }) => new Reader(nc, "load.*", "q"));
  for (const { nc } of members) await known(cluster, nc, "load.*");
  const writer = await on(t, c);
  const load = new Writer(writer.nc, "load.0");
  await Promise.all(reads.map((read) => read.reached("load.0", 200)));
  a.signal("SIGUSR2");
  await members[0]?.events.until("reconnect");
  await members[0]?.nc.flush();
  await Promise.all(reads.map((read) => read.reached("load.0", load.sent + 200)));
  const count = await load.stop();
  for (const { nc } of members) await nc.flush();
  const all = (): number[] => reads.flatMap((read) => read.of("load.0").all).sort((x, y) => x - y);
  // the last ones cross a route on their way
  await eventually(async () => {
    await b.varz();
    return all().length >= count;
  }, "some are missing").catch(() => undefined);
  assert.deepEqual(gaps(all(), count), []);
  assert.equal(all().length, count);
  for (const read of reads) assert.deepEqual(read.errors, []);
});

test("requests go on through kill, restart and lame duck, and fail with typed errors only", async (t) => {
  const cluster = await three(t, { config: lameDuck });
  const [a, b, c] = cluster;
  const services = [await on(t, a), await on(t, b), await on(t, c)];
  for (const { nc } of services) {
    nc.subscribe("echo", { queue: "q", callback: (_, msg) => void msg.respond(msg.data) });
  }
  for (const { nc } of services) await known(cluster, nc, "echo");
  const askers = [await on(t, a), await on(t, b), await on(t, c)].map(({ nc }) => new Asker(nc, "echo"));
  const healthy = (): Promise<unknown> => Promise.all(askers.map((asker) => asker.healthy()));
  await healthy();
  await b.kill();
  await healthy();
  await b.restart();
  await healthy();
  a.signal("SIGUSR2");
  await services[0]?.events.until("ldm");
  await services[0]?.events.until("reconnect");
  await healthy();
  await a.kill();
  await healthy();
  await Promise.all(askers.map((asker) => asker.stop()));
  for (const { failures, answered } of askers) {
    for (const code of failures.keys()) {
      assert.ok(["TIMEOUT", "NO_RESPONDERS"].includes(code), `failed with ${code}`);
    }
    assert.ok(answered > 500);
  }
});

test("an answer that is on its way during a lame duck still arrives (C-ADR5-2)", async (t) => {
  const cluster = await three(t, { config: lameDuck });
  const [a, b] = cluster;
  const [asker, service] = [await on(t, a), await on(t, b)];
  const asked = await inbox(service.nc, "slow");
  await known(cluster, service.nc, "slow");
  const reply = asker.nc.request("slow", "x", { timeout: 30_000 });
  await asked.first(1);
  a.signal("SIGUSR2");
  await asker.events.until("ldm");
  // it stays where the answer comes to
  assert.equal(asker.nc.state, "connected");
  asked.all[0]?.respond("y");
  assert.deepEqual(texts([await reply]), ["y"]);
  await asker.events.until("reconnect");
  assert.notEqual(asker.nc.getServer(), a.address);
});
