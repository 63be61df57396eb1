// What of TCP and TLS is Deno's: how its sockets are used. Run inside Deno, by deno.test.ts.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { dialTcp } from "../../src/transport/tcp.deno.ts";
import {
  bytes,
  cleanup,
  failure,
  listen,
  pattern,
  pem,
  Recorder,
  target,
  text,
  turns,
  until,
} from "./support.ts";
import { freePort, joinTcp, resolver } from "./tcp-support.ts";

interface Conn {
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean): void;
  close(): void;
}
interface Options {
  hostname: string;
  port: number;
  signal: AbortSignal;
}
interface DenoApi {
  connect(options: Options): Promise<Conn>;
  permissions: { query(of: object): Promise<{ state: string }> };
  env: { get(name: string): string | undefined };
}
const { Deno } = globalThis as unknown as { Deno: DenoApi };
const ca = pem("ca.crt");

/** Deno.connect asks `instead` first; gives the hosts that were asked for. */
function watchConnect(
  t: TestContext,
  instead: (options: Options, real: DenoApi["connect"]) => Promise<Conn> = (options, real) => real(options),
): string[] {
  const hosts: string[] = [];
  const real = Deno.connect;
  Deno.connect = (options) => {
    hosts.push(options.hostname);
    return instead(options, real);
  };
  t.after(() => {
    Deno.connect = real;
  });
  return hosts;
}

/** A promise that only the signal ends. */
function silence({ signal }: Options): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

test("C-TCP-2: Nagle is off, and the keep-alive of TCP is on", async (t) => {
  const set: string[] = [];
  watchConnect(t, async (options, real) => {
    const conn = await real(options);
    conn.setNoDelay = (on) => void set.push(`noDelay ${on}`);
    conn.setKeepAlive = (on) => void set.push(`keepAlive ${on}`);
    return conn;
  });
  const { transport } = await joinTcp(t);
  assert.deepEqual(set, ["noDelay true", "keepAlive true"]);
  transport.destroy();
});

test("C-TCP-3: the addresses are shuffled, and noRandomize keeps the order of the resolver", async (t) => {
  cleanup(t);
  const port = await freePort();
  const addresses = ["127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8", "127.0.0.9"];
  resolver(t, { "many.test": addresses });
  const hosts = watchConnect(t);
  const order = async (noRandomize: boolean): Promise<string> => {
    hosts.length = 0;
    const dial = dialTcp(target(port, { hostname: "many.test", noRandomize }));
    await assert.rejects(dial, failure("CONNECTION_REFUSED", `many.test:${port}`));
    return hosts.join();
  };
  assert.equal(await order(true), addresses.join());
  const orders = new Set<string>();
  for (let i = 0; i < 20; i++) orders.add(await order(false));
  assert.ok(orders.size > 1, "twenty dials in the same order");
  for (const seen of orders) assert.equal(seen.split(",").sort().join(), addresses.join());
});

test("C-TCP-3: an address that does not answer delays the next only, and is given up when that connects", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later);
  resolver(t, { "hole.test": ["192.0.2.1", "127.0.0.1"] });
  let given: AbortSignal | undefined;
  const hosts = watchConnect(t, (options, real) => {
    if (options.hostname === "127.0.0.1") return real(options);
    given = options.signal;
    return silence(options);
  });
  const transport = await dialTcp(target(port, { hostname: "hole.test" }));
  assert.deepEqual(hosts, ["192.0.2.1", "127.0.0.1"]);
  assert.equal(given?.aborted, true);
  transport.destroy();
});

