// TCP and TLS, as every runtime with sockets must have them: run here with those of Node, by deno.test.ts with those of Deno.
import assert from "node:assert/strict";
import dns from "node:dns";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import tls from "node:tls";
import type { TlsOptions } from "../../src/transport/tls.ts";
import type { DialTarget, Transport } from "../../src/transport/transport.ts";
import { transportContract } from "./contract.ts";
import { dialTcp, isDeno } from "./dialers.ts";
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
  text,
  until,
} from "./support.ts";
import { freePort, joinTcp, peerOf, resolver } from "./tcp-support.ts";

const ca = pem("ca.crt");
const clientCert = { cert: pem("client.crt"), key: pem("client.key") };
const INFO = 'INFO {"server_id":"x"}\r\n';

transportContract("tcp", (t) => joinTcp(t));
transportContract("tls", (t) => joinTcp(t, { secure: true, handshakeFirst: true, tls: { ca } }));
transportContract("tls 1.2", (t) =>
  joinTcp(t, { secure: true, handshakeFirst: true, tls: { ca, maxVersion: "TLSv1.2" } }),
);

test("C-TCP-3: every address of a name is tried until one connects", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later);
  const asked = resolver(t, { "three.test": ["127.0.0.2", "::1", "127.0.0.1"] });
  const transport = await dialTcp(target(port, { hostname: "three.test" }));
  assert.deepEqual(asked, ["three.test"]);
  transport.destroy();
});

test("trap 26: IPv4, IPv6 and IPv4-mapped literals are used as they are, without the resolver", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later, undefined, { host: "::" });
  const asked = resolver(t, {});
  for (const hostname of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"]) {
    const transport = await dialTcp(target(port, { hostname }));
    assert.equal(transport.encrypted, false);
    transport.destroy();
  }
  assert.deepEqual(asked, []);
});

test("trap 28: names go to the resolver of the system (/etc/hosts), at every dial", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later);
  const asked = resolver(t, {});
  for (let i = 0; i < 2; i++) (await dialTcp(target(port, { hostname: "localhost" }))).destroy();
  assert.deepEqual(asked, ["localhost", "localhost"]);
});

test("trap 28: when the resolver fails the socket is given the name", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later);
  const real = dns.lookup;
  let calls = 0;
  t.mock.method(dns, "lookup", ((name: string, options: dns.LookupAllOptions, callback: never) => {
    if (calls++ === 0)
      process.nextTick(callback, Object.assign(new Error("again"), { code: "EAI_AGAIN" }), undefined);
    else real(name, options, callback);
  }) as never);
  const transport = await dialTcp(target(port, { hostname: "localhost" }));
  assert.ok(calls > 0);
  transport.destroy();
});

test("trap 28: a name that nobody knows is named in the error, with the cure", async (t) => {
  cleanup(t);
  await assert.rejects(
    dialTcp(target(4222, { hostname: "no-such-host.invalid" })),
    failure("CONNECTION", "'no-such-host.invalid'", "check"),
  );
});

test("trap 30: a WebSocket address is refused with a text that says so", async () => {
  for (const scheme of ["ws", "wss"] as const) {
    await assert.rejects(
      dialTcp(target(80, { scheme })),
      failure("UNSUPPORTED", `${scheme}://127.0.0.1:80`, "WebSocket"),
    );
  }
});

test("a port at which nothing listens is CONNECTION_REFUSED, naming the server", async (t) => {
  cleanup(t);
  const port = await freePort();
  await assert.rejects(dialTcp(target(port)), (error) => {
    failure("CONNECTION_REFUSED", `127.0.0.1:${port}`)(error);
    const { server, cause } = error as { server?: string; cause?: { code?: string } };
    assert.equal(server, `127.0.0.1:${port}`);
    assert.equal(cause?.code, "ECONNREFUSED");
    return true;
  });
});

test("a port that is none is INVALID_ARGUMENT", async (t) => {
  cleanup(t);
  for (const hostname of ["127.0.0.1", "localhost"]) {
    await assert.rejects(dialTcp(target(70_000, { hostname })), failure("INVALID_ARGUMENT", ":70000"));
  }
});

