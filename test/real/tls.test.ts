// TLS against real servers: both flows, who trusts whom, and certificates as credentials.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { TlsOptions } from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { atLeast, certPath, type RealServer, startServer, suiteVersion } from "../fixtures/real-server.ts";
import { Events, inbox, rejects, texts } from "../suites/tools.ts";
import { dial } from "./support.ts";

const ca: TlsOptions = { caFile: certPath("ca.crt") };
const pem = (name: string): string => readFileSync(certPath(name), "utf8");
const noFirst = atLeast(suiteVersion(), "2.10") ? false : "TLS first came with 2.10.4";

/** The TLS versions of the connections that the server has. */
async function tlsVersions(server: RealServer): Promise<(string | undefined)[]> {
  return (await server.connz()).connections.map(({ tls_version }) => tls_version);
}

test("C-TLS-9 a server that requires TLS gets it, by either scheme, the authority as file or text", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "required" });
  for (const servers of [server.tlsUrl, server.url, `localhost:${server.port}`]) {
    const nc = await dial(t, { servers, tls: ca });
    const got = await inbox(nc, "x");
    nc.publish("x", "secret");
    assert.deepEqual(texts(await got.first(1)), ["secret"]);
    await nc.close();
  }
  await dial(t, { servers: server.url, tls: { ca: pem("ca.crt") } });
  await dial(t, { servers: server.url, tls: { ...ca, maxVersion: "TLSv1.2" } });
  await server.waitForConnections(2);
  assert.deepEqual((await tlsVersions(server)).sort(), ["1.2", "1.3"]);
});

test("C-TLS-7 a certificate of a stranger is refused, by name and with the cure", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "required" });
  for (const tls of [undefined, { caFile: certPath("other-ca.crt") }]) {
    const error = await rejects(dial(t, { servers: server.url, ...(tls && { tls }) }), "TLS");
    assert.equal(error.server, server.address);
    assert.match(error.message, /not signed by an authority that is trusted here/);
  }
  await dial(t, { servers: server.url, tls: { rejectUnauthorized: false } });
});

test("C-TLS-4 a certificate for another name is refused, unless servername says so", async (t) => {
  trackLeaks(t);
  const files = `cert_file: "${certPath("wronghost.crt")}", key_file: "${certPath("wronghost.key")}"`;
  const server = await startServer(t, { config: `tls { ${files} }` });
  const error = await rejects(dial(t, { servers: server.url, tls: ca }), "TLS");
  assert.match(error.message, /is for another name/);
  await dial(t, { servers: server.url, tls: { ...ca, servername: "example.test" } });
});

test("C-TLS-7 a handshake that fails is that server's failure: the next one is tried", async (t) => {
  trackLeaks(t);
  const files = `cert_file: "${certPath("wronghost.crt")}", key_file: "${certPath("wronghost.key")}"`;
  const wrong = await startServer(t, { config: `tls { ${files} }` });
  const right = await startServer(t, { tls: "required" });
  const nc = await dial(t, { servers: [wrong.url, right.url], noRandomize: true, tls: ca });
  assert.equal(nc.getServer(), right.address);
});

test("C-TLS-1 TLS that is asked for and not offered: nothing is sent, least of all credentials", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  for (const options of [{ servers: `tls://${proxy.address}` }, { servers: proxy.url, tls: {} }]) {
    const error = await rejects(dial(t, { ...options, user: "u", pass: "p" }), "TLS");
    assert.match(error.message, /does not offer TLS/);
  }
  assert.equal(proxy.accepted, 2);
  assert.equal(proxy.sent.length, 0);
});

test("C-TLS-2 TLS that is required and refused by the option: nothing is sent", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "required" });
  const proxy = await startProxy(t, server);
  const error = await rejects(dial(t, { servers: proxy.url, tls: null, user: "u", pass: "p" }), "TLS");
  assert.match(error.message, /requires TLS/);
  assert.equal(proxy.sent.length, 0);
});

test("trap 29: a server that offers TLS gets it, unless tls is null", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "available" });
  const encrypted = await dial(t, { servers: server.url, tls: ca });
  assert.deepEqual(await tlsVersions(server), ["1.3"]);
  await encrypted.close();
  // it was offered, so its certificate counts
  await rejects(dial(t, { servers: server.url }), "TLS");
  await server.waitForConnections(0);
  await dial(t, { servers: server.url, tls: null });
  assert.deepEqual(await tlsVersions(server), [undefined]);
});

