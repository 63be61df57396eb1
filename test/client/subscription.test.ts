// Tests of src/client/subscription.ts and subscriptions.ts, through a connection whose server is the test.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  deferred,
  InvalidArgumentError,
  isNatsError,
  type Msg,
  NatsError,
  type NatsErrorCode,
  PermissionViolationError,
  type Subscription,
  type SubscriptionOptions,
} from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startServer } from "../fixtures/real-server.ts";
import { connect } from "../../src/index.node.ts";
import { converse, msg, outcome, settled, welcome } from "./conversation.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;

async function texts(sub: Subscription): Promise<string[]> {
  const seen: string[] = [];
  for await (const m of sub) seen.push(m.string());
  return seen;
}

describe("delivery", () => {
  test("an iterator gets the messages in order, those that came before the first next() included", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a.*", { max: 4 });
    const sid = sub.getID();
    assert.equal(await peer.readLine(), `SUB a.* ${sid}`);
    peer.send(msg("a.b", sid, "1") + msg("a.b", sid, "2"));
    await settled();
    assert.equal(sub.getPending(), 2);
    assert.equal(sub.getReceived(), 2);
    assert.equal(sub.getProcessed(), 0);
    const seen = texts(sub);
    await settled();
    peer.send(msg("a.c", sid, "3") + msg("a.d", sid, "4"));
    assert.deepEqual(await seen, ["1", "2", "3", "4"]);
    assert.equal(sub.getPending(), 0);
    assert.equal(sub.getReceived(), 4);
    assert.equal(sub.getProcessed(), 4);
    assert.equal(sub.isClosed(), true);
    assert.equal(await sub.closed, undefined);
  });

  test("a callback gets null and the message, in order", async (t) => {
    const { nc, peer } = await converse(t);
    const seen: [unknown, string][] = [];
    const sub = nc.subscribe("a", { callback: (error, m) => void seen.push([error, m.string()]) });
    peer.send(msg("a", sub.getID(), "1") + msg("a", sub.getID(), "2"));
    await settled();
    assert.deepEqual(seen, [
      [null, "1"],
      [null, "2"],
    ]);
    assert.equal(sub.getProcessed(), 2);
    assert.equal(typeof sub.callback, "function");
  });

  test("subject, id, queue group and max are those given", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a.>", { queue: "q", max: 7 });
    assert.equal(await peer.readLine(), `SUB a.> q ${sub.getID()}`);
    assert.equal(await peer.readLine(), `UNSUB ${sub.getID()} 7`);
    assert.equal(sub.getSubject(), "a.>");
    assert.equal(sub.getMax(), 7);
    assert.equal(nc.subscribe("b").getMax(), undefined);
    assert.notEqual(nc.subscribe("a.>").getID(), sub.getID());
    assert.equal(sub.callback, undefined);
  });

  test("one iteration at a time, one next() at a time, and none beside a callback", async (t) => {
    const { nc } = await converse(t);
    const withCallback = nc.subscribe("a", { callback: () => {} });
    assert.throws(() => withCallback[Symbol.asyncIterator](), code("INVALID_OPERATION"));
    const sub = nc.subscribe("a");
    const iterator = sub[Symbol.asyncIterator]();
    assert.throws(() => sub[Symbol.asyncIterator](), code("INVALID_OPERATION"));
    const first = iterator.next();
    await assert.rejects(iterator.next(), code("INVALID_OPERATION"));
    sub.unsubscribe();
    assert.equal((await first).done, true);
  });

  test("an iterator that is thrown into unsubscribes and gives the error back", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    const mine = new Error("mine");
    await assert.rejects(
      async () => sub[Symbol.asyncIterator]().throw?.(mine),
      (error) => error === mine,
    );
    await peer.skipTo(new RegExp(`^UNSUB ${sub.getID()}$`));
    assert.equal(sub.isClosed(), true);
  });

  test("a callback that throws, rejects or gives a broken promise is reported with its subject, and the next message comes", async (t) => {
    const { nc, peer, events } = await converse(t);
    const seen: string[] = [];
    const failures = [
      () => {
        throw new Error("thrown");
      },
      () => Promise.reject(new Error("rejected")),
      () => ({
        // oxlint-disable-next-line unicorn/no-thenable -- what a user may give by accident
        get then(): never {
          throw new Error("in the getter");
        },
      }),
      () => ({
        // oxlint-disable-next-line unicorn/no-thenable -- what a user may give by accident
        then(): never {
          throw new Error("in then");
        },
      }),
      () => {
        // oxlint-disable-next-line no-throw-literal -- users do
        throw undefined;
      },
    ];
    const sub = nc.subscribe("a.*", {
      callback: (_, m) => {
        seen.push(m.string());
        return failures[seen.length - 1]?.() as never;
      },
    });
    for (let i = 0; i <= failures.length; i++) peer.send(msg(`a.${i}`, sub.getID(), String(i)));
    await events.until("handlerError", failures.length);
    await settled();
    assert.deepEqual(seen, ["0", "1", "2", "3", "4", "5"]);
    const reported = events
      .of("handlerError")
      .map(({ subject, error }) => [subject, (error as Error)?.message]);
    assert.deepEqual(
      reported.sort(([a], [b]) => String(a).localeCompare(String(b))),
      [
        ["a.0", "thrown"],
        ["a.1", "rejected"],
        ["a.2", "in the getter"],
        ["a.3", "in then"],
        ["a.4", undefined],
      ],
    );
    for (const event of events.of("handlerError")) assert.equal(event.source, "subscription");
    assert.equal(nc.state, "connected");
  });

  test("a callback that fails on the error of its subscription is reported too", async (t) => {
    const { nc, peer, events } = await converse(t);
    for (const fail of [() => Promise.reject(new Error("async")), () => assert.fail("sync")]) {
      nc.subscribe("no", { callback: fail });
      await peer.expect(/^SUB/);
      peer.send(`-ERR 'Permissions Violation for Subscription to "no"'\r\n`);
    }
    await events.until("handlerError", 2);
    const messages = events.of("handlerError").map(({ error }) => (error as Error).message);
    assert.deepEqual(messages.sort(), ["async", "sync"]);
    assert.equal(events.of("handlerError")[0]?.subject, "no");
  });
});

