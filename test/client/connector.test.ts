import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { HandlerErrorStatus, ReconnectingStatus, Server } from "../../src/client/connection.ts";
import { Connector } from "../../src/client/connector.ts";
import type { Link } from "../../src/client/link.ts";
import { type ConnectionOptions, resolveOptions } from "../../src/client/options.ts";
import type { PoolServer } from "../../src/client/pool.ts";
import {
  ClosedConnectionError,
  ConnectionError,
  isNatsError,
  NatsError,
  type NatsErrorCode,
} from "../../src/errors.ts";
import { connect } from "../../src/index.node.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import type { DialTarget, Transport } from "../../src/transport/transport.ts";
import { atEnd, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startCluster } from "../fixtures/real-server.ts";
import { type Peer, scriptedPeer } from "../fixtures/scripted-server.ts";
import { settled, Watch } from "./conversation.ts";

/** What becomes of a dial: a peer that is played, an error, or a transport of one's own. */
type Play = (peer: Peer, target: DialTarget, nth: number) => unknown;

interface Setup {
  connector: Connector;
  /** the hosts dialled so far */
  dialled: string[];
  targets: DialTarget[];
  peers: Peer[];
  attempts: ReconnectingStatus[];
  reports: { error: unknown; source: HandlerErrorStatus["source"] }[];
}

const welcome: Play = (peer) => peer.handshake();
const refused: Play = (_, { hostname, port }) =>
  new ConnectionError("nobody", { server: `${hostname}:${port}` }, "CONNECTION_REFUSED");

/** A connector whose servers are played by `play`: one function, or one for each dial, the last of them for all that follow. */
function setup(
  t: TestContext,
  servers: string,
  play: Play | Play[],
  options: ConnectionOptions = {},
  schemes: readonly string[] = ["nats", "tls", "ws", "wss"],
): Setup {
  const made: Omit<Setup, "connector"> = { dialled: [], targets: [], peers: [], attempts: [], reports: [] };
  const dialer = async (target: DialTarget): Promise<Transport> => {
    const plays = [play].flat();
    const nth = made.targets.push(target);
    made.dialled.push(target.hostname);
    const [ours, theirs] = memoryPair();
    const peer = scriptedPeer(theirs);
    made.peers.push(peer);
    const result = (plays[nth - 1] ?? (plays.at(-1) as Play))(peer, target, nth);
    if (result instanceof Error) throw result;
    if (result instanceof Promise) {
      // a handshake that breaks off is the business of the test
      result.catch(() => undefined);
      if (result === pending) return result as Promise<never>;
    }
    return ours;
  };
  const dialers = Object.fromEntries(schemes.map((scheme) => [scheme, dialer]));
  const runtime = {
    dialers,
    bare: "nats",
    translate: false,
    defaultServer: "",
    lang: "",
    version: "",
  } as const;
  const connector = new Connector(
    resolveOptions({ servers, noRandomize: true, ...options }, runtime),
    { onMsg: () => undefined },
    (status) => {
      if (status.type === "reconnecting") made.attempts.push(status);
      else if (status.type === "handlerError") {
        const { error, source } = status;
        made.reports.push({ error, source });
      }
    },
  );
  atEnd(t, () => {
    connector.stop();
    for (const peer of made.peers) peer.destroy();
  });
  return { connector, ...made };
}

/** A dial that never settles. */
const pending = new Promise<never>(() => {});

/** Time that moves by `tick`; the turns of the event loop go on. */
function fakeTime(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  return async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms);
    await settled();
  };
}

async function rejects(
  promise: Promise<unknown>,
  code: NatsErrorCode,
  ...parts: string[]
): Promise<NatsError> {
  const error: unknown = await promise.then(
    () => "it is fulfilled",
    (reason: unknown) => reason,
  );
  assert.ok(isNatsError(error), String(error));
  assert.equal(error.code, code, error.message);
  for (const part of parts) assert.ok(error.message.includes(part), error.message);
  return error;
}

const ended = (link: Link): void => link.die(new ClosedConnectionError());
const serverOf = ({ connector }: Setup, hostname: string): PoolServer =>
  connector.pool.servers.find((server) => server.hostname === hostname) as PoolServer;

