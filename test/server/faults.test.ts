// Faults: what a user's own test does to a server, and what its client makes of that.
import assert from "node:assert/strict";
import { connect as open } from "node:net";
import { test, type TestContext } from "node:test";
import { type ConnectionOptions, connect, type NatsConnection } from "../../src/index.node.ts";
import { jetstream, jetstreamManager } from "../../src/jetstream/index.ts";
import { ManualClock, NatsServer, type ServerOptions } from "../../src/server/index.ts";
import { NatsServer as Listening } from "../../src/server/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { Events, PATIENT, rejects } from "../suites/tools.ts";

const QUICK: ConnectionOptions = { reconnectTimeWait: 5, maxReconnectTimeWait: 20, reconnectJitter: 0 };

async function server(t: TestContext, options: ServerOptions = {}): Promise<NatsServer> {
  trackLeaks(t);
  const started = await NatsServer.start(options);
  atEnd(t, () => started.stop());
  return started;
}

async function client(
  t: TestContext,
  to: NatsServer,
  options: ConnectionOptions = {},
): Promise<{ nc: NatsConnection; events: Events }> {
  const nc = await connect({ ...QUICK, dialer: to.dialer(), ...options });
  atEnd(t, () => nc.close());
  return { nc, events: new Events(nc) };
}

test("dropConnections: a client comes back, and what it published meanwhile arrives", async (t) => {
  const nats = await server(t);
  const { nc, events } = await client(t, nats);
  const sub = nc.subscribe("orders", { max: 2 });
  nc.publish("orders", "before");
  await nc.flush();
  nats.faults.dropConnections();
  await events.until("disconnect");
  nc.publish("orders", "meanwhile");
  await events.until("reconnect");
  const seen: string[] = [];
  for await (const msg of sub) seen.push(msg.string());
  assert.deepEqual(seen, ["before", "meanwhile"]);
  assert.equal(nats.connections, 1);
});

test("pause: a client finds out by its pings; resume: what was said meanwhile is read", async (t) => {
  const nats = await server(t);
  const { nc } = await client(t, nats);
  const sub = nc.subscribe("a", { max: 1 });
  await nc.flush();
  nats.faults.pause();
  nc.publish("a", "while it hung");
  await rejects(nc.flush({ timeout: 20 }), "TIMEOUT");
  nats.faults.resume();
  for await (const msg of sub) assert.equal(msg.string(), "while it hung");

  const impatient = await client(t, nats, { pingInterval: 10, maxPingOut: 1 });
  nats.faults.pause();
  await impatient.events.until("staleConnection");
  nats.faults.resume();
  await impatient.events.until("reconnect");
});

test("refuseNext: so many connections are refused, and no more", async (t) => {
  const nats = await server(t);
  nats.faults.refuseNext(2);
  await rejects(connect({ dialer: nats.dialer() }), "CONNECTION_REFUSED");
  await rejects(connect({ dialer: nats.dialer() }), "CONNECTION_REFUSED");
  await client(t, nats);
  assert.equal(nats.connections, 1);
});

test("latency: each way takes its time", async (t) => {
  const clock = new ManualClock();
  const nats = await server(t, { clock });
  nats.faults.latency(50);
  let connected = false;
  const connecting = client(t, nats).then((made) => {
    connected = true;
    return made;
  });
  const turns = async () => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  // INFO comes, CONNECT and PING go, PONG comes
  for (const ways of [1, 2]) {
    await turns();
    clock.advance(50);
    await turns();
    assert.equal(connected, false, `connected after ${ways} ways`);
  }
  clock.advance(50);
  const { nc } = await connecting;
  let answered = false;
  const answer = nc.flush().then(() => {
    answered = true;
  });
  await turns();
  clock.advance(50);
  await turns();
  assert.equal(answered, false, "answered after one way");
  clock.advance(50);
  await answer;
  // the end travels too
  const closing = nc.close();
  await turns();
  clock.advance(50);
  await closing;
});

test("lameDuck: clients are told, no new ones get in, and those that stay are closed in the end", async (t) => {
  const clock = new ManualClock();
  const nats = await server(t, { clock, lameDuckGracePeriod: 10_000, lameDuckDuration: 2000 });
  const stays = await client(t, nats, { reconnect: false });
  nats.faults.lameDuck();
  await stays.events.until("ldm");
  await rejects(connect({ dialer: nats.dialer() }), "CONNECTION_REFUSED");
  clock.advance(9999);
  await stays.nc.flush();
  clock.advance(2001);
  await stays.events.until("close");
  assert.equal(nats.connections, 0);
});

