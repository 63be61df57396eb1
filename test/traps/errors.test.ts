// Traps 1, 2 and 15 to 24: errors of the user's code and of the server, and what must not come of them.
//
// Trap 16 speaks of fetch() too: that is JetStream's, and tested there.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connect,
  type Msg,
  type NatsError,
  PermissionViolationError,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "../../src/index.node.ts";
import { encodeJwt, jwtAuthenticator } from "../../src/auth/jwt.ts";
import * as nkeys from "../../src/auth/nkeys.ts";
import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { type Peer, startScripted } from "../fixtures/scripted-server.ts";
import { collect, connectTo, failing, noUnhandled, until, Watch } from "./support.ts";

test("trap 1: a callback that throws stops neither other subscriptions nor itself, and flush still works", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const { url } = await startServer(t);
  const nc = await connectTo(t, url);
  const watch = new Watch(nc);
  const thrown = new Error("from the callback");
  let calls = 0;
  nc.subscribe("trap.one", {
    callback: () => {
      calls++;
      throw thrown;
    },
  });
  const other = collect(nc.subscribe("trap.*"));
  for (const payload of ["a", "b", "c"]) nc.publish("trap.one", payload);
  await nc.flush();
  await other.atLeast(3);
  assert.deepEqual(other.texts, ["a", "b", "c"]);
  assert.equal(calls, 3);
  const { error, subject, source } = await watch.until("handlerError", 3);
  assert.deepEqual([error, subject, source], [thrown, "trap.one", "subscription"]);
  assert.equal(nc.state, "connected");
  assert.equal(watch.of("disconnect").length, 0);
});

test("trap 2: the rejection of an async callback is reported and is no unhandled rejection", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const { url } = await startServer(t);
  const nc = await connectTo(t, url);
  const watch = new Watch(nc);
  const thrown = new Error("later, from the callback");
  nc.subscribe("trap.two", {
    callback: async () => {
      await new Promise(setImmediate);
      throw thrown;
    },
  });
  nc.publish("trap.two");
  nc.publish("trap.two");
  const { error, subject, source } = await watch.until("handlerError", 2);
  assert.deepEqual([error, subject, source], [thrown, "trap.two", "subscription"]);
  await nc.flush();
});

for (const [when, play] of Object.entries({
  "right after the connect": (peer: Peer) => peer.destroy(),
  "after INFO": (peer: Peer) => {
    peer.info();
    peer.close();
  },
  "between CONNECT and the first PONG": async (peer: Peer) => {
    peer.info();
    await peer.skipTo(/^PING$/);
    peer.destroy();
  },
  "with an error in place of the first PONG": async (peer: Peer) => {
    peer.info();
    await peer.skipTo(/^PING$/);
    peer.send("-ERR 'Authorization Violation'\r\n");
    peer.close();
  },
})) {
  test(`trap 15: a server that goes ${when} gives a typed rejection and nothing else`, async (t) => {
    trackLeaks(t);
    noUnhandled(t);
    const { url } = await startScripted(t, play);
    const code = when.includes("error") ? "AUTHORIZATION" : "CONNECTION";
    await assert.rejects(connect({ servers: url }), failing(code));
  });
}

test("trap 16: flush() and rtt() that wait when the link breaks reject with DISCONNECTED", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const nc = await connectTo(t, proxy.url);
  proxy.pause();
  const waits = [nc.flush(), nc.rtt(), nc.flush()];
  proxy.cut();
  for (const wait of waits) await assert.rejects(wait, failing("DISCONNECTED"));
});

test("trap 16: a request that waits when the link breaks gets its reply after the reconnect, or ends by its timeout", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const service = await connectTo(t, server.url);
  const held: Msg[] = [];
  service.subscribe("slow", { callback: (_, msg) => void held.push(msg) });
  await service.flush();
  const nc = await connectTo(t, proxy.url);
  const watch = new Watch(nc);
  const [kept, lost, alone] = [
    nc.request("slow", "kept", { timeout: 20_000 }),
    nc.request("slow", "lost", { timeout: 300 }),
    nc.request("slow", "alone", { timeout: 300, noMux: true }),
  ];
  // they may end before they are looked at
  for (const request of [lost, alone]) request?.catch(() => undefined);
  await until(() => held.length === 3, "the requests at the service");
  proxy.cut();
  await watch.until("reconnect");
  await nc.flush();
  held.find((msg) => msg.string() === "kept")?.respond("reply");
  assert.equal((await kept).string(), "reply");
  await assert.rejects(lost, failing("TIMEOUT"));
  await assert.rejects(alone, failing("TIMEOUT"));
});