describe("the first connection", () => {
  test("C-ADR40-7: each server is tried once, in order, and the first that works is taken", async (t) => {
    trackLeaks(t);
    const { connector, dialled, attempts } = setup(t, "a,b,c", [refused, welcome]);
    const link = await connector.first();
    assert.equal(link.server.hostname, "b");
    assert.deepEqual(dialled, ["a", "b"]);
    assert.deepEqual(attempts, [], "these are no reconnects");
    ended(link);
  });

  test("C-ADR40-7: when none works it rejects with the last error, and nothing goes on", async (t) => {
    trackLeaks(t);
    const { connector, dialled } = setup(t, "a,b", refused);
    const { server } = await rejects(connector.first(), "CONNECTION_REFUSED");
    assert.equal(server, "b:4222");
    assert.deepEqual(dialled, ["a", "b"]);
  });

  test("trap 24: a real reason is not forgotten for a refused dial after it", async (t) => {
    trackLeaks(t);
    const forbidden: Play = async (peer) => {
      peer.info();
      await peer.skipTo(/^PING$/);
      peer.send("-ERR 'Authorization Violation'\r\n");
    };
    const { connector } = setup(t, "a,b", [forbidden, refused]);
    await rejects(connector.first(), "AUTHORIZATION");
  });

  test("C-ADR40-9: a server that refuses the login has failed, and the next is tried", async (t) => {
    trackLeaks(t);
    const forbidden: Play = async (peer) => {
      peer.info();
      await peer.skipTo(/^PING$/);
      peer.send("-ERR 'Authorization Violation'\r\n");
    };
    const { connector, dialled } = setup(t, "a,b,c", [forbidden, forbidden, welcome]);
    const link = await connector.first();
    assert.deepEqual(dialled, ["a", "b", "c"]);
    ended(link);
  });

  test("C-ADR40-7: with waitOnFirstConnect it goes on by the rules of reconnects", async (t) => {
    trackLeaks(t);
    const tick = fakeTime(t);
    const { connector, dialled, attempts } = setup(t, "a,b", [refused, refused, refused, welcome], {
      waitOnFirstConnect: true,
      reconnectDelayHandler: () => 500,
    });
    const first = connector.first();
    await settled();
    assert.deepEqual(dialled, ["a", "b"]);
    await tick(499);
    assert.deepEqual(dialled, ["a", "b"]);
    await tick(1);
    const link = await first;
    assert.deepEqual(dialled, ["a", "b", "a", "b"]);
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1, 2, 3, 4],
    );
    ended(link);
  });

  test("C-AUTH-6: a login that is refused twice by one server ends the waiting for a first connection too", async (t) => {
    trackLeaks(t);
    const forbidden: Play = async (peer) => {
      peer.info();
      await peer.skipTo(/^PING$/);
      peer.send("-ERR 'Authorization Violation'\r\n");
    };
    const { connector, dialled } = setup(t, "a", forbidden, {
      waitOnFirstConnect: true,
      reconnectDelayHandler: () => 0,
    });
    await rejects(connector.first(), "AUTHORIZATION");
    assert.equal(dialled.length, 2);
  });
});

describe("C-ADR40-8: timeout", () => {
  for (const [stage, play] of Object.entries<Play>({
    "the dial": () => pending,
    INFO: () => undefined,
    PONG: (peer) => peer.info(),
  })) {
    test(`covers the wait for ${stage}, for each server on its own`, async (t) => {
      trackLeaks(t);
      const tick = fakeTime(t);
      const { connector, dialled, targets, peers } = setup(t, "a,b", play, { timeout: 700 });
      const first = connector.first();
      first.catch(() => undefined);
      await tick(699);
      assert.deepEqual(dialled, ["a"]);
      await tick(1);
      assert.deepEqual(dialled, ["a", "b"]);
      assert.equal(targets[0]?.signal.aborted, true);
      await tick(700);
      const { server } = await rejects(first, "TIMEOUT", "700 ms");
      assert.equal(server, "b:4222");
      if (play(peers[0] as Peer, targets[0] as DialTarget, 0) !== pending) {
        await within(peers[0]?.closed as Promise<void>, "the transport lives");
      }
    });
  }

  test("trap 7: a transport that comes after the deadline is destroyed", async (t) => {
    trackLeaks(t);
    const tick = fakeTime(t);
    const [late, theirs] = memoryPair();
    const peer = scriptedPeer(theirs);
    let arrive: ((transport: Transport) => void) | undefined;
    const dialer = (): Promise<Transport> =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const connecting = connect({ servers: "a", dialer, timeout: 100 });
    connecting.catch(() => undefined);
    await tick(100);
    await rejects(connecting, "TIMEOUT");
    arrive?.(late);
    await within(peer.closed, "the late transport lives");
    assert.equal(peer.received.length, 0);
  });
});

