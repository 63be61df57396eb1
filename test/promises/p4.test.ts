// P4: it comes back. Reconnecting goes on for as long as the user wants, with jitter; what was under way goes on after it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { connect, type ConnectionOptions, isNatsError, type NatsConnection } from "../../src/index.node.ts";
import { Watch } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { draws } from "../fixtures/draws.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { type RealServer, startCluster, startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";

const QUICK: ConnectionOptions = { reconnectTimeWait: 2, maxReconnectTimeWait: 10, reconnectJitter: 0 };

async function client(t: Scope, servers: string | string[], options: ConnectionOptions = {}) {
  const nc = await connect({ servers, ...QUICK, ...options });
  atEnd(t, () => nc.close());
  return { nc, events: new Watch(nc) };
}

async function answers(nc: NatsConnection, subject = "echo"): Promise<void> {
  assert.equal((await nc.request(subject, "x", PATIENT)).string(), "x");
}

test("P4 by default it tries for ever, at once first, then with waits that grow and are random", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const { nc, events } = await client(t, proxy.url, { reconnectTimeWait: 4, maxReconnectTimeWait: 16 });
  proxy.refuse();
  proxy.cut();
  const tries = 40;
  await events.until("reconnecting", tries);
  const all = events.of("reconnecting").slice(0, tries);
  assert.deepEqual(
    all.map(({ attempt }) => attempt),
    all.map((_, i) => i + 1),
  );
  const [first, ...waits] = all.map(({ delay }) => delay);
  assert.equal(first, 0);
  for (const [i, delay] of waits.entries()) {
    // the link was young when it broke: that counts as one failure more
    const window = Math.min(16, 4 * 2 ** (i + 1));
    assert.ok(delay >= 0 && delay <= window, `attempt ${i + 2} waits ${delay} ms, of ${window}`);
  }
  const late = waits.slice(3);
  assert.ok(new Set(late).size > 3, `the waits are ${late.join(", ")}`);
  assert.ok(Math.max(...late) > 8, `the waits are ${late.join(", ")}`);
  for (const { error, server: of } of all) {
    assert.ok(isNatsError(error));
    assert.equal(of, proxy.address);
  }
  assert.equal(nc.state, "reconnecting");
  assert.equal(nc.getServers()[0]?.reconnects, tries - 1);
  await proxy.accept();
  await events.until("reconnect");
  await nc.flush();
  assert.equal(nc.stats().reconnects, 1);
  assert.equal(nc.getServers()[0]?.reconnects, 0);
});

test("P4 clients that lose their server together don't come back in one moment", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const clients = await Promise.all(
    Array.from({ length: 30 }, () => client(t, proxy.url, { reconnectTimeWait: 50 })),
  );
  proxy.refuse();
  proxy.cut();
  // the first attempt is made at once, by all; the second is spread over the window
  const second = await Promise.all(clients.map(({ events }) => events.until("reconnecting", 3)));
  const delays = second.map(({ delay }) => delay);
  assert.ok(new Set(delays).size > 5, `the waits are ${delays.join(", ")}`);
  await proxy.accept();
  await Promise.all(clients.map(({ events }) => events.until("reconnect")));
});

for (const transport of ["tcp", "ws"] as const) {
  test(`P4 over ${transport}: subscriptions, queue groups, counts and answers go on after the server was killed and started again`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { websocket: true });
    const url = transport === "ws" ? server.wsUrl : server.url;
    const one = await client(t, url);
    const two = await client(t, url);
    const plain: string[] = [];
    const looped: string[] = [];
    const queued: string[] = [];
    one.nc.subscribe("echo", { callback: (_, m) => void m.respond(m.data) });
    one.nc.subscribe("a.*", { callback: (_, m) => void plain.push(m.string()) });
    for (const { nc } of [one, two]) {
      nc.subscribe("a.*", { queue: "q", callback: (_, m) => void queued.push(m.string()) });
    }
    const counted = one.nc.subscribe("a.*", { max: 5 });
    const looping = (async () => {
      for await (const m of counted) looped.push(m.string());
    })();
    const ended = one.nc.subscribe("a.*", { callback: () => assert.fail("it was unsubscribed") });
    await one.nc.flush();
    ended.unsubscribe();
    await answers(two.nc);
    for (let n = 1; n <= 3; n++) two.nc.publish("a.b", String(n));
    await two.nc.flush();
    await one.nc.flush();
    const before = server.pid;
    await server.restart();
    assert.notEqual(server.pid, before);
    await Promise.all([one, two].map(({ events }) => events.until("reconnect")));
    await Promise.all([one.nc.flush(), two.nc.flush()]);
    for (let n = 4; n <= 8; n++) two.nc.publish("a.b", String(n));
    await two.nc.flush();
    await one.nc.flush();
    await answers(two.nc);
    await looping;
    const all = ["1", "2", "3", "4", "5", "6", "7", "8"];
    assert.deepEqual(plain, all);
    assert.deepEqual(looped, all.slice(0, 5));
    assert.deepEqual([...queued].sort(), all);
    // exactly what is live, once
    const { connections } = await server.connz("subs=1");
    assert.equal(connections.length, 2);
    const subjects = connections.flatMap(({ subscriptions_list: list = [] }) => list).sort();
    assert.deepEqual(
      subjects.filter((subject) => !subject.startsWith("_INBOX")),
      ["a.*", "a.*", "a.*", "echo"],
    );
  });
}