describe("the end", () => {
  test("C-PROTO-10: unsubscribe(n) counts from the beginning, and the client stops at n whatever comes", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    const sid = sub.getID();
    await peer.expect(/^SUB/);
    const seen = texts(sub);
    peer.send(msg("a", sid, "1"));
    await settled();
    sub.unsubscribe(3);
    assert.equal(await peer.readLine(), `UNSUB ${sid} 3`);
    assert.equal(sub.isClosed(), false);
    for (const payload of ["2", "3", "4", "5"]) peer.send(msg("a", sid, payload));
    assert.deepEqual(await seen, ["1", "2", "3"]);
    assert.equal(sub.getReceived(), 3);
  });

  test("C-PROTO-10: unsubscribe(n) with n messages here already ends at once, and what is queued still comes", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    const sid = sub.getID();
    peer.send(msg("a", sid, "1") + msg("a", sid, "2"));
    await settled();
    sub.unsubscribe(1);
    await peer.skipTo(new RegExp(`^UNSUB ${sid}$`));
    assert.equal(sub.isClosed(), true);
    assert.deepEqual(await texts(sub), ["1", "2"]);
  });

  test("C-PROTO-10: after a reconnect the server is told of what remains of the count", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t);
    const sub = nc.subscribe("a", { max: 5, queue: "q" });
    const sid = sub.getID();
    peer.send(msg("a", sid, "1") + msg("a", sid, "2"));
    await settled();
    peer.destroy();
    const next = await welcome(await nextPeer());
    assert.equal(await next.readLine(), `SUB a q ${sid}`);
    assert.equal(await next.readLine(), `UNSUB ${sid} 3`);
    await events.until("reconnect");
    next.send(msg("a", sid, "3") + msg("a", sid, "4") + msg("a", sid, "5") + msg("a", sid, "6"));
    assert.deepEqual(await texts(sub), ["1", "2", "3", "4", "5"]);
  });

  test("C-PROTO-11: what is in flight after UNSUB is dropped silently", async (t) => {
    const { nc, peer, events } = await converse(t);
    const seen: string[] = [];
    const sub = nc.subscribe("a", { callback: (_, m) => void seen.push(m.string()) });
    peer.send(msg("a", sub.getID(), "1"));
    await settled();
    sub.unsubscribe();
    peer.send(msg("a", sub.getID(), "2") + msg("a", 99, "nobody's"));
    await settled();
    await nc.flush();
    assert.deepEqual(seen, ["1"]);
    assert.deepEqual(events.seen, []);
    assert.equal(nc.stats().inMsgs, 3);
    assert.equal(nc.stats().droppedInbound, 0);
  });

  test("unsubscribe() discards what is queued and ends the iteration", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    peer.send(msg("a", sub.getID(), "1"));
    await settled();
    sub.unsubscribe();
    assert.equal(sub.getPending(), 0);
    assert.deepEqual(await texts(sub), []);
    assert.equal(await sub.closed, undefined);
    sub.unsubscribe();
    sub.unsubscribe(3);
  });

  test("a count that is no whole number never reaches the server", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    for (const max of [2.5, Number.NaN, Number.POSITIVE_INFINITY, "3" as never]) {
      assert.throws(() => sub.unsubscribe(max), InvalidArgumentError, String(max));
      assert.throws(() => nc.subscribe("a", { max }), InvalidArgumentError, String(max));
    }
    await nc.flush();
    assert.deepEqual(
      peer.received
        .toString()
        .split("\r\n")
        .filter((line) => line.startsWith("UNSUB")),
      [],
    );
  });

  test("options that can't be used are refused with a text that names them", async (t) => {
    const { nc } = await converse(t);
    const bad: [Record<string, unknown>, RegExp][] = [
      [{ max: 0 }, /max is 0/],
      [{ max: -1 }, /max is -1/],
      [{ timeout: 0 }, /timeout is 0/],
      [{ concurrency: -2 }, /concurrency is -2/],
      [{ slow: Number.NaN }, /slow is NaN/],
      [{ limits: { messages: 0 } }, /messages is 0/],
      [{ limits: { bytes: Number.NaN } }, /bytes is NaN/],
      [{ limits: { overflow: "block" } }, /overflow is 'block'/],
      [{ callback: {} }, /callback is of type object/],
      [{ queue: "a b" }, /queue group 'a b'/],
    ];
    for (const [options, message] of bad) {
      assert.throws(
        () => nc.subscribe("a", options as SubscriptionOptions),
        (error) => error instanceof NatsError && message.test(error.message),
        JSON.stringify(options),
      );
    }
    assert.throws(() => nc.subscribe("a..b"), code("INVALID_SUBJECT"));
  });

  test("limits left undefined are the defaults, not none", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", {
      limits: { messages: 1, bytes: undefined, overflow: undefined } as never,
    });
    peer.send(msg("a", sub.getID(), "1") + msg("a", sub.getID(), "2"));
    await settled();
    assert.equal(sub.dropped, 1);
  });

  test("closing the connection ends it; what is queued can still be taken", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    const waiting = texts(nc.subscribe("b"));
    peer.send(msg("a", sub.getID(), "1"));
    await settled();
    await nc.close();
    assert.deepEqual(await waiting, []);
    assert.deepEqual(await texts(sub), ["1"]);
    assert.equal(await sub.closed, undefined);
  });

  test("C-ERR-2: a refused subscription ends with operation, subject and queue; the first live match only", async (t) => {
    const { nc, peer, events } = await converse(t);
    const plain = nc.subscribe("no");
    const first = nc.subscribe("no", { queue: "q" });
    const second = nc.subscribe("no", { queue: "q" });
    peer.send(`-ERR 'Permissions Violation for Subscription to "no" using queue "q"'\r\n`);
    const error = (await first.closed) as PermissionViolationError;
    assert.ok(error instanceof PermissionViolationError);
    assert.equal(error.operation, "subscription");
    assert.equal(error.subject, "no");
    assert.equal(error.queue, "q");
    assert.equal(first.isClosed(), true);
    assert.equal(plain.isClosed(), false);
    assert.equal(second.isClosed(), false);
    await assert.rejects(texts(first), (thrown) => thrown === error);
    // C-ERR-5
    assert.equal((await events.until("error")).error, error);
    peer.send(`-ERR 'Permissions Violation for Subscription to "no" using queue "q"'\r\n`);
    assert.ok((await second.closed) instanceof PermissionViolationError);
    assert.equal(plain.isClosed(), false);
    assert.equal(nc.state, "connected");
  });

  test("C-ERR-2: an error that names the sid ends that subscription", async (t) => {
    const { nc, peer } = await converse(t);
    const first = nc.subscribe("no");
    const second = nc.subscribe("no");
    peer.send(`-ERR 'Permissions Violation for Subscription to "no" (sid "${second.getID()}")'\r\n`);
    assert.ok((await second.closed) instanceof PermissionViolationError);
    assert.equal(first.isClosed(), false);
  });

  test("the error is thrown once by the iteration, and is the value of closed before and after that", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("no");
    const iterator = sub[Symbol.asyncIterator]();
    const next = iterator.next();
    peer.send(`-ERR 'Permissions Violation for Subscription to "no"'\r\n`);
    await assert.rejects(next, code("PERMISSION_VIOLATION"));
    assert.equal((await iterator.next()).done, true);
    assert.ok((await sub.closed) instanceof PermissionViolationError);
    const later = nc.subscribe("no");
    peer.send(`-ERR 'Permissions Violation for Subscription to "no"'\r\n`);
    await settled();
    await assert.rejects(texts(later), code("PERMISSION_VIOLATION"));
    assert.ok((await later.closed) instanceof PermissionViolationError);
  });
});