test("trap 11: a dial whose signal is aborted already opens nothing", async (t) => {
  const later = cleanup(t);
  const { port, count } = await listen(later);
  const reason = new Error("over");
  await assert.rejects(dialTcp(target(port, { signal: AbortSignal.abort(reason) })), (error) => {
    assert.equal((error as Error).cause, reason);
    return failure("ABORTED", `127.0.0.1:${port}`)(error);
  });
  await new Promise(setImmediate);
  assert.equal(count(), 0);
});

test("trap 11: a dial aborted while it connects, resolves the name or shakes hands leaves no socket", async (t) => {
  const later = cleanup(t);
  const { port, sockets } = await listen(later);
  const aborted = async (more: Partial<DialTarget>, when: () => Promise<unknown>): Promise<void> => {
    const control = new AbortController();
    const dial = dialTcp(target(port, { ...more, signal: control.signal }));
    const check = assert.rejects(dial, failure("ABORTED"));
    await when();
    control.abort();
    await check;
    await until(() => sockets.size === 0, "no connection at the server");
  };
  const turns = (count: number) => async () => {
    for (let i = 0; i < count; i++) await Promise.resolve();
  };
  for (let i = 0; i < 10; i++) {
    await aborted({}, turns(i));
    await aborted({ hostname: "localhost" }, turns(i));
    if (!isDeno) await aborted({ handshakeFirst: true, tls: { ca } }, turns(i));
  }
  if (isDeno) return; // it keeps the socket of a handshake that is given up until the peer ends it
  // the server accepts and never says anything of TLS
  await aborted({ handshakeFirst: true, tls: { ca } }, () =>
    until(() => sockets.size === 1, "the connection"),
  );
});

test("trap 12: thousands of failed dials leave the heap as it was", async (t) => {
  cleanup(t);
  const port = await freePort();
  const { signal } = new AbortController();
  const fail = async (): Promise<void> => {
    for (let i = 0; i < 2000; i++) await assert.rejects(dialTcp(target(port, { signal })));
  };
  await fail();
  const grown = await growth(fail, 600_000);
  assert.ok(grown < 600_000, `${grown} bytes for 2000 dials`);
});

for (const [name, more] of Object.entries({
  tcp: {},
  tls: { secure: true, handshakeFirst: true, tls: { ca } },
})) {
  // a server of Deno's node:tls reads while it is paused; tcp.deno.ts has a peer that does not
  const skip = isDeno && name === "tls" && "needs a peer of another runtime";
  test(`${name}: write says false while bytes wait, and onDrain comes once, when they all went`, {
    skip,
  }, async (t) => {
    const { transport, socket, peer } = await joinTcp(t, more);
    const events = new Recorder(transport);
    socket.pause();
    let sent = 0;
    const chunk = pattern(65_536);
    // the system takes some, then no more; over TLS every write waits for a turn
    while (sent < 40_000_000 && transport.buffered < 1_000_000) {
      const ready = transport.write(chunk);
      sent += chunk.length;
      assert.equal(ready, transport.buffered === 0);
      if (!ready) await new Promise(setImmediate);
    }
    assert.ok(transport.buffered >= 1_000_000);
    const drains = events.drains;
    assert.equal(transport.write(bytes("x")), false);
    socket.resume();
    await events.drained();
    assert.equal(transport.buffered, 0);
    assert.equal(events.drains, drains + 1);
    await peer.received.atLeast(sent + 1);
    assert.equal(events.drains, drains + 1);
    transport.destroy();
    await events.closed;
  });

  test(`trap 4: ${name}: destroy is immediate though the peer stopped reading and the send buffer is full`, async (t) => {
    const { transport, socket } = await joinTcp(t, more);
    const events = new Recorder(transport);
    socket.pause();
    for (let i = 0; i < 40; i++) transport.write(pattern(1_000_000));
    await new Promise(setImmediate);
    assert.ok(transport.buffered > 1_000_000);
    fakeTimers(t);
    const error = new Error("stale");
    transport.destroy(error);
    assert.equal(await events.closed, error);
    await transport.close();
    assert.equal(events.drains, 0);
  });

  test(`trap 4: ${name}: close() gives up after 5 seconds on a peer that reads nothing, and says what was lost`, async (t) => {
    const { transport, socket } = await joinTcp(t, more);
    const events = new Recorder(transport);
    socket.pause();
    for (let i = 0; i < 40; i++) transport.write(pattern(1_000_000));
    await new Promise(setImmediate);
    fakeTimers(t);
    const closing = transport.close();
    t.mock.timers.tick(4999);
    await new Promise(setImmediate);
    assert.deepEqual(events.closes, []);
    t.mock.timers.tick(1);
    await closing;
    failure("CONNECTION", "stopped reading", "bytes were not sent")(await events.closed);
  });
}

