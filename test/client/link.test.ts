import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { parseAddress } from "../../src/client/address.ts";
import { Link, type LinkOwner } from "../../src/client/link.ts";
import { type ConnectionOptions, resolveOptions } from "../../src/client/options.ts";
import { PoolServer } from "../../src/client/pool.ts";
import { ClosedConnectionError, isNatsError, NatsError, type NatsErrorCode } from "../../src/errors.ts";
import type { ServerInfo } from "../../src/protocol/ops.ts";
import { Outbox } from "../../src/protocol/outbox.ts";
import { memoryPair, type MemoryPairOptions } from "../../src/transport/memory.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Peer, scriptedPeer } from "../fixtures/scripted-server.ts";
import { settled } from "./conversation.ts";

interface Setup {
  link: Link;
  peer: Peer;
  transport: Transport;
  abort: AbortController;
  greeting: Promise<void>;
  /** what the owner was told */
  told: unknown[];
  outbox: Outbox;
  /** let the owner have it, as the session does */
  own(): void;
}

/** A link to a scripted peer; its handshake has begun. */
function begin(
  options: ConnectionOptions = {},
  { url = "nats://server:1", pair = {} }: { url?: string; pair?: MemoryPairOptions } = {},
): Setup {
  const [transport, theirs] = memoryPair(pair);
  const runtime = {
    dialers: {},
    bare: "nats",
    translate: false,
    defaultServer: "",
    lang: "ts",
    version: "1.2.3",
  } as const;
  const server = new PoolServer(url, parseAddress(url, "nats"), false);
  const link = new Link(server, transport, resolveOptions(options, runtime), { onMsg: () => undefined });
  const abort = new AbortController();
  const greeting = link.greet(abort.signal);
  greeting.catch(() => undefined);
  const told: unknown[] = [];
  const owner: LinkOwner = {
    onInfo: (_, info) => told.push(info),
    onServerError: (_, error) => told.push(error.error.serverText),
    onPing: (pending) => told.push(`ping ${pending}`),
    onStale: () => told.push("stale"),
    onDrain: () => told.push("drain"),
    onClose: (_, error, lost) => told.push({ code: error.code, lost }),
  };
  const outbox = new Outbox();
  return {
    link,
    peer: scriptedPeer(theirs),
    transport,
    abort,
    greeting,
    told,
    outbox,
    own: () => link.own(owner, outbox),
  };
}

/** The same, open and owned. */
async function open(
  options: ConnectionOptions = {},
  more: { url?: string; pair?: MemoryPairOptions; info?: Record<string, unknown> } = {},
): Promise<Setup> {
  const setup = begin(options, more);
  await setup.peer.handshake(more.info);
  await setup.greeting;
  setup.own();
  return setup;
}

async function rejects(
  promise: Promise<unknown>,
  code: NatsErrorCode,
  ...parts: string[]
): Promise<NatsError> {
  const error: unknown = await within(
    promise.then(
      () => "it is fulfilled",
      (reason: unknown) => reason,
    ),
    "it does not settle",
  );
  assert.ok(isNatsError(error), String(error));
  assert.equal(error.code, code, error.message);
  for (const part of parts) assert.ok(error.message.includes(part), error.message);
  return error;
}

/** The CONNECT that a server with this INFO gets. */
async function connectOf(options: ConnectionOptions = {}, info: Record<string, unknown> = {}, url?: string) {
  const { peer, link } = await open(options, { info, ...(url === undefined ? {} : { url }) });
  link.die(new ClosedConnectionError());
  return peer.connect;
}

