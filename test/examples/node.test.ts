// Every program in examples/node runs to its end against a real server and prints what it is about.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { encodeJwt, nkeys } from "../../src/auth/index.ts";
import { certPath, type RealServer, startServer } from "../fixtures/real-server.ts";
import { root, run } from "./support.ts";

const server = await startServer({ after }, { websocket: true, jetstream: true });
const tested = new Set<string>();

/** Run an example; it must end well, print all of `expected`, and leave no connection. */
async function example(
  name: string,
  expected: string[],
  env: Record<string, string> = {},
  at: RealServer = server,
): Promise<void> {
  tested.add(name);
  const { code, output } = await run(`examples/node/${name}`, { env: { NATS_URL: at.url, ...env } });
  assert.equal(code, 0, output);
  for (const text of expected) assert.ok(output.includes(text), `'${text}' is not in:\n${output}`);
  await at.waitForConnections(0);
}

test("pub-sub gives each subscriber its copy, with headers", () =>
  example("pub-sub.mjs", ["wind: 9 m/s", "weather.oslo: snow (52)", "weather.bergen.wind:"]));

test("queue-workers does every job once and lets the drain finish them", () =>
  example("queue-workers.mjs", ["(2 at a time)", "12 of 12 jobs are done"]));

test("request-reply answers, and tells nobody from nothing in time", () =>
  example("request-reply.mjs", [
    "{ item: 'lamp', cents: 400 }",
    "price.delete: nobody is there",
    "price.set: no reply in time",
  ]));

test("request-many ends by stall, by count and by sentinel", () =>
  example("request-many.mjs", ["stations: north, south, west\n2 answers\npage 1\npage 2\npage 3\n"]));

test("flow-control bounds the publisher and the subscriber", () =>
  example("flow-control.mjs", ["slow consumer on 'reading'", "kept 100, dropped 1900, together 2000"]));

test("web-streams pipes a subscription into a subject", () =>
  example("web-streams.mjs", ["ONE\nTWO\nTHREE\n"]));

test("jetstream-publish stores messages once, in turn and many at once", () =>
  example("jetstream-publish.mjs", [
    "stored as 1, again: not stored twice",
    "WRONG_LAST_SEQUENCE: expected 9, it is 1",
    "1001 messages, 0 failed",
  ]));

test("jetstream-workers shares the jobs of a stream, and does those that failed again", () =>
  example("jetstream-workers.mjs", ["painted wall 6", "6 of 6 walls, 1 at the second try"]));

test("jetstream-ordered reads what was stored and what follows, in order", () =>
  example("jetstream-ordered.mjs", [
    "100 makes 100\n-30 makes 70\n5 makes 75\n25 makes 100\n",
    "ended, after 0 resets",
  ]));

test("kv-stock sells what is there to twelve at once, and follows it", () =>
  example("kv-stock.mjs", [
    "at first: chairs, lamps",
    "lamps: 1, revision 11",
    "10 of 12 got a lamp",
    "chairs: none",
  ]));

test("websocket talks over ws://", () =>
  example("websocket.mjs", ["hello over WebSocket"], { NATS_WS_URL: server.wsUrl }));

test("async-credentials fetches a token for every dial", async (t) => {
  const guarded = await startServer(t, { config: "authorization { token: k3y }" });
  const expected = ["connected, 1 token fetched", "reconnected, 2 tokens fetched"];
  await example("async-credentials.mjs", expected, { NATS_TOKEN: "k3y" }, guarded);
});

test("tls-creds verifies the server and logs in with a credentials file", async (t) => {
  const { secured, creds } = await jwtServer(t);
  await example(
    "tls-creds.mjs",
    ["logged in to account A… over TLS"],
    { NATS_URL: secured.tlsUrl, NATS_CREDS: creds, NATS_CA: certPath("ca.crt") },
    secured,
  );
});

test("every example has a test", () => {
  assert.deepEqual(readdirSync(join(root, "examples/node")).sort(), [...tested].sort());
});

/** A TLS server in operator mode, and the credentials file of a user of it. */
async function jwtServer(t: TestContext): Promise<{ secured: RealServer; creds: string }> {
  const operator = nkeys.createOperator();
  const system = nkeys.createAccount();
  const account = nkeys.createAccount();
  const user = nkeys.createUser();
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const limits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const accountJwt = (pair: typeof account, name: string): string =>
    encodeJwt({ sub: pair.getPublicKey(), name, nats: { type: "account", version: 2, limits } }, operator);
  const operatorJwt = encodeJwt(
    { sub: operator.getPublicKey(), name: "O", nats: { type: "operator", version: 2 } },
    operator,
  );
  const userJwt = encodeJwt(
    { sub: user.getPublicKey(), name: "U", nats: { type: "user", version: 2, ...unlimited } },
    account,
  );
  const secured = await startServer(t, {
    tls: "required",
    config: `
      operator: ${operatorJwt}
      system_account: ${system.getPublicKey()}
      resolver: MEMORY
      resolver_preload: {
        ${system.getPublicKey()}: ${accountJwt(system, "SYS")}
        ${account.getPublicKey()}: ${accountJwt(account, "A")}
      }`,
  });
  const creds = join(secured.folder, "user.creds");
  const seed = new TextDecoder().decode(user.getSeed());
  await writeFile(
    creds,
    `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n` +
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  );
  return { secured, creds };
}