test("trap 16: with no connection at its deadline a request says so, and close() settles all that waits", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startScripted(t);
  const nc = await connectingTo(server.nextPeer(), connectTo(t, server.url, { reconnectTimeWait: 60_000 }));
  const watch = new Watch(nc);
  await server.stop();
  await watch.until("disconnect");
  await assert.rejects(
    nc.request("a", "", { timeout: 20 }),
    (error) => failing("TIMEOUT")(error) && (error as { reason?: string }).reason === "no connection",
  );
  const request = nc.request("a", "", { timeout: 60_000 });
  const alone = nc.request("a", "", { timeout: 60_000, noMux: true });
  const many = (async () => {
    for await (const msg of await nc.requestMany("a", "", { maxWait: 60_000 })) assert.fail(msg.subject);
  })();
  const iterated = (async () => {
    for await (const msg of nc.subscribe("b")) assert.fail(msg.subject);
  })();
  nc.publish("b", "x".repeat(70_000));
  const writable = nc.writable();
  const settled = Promise.allSettled([request, alone, many, writable, iterated]);
  await nc.close();
  const [a, b, c, d, e] = await within(settled, "something waits for ever");
  for (const { reason } of [a, b, c, d] as PromiseRejectedResult[]) failing("CLOSED")(reason);
  assert.equal(e.status, "fulfilled");
});

/** The client, once the scripted server has greeted it; its pings are answered. */
async function connectingTo<T>(peer: Promise<Peer>, client: Promise<T>): Promise<T> {
  const first = await peer;
  await first.handshake();
  first.answerPings();
  return client;
}

test("trap 17: an -ERR that nobody knows is reported and closes nothing; when the server then closes, the client reconnects", async (t) => {
  trackLeaks(t);
  const server = await startScripted(t);
  const nc = await connectingTo(server.nextPeer(), connectTo(t, server.url));
  const watch = new Watch(nc);
  server.peers[0]?.send("-ERR 'Flux Capacitor Exhausted'\r\n");
  const { error } = await watch.until("error");
  assert.equal(error.serverText, "Flux Capacitor Exhausted");
  await nc.flush();
  server.peers[0]?.send("-ERR 'Flux Capacitor Exhausted'\r\n");
  server.peers[0]?.close();
  const again = await server.nextPeer();
  await again.handshake();
  await watch.until("reconnect");
  assert.equal(nc.state, "connected");
  assert.equal(watch.of("disconnect").length, 1);
});

const RESTRICTED = `authorization { users: [
  { user: all, password: p },
  { user: some, password: p, permissions: {
      publish: { deny: ["forbidden.>"] }, subscribe: { allow: ["open.>", "q work", "_INBOX.>", "reply"] } } }
] }`;

test("trap 18: a refused publish is reported with its subject; the connection and its subscriptions stay", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: RESTRICTED });
  const nc = await connectTo(t, server.url, { user: "some", pass: "p" });
  const watch = new Watch(nc);
  const open = collect(nc.subscribe("open.a"));
  nc.publish("forbidden.a");
  const { error } = await watch.until("error");
  assert.ok(error instanceof PermissionViolationError);
  assert.deepEqual([error.operation, error.subject], ["publish", "forbidden.a"]);
  nc.publish("open.a", "still here");
  await open.atLeast(1);
  assert.equal(watch.of("disconnect").length, 0);
});

test("trap 18: a refused subscription ends with the error, others stay, and it is not asked for again", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: RESTRICTED });
  const proxy = await startProxy(t, server);
  const nc = await connectTo(t, proxy.url, { user: "some", pass: "p" });
  const watch = new Watch(nc);
  const open = collect(nc.subscribe("open.a"));
  const refused = nc.subscribe("secret.a");
  const iterated = (async () => {
    for await (const msg of refused) assert.fail(msg.subject);
  })();
  const heard: (NatsError | null)[] = [];
  const called = nc.subscribe("secret.b", { callback: (error) => void heard.push(error) });
  // the same subject twice, once with the queue that is allowed
  const queued = nc.subscribe("q", { queue: "work" });
  const otherQueue = nc.subscribe("q", { queue: "other" });

  const error = (await refused.closed) as PermissionViolationError;
  assert.ok(error instanceof PermissionViolationError);
  assert.deepEqual([error.operation, error.subject], ["subscription", "secret.a"]);
  await assert.rejects(iterated, failing("PERMISSION_VIOLATION"));
  assert.ok((await called.closed) instanceof PermissionViolationError);
  assert.deepEqual(
    heard.map((one) => one?.code),
    ["PERMISSION_VIOLATION"],
  );
  const { queue } = (await otherQueue.closed) as PermissionViolationError;
  assert.equal(queue, "other");
  assert.equal(queued.isClosed(), false);
  assert.equal(watch.of("disconnect").length, 0);

  const since = proxy.sent.length;
  proxy.cut();
  await watch.until("reconnect");
  await nc.flush();
  const sent = proxy.sent.toString().slice(since);
  assert.doesNotMatch(sent, /secret|other/);
  assert.match(sent, /SUB open\.a /);
  assert.match(sent, /SUB q work /);
  nc.publish("open.a", "still here");
  await open.atLeast(1);
});

