// Chaos: a scenario in which most things fail, with secrets everywhere; gathers all that anybody could print. Run by p8.test.ts.
import { inspect } from "node:util";
import {
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  headers,
  json,
  jwtAuthenticator,
  msgpack,
  type NatsConnection,
  nkeyAuthenticator,
  nkeys,
  text,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
  validated,
} from "../../src/index.node.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { certPath, startServer } from "../fixtures/real-server.ts";
import { Watch } from "../client/conversation.ts";

/** Strings that must never be shown. */
export const SECRETS = {
  password: "p4ssw0rd-of-nobody",
  token: "t0ken-of-nobody",
  payload: "payl0ad-of-nobody",
  header: "header-v4lue-of-nobody",
} as const;

export interface Report {
  /** all that was inspected, by what it was */
  readonly shown: [what: string, text: string][];
  /** the secrets that were made on the way */
  readonly secrets: string[];
  /** how much went wrong */
  readonly failures: number;
}

/** Every form in which a value may end up in a log. */
function forms(value: unknown): string {
  const parts = [
    inspect(value, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null }),
  ];
  try {
    parts.push(JSON.stringify(value) ?? "");
  } catch {
    // cycles have no JSON
  }
  for (let error = value; error instanceof Error; error = error.cause) {
    parts.push(String(error), error.stack ?? "", JSON.stringify(Object.entries(error)));
  }
  return parts.join("\n");
}

