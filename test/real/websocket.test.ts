// WebSocket against real servers: wss, compression, cookies, origins, and TCP beside it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import WebSocket from "ws";
import {
  connect,
  type NatsConnection,
  type WebSocketLike,
  wsconnect,
  type WsSocketFactory,
} from "../../src/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { atLeast, certPath, startServer, suiteVersion } from "../fixtures/real-server.ts";
import { Events, inbox, numbers, rejects, texts } from "../suites/tools.ts";
import { dial } from "./support.ts";

const ca = readFileSync(certPath("ca.crt"), "utf8");
const noCookies = atLeast(suiteVersion(), "2.11") ? false : "these cookies came with 2.11";

test("C-WS-2 wss: TLS is that of the WebSocket, trust included", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: { tls: true } });
  const nc = await dial(t, { servers: server.wsUrl, tls: { ca } });
  const got = await inbox(nc, "x");
  nc.publish("x", "secret");
  assert.deepEqual(texts(await got.first(1)), ["secret"]);
  const { connections } = await server.connz();
  assert.deepEqual([connections[0]?.type, connections[0]?.kind], ["websocket", "Client"]);
  const error = await rejects(dial(t, { servers: server.wsUrl }), "TLS");
  assert.match(error.message, /check tls\.ca/);
  const other = readFileSync(certPath("other-ca.crt"), "utf8");
  await rejects(dial(t, { servers: server.wsUrl, tls: { ca: other } }), "TLS");
});

test("wsconnect reads a bare host and nats:// as WebSocket", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: { tls: true } });
  const address = server.wsUrl.replace("wss://", "");
  for (const servers of [address, `wss://${address}`, `tls://${address}`]) {
    const nc = await wsconnect({ servers, tls: { ca } });
    atEnd(t, () => nc.close());
    assert.match(nc.getServers()[0]?.src ?? "", new RegExp(`${address}$`));
  }
  assert.deepEqual(
    (await server.connz()).connections.map(({ type }) => type),
    ["websocket", "websocket", "websocket"],
  );
  await rejects(wsconnect({ servers: `nats://${address}` }), "CONNECTION");
});

test("C-WS-1 path and query go with each dial", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: true });
  const proxy = await startProxy(t, { host: server.host, port: server.wsPort });
  const nc = await dial(t, { servers: `ws://${proxy.address}/some/path?token=1` });
  const events = new Events(nc);
  await nc.reconnect();
  await events.until("reconnect");
  const asked = proxy.sent.toString("latin1").match(/GET \S+ HTTP\/1\.1\r\n/g);
  assert.deepEqual(
    asked,
    Array.from({ length: 2 }, () => "GET /some/path?token=1 HTTP/1.1\r\n"),
  );
});

/** A connection whose WebSocket negotiates compression, as browsers do; `sizes` are those of its messages. */
async function compressed(t: TestContext, servers: string): Promise<{ nc: NatsConnection; sizes: number[] }> {
  const sizes: number[] = [];
  const wsFactory: WsSocketFactory = (url) => {
    const socket = new WebSocket(url, { perMessageDeflate: true });
    const send = socket.send.bind(socket) as (data: Uint8Array) => void;
    socket.send = (data: Uint8Array) => {
      sizes.push(data.length);
      send(data);
    };
    return Promise.resolve({ socket: socket as WebSocketLike, encrypted: false });
  };
  return { nc: await dial(t, { servers, wsFactory }), sizes };
}

test("C-WS-6, C-WS-7 with compression no WebSocket message is larger than max_payload, however much is published", async (t) => {
  trackLeaks(t);
  const maxPayload = 16_384;
  const server = await startServer(t, {
    websocket: { compression: true },
    config: { max_payload: maxPayload },
  });
  const proxy = await startProxy(t, { host: server.host, port: server.wsPort });
  const { nc, sizes } = await compressed(t, `ws://${proxy.address}`);
  assert.match(proxy.received.toString("latin1"), /Sec-WebSocket-Extensions: permessage-deflate/i);
  const events = new Events(nc);
  const got = await inbox(nc, "x");
  // well compressible, as texts are; a burst of many, and single ones as large as may be
  for (const n of numbers(200)) nc.publish("x", n.padEnd(1000, "."));
  for (let i = 0; i < 3; i++) nc.publish("x", new Uint8Array(maxPayload).fill(i));
  nc.publish("x", "last");
  const all = await got.first(204);
  assert.deepEqual(
    texts(all.slice(0, 200)).map((text) => Number.parseInt(text, 10)),
    numbers(200).map(Number),
  );
  assert.deepEqual(
    all.slice(200, 203).map(({ data }) => [data.length, data[0], data.at(-1)]),
    [0, 1, 2].map((i) => [maxPayload, i, i]),
  );
  assert.equal(Math.max(...sizes), maxPayload);
  assert.deepEqual(events.types, []);
});