test("C-TLS-6, C-TLS-8 mutual TLS: certificate and key as files or texts; without them the error says what is missing", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "verify" });
  const nc = await dial(t, {
    servers: server.url,
    tls: { ...ca, certFile: certPath("client.crt"), keyFile: certPath("client.key") },
  });
  assert.equal(nc.info?.tls_verify, true);
  await dial(t, { servers: server.url, tls: { ...ca, cert: pem("client.crt"), key: pem("client.key") } });
  const error = await rejects(dial(t, { servers: server.url, tls: ca }), ["TLS", "CONNECTION"]);
  assert.match(error.message, /set tls\.cert/);
});

test("C-AUTH-8 verify_and_map: the certificate is the login", async (t) => {
  trackLeaks(t);
  const files = `cert_file: "${certPath("server.crt")}", key_file: "${certPath("server.key")}", ca_file: "${certPath("ca.crt")}"`;
  const server = await startServer(t, {
    config: `tls { ${files}, verify_and_map: true }\nauthorization { users: [ { user: "client@example.test" } ] }`,
  });
  const nc = await dial(t, {
    servers: server.url,
    tls: { ...ca, certFile: certPath("client.crt"), keyFile: certPath("client.key") },
  });
  await nc.flush();
  const { connections } = await server.connz("auth=1");
  assert.equal(connections[0]?.authorized_user, "client@example.test");
});

test("C-TLS-3 TLS first: nothing in clear, and INFO comes encrypted", { skip: noFirst }, async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "first" });
  const proxy = await startProxy(t, server);
  const nc = await dial(t, { servers: proxy.url, tls: { ...ca, handshakeFirst: true } });
  assert.equal(nc.info?.tls_required, true);
  const got = await inbox(nc, "x");
  nc.publish("x", "secret");
  assert.deepEqual(texts(await got.first(1)), ["secret"]);
  assert.equal(proxy.sent[0], 22, "the first byte is no TLS handshake");
  assert.equal(proxy.received[0], 22, "the first byte is no TLS handshake");
  // and after a reconnect
  const events = new Events(nc);
  await nc.reconnect();
  await events.until("reconnect");
});

test("a server that waits for TLS first: who waits for INFO runs into its timeout", {
  skip: noFirst,
}, async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "first" });
  const error = await rejects(dial(t, { servers: server.url, tls: ca, timeout: 200 }), "TIMEOUT");
  assert.match(error.message, /longer than 200 ms/);
});

test("TLS first auto: both kinds of clients come in", { skip: noFirst }, async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    config: `tls { cert_file: "${certPath("server.crt")}", key_file: "${certPath("server.key")}", handshake_first: auto }`,
  });
  await dial(t, { servers: server.url, tls: { ...ca, handshakeFirst: true } });
  await dial(t, { servers: server.url, tls: ca });
  await server.waitForConnections(2);
  assert.deepEqual(await tlsVersions(server), ["1.3", "1.3"]);
});

test("TLS first to a server that is not set so says what to leave out", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { tls: "required" });
  const error = await rejects(dial(t, { servers: server.url, tls: { ...ca, handshakeFirst: true } }), "TLS");
  assert.match(error.message, /leave out tls\.handshakeFirst/);
});

test("Connection throttling: a dial too many says so, in clear, and comes in as soon as the server lets it", async (t) => {
  trackLeaks(t);
  const files = `cert_file: "${certPath("server.crt")}", key_file: "${certPath("server.key")}"`;
  const server = await startServer(t, { config: `tls { ${files}, connection_rate_limit: 1 }` });
  await dial(t, { servers: server.url, tls: ca });
  // what comes behind INFO in a chunk of its own reaches the handshake that has begun
  const error = await rejects(dial(t, { servers: server.url, tls: ca }), ["MAX_CONNECTIONS", "TLS"]);
  assert.match(error.message, /throttling is active|does it take more connections/);
  const nc = await dial(t, { servers: server.url, tls: ca, waitOnFirstConnect: true });
  assert.equal(nc.state, "connected");
});
