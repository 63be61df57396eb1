// What of TCP is Node's: how node:net is used.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import type tls from "node:tls";
import { dialTcp } from "../../src/transport/tcp.node.ts";
import { bytes, cleanup, failure, listen, pem, Recorder, target, until } from "./support.ts";
import { freePort, joinTcp, resolver } from "./tcp-support.ts";

const ca = pem("ca.crt");

test("C-TCP-2: Nagle is off, and the keep-alive of TCP is on", async (t) => {
  const connect = t.mock.method(net, "connect");
  const { transport } = await joinTcp(t);
  const options = connect.mock.calls[0]?.arguments[0] as unknown as net.TcpNetConnectOpts & {
    noDelay: boolean;
  };
  assert.equal(options.noDelay, true);
  assert.equal(options.keepAlive, true);
  assert.ok((options.keepAliveInitialDelay ?? 0) > 0);
  transport.destroy();
});

test("C-TCP-3: the addresses are shuffled, and noRandomize keeps the order of the resolver", async (t) => {
  cleanup(t);
  const port = await freePort();
  const addresses = ["127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8", "127.0.0.9"];
  resolver(t, { "many.test": addresses });
  const connect = t.mock.method(net, "connect");
  const orders = new Set<string>();
  const order = async (noRandomize: boolean): Promise<string> => {
    connect.mock.resetCalls();
    await assert.rejects(
      dialTcp(target(port, { hostname: "many.test", noRandomize })),
      failure("CONNECTION_REFUSED", `many.test:${port}`),
    );
    return connect.mock.calls.map((call) => (call.arguments[0] as unknown as { host: string }).host).join();
  };
  assert.equal(await order(true), addresses.join());
  for (let i = 0; i < 20; i++) {
    const seen = await order(false);
    assert.equal(seen.split(",").sort().join(), addresses.join());
    orders.add(seen);
  }
  assert.ok(orders.size > 1, "twenty dials in the same order");
});

test("C-TCP-3: an address that does not answer delays the next by 250 ms only, and is given up when that connects", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later);
  resolver(t, { "hole.test": ["192.0.2.1", "127.0.0.1"] });
  // the address for documentation may be refused or swallowed here: make it silent for sure
  const silent = new net.Socket();
  const real = net.connect;
  t.mock.method(net, "connect", ((options: net.TcpNetConnectOpts) =>
    options.host === "192.0.2.1" ? silent : real(options)) as never);
  const started = performance.now();
  const transport = await dialTcp(target(port, { hostname: "hole.test" }));
  const took = performance.now() - started;
  assert.ok(took > 200, `${took} ms`);
  assert.equal(silent.destroyed, true);
  transport.destroy();
});

test("C-TCP-3: of two addresses that connect late, the first to do so wins and the other is destroyed", async (t) => {
  const later = cleanup(t);
  const { port, sockets } = await listen(later);
  resolver(t, { "late.test": ["192.0.2.1", "192.0.2.2"] });
  const made: net.Socket[] = [];
  const real = net.connect;
  t.mock.method(net, "connect", (() => {
    const socket = new net.Socket();
    made.push(socket);
    if (made.length === 2) {
      // the first one answers at last, while the second is under way
      made[0]?.connect(port, "127.0.0.1");
      socket.connect(port, "127.0.0.1");
    }
    return socket;
  }) as typeof real);
  const transport = await dialTcp(target(port, { hostname: "late.test" }));
  const open = made.filter((socket) => !socket.destroyed);
  assert.equal(open.length, 1);
  await until(() => sockets.size === 1, "one connection at the server");
  transport.destroy();
});

test("trap 11: a signal that fires in the moment of the connect leaves no socket", async (t) => {
  const later = cleanup(t);
  const { port, sockets } = await listen(later);
  const control = new AbortController();
  const real = net.connect;
  t.mock.method(net, "connect", ((options: net.TcpNetConnectOpts) =>
    real(options).once("connect", () => queueMicrotask(() => control.abort()))) as never);
  await assert.rejects(dialTcp(target(port, { signal: control.signal })), failure("ABORTED"));
  await until(() => sockets.size === 0, "no connection at the server");
});

test("a write that the system takes at once says true and is followed by no onDrain", async (t) => {
  const { transport, peer } = await joinTcp(t);
  const events = new Recorder(transport);
  for (let i = 0; i < 100; i++) assert.equal(transport.write(bytes("PING\r\n")), true);
  await peer.received.atLeast(600);
  assert.equal(events.drains, 0);
  transport.destroy();
});

test("C-TLS-9: TLS 1.3 is spoken where both can, without options", async (t) => {
  const { transport, socket } = await joinTcp(t, { secure: true, handshakeFirst: true, tls: { ca } });
  assert.equal((socket as tls.TLSSocket).getProtocol(), "TLSv1.3");
  transport.destroy();
});