describe("CONNECT", () => {
  test("C-CONN-1: C-PING-5: is the first that is sent, with PING behind it; only PONG opens the link", async (t) => {
    trackLeaks(t);
    const { link, peer, greeting, own } = begin();
    await settled();
    assert.equal(peer.received.length, 0, "nothing before INFO");
    peer.info();
    await peer.expect(/^CONNECT \{.*\}$/);
    await peer.expect(/^PING$/);
    peer.send("+OK\r\nPING\r\n");
    await settled();
    assert.equal(link.writable, false);
    peer.send("PONG\r\n");
    await greeting;
    assert.equal(link.writable, true);
    own();
    link.die(new ClosedConnectionError());
  });

  test("C-CONN-1: an -ERR before PONG is the reason of the failure, whether the server closes then or not", async (t) => {
    trackLeaks(t);
    for (const [text, code] of [
      ["Authorization Violation", "AUTHORIZATION"],
      ["maximum connections exceeded", "MAX_CONNECTIONS"],
      ["Something New", "PROTOCOL"],
    ] as const) {
      for (const close of [true, false]) {
        const { peer, greeting } = begin();
        peer.info();
        await peer.skipTo(/^PING$/);
        peer.send(`-ERR '${text}'\r\n`);
        if (close) peer.close();
        const { serverText } = await rejects(greeting, code);
        assert.equal(serverText, text);
        await within(peer.closed, "the transport lives");
      }
    }
  });

  test("C-CONN-1: C-INFO-3: an INFO behind PONG is not waited for, and one before it does no harm", async (t) => {
    trackLeaks(t);
    const { link, peer, greeting, own, told } = begin();
    peer.info();
    await peer.skipTo(/^PING$/);
    peer.info({ client_id: 7 });
    peer.send("PONG\r\n");
    await greeting;
    assert.equal(link.info.client_id, 7);
    own();
    peer.info({ connect_info: true, remote_account: "A" });
    await settled();
    assert.equal(link.info.remote_account, "A");
    assert.equal(told.length, 1);
    link.die(new ClosedConnectionError());
  });

  test("a server that closes before PONG, or before INFO, fails it and is named", async (t) => {
    trackLeaks(t);
    const early = begin();
    early.peer.close();
    await rejects(early.greeting, "CONNECTION", "server:1");
    const late = begin();
    late.peer.info();
    await late.peer.skipTo(/^PING$/);
    late.peer.close();
    await rejects(late.greeting, "CONNECTION", "server:1");
  });

  test("C-CONN-2: C-CONN-4: C-CONN-5: says every boolean, protocol 1, and nothing that is not set", async () => {
    assert.deepEqual(await connectOf(), {
      verbose: false,
      pedantic: false,
      tls_required: false,
      lang: "ts",
      version: "1.2.3",
      protocol: 1,
      echo: true,
      headers: true,
      no_responders: true,
    });
    assert.deepEqual(
      await connectOf({ verbose: true, pedantic: true, noEcho: true, name: "me", user: "u", pass: "p" }),
      {
        verbose: true,
        pedantic: true,
        tls_required: false,
        name: "me",
        lang: "ts",
        version: "1.2.3",
        protocol: 1,
        echo: false,
        headers: true,
        no_responders: true,
        user: "u",
        pass: "p",
      },
    );
  });

  test("C-CONN-3: C-ADR4-9: headers and no responders are asked for exactly where the server has headers", async () => {
    for (const [said, asked] of [
      [true, true],
      [false, false],
      [undefined, false],
    ] as const) {
      const { headers, no_responders } = await connectOf({}, { headers: said });
      assert.deepEqual([headers, no_responders], [asked, asked]);
    }
  });

  test("echo is only said to a server that knows it, and noEcho refused by one that does not", async (t) => {
    trackLeaks(t);
    assert.equal("echo" in (await connectOf({}, { proto: 0 })), false);
    const { peer, greeting } = begin({ noEcho: true });
    peer.info({ proto: 0 });
    await rejects(greeting, "UNSUPPORTED", "noEcho");
    assert.equal(peer.received.length, 0);
  });

  test("C-CONN-6: one of more than 4096 bytes is sent, and a refusal says what may be too long", async (t) => {
    trackLeaks(t);
    const { peer, greeting } = begin({ authenticator: () => ({ jwt: "j".repeat(6000) }) });
    peer.info();
    const line = await peer.readLine();
    assert.ok(line.length > 6000);
    peer.send("-ERR 'maximum control line exceeded'\r\n");
    await rejects(greeting, "PROTOCOL", "JWT", "max_control_line");
  });
});