test("trap 18: a request to a refused subject rejects with the permission error, at once", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: RESTRICTED });
  const service = await connectTo(t, server.url, { user: "all", pass: "p" });
  service.subscribe("open.service", { callback: (_, msg) => void msg.respond("hi") });
  await service.flush();
  const nc = await connectTo(t, server.url, { user: "some", pass: "p" });
  for (const noMux of [false, true]) {
    const waiting = nc.request("open.service", "", { timeout: 60_000, noMux });
    await assert.rejects(
      nc.request("forbidden.service", "", { timeout: 60_000, noMux }),
      failing("PERMISSION_VIOLATION", "forbidden.service"),
    );
    assert.equal((await waiting).string(), "hi");
  }
  await nc.flush();
  const { connections } = await server.connz();
  const subs = connections.find(({ authorized_user }) => authorized_user === "some")?.subscriptions_list;
  assert.equal(subs?.length ?? 1, 1, "the inbox alone is left");
});

test("trap 19: maximum subscriptions exceeded ends the subscription that was one too many, and nothing else", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: "max_subscriptions: 2" });
  const nc = await connectTo(t, server.url);
  const watch = new Watch(nc);
  const first = collect(nc.subscribe("a"));
  const second = collect(nc.subscribe("b"));
  await nc.flush();
  const third = nc.subscribe("c");
  failing("MAX_SUBSCRIPTIONS")(await within(third.closed, "the third subscription lives"));
  nc.publish("a", "1");
  nc.publish("b", "1");
  await Promise.all([first.atLeast(1), second.atLeast(1)]);
  assert.equal(watch.of("disconnect").length, 0);
});

for (const [trap, text] of [
  [20, "User Authentication Expired"],
  [20, "user authentication expired"],
  [20, "USER AUTHENTICATION REVOKED"],
  [21, "Account Authentication Expired"],
] as const) {
  test(`trap ${trap}: '${text}' again and again, with new credentials each time, never closes the connection`, async (t) => {
    trackLeaks(t);
    const server = await startScripted(t);
    let issued = 0;
    const [nc, first] = await Promise.all([
      connectTo(t, server.url, { authenticator: tokenAuthenticator(() => `token ${++issued}`) }),
      server.nextPeer().then(async (peer) => {
        await peer.handshake();
        return peer;
      }),
    ]);
    const watch = new Watch(nc);
    let peer = first;
    for (let round = 1; round <= 4; round++) {
      assert.equal(peer.connect["auth_token"], `token ${round}`);
      peer.send(`-ERR '${text}'\r\n`);
      peer.close();
      peer = await server.nextPeer();
      await peer.handshake();
      await watch.until("reconnect", round);
    }
    assert.equal(nc.state, "connected");
    for (const { error } of watch.of("error")) failing("AUTHENTICATION_EXPIRED")(error);
    for (const { error } of watch.of("disconnect")) failing("AUTHENTICATION_EXPIRED")(error);
    assert.equal(watch.of("disconnect").length, 4);
  });
}

test("trap 20: on a real server, a user whose JWT expires twice is renewed twice", async (t) => {
  trackLeaks(t);
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  const keyOf = (pair: nkeys.KeyPair): string => pair.getPublicKey();
  const limits = { subs: -1, data: -1, payload: -1 };
  const more = { imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const signed = (by: nkeys.KeyPair, of: nkeys.KeyPair, type: string, exp: number, nats: object = {}) =>
    encodeJwt({ exp, name: type, sub: keyOf(of), nats: { type, version: 2, ...nats } }, by);
  const far = now() + 1000;
  const server = await startServer(t, {
    config: `operator: ${signed(operator, operator, "operator", far)}
      resolver: MEMORY
      resolver_preload: {
        ${keyOf(account)}: ${signed(operator, account, "account", far, { limits: { ...limits, ...more } })}
      }`,
  });
  let issued = 0;
  const nc = await connectTo(t, server.url, {
    authenticator: (nonce) => {
      issued++;
      return jwtAuthenticator(signed(account, user, "user", now() + 3, limits), user.getSeed())(nonce);
    },
  });
  const watch = new Watch(nc);
  await watch.until("reconnect", 2);
  assert.ok(issued >= 3);
  for (const { error } of watch.of("disconnect")) failing("AUTHENTICATION_EXPIRED")(error);
  await nc.flush();
});

function now(): number {
  return Math.floor(Date.now() / 1000);
}

test("trap 22: a login that comes too late fails alone: others connect meanwhile, and it may try again", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, {
    config: "authorization { user: u, password: p, timeout: 1 }",
  });
  const never = new Promise<never>(() => {});
  let calls = 0;
  const slow = connectTo(t, server.url, {
    // three times too late: as often as would end it, were it a refusal
    authenticator: async () => {
      if (++calls <= 3) await never;
      return { user: "u", pass: "p" };
    },
    waitOnFirstConnect: true,
  });
  const others = await Promise.all(
    Array.from({ length: 20 }, () => connectTo(t, server.url, { user: "u", pass: "p" })),
  );
  assert.equal((await slow).state, "connected");
  assert.equal(calls, 4);
  for (const nc of others) await nc.flush();
  assert.equal((await server.connz()).num_connections, 21);
});

