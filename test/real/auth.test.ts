// Authentication as a configuration file sets it: passwords, tokens, nkeys, addresses, and credentials that change.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Authenticator,
  nkeyAuthenticator,
  nkeys,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { check, Events, inbox, rejects, texts } from "../suites/tools.ts";
import { dial } from "./support.ts";

function users(...names: string[]): Record<string, unknown> {
  return { authorization: { users: names.map((user) => ({ user, password: `${user}-pass` })) } };
}

test("C-AUTH-1 user and password: by option, authenticator, async functions and address", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: users("ann") });
  const address = `nats://ann:ann-pass@${server.address}`;
  for (const options of [
    { servers: server.url, user: "ann", pass: "ann-pass" },
    { servers: server.url, authenticator: usernamePasswordAuthenticator("ann", "ann-pass") },
    {
      servers: server.url,
      authenticator: usernamePasswordAuthenticator(
        () => Promise.resolve("ann"),
        async () => "ann-pass",
      ),
    },
    { servers: address },
    // C-CONN-7: the address wins
    { servers: address, user: "somebody", pass: "else" },
  ]) {
    await dial(t, options);
  }
  const { connections } = await server.connz("auth=1");
  assert.deepEqual(
    connections.map(({ authorized_user }) => authorized_user),
    ["ann", "ann", "ann", "ann", "ann"],
  );
});

test("C-AUTH-1 token: by option, authenticator and address", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: { authorization: { token: "s3/cr:et@1%" } } });
  await dial(t, { servers: server.url, token: "s3/cr:et@1%" });
  await dial(t, { servers: server.url, authenticator: tokenAuthenticator(async () => "s3/cr:et@1%") });
  // C-CONN-7: a lone part before the @ is a token
  await dial(t, { servers: `nats://${encodeURIComponent("s3/cr:et@1%")}@${server.address}` });
  const error = await rejects(dial(t, { servers: server.url, token: "wrong-token" }), "AUTHORIZATION");
  assert.equal(JSON.stringify([error.message, error.stack, error]).includes("wrong-token"), false);
});

test("C-CONN-7 credentials of an address are percent-decoded, and for that server only", async (t) => {
  trackLeaks(t);
  const one = await startServer(t, {
    config: { authorization: { users: [{ user: "a@b/c", password: "p:w%d" }] } },
  });
  const two = await startServer(t, { config: users("bob") });
  const servers = [`nats://a%40b%2Fc:p%3Aw%25d@${one.address}`, two.url];
  const nc = await dial(t, { servers, user: "bob", pass: "bob-pass", noRandomize: true });
  const events = new Events(nc);
  assert.equal(nc.getServer(), one.address);
  await one.stop();
  await events.until("reconnect");
  assert.equal(nc.getServer(), two.address);
  assert.doesNotMatch(JSON.stringify([nc.getServers(), events.types]), /p:w|p%3A/);
});

test("C-AUTH-2, C-INFO-4 an nkey signs the nonce of each dial", async (t) => {
  trackLeaks(t);
  const pair = nkeys.createUser();
  const server = await startServer(t, {
    config: { authorization: { users: [{ nkey: pair.getPublicKey() }] } },
  });
  for (const seed of [pair.getSeed(), new TextDecoder().decode(pair.getSeed())]) {
    const sign = nkeyAuthenticator(seed);
    const nonces: (string | undefined)[] = [];
    const authenticator: Authenticator = (nonce) => {
      nonces.push(nonce);
      return sign(nonce);
    };
    const nc = await dial(t, { servers: server.url, authenticator });
    const events = new Events(nc);
    await nc.reconnect();
    await events.until("reconnect");
    // C-CONN-8, C-INFO-4
    assert.equal(nonces.length, 2);
    assert.equal(new Set(nonces).size, 2);
    assert.equal(nonces.every(Boolean), true);
  }
  const stranger = nkeyAuthenticator(nkeys.createUser().getSeed());
  await rejects(dial(t, { servers: server.url, authenticator: stranger }), "AUTHORIZATION");
  await rejects(dial(t, { servers: server.url }), "AUTHORIZATION");
});

test("C-AUTH-4 an nkey where no nonce is sent is no reason to fail", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const authenticator = nkeyAuthenticator(nkeys.createUser().getSeed());
  const nc = await dial(t, { servers: server.url, authenticator });
  assert.equal(nc.info?.nonce, undefined);
});

test("C-ADR26-7 a nonce alone demands no credentials", async (t) => {
  trackLeaks(t);
  const nkey = nkeys.createUser().getPublicKey();
  const server = await startServer(t, {
    config: `authorization { users: [ { nkey: ${nkey} }, { user: guest, password: guest } ] }\nno_auth_user: guest`,
  });
  const nonces: (string | undefined)[] = [];
  await dial(t, { servers: server.url, authenticator: (nonce) => void nonces.push(nonce) });
  await dial(t, { servers: server.url });
  assert.equal(typeof nonces[0], "string");
});

test("C-AUTH-5 a server without an operator does not look at a JWT", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: users("ann") });
  const authenticator: Authenticator = () => ({ jwt: "a.b.c", user: "ann", pass: "ann-pass" });
  await dial(t, { servers: server.url, authenticator });
});

test("C-AUTH-1 several authenticators are merged", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: users("ann") });
  await dial(t, {
    servers: server.url,
    authenticator: [() => ({ user: "ann" }), () => ({ pass: "ann-pass" }) as never],
  });
});