describe("what a dial is given", () => {
  test("C-ADR11: C-TCP-4: C-ADR18: the name as it was written, so that it is resolved anew each time; no query", async (t) => {
    trackLeaks(t);
    const { connector, targets } = setup(t, "nats://me:secret@cluster.example:4223/?tls_first=1", welcome);
    const link = await connector.first();
    const { signal, ...target } = targets[0] as DialTarget;
    assert.deepEqual(target, {
      scheme: "nats",
      hostname: "cluster.example",
      port: 4223,
      path: "",
      handshakeFirst: false,
      noRandomize: true,
      tlsName: undefined,
      tls: undefined,
      wsHeaders: undefined,
      wsFactory: undefined,
    });
    assert.equal(signal.aborted, false);
    ended(link);
    connector.left(link);
    ended(await connector.again(undefined));
    assert.equal(targets[1]?.hostname, "cluster.example");
  });

  test("C-ADR11: C-TCP-3: noRandomize says whether the addresses of a name are shuffled", async (t) => {
    trackLeaks(t);
    const { connector, targets } = setup(t, "a", welcome, { noRandomize: false });
    ended(await connector.first());
    assert.equal(targets[0]?.noRandomize, false);
  });

  test("C-TLS-3: C-TLS-5: C-TLS-6: the TLS options, whether TLS comes first, and the name to verify", async (t) => {
    trackLeaks(t);
    const tls = { ca: "PEM", cert: "PEM", key: "PEM", handshakeFirst: true };
    const { connector, targets } = setup(t, "tls://cluster.example", () => new Error("stop here"), { tls });
    await rejects(connector.first(), "CONNECTION");
    connector.pool.update(
      { connect_urls: ["10.0.0.1:4222"] } as never,
      connector.pool.servers[0] as PoolServer,
    );
    await rejects(connector.first(), "CONNECTION");
    assert.deepEqual(
      targets.map(({ hostname, tlsName }) => [hostname, tlsName]),
      [
        ["cluster.example", undefined],
        ["10.0.0.1", "cluster.example"],
        ["cluster.example", undefined],
      ],
    );
    for (const target of targets) assert.deepEqual([target.tls, target.handshakeFirst], [tls, true]);
  });

  test("headers and factory of WebSockets", async (t) => {
    trackLeaks(t);
    const wsHeaders = { "x-a": "1" };
    const wsFactory = () => Promise.reject(new Error("not here"));
    const { connector, targets } = setup(t, "wss://a/path?x=y", welcome, { wsHeaders, wsFactory });
    ended(await connector.first());
    const [target] = targets as [DialTarget];
    assert.deepEqual([target.path, target.wsHeaders, target.wsFactory], ["/path?x=y", wsHeaders, wsFactory]);
  });

  test("trap 30: a scheme without a dialer is UNSUPPORTED, with those there are; the next server is tried", async (t) => {
    trackLeaks(t);
    const alone = setup(t, "nats://me:secret@a", welcome, {}, ["ws", "wss"]);
    await rejects(alone.connector.first(), "UNSUPPORTED", "'nats://a'", "ws and wss");
    const two = setup(t, "nats://a,ws://b", welcome, {}, ["ws"]);
    ended(await two.connector.first());
    assert.deepEqual(two.dialled, ["b"]);
  });

  test("what a dialer throws that is no NatsError becomes one", async (t) => {
    trackLeaks(t);
    const thrown = new Error("odd");
    const { connector } = setup(t, "a", () => thrown);
    const error = await rejects(connector.first(), "CONNECTION", "a:4222");
    assert.equal(error.cause, thrown);
  });
});

