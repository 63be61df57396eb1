// Traps 50 to 59: what clients have got wrong about requests and subscriptions. Against real servers where one shows it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connect,
  type ConnectionOptions,
  createInbox,
  headers,
  isNatsError,
  type NatsConnection,
  type NatsErrorCode,
  PermissionViolationError,
  RequestError,
} from "../../src/index.node.ts";
import { converse, msg, settled } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;

async function client(
  t: Scope,
  server: RealServer,
  options: ConnectionOptions = {},
): Promise<NatsConnection> {
  const nc = await connect({ servers: server.url, ...options });
  atEnd(t, () => nc.close());
  return nc;
}

/** What the server knows the connection to be subscribed to. */
async function subscribed(server: RealServer, nc: NatsConnection): Promise<string[]> {
  await nc.flush();
  const { connections } = await server.connz("subs=1");
  const cid = nc.info?.client_id;
  return connections.find((one) => one.cid === cid)?.subscriptions_list ?? [];
}

const DENIED = `authorization { users: [
  { user: all, password: p }
  { user: some, password: p, permissions: { publish: { deny: ["denied"] }, subscribe: { deny: ["_INBOX.>"] } } }
  { user: prefix, password: p, permissions: { publish: ">", subscribe: ["mine.>"] } }
  { user: talk, password: p, permissions: { publish: { deny: ["denied"] } } }
] }`;

describe("trap 50: a request without the shared inbox", () => {
  test("carries headers and payload, and is answered", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server);
    nc.subscribe("q", {
      callback: (_, m) =>
        void m.respond(`${m.headers?.get("A")} ${m.string()}`, m.headers && { headers: m.headers }),
    });
    const h = headers();
    h.set("A", "b");
    const answer = await nc.request("q", "body", { ...PATIENT, noMux: true, headers: h });
    assert.equal(answer.string(), "b body");
    assert.equal(answer.headers?.get("A"), "b");
    assert.deepEqual(await subscribed(server, nc), ["q"]);
  });

  test("leaves no subscription after a reply, no responders, a timeout, an abort, a denial or an error", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: DENIED });
    const nc = await client(t, server, { user: "talk", pass: "p" });
    nc.subscribe("silent");
    const ask = (subject: string, options = {}) =>
      nc.request(subject, "", { noMux: true, timeout: 20_000, ...options });
    await assert.rejects(ask("nobody"), code("NO_RESPONDERS"));
    await assert.rejects(ask("silent", { timeout: 10 }), code("TIMEOUT"));
    await assert.rejects(ask("silent", { signal: AbortSignal.timeout(10) }), code("ABORTED"));
    await assert.rejects(ask("silent", { signal: AbortSignal.abort() }), code("ABORTED"));
    await assert.rejects(ask("denied"), code("PERMISSION_VIOLATION"));
    await assert.rejects(ask("not valid"), code("INVALID_SUBJECT"));
    await assert.rejects(nc.request("silent", "x".repeat(2 << 20), { noMux: true }), code("MAX_PAYLOAD"));
    assert.deepEqual(await subscribed(server, nc), ["silent"]);
  });

  test("whose reply subject is denied fails with the permission, not with a timeout", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: DENIED });
    const nc = await client(t, server, { user: "some", pass: "p" });
    await assert.rejects(nc.request("q", "", { noMux: true, timeout: 20_000 }), (error) => {
      assert.ok(error instanceof RequestError && error.cause instanceof PermissionViolationError);
      assert.equal(error.cause.operation, "subscription");
      return true;
    });
    assert.deepEqual(await subscribed(server, nc), []);
  });
});

test("trap 51: request and requestMany reject, whatever is wrong; they never throw", async (t) => {
  const { nc } = await converse(t);
  const wrong: [subject: unknown, payload: unknown, options: unknown][] = [
    ["", "", {}],
    ["a b", "", {}],
    [undefined, "", {}],
    ["a", {}, {}],
    ["a", "", { timeout: -1, maxWait: -1 }],
    ["a", "", { reply: "x", strategy: "none" }],
    ["a", "", { headers: {} }],
    ["a", "", { signal: AbortSignal.abort() }],
  ];
  for (const noMux of [false, true]) {
    for (const [subject, payload, options] of wrong) {
      for (const call of ["request", "requestMany"] as const) {
        const what = `${call} ${String(subject)} ${JSON.stringify(options)}`;
        if (noMux && Object.hasOwn(options as object, "reply") && call === "request") continue;
        let promise: Promise<unknown> | undefined;
        assert.doesNotThrow(() => {
          promise = nc[call](subject as never, payload as never, { noMux, ...(options as object) });
        }, what);
        await assert.rejects(promise as Promise<unknown>, isNatsError, what);
      }
    }
  }
  await nc.close();
  for (const call of ["request", "requestMany"] as const) {
    let promise: Promise<unknown> | undefined;
    assert.doesNotThrow(() => {
      promise = nc[call]("a");
    });
    await assert.rejects(promise as Promise<unknown>, code("CLOSED"));
  }
});