describe("credentials", () => {
  const only = ({ user, pass, auth_token, jwt, nkey, sig }: Record<string, unknown>) =>
    JSON.parse(JSON.stringify({ user, pass, auth_token, jwt, nkey, sig })) as object;

  test("C-CONN-7: those of the address win over the options", async () => {
    const options = { user: "option", pass: "option", token: "option" };
    assert.deepEqual(only(await connectOf(options, {}, "nats://a%40b:c%3Ad@server:1")), {
      user: "a@b",
      pass: "c:d",
    });
    assert.deepEqual(only(await connectOf(options, {}, "nats://t%20n@server:1")), { auth_token: "t n" });
    assert.deepEqual(only(await connectOf(options)), {
      user: "option",
      pass: "option",
      auth_token: "option",
    });
  });

  test("C-AUTH-2: C-AUTH-4: an authenticator gets the nonce of the INFO, or none where the server sent none", async () => {
    const nonces: (string | undefined)[] = [];
    const authenticator = (nonce?: string) => {
      nonces.push(nonce);
      return nonce === undefined ? { nkey: "U" } : { nkey: "U", sig: `signed ${nonce}` };
    };
    assert.deepEqual(only(await connectOf({ authenticator }, { nonce: "abc" })), {
      nkey: "U",
      sig: "signed abc",
    });
    assert.deepEqual(only(await connectOf({ authenticator })), { nkey: "U" });
    assert.deepEqual(nonces, ["abc", undefined]);
  });

  test("C-AUTH-8: none are needed to try, whatever the server says", async () => {
    assert.deepEqual(only(await connectOf({}, { auth_required: true, nonce: "abc", tls_verify: true })), {});
  });

  test("an authenticator that fails ends the handshake with its error; nothing was sent", async (t) => {
    trackLeaks(t);
    const thrown = new Error("no vault");
    const { peer, greeting } = begin({
      authenticator: () => {
        throw thrown;
      },
    });
    peer.info();
    assert.equal((await rejects(greeting, "AUTHENTICATOR")).cause, thrown);
    assert.equal(peer.received.length, 0);
    await within(peer.closed, "the transport lives");
  });

  test("an authenticator that never answers ends with the link", async (t) => {
    trackLeaks(t);
    const never = { authenticator: () => new Promise<never>(() => {}) };
    const left = begin(never);
    left.peer.info();
    await settled();
    left.peer.send("-ERR 'Authentication Timeout'\r\n");
    await rejects(left.greeting, "AUTHORIZATION", "Authentication Timeout");
    const aborted = begin(never);
    aborted.peer.info();
    await settled();
    aborted.abort.abort(new NatsError("TIMEOUT", "too late"));
    await rejects(aborted.greeting, "TIMEOUT", "too late");
    await within(aborted.peer.closed, "the transport lives");
  });
});

describe("INFO", () => {
  test("C-INFO-1: fields that nobody knows are kept and do no harm", async () => {
    const { link } = await open({}, { info: { of_the_future: { a: [1] }, server_name: "x" } });
    assert.deepEqual((link.info as unknown as Record<string, unknown>)["of_the_future"], { a: [1] });
    link.die(new ClosedConnectionError());
  });

  test("C-PROTO-3: a blank before the line end is no part of it", async () => {
    const { link, peer, greeting } = begin();
    peer.send('INFO {"server_id":"A","proto":1,"max_payload":5} \r\n');
    await peer.skipTo(/^PING$/);
    peer.send("PONG\r\n");
    await greeting;
    assert.equal(link.info.max_payload, 5);
    link.die(new ClosedConnectionError());
  });

  test("C-INFO-2: C-INFO-4: each later one replaces all, is handed on, and asks for no second CONNECT", async () => {
    const { link, peer, told } = await open({}, { info: { nonce: "first", cluster: "c" } });
    assert.equal(link.info.nonce, "first");
    peer.info({ max_payload: 10, ldm: true });
    await settled();
    const [info] = told as [ServerInfo];
    assert.deepEqual(
      [info.nonce, info.cluster, info.max_payload, info.ldm],
      [undefined, undefined, 10, true],
    );
    assert.equal(link.info, info);
    assert.equal(peer.received.toString().match(/CONNECT/g)?.length, 1);
    link.die(new ClosedConnectionError());
  });

  test("one that is no JSON object ends the link with PROTOCOL", async (t) => {
    trackLeaks(t);
    for (const text of [
      "INFO {\r\n",
      "INFO 5\r\n",
      "INFO null\r\n",
      "INFO\r\n",
      "HTTP/1.1 400 Bad Request\r\n",
    ]) {
      const { peer, greeting } = begin();
      peer.send(text);
      await rejects(greeting, "PROTOCOL");
      await within(peer.closed, "the transport lives");
    }
  });

  test("C-WS-6: max_payload bounds what a WebSocket sends at once, where it is less", async () => {
    for (const [said, maxWrite] of [
      [1000, 1000],
      [1_000_000, 65_536],
      [-1, 65_536],
    ] as const) {
      const { link, peer, transport, greeting } = begin({}, { url: "ws://server:1" });
      transport.maxWrite = 65_536;
      await peer.handshake({ max_payload: said });
      await greeting;
      assert.equal(transport.maxWrite, maxWrite);
      link.die(new ClosedConnectionError());
    }
  });
});