test("trap 22: without waiting for a first connection, the timeout is the error of the one that was late", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config: "authorization { user: u, password: p, timeout: 0.1 }",
  });
  const never = new Promise<never>(() => {});
  await assert.rejects(
    connect({ servers: server.url, authenticator: () => never }),
    failing("AUTHORIZATION", "Authentication Timeout"),
  );
});

test("trap 23: what an authenticator throws is the cause of the rejection, not 'bad authentication'", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { config: "authorization { token: secret }" });
  const thrown = new Error("the vault is sealed");
  for (const authenticator of [
    () => {
      throw thrown;
    },
    () => Promise.reject(thrown),
  ]) {
    await assert.rejects(
      connect({ servers: server.url, authenticator }),
      (error) => failing("AUTHENTICATOR")(error) && (error as Error).cause === thrown,
    );
  }
});

test("trap 23: an authenticator that fails at a reconnect is reported, and asked again", async (t) => {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { config: "authorization { token: secret }" });
  const proxy = await startProxy(t, server);
  const thrown = new Error("the vault is sealed");
  let calls = 0;
  const nc = await connectTo(t, proxy.url, {
    authenticator: tokenAuthenticator(() => {
      calls++;
      if (calls > 1 && calls < 5) throw thrown;
      return "secret";
    }),
  });
  const watch = new Watch(nc);
  proxy.cut();
  await watch.until("reconnect");
  assert.equal(calls, 5);
  const reports = watch.of("handlerError");
  assert.deepEqual(
    reports.map(({ error, source }) => [error, source]),
    [1, 2, 3].map(() => [thrown, "authenticator"]),
  );
});

test("trap 23: when an authenticator that fails is the end, closed() tells its error", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: "authorization { token: secret }" });
  const proxy = await startProxy(t, server);
  const thrown = new Error("the vault is sealed");
  let calls = 0;
  const nc = await connectTo(t, proxy.url, {
    authenticator: () => {
      if (++calls > 1) throw thrown;
      return { auth_token: "secret" };
    },
    maxReconnectAttempts: 2,
  });
  proxy.cut();
  const reason = await within(nc.closed(), "it is not closed");
  failing("AUTHENTICATOR")(reason);
  assert.equal(reason?.cause, thrown);
});

test("trap 24: closed() tells the real reason, not the refused dials that followed it", async (t) => {
  trackLeaks(t);
  const server = await startScripted(t);
  const nc = await connectingTo(server.nextPeer(), connectTo(t, server.url, { maxReconnectAttempts: 3 }));
  const watch = new Watch(nc);
  server.peers[0]?.send("-ERR 'User Authentication Expired'\r\n");
  await watch.until("error");
  await server.stop();
  failing("AUTHENTICATION_EXPIRED")(await within(nc.closed(), "it is not closed"));
  await watch.ended;
  const attempts = watch.of("reconnecting");
  assert.equal(attempts.length, 3);
  failing("AUTHENTICATION_EXPIRED")(watch.of("close")[0]?.error);
});

test("trap 24: a user that is removed closes with the server's refusal, also when the server goes away then", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config: "authorization { users: [{ user: a, password: p }, { user: b, password: p }] }",
  });
  const nc = await connectTo(t, server.url, {
    authenticator: usernamePasswordAuthenticator("a", "p"),
    ignoreAuthErrorAbort: true,
    maxReconnectAttempts: 4,
    reconnectDelayHandler: () => 200,
  });
  const watch = new Watch(nc);
  await server.reload("authorization { users: [{ user: b, password: p }] }");
  await watch.until("reconnecting", 2);
  await server.kill();
  failing("AUTHORIZATION")(await within(nc.closed(), "it is not closed"));
});

test("trap 24: a clean close has no reason", async (t) => {
  trackLeaks(t);
  const { url } = await startServer(t);
  const nc = await connectTo(t, url);
  await nc.close();
  assert.equal(await nc.closed(), undefined);
});