describe("the first message in time", () => {
  test("without one the iteration ends with TIMEOUT, and the server is told", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { timeout: 15 });
    await assert.rejects(texts(sub), code("TIMEOUT"));
    await peer.skipTo(new RegExp(`^UNSUB ${sub.getID()}$`));
    assert.equal(((await sub.closed) as NatsError).subject, "a");
  });

  test("after it there is no limit any more", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { timeout: 500, max: 2 });
    peer.send(msg("a", sub.getID(), "1"));
    // one that began later has its time over
    await assert.rejects(texts(nc.subscribe("b", { timeout: 500 })), code("TIMEOUT"));
    peer.send(msg("a", sub.getID(), "2"));
    assert.deepEqual(await texts(sub), ["1", "2"]);
  });

  test("a limit of for ever is for ever, not at once", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { timeout: Number.POSITIVE_INFINITY, max: 1 });
    await assert.rejects(texts(nc.subscribe("b", { timeout: 10 })), code("TIMEOUT"));
    peer.send(msg("a", sub.getID(), "1"));
    assert.deepEqual(await texts(sub), ["1"]);
  });
});

describe("a full queue", () => {
  const fill = (sid: number, from: number, to: number) => {
    let all = "";
    for (let i = from; i <= to; i++) all += msg("a", sid, String(i));
    return all;
  };

  test("C-ADR40-23: drops the newest, counts, and reports once until half of it is free", async (t) => {
    const { nc, peer, events } = await converse(t);
    const sub = nc.subscribe("a", { limits: { messages: 4 } });
    const other = nc.subscribe("b", { max: 1 });
    const sid = sub.getID();
    peer.send(fill(sid, 1, 7));
    await settled();
    assert.equal(sub.dropped, 3);
    assert.equal(sub.getPending(), 4);
    assert.equal(sub.getReceived(), 7);
    assert.equal(nc.stats().droppedInbound, 3);
    const [report, ...more] = events.of("slowConsumer");
    assert.equal(report?.sub, sub);
    assert.equal(report?.pending, 4);
    assert.equal(report?.dropped, 1);
    assert.equal(more.length, 0);
    // nobody else is held up
    peer.send(msg("b", other.getID(), "other"));
    assert.deepEqual(await texts(other), ["other"]);
    // one taken: not an episode of its own yet
    const iterator = sub[Symbol.asyncIterator]();
    const take = async () => ((await iterator.next()).value as Msg).string();
    assert.equal(await take(), "1");
    peer.send(fill(sid, 8, 9));
    await settled();
    assert.equal(events.of("slowConsumer").length, 1);
    assert.deepEqual([await take(), await take(), await take()], ["2", "3", "4"]);
    assert.equal(await take(), "8");
    peer.send(fill(sid, 10, 14));
    await settled();
    assert.equal(events.of("slowConsumer").length, 2);
    assert.equal(sub.dropped, 5);
  });

  test("drop-oldest keeps the newest", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { limits: { messages: 3, overflow: "drop-oldest" } });
    peer.send(fill(sub.getID(), 1, 8));
    await settled();
    assert.equal(sub.dropped, 5);
    sub.unsubscribe(1);
    assert.deepEqual(await texts(sub), ["6", "7", "8"]);
  });

  test("close ends it with SLOW_CONSUMER, and the server is told", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { limits: { messages: 2, overflow: "close" } });
    peer.send(fill(sub.getID(), 1, 4));
    await peer.skipTo(new RegExp(`^UNSUB ${sub.getID()}$`));
    await assert.rejects(texts(sub), code("SLOW_CONSUMER"));
    const error = (await sub.closed) as NatsError;
    assert.equal(error.subject, "a");
    assert.match(error.message, /2 are queued/);
    // the two that were queued are lost with it, the fourth came too late
    assert.equal(sub.dropped, 3);
  });

  test("bytes count as well: subject, reply, headers and payload", async (t) => {
    const { nc, peer } = await converse(t);
    const block = "NATS/1.0\r\nA: b\r\n\r\n";
    const size = "subject".length + "reply".length + block.length + 10;
    const sub = nc.subscribe("subject", { limits: { bytes: 2 * size } });
    const one = msg("subject", sub.getID(), "x".repeat(10), { reply: "reply", headers: block });
    peer.send(one + one + one);
    await settled();
    assert.equal(sub.getPending(), 2);
    assert.equal(sub.dropped, 1);
  });

  test("drop-oldest with bytes makes room for a large message, and drops one that never fits", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { limits: { bytes: 20, overflow: "drop-oldest" } });
    const sid = sub.getID();
    peer.send(
      msg("a", sid, "1111") + msg("a", sid, "2222") + msg("a", sid, "3333") + msg("a", sid, "x".repeat(15)),
    );
    await settled();
    assert.equal(sub.getPending(), 1);
    assert.equal(sub.dropped, 3);
    peer.send(msg("a", sid, "y".repeat(50)) + msg("a", sid, "z"));
    await settled();
    sub.unsubscribe(1);
    assert.deepEqual(await texts(sub), ["z"]);
  });

  test("slow: one status when so many are queued, before anything is dropped", async (t) => {
    const { nc, peer, events } = await converse(t);
    const sub = nc.subscribe("a", { slow: 3 });
    peer.send(fill(sub.getID(), 1, 6));
    await settled();
    const [report, ...more] = events.of("slowConsumer");
    assert.deepEqual([report?.pending, report?.dropped, more.length], [3, 0, 0]);
  });
});