test("trap 52: only a 503 with an empty payload is nobody: every other status is a reply", async (t) => {
  const { nc, peer } = await converse(t);
  const statuses: [headers: string, payload: string][] = [
    ["NATS/1.0 503 JetStream Not Available\r\n\r\n", "with a payload"],
    ["NATS/1.0 404 No Messages\r\n\r\n", ""],
    ["NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\n\r\n", ""],
    ["NATS/1.0 409 Consumer Deleted\r\n\r\n", ""],
    ["NATS/1.0 100 Idle Heartbeat\r\n\r\n", ""],
  ];
  for (const noMux of [false, true]) {
    for (const [block, payload] of statuses) {
      const request = nc.request("q", "", { noMux, timeout: 20_000 });
      const sid = noMux ? (await peer.skipTo(/^SUB _INBOX\S+ (\d+)$/))[1] : "1";
      const [, reply = ""] = await peer.skipTo(/^PUB q (\S+) 0$/);
      peer.send(msg(reply, Number(sid), payload, { headers: block }));
      const answer = await request;
      assert.equal(answer.string(), payload);
      assert.equal(answer.headers?.code, Number(block.slice(9, 12)));
    }
  }
});

test("trap 53: closing leaves no timer of a request behind", async (t) => {
  trackLeaks(t);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const { nc } = await converse(t);
  nc.subscribe("a", { timeout: 600_000 });
  const waits: Promise<unknown>[] = [];
  for (const noMux of [false, true]) {
    waits.push(nc.request("q", "", { noMux, timeout: 600_000 }));
    const replies = await nc.requestMany("q", "", {
      noMux,
      maxWait: 600_000,
      strategy: "stall",
      stall: 500_000,
    });
    waits.push(replies[Symbol.asyncIterator]().next());
  }
  assert.ok(timers() > before);
  const all = Promise.allSettled(waits);
  await nc.close();
  for (const { status } of await all) assert.equal(status, "rejected");
  await settled();
  assert.equal(timers(), before);
});

describe("trap 54: leaving a loop ends what it was over", () => {
  test("break, return and throw unsubscribe at the server", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server);
    const ways: (() => Promise<void>)[] = [
      async () => {
        // oxlint-disable-next-line no-unreachable-loop -- the test is about leaving it
        for await (const _ of nc.subscribe("a")) break;
      },
      async () => {
        // oxlint-disable-next-line no-unreachable-loop -- the test is about leaving it
        for await (const _ of nc.subscribe("a")) return;
      },
      async () => {
        for await (const _ of nc.subscribe("a")) throw new Error("mine");
      },
      async () => {
        // oxlint-disable-next-line no-unreachable-loop -- the test is about leaving it
        for await (const _ of nc.subscribe("a").readable) break;
      },
    ];
    for (const leave of ways) {
      const left = leave().catch((error: Error) => assert.equal(error.message, "mine"));
      nc.publish("a");
      nc.publish("a");
      await left;
      assert.deepEqual(await subscribed(server, nc), []);
    }
    assert.equal(nc.state, "connected");
  });

  test("break of requestMany gives its subscription back", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server);
    nc.subscribe("q", { callback: (_, m) => void (m.respond("1") && m.respond("2")) });
    // oxlint-disable-next-line no-unreachable-loop -- the test is about leaving it
    for await (const _ of await nc.requestMany("q", "", { noMux: true, maxWait: 60_000 })) break;
    assert.deepEqual(await subscribed(server, nc), ["q"]);
  });
});

describe("trap 55: unsubscribe(max)", () => {
  test("lets through what is in flight, up to max", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server);
    const seen: string[] = [];
    const sub = nc.subscribe("a", { callback: (_, m) => void seen.push(m.string()) });
    for (let i = 1; i <= 10; i++) nc.publish("a", String(i));
    sub.unsubscribe(4);
    await nc.flush();
    assert.deepEqual(seen, ["1", "2", "3", "4"]);
    assert.equal(sub.isClosed(), true);
    assert.deepEqual(await subscribed(server, nc), []);
  });

  test("of as many as are here already keeps those for the loop", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await client(t, server);
    const sub = nc.subscribe("a");
    for (let i = 1; i <= 3; i++) nc.publish("a", String(i));
    await nc.flush();
    sub.unsubscribe(3);
    const seen: string[] = [];
    for await (const m of sub) seen.push(m.string());
    assert.deepEqual(seen, ["1", "2", "3"]);
    assert.deepEqual(await subscribed(server, nc), []);
  });
});