describe("TLS", () => {
  const upgrading = { pair: { startTls: async () => {} } };

  for (const [what, options, url] of [
    ["the option tls", { tls: {} }, "nats://server:1"],
    ["a tls:// address", {}, "tls://server:1"],
  ] as const) {
    test(`C-TLS-1: with ${what} a server without TLS gets nothing, no credentials above all`, async (t) => {
      trackLeaks(t);
      const { peer, greeting } = begin({ ...options, user: "u", pass: "s3cr3t" }, { url, ...upgrading });
      peer.info();
      await rejects(greeting, "TLS", "server:1", "does not offer TLS");
      await within(peer.closed, "the transport lives");
      assert.equal(peer.received.length, 0);
    });
  }

  test("C-TLS-2: with tls: null a server that requires TLS gets nothing", async (t) => {
    trackLeaks(t);
    const { peer, greeting } = begin({ tls: null }, upgrading);
    peer.info({ tls_required: true });
    await rejects(greeting, "TLS", "tls: null");
    assert.equal(peer.received.length, 0);
  });

  for (const [info, options, encrypted] of [
    [{ tls_required: true }, {}, true],
    [{ tls_available: true }, {}, true],
    [{ tls_available: true }, { tls: {} }, true],
    [{ tls_available: true }, { tls: null }, false],
    [{}, {}, false],
    [{}, { tls: null }, false],
  ] as const) {
    const title = `${JSON.stringify(info)} and ${JSON.stringify(options)}`;
    test(`trap 29: ${title} is ${encrypted ? "TLS" : "in clear"}`, async () => {
      let upgrades = 0;
      const startTls = async (): Promise<void> => void upgrades++;
      const { link, peer } = await open(options, { info, pair: { startTls } });
      assert.equal(upgrades, encrypted ? 1 : 0);
      assert.equal(peer.connect["tls_required"], "tls" in options && options.tls !== null);
      link.die(new ClosedConnectionError());
    });
  }

  test("C-TLS-4: nothing is written between INFO and the handshake", async () => {
    let sent: number | undefined;
    let ready: (() => void) | undefined;
    const setup = begin(
      { authenticator: () => ({ user: "u" }) },
      {
        pair: {
          startTls: () => {
            sent = setup.peer.received.length;
            return new Promise((resolve) => {
              ready = resolve;
            });
          },
        },
      },
    );
    const { link, peer, greeting } = setup;
    peer.info({ tls_required: true });
    await settled();
    assert.equal(sent, 0);
    assert.equal(peer.received.length, 0);
    ready?.();
    await peer.expect(/^CONNECT /);
    peer.send("PONG\r\n");
    await greeting;
    link.die(new ClosedConnectionError());
  });

  test("what a server, or somebody in between, says in clear behind the INFO ends the link", async (t) => {
    trackLeaks(t);
    for (const text of ["PING\r\n", "PONG\r\n", "-ERR 'x'\r\n", "INFO {}\r\n"]) {
      const { peer, greeting } = begin({}, upgrading);
      peer.send(`INFO {"proto":1,"max_payload":1,"tls_required":true}\r\n${text}`);
      await rejects(greeting, "PROTOCOL", "before TLS");
      assert.equal(peer.received.length, 0);
    }
  });

  test("a full server may say so before TLS", async (t) => {
    trackLeaks(t);
    const { peer, greeting } = begin({}, upgrading);
    peer.send(
      `INFO {"proto":1,"max_payload":1,"tls_required":true}\r\n-ERR 'maximum connections exceeded'\r\n`,
    );
    await rejects(greeting, "MAX_CONNECTIONS");
  });

  test("C-TLS-3: where the transport is under TLS already, the INFO is the first and nothing is upgraded", async () => {
    for (const options of [{ tls: { handshakeFirst: true } }, {}]) {
      const { link, peer, transport, greeting } = begin(options, {
        pair: { startTls: () => Promise.reject(new Error("twice")) },
        url: "tls://server:1",
      });
      (transport as { encrypted: boolean }).encrypted = true;
      await peer.handshake({ tls_required: true });
      await greeting;
      link.die(new ClosedConnectionError());
    }
  });

  test("C-TLS-7: a failing TLS handshake ends the attempt with its error", async (t) => {
    trackLeaks(t);
    const failure = new NatsError("TLS", "the certificate of server:1 is for another name");
    const { peer, greeting } = begin({}, { pair: { startTls: () => Promise.reject(failure) } });
    peer.info({ tls_required: true });
    assert.equal(await rejects(greeting, "TLS"), failure);
    await within(peer.closed, "the transport lives");
  });

  test("C-WS-2: a WebSocket never upgrades: wss is TLS already, and ws goes on in clear", async () => {
    for (const scheme of ["ws", "wss"]) {
      const { link, peer } = await open(scheme === "wss" ? { tls: {} } : {}, {
        url: `${scheme}://server:1`,
        info: { tls_required: true, tls_available: true },
        pair: { startTls: () => Promise.reject(new Error("no")) },
      });
      assert.equal(peer.connect["tls_required"], scheme === "wss");
      link.die(new ClosedConnectionError());
    }
  });

  test("a transport that can't is told apart from a server that won't", async (t) => {
    trackLeaks(t);
    const { peer, greeting } = begin();
    peer.info({ tls_required: true });
    await rejects(greeting, "TLS", "this transport can't");
  });
});