describe("concurrency", () => {
  test("bounds how many async callbacks run; the others wait in the queue, in order", async (t) => {
    const { nc, peer } = await converse(t);
    const gates = new Map<string, ReturnType<typeof deferred<void>>>();
    const begun: string[] = [];
    const sub = nc.subscribe("a", {
      concurrency: 2,
      callback: (_, m) => {
        begun.push(m.string());
        const gate = deferred<void>();
        gates.set(m.string(), gate);
        return gate;
      },
    });
    for (let i = 1; i <= 5; i++) peer.send(msg("a", sub.getID(), String(i)));
    await settled();
    assert.deepEqual(begun, ["1", "2"]);
    assert.equal(sub.getPending(), 3);
    gates.get("2")?.resolve();
    await settled();
    assert.deepEqual(begun, ["1", "2", "3"]);
    gates.get("1")?.reject(new Error("one that fails frees its place too"));
    gates.get("3")?.resolve();
    await settled();
    assert.deepEqual(begun, ["1", "2", "3", "4", "5"]);
    assert.equal(sub.getProcessed(), 5);
    assert.equal(sub.getPending(), 0);
  });

  test("callbacks that return at once never wait", async (t) => {
    const { nc, peer } = await converse(t);
    const seen: string[] = [];
    const sub = nc.subscribe("a", { concurrency: 1, callback: (_, m) => void seen.push(m.string()) });
    for (let i = 1; i <= 3; i++) peer.send(msg("a", sub.getID(), String(i)));
    await settled();
    assert.deepEqual(seen, ["1", "2", "3"]);
  });

  test("the queue before the callbacks has the limits of any other", async (t) => {
    const { nc, peer, events } = await converse(t);
    const gate = deferred<void>();
    const seen: string[] = [];
    const sub = nc.subscribe("a", {
      concurrency: 1,
      limits: { messages: 2, overflow: "drop-oldest" },
      callback: (_, m) => {
        seen.push(m.string());
        return gate;
      },
    });
    for (let i = 1; i <= 6; i++) peer.send(msg("a", sub.getID(), String(i)));
    await events.until("slowConsumer");
    await settled();
    gate.resolve();
    await settled();
    assert.deepEqual(seen, ["1", "5", "6"]);
    assert.equal(sub.dropped, 3);
  });

  test("without it all run at once", async (t) => {
    const { nc, peer } = await converse(t);
    let running = 0;
    const gate = deferred<void>();
    const sub = nc.subscribe("a", {
      callback: () => {
        running++;
        return gate;
      },
    });
    for (let i = 1; i <= 20; i++) peer.send(msg("a", sub.getID(), String(i)));
    await settled();
    assert.equal(running, 20);
    gate.resolve();
  });
});