for (const [what, next] of [
  ["another user", { user: "bob", password: "b" }],
  ["another password", { user: "ann", password: "b" }],
] as const) {
  test(`C-CONN-8 an authenticator is asked at each dial: rotated credentials, ${what}, come in after a reload`, async (t) => {
    trackLeaks(t);
    const first = { user: "ann", password: "a" };
    const server = await startServer(t, { config: { authorization: { users: [first] } } });
    let current: { user: string; password: string } = first;
    const asked: string[] = [];
    const nc = await dial(t, {
      servers: server.url,
      authenticator: async () => {
        await Promise.resolve();
        const { user, password: pass } = current;
        asked.push(`${user}:${pass}`);
        return { user, pass };
      },
    });
    const events = new Events(nc);
    const got = await inbox(nc, "x");
    current = next;
    await server.reload({ authorization: { users: [next] } });
    const { error } = await events.until("disconnect");
    // whose user is gone is put out without a word
    check(error, next.user === "ann" ? "AUTHORIZATION" : "CONNECTION");
    await events.until("reconnect");
    assert.deepEqual(asked, ["ann:a", `${next.user}:b`]);
    nc.publish("x", "still here");
    assert.deepEqual(texts(await got.first(1)), ["still here"]);
  });
}

test("C-AUTH-6 two refusals in a row by the same server end the connection with the reason", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: users("ann") });
  const nc = await dial(t, { servers: server.url, user: "ann", pass: "ann-pass" });
  const events = new Events(nc);
  await server.reload(users("bob"));
  const error = check(await nc.closed(), "AUTHORIZATION");
  assert.equal(error.serverText, "Authorization Violation");
  await events.ended;
  assert.equal(events.of("reconnecting").length, 2);
  assert.equal(events.of("close")[0]?.error, error);
});

test("C-AUTH-6 ignoreAuthErrorAbort keeps trying, until the credentials are right again", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: users("ann") });
  const nc = await dial(t, {
    servers: server.url,
    user: "ann",
    pass: "ann-pass",
    ignoreAuthErrorAbort: true,
  });
  const events = new Events(nc);
  await server.reload(users("bob"));
  await events.until("reconnecting", 4);
  await server.reload(users("ann", "bob"));
  await events.until("reconnect");
});

test("C-ADR40-9 a server that refuses the credentials is one server: the others are tried", async (t) => {
  trackLeaks(t);
  const [refuses, takes] = [
    await startServer(t, { config: users("bob") }),
    await startServer(t, { config: users("ann") }),
  ];
  const nc = await dial(t, {
    servers: [refuses.url, takes.url],
    noRandomize: true,
    user: "ann",
    pass: "ann-pass",
  });
  assert.equal(nc.getServer(), takes.address);
  // C-ADR40-4: it is counted
  const [counted] = nc.getServers().filter(({ listen }) => listen === refuses.address);
  assert.equal(counted?.reconnects, 1);
});

test("an authenticator that fails is the reason, and is asked again (trap 23)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: users("ann") });
  const broken = (): never => {
    throw new Error("vault is sealed");
  };
  const error = await rejects(dial(t, { servers: server.url, authenticator: broken }), "AUTHENTICATOR");
  assert.equal((error.cause as Error).message, "vault is sealed");
  let calls = 0;
  const nc = await dial(t, {
    servers: server.url,
    waitOnFirstConnect: true,
    authenticator: async () => (++calls < 3 ? broken() : { user: "ann", pass: "ann-pass" }),
  });
  assert.equal(nc.state, "connected");
  assert.equal(calls, 3);
});

test("Authentication Timeout: credentials that come too late are asked for again (trap 22)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config: { authorization: { ...(users("ann")["authorization"] as object), timeout: 1 } },
  });
  let calls = 0;
  const authenticator: Authenticator = async () => {
    // the first time longer than the server waits
    if (++calls === 1) await server.waitForConnections(0);
    return { user: "ann", pass: "ann-pass" };
  };
  const error = await rejects(dial(t, { servers: server.url, authenticator }), "AUTHORIZATION");
  assert.equal(error.serverText, "Authentication Timeout");
  calls = 0;
  const nc = await dial(t, { servers: server.url, authenticator, waitOnFirstConnect: true });
  assert.deepEqual([nc.state, calls], ["connected", 2]);
});

test("no_auth_user: who has no credentials is that user, whatever INFO says (C-INFO-2)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config: `${JSON.stringify(users("ann", "guest")).slice(1, -1)}\nno_auth_user: guest`,
  });
  await dial(t, { servers: server.url });
  await dial(t, { servers: server.url, user: "ann", pass: "ann-pass" });
  const { connections } = await server.connz("auth=1");
  assert.deepEqual(connections.map(({ authorized_user }) => authorized_user).sort(), ["ann", "guest"]);
  await rejects(dial(t, { servers: server.url, user: "ann", pass: "no" }), "AUTHORIZATION");
});

test("C-CONN-1 nothing but CONNECT is said first, and no secret goes to a server that was not asked to have it", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: users("ann") });
  const proxy = await startProxy(t, server);
  const nc = await dial(t, { servers: proxy.url, user: "ann", pass: "ann-pass", name: "me" });
  nc.publish("x");
  await nc.flush();
  const [first, second] = proxy.sent.toString().split("\r\n");
  assert.match(first ?? "", /^CONNECT \{.*\}$/);
  assert.equal(second, "PING");
  const fields = JSON.parse((first ?? "").slice("CONNECT ".length));
  // C-CONN-2, C-CONN-5: booleans are there, and nothing that is not
  assert.deepEqual(fields, {
    verbose: false,
    pedantic: false,
    tls_required: false,
    name: "me",
    lang: fields.lang,
    version: fields.version,
    protocol: 1,
    echo: true,
    headers: true,
    no_responders: true,
    user: "ann",
    pass: "ann-pass",
  });
});
