// P6: an error can be acted on. One base class, a closed set of codes, the cause kept, the facts as fields.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  connect,
  type ConnectionOptions,
  createInbox,
  errors,
  headers,
  isNatsError,
  json,
  type Msg,
  type NatsConnection,
  NatsError,
  nkeys,
  TimeoutError,
} from "../../src/index.node.ts";
import { converse, settled, Watch } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { certPath, startServer } from "../fixtures/real-server.ts";
import { startScripted } from "../fixtures/scripted-server.ts";

const src = fileURLToPath(new URL("../../src/", import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => [file.replaceAll("\\", "/"), readFileSync(join(src, file), "utf8")] as const);

/** The closed set, as the sources declare it. */
const CODES = new Set(
  /type NatsErrorCode =([\s\S]*?");/
    .exec(readFileSync(join(src, "errors.ts"), "utf8"))?.[1]
    ?.match(/"[A-Z_]+"/g)
    ?.map((code) => code.slice(1, -1)),
);

async function failure(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

/** What every error of ours is. */
function check(error: unknown, code: string, facts: Record<string, unknown> = {}): NatsError {
  assert.ok(error instanceof Error, String(error));
  assert.ok(error instanceof NatsError, String(error));
  assert.ok(isNatsError(error));
  assert.equal(error.code, code, error.message);
  assert.ok(CODES.has(error.code));
  assert.ok(error.message.startsWith(`[${code}] `), error.message);
  assert.ok(error.message.length > code.length + 10, "the message says something");
  assert.ok(error.stack?.startsWith(`${error.name}: `), error.stack);
  for (const [fact, value] of Object.entries(facts)) {
    assert.deepEqual((error as unknown as Record<string, unknown>)[fact], value, fact);
  }
  return error;
}

describe("P6 the code itself", () => {
  test("P6 there are some 25 codes, and the docs list exactly these", () => {
    assert.ok(CODES.size > 20);
    const guide = readFileSync(new URL("../../docs/guide/errors.md", import.meta.url), "utf8");
    const listed = [...guide.slice(guide.indexOf("## All codes")).matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
      ([, code]) => code,
    );
    assert.deepEqual(listed.sort(), [...CODES].sort());
  });

  test("P6 the sources throw and reject with NatsErrors only", () => {
    const found: string[] = [];
    for (const [file, text] of files) {
      for (const line of text.split("\n")) {
        if (
          /(throw|reject\(|Promise\.reject\()\s*new (Error|TypeError|RangeError|SyntaxError|DOMException|AggregateError)\b/.test(
            line,
          )
        ) {
          found.push(`${file}: ${line.trim()}`);
        }
      }
    }
    // the cause of a CODEC error, never seen alone
    assert.deepEqual(found, [
      "codec/json.ts: if (written === undefined) throw new TypeError(`${typeof value} is not JSON`);",
      'lib/json.ts: throw new SyntaxError(error.message.replace(/[ ,.]*"[^]*/, ""));',
    ]);
  });

  test("P6 nothing searches in the text of an error, but what reads the prose of the server", () => {
    const search =
      /(message|serverText)\b[^\n;]{0,20}(\.(includes|match|startsWith|endsWith|indexOf|search)\(|\)\s*[!=]==?\s*["'])|\/\w*\.(test|exec)\([^)]*(message|serverText)/;
    const found = files
      .filter(([file]) => file !== "protocol/server-error.ts")
      .flatMap(([file, text]) => text.split("\n").map((line) => [file, line] as const))
      .filter(
        ([, line]) => search.test(line) && !line.trim().startsWith("//") && !line.trim().startsWith("*"),
      )
      .map(([file, line]) => `${file}: ${line.trim()}`);
    assert.deepEqual(found, []);
  });

  test("P6 every class of the group is a NatsError of its own name", () => {
    for (const [name, Class] of Object.entries(errors)) {
      assert.ok(
        Class === NatsError ||
          Class.prototype instanceof NatsError ||
          Object.getPrototypeOf(Class.prototype) === NatsError.prototype,
        name,
      );
      assert.equal(Class.name, name);
    }
  });
});

async function client(t: Scope, servers: string, options: ConnectionOptions = {}): Promise<NatsConnection> {
  const nc = await connect({ servers, ...options });
  atEnd(t, () => nc.close());
  return nc;
}

describe("P6 connecting", () => {
  test("P6 CONNECTION_REFUSED, with the server and the errno as its cause", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const { address } = server;
    await server.kill();
    for (const servers of [server.url, `ws://${address}`]) {
      const error = check(await failure(() => connect({ servers })), "CONNECTION_REFUSED", {
        server: address,
        name: "ConnectionError",
      });
      assert.equal((error.cause as NodeJS.ErrnoException).code, "ECONNREFUSED");
    }
  });

  test("P6 AUTHORIZATION, with what the server said", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: "authorization { user: u, password: p }" });
    const error = await failure(() => connect({ servers: server.url, user: "u", pass: "wrong" }));
    check(error, "AUTHORIZATION", { name: "AuthorizationError", serverText: "Authorization Violation" });
  });

  test("P6 AUTHENTICATOR, with the error of the user as its cause; INVALID_KEY for a key that is none", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const mine = new Error("mine");
    const thrown = await failure(() =>
      connect({ servers: server.url, authenticator: () => Promise.reject(mine) }),
    );
    assert.equal(check(thrown, "AUTHENTICATOR").cause, mine);
    const key = await failure(() => nkeys.fromSeed(Buffer.from("SUNO")));
    check(key, "INVALID_KEY", { nkeysCode: "InvalidLength" });
  });

  test("P6 TLS: a certificate nobody trusts, a server without TLS, a server that wants it", async (t) => {
    trackLeaks(t);
    const secure = await startServer(t, { tls: "required" });
    const plain = await startServer(t);
    const untrusted = check(await failure(() => connect({ servers: secure.tlsUrl })), "TLS", {
      server: secure.address,
    });
    assert.ok(untrusted.cause instanceof Error);
    check(await failure(() => connect({ servers: plain.tlsUrl })), "TLS", { server: plain.address });
    check(await failure(() => connect({ servers: secure.url, tls: null })), "TLS", {
      server: secure.address,
    });
    const wrongName = await failure(() =>
      connect({ servers: secure.tlsUrl, tls: { caFile: certPath("ca.crt"), servername: "other.example" } }),
    );
    check(wrongName, "TLS");
  });

  test("P6 MAX_CONNECTIONS, PROTOCOL for a port that is another, UNSUPPORTED, TIMEOUT for a dial", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: "max_connections: 1" });
    await client(t, server.url);
    check(await failure(() => connect({ servers: server.url })), "MAX_CONNECTIONS", {
      serverText: "maximum connections exceeded",
    });
    const babble = await startScripted(t, async (peer) => {
      peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
      await peer.closed;
    });
    check(await failure(() => connect({ servers: babble.url })), "PROTOCOL");
    const { wsconnect } = await import("../../src/index.node.ts");
    check(await failure(() => wsconnect({ servers: `http://127.0.0.1:${server.port}` })), "CONNECTION");
    const silent = await startScripted(t, (peer) => peer.closed);
    const late = check(await failure(() => connect({ servers: silent.url, timeout: 20 })), "TIMEOUT", {
      server: silent.url.slice(7),
      reason: "no connection",
    });
    assert.ok(late instanceof TimeoutError);
  });

  test("P6 INVALID_ARGUMENT and INVALID_SUBJECT for options, before anything is dialled", async () => {
    const wrong: [Record<string, unknown>, string, RegExp][] = [
      [{ servers: "http://x" }, "INVALID_ARGUMENT", /scheme 'http'/],
      [{ servers: "a:b" }, "INVALID_ARGUMENT", /port/],
      [{ servers: "a", port: 1 }, "INVALID_ARGUMENT", /'servers' and 'port'/],
      [{ port: 0 }, "INVALID_ARGUMENT", /port is 0/],
      [{ timeout: -1 }, "INVALID_ARGUMENT", /timeout is -1/],
      [{ whenDisconnected: "wait" }, "INVALID_ARGUMENT", /whenDisconnected is 'wait'/],
      [{ inboxPrefix: "a.>" }, "INVALID_SUBJECT", /wildcard/],
    ];
    for (const [options, code, message] of wrong) {
      const error = check(await failure(() => connect(options as ConnectionOptions)), code);
      assert.match(error.message, message);
    }
  });
});