describe("reconnects", () => {
  test("C-ADR40-11: the next servers at once, the one that was lost last; then waits", async (t) => {
    trackLeaks(t);
    const tick = fakeTime(t);
    const { connector, dialled, attempts } = setup(t, "a,b,c", [welcome, refused], {
      reconnectDelayHandler: () => 1000,
    });
    const link = await connector.first();
    await tick(10_000);
    ended(link);
    connector.left(link);
    const reason = new NatsError("STALE_CONNECTION", "gone");
    connector.again(reason).catch(() => undefined);
    await settled();
    assert.deepEqual(dialled, ["a", "b", "c", "a"]);
    assert.deepEqual(
      attempts.map(({ server, attempt, delay }) => [server, attempt, delay]),
      [
        ["b:4222", 1, 0],
        ["c:4222", 2, 0],
        ["a:4222", 3, 0],
        ["b:4222", 4, 1000],
      ],
    );
    assert.equal(attempts[0]?.error, reason);
    assert.equal(attempts[1]?.error, reason, "trap 24: a refused dial is no news");
    await tick(999);
    assert.equal(dialled.length, 4);
    await tick(1);
    assert.deepEqual(dialled, ["a", "b", "c", "a", "b", "c", "a"]);
    connector.stop();
  });

  test("C-ADR40-12: a server is not dialled again before its wait is over, whatever the others do", async (t) => {
    trackLeaks(t);
    const tick = fakeTime(t);
    const waits: Record<string, number> = { a: 35, b: 10 };
    const { connector, dialled } = setup(t, "a,b", refused, {
      reconnectDelayHandler: (_attempt, { hostname }) => waits[hostname] ?? 0,
    });
    connector.again(undefined).catch(() => undefined);
    await settled();
    for (let ms = 0; ms < 34; ms++) await tick(1);
    assert.deepEqual(dialled, ["a", "b", "b", "b", "b"]);
    await tick(1);
    assert.equal(dialled.at(-1), "a");
    connector.stop();
  });

  test("C-ADR40-11: the waits double from reconnectTimeWait to maxReconnectTimeWait, with full jitter", async (t) => {
    trackLeaks(t);
    // the clock stands still between a failure and the look at what remains of its wait
    t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
    for (const [random, factor] of [
      [0, 0],
      [0.5, 0.5],
      [0.999_999, 1],
    ] as const) {
      const mocked = t.mock.method(Math, "random", () => random);
      const { connector, attempts } = setup(t, "a", refused);
      const again = connector.again(undefined);
      again.catch(() => undefined);
      while (attempts.length < 9) {
        connector.hurry();
        await new Promise(setImmediate);
      }
      connector.stop();
      await rejects(again, "CLOSED");
      assert.deepEqual(
        attempts.slice(0, 9).map(({ delay }) => delay),
        [0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000].map((most) => Math.round(most * factor)),
      );
      mocked.mock.restore();
    }
  });

  test("reconnectJitter widens the first waits, and reconnectJitterTLS where TLS is asked for", async (t) => {
    trackLeaks(t);
    t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
    t.mock.method(Math, "random", () => 0.999_999);
    for (const [url, options, wait] of [
      ["a", { reconnectJitter: 600 }, 600],
      ["tls://a", { reconnectJitter: 600 }, 1000],
      ["wss://a", { reconnectJitterTLS: 700 }, 700],
      ["a", { tls: {}, reconnectJitterTLS: 700 }, 700],
      ["a", { reconnectTimeWait: 0, reconnectJitter: 0 }, 0],
      ["a", { maxReconnectTimeWait: 50 }, 50],
    ] as const) {
      const { connector, attempts } = setup(t, url, refused, options);
      const again = connector.again(undefined);
      again.catch(() => undefined);
      while (attempts.length < 2) await new Promise(setImmediate);
      connector.stop();
      await rejects(again, "CLOSED");
      assert.equal(attempts[1]?.delay, wait, JSON.stringify([url, options]));
    }
  });

  test("C-ADR40-4: failures in a row, the last dial and whether it ever worked are kept for each server, and reset by success", async (t) => {
    trackLeaks(t);
    const tick = fakeTime(t);
    const made = setup(t, "a,b", [refused, refused, refused, welcome], { reconnectDelayHandler: () => 10 });
    const { connector } = made;
    const again = connector.again(undefined);
    await settled();
    const [a, b] = [serverOf(made, "a"), serverOf(made, "b")];
    assert.deepEqual([a.reconnects, b.reconnects, a.lastConnect, a.didConnect], [1, 1, 1_000_000, false]);
    await tick(10);
    const link = await again;
    assert.equal(link.server, b);
    assert.deepEqual([a.reconnects, b.reconnects], [2, 0]);
    assert.deepEqual([b.lastConnect, b.didConnect, a.didConnect], [1_000_010, true, false]);
    ended(link);
  });

  test("C-ADR40-13: a server that failed maxReconnectAttempts times in a row leaves the pool; without any it is over", async (t) => {
    trackLeaks(t);
    const { connector, dialled } = setup(t, "a,b", refused, {
      maxReconnectAttempts: 3,
      reconnectDelayHandler: () => 0,
    });
    const reason = new NatsError("AUTHENTICATION_EXPIRED", "the login");
    await rejects(connector.again(reason), "AUTHENTICATION_EXPIRED");
    assert.deepEqual(dialled.toSorted(), ["a", "a", "a", "b", "b", "b"]);
    assert.equal(connector.pool.servers.length, 0);
  });

  test("C-ADR40-13: a success in between begins the count anew", async (t) => {
    trackLeaks(t);
    const plays = [refused, refused, welcome, refused, refused, welcome];
    const { connector } = setup(t, "a", plays, { maxReconnectAttempts: 3, reconnectDelayHandler: () => 0 });
    for (let outage = 0; outage < 2; outage++) {
      const link = await connector.again(undefined);
      ended(link);
      connector.left(link);
    }
    assert.equal(connector.pool.servers.length, 1);
  });

  test("C-ADR40-13: -1, the default, is for ever", async (t) => {
    trackLeaks(t);
    const { connector, dialled } = setup(t, "a", [...Array.from({ length: 200 }, () => refused), welcome], {
      reconnectDelayHandler: () => 0,
    });
    ended(await connector.again(undefined));
    assert.equal(dialled.length, 201);
  });

  test("C-CONN-8: an authenticator is asked at each dial, with the new nonce", async (t) => {
    trackLeaks(t);
    const nonces: unknown[] = [];
    const { connector } = setup(t, "a", (peer, _, nth) => peer.handshake({ nonce: `n${nth}` }), {
      authenticator: (nonce) => {
        nonces.push(nonce);
        return { sig: `${nonce}` };
      },
    });
    for (let dial = 1; dial <= 3; dial++) {
      const link = await connector.again(undefined);
      ended(link);
    }
    assert.deepEqual(nonces, ["n1", "n2", "n3"]);
  });

  test("a link that breaks again and again soon after it came up makes the waits longer; one that lasts forgets it", async (t) => {
    trackLeaks(t);
    const tick = fakeTime(t);
    t.mock.method(Math, "random", () => 0.999_999);
    const { connector, attempts } = setup(t, "a", welcome);
    const live = async (ms: number): Promise<number | undefined> => {
      const again = connector.again(undefined);
      await settled();
      connector.hurry();
      const link = await again;
      await tick(ms);
      ended(link);
      connector.left(link);
      return attempts.at(-1)?.delay;
    };
    const delays: unknown[] = [];
    for (const ms of [10, 10, 10, 10, 5000, 10]) delays.push(await live(ms));
    assert.deepEqual(delays, [0, 0, 250, 500, 1000, 0]);
  });

  test("C-ADR5-1: a server that is avoided is dialled when there is no other", async (t) => {
    trackLeaks(t);
    fakeTime(t);
    t.mock.method(Math, "random", () => 0.999_999);
    const made = setup(t, "a,b", [refused, welcome], { maxReconnectTimeWait: 500 });
    made.connector.avoid(serverOf(made, "a"));
    const again = made.connector.again(undefined);
    await settled();
    assert.deepEqual(made.dialled, ["b"]);
    made.connector.hurry();
    await settled();
    made.connector.hurry();
    ended(await again);
  });
});

