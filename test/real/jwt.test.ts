// JWTs: servers of an operator, with accounts in memory or in a folder, and users with JWTs of all sorts.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type CalloutAnswer,
  calloutSubject,
  calloutUserJwt,
  encodeCalloutResponse,
  encodeJwt,
  issueUserJWT,
  type JwtUser,
  jwtAuthenticator,
  type KeyPair,
  openCalloutRequest,
} from "../../src/auth/index.ts";
import { credsAuthenticator, nkeys } from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { atLeast, type RealServer, startServer, suiteVersion } from "../fixtures/real-server.ts";
import { check, Events, inbox, rejects, texts } from "../suites/tools.ts";
import { dial } from "./support.ts";

const UNLIMITED = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

/** An operator with a system account and one more, on a server that knows them by heart. */
class Operator {
  readonly key = nkeys.createOperator();
  readonly system = nkeys.createAccount();
  readonly account = nkeys.createAccount();
  // a server that reloads must find both as they were
  readonly #jwt = encodeJwt(
    {
      sub: this.key.getPublicKey(),
      name: "OP",
      nats: { type: "operator", version: 2, system_account: this.system.getPublicKey() },
    },
    this.key,
  );
  readonly #systemJwt = this.accountJwt(this.system);

  /** JWT of an account; `claims` go into its `nats`. */
  accountJwt(
    account: KeyPair = this.account,
    { claims = {}, exp }: { claims?: Record<string, unknown>; exp?: number } = {},
  ): string {
    const { limits, ...more } = claims as { limits?: object };
    return encodeJwt(
      {
        sub: account.getPublicKey(),
        name: account === this.system ? "SYS" : "ACC",
        ...(exp === undefined ? {} : { exp }),
        nats: { type: "account", version: 2, limits: { ...UNLIMITED, ...limits }, ...more },
      },
      this.key,
    );
  }

  /** JWT of a user; `exp` in seconds. */
  userJwt(
    user: KeyPair,
    {
      claims = {},
      exp,
      account = this.account,
    }: { claims?: Partial<JwtUser>; exp?: number; account?: KeyPair } = {},
  ): string {
    return encodeJwt<JwtUser>(
      {
        sub: user.getPublicKey(),
        name: "user",
        ...(exp === undefined ? {} : { exp }),
        nats: { type: "user", version: 2, subs: -1, data: -1, payload: -1, ...claims },
      },
      account,
    );
  }

  /** Configuration with a resolver in memory. */
  config(accountJwt: string = this.accountJwt(), more = ""): string {
    return [
      `operator: ${this.#jwt}`,
      `system_account: ${this.system.getPublicKey()}`,
      "resolver: MEMORY",
      "resolver_preload: {",
      `  ${this.system.getPublicKey()}: ${this.#systemJwt}`,
      `  ${this.account.getPublicKey()}: ${accountJwt}`,
      "}",
      more,
    ].join("\n");
  }
}