export async function chaos(t: Scope): Promise<Report> {
  const shown: [string, string][] = [];
  let failures = 0;
  const show = (what: string, value: unknown) => void shown.push([what, forms(value)]);
  const { password, token, payload, header } = SECRETS;
  const user = "a-user";

  const pair = nkeys.createUser();
  const seed = new TextDecoder().decode(pair.getSeed());
  const halfSeed = seed.slice(0, 40);
  const claims = Buffer.from(
    JSON.stringify({ sub: pair.getPublicKey(), name: "in-the-jwt-of-nobody" }),
  ).toString("base64url");
  const jwt = `${Buffer.from('{"typ":"JWT","alg":"ed25519-nkey"}').toString("base64url")}.${claims}.c2lnbmF0dXJl`;
  const secrets = [...Object.values(SECRETS), seed, halfSeed, claims, "in-the-jwt-of-nobody"];

  const fail = async (what: string, run: () => unknown): Promise<void> => {
    try {
      const value = await run();
      show(what, value);
    } catch (error) {
      failures++;
      show(what, error);
    }
  };

  const users = `authorization { users: [
    { user: "${user}", password: "${password}", permissions: { publish: { deny: ["no"] }, subscribe: { deny: ["no"] } } }
    { nkey: ${pair.getPublicKey()} }
  ] }`;
  const server = await startServer(t, { config: users, websocket: true, tls: "available" });
  const tokens = await startServer(t, { config: `authorization { token: "${token}" }` });
  const proxy = await startProxy(t, server);
  const quick = { reconnectTimeWait: 2, reconnectJitter: 0, maxReconnectAttempts: 3, timeout: 5000 };
  const open = async (what: string, options: ConnectionOptions): Promise<NatsConnection> => {
    const nc = await connect({ ...quick, tls: null, ...options });
    atEnd(t, () => nc.close());
    show(what, nc);
    return nc;
  };

  // -- credentials that are wrong, in every place they may stand ---------------------------------------------------------
  const at = `${server.host}:${server.port}`;
  for (const servers of [
    `nats://${user}:${password}@${at}x`,
    `nats://${user}:${password}`,
    `nats://${user}:${password}/more@${at}`,
    `nats://${user}:${password}?#@${at}`,
    `nats://${user}:%zz${password}@${at}`,
    `http://${user}:${password}@${at}`,
    `${user}:${password}@`,
    `nats://${user}:${password},more@${at}`,
    `nats://${token}@[::1`,
    `nats://${user}:${password}@127.0.0.1:1`,
    `ws://${user}:${password}@127.0.0.1:1/path`,
    `tls://${user}:${password}@${tokens.address}`,
    `wss://${user}:${password}@127.0.0.1:${server.wsPort}`,
    `nats://${user}:${password}wrong@${at}`,
    `nats://${token}@${at}`,
    `ws://${user}:${password}wrong@127.0.0.1:${server.wsPort}`,
  ]) {
    await fail(`connect ${servers.length}`, () => connect({ ...quick, tls: null, servers }));
  }
  const options: Record<string, ConnectionOptions> = {
    "wrong user and password": { user: `${user}x`, pass: `${password}x` },
    "wrong token": { servers: tokens.url, token: `${token}x` },
    "wrong nkey": { authenticator: nkeyAuthenticator(new TextEncoder().encode(halfSeed)) },
    "another nkey": { authenticator: nkeyAuthenticator(nkeys.createUser().getSeed()) },
    "no jwt server": { authenticator: jwtAuthenticator(jwt, pair.getSeed()) },
    "half a jwt": { authenticator: jwtAuthenticator(claims, pair.getSeed()) },
    "jwt with half a seed": { authenticator: jwtAuthenticator(jwt, new TextEncoder().encode(halfSeed)) },
    "no credentials file": { authenticator: credsAuthenticator(new TextEncoder().encode(`${jwt}\n${seed}`)) },
    "credentials with half a seed": {
      authenticator: credsAuthenticator(
        `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\n${halfSeed}\n------END USER NKEY SEED------\n`,
      ),
    },
    "credentials of other types": { authenticator: () => ({ user: { password } }) as never },
    "credentials nobody knows": { authenticator: () => ({ pw: password, [password]: 1 }) as never },
    "wrong functions": { authenticator: usernamePasswordAuthenticator(user, () => `${password}x`) },
    "wrong token function": { authenticator: tokenAuthenticator(() => token) },
    "a key that is none": {
      tls: { cert: "-----BEGIN CERTIFICATE-----\nx", key: `-----BEGIN KEY-----\n${seed}` },
    },
    "a file that is none": { tls: { keyFile: certPath("none.key"), caFile: certPath("ca.crt") } },
    "an untrusted server": { tls: {} },
  };
  for (const [what, given] of Object.entries(options)) {
    if (what === "credentials nobody knows") continue;
    await fail(what, () => connect({ servers: server.url, tls: null, ...quick, ...given }));
  }
  for (const run of [
    () => nkeys.fromSeed(new TextEncoder().encode(halfSeed)),
    () => nkeys.fromPublic(seed),
    () => pair,
  ]) {
    await fail("nkeys", run);
  }

  // -- a connection with everything in its address, through weather --------------------------------------------------------
  const nc = await open("connection", {
    servers: [`nats://${user}:${password}@${proxy.address}`, `nats://${token}@127.0.0.1:1`],
    noRandomize: true,
  });
  const nkey = await open("connection by nkey", {
    servers: server.url,
    authenticator: nkeyAuthenticator(pair.getSeed()),
  });
  const byToken = await open("connection by token", { servers: tokens.url, token });
  const ws = await open("connection over WebSocket", {
    servers: `ws://${user}:${password}@127.0.0.1:${server.wsPort}`,
  });
  const all = [nc, nkey, byToken, ws];
  const watches = all.map((one) => new Watch(one));
  const h = headers();
  h.set("Authorization", header);
  const schema = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: () => ({ issues: [{ message: "no", path: ["a"] }] }),
    },
  };
  for (const one of all) {
    const broken = [
      () => {
        throw new Error("mine");
      },
      () => Promise.reject(new Error("mine")),
    ];
    const subs = [
      ...broken.map((callback) => one.subscribe("a", { callback })),
      one.subscribe("a", { limits: { messages: 1 } }),
      one.subscribe("a", { limits: { messages: 1, overflow: "close" } }),
      one.subscribe("a", { callback: (_, m) => void m.json() }),
      one.subscribe("a", { callback: (_, m) => void m.decode(json) }),
      one.subscribe("a", { callback: (_, m) => void m.decode(msgpack) }),
      one.subscribe("a", { callback: (_, m) => void m.decode(validated(text, schema)) }),
      one.subscribe("no"),
      one.subscribe("a", { timeout: 1 }),
      one.subscribe("a", {
        callback: (_, m) => {
          show("message", m);
          void m.data;
          void m.string();
          void m.headers;
          void m.size();
          show("message that was read", m);
        },
      }),
    ];
    for (let i = 0; i < 3; i++) {
      for (const body of [payload, `{"${payload}"`, `["${payload}", ${payload}]`, `'${payload}`]) {
        one.publish("a", body, { headers: h, reply: "r" });
      }
    }
    one.publish("no", payload);
    await fail("publish", () => one.publish("a b", payload));
    await fail("payload", () => one.publish("a", { [payload]: payload } as never));
    await fail("too large", () => one.publish("a", payload.repeat(100_000)));
    await fail("headers", () => h.set("A\r\nB", header));
    await fail("header value", () => h.set("A", `${header}\r\n`));
    await fail("request", () => one.request("nobody", payload, { headers: h }));
    await fail("request noMux", () => one.request("nobody", payload, { headers: h, noMux: true }));
    await fail("request denied", () => one.request("no", payload));
    await fail("request in vain", () => one.request("a", payload, { timeout: 5 }));
    const replies = await one.requestMany("a", payload, { maxWait: 20 });
    show("replies", replies);
    await fail("codec", () => json.decode(new TextEncoder().encode(payload)));
    await fail("text codec", () => text.decode(Uint8Array.of(255, ...new TextEncoder().encode(payload))));
    await fail("encode", () => json.encode({ payload, n: 1n }));
    await fail("validated", () => validated(json, schema).encode({ payload }));
    await one.flush();
    for (const sub of subs) {
      show("subscription", sub);
      await fail("subscription closed", () => Promise.race([sub.closed, Promise.resolve()]));
    }
    show("servers", one.getServers());
    show("stats", one.stats());
    show("info", one.info);
  }
  for (let round = 0; round < 3; round++) {
    proxy.cut({ reset: round === 1 });
    nc.publish("a", payload);
    await watches[0]?.until("reconnect", round + 1);
  }
  proxy.refuse();
  proxy.cut();
  await watches[0]?.until("reconnecting", 5);
  nc.publish("a", payload);
  await fail("flush", () => nc.flush());
  show("connection that is lost", nc);
  await proxy.accept();
  await server.kill();
  await tokens.kill();
  for (const one of all) await fail("closed", () => one.closed());
  for (const one of all) {
    await fail("publish at the end", () => one.publish("a", payload));
    show("connection at the end", one);
  }
  for (const watch of watches) {
    await watch.ended;
    for (const event of watch.seen) show(`event ${event.type}`, event);
  }
  return { shown, secrets, failures };
}