describe("web stream", () => {
  test("gives the messages and closes with the subscription", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { max: 3 });
    for (let i = 1; i <= 3; i++) peer.send(msg("a", sub.getID(), String(i)));
    const seen: string[] = [];
    for await (const m of sub.readable) seen.push(m.string());
    assert.deepEqual(seen, ["1", "2", "3"]);
    assert.equal(sub.isClosed(), true);
  });

  test("is one stream, however often it is asked for, and takes nothing ahead of its reader", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    assert.equal(sub.readable, sub.readable);
    assert.throws(() => sub[Symbol.asyncIterator](), code("INVALID_OPERATION"));
    peer.send(msg("a", sub.getID(), "1") + msg("a", sub.getID(), "2"));
    await settled();
    assert.equal(sub.getPending(), 2);
    const reader = sub.readable.getReader();
    assert.equal((await reader.read()).value?.string(), "1");
    await settled();
    assert.equal(sub.getPending(), 1);
  });

  test("cancelling it unsubscribes, also while a read waits", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    const reader = sub.readable.getReader();
    const read = reader.read();
    await reader.cancel();
    assert.equal((await read).done, true);
    await peer.skipTo(new RegExp(`^UNSUB ${sub.getID()}$`));
    assert.equal(sub.isClosed(), true);
  });

  test("fails with the error that ended the subscription", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("no");
    const read = sub.readable.getReader().read();
    peer.send(`-ERR 'Permissions Violation for Subscription to "no"'\r\n`);
    await assert.rejects(read, code("PERMISSION_VIOLATION"));
  });

  test("has the limits of the subscription", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a", { limits: { messages: 2 } });
    const reader = sub.readable.getReader();
    for (let i = 1; i <= 5; i++) peer.send(msg("a", sub.getID(), String(i)));
    await settled();
    assert.equal(sub.dropped, 3);
    assert.equal((await reader.read()).value?.string(), "1");
  });
});

