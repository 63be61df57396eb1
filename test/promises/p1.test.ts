// P1: the code of the user can't kill a connection. What it does wrong affects its own message or dial, and is reported.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  deferred,
  isNatsError,
  json,
  type NatsConnection,
  type NatsErrorCode,
  type Server,
  validated,
} from "../../src/index.node.ts";
import { settled, Watch } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Proxy, startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;

// whatever is nobody's would end the process of a user
function noStrays(t: Scope): void {
  const strays: unknown[] = [];
  const note = (error: unknown) => strays.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  atEnd(t, async () => {
    await settled();
    process.off("unhandledRejection", note).off("uncaughtException", note);
    assert.deepEqual(strays, []);
  });
}

async function client(t: Scope, servers: string, options: ConnectionOptions = {}): Promise<NatsConnection> {
  const nc = await connect({
    servers,
    reconnectTimeWait: 5,
    maxReconnectTimeWait: 20,
    reconnectJitter: 0,
    ...options,
  });
  atEnd(t, () => nc.close());
  return nc;
}

/** All of the connection still works. */
async function works(nc: NatsConnection): Promise<void> {
  const sub = nc.subscribe("still.works", { max: 2 });
  nc.publish("still.works", "1");
  nc.publish("still.works", "2");
  const seen: string[] = [];
  for await (const m of sub) seen.push(m.string());
  assert.deepEqual(seen, ["1", "2"]);
  const service = nc.subscribe("still.answers", { callback: (_, m) => void m.respond("yes") });
  assert.equal((await nc.request("still.answers", "", PATIENT)).string(), "yes");
  service.unsubscribe();
  await nc.flush();
  assert.equal(nc.state, "connected");
}

for (const transport of ["tcp", "ws"] as const) {
  test(`P1 callbacks that throw, reject or give broken promises, over ${transport}: each is reported, all else goes on`, async (t) => {
    trackLeaks(t);
    noStrays(t);
    const server = await startServer(t, { websocket: true });
    const nc = await client(t, transport === "ws" ? server.wsUrl : server.url);
    const events = new Watch(nc);
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: () => {
          throw new Error("schema");
        },
      },
    };
    const failing: Record<string, () => unknown> = {
      throws: () => {
        throw new Error("throws");
      },
      "throws.nothing": () => {
        // oxlint-disable-next-line no-throw-literal -- users do
        throw null;
      },
      rejects: () => Promise.reject(new Error("rejects")),
      "rejects.later": async () => {
        await settled(2);
        throw new Error("rejects.later");
      },
      // oxlint-disable-next-line unicorn/no-thenable -- what a user may give by accident
      thenable: () => ({
        then: (_: unknown, reject: (error: Error) => void) => reject(new Error("thenable")),
      }),
      "thenable.broken": () => ({
        // oxlint-disable-next-line unicorn/no-thenable -- what a user may give by accident
        get then() {
          throw new Error("thenable.broken");
        },
      }),
    };
    const rounds = 20;
    for (const [name, fail] of Object.entries(failing)) {
      nc.subscribe(`fail.${name}`, { callback: () => fail() as never });
      nc.subscribe(`fail.${name}`, { callback: () => fail() as never, concurrency: 2 });
    }
    nc.subscribe("fail.json", { callback: (_, m) => void m.json() });
    nc.subscribe("fail.codec", { callback: (_, m) => void m.decode(json) });
    nc.subscribe("fail.schema", { callback: async (_, m) => m.decode(validated(json, schema)) });
    nc.subscribe("fail.own.codec", {
      callback: (_, m) =>
        void m.decode({
          encode: () => new Uint8Array(0),
          decode: () => {
            throw new Error("own codec");
          },
        }),
    });
    nc.subscribe("fail.publish", { callback: () => nc.publish("not valid") });
    const healthy: string[] = [];
    nc.subscribe("fail.>", { callback: (_, m) => void healthy.push(m.subject) });
    const looped: string[] = [];
    const loop = nc.subscribe("fail.>");
    const looping = (async () => {
      for await (const m of loop) looped.push(m.subject);
    })();
    const subjects = [
      ...Object.keys(failing),
      ...Object.keys(failing),
      "json",
      "codec",
      "schema",
      "own.codec",
      "publish",
    ].map((name) => `fail.${name}`);
    const distinct = [...new Set(subjects)];
    for (let round = 0; round < rounds; round++) {
      for (const subject of distinct) nc.publish(subject, subject === "fail.schema" ? "{}" : "no json");
    }
    await nc.flush();
    await events.until("handlerError", subjects.length * rounds);
    const counts = new Map<string, number>();
    for (const { subject, source } of events.of("handlerError")) {
      assert.equal(source, "subscription");
      counts.set(subject, (counts.get(subject) ?? 0) + 1);
    }
    for (const subject of distinct) {
      const subs = subjects.filter((other) => other === subject).length;
      assert.equal(counts.get(subject), rounds * subs, subject);
    }
    const all = Array.from({ length: rounds }, () => distinct).flat();
    assert.deepEqual(healthy, all);
    await works(nc);
    loop.unsubscribe();
    await looping;
    assert.deepEqual(looped, all);
    assert.deepEqual(
      events.seen.filter(({ type }) => type !== "handlerError"),
      [],
    );
    assert.equal((await server.varz()).total_connections, 1);
  });
}