test("close() resolves after 5 seconds when the peer read everything but keeps its half open", async (t) => {
  const later = cleanup(t);
  const half = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.resume();
    later(() => socket.destroy());
  });
  await new Promise<void>((resolve) => half.listen(0, "127.0.0.1", resolve));
  later(() => new Promise((resolve) => half.close(resolve)));
  const transport = await dialTcp(target((half.address() as net.AddressInfo).port));
  const events = new Recorder(transport);
  transport.write(bytes("PING\r\n"));
  fakeTimers(t);
  const closing = transport.close();
  await new Promise(setImmediate);
  t.mock.timers.tick(5000);
  await closing;
  assert.equal(await events.closed, undefined);
});

test("close() sends everything though unread bytes of the peer keep coming", async (t) => {
  const { transport, socket, peer } = await joinTcp(t);
  new Recorder(transport);
  const flood = setInterval(() => socket.write(pattern(100_000)), 1);
  t.after(() => clearInterval(flood));
  socket.on("end", () => clearInterval(flood));
  const sent = pattern(5_000_000);
  transport.write(sent);
  await transport.close();
  await peer.gone;
  assert.equal(peer.received.length, sent.length);
});

test("a reset by the peer after close() sent everything is no error", async (t) => {
  const { transport, socket } = await joinTcp(t);
  const events = new Recorder(transport);
  socket.on("end", () => socket.resetAndDestroy());
  transport.write(bytes("PING\r\n"));
  await transport.close();
  assert.equal(await events.closed, undefined);
});

test("a reset by the peer is one onClose with code CONNECTION, naming the server and the errno", async (t) => {
  const { transport, socket, server } = await joinTcp(t);
  const events = new Recorder(transport);
  socket.resetAndDestroy();
  failure("CONNECTION", `127.0.0.1:${server.port}`, "ECONNRESET")(await events.closed);
  await transport.close();
  assert.equal(events.closes.length, 1);
});

test("a peer that ends while our send buffer is full is gone at once", async (t) => {
  const { transport, socket } = await joinTcp(t);
  const events = new Recorder(transport);
  socket.pause();
  for (let i = 0; i < 40; i++) transport.write(pattern(1_000_000));
  await new Promise(setImmediate);
  socket.end();
  assert.equal(await events.closed, undefined);
});

// --- TLS

/** A NATS-like server: INFO in clear, then the handshake on the same socket. */
async function infoFirst(
  later: (undo: () => unknown) => void,
  options: tls.TlsOptions = serverTls,
): Promise<{ port: number; plain: Collector; secure: Promise<tls.TLSSocket>; sockets: Set<net.Socket> }> {
  const plain = new Collector();
  let done!: (socket: tls.TLSSocket) => void;
  const secure = new Promise<tls.TLSSocket>((resolve) => {
    done = resolve;
  });
  const { port, sockets } = await listen(later, (socket) => {
    socket.write(INFO);
    socket.once("data", (hello) => {
      plain.add(hello);
      socket.pause();
      socket.unshift(hello);
      const upgraded = new tls.TLSSocket(socket, { isServer: true, ...options });
      upgraded.on("error", () => {});
      upgraded.on("secure", () => done(upgraded));
    });
  });
  return { port, plain, secure, sockets };
}