test("P4 a thousand subscriptions are back before the first message that follows", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const { nc, events } = await client(t, proxy.url);
  let heard = 0;
  for (let i = 0; i < 1000; i++) nc.subscribe(`many.${i}`, { callback: () => void heard++ });
  await nc.flush();
  proxy.cut();
  await events.until("disconnect");
  // published before it is back: the subscriptions go first
  for (let i = 0; i < 1000; i++) nc.publish(`many.${i}`);
  await events.until("reconnect");
  await nc.flush();
  assert.equal(heard, 1000);
});

describe("P4 requests", () => {
  test("P4 in flight when the link breaks get the answer that comes after it, or their own timeout", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const service = await client(t, server.url);
    const { nc, events } = await client(t, proxy.url);
    const asked = service.nc.subscribe("q");
    await service.nc.flush();
    const iterator = asked[Symbol.asyncIterator]();
    const lucky = [nc.request("q", "", PATIENT), nc.request("q", "", { ...PATIENT, noMux: true })];
    const questions = [(await iterator.next()).value, (await iterator.next()).value];
    const unlucky = nc.request("q", "", { timeout: 200 });
    await iterator.next();
    proxy.cut();
    await events.until("reconnect");
    await nc.flush();
    for (const question of questions) question.respond("after");
    for (const answer of await Promise.all(lucky)) assert.equal(answer.string(), "after");
    await assert.rejects(unlucky, (error) => isNatsError(error) && error.code === "TIMEOUT");
    // nothing was asked twice
    assert.equal(asked.getReceived(), 3);
  });

  test("P4 made during an outage are asked after it", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const { nc, events } = await client(t, server.url);
    nc.subscribe("echo", { callback: (_, m) => void m.respond(m.data) });
    await server.kill();
    await events.until("reconnecting");
    const request = answers(nc);
    await server.start();
    await request;
  });
});

describe("P4 a cluster", () => {
  async function three(t: Scope): Promise<{ servers: RealServer[]; at: (nc: NatsConnection) => RealServer }> {
    const servers = await startCluster(t, 3, {
      config: "lame_duck_grace_period: 20ms, lame_duck_duration: 30s",
    });
    return {
      servers,
      at: (nc) => {
        const found = servers.find(({ address }) => address === nc.getServer());
        assert.ok(found, `'${nc.getServer()}' is none of the cluster`);
        return found;
      },
    };
  }

  test("P4 the next server takes over when one is killed, or says goodbye, also one that only the cluster named", async (t) => {
    trackLeaks(t);
    const { servers, at } = await three(t);
    const [seed] = servers as [RealServer];
    const { nc, events } = await client(t, seed.url);
    const other = await client(t, (servers[1] as RealServer).url);
    nc.subscribe("echo", { callback: (_, m) => void m.respond(m.data) });
    await nc.flush();
    // a route is up before all clients hear of it
    for (let updates = 1; nc.getServers().length < 3; updates++) await events.until("update", updates);
    const killed = at(nc);
    await killed.kill();
    await events.until("reconnect");
    assert.notEqual(at(nc), killed);
    await nc.flush();
    // a goodbye: it leaves before the server does, and asks its way to the one that is left
    const leaving = at(nc);
    leaving.signal("SIGUSR2");
    await events.until("ldm");
    await events.until("reconnect", 2);
    assert.notEqual(at(nc), leaving);
    await nc.flush();
    await answers(nc);
    assert.equal(nc.state, "connected");
    assert.notEqual(other.nc.state, "closed");
  });
});