describe("abort", () => {
  const reason = new NatsError("TIMEOUT", "the dial took too long");

  for (const [stage, play] of Object.entries({
    "before INFO": () => undefined,
    "during TLS": (peer: Peer) => peer.info({ tls_required: true }),
    "before PONG": (peer: Peer) => peer.info(),
  })) {
    test(`${stage}: rejects with the reason of the signal, and the transport is gone`, async (t) => {
      trackLeaks(t);
      const { peer, greeting, abort } = begin({}, { pair: { startTls: () => new Promise(() => {}) } });
      play(peer);
      await settled();
      abort.abort(reason);
      assert.equal(await rejects(greeting, "TIMEOUT"), reason);
      await within(peer.closed, "the transport lives");
    });
  }

  test("before it began", async (t) => {
    trackLeaks(t);
    const { transport } = begin();
    const [ours, theirs] = memoryPair();
    const peer = scriptedPeer(theirs);
    transport.destroy();
    const link = new Link(
      new PoolServer("a", parseAddress("a", "nats"), false),
      ours,
      resolveOptions(
        {},
        { dialers: {}, bare: "nats", translate: false, defaultServer: "", lang: "", version: "" },
      ),
      { onMsg: () => undefined },
    );
    assert.equal(await rejects(link.greet(AbortSignal.abort(reason)), "TIMEOUT"), reason);
    await within(peer.closed, "the transport lives");
  });
});