describe("refused logins", () => {
  const says =
    (text: string): Play =>
    async (peer) => {
      peer.info();
      await peer.skipTo(/^PING$/);
      peer.send(`-ERR '${text}'\r\n`);
      peer.close();
    };
  const forbidden = says("Authorization Violation");
  const quick = { reconnectDelayHandler: () => 0 };

  test("C-AUTH-6: two in a row by one server are the end", async (t) => {
    trackLeaks(t);
    const { connector, dialled } = setup(t, "a,b", [forbidden, refused, forbidden], quick);
    await rejects(connector.again(undefined), "AUTHORIZATION");
    assert.deepEqual(dialled, ["a", "b", "a"]);
  });

  test("C-AUTH-6: something else in between begins the count anew", async (t) => {
    trackLeaks(t);
    const plays = [forbidden, refused, forbidden, welcome];
    const { connector } = setup(t, "a", plays, quick);
    ended(await connector.again(undefined));
  });

  test("C-AUTH-6: ignoreAuthErrorAbort goes on", async (t) => {
    trackLeaks(t);
    const { connector, dialled } = setup(t, "a", [...Array.from({ length: 5 }, () => forbidden), welcome], {
      ...quick,
      ignoreAuthErrorAbort: true,
    });
    ended(await connector.again(undefined));
    assert.equal(dialled.length, 6);
  });

  test("trap 22: a login that came too late is no refusal", async (t) => {
    trackLeaks(t);
    const late = says("Authentication Timeout");
    const { connector } = setup(t, "a", [late, late, late, welcome], quick);
    ended(await connector.again(undefined));
  });

  test("trap 20: an expired login is one, unless an authenticator may renew it", async (t) => {
    trackLeaks(t);
    const expired = says("User Authentication Expired");
    const fixed = setup(t, "a", expired, { ...quick, user: "u" });
    await rejects(fixed.connector.again(undefined), "AUTHENTICATION_EXPIRED");
    assert.equal(fixed.dialled.length, 2);
    const renewed = setup(t, "a", [expired, expired, expired, welcome], {
      ...quick,
      authenticator: () => ({}),
    });
    ended(await renewed.connector.again(undefined));
  });

  test("trap 23: an authenticator that fails is reported each time, and asked again", async (t) => {
    trackLeaks(t);
    const thrown = new Error("no vault");
    let calls = 0;
    const { connector, reports } = setup(t, "a", welcome, {
      ...quick,
      authenticator: () => {
        if (++calls < 4) throw thrown;
      },
    });
    ended(await connector.again(undefined));
    assert.deepEqual(
      reports,
      [1, 2, 3].map(() => ({ error: thrown, source: "authenticator" })),
    );
  });
});