/** Dial, wait for INFO, upgrade: what the connection does. */
async function upgrade(
  port: number,
  more: Partial<DialTarget>,
): Promise<{ transport: Transport; events: Recorder }> {
  const transport = await dialTcp(target(port, more));
  const events = new Recorder(transport);
  assert.equal(text(await events.atLeast(INFO.length)), INFO);
  assert.equal(transport.encrypted, false);
  events.chunks = [];
  events.length = 0;
  await transport.startTls?.();
  return { transport, events };
}

test("C-TLS-4: startTls upgrades in place; the first bytes after INFO are the ClientHello", async (t) => {
  const later = cleanup(t);
  const server = await infoFirst(later);
  const { transport, events } = await upgrade(server.port, { tls: { ca } });
  assert.equal(transport.encrypted, true);
  assert.equal(server.plain.bytes[0], 22, "a TLS handshake record");
  const peer = peerOf(await server.secure);
  transport.write(bytes("CONNECT {}\r\n"));
  assert.equal(text(await peer.received.atLeast(12)), "CONNECT {}\r\n");
  const big = pattern(500_000);
  peer.send(big);
  assert.deepEqual(await events.atLeast(big.length), big);
  transport.write(big);
  await transport.close();
  await peer.gone;
  assert.equal(peer.received.length, big.length + 12);
  assert.deepEqual(events.closes, [undefined]);
});

test("startTls: what is written during the handshake goes under TLS, never in clear", async (t) => {
  const later = cleanup(t);
  const server = await infoFirst(later);
  const transport = await dialTcp(target(server.port, { tls: { ca } }));
  const events = new Recorder(transport);
  await events.atLeast(INFO.length);
  const upgrading = transport.startTls?.();
  transport.write(bytes("CONNECT {}\r\n"));
  const peer = peerOf(await server.secure);
  await upgrading;
  assert.equal(text(await peer.received.atLeast(12)), "CONNECT {}\r\n");
  assert.ok(!text(server.plain.bytes).includes("CONNECT"));
  transport.destroy();
});

test("C-TLS-3: handshakeFirst begins with the ClientHello, and INFO comes under TLS", async (t) => {
  const { transport, peer } = await joinTcp(t, { secure: true, handshakeFirst: true, tls: { ca } });
  assert.equal(transport.encrypted, true);
  const events = new Recorder(transport);
  peer.send(bytes(INFO));
  assert.equal(text(await events.atLeast(INFO.length)), INFO);
  transport.destroy();
});

test("C-TCP-4, C-TLS-5: SNI and verification use servername, else tlsName, else the host name; an IP sends no SNI", async (t) => {
  const later = cleanup(t);
  let name: string | false | undefined;
  const { port } = await listen(
    later,
    (socket) => {
      // Deno's server says null where Node's says false
      name = ((socket as tls.TLSSocket).servername ?? false) as unknown as string | false;
      socket.write("x");
    },
    { secure: { ...serverTls, SNICallback: undefined as never }, host: "::" },
  );
  const dial = async (more: Partial<DialTarget>): Promise<string | false | undefined> => {
    name = undefined;
    const transport = await dialTcp(target(port, { handshakeFirst: true, ...more }));
    await new Recorder(transport).atLeast(1);
    transport.destroy();
    return name;
  };
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", onWarning);
  later(() => process.off("warning", onWarning));
  assert.equal(await dial({ hostname: "localhost", tls: { ca } }), "localhost");
  assert.equal(await dial({ hostname: "127.0.0.1", tlsName: "localhost", tls: { ca } }), "localhost");
  assert.equal(
    await dial({ hostname: "::1", tlsName: "nowhere.test", tls: { ca, servername: "localhost" } }),
    "localhost",
  );
  assert.equal(await dial({ hostname: "127.0.0.1", tls: { ca } }), false);
  assert.equal(await dial({ hostname: "::1", tls: { ca } }), false);
  assert.deepEqual(warnings, []);
});