/** The text of a credentials file. */
function creds(jwt: string, user?: KeyPair): string {
  const seed =
    user === undefined
      ? ""
      : `-----BEGIN USER NKEY SEED-----\n${new TextDecoder().decode(user.getSeed())}\n------END USER NKEY SEED------\n`;
  return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n${seed}`;
}

async function operated(
  t: TestContext,
  accountClaims?: Record<string, unknown>,
): Promise<{
  operator: Operator;
  server: RealServer;
}> {
  trackLeaks(t);
  const operator = new Operator();
  const jwt = operator.accountJwt(undefined, accountClaims === undefined ? {} : { claims: accountClaims });
  return { operator, server: await startServer(t, { config: operator.config(jwt) }) };
}

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

test("C-AUTH-3, C-CREDS-3 a user JWT with its seed, and a credentials file of them", async (t) => {
  const { operator, server } = await operated(t);
  const user = nkeys.createUser();
  const jwt = operator.userJwt(user);
  for (const authenticator of [
    jwtAuthenticator(jwt, user.getSeed()),
    jwtAuthenticator(
      async () => jwt,
      async () => user.getSeed(),
    ),
    credsAuthenticator(creds(jwt, user)),
    credsAuthenticator(new TextEncoder().encode(creds(jwt, user))),
    credsAuthenticator(async () => creds(jwt, user)),
  ]) {
    const nc = await dial(t, { servers: server.url, authenticator });
    if (atLeast(server.version, "2.10")) {
      const { data } = await nc.context();
      assert.deepEqual([data.user, data.account], [user.getPublicKey(), operator.account.getPublicKey()]);
    }
  }
  // the seed of somebody else signs in vain
  const other = nkeys.createUser();
  await rejects(
    dial(t, { servers: server.url, authenticator: jwtAuthenticator(jwt, other.getSeed()) }),
    "AUTHORIZATION",
  );
  // without a signature only a bearer comes in
  await rejects(dial(t, { servers: server.url, authenticator: jwtAuthenticator(jwt) }), "AUTHORIZATION");
  await rejects(
    dial(t, { servers: server.url, authenticator: credsAuthenticator(creds(jwt)) }),
    "INVALID_KEY",
  );
  await rejects(dial(t, { servers: server.url }), "AUTHORIZATION");
});

test("C-CREDS-2 a bearer JWT needs no seed", async (t) => {
  const { operator, server } = await operated(t);
  const jwt = operator.userJwt(nkeys.createUser(), { claims: { bearer_token: true } });
  await dial(t, { servers: server.url, authenticator: jwtAuthenticator(jwt) });
  await dial(t, { servers: server.url, authenticator: jwtAuthenticator(creds(jwt)) });
  await dial(t, { servers: server.url, authenticator: credsAuthenticator(creds(jwt)) });
});

test("C-WS-9 a bearer JWT in a cookie logs in, at each dial", async (t) => {
  trackLeaks(t);
  const operator = new Operator();
  const server = await startServer(t, {
    websocket: { config: "jwt_cookie: jwt" },
    config: operator.config(),
  });
  const jwt = operator.userJwt(nkeys.createUser(), { claims: { bearer_token: true } });
  const nc = await dial(t, { servers: server.wsUrl, wsHeaders: { Cookie: `jwt=${jwt}` } });
  const events = new Events(nc);
  await nc.reconnect();
  await events.until("reconnect");
  await rejects(dial(t, { servers: server.wsUrl }), "AUTHORIZATION");
});

test("C-ADR14-2 a JWT issued with a scoped signing key has the permissions of the key", async (t) => {
  const scope = nkeys.createAccount();
  const { operator, server } = await operated(t, {
    signing_keys: [
      {
        kind: "user_scope",
        key: scope.getPublicKey(),
        role: "reader",
        template: { subs: -1, data: -1, payload: -1, pub: { deny: ["secret.>"] }, sub: {} },
      },
    ],
  });
  const user = nkeys.createUser();
  const jwt = issueUserJWT(scope, operator.account.getPublicKey(), user.getPublicKey(), "reader");
  const nc = await dial(t, { servers: server.url, authenticator: jwtAuthenticator(jwt, user.getSeed()) });
  const events = new Events(nc);
  nc.publish("secret.x");
  check((await events.until("error")).error, "PERMISSION_VIOLATION");
  const got = await inbox(nc, "open");
  nc.publish("open", "yes");
  assert.deepEqual(texts(await got.first(1)), ["yes"]);
});

test("User Authentication Expired: a JWT runs out while connected, the next one goes on (trap 20)", async (t) => {
  const { operator, server } = await operated(t);
  const user = nkeys.createUser();
  let calls = 0;
  const nc = await dial(t, {
    servers: server.url,
    authenticator: jwtAuthenticator(
      // the second is old already: the server refuses it, and the third is asked for
      () => operator.userJwt(user, { exp: inSeconds([4, -10, 100][calls++] ?? 100) }),
      user.getSeed(),
    ),
  });
  const events = new Events(nc);
  const got = await inbox(nc, "x");
  const expired = check((await events.until("error")).error, "AUTHENTICATION_EXPIRED");
  assert.match(expired.serverText ?? "", /^user authentication expired$/i);
  check((await events.until("disconnect")).error, "AUTHENTICATION_EXPIRED");
  await events.until("reconnect");
  assert.equal(calls, 3);
  nc.publish("x", "renewed");
  assert.deepEqual(texts(await got.first(1)), ["renewed"]);
});

test("User Authentication Revoked: the user is put out with that reason", async (t) => {
  trackLeaks(t);
  const operator = new Operator();
  const server = await startServer(t, { config: operator.config() });
  const user = nkeys.createUser();
  const nc = await dial(t, {
    servers: server.url,
    authenticator: jwtAuthenticator(operator.userJwt(user), user.getSeed()),
  });
  const events = new Events(nc);
  const revoked = operator.accountJwt(undefined, {
    claims: { revocations: { [user.getPublicKey()]: inSeconds(60) } },
  });
  await server.reload(operator.config(revoked));
  const error = check((await events.until("disconnect")).error, ["AUTHENTICATION_EXPIRED", "AUTHORIZATION"]);
  assert.match(error.serverText ?? "", /^(user authentication revoked|authorization violation)$/i);
  // C-AUTH-6
  check(await nc.closed(), "AUTHORIZATION");
});

test("Account Authentication Expired: handled like the expiry of a user (trap 21)", async (t) => {
  trackLeaks(t);
  const operator = new Operator();
  const shortly = operator.accountJwt(undefined, { exp: inSeconds(6) });
  const server = await startServer(t, { config: operator.config(shortly) });
  const user = nkeys.createUser();
  const nc = await dial(t, {
    servers: server.url,
    authenticator: jwtAuthenticator(operator.userJwt(user), user.getSeed()),
  });
  const events = new Events(nc);
  const error = check((await events.until("disconnect")).error, "AUTHENTICATION_EXPIRED");
  assert.match(error.serverText ?? "", /^account authentication expired$/i);
  await nc.close();
});

test("maximum account active connections exceeded: another one is refused with MAX_CONNECTIONS", async (t) => {
  const { operator, server } = await operated(t, { limits: { conn: 1 } });
  const user = nkeys.createUser();
  const options = {
    servers: server.url,
    authenticator: jwtAuthenticator(operator.userJwt(user), user.getSeed()),
  };
  const nc = await dial(t, options);
  const error = await rejects(dial(t, options), "MAX_CONNECTIONS");
  assert.match(error.serverText ?? "", /maximum account active connections exceeded/i);
  // C-ADR40-13: nobody gives up when it is the reconnect that finds the place taken
  const waiting = dial(t, { ...options, waitOnFirstConnect: true });
  await nc.close();
  assert.equal((await waiting).state, "connected");
});

test("limits of a user: a subscription too many, and the max_payload that counts for it", async (t) => {
  const { operator, server } = await operated(t);
  const user = nkeys.createUser();
  const jwt = operator.userJwt(user, { claims: { subs: 2, payload: 1000 } });
  const nc = await dial(t, { servers: server.url, authenticator: jwtAuthenticator(jwt, user.getSeed()) });
  await nc.flush();
  const subs = [nc.subscribe("a"), nc.subscribe("b"), nc.subscribe("c")];
  check(await subs[2]?.closed, "MAX_SUBSCRIPTIONS");
  assert.deepEqual(
    subs.map((sub) => sub.isClosed()),
    [false, false, true],
  );
  // since 2.12 the INFO after the first PONG tells of it; before, only the refusal does
  if (nc.info?.max_payload === 1000) {
    assert.throws(() => nc.publish("a", new Uint8Array(1001)), { code: "MAX_PAYLOAD" });
    assert.equal(nc.state, "connected");
    return;
  }
  const events = new Events(nc);
  nc.publish("a", new Uint8Array(1001));
  const error = check((await events.until("disconnect")).error, "MAX_PAYLOAD");
  assert.match(error.serverText ?? "", /^maximum payload violation$/i);
  await events.until("reconnect");
});

test("a JWT for another type of connection is refused with AUTHORIZATION", async (t) => {
  const { operator, server } = await operated(t);
  const user = nkeys.createUser();
  const jwt = operator.userJwt(user, { claims: { allowed_connection_types: ["WEBSOCKET"] } });
  const authenticator = jwtAuthenticator(jwt, user.getSeed());
  await rejects(dial(t, { servers: server.url, authenticator }), "AUTHORIZATION");
});

test("C-CONN-6 a JWT beyond max_control_line is sent, and the refusal says what it is about", async (t) => {
  const { operator, server } = await operated(t);
  const user = nkeys.createUser();
  const jwt = operator.userJwt(user, { claims: { tags: [`x${"y".repeat(5000)}`] } });
  const authenticator = jwtAuthenticator(jwt, user.getSeed());
  const error = await rejects(dial(t, { servers: server.url, authenticator }), "PROTOCOL");
  assert.match(error.serverText ?? "", /^maximum control line exceeded$/i);
  assert.match(error.message, /large JWT/);
});

// -- auth callout ----------------------------------------------------------------------------------------------------

const since210 = atLeast(suiteVersion(), "2.10") ? false : "auth callout came with 2.10";

interface Callout {
  server: RealServer;
  /** what clients showed, by the names they gave */
  seen: string[];
  sealed: boolean[];
}

/** A server whose logins one of ours decides on, with and without seals. */
async function callout(t: TestContext, { seal = false, timeout = 2 } = {}): Promise<Callout> {
  trackLeaks(t);
  const issuer = nkeys.createAccount();
  const xkey = seal ? nkeys.createCurve() : undefined;
  const server = await startServer(t, {
    config: [
      "accounts { AUTH { users: [ { user: service, password: service } ] }, APP {} }",
      "authorization {",
      `  timeout: ${timeout}`,
      "  auth_callout {",
      `    issuer: ${issuer.getPublicKey()}`,
      "    account: AUTH",
      "    auth_users: [ service ]",
      xkey ? `    xkey: ${xkey.getPublicKey()}` : "",
      "} }",
    ].join("\n"),
  });
  const seen: string[] = [];
  const sealed: boolean[] = [];
  const nc = await dial(t, { servers: server.url, user: "service", pass: "service" });
  nc.subscribe(calloutSubject, {
    callback: (_, msg) => {
      const request = openCalloutRequest(msg, xkey);
      sealed.push(request.serverXkey !== undefined);
      const { user = "", pass } = request.claims.nats.connect_opts;
      seen.push(user);
      if (user === "silent") return;
      if (user === "empty") return void msg.respond();
      const answer: CalloutAnswer =
        pass === "right"
          ? {
              jwt: calloutUserJwt(request, issuer, {
                account: "APP",
                ...(user === "short" ? { expiration: 3000 } : {}),
                claims: { pub: { deny: ["secret.>"] } },
              }),
            }
          : { error: "no such user" };
      msg.respond(encodeCalloutResponse(request, answer, issuer, { xkey }));
    },
  });
  await nc.flush();
  return { server, seen, sealed };
}

for (const seal of [false, true]) {
  test(`C-ADR26-1, C-ADR26-3 auth callout ${seal ? "sealed" : "plain"}: a service lets in and refuses`, {
    skip: since210,
  }, async (t) => {
    const { server, seen, sealed } = await callout(t, { seal });
    const nc = await dial(t, { servers: server.url, user: "ann", pass: "right" });
    const { data } = await nc.context();
    assert.equal(data.account, "APP");
    const events = new Events(nc);
    nc.publish("secret.x");
    check((await events.until("error")).error, "PERMISSION_VIOLATION");
    await rejects(dial(t, { servers: server.url, user: "bob", pass: "wrong" }), "AUTHORIZATION");
    assert.deepEqual(seen, ["ann", "bob"]);
    assert.deepEqual(sealed, [seal, seal]);
  });
}

test("C-ADR26-5 no answer of the callout, or an empty one, denies", { skip: since210 }, async (t) => {
  const { server, seen } = await callout(t, { timeout: 2 });
  await rejects(dial(t, { servers: server.url, user: "empty", pass: "right" }), "AUTHORIZATION");
  await rejects(dial(t, { servers: server.url, user: "silent", pass: "right" }), "AUTHORIZATION");
  assert.deepEqual(seen, ["empty", "silent"]);
});

test("a login of the callout that runs out is renewed by the next login", { skip: since210 }, async (t) => {
  const { server, seen } = await callout(t);
  const nc = await dial(t, { servers: server.url, user: "short", pass: "right" });
  const events = new Events(nc);
  check((await events.until("disconnect")).error, "AUTHENTICATION_EXPIRED");
  await events.until("reconnect");
  assert.deepEqual(seen, ["short", "short"]);
  await nc.close();
});