describe("C-ADR40-6: reconnectToServer", () => {
  test("is given the pool and the INFO, and its choice is dialled", async (t) => {
    trackLeaks(t);
    const given: unknown[] = [];
    const { connector, dialled } = setup(t, "a,b,c", (peer) => peer.handshake({ server_name: "x" }), {
      reconnectToServer: (pool, info) => {
        given.push([pool.map(({ hostname }) => hostname), info?.server_name, Object.isFrozen(pool)]);
        return pool.find(({ hostname }) => hostname === "c") as Server;
      },
    });
    for (let outage = 0; outage < 2; outage++) ended(await connector.again(undefined));
    assert.deepEqual(dialled, ["c", "c"]);
    assert.deepEqual(given, [
      [["a", "b", "c"], undefined, true],
      [["a", "b", "c"], "x", true],
    ]);
  });

  test("may ask for a delay, and null leaves the choice", async (t) => {
    trackLeaks(t);
    const tick = fakeTime(t);
    let answers = 0;
    const { connector, dialled, attempts } = setup(t, "a,b", welcome, {
      reconnectToServer: (pool) =>
        answers++ === 0 ? { server: pool[1] as Server, delay: 300 } : (null as null),
    });
    const again = connector.again(undefined);
    await tick(299);
    assert.deepEqual(dialled, []);
    await tick(1);
    ended(await again);
    ended(await connector.again(undefined));
    assert.deepEqual(dialled, ["b", "a"]);
    assert.deepEqual(
      attempts.map(({ delay }) => delay),
      [300, 0],
    );
  });

  for (const [what, answer, part] of [
    ["a server that is not of the pool", { hostname: "x" }, "not of the pool"],
    ["a delay that is none", "nonsense delay", "give milliseconds"],
    ["an error", new Error("thrown"), "thrown"],
  ] as const) {
    test(`${what} is reported, and the choice is ours`, async (t) => {
      trackLeaks(t);
      const { connector, dialled, reports } = setup(t, "a,b", welcome, {
        reconnectToServer: (pool) => {
          if (answer instanceof Error) throw answer;
          if (answer === "nonsense delay") return { server: pool[1] as Server, delay: Number.NaN };
          return answer as unknown as Server;
        },
      });
      ended(await connector.again(undefined));
      assert.deepEqual(dialled, ["a"]);
      assert.equal(reports.length, 1);
      assert.equal(reports[0]?.source, "reconnectToServer");
      assert.ok(String(reports[0]?.error).includes(part));
    });
  }
});