describe("P6 using the connection", () => {
  test("P6 each call fails with a code and the facts of its case", async (t) => {
    trackLeaks(t);
    const config = `
      max_payload: 1000
      authorization { users: [{ user: u, password: p, permissions: {
        publish: { deny: ["no.publish"] }, subscribe: { deny: ["no.subscribe", "no.queue"] } } }] }`;
    const server = await startServer(t, { config });
    const nc = await client(t, server.url, { user: "u", pass: "p" });
    const events = new Watch(nc);
    nc.subscribe("silent");

    check(await failure(() => nc.publish("a b")), "INVALID_SUBJECT", {
      subject: "a b",
      name: "InvalidSubjectError",
    });
    check(await failure(() => nc.publish("a", 5 as never)), "INVALID_ARGUMENT", {
      name: "InvalidArgumentError",
    });
    check(await failure(() => nc.publish("a", "x".repeat(1001))), "MAX_PAYLOAD", { subject: "a" });
    check(await failure(() => headers().set("a b", "c")), "INVALID_HEADER");
    check(await failure(() => createInbox(">")), "INVALID_SUBJECT", { subject: ">" });

    const nobody = check(await failure(() => nc.request("nobody")), "NO_RESPONDERS", {
      subject: "nobody",
      name: "RequestError",
    });
    check(nobody.cause, "NO_RESPONDERS", { subject: "nobody", name: "NoRespondersError" });
    check(await failure(() => nc.request("silent", "", { timeout: 5 })), "TIMEOUT", {
      subject: "silent",
      reason: "no reply",
    });
    const refused = check(await failure(() => nc.request("no.publish")), "PERMISSION_VIOLATION", {
      subject: "no.publish",
    });
    check(refused.cause, "PERMISSION_VIOLATION", {
      operation: "publish",
      subject: "no.publish",
      name: "PermissionViolationError",
    });
    const reason = new Error("enough");
    const aborted = await failure(() => nc.request("silent", "", { signal: AbortSignal.abort(reason) }));
    assert.equal(check(aborted, "ABORTED").cause, reason);

    const text = `Permissions Violation for Subscription to "no.queue" using queue "q"`;
    const denied = nc.subscribe("no.queue", { queue: "q" });
    check(await denied.closed, "PERMISSION_VIOLATION", {
      operation: "subscription",
      subject: "no.queue",
      queue: "q",
      serverText: text,
    });
    assert.equal((await events.until("error", 2)).error, await denied.closed);

    const sub = nc.subscribe("a", { callback: () => {} });
    check(await failure(() => sub[Symbol.asyncIterator]()), "INVALID_OPERATION");
    sub.unsubscribe();
    check(await failure(() => sub.drain()), "INVALID_OPERATION");
    const late = nc.subscribe("a", { timeout: 5 });
    check(await late.closed, "TIMEOUT", { subject: "a" });

    const one = nc.subscribe("payload", { max: 1 });
    nc.publish("payload", "{");
    let got: Msg | undefined;
    for await (const m of one) got = m;
    assert.ok(
      check(await failure(() => got?.json()), "CODEC", { subject: "payload" }).cause instanceof SyntaxError,
    );
    assert.ok(check(await failure(() => got?.decode(json)), "CODEC").cause instanceof SyntaxError);

    const draining = nc.drain();
    check(await failure(() => nc.subscribe("a")), "DRAINING", { name: "DrainingConnectionError" });
    check(await failure(() => nc.request("a")), "DRAINING");
    await draining;
    for (const call of [
      () => nc.publish("a"),
      () => nc.subscribe("a"),
      () => nc.request("a"),
      () => nc.requestMany("a"),
      () => nc.flush(),
      () => nc.rtt(),
      () => nc.writable(),
      () => nc.drain(),
      () => nc.reconnect(),
      () => nc.context(),
      () => nc.setServers(["a"]),
    ]) {
      check(await failure(call), "CLOSED", { name: "ClosedConnectionError" });
    }
  });

  test("P6 DISCONNECTED, OUTBOUND_FULL, SLOW_CONSUMER, STALE_CONNECTION", async (t) => {
    trackLeaks(t);
    const { nc, peer, events } = await converse(t, { maxPendingBytes: 100, pingInterval: 50, maxPingOut: 1 });
    const sub = nc.subscribe("a", { limits: { messages: 1, overflow: "close" } });
    peer.send(`MSG a ${sub.getID()} 0\r\n\r\n`.repeat(3));
    check(await sub.closed, "SLOW_CONSUMER", { subject: "a" });
    peer.answerPings(false);
    const flush = failure(() => nc.flush());
    const { error } = await events.until("disconnect");
    check(error, "STALE_CONNECTION", { server: nc.getServers()[0]?.listen });
    assert.equal(check(await flush, "DISCONNECTED").cause, error);
    check(await failure(() => nc.flush()), "DISCONNECTED");
    check(await failure(() => nc.publish("a", "x".repeat(100))), "OUTBOUND_FULL", { subject: "a" });
    check(await failure(() => nc.request("a", "", { timeout: 5 })), "TIMEOUT", { reason: "no connection" });
  });

  test("P6 MAX_SUBSCRIPTIONS ends the subscription that was too many, and nothing else", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { config: "max_subscriptions: 2" });
    const nc = await client(t, server.url);
    const events = new Watch(nc);
    const subs = ["a", "b", "c"].map((subject) => nc.subscribe(subject));
    check(await subs[2]?.closed, "MAX_SUBSCRIPTIONS", { serverText: "maximum subscriptions exceeded" });
    assert.deepEqual(
      subs.map((sub) => sub.isClosed()),
      [false, false, true],
    );
    await events.until("error");
    await nc.flush();
  });

  test("P6 an error that the server sends for what it does not understand is reported, and the link is new", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer, events } = await converse(t);
    peer.send("-ERR 'Unknown Protocol Operation'\r\n");
    peer.close();
    check((await events.until("disconnect")).error, "PROTOCOL", { serverText: "Unknown Protocol Operation" });
    await (await nextPeer()).handshake();
    await events.until("reconnect");
    assert.equal(nc.state, "connected");
  });
});

describe("P6 the end", () => {
  test("P6 closed() and the close event carry the real reason: AUTHENTICATION_EXPIRED, AUTHORIZATION", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer, events } = await converse(t);
    for (let i = 0; i < 2; i++) {
      if (i === 0) {
        peer.send("-ERR 'User Authentication Expired'\r\n");
        peer.close();
      }
      const next = await nextPeer();
      next.info();
      await next.expect(/^CONNECT/);
      next.send("-ERR 'User Authentication Expired'\r\n");
      next.close();
    }
    const error = check(await nc.closed(), "AUTHENTICATION_EXPIRED", {
      serverText: "User Authentication Expired",
    });
    await events.ended;
    assert.equal(events.of("close")[0]?.error, error);
  });

  test("P6 what only followed does not replace the reason", async (t) => {
    trackLeaks(t);
    const { nc, peer, nextPeer } = await converse(t, { maxReconnectAttempts: 2, ignoreAuthErrorAbort: true });
    peer.destroy();
    const first = await nextPeer();
    first.info();
    await first.expect(/^CONNECT/);
    first.send("-ERR 'Authorization Violation'\r\n");
    first.close();
    (await nextPeer()).destroy();
    check(await nc.closed(), "AUTHORIZATION");
    await settled();
  });
});