test("C-TCP-3: of two addresses that connect late, the first to do so wins and the other is closed", async (t) => {
  const later = cleanup(t);
  const { port, sockets, count } = await listen(later);
  resolver(t, { "late.test": ["192.0.2.1", "192.0.2.2"] });
  let second!: () => void;
  const both = new Promise<void>((resolve) => {
    second = resolve;
  });
  const hosts = watchConnect(t, async (_, real) => {
    if (hosts.length === 2) second();
    await both;
    // deaf to its signal: it connects, though it comes too late
    return real({ hostname: "127.0.0.1", port, signal: new AbortController().signal });
  });
  const transport = await dialTcp(target(port, { hostname: "late.test" }));
  await until(() => count() === 2 && sockets.size === 1, "one connection at the server");
  transport.destroy();
});

test("trap 11: a signal that fires in the moment of the connect leaves no socket", async (t) => {
  const later = cleanup(t);
  const { port, sockets } = await listen(later);
  const control = new AbortController();
  watchConnect(t, async (options, real) => {
    const conn = await real(options);
    control.abort();
    return conn;
  });
  await assert.rejects(dialTcp(target(port, { signal: control.signal })), failure("ABORTED"));
  await until(() => sockets.size === 0, "no connection at the server");
});

test("where only certain hosts may be dialled, Deno gets the name, which its permission is for", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later);
  const asked = resolver(t, {});
  t.mock.method(Deno.permissions, "query", async () => ({ state: "prompt" }));
  const hosts = watchConnect(t);
  (await dialTcp(target(port, { hostname: "localhost" }))).destroy();
  assert.deepEqual([asked, hosts], [[], ["localhost"]]);
});

test("a missing permission is told with its cure", async (t) => {
  cleanup(t);
  watchConnect(t, async () => {
    const error = new Error('Requires net access to "localhost:4222", run again with the --allow-net flag');
    throw Object.assign(error, { name: "NotCapable" });
  });
  const dial = dialTcp(target(4222, { hostname: "localhost" }));
  await assert.rejects(dial, failure("CONNECTION", "localhost:4222", "--allow-net"));
});

test("a small piece has a buffer of its own size, a large one is not copied, and none is written again", async (t) => {
  const { transport, peer } = await joinTcp(t);
  const events = new Recorder(transport);
  peer.send(bytes("small"));
  await events.atLeast(5);
  peer.send(pattern(1_000_000));
  await events.atLeast(1_000_005);
  const buffers = events.chunks.map(({ buffer }) => buffer);
  assert.equal(new Set(buffers).size, buffers.length);
  assert.equal(buffers[0]?.byteLength, 5);
  assert.deepEqual(events.bytes.slice(5), pattern(1_000_000));
  assert.equal(text(events.bytes.subarray(0, 5)), "small");
  transport.destroy();
});

test("startTls after something was sent, or while a read waits, is refused and harms nothing", async (t) => {
  const { transport, peer } = await joinTcp(t, { tls: { ca } });
  const events = new Recorder(transport);
  await assert.rejects(async () => transport.startTls?.(), failure("TLS", "the turn in which bytes came"));
  transport.write(bytes("PING\r\n"));
  await peer.received.atLeast(6);
  await turns();
  await assert.rejects(async () => transport.startTls?.(), failure("TLS", "before any are sent"));
  peer.send(bytes("PONG\r\n"));
  assert.equal(text(await events.atLeast(6)), "PONG\r\n");
  transport.destroy();
});

test("tls: write says false while bytes wait, and onDrain comes once, when they all went", async (t) => {
  cleanup(t);
  // it reads nothing, until there is a second connection
  const port = Number(Deno.env.get("ISONATS_STALLED_TLS"));
  const transport = await dialTcp(target(port, { handshakeFirst: true, tls: { ca } }));
  const events = new Recorder(transport);
  const chunk = pattern(65_536);
  for (let i = 0; i < 400; i++) assert.equal(transport.write(chunk), false);
  await turns();
  assert.ok(transport.buffered >= 1_000_000, `${transport.buffered}`);
  assert.equal(events.drains, 0);
  const drained = events.drained();
  (await dialTcp(target(port))).destroy();
  await drained;
  assert.equal(transport.buffered, 0);
  assert.equal(events.drains, 1);
  transport.destroy();
});