test("C-TLS-5: trap 28: a resolved name stays the name to verify", async (t) => {
  const later = cleanup(t);
  resolver(t, { "example.test": ["127.0.0.1"], "other.test": ["127.0.0.1"] });
  const { port } = await listen(later, undefined, {
    secure: { cert: pem("wronghost.crt"), key: pem("wronghost.key") },
  });
  const dial = (hostname: string) => dialTcp(target(port, { hostname, handshakeFirst: true, tls: { ca } }));
  (await dial("example.test")).destroy();
  await assert.rejects(
    dial("other.test"),
    failure("TLS", `other.test:${port}`, "another name", "tls.servername"),
  );
});

for (const [way, start] of Object.entries({
  handshakeFirst: async (
    later: (undo: () => unknown) => void,
    more: Partial<DialTarget>,
    options?: tls.TlsOptions,
  ) => {
    const { port, sockets } = await listen(later, (socket) => socket.resume(), {
      secure: { ...serverTls, ...options },
    });
    return { dial: dialTcp(target(port, { ...more, handshakeFirst: true })), sockets };
  },
  startTls: async (
    later: (undo: () => unknown) => void,
    more: Partial<DialTarget>,
    options?: tls.TlsOptions,
  ) => {
    const { port, sockets } = await infoFirst(later, { ...serverTls, ...options });
    return { dial: upgrade(port, more).then(({ transport }) => transport), sockets };
  },
})) {
  const refuse = (
    title: string,
    parts: string[],
    more: Partial<DialTarget>,
    options?: tls.TlsOptions,
  ): void => {
    test(`C-TLS-7: ${way}: ${title}`, async (t) => {
      const { dial, sockets } = await start(cleanup(t), more, options);
      await assert.rejects(dial, failure("TLS", "127.0.0.1:", ...parts));
      await until(() => sockets.size === 0, "no connection at the server");
    });
  };
  refuse(
    "an unknown authority is refused, and the cure is tls.ca",
    ["not signed by an authority", "tls.ca"],
    {},
  );
  refuse("another authority is refused", ["not signed by an authority", "tls.ca"], {
    tls: { ca: pem("other-ca.crt") },
  });
  refuse(
    "a certificate for another name is refused",
    ["another name", "tls.servername"],
    { tls: { ca } },
    {
      cert: pem("wronghost.crt"),
      key: pem("wronghost.key"),
    },
  );
  refuse("a certificate that lacks the IPv6 address is refused", ["another name"], {
    tls: { ca, servername: "2001:db8::7" },
  });
  refuse("C-TLS-5: a certificate that lacks the tlsName is refused though it has the IP", ["another name"], {
    tls: { ca },
    tlsName: "nats.example.test",
  });
  refuse(
    "no common version of TLS is told",
    ["TLS with 127.0.0.1:"],
    { tls: { ca, maxVersion: "TLSv1.2" } },
    {
      minVersion: "TLSv1.3",
    },
  );
  refuse(
    "C-TLS-8: a client certificate that is demanded and not configured is asked for",
    ["demands a certificate of the client", "tls.cert", "tls.key"],
    { tls: { ca, maxVersion: "TLSv1.2" } },
    { ca, requestCert: true, rejectUnauthorized: true },
  );

  test(`C-TLS-8: ${way}: TLS 1.3 demands the client certificate after the handshake; the end says so`, async (t) => {
    const { dial } = await start(
      cleanup(t),
      { tls: { ca } },
      { ca, requestCert: true, rejectUnauthorized: true },
    );
    const transport = await dial;
    const events = new Recorder(transport);
    failure("TLS", "demands a certificate of the client", "tls.cert")(await events.closed);
    assert.equal(events.closes.length, 1);
  });

  test(`C-TLS-6: ${way}: a client certificate is shown, from texts and from files`, async (t) => {
    const later = cleanup(t);
    const options = { ca, requestCert: true, rejectUnauthorized: true };
    const files = {
      certFile: certPath("client.crt"),
      keyFile: certPath("client.key"),
      caFile: certPath("ca.crt"),
    };
    for (const tlsOptions of [{ ca, ...clientCert }, files]) {
      const { dial, sockets } = await start(later, { tls: tlsOptions }, options);
      const transport = await dial;
      assert.equal(transport.encrypted, true);
      const [socket] = sockets;
      assert.ok(socket);
      transport.destroy();
    }
  });

  test(`C-TLS-6, C-TLS-8: ${way}: an alert of the server about our certificate says what to do`, async (t) => {
    const later = cleanup(t);
    // handshake_failure 40, bad_certificate 42, certificate_expired 45, certificate_unknown 46, unknown_ca 48
    let alert = 0;
    const { port } = await listen(later, (socket) => {
      if (way === "startTls") socket.write(INFO);
      socket.once("data", () => socket.end(new Uint8Array([21, 3, 3, 0, 2, 2, alert])));
    });
    const dial = (tlsOptions: TlsOptions): Promise<unknown> =>
      way === "startTls"
        ? upgrade(port, { tls: tlsOptions })
        : dialTcp(target(port, { handshakeFirst: true, tls: tlsOptions }));
    for (alert of [40, 42]) {
      await assert.rejects(dial({ ca }), failure("TLS", "demands a certificate of the client", "tls.cert"));
    }
    for (alert of [42, 45, 46, 48]) {
      await assert.rejects(
        dial({ ca, ...clientCert }),
        failure("TLS", "does not accept the certificate", "tls.cert"),
      );
    }
  });

  test(`${way}: a peer that closes during the handshake is code TLS`, async (t) => {
    const later = cleanup(t);
    const { port } = await listen(later, (socket) => {
      if (way === "startTls") socket.write(INFO);
      socket.once("data", () => socket.end());
    });
    const dial = way === "startTls" ? upgrade(port, {}) : dialTcp(target(port, { handshakeFirst: true }));
    await assert.rejects(dial, failure("TLS", `127.0.0.1:${port}`, "handshake"));
  });

  test(`${way}: a reset during the handshake is code TLS`, async (t) => {
    const later = cleanup(t);
    const { port } = await listen(later, (socket) => {
      if (way === "startTls") socket.write(INFO);
      socket.once("data", () => socket.resetAndDestroy());
    });
    const dial = way === "startTls" ? upgrade(port, {}) : dialTcp(target(port, { handshakeFirst: true }));
    await assert.rejects(dial, failure("TLS", `127.0.0.1:${port}`, "handshake"));
  });

  test(`${way}: TLS options that are no PEM are INVALID_ARGUMENT and leave no socket`, async (t) => {
    const { dial, sockets } = await start(cleanup(t), { tls: { ca, cert: "no pem", key: "secret text" } });
    await assert.rejects(dial, (error) => {
      failure("INVALID_ARGUMENT", "tls options", "PEM")(error);
      assert.ok(!String(error).includes("secret text"));
      return true;
    });
    await until(() => sockets.size === 0, "no connection at the server");
  });

  test(`${way}: rejectUnauthorized: false accepts any certificate, and other options of tls.connect pass through`, async (t) => {
    const { dial } = await start(cleanup(t), {
      tls: { rejectUnauthorized: false, checkServerIdentity: () => new Error("not called") },
    });
    (await dial).destroy();
  });
}

