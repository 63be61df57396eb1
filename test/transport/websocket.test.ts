import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { type TestContext, test } from "node:test";
import type tls from "node:tls";
import { WebSocket as WsWebSocket, WebSocketServer, type WebSocket as WsSocket } from "ws";
import type { DialTarget } from "../../src/transport/transport.ts";
import { dialOwnWebSocket } from "../../src/transport/own-websocket.ts";
import type { WebSocketFactory, WebSocketLike } from "../../src/transport/websocket-factory.ts";
import { type Peer, transportContract } from "./contract.ts";
import { dialWebSocket, isDeno, webSocketDialer } from "./dialers.ts";
import {
  bytes,
  Collector,
  certPath,
  cleanup,
  failure,
  fakeTimers,
  growth,
  listen,
  pattern,
  pem,
  Recorder,
  serverTls,
  target,
  turns,
  until,
} from "./support.ts";

const ca = pem("ca.crt");
const clientCert = { cert: pem("client.crt"), key: pem("client.key") };

const wsTarget = (port: number, more: Partial<DialTarget> = {}): DialTarget =>
  target(port, { scheme: "ws", ...more });

type Later = (undo: () => unknown) => void;

/** A WebSocket server; `sockets` are its TCP connections. */
async function serve(
  later: Later,
  onSocket: (socket: WsSocket, request: http.IncomingMessage) => void = () => {},
  {
    secure,
    host = "127.0.0.1",
    ...options
  }: { secure?: tls.TlsOptions; host?: string; perMessageDeflate?: boolean } = {},
): Promise<{
  port: number;
  sockets: Set<net.Socket>;
  server: http.Server;
  wss: WebSocketServer;
  count: () => number;
}> {
  const server = secure ? https.createServer(secure) : http.createServer();
  const wss = new WebSocketServer({ server, ...options });
  const sockets = new Set<net.Socket>();
  let count = 0;
  server.on("connection", (socket: net.Socket) => {
    count++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  wss.on("connection", (socket, request) => {
    socket.on("error", () => {});
    onSocket(socket, request);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  later(async () => {
    for (const socket of sockets) socket.destroy();
    wss.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as net.AddressInfo).port, sockets, server, wss, count: () => count };
}

function peerOf(socket: WsSocket): Peer & { sizes: number[]; binary: boolean[] } {
  const received = new Collector();
  const sizes: number[] = [];
  const binary: boolean[] = [];
  socket.on("message", (data: Buffer, isBinary) => {
    sizes.push(data.length);
    binary.push(isBinary);
    received.add(data);
  });
  return {
    received,
    sizes,
    binary,
    send: (data) => socket.send(data),
    end: () => socket.close(1000),
    gone: new Promise((resolve) => socket.on("close", resolve)),
  };
}

async function join(t: TestContext, more: Partial<DialTarget> = {}, dial = dialWebSocket) {
  const later = cleanup(t);
  let accept!: (socket: WsSocket) => void;
  const accepted = new Promise<WsSocket>((resolve) => {
    accept = resolve;
  });
  const server = await serve(
    later,
    (socket) => accept(socket),
    more.scheme === "wss" ? { secure: serverTls } : {},
  );
  const transport = await dial(wsTarget(server.port, more));
  later(() => transport.destroy());
  const socket = await accepted;
  return { transport, socket, peer: peerOf(socket), later, server };
}

/** A WebSocket that does what the test says. */
class FakeSocket implements WebSocketLike {
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "blob";
  onopen: unknown = null;
  onmessage: unknown = null;
  onerror: unknown = null;
  onclose: unknown = null;
  sent: Uint8Array[] = [];
  closes: (number | undefined)[] = [];
  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(code?: number): void {
    this.closes.push(code);
  }
  say(type: "open" | "message" | "error" | "close", event: object = {}): void {
    if (type === "open") this.readyState = 1;
    if (type === "close") this.readyState = 3;
    (this[`on${type}`] as ((event: object) => void) | null)?.({ type, ...event });
  }
}

/** A dial through a fake socket; `open` makes it succeed. */
function fake(more: Partial<DialTarget> = {}) {
  const socket = new FakeSocket();
  const urls: string[] = [];
  const dial = webSocketDialer(async (url) => {
    urls.push(url);
    return { socket, encrypted: false };
  })(wsTarget(80, more));
  dial.catch(() => {});
  return { socket, dial, urls };
}

async function openFake() {
  const { socket, dial } = fake();
  await turns();
  socket.say("open");
  const transport = await dial;
  return { socket, transport, events: new Recorder(transport) };
}

const factory: WebSocketFactory = async (url) => ({
  socket: new WsWebSocket(url, { perMessageDeflate: true }),
  encrypted: false,
});

// compiles: the global WebSocket fits too
export const globalFactory: WebSocketFactory = async (url) => ({
  socket: new WebSocket(url),
  encrypted: false,
});

transportContract("ws", (t) => join(t));
transportContract("wss", (t) => join(t, { scheme: "wss", tls: { ca } }));
transportContract("ws by a factory", (t) => join(t, {}, webSocketDialer(factory)));

test("C-WS-1: the address has path and query, an IPv6 literal in brackets, and no sub-protocol", async (t) => {
  const later = cleanup(t);
  const requests: http.IncomingMessage[] = [];
  const { port } = await serve(later, (_, request) => requests.push(request), { host: "::" });
  for (const [hostname, path] of [
    ["::1", "/nats?x=1&y=%20"],
    ["127.0.0.1", ""],
    ["localhost", "/"],
  ] as const) {
    (await dialWebSocket(wsTarget(port, { hostname, path }))).destroy();
  }
  await until(() => requests.length === 3, "three upgrades");
  assert.deepEqual(
    requests.map(({ url }) => url),
    ["/nats?x=1&y=%20", "/", "/"],
  );
  assert.deepEqual(
    requests.map(({ headers }) => headers.host),
    [`[::1]:${port}`, `127.0.0.1:${port}`, `localhost:${port}`],
  );
  for (const { headers } of requests) assert.equal(headers["sec-websocket-protocol"], undefined);
  for (const { headers } of requests) assert.equal(headers["sec-websocket-extensions"], undefined);
});

test("trap 26: the factory gets an address with IPv4-mapped and IPv6 literals in brackets", () => {
  assert.deepEqual(fake({ hostname: "::ffff:127.0.0.1", path: "/p" }).urls, []);
  return turns().then(async () => {
    const { urls } = fake({ scheme: "wss", hostname: "::ffff:127.0.0.1", path: "/p?q" });
    await turns();
    assert.deepEqual(urls, ["wss://[::ffff:127.0.0.1]:80/p?q"]);
  });
});

test("C-WS-2: wss is encrypted, ws is not, and neither can startTls", async (t) => {
  const { transport } = await join(t, { scheme: "wss", tls: { ca } });
  assert.equal(transport.encrypted, true);
  assert.equal("startTls" in transport, false);
  const { transport: plain } = await openFake();
  assert.equal(plain.encrypted, false);
  assert.equal("startTls" in plain, false);
});

test("C-WS-3: binary frames are sent, and arraybuffers are asked for", async (t) => {
  const { transport, peer } = await join(t);
  transport.write(bytes("PING\r\n"));
  await peer.received.atLeast(6);
  assert.deepEqual(peer.binary, [true]);
  assert.equal((await openFake()).socket.binaryType, "arraybuffer");
});

test("C-WS-4: trap 32: bytes come through whatever the frames, also messages of 790 kB and text", async (t) => {
  const { transport, socket } = await join(t);
  const events = new Recorder(transport);
  const big = pattern(790_000);
  socket.send(bytes("INF"));
  socket.send(bytes("O {}\r\nMSG a 1 790000\r\n"));
  socket.send(big.subarray(0, 7), { fin: false });
  socket.send(big.subarray(7));
  socket.send(bytes("\r\n"));
  socket.send("PING\r\n");
  const head = bytes("INFO {}\r\nMSG a 1 790000\r\n");
  const all = await events.atLeast(head.length + big.length + 8);
  assert.deepEqual(all, new Uint8Array(Buffer.concat([head, big, bytes("\r\nPING\r\n")])));
});

test("trap 32: a close frame right behind data does not discard the data", async (t) => {
  const { transport, socket } = await join(t);
  const sent = pattern(500_000);
  socket.send(sent);
  socket.send(bytes("-ERR 'x'\r\n"));
  socket.close(1008, "Authentication Failure");
  const events = new Recorder(transport);
  failure("CONNECTION", "1008", "Authentication Failure", "127.0.0.1:")(await events.closed);
  assert.equal(events.length, sent.length + 10);
});

test("C-WS-6: a write over maxWrite is split into messages of at most that", async (t) => {
  const { transport, peer } = await join(t);
  assert.equal(transport.maxWrite, 65_536);
  const sent = pattern(200_000);
  transport.write(sent);
  assert.deepEqual(await peer.received.atLeast(sent.length), sent);
  assert.deepEqual(peer.sizes, [65_536, 65_536, 65_536, 3392]);
  peer.sizes.length = 0;
  transport.maxWrite = 1024;
  transport.write(sent.subarray(0, 2049));
  await peer.received.atLeast(sent.length + 2049);
  assert.deepEqual(peer.sizes, [1024, 1024, 1]);
});

test("trap 33: with compression negotiated by a factory, bytes stay whole", async (t) => {
  const later = cleanup(t);
  let peer: Peer | undefined;
  const { port } = await serve(
    later,
    (socket) => {
      peer = peerOf(socket);
    },
    { perMessageDeflate: true },
  );
  const transport = await webSocketDialer(factory)(wsTarget(port));
  const events = new Recorder(transport);
  await until(() => peer !== undefined, "the connection");
  const sent = new Uint8Array(Buffer.concat([bytes("PING\r\n"), new Uint8Array(100_000), bytes("PONG\r\n")]));
  transport.write(sent);
  peer?.send(sent);
  assert.deepEqual(await peer?.received.atLeast(sent.length), sent);
  assert.deepEqual(await events.atLeast(sent.length), sent);
  await transport.close();
});

test("C-WS-11: close codes 1000, 1001 and none are an orderly end; others are an error with code and reason", async () => {
  for (const code of [1000, 1001, 1005]) {
    const { socket, events } = await openFake();
    socket.say("close", { code, reason: "Server Shutdown" });
    assert.equal(await events.closed, undefined);
  }
  for (const [code, reason] of [
    [1006, ""],
    [1008, "Maximum Subscriptions"],
    [1009, ""],
    [1011, ""],
  ] as const) {
    const { socket, events } = await openFake();
    socket.say("close", { code, reason });
    failure("CONNECTION", "127.0.0.1:80", `(${code}${reason && `: ${reason}`})`)(await events.closed);
  }
});

test("wsHeaders reach the server", async (t) => {
  const later = cleanup(t);
  let headers: http.IncomingHttpHeaders = {};
  const { port } = await serve(later, (_, request) => {
    headers = request.headers;
  });
  const wsHeaders = { Authorization: "Bearer abc", "x-tenant": "7" };
  const transport = await dialWebSocket(wsTarget(port, { wsHeaders }));
  assert.equal(headers.authorization, "Bearer abc");
  assert.equal(headers["x-tenant"], "7");
  transport.destroy();
});

test("a malformed header is INVALID_ARGUMENT", async (t) => {
  cleanup(t);
  await assert.rejects(
    dialWebSocket(wsTarget(9, { wsHeaders: { "x-a": "1\r\nx-b: 2" } })),
    failure("INVALID_ARGUMENT", "127.0.0.1:9"),
  );
});

test("trap 30: nats:// and tls:// addresses are refused with a text that says what to use", async () => {
  for (const scheme of ["nats", "tls"] as const) {
    await assert.rejects(
      dialWebSocket(target(4222, { scheme })),
      failure("UNSUPPORTED", `${scheme}://127.0.0.1:4222`, "wss://"),
    );
  }
});

test("a port at which nothing listens is CONNECTION_REFUSED, where the runtime tells", async (t) => {
  cleanup(t);
  const code = isDeno ? "CONNECTION" : "CONNECTION_REFUSED";
  await assert.rejects(dialWebSocket(wsTarget(9)), failure(code, "127.0.0.1:9"));
});

test("what refuses the upgrade, is no WebSocket port, or is no address is told", async (t) => {
  const later = cleanup(t);
  const refuse = http.createServer().on("upgrade", (_, socket) => {
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });
  await new Promise<void>((resolve) => refuse.listen(0, "127.0.0.1", resolve));
  later(() => new Promise((resolve) => refuse.close(resolve)));
  const { port } = refuse.address() as net.AddressInfo;
  await assert.rejects(dialWebSocket(wsTarget(port)), failure("CONNECTION", "403", `127.0.0.1:${port}`));
  const raw = await listen(later, (socket) => socket.resume().write("INFO {}\r\n"));
  await assert.rejects(dialWebSocket(wsTarget(raw.port)), failure("CONNECTION", "WebSocket port"));
  await assert.rejects(dialWebSocket(wsTarget(70_000)), failure("INVALID_ARGUMENT", ":70000"));
  await until(() => raw.sockets.size === 0, "no connection at the server");
});

test("wss: unknown authority, wrong name and a clear port are code TLS", async (t) => {
  const later = cleanup(t);
  const { port } = await serve(later, undefined, { secure: serverTls });
  const wrong = await serve(later, undefined, {
    secure: { cert: pem("wronghost.crt"), key: pem("wronghost.key") },
  });
  const plain = await serve(later);
  const dial = (at: number, more: Partial<DialTarget> = {}) =>
    dialWebSocket(wsTarget(at, { scheme: "wss", ...more }));
  await assert.rejects(dial(port), failure("TLS", `127.0.0.1:${port}`, "tls.ca"));
  await assert.rejects(dial(wrong.port, { tls: { ca } }), failure("TLS", "tls.ca"));
  await assert.rejects(dial(plain.port, { tls: { ca } }), failure("TLS", "wss:// port"));
  await assert.rejects(dial(port, { tls: { ca, cert: "no pem", key: "no" } }), failure("INVALID_ARGUMENT"));
  (await dial(port, { tls: { ca, handshakeFirst: true } })).destroy();
  if (isDeno) return; // its WebSocket takes the host name of the address, and nobody without a certificate
  (await dial(port, { tls: { rejectUnauthorized: false } })).destroy();
  // verified against the name that the address stands for
  (await dial(wrong.port, { tls: { ca }, tlsName: "example.test" })).destroy();
  (await dial(wrong.port, { tls: { ca, servername: "example.test" }, tlsName: "other.test" })).destroy();
});

test("C-TLS-6: wss: a client certificate is shown; files are UNSUPPORTED, and the cure is the text", async (t) => {
  const later = cleanup(t);
  let subject: string | undefined;
  const { port } = await serve(
    later,
    (_, request) => {
      subject = (request.socket as tls.TLSSocket).getPeerCertificate().subject.CN as string;
    },
    { secure: { ...serverTls, ca, requestCert: true, rejectUnauthorized: true } },
  );
  const dial = (tlsOptions: object) =>
    dialWebSocket(wsTarget(port, { scheme: "wss", tls: { ...tlsOptions } }));
  (await dial({ ca, ...clientCert })).destroy();
  assert.equal(subject, "isonats test client");
  for (const option of ["certFile", "keyFile", "caFile"]) {
    await assert.rejects(
      dial({ [option]: certPath("ca.crt") }),
      failure("UNSUPPORTED", "tls.cert", "tls.key", "tls.ca"),
    );
  }
});

test("tls options are no matter of a ws:// address", async (t) => {
  const { transport } = await join(t, { tls: { caFile: "/no/such", cert: "x" } });
  assert.equal(transport.encrypted, false);
});

test("trap 6: an error without a close ends it, once", async () => {
  const { socket, events } = await openFake();
  socket.say("error", { message: "boom" });
  failure("CONNECTION", "boom", "127.0.0.1:80")(await events.closed);
  socket.say("error");
  socket.say("close", { code: 1006, reason: "" });
  socket.say("message", { data: new ArrayBuffer(3) });
  await turns();
  assert.equal(events.closes.length, 1);
  assert.equal(events.length, 0);
  assert.deepEqual(socket.closes, [undefined]);
});

test("trap 6: an error without a close before the open rejects the dial", async () => {
  const { socket, dial } = fake();
  await turns();
  socket.say("error");
  await assert.rejects(dial, failure("CONNECTION", "127.0.0.1:80"));
  await turns();
  assert.deepEqual(socket.closes, [undefined]);
});

test("a close before the open rejects the dial", async () => {
  const { socket, dial } = fake();
  await turns();
  socket.say("close", { code: 1006, reason: "" });
  await assert.rejects(dial, failure("CONNECTION", "1006"));
});

test("a full server that closes before the open is MAX_CONNECTIONS: Firefox tells no more of it", async () => {
  const { socket, dial } = fake();
  await turns();
  socket.say("close", { code: 1008, reason: "Maximum Connections Exceeded" });
  await assert.rejects(dial, failure("MAX_CONNECTIONS", "Maximum Connections Exceeded"));
});

test("trap 7: a socket that opens after the dial was aborted is closed, and nothing of it is heard", async () => {
  const control = new AbortController();
  const { socket, dial } = fake({ signal: control.signal });
  await turns();
  const reason = new Error("deadline");
  control.abort(reason);
  await assert.rejects(dial, (error) => {
    assert.equal((error as Error).cause, reason);
    return failure("ABORTED", "127.0.0.1:80")(error);
  });
  assert.equal(socket.closes.length, 1);
  socket.say("open");
  assert.equal(socket.closes.length, 2);
  socket.say("message", { data: new ArrayBuffer(3) });
  socket.say("error");
  socket.say("close", { code: 1006, reason: "" });
});

test("trap 7: a factory that gives its socket after the abort: the socket is closed, open or not", async () => {
  for (const state of [0, 1]) {
    const control = new AbortController();
    const socket = new FakeSocket();
    socket.readyState = state;
    let give!: () => void;
    const gate = new Promise<void>((resolve) => {
      give = resolve;
    });
    const dial = webSocketDialer(async () => {
      await gate;
      return { socket, encrypted: true };
    })(wsTarget(80, { signal: control.signal }));
    control.abort();
    await assert.rejects(dial, failure("ABORTED"));
    give();
    await turns();
    assert.ok(socket.closes.length > 0);
  }
});

test("trap 7, trap 11: dials aborted at any moment leave no socket", async (t) => {
  const later = cleanup(t);
  const silent = await listen(later);
  const { port, sockets } = await serve(later, undefined, { secure: serverTls });
  const plain = await serve(later);
  for (let i = 0; i < 12; i++) {
    for (const at of [
      wsTarget(silent.port),
      wsTarget(plain.port),
      wsTarget(port, { scheme: "wss", tls: { ca } }),
    ]) {
      const control = new AbortController();
      const dial = dialWebSocket({ ...at, signal: control.signal });
      // either is right: it opened before the abort, or it was aborted
      const check = dial.then((transport) => transport.destroy(), failure("ABORTED"));
      for (let turn = 0; turn < i; turn++) await new Promise(setImmediate);
      control.abort();
      await check;
    }
  }
  await until(
    () => silent.sockets.size + sockets.size + plain.sockets.size === 0,
    "no connection at the servers",
  );
});

test("trap 11: a dial whose signal is aborted already makes no socket", async () => {
  let calls = 0;
  const dial = webSocketDialer(async () => {
    calls++;
    return { socket: new FakeSocket(), encrypted: false };
  });
  await assert.rejects(dial(wsTarget(80, { signal: AbortSignal.abort() })), failure("ABORTED"));
  assert.equal(calls, 0);
});

test("trap 8: close() resolves with the close event, not before, and late events are ignored", async () => {
  const { socket, transport, events } = await openFake();
  let resolved = false;
  const closing = transport.close().then(() => {
    resolved = true;
  });
  await turns();
  assert.deepEqual(socket.closes, [1000]);
  assert.equal(resolved, false);
  socket.say("message", { data: new ArrayBuffer(3) });
  socket.say("close", { code: 1006, reason: "" });
  await closing;
  assert.equal(await events.closed, undefined);
  assert.equal(events.length, 0);
});

test("C-WS-13: close() waits until bufferedAmount is 0 before it closes", async (t) => {
  fakeTimers(t);
  const { socket, transport, events } = await openFake();
  socket.bufferedAmount = 10;
  const closing = transport.close();
  t.mock.timers.tick(1000);
  assert.deepEqual(socket.closes, []);
  socket.bufferedAmount = 0;
  t.mock.timers.tick(40);
  assert.deepEqual(socket.closes, [1000]);
  socket.say("close", { code: 1000, reason: "" });
  await closing;
  assert.equal(await events.closed, undefined);
});

test("trap 5: close() gives up after 5 seconds on a bufferedAmount that never drains, and says what was lost", async (t) => {
  fakeTimers(t);
  const { socket, transport, events } = await openFake();
  socket.bufferedAmount = 1234;
  const closing = transport.close();
  t.mock.timers.tick(4999);
  await Promise.resolve();
  assert.deepEqual(events.closes, []);
  t.mock.timers.tick(1);
  await closing;
  failure("CONNECTION", "1234 bytes", "127.0.0.1:80")(await events.closed);
  assert.deepEqual(socket.closes, [undefined]);
});

test("trap 5: close() resolves after 5 seconds when the close event never comes", async (t) => {
  fakeTimers(t);
  const { transport, events } = await openFake();
  const closing = transport.close();
  t.mock.timers.tick(5000);
  await closing;
  assert.equal(await events.closed, undefined);
});

test("trap 4, trap 5: destroy is immediate though the peer stopped reading and bytes wait", async (t) => {
  const { transport, socket } = await join(t);
  const events = new Recorder(transport);
  socket.pause();
  let ready = true;
  for (let i = 0; i < 40; i++) ready = transport.write(pattern(1_000_000));
  await new Promise(setImmediate);
  assert.equal(ready, false);
  assert.ok(transport.buffered > 1_000_000);
  const error = new Error("stale");
  fakeTimers(t);
  transport.destroy(error);
  assert.equal(await events.closed, error);
  await transport.close();
});

test("write says false above 1 MiB of bufferedAmount, and onDrain comes at half of it, and once more at 64 KiB", async (t) => {
  fakeTimers(t);
  const { socket, transport, events } = await openFake();
  socket.bufferedAmount = 1 << 20;
  assert.equal(transport.write(bytes("x")), true);
  socket.bufferedAmount++;
  assert.equal(transport.write(bytes("x")), false);
  assert.equal(transport.write(bytes("x")), false);
  t.mock.timers.tick(500);
  assert.equal(events.drains, 0);
  socket.bufferedAmount = 1 << 19;
  t.mock.timers.tick(40);
  assert.equal(events.drains, 1);
  t.mock.timers.tick(1000);
  assert.equal(events.drains, 1);
  socket.bufferedAmount = 1 << 16;
  t.mock.timers.tick(40);
  assert.equal(events.drains, 2);
  t.mock.timers.tick(1000);
  assert.equal(events.drains, 2);
  assert.equal(transport.write(bytes("x")), true);
});

test("onDrain tells of 64 KiB though write never said false: who waits for little to be pending hears of it", async (t) => {
  fakeTimers(t);
  const { socket, transport, events } = await openFake();
  socket.bufferedAmount = 100_000;
  assert.equal(transport.write(bytes("x")), true);
  t.mock.timers.tick(40);
  assert.equal(events.drains, 0);
  socket.bufferedAmount = 1 << 16;
  t.mock.timers.tick(40);
  assert.equal(events.drains, 1);
});

test("a real peer that reads again after a pause lets writes go on", async (t) => {
  const { transport, socket, peer } = await join(t);
  const events = new Recorder(transport);
  socket.pause();
  let sent = 0;
  const chunk = pattern(500_000);
  do {
    sent += chunk.length;
    if (sent % 5_000_000 === 0) await new Promise(setImmediate);
  } while (transport.write(chunk));
  socket.resume();
  await events.drained();
  await peer.received.atLeast(sent);
  assert.equal(transport.write(chunk), true);
});

test("a send that throws ends it with that as the cause", async () => {
  const { socket, transport, events } = await openFake();
  const cause = new Error("InvalidStateError");
  socket.send = () => {
    throw cause;
  };
  assert.equal(transport.write(bytes("x")), false);
  const error = await events.closed;
  failure("CONNECTION", "InvalidStateError")(error);
  assert.equal(error?.cause, cause);
});

test("a factory may give an open socket, throw, or give nothing", async () => {
  const socket = new FakeSocket();
  socket.readyState = 1;
  const dial = (make: () => unknown) => webSocketDialer(make as never)(wsTarget(80));
  const transport = await dial(async () => ({ socket, encrypted: true }));
  assert.equal(transport.encrypted, true);
  const thrown = new Error("no proxy");
  await assert.rejects(
    dial(() => {
      throw thrown;
    }),
    (error) => failure("CONNECTION", "no proxy")(error) && (error as Error).cause === thrown,
  );
  await assert.rejects(
    dial(async () => undefined),
    failure("CONNECTION", "127.0.0.1:80"),
  );
  await assert.rejects(
    dial(() => Promise.reject(undefined)),
    failure("CONNECTION", "127.0.0.1:80"),
  );
  const closed = new FakeSocket();
  closed.readyState = 3;
  await assert.rejects(
    dial(async () => ({ socket: closed, encrypted: false })),
    failure("CONNECTION", "127.0.0.1:80"),
  );
});

test("trap 12: hundreds of failed dials leave the heap as it was", async (t) => {
  cleanup(t);
  const { signal } = new AbortController();
  const fail = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await assert.rejects(dialWebSocket(wsTarget(9, { signal })));
    await new Promise(setImmediate);
  };
  await fail(300);
  const grown = await growth(() => fail(800), 600_000);
  assert.ok(grown < 600_000, `${grown} bytes for 800 dials`);
});

const browsers = { skip: isDeno && "about isomorphic-ws" };
test(
  "where the WebSocket is the runtime's own, headers and TLS options are UNSUPPORTED, and the rest works",
  browsers,
  async (t) => {
    const later = cleanup(t);
    const { port } = await serve(later);
    const own = globalThis.WebSocket;
    later(() => {
      globalThis.WebSocket = own;
    });
    globalThis.WebSocket = WsWebSocket as never;
    for (const dialer of [dialWebSocket, dialOwnWebSocket]) {
      const dial = (more: Partial<DialTarget>) => dialer(wsTarget(port, more));
      await assert.rejects(dial({ wsHeaders: { a: "b" } }), failure("UNSUPPORTED", "wsHeaders"));
      await assert.rejects(dial({ scheme: "wss", tls: { ca } }), failure("UNSUPPORTED", "tls.ca"));
      (await dial({ tls: { ca } })).destroy();
      (await dial({ tls: null })).destroy();
    }
  },
);