describe("reconnectDelayHandler", () => {
  test("is given the failures in a row and the server", async (t) => {
    trackLeaks(t);
    const given: unknown[] = [];
    const { connector } = setup(t, "a,b", [refused, refused, refused, refused, welcome], {
      reconnectDelayHandler: (attempt, { hostname }) => {
        given.push([attempt, hostname]);
        return 0;
      },
    });
    ended(await connector.again(undefined));
    assert.deepEqual(given, [
      [1, "a"],
      [1, "b"],
      [2, "a"],
      [2, "b"],
    ]);
  });

  for (const answer of [-1, Number.NaN, undefined, "5s", new Error("thrown")]) {
    test(`${String(answer)} is reported, and the default wait holds`, async (t) => {
      trackLeaks(t);
      const { connector, attempts, reports } = setup(t, "a", [refused, welcome], {
        reconnectTimeWait: 0,
        reconnectJitter: 0,
        reconnectDelayHandler: () => {
          if (answer instanceof Error) throw answer;
          return answer as number;
        },
      });
      ended(await connector.again(undefined));
      assert.equal(attempts.length, 2);
      assert.deepEqual(
        reports.map(({ source }) => source),
        ["reconnectDelayHandler"],
      );
    });
  }
});

describe("stop()", () => {
  for (const [stage, play] of Object.entries<Play>({
    "a dial": () => pending,
    "a handshake": (peer) => peer.info(),
    "a wait": refused,
  })) {
    test(`trap 13: ends ${stage}, and there is no other`, async (t) => {
      trackLeaks(t);
      const made = setup(t, "a", play, { reconnectDelayHandler: () => 60_000 });
      const again = made.connector.again(undefined);
      again.catch(() => undefined);
      await settled();
      made.connector.stop(new ClosedConnectionError());
      await rejects(within(again, "it goes on"), "CLOSED");
      await rejects(made.connector.again(undefined), "CLOSED");
      assert.equal(made.dialled.length, 1);
    });
  }

  test("in the event of an attempt comes before the dial", async (t) => {
    trackLeaks(t);
    const { connector, dialled, attempts } = setup(t, "a", welcome);
    const push = attempts.push.bind(attempts);
    attempts.push = (status) => {
      connector.stop();
      return push(status);
    };
    await rejects(connector.again(undefined), "CLOSED");
    assert.deepEqual(dialled, []);
  });
});

test("trap 35: hurry() ends a wait, and does nothing else", async (t) => {
  trackLeaks(t);
  const { connector, dialled } = setup(t, "a", [refused, welcome], { reconnectDelayHandler: () => 60_000 });
  connector.hurry();
  const again = connector.again(undefined);
  await settled();
  assert.equal(dialled.length, 1);
  connector.hurry();
  ended(await within(again, "it waits"));
  assert.equal(dialled.length, 2);
});