describe("trap 56: an error that ends a subscription", () => {
  test("surfaces before the messages that are queued", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    peer.send(msg("a", sub.getID(), "1") + msg("a", sub.getID(), "2"));
    peer.send(`-ERR 'Permissions Violation for Subscription to "a" (sid "${sub.getID()}")'\r\n`);
    await settled();
    const iterator = sub[Symbol.asyncIterator]();
    await assert.rejects(iterator.next(), code("PERMISSION_VIOLATION"));
    assert.equal((await iterator.next()).done, true);
    // those were dropped, and counted
    assert.equal(sub.dropped, 2);
    assert.equal(nc.stats().droppedInbound, 2);
  });

  test("is known by closed, though the loop was left before", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    peer.send(msg("a", sub.getID(), "1") + msg("a", sub.getID(), "2"));
    // oxlint-disable-next-line no-unreachable-loop -- the test is about leaving it
    for await (const _ of sub) {
      peer.send(`-ERR 'Permissions Violation for Subscription to "a"'\r\n`);
      await settled();
      break;
    }
    assert.ok((await sub.closed) instanceof PermissionViolationError);
  });

  test("reaches a callback too, as its first argument", async (t) => {
    const { nc, peer } = await converse(t);
    const seen: unknown[] = [];
    const sub = nc.subscribe("a", { callback: (...args) => void seen.push(args) });
    peer.send(`-ERR 'Permissions Violation for Subscription to "a"'\r\n`);
    const error = await sub.closed;
    assert.deepEqual(seen, [[error, undefined]]);
  });

  test("of requestMany surfaces before the replies that are queued", async (t) => {
    const { nc, peer } = await converse(t);
    const replies = await nc.requestMany("q", "", { maxWait: 60_000 });
    const [, reply = ""] = await peer.skipTo(/^PUB q (\S+) 0$/);
    peer.send(msg(reply, 1, "1"));
    peer.send(`-ERR 'Permissions Violation for Publish to "q"'\r\n`);
    await settled();
    await assert.rejects(replies[Symbol.asyncIterator]().next(), code("PERMISSION_VIOLATION"));
  });
});

test("trap 57: a callback gets the timeout as its error, once; with a message in time never, and no timer is left", async (t) => {
  trackLeaks(t);
  const { nc, peer, events } = await converse(t);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const seen: [string, unknown][] = [];
  const subscribe = (subject: string, timeout: number) =>
    nc.subscribe(subject, {
      timeout,
      callback: (error, m) => void seen.push([subject, error === null ? m.string() : error.code]),
    });
  const before = timers();
  const inTime = subscribe("in.time", 600_000);
  const ended = subscribe("ended", 600_000);
  const late = subscribe("late", 10);
  assert.equal(timers(), before + 3);
  peer.send(msg("in.time", inTime.getID(), "1") + msg("in.time", inTime.getID(), "2"));
  ended.unsubscribe();
  assert.equal(((await late.closed) as { code?: string }).code, "TIMEOUT");
  await settled();
  assert.deepEqual(seen, [
    ["in.time", "1"],
    ["in.time", "2"],
    ["late", "TIMEOUT"],
  ]);
  assert.equal(timers(), before);
  assert.equal(inTime.isClosed(), false);
  assert.deepEqual(events.seen, []);
});

describe("trap 58: the prefix of inboxes", () => {
  test("with a wildcard is refused, by createInbox and by connect", async (t) => {
    trackLeaks(t);
    for (const prefix of ["*", ">", "a.*", "a.>", "*.a", "a.*.b"]) {
      assert.throws(() => createInbox(prefix), code("INVALID_SUBJECT"), prefix);
      await assert.rejects(connect({ inboxPrefix: prefix }), code("INVALID_SUBJECT"), prefix);
    }
    assert.match(createInbox("a.b"), /^a\.b\.\w{22}$/);
    assert.match(createInbox(), /^_INBOX\.\w{22}$/);
  });

  test("is honoured by everything that awaits replies: a user who may listen to nothing else is served", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: DENIED });
    const service = await client(t, server, { user: "all", pass: "p" });
    service.subscribe("q", { callback: (_, m) => void m.respond(m.reply ?? "") });
    await service.flush();
    const nc = await client(t, server, { user: "prefix", pass: "p", inboxPrefix: "mine" });
    for (const noMux of [false, true]) {
      assert.match((await nc.request("q", "", { ...PATIENT, noMux })).string(), /^mine\./);
      for await (const m of await nc.requestMany("q", "", { noMux, strategy: "count", maxMessages: 1 })) {
        assert.match(m.string(), /^mine\./);
      }
    }
    assert.equal((await nc.context()).data.user, "prefix");
  });
});

test("trap 59: where the shared inbox is denied a request fails with the permission at once, and the next one too", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: DENIED });
  const service = await client(t, server, { user: "all", pass: "p" });
  service.subscribe("q", { callback: (_, m) => void m.respond("ok") });
  await service.flush();
  const nc = await client(t, server, { user: "some", pass: "p" });
  for (let i = 0; i < 2; i++) {
    await assert.rejects(nc.request("q", "", { timeout: 60_000 }), (error) => {
      assert.ok(error instanceof RequestError);
      assert.equal(error.code, "PERMISSION_VIOLATION");
      assert.ok(error.cause instanceof PermissionViolationError);
      assert.equal(error.cause.operation, "subscription");
      assert.match(error.cause.subject, /^_INBOX\.\w{22}\.\*$/);
      return true;
    });
  }
  const replies = await nc.requestMany("q", "", { maxWait: 60_000 });
  await assert.rejects(replies[Symbol.asyncIterator]().next(), code("PERMISSION_VIOLATION"));
  assert.equal(nc.state, "connected");
});