describe("pings", () => {
  test("C-PING-1: PING is answered at once, ahead of what waits", async () => {
    const { link, peer, outbox } = await open({}, { pair: { highWaterMark: 10 } });
    // the first fills the transport, the second waits
    for (const name of ["first", "second"]) {
      outbox.message(name, undefined, undefined, "x".repeat(50), 0);
      link.send();
    }
    assert.equal(link.writable, false);
    peer.send("PING\r\n");
    await settled();
    link.send();
    await settled();
    const lines = peer.received.toString();
    assert.ok(lines.indexOf("PONG") < lines.indexOf("second"), lines);
    link.die(new ClosedConnectionError());
  });

  test("C-PING-1: a PING that comes before CONNECT is not answered: CONNECT is the first to be said", async () => {
    const { link, peer, greeting } = begin({
      authenticator: () => new Promise((resolve) => setImmediate(resolve)),
    });
    peer.send("PING\r\n");
    peer.info();
    await peer.expect(/^CONNECT /);
    peer.send("PONG\r\n");
    await greeting;
    link.die(new ClosedConnectionError());
  });

  test("C-PING-2: one ping each interval; with too many unanswered, after a second more, the link is stale", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer, told } = await open({ pingInterval: 10_000, maxPingOut: 2 });
    const pings = (): number => (peer.received.toString().match(/PING/g)?.length ?? 0) - 1;
    t.mock.timers.tick(9999);
    await settled();
    assert.equal(pings(), 0);
    t.mock.timers.tick(1);
    await settled();
    assert.equal(pings(), 1);
    t.mock.timers.tick(10_000);
    await settled();
    assert.equal(pings(), 2);
    t.mock.timers.tick(999);
    assert.deepEqual(told, ["ping 1", "ping 2"]);
    assert.equal(link.writable, true);
    t.mock.timers.tick(1);
    assert.deepEqual(told.slice(2), ["stale", { code: "STALE_CONNECTION", lost: 0 }]);
    await within(peer.closed, "the transport lives");
  });

  /** Time goes on in so many steps. */
  const pass = async (t: TestContext, ms: number, steps = 4): Promise<void> => {
    for (let i = 0; i < steps; i++) {
      t.mock.timers.tick(ms / steps);
      await settled();
    }
  };

  test("one that may be dead is asked, and is stale when nothing comes in five seconds", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer, told } = await open();
    link.check();
    await peer.expect(/^PING$/);
    await pass(t, 3750, 3);
    t.mock.timers.tick(1249);
    assert.deepEqual([told, link.writable], [[], true]);
    t.mock.timers.tick(1);
    assert.deepEqual(told, ["stale", { code: "STALE_CONNECTION", lost: 0 }]);
    await within(peer.closed, "the transport lives");
  });

  test("one that answers lives on, with its pings; a shorter pingInterval is the time it has", async (t) => {
    trackLeaks(t);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer, told } = await open({ pingInterval: 1000, maxPingOut: Infinity });
    link.check();
    await peer.expect(/^PING$/);
    peer.send("PONG\r\n");
    await settled();
    await pass(t, 1100, 22);
    assert.deepEqual([told, link.writable], [["ping 1"], true]);
    link.check();
    await pass(t, 1000, 20);
    assert.deepEqual(told.at(-1), { code: "STALE_CONNECTION", lost: 0 });
  });

  test("one that is asked again and again has no more time for it, unless it has answered", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer, told } = await open();
    link.check(2000);
    await pass(t, 500, 1);
    peer.send("PONG\r\n");
    await settled();
    for (let i = 0; i < 3; i++) {
      link.check(2000);
      assert.equal(link.writable, true);
      await pass(t, 500, 1);
    }
    assert.deepEqual(told, []);
    await pass(t, 500, 1);
    assert.equal(told[0], "stale");
  });

  test("a part of a message is a sign of life: the PONG may be far behind it", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer, told } = await open();
    link.check(2000);
    await peer.expect(/^PING$/);
    await pass(t, 1500, 3);
    peer.send("MSG a 1 1000000\r\nbegins");
    await settled();
    await pass(t, 10_000);
    assert.deepEqual([told, link.writable], [[], true]);
    link.die(new ClosedConnectionError());
  });

  test("a process that stood still does not blame the link: it reads what came meanwhile first", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer, told } = await open();
    link.check(2000);
    await peer.expect(/^PING$/);
    peer.send("PONG\r\n");
    // a minute passes in one turn of the event loop
    t.mock.timers.tick(60_000);
    assert.deepEqual([told, link.writable], [[], true]);
    await settled();
    await pass(t, 2000);
    assert.deepEqual([told, link.writable], [[], true]);
    link.die(new ClosedConnectionError());
  });

  test("one that is still sending may be slow: it is stale when nothing goes for ten seconds", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, transport, told } = await open();
    let buffered = 1000;
    Object.defineProperty(transport, "buffered", { get: () => buffered, set: () => {} });
    link.check(2000);
    for (let left = 900; left > 0; left -= 100) {
      await pass(t, 8000, 16);
      buffered = left;
    }
    assert.deepEqual([told, link.writable], [[], true]);
    await pass(t, 10_500, 21);
    assert.equal(told[0], "stale");
    buffered = 0;
  });

  test("C-PING-4: a PONG takes back all that were outstanding", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer, told } = await open({ pingInterval: 100, maxPingOut: 2 });
    for (let round = 0; round < 5; round++) {
      t.mock.timers.tick(100);
      await settled();
      peer.send("PONG\r\n");
      await settled();
    }
    assert.deepEqual(
      told,
      Array.from({ length: 5 }, () => "ping 1"),
    );
    assert.equal(link.writable, true);
    link.die(new ClosedConnectionError());
  });

  test("C-PING-3: PONGs belong to the PINGs in their order, those of the timer among them", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, peer } = await open({ pingInterval: 100, maxPingOut: 5 });
    const done: string[] = [];
    void link.ping().then(() => done.push("first"));
    t.mock.timers.tick(100);
    void link.ping().then(() => done.push("second"));
    await settled();
    for (const expected of [["first"], ["first"], ["first", "second"]]) {
      peer.send("PONG\r\n");
      await settled();
      assert.deepEqual(done, expected);
    }
    peer.send("PONG\r\n");
    await settled();
    assert.equal(link.writable, true, "one PONG too many does no harm");
    link.die(new ClosedConnectionError());
  });

  test("C-PING-3: a ping goes behind what was published before it", async () => {
    const { link, peer, outbox } = await open();
    outbox.message("a", undefined, undefined, undefined, 0);
    link.ping().catch(() => undefined);
    await peer.expect(/^PUB a 0$/);
    await peer.expect(/^$/);
    await peer.expect(/^PING$/);
    link.die(new ClosedConnectionError());
  });

  test("C-PING-3: those in flight reject with DISCONNECTED when the link dies, and no timer is left", async (t) => {
    trackLeaks(t);
    const { link, peer } = await open();
    const pings = [link.ping(), link.ping()];
    peer.destroy();
    for (const ping of pings) {
      const { cause } = await rejects(ping, "DISCONNECTED");
      assert.equal((cause as NatsError).code, "CONNECTION");
    }
  });
});