test("C-WS-4 with compression and the stream cut into single bytes: all arrives", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: { compression: true } });
  const proxy = await startProxy(t, { host: server.host, port: server.wsPort });
  proxy.splitBytes(1);
  const { nc } = await compressed(t, `ws://${proxy.address}`);
  const got = await inbox(nc, "x");
  for (const n of numbers(20)) nc.publish("x", n.padEnd(200, "."));
  nc.publish("x", new Uint8Array(0));
  assert.deepEqual(texts(await got.first(21)), [...numbers(20).map((n) => n.padEnd(200, ".")), ""]);
});

test("C-WS-9 cookies carry the credentials, and none are demanded here", { skip: noCookies }, async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    websocket: { config: "user_cookie: u, pass_cookie: p, token_cookie: t" },
    config: { authorization: { users: [{ user: "ann", password: "secret" }] } },
  });
  const nc = await dial(t, { servers: server.wsUrl, wsHeaders: { Cookie: "u=ann; p=secret" } });
  const events = new Events(nc);
  await nc.reconnect();
  await events.until("reconnect");
  const { connections } = await server.connz("auth=1");
  assert.deepEqual(
    connections.map(({ authorized_user }) => authorized_user),
    ["ann"],
  );
  await rejects(dial(t, { servers: server.wsUrl, wsHeaders: { Cookie: "u=ann; p=wrong" } }), "AUTHORIZATION");
  await rejects(dial(t, { servers: server.wsUrl }), "AUTHORIZATION");
  // what the client says itself counts before the cookie
  await dial(t, { servers: server.wsUrl, user: "ann", pass: "secret", wsHeaders: { Cookie: "u=bob; p=x" } });
});

test("C-WS-10 an origin that the server does not allow is refused before anything is said", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    websocket: { config: 'allowed_origins: ["https://app.example.test"]' },
  });
  await dial(t, { servers: server.wsUrl, wsHeaders: { Origin: "https://app.example.test" } });
  const error = await rejects(
    dial(t, { servers: server.wsUrl, wsHeaders: { Origin: "https://evil.example.test" } }),
    "CONNECTION",
  );
  assert.match(error.message, /403/);
});

test("C-WS-11 what the server says before it closes is the reason over WebSocket too", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, {
    websocket: true,
    config: { max_control_line: 512, authorization: { users: [{ user: "ann", password: "a" }] } },
  });
  const refused = await rejects(dial(t, { servers: server.wsUrl, user: "ann", pass: "b" }), "AUTHORIZATION");
  assert.equal(refused.serverText, "Authorization Violation");
  const nc = await dial(t, { servers: server.wsUrl, user: "ann", pass: "a" });
  const events = new Events(nc);
  nc.publish(`x.${"y".repeat(600)}`);
  const { error } = await events.until("disconnect");
  assert.deepEqual(
    [error?.code, error?.serverText?.toLowerCase()],
    ["PROTOCOL", "maximum control line exceeded"],
  );
  await events.until("reconnect");
});

test("trap 3: TCP and WebSocket side by side, in one process and one pool, both come back", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: true });
  const tcp = await dial(t, { servers: server.url });
  const ws = await dial(t, { servers: server.wsUrl });
  const [fromTcp, fromWs] = [new Events(tcp), new Events(ws)];
  const [atTcp, atWs] = [await inbox(tcp, "x"), await inbox(ws, "x")];
  await server.restart();
  await Promise.all([fromTcp.until("reconnect"), fromWs.until("reconnect")]);
  await Promise.all([tcp.flush(), ws.flush()]);
  tcp.publish("x", "tcp");
  ws.publish("x", "ws");
  assert.deepEqual(texts(await atTcp.first(2)).sort(), ["tcp", "ws"]);
  assert.deepEqual(texts(await atWs.first(2)).sort(), ["tcp", "ws"]);
  // one list with both
  const mixed = await dial(t, { servers: [server.wsUrl, server.url], noRandomize: true });
  const events = new Events(mixed);
  const { connections } = await server.connz("sort=cid");
  assert.equal(connections.at(-1)?.type, "websocket");
  await mixed.reconnect();
  await events.until("reconnect");
  assert.equal(mixed.getServer(), server.address);
});

test("the WebSocket port answers nothing but WebSocket, and the error says which port it is", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: true });
  const error = await rejects(connect({ servers: `ws://${server.address}` }), "CONNECTION");
  assert.match(error.message, /is this the WebSocket port/);
});