test("C-TLS-8: a reset before anything came under TLS hints at the client certificate; a later one does not", async (t) => {
  const later = cleanup(t);
  // a plain relay before the TLS server, which can reset the link
  let front: net.Socket | undefined;
  const { port: inner } = await listen(
    later,
    (socket) => {
      socket.once("data", (data) => {
        if (String(data) === "reset") front?.resetAndDestroy();
        else socket.write("PONG");
      });
    },
    { secure: serverTls },
  );
  const { port } = await listen(later, (socket) => {
    front = socket;
    const back = net.connect(inner, "127.0.0.1");
    back.on("error", () => {});
    socket.on("close", () => back.destroy());
    socket.pipe(back).pipe(socket);
  });
  for (const heard of [false, true]) {
    const transport = await dialTcp(target(port, { handshakeFirst: true, tls: { ca } }));
    const events = new Recorder(transport);
    transport.write(bytes(heard ? "PING" : "reset"));
    if (heard) {
      await events.atLeast(4);
      front?.resetAndDestroy();
    }
    const error = await events.closed;
    failure("CONNECTION", "ECONNRESET")(error);
    assert.equal(String(error).includes("certificate of the client, set tls.cert"), !heard);
  }
});

test("a server that speaks in clear where handshakeFirst expects TLS: the cure is to leave it out", async (t) => {
  const later = cleanup(t);
  const { port } = await listen(later, (socket) => socket.write(INFO.repeat(3)));
  await assert.rejects(
    dialTcp(target(port, { handshakeFirst: true })),
    failure("TLS", "does not answer in TLS", "leave out tls.handshakeFirst"),
  );
});