describe("the end", () => {
  test("comes once, with the reason that came first", async (t) => {
    trackLeaks(t);
    const { link, peer, told } = await open();
    link.die(new NatsError("DISCONNECTED", "first"));
    link.die(new NatsError("CONNECTION", "second"));
    peer.destroy();
    await settled();
    assert.deepEqual(told, [{ code: "DISCONNECTED", lost: 0 }]);
    assert.equal(link.writable, false);
  });

  test("C-ERR-7: what the server said before it closed is the reason", async (t) => {
    trackLeaks(t);
    const { peer, told } = await open();
    peer.send("-ERR 'Stale Connection'\r\n");
    peer.close();
    await settled();
    assert.deepEqual(told, ["Stale Connection", { code: "STALE_CONNECTION", lost: 0 }]);
  });

  test("an -ERR that closes nothing is not the reason of a later end", async (t) => {
    trackLeaks(t);
    const { peer, told } = await open();
    peer.send(`-ERR 'Permissions Violation for Publish to "a"'\r\n`);
    await settled();
    peer.close();
    await settled();
    assert.deepEqual(told.at(-1), { code: "CONNECTION", lost: 0 });
  });

  test("C-PROTO-5: bytes that are not the protocol end it, with a piece of them in the message", async (t) => {
    trackLeaks(t);
    const { link, peer, told } = await open();
    const ping = link.ping();
    peer.send("BOGUS line\r\n");
    const { cause } = await rejects(ping, "DISCONNECTED");
    assert.match((cause as NatsError).message, /BOGUS/);
    assert.deepEqual(told, [{ code: "PROTOCOL", lost: 0 }]);
    await within(peer.closed, "the transport lives");
  });

  test("an owner that comes when it is dead already hears of the end", async (t) => {
    trackLeaks(t);
    const { peer, greeting, told, own } = begin();
    await peer.handshake();
    peer.destroy();
    await greeting;
    await settled();
    own();
    await settled();
    assert.deepEqual(told, [{ code: "CONNECTION", lost: 0 }]);
  });

  test("messages that the transport had not taken whole are counted as lost", async (t) => {
    trackLeaks(t);
    const { link, outbox, told } = await open({}, { pair: { highWaterMark: 10 } });
    for (const name of ["a", "b", "c"]) outbox.message(name, undefined, undefined, "x".repeat(20), 0);
    link.send();
    outbox.message("d", undefined, undefined, "x".repeat(20), 0);
    link.send();
    link.die(new NatsError("DISCONNECTED", "enough"));
    assert.deepEqual(told, [{ code: "DISCONNECTED", lost: 3 }]);
    assert.equal(outbox.messages, 1, "what was not given to it stays");
  });

  test("close() sends what waits first", async (t) => {
    trackLeaks(t);
    const { link, peer, outbox } = await open();
    outbox.message("last", undefined, undefined, "words", 0);
    const pong = link.ping();
    outbox.message("very.last", undefined, undefined, "words", 0);
    pong.catch(() => undefined);
    assert.equal(await link.close(new ClosedConnectionError()), 0);
    assert.match(peer.received.toString(), /PUB last 5\r\nwords\r\nPING\r\nPUB very\.last 5\r\nwords\r\n$/);
    await rejects(pong, "CLOSED");
    await within(peer.closed, "the transport lives");
  });
});