test("restart: connections break, and are taken again", async (t) => {
  const nats = await server(t);
  const { nc, events } = await client(t, nats);
  nc.subscribe("echo", { callback: (_error, msg) => void msg.respond(msg.data) });
  await nc.flush();
  nats.faults.lameDuck();
  nats.faults.restart();
  await events.until("reconnect");
  assert.equal((await nc.request("echo", "again", PATIENT)).string(), "again");
});

test("restart: streams are kept, and a loop over a consumer goes on", async (t) => {
  const nats = await server(t, { jetstream: true });
  const { nc, events } = await client(t, nats);
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "S", subjects: ["s"], storage: "memory" });
  await jsm.consumers.add("S", { durable_name: "c", ack_policy: "explicit" });
  const js = jetstream(nc);
  await js.publish("s", "before");
  const messages = await (await js.consumers.get("S", "c")).consume();
  const seen: string[] = [];
  for await (const msg of messages) {
    seen.push(msg.string());
    assert.equal(await msg.ackAck(), true);
    if (seen.length === 2) break;
    nats.faults.restart();
    await events.until("reconnect");
    await js.publish("s", "after");
  }
  assert.deepEqual(seen, ["before", "after"]);
  assert.equal((await jsm.consumers.info("S", "c")).ack_floor.stream_seq, 2);
});

test("what is not acknowledged is sent again when its time has come, which a test decides", async (t) => {
  const clock = new ManualClock();
  const nats = await server(t, { jetstream: true, clock });
  const { nc } = await client(t, nats);
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "S", subjects: ["s"], storage: "memory" });
  await jsm.consumers.add("S", { durable_name: "c", ack_policy: "explicit", ack_wait: 30e9 });
  const js = jetstream(nc);
  await js.publish("s", "x");
  const consumer = await js.consumers.get("S", "c");
  assert.equal((await consumer.next())?.info.deliveryCount, 1);
  clock.advance(31_000);
  assert.equal((await consumer.next())?.info.deliveryCount, 2);
});

test("a connection that is silent is pinged, and closed when it stays so", async (t) => {
  const clock = new ManualClock();
  const nats = await server(t, { clock });
  const transport = await nats.dialer()({ hostname: "in process", port: 1 } as never);
  let heard = "";
  const closed = new Promise<void>((resolve) => {
    transport.open({
      onData: (bytes) => {
        heard += new TextDecoder().decode(bytes);
      },
      onDrain() {},
      onClose: () => resolve(),
    });
  });
  transport.write(new TextEncoder().encode('CONNECT {"verbose":false,"protocol":1}\r\n'));
  await new Promise((resolve) => setImmediate(resolve));
  // the first ping comes early, then one each two minutes and up to a fifth more
  for (const ms of [2400, 144_000, 144_000, 144_000]) {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  assert.match(heard, /(PING\r\n){2,3}-ERR 'Stale Connection'\r\n$/);
});

test("who does not log in in time is told so", async (t) => {
  const clock = new ManualClock();
  const nats = await server(t, { clock, token: "secret" });
  const transport = await nats.dialer()({ hostname: "in process", port: 1 } as never);
  let heard = "";
  const closed = new Promise<void>((resolve) => {
    transport.open({
      onData: (bytes) => {
        heard += new TextDecoder().decode(bytes);
      },
      onDrain() {},
      onClose: () => resolve(),
    });
  });
  clock.advance(2000);
  await closed;
  assert.match(heard, /-ERR 'Authentication Timeout'\r\n$/);
});

test("a client that reads nothing is cut when too much waits for it, and others are not held up", async (t) => {
  trackLeaks(t);
  const nats = await Listening.start({ port: 0, maxPending: 1 << 20 });
  atEnd(t, () => nats.stop());
  const { port } = new URL(nats.url as string);
  const slow = open(Number(port), "127.0.0.1").setEncoding("latin1");
  atEnd(t, () => void slow.destroy());
  slow.on("error", () => {});
  slow.write('CONNECT {"verbose":false}\r\nSUB flood 1\r\nPING\r\n');
  for await (const text of slow.iterator({ destroyOnReturn: false })) if (text.includes("PONG")) break;
  slow.pause();
  const { nc } = await client(t, nats);
  let seen = 0;
  nc.subscribe("flood", { callback: () => void seen++ });
  await nc.flush();
  let sent = 0;
  // what the system takes comes on top of the limit
  while (nats.connections === 2 && sent < 1000) {
    nc.publish("flood", new Uint8Array(65_536));
    sent++;
    await nc.flush();
  }
  await nc.flush();
  assert.equal(nats.connections, 1);
  assert.ok(sent > 16, `cut after ${sent} messages`);
  assert.equal(seen, sent);
});