describe("another network", () => {
  for (const [stage, play] of Object.entries<Play>({
    "the dial": () => pending,
    PONG: (peer) => peer.info(),
  })) {
    test(`a first dial that waits for ${stage} begins anew, at the same server, and has not failed`, async (t) => {
      trackLeaks(t);
      const { connector, dialled, targets, attempts } = setup(t, "a,b", [play, welcome]);
      const first = connector.first();
      await settled();
      connector.anew();
      const link = await within(first, "it waits");
      assert.deepEqual(dialled, ["a", "a"]);
      assert.deepEqual(
        targets.map(({ signal }) => signal.aborted),
        [true, false],
      );
      assert.deepEqual([attempts, link.server.reconnects], [[], 0]);
      ended(link);
    });
  }

  test("trap 7: the socket of the dial that began before comes late and is destroyed", async (t) => {
    trackLeaks(t);
    const [late, theirs] = memoryPair();
    const peer = scriptedPeer(theirs);
    const arrivals: ((transport: Transport) => void)[] = [];
    const dialer = (): Promise<Transport> => new Promise((resolve) => arrivals.push(resolve));
    const { connector } = setup(t, "a", welcome, { dialer });
    const again = connector.again(undefined);
    await settled();
    connector.anew();
    await settled();
    arrivals[0]?.(late);
    await within(peer.closed, "the late socket lives");
    assert.equal(peer.received.length, 0);
    const [fresh, its] = memoryPair();
    const welcomed = scriptedPeer(its).handshake();
    arrivals[1]?.(fresh);
    await welcomed;
    ended(await within(again, "it waits"));
    assert.equal(arrivals.length, 2);
  });

  test("a wait ends, and what failed before makes no later wait longer and gives no server up", async (t) => {
    trackLeaks(t);
    const waits: number[] = [];
    const { connector, dialled } = setup(t, "a", [refused, refused, refused, refused, welcome], {
      maxReconnectAttempts: 3,
      reconnectDelayHandler: (attempt) => waits.push(attempt) * 60_000,
    });
    const again = connector.again(undefined);
    for (let dials = 1; dials < 5; dials++) {
      await settled();
      assert.equal(dialled.length, dials);
      connector.anew();
    }
    ended(await within(again, "it waits"));
    assert.deepEqual(waits, [1, 1, 1, 1]);
  });

  test("a connection that was stopped meanwhile does not dial again", async (t) => {
    trackLeaks(t);
    const { connector, dialled } = setup(t, "a", () => pending);
    const again = connector.again(undefined);
    await settled();
    connector.anew();
    connector.stop();
    await rejects(again, "CLOSED");
    assert.equal(dialled.length, 1);
  });
});

test("C-ADR40-3: C-CONN-7: on a real cluster, a client with its login in the address goes on at a server that was gossiped", async (t) => {
  trackLeaks(t);
  const cluster = await startCluster(t, 2, { config: "authorization { user: me, password: s3cr3t }" });
  const [first, second] = cluster;
  const nc = await connect({
    servers: first?.url.replace("//", "//me:s3cr3t@") ?? "",
    reconnectTimeWait: 10,
  });
  atEnd(t, () => nc.close());
  const watch = new Watch(nc);
  if (nc.getServers().length < 2) await watch.until("update");
  await first?.kill();
  await watch.until("reconnect");
  assert.equal(nc.getServer(), second?.address);
  await nc.flush();
});

test("C-ADR40-3: ignoreClusterUpdates keeps the pool as the user gave it", async (t) => {
  trackLeaks(t);
  const [first, second] = await startCluster(t, 2);
  for (const ignoreClusterUpdates of [true, false]) {
    const nc = await connect({ servers: first?.url ?? "", ignoreClusterUpdates });
    atEnd(t, () => nc.close());
    const watch = new Watch(nc);
    await nc.flush();
    // a route is up before all clients hear of it
    if (!ignoreClusterUpdates && nc.getServers().length < 2) await watch.until("update");
    const known = nc.getServers().map(({ listen, gossiped }) => [listen, gossiped]);
    const user = [first?.address, false];
    assert.deepEqual(known, ignoreClusterUpdates ? [user] : [[second?.address, true], user]);
  }
});