describe("P4 for as long as the user wants it", () => {
  test("P4 maxReconnectAttempts is how often each server is tried, and then it ends with the reason", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const { nc, events } = await client(t, proxy.url, { maxReconnectAttempts: 4 });
    proxy.refuse();
    proxy.cut();
    const reason = await nc.closed();
    assert.ok(isNatsError(reason) && reason.code === "CONNECTION_REFUSED", String(reason));
    await events.ended;
    assert.equal(events.of("reconnecting").length, 4);
  });

  test("P4 waitOnFirstConnect waits for the first connection as for any other", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    proxy.refuse(5);
    const { nc } = await client(t, proxy.url, { waitOnFirstConnect: true });
    assert.equal(proxy.refused, 5);
    assert.equal(nc.state, "connected");
    assert.equal(nc.stats().reconnects, 0);
  });

  test("P4 a login that is refused twice in a row ends it, unless ignoreAuthErrorAbort", async (t) => {
    trackLeaks(t);
    for (const ignoreAuthErrorAbort of [false, true]) {
      const users = (pass: string) => `authorization { users: [{ user: u, password: ${pass} }] }`;
      const server = await startServer(t, { config: users("one") });
      const { nc, events } = await client(t, server.url, { user: "u", pass: "one", ignoreAuthErrorAbort });
      await server.reload(users("two"));
      if (!ignoreAuthErrorAbort) {
        const reason = await nc.closed();
        assert.ok(isNatsError(reason) && reason.code === "AUTHORIZATION", String(reason));
        continue;
      }
      await events.until("reconnecting", 5);
      await server.reload(users("one"));
      await events.until("reconnect");
      await nc.flush();
    }
  });
});

/** An hour of weather: what each round brings, and how much of it. */
const hours = fc.array(fc.tuple(fc.nat(7), fc.nat(299)), { minLength: 24, maxLength: 24 });

for (const [at, hour] of fc.sample(hours, draws(1)).entries()) {
  test(`P4 through an hour of weather in a second, number ${at + 1}: cuts, stalls, refusals and splits leave a connection that works`, (t) =>
    weather(t, hour));
}

async function weather(t: Scope, hour: readonly (readonly [kind: number, much: number])[]): Promise<void> {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const { nc, events } = await client(t, proxy.url, { pingInterval: 100, maxPingOut: 2, timeout: 1000 });
  const service = await client(t, server.url);
  service.nc.subscribe("echo", { callback: (_, m) => void m.respond(m.data) });
  const heard = new Map<string, number>();
  nc.subscribe("tick", { callback: (_, m) => void heard.set(m.string(), (heard.get(m.string()) ?? 0) + 1) });
  await Promise.all([nc.flush(), service.nc.flush()]);
  const outcomes: Promise<unknown>[] = [];
  let tick = 0;
  const kinds: ((much: number) => unknown)[] = [
    () => proxy.cut(),
    () => proxy.cut({ reset: true }),
    (much) => void proxy.cutAfter(1 + much),
    (much) => void proxy.cutAfter(1 + much, "received"),
    (much) => proxy.refuse(1 + (much % 3)),
    (much) => proxy.splitBytes(1 + (much % 7)),
    () => proxy.pause("received"),
    (much) => proxy.latency(much % 5),
  ];
  for (const [round, [kind, much]] of hour.entries()) {
    kinds[kind]?.(much);
    for (let i = 0; i < 5; i++) nc.publish("tick", String(++tick));
    outcomes.push(
      nc
        .request("echo", String(round), { timeout: 300 })
        .then((m) => assert.equal(m.string(), String(round))),
    );
    outcomes.push(nc.flush({ timeout: 300 }));
    await Promise.race([
      events.until("reconnect", events.of("reconnect").length + 1),
      nc.rtt({ timeout: 50 }).catch(() => {}),
    ]);
    proxy.resume();
  }
  const results = await Promise.allSettled(outcomes);
  for (const result of results) {
    if (result.status === "fulfilled") continue;
    assert.ok(isNatsError(result.reason), String(result.reason));
    assert.match(result.reason.code, /^(TIMEOUT|DISCONNECTED)$/);
  }
  // the sky clears; the cuts that are left over take what they may: none is left when more than any lets pass went both ways
  proxy.splitBytes(0);
  proxy.latency(0);
  await proxy.accept();
  for (let quiet = false; !quiet; ) {
    quiet = await nc.request("echo", "x".repeat(300), { timeout: 500 }).then(
      () => true,
      () => false,
    );
  }
  nc.publish("tick", "last");
  await nc.flush();
  assert.equal(heard.get("last"), 1);
  for (const [text, count] of heard) assert.equal(count, 1, `tick ${text} came ${count} times`);
  const { num_connections: connections } = await server.waitForConnections(2);
  assert.equal(connections, 2);
  assert.ok(nc.stats().reconnects > 0);
}