test("P1 the error callback of a subscription that fails in its turn is reported, and the connection goes on", async (t) => {
  trackLeaks(t);
  noStrays(t);
  const config = `authorization { users: [{ user: u, password: p, permissions: { publish: ">", subscribe: { deny: ["no.>"] } } }] }`;
  const server = await startServer(t, { config });
  const nc = await client(t, server.url, { user: "u", pass: "p" });
  const events = new Watch(nc);
  nc.subscribe("no.1", { callback: () => assert.fail("sync") });
  nc.subscribe("no.2", { callback: () => Promise.reject(new Error("async")) });
  nc.subscribe("silent", { timeout: 5, callback: () => assert.fail("on timeout") });
  await events.until("handlerError", 3);
  assert.deepEqual(
    events
      .of("handlerError")
      .map(({ error, subject }) => `${subject}: ${(error as Error).message}`)
      .sort(),
    ["no.1: sync", "no.2: async", "silent: on timeout"],
  );
  await works(nc);
});

test("P1 a status listener that throws, leaves or stops listening affects itself only", async (t) => {
  trackLeaks(t);
  noStrays(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const nc = await client(t, proxy.url);
  const events = new Watch(nc);
  const failed = (async () => {
    for await (const event of nc.status()) throw new Error(event.type);
  })();
  const left = (async () => {
    // oxlint-disable-next-line no-unreachable-loop -- the test is about leaving it
    for await (const _ of nc.status()) return "left";
    return "ended";
  })();
  const abandoned = nc.status()[Symbol.asyncIterator]();
  const pending = abandoned.next();
  const rejected = assert.rejects(failed, /disconnect/);
  proxy.cut();
  await events.until("reconnect");
  await rejected;
  assert.equal(await left, "left");
  assert.equal((await pending).value?.type, "disconnect");
  await works(nc);
});

test("P1 loops and streams of the user that throw end themselves only", async (t) => {
  trackLeaks(t);
  noStrays(t);
  const server = await startServer(t);
  const nc = await client(t, server.url);
  nc.subscribe("q", { callback: (_, m) => void (m.respond("1") && m.respond("2")) });
  const boom = () => {
    throw new Error("boom");
  };
  const loops = [
    async () => {
      for await (const _ of nc.subscribe("a")) boom();
    },
    async () => {
      for await (const _ of await nc.requestMany("q", "", { maxWait: 60_000 })) boom();
    },
    () => nc.subscribe("a").readable.pipeTo(new WritableStream({ write: boom })),
    () =>
      nc
        .subscribe("a")
        .readable.pipeThrough(new TransformStream({ transform: boom }))
        .pipeTo(nc.writableStream("b")),
    () => new ReadableStream({ pull: boom }).pipeTo(nc.writableStream("b")),
    () =>
      new ReadableStream({ start: (controller) => controller.enqueue({}) }).pipeTo(nc.writableStream("b")),
  ];
  const all = loops.map((loop) => assert.rejects(loop(), Error));
  await nc.flush();
  nc.publish("a");
  await Promise.all(all);
  await works(nc);
  const { connections } = await server.connz("subs=1");
  assert.deepEqual(connections[0]?.subscriptions_list?.filter((subject) => subject === "a") ?? [], []);
});

describe("P1 authenticators", () => {
  const config = `authorization { users: [{ user: u, password: p }] }`;
  const good = { user: "u", pass: "p" };
  const bad: [string, () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
    ["throws nothing", () => Promise.reject()],
    ["gives a number", () => 5],
    ["gives fields of wrong types", () => ({ user: 5 })],
    ["gives no credentials that anybody knows", () => ({ username: "u" })],
    ["has half a file", () => credsAuthenticator("-----BEGIN NATS USER JWT-----\n")("nonce")],
  ];

  for (const [name, fail] of bad) {
    test(`P1 one that ${name} is reported at every dial, and the connection comes back when it is right again`, async (t) => {
      trackLeaks(t);
      noStrays(t);
      const server = await startServer(t, { config });
      const proxy = await startProxy(t, server);
      let failures = 0;
      const nc = await client(t, proxy.url, {
        authenticator: () => (failures > 0 && failures-- > 0 ? (fail() as never) : good),
      });
      const events = new Watch(nc);
      failures = 4;
      proxy.cut();
      await events.until("reconnect");
      assert.deepEqual(
        events.of("handlerError").map(({ source, subject }) => [source, subject]),
        Array.from({ length: 4 }, () => ["authenticator", ""]),
      );
      assert.ok(events.of("reconnecting").length >= 5);
      await works(nc);
    });

    test(`P1 one that ${name} at the first connection fails connect with a typed error`, async (t) => {
      trackLeaks(t);
      noStrays(t);
      const server = await startServer(t, { config });
      const connecting = connect({ servers: server.url, authenticator: () => fail() as never });
      await assert.rejects(connecting, (error) => {
        assert.ok(isNatsError(error));
        assert.match(error.code, /^(AUTHENTICATOR|INVALID_KEY)$/);
        return true;
      });
    });
  }

  test("P1 one that never answers is given up with its dial", async (t) => {
    trackLeaks(t);
    noStrays(t);
    const server = await startServer(t, { config });
    const proxy = await startProxy(t, server);
    let silent = false;
    const nc = await client(t, proxy.url, {
      timeout: 1000,
      authenticator: () => (silent ? new Promise(() => {}) : good) as never,
    });
    const events = new Watch(nc);
    silent = true;
    proxy.cut();
    await events.until("reconnecting", 2);
    assert.equal(events.of("reconnecting")[1]?.error?.code, "TIMEOUT");
    silent = false;
    await events.until("reconnect");
    await works(nc);
  });
});

describe("P1 handlers of reconnects", () => {
  const answers: [string, () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    ["is async and rejects", () => Promise.reject(new Error("mine"))],
    ["is async", () => Promise.resolve(1)],
    ["gives what is none", () => ({ server: {}, delay: Number.NaN })],
    ["gives a negative number", () => -1],
    ["gives a text", () => "soon"],
  ];

  async function outage(nc: NatsConnection, proxy: Proxy): Promise<Watch> {
    const events = new Watch(nc);
    proxy.refuse(3);
    proxy.cut();
    await events.until("reconnect");
    await settled();
    return events;
  }

  for (const [name, give] of answers) {
    test(`P1 reconnectDelayHandler that ${name}: reported, and the usual wait is taken`, async (t) => {
      trackLeaks(t);
      noStrays(t);
      const server = await startServer(t);
      const proxy = await startProxy(t, server);
      const nc = await client(t, proxy.url, { reconnectDelayHandler: () => give() as never });
      const events = await outage(nc, proxy);
      const reports = events.of("handlerError");
      assert.ok(reports.length >= 3, `${reports.length} reports`);
      for (const { source } of reports) assert.equal(source, "reconnectDelayHandler");
      for (const { delay } of events.of("reconnecting")) assert.ok(delay >= 0 && delay <= 20, String(delay));
      await works(nc);
    });

    test(`P1 reconnectToServer that ${name}: reported, and the usual server is taken`, async (t) => {
      trackLeaks(t);
      noStrays(t);
      const server = await startServer(t);
      const proxy = await startProxy(t, server);
      const nc = await client(t, proxy.url, { reconnectToServer: () => give() as never });
      const events = await outage(nc, proxy);
      const reports = events.of("handlerError");
      assert.ok(reports.length >= 3, `${reports.length} reports`);
      for (const { source } of reports) assert.equal(source, "reconnectToServer");
      await works(nc);
    });
  }

  test("P1 they can't spoil the pool: what they are given is theirs to read", async (t) => {
    trackLeaks(t);
    noStrays(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const nc = await client(t, proxy.url, {
      reconnectToServer: (pool) => {
        (pool as Server[]).length = 0;
        return null;
      },
    });
    await outage(nc, proxy);
    assert.equal(nc.getServers().length, 1);
    await works(nc);
  });

  test("P1 a wait of for ever waits, and reconnect() ends it", async (t) => {
    trackLeaks(t);
    noStrays(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on("warning", warned);
    atEnd(t, () => process.off("warning", warned));
    const nc = await client(t, proxy.url, { reconnectDelayHandler: () => Number.POSITIVE_INFINITY });
    const events = new Watch(nc);
    proxy.refuse(1);
    proxy.cut();
    await events.until("reconnecting", 2);
    await settled(20);
    assert.equal(events.of("reconnecting").length, 2);
    assert.equal(proxy.refused, 1);
    await nc.reconnect();
    await events.until("reconnect");
    await works(nc);
    assert.deepEqual(warnings, []);
  });
});

test("P1 a dialer of the user that throws, rejects or gives nonsense fails its dial only", async (t) => {
  trackLeaks(t);
  noStrays(t);
  const server = await startServer(t);
  const { dialTcp } = await import("../../src/transport/tcp.node.ts");
  const ways: (() => unknown)[] = [
    () => {
      throw new Error("mine");
    },
    () => Promise.reject("a text"),
    () => Promise.resolve(undefined),
    () => undefined,
    () => Promise.resolve({}),
  ];
  let failures = 0;
  const nc = await client(t, server.url, {
    dialer: (target) => (failures > 0 ? (ways[--failures]?.() as never) : dialTcp(target)),
  });
  const events = new Watch(nc);
  failures = ways.length;
  await nc.reconnect();
  await events.until("reconnect");
  const reasons = events.of("reconnecting").map(({ error }) => error);
  for (const error of reasons) assert.ok(isNatsError(error), String(error));
  assert.equal(reasons.length, ways.length + 1);
  await works(nc);
});

test("P1 a signal whose reason is anything at all ends its own wait", async (t) => {
  trackLeaks(t);
  noStrays(t);
  const server = await startServer(t);
  const nc = await client(t, server.url);
  nc.subscribe("silent");
  for (const reason of [undefined, null, 0, "text", { toString: () => assert.fail("looked at") }]) {
    const controller = new AbortController();
    const request = nc.request("silent", "", { signal: controller.signal, timeout: 60_000 });
    const rejected = assert.rejects(request, code("ABORTED"));
    controller.abort(reason);
    await rejected;
  }
  await works(nc);
});

test("P1 callbacks that close, drain, unsubscribe or reconnect from inside are no failure", async (t) => {
  trackLeaks(t);
  noStrays(t);
  const server = await startServer(t);
  const acts: ((nc: NatsConnection) => unknown)[] = [
    (nc) => nc.close(),
    (nc) => nc.drain(),
    (nc) => void nc.drain(),
    (nc) => nc.reconnect(),
  ];
  for (const act of acts) {
    const nc = await client(t, server.url);
    const events = new Watch(nc);
    const acted = deferred<void>();
    const sub = nc.subscribe("a", {
      callback: (_, m) => {
        const result = m.string() === "1" ? act(nc) : undefined;
        sub.unsubscribe();
        acted.resolve();
        return result as never;
      },
    });
    for (let i = 1; i < 10; i++) nc.publish("a", String(i));
    await acted;
    if (act === acts.at(-1)) await events.until("reconnect");
    else await nc.closed();
    await nc.close();
    await events.ended;
    assert.deepEqual(events.of("handlerError"), []);
  }
});