test("startTls that fails after open is a rejection and one onClose with the same error", async (t) => {
  const later = cleanup(t);
  const { port } = await infoFirst(later);
  const transport = await dialTcp(target(port));
  const events = new Recorder(transport);
  await events.atLeast(INFO.length);
  const error = await transport.startTls?.().catch((reason: Error) => reason);
  failure("TLS")(error);
  assert.equal(await events.closed, error);
  await transport.close();
  assert.equal(events.closes.length, 1);
});

test("destroy(error) and close() during startTls end the handshake at once", async (t) => {
  const later = cleanup(t);
  const { port, sockets } = await listen(later, (socket) => socket.resume().write(INFO));
  const error = new Error("deadline");
  for (const end of [
    async (transport: Transport) => transport.destroy(error),
    async (transport: Transport) => transport.close(),
  ]) {
    const transport = await dialTcp(target(port));
    const events = new Recorder(transport);
    await events.atLeast(INFO.length);
    const upgrading = assert.rejects(
      async () => transport.startTls?.(),
      (reason) => reason === error || failure("TLS", "handshake")(reason),
    );
    await new Promise(setImmediate);
    await end(transport);
    await upgrading;
    await events.closed;
    // see trap 11
    if (!isDeno) await until(() => sockets.size === 0, "no connection at the server");
  }
});

test("startTls a second time, or after the end, rejects and harms nothing", async (t) => {
  const { transport, peer } = await joinTcp(t, { secure: true, handshakeFirst: true, tls: { ca } });
  const events = new Recorder(transport);
  await assert.rejects(async () => transport.startTls?.(), failure("TLS", "already"));
  peer.send(bytes("still here"));
  await events.atLeast(10);
  transport.destroy();
  await assert.rejects(async () => transport.startTls?.(), failure("TLS", "over"));
});

test("a TLS file that cannot be read is INVALID_ARGUMENT, naming option and path, before any socket", async (t) => {
  const later = cleanup(t);
  const { port, count } = await listen(later);
  for (const option of ["certFile", "keyFile", "caFile"]) {
    await assert.rejects(
      dialTcp(target(port, { tls: { [option]: "/no/such.pem" } })),
      failure("INVALID_ARGUMENT", `tls.${option}`, "'/no/such.pem'", "ENOENT"),
    );
  }
  await assert.rejects(
    dialTcp(target(port, { tls: { ca, caFile: certPath("ca.crt") } })),
    failure("INVALID_ARGUMENT", "'tls.ca' and 'tls.caFile' are mutually exclusive"),
  );
  assert.equal(count(), 0);
});

test("TLS files are read at every dial, so a renewed certificate is picked up", async (t) => {
  const later = cleanup(t);
  const folder = mkdtempSync(join(tmpdir(), "isonats-"));
  later(() => rmSync(folder, { recursive: true }));
  const caFile = join(folder, "ca.crt");
  const { port } = await listen(later, undefined, { secure: serverTls });
  const dial = () => dialTcp(target(port, { handshakeFirst: true, tls: { caFile } }));
  writeFileSync(caFile, pem("other-ca.crt"));
  await assert.rejects(dial(), failure("TLS"));
  writeFileSync(caFile, ca);
  (await dial()).destroy();
});