describe("drain", () => {
  test("sends UNSUB, then PING; what the server sent before its PONG is handed over", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    peer.answerPings(false);
    const sub = nc.subscribe("a");
    const sid = sub.getID();
    const seen = texts(sub);
    await peer.expect(/^SUB/);
    const drained = sub.drain();
    assert.equal(sub.isDraining(), true);
    assert.equal(await peer.readLine(), `UNSUB ${sid}`);
    assert.equal(await peer.readLine(), "PING");
    peer.send(msg("a", sid, "1") + msg("a", sid, "2"));
    assert.equal(await outcome(drained), "pending");
    peer.send("PONG\r\n");
    await drained;
    assert.deepEqual(await seen, ["1", "2"]);
    assert.equal(sub.isDraining(), false);
    assert.equal(sub.isClosed(), true);
    assert.equal(nc.state, "connected");
  });

  test("waits for the loop to take what is queued", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    peer.send(msg("a", sub.getID(), "1") + msg("a", sub.getID(), "2"));
    const iterator = sub[Symbol.asyncIterator]();
    await iterator.next();
    const drained = sub.drain();
    assert.equal(await outcome(drained), "pending");
    await iterator.next();
    await drained;
    assert.equal((await iterator.next()).done, true);
  });

  test("ends when the loop is left instead", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    peer.send(msg("a", sub.getID(), "1") + msg("a", sub.getID(), "2"));
    const iterator = sub[Symbol.asyncIterator]();
    await iterator.next();
    const drained = sub.drain();
    assert.equal(await outcome(drained), "pending");
    await iterator.return?.();
    await drained;
    assert.equal(sub.getPending(), 0);
  });

  test("does not wait for a loop that nobody began", async (t) => {
    const { nc, peer } = await converse(t);
    const sub = nc.subscribe("a");
    peer.send(msg("a", sub.getID(), "1"));
    await sub.drain();
    assert.deepEqual(await texts(sub), ["1"]);
  });

  test("waits for the callbacks that run and those that wait for their turn, to the last", async (t) => {
    const { nc, peer } = await converse(t);
    const gates: ReturnType<typeof deferred<void>>[] = [];
    const sub = nc.subscribe("a", {
      concurrency: 1,
      callback: () => {
        const gate = deferred<void>();
        gates.push(gate);
        return gate;
      },
    });
    for (let i = 1; i <= 3; i++) peer.send(msg("a", sub.getID(), String(i)));
    await settled();
    const drained = sub.drain();
    for (let i = 0; i < 3; i++) {
      assert.equal(await outcome(drained), "pending", `callback ${i + 1} still runs`);
      gates[i]?.resolve();
    }
    await drained;
    assert.equal(sub.getProcessed(), 3);
  });

  test("awaited in its own callback it doesn't wait for that one, but for the others", async (t) => {
    const { nc, peer } = await converse(t);
    const gate = deferred<void>();
    const done: string[] = [];
    const sub = nc.subscribe("a", {
      callback: async (_, m) => {
        const text = m.string();
        if (text === "work") await gate;
        else await sub.drain();
        done.push(text);
      },
    });
    peer.send(msg("a", sub.getID(), "work") + msg("a", sub.getID(), "drain"));
    await settled();
    assert.deepEqual(done, []);
    gate.resolve();
    await settled();
    assert.deepEqual(done.sort(), ["drain", "work"]);
  });

  test("awaited in its own callback with concurrency 1, what is queued gets its place", async (t) => {
    const { nc, peer } = await converse(t);
    const done: string[] = [];
    const sub = nc.subscribe("a", {
      concurrency: 1,
      callback: async (_, m) => {
        if (m.string() === "1") await sub.drain();
        else await Promise.resolve();
        done.push(m.string());
      },
    });
    for (let i = 1; i <= 3; i++) peer.send(msg("a", sub.getID(), String(i)));
    await settled(20);
    assert.deepEqual(done, ["2", "3", "1"]);
  });

  test("gives the same promise again, and INVALID_OPERATION after the end", async (t) => {
    const { nc } = await converse(t);
    const sub = nc.subscribe("a");
    assert.equal(sub.drain(), sub.drain());
    await sub.drain();
    await assert.rejects(
      nc
        .subscribe("b")
        .drain()
        .then(() => sub.drain())
        .then(() => {
          const ended = nc.subscribe("c");
          ended.unsubscribe();
          return ended.drain();
        }),
      code("INVALID_OPERATION"),
    );
  });

  test("without a connection there is nothing to come: it ends at once", async (t) => {
    const { nc, peer, nextPeer, events } = await converse(t);
    const sub = nc.subscribe("a");
    const drops = nc.subscribe("b");
    const dropped = drops.drain();
    peer.destroy();
    await dropped;
    await events.until("disconnect");
    await sub.drain();
    assert.equal(sub.isClosed(), true);
    // and the next server hears of neither
    const next = await welcome(await nextPeer());
    await events.until("reconnect");
    await nc.flush();
    assert.equal(next.received.includes("SUB"), false);
  });

  test("ends by its timeout, its signal, and with the connection; closed in each case", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const stuck = () => {
      const sub = nc.subscribe("a", { callback: () => new Promise(() => {}) });
      peer.send(msg("a", sub.getID(), "x"));
      return sub;
    };
    const subs = [stuck(), stuck(), stuck()] as const;
    await settled();
    const controller = new AbortController();
    const byTimeout = subs[0].drain({ timeout: 10 });
    const bySignal = subs[1].drain({ signal: controller.signal });
    const byClose = subs[2].drain();
    await assert.rejects(byTimeout, code("TIMEOUT"));
    assert.equal(await outcome(bySignal), "pending");
    controller.abort(new Error("enough"));
    await assert.rejects(
      bySignal,
      (error) => code("ABORTED")(error) && (error as Error).cause === controller.signal.reason,
    );
    assert.equal(await outcome(byClose), "pending");
    await nc.close();
    await assert.rejects(byClose, code("CLOSED"));
    for (const sub of subs) assert.equal(sub.isClosed(), true);
  });

  test("await using drains", async (t) => {
    const { nc, peer } = await converse(t);
    let kept: Subscription;
    {
      await using sub = nc.subscribe("a");
      kept = sub;
    }
    await peer.skipTo(new RegExp(`^UNSUB ${kept.getID()}$`));
    assert.equal(kept.isClosed(), true);
    // once more is nothing
    await kept[Symbol.asyncDispose]();
  });
});

test("C-PROTO-12: with noEcho the server sends nothing back that this connection published", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const silent = await connect({ servers: server.url, noEcho: true });
  const echoing = await connect({ servers: server.url });
  for (const nc of [silent, echoing]) {
    const heard: string[] = [];
    nc.subscribe("a", { callback: (_, m) => void heard.push(m.string()) });
    nc.publish("a", "own");
    await nc.flush();
    assert.deepEqual(heard, nc === silent ? [] : ["own"]);
  }
  await Promise.all([silent.close(), echoing.close()]);
});
