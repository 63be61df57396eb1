import assert from "node:assert/strict";
import type net from "node:net";
import { type TestContext, test } from "node:test";
import { createConnect } from "../../src/client/connect.ts";
import { isNatsError, type NatsErrorCode } from "../../src/errors.ts";
import { socketDialer } from "../../src/transport/tcp.cloudflare.ts";
import type { DialTarget } from "../../src/transport/transport.ts";
import { startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";
import { type Peer, transportContract } from "./contract.ts";
import {
  bytes,
  Collector,
  cleanup,
  listen,
  pattern,
  pem,
  Recorder,
  serverTls,
  target,
  text,
  until,
} from "./support.ts";
import { workersSockets } from "./workers-sockets.ts";

const ca = pem("ca.crt");

function peerOf(socket: net.Socket): Peer {
  const received = new Collector();
  socket.on("data", (chunk) => received.add(chunk));
  return {
    received,
    send: (data) => void socket.write(data),
    end: () => void socket.end(),
    gone: new Promise((resolve) => socket.on("close", resolve)),
  };
}

/** An assert.rejects matcher: the code, and a text that has all the parts. */
function failure(code: NatsErrorCode, ...parts: string[]): (error: unknown) => true {
  return (error) => {
    assert.ok(isNatsError(error), `not a NatsError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    for (const part of parts)
      assert.ok(error.message.includes(part), `'${part}' is missing in: ${error.message}`);
    return true;
  };
}

async function join(t: TestContext, more: Partial<DialTarget> & { secure?: boolean } = {}) {
  const later = cleanup(t);
  const { secure, ...fields } = more;
  let accept!: (socket: net.Socket) => void;
  const accepted = new Promise<net.Socket>((resolve) => {
    accept = resolve;
  });
  const server = await listen(later, (socket) => accept(socket), secure ? { secure: serverTls } : {});
  const sockets = workersSockets(ca);
  const transport = await socketDialer(sockets.connect)(target(server.port, fields));
  later(() => transport.destroy());
  return { transport, peer: peerOf(await accepted), ...sockets };
}

transportContract("sockets of Workers (faked)", (t) => join(t));
transportContract("sockets of Workers (faked), TLS", (t) => join(t, { secure: true, handshakeFirst: true }));

for (const [name, tls] of [
  ["in clear", undefined],
  ["with TLS after INFO", "required"],
  ["with TLS before INFO", "first"],
] as const) {
  test(`on sockets of Workers (faked) a connection ${name} sends, asks, and comes back after a restart of the server`, async (t) => {
    const server = await startServer(t, tls === undefined ? {} : { tls });
    const dial = socketDialer(workersSockets(ca).connect);
    const connect = createConnect({ nats: dial, tls: dial });
    const nc = await connect({
      servers: `127.0.0.1:${server.port}`,
      reconnectTimeWait: 20,
      ...(tls === "first" && { tls: { handshakeFirst: true } }),
    });
    t.after(() => nc.close());
    assert.equal(nc.info?.tls_required ?? false, tls !== undefined);
    nc.subscribe("echo", { callback: (_error, msg) => void msg.respond(msg.data) });
    const large = pattern(700_000);
    assert.deepEqual((await nc.request("echo", large, PATIENT)).data, large);

    await server.restart();
    assert.equal((await nc.request("echo", "again", PATIENT)).string(), "again");
    assert.equal(nc.stats().reconnects, 1);
    await nc.drain();
    assert.equal(await nc.closed(), undefined);
  });
}

test("trap 11: a dial whose signal fires leaves no socket: before, while it connects, and in the handshake", async (t) => {
  const later = cleanup(t);
  const { port, sockets, count } = await listen(later);
  const dial = socketDialer(workersSockets(ca).connect);
  await assert.rejects(dial(target(port, { signal: AbortSignal.abort() })), failure("ABORTED"));
  assert.equal(count(), 0);
  for (const handshakeFirst of [false, true]) {
    const control = new AbortController();
    const dialled = dial(target(port, { signal: control.signal, handshakeFirst }));
    const check = assert.rejects(dialled, failure("ABORTED", `127.0.0.1:${port}`));
    if (handshakeFirst) await until(() => sockets.size === 1, "the connection");
    control.abort();
    await check;
    await until(() => sockets.size === 0, "no connection at the server");
  }
});

test("a server that is not there is CONNECTION with its name and what the runtime says", async (t) => {
  cleanup(t);
  await assert.rejects(
    socketDialer(workersSockets().connect)(target(1)),
    failure("CONNECTION", "127.0.0.1:1", "proxy request failed"),
  );
});

test("an address that the runtime takes for none is INVALID_ARGUMENT", async () => {
  const dial = socketDialer(() => {
    throw new TypeError("The specified address could not be parsed.");
  });
  await assert.rejects(
    dial(target(4222)),
    failure("INVALID_ARGUMENT", "127.0.0.1:4222", "could not be parsed"),
  );
});

test("WebSocket addresses, and TLS options that Workers don't know, are UNSUPPORTED and named", async () => {
  const dial = socketDialer(() => assert.fail("nothing is dialled"));
  await assert.rejects(dial(target(80, { scheme: "wss" })), failure("UNSUPPORTED", "wss://127.0.0.1:80"));
  await assert.rejects(
    dial(target(4222, { tls: { ca } })),
    failure("UNSUPPORTED", "tls.ca", "public authority"),
  );
  await assert.rejects(dial(target(4222, { tls: { cert: "" } })), failure("UNSUPPORTED", "tls.cert"));
});

test("IPv6 addresses are dialled in brackets", async () => {
  const asked: string[] = [];
  const dial = socketDialer(({ hostname }) => {
    asked.push(hostname);
    throw new TypeError("no");
  });
  await assert.rejects(dial(target(4222, { hostname: "::1" })), failure("INVALID_ARGUMENT", "[::1]:4222"));
  assert.deepEqual(asked, ["[::1]"]);
});

test("a certificate that is not trusted, or for another name, is TLS, and no socket is left", async (t) => {
  const later = cleanup(t);
  const { port, sockets } = await listen(later, undefined, { secure: serverTls });
  const first = { handshakeFirst: true };
  await assert.rejects(
    socketDialer(workersSockets(pem("other-ca.crt")).connect)(target(port, first)),
    failure("TLS", `127.0.0.1:${port}`, "public authorities"),
  );
  await assert.rejects(
    socketDialer(workersSockets(ca).connect)(target(port, { ...first, tls: { servername: "other.test" } })),
    failure("TLS", `127.0.0.1:${port}`),
  );
  await until(() => sockets.size === 0, "no connection at the server");
});

test("the name to verify is handed on where it is not that of the address", async (t) => {
  const named = await join(t, { secure: true, handshakeFirst: true, tls: { servername: "localhost" } });
  assert.deepEqual(named.upgrades, [{ expectedServerHostname: "localhost" }]);
  named.transport.destroy();
});

test("the name of the address is left to the runtime", async (t) => {
  const { transport, upgrades } = await join(t, { secure: true, handshakeFirst: true });
  assert.deepEqual(upgrades, [{}]);
  assert.equal(transport.encrypted, true);
  transport.destroy();
});

test("startTls is for the turn in which bytes came: once something was sent, or twice, it is TLS", async (t) => {
  const { transport, peer } = await join(t);
  const events = new Recorder(transport);
  transport.write(bytes("CONNECT {}\r\n"));
  await assert.rejects(async () => transport.startTls?.(), failure("TLS", "before any are sent"));
  peer.send(bytes("still here"));
  assert.equal(text(await events.atLeast(10)), "still here");
  transport.destroy();
  await assert.rejects(async () => transport.startTls?.(), failure("TLS", "is over"));
});

test("a write is held back until the runtime has taken it, and then there is one onDrain", async (t) => {
  const { transport, peer } = await join(t);
  const events = new Recorder(transport);
  assert.equal(transport.write(pattern(100_000)), false);
  assert.equal(transport.write(pattern(100_000)), false);
  assert.equal(transport.buffered, 200_000);
  await events.drained();
  assert.equal(transport.buffered, 0);
  await peer.received.atLeast(200_000);
  assert.equal(events.drains, 1);
  transport.destroy();
});
