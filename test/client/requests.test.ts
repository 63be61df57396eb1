// Tests of src/client/requests.ts: requests over the shared inbox and over subscriptions of their own.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MsgImpl } from "../../src/client/message.ts";
import { Requests } from "../../src/client/requests.ts";
import {
  connect,
  headers,
  isNatsError,
  type NatsError,
  type NatsErrorCode,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
} from "../../src/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startServer } from "../fixtures/real-server.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { PATIENT } from "../suites/tools.ts";
import { converse, msg, noResponders, outcome, settled, Watch, welcome } from "./conversation.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;
const PUB = /^PUB (\S+) (\S+) \d+$/;

describe("the shared inbox", () => {
  test("C-REQ-3: one wildcard subscription of 22 characters, a token for each request", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const [first, second] = [nc.request("q", "1"), nc.request("q", "2")];
    const [, inbox, sid] = (await peer.expect(/^SUB (_INBOX\.\w{22})\.\* (\d+)$/)) as unknown as string[];
    const [, , one = ""] = await peer.expect(PUB);
    await peer.expect(/^1$/);
    const [, , two = ""] = await peer.expect(PUB);
    await peer.expect(/^2$/);
    assert.ok(one.startsWith(`${inbox}.`) && two.startsWith(`${inbox}.`));
    assert.notEqual(one, two);
    // answered in the other order
    peer.send(msg(two, Number(sid), "to 2") + msg(one, Number(sid), "to 1"));
    assert.equal((await first).string(), "to 1");
    assert.equal((await second).string(), "to 2");
  });

  test("inboxPrefix is where inboxes begin, of requests with and without the shared one", async (t) => {
    const { nc, peer } = await converse(t, { inboxPrefix: "mine.of.it" });
    const answers = [
      nc.request("q"),
      nc.request("q", "", { noMux: true }),
      nc.requestMany("q", "", { maxWait: 20 }),
    ];
    for (const of of [/^SUB mine\.of\.it\.\w{22}\.\* \d+$/, /^SUB mine\.of\.it\.\w{22} \d+$/])
      await peer.skipTo(of);
    const published = peer.received.toString().matchAll(/^PUB q (\S+)/gm);
    for (const [, reply = ""] of published) assert.ok(reply.startsWith("mine.of.it."), reply);
    await nc.close();
    await Promise.allSettled(answers);
  });

  test("C-REQ-4: late replies are dropped, and replies to nobody", async (t) => {
    const { nc, peer, events } = await converse(t);
    const late = nc.request("q", "", { timeout: 10 });
    const [, , reply = ""] = await peer.skipTo(PUB);
    await assert.rejects(late, code("TIMEOUT"));
    const inbox = reply.slice(0, reply.lastIndexOf("."));
    peer.send(msg(reply, 1, "late") + msg(`${inbox}.nobody`, 1, "x") + msg(`${inbox}.999999`, 1, "x"));
    await settled();
    const fresh = nc.request("q");
    const [, , other = ""] = await peer.skipTo(PUB);
    peer.send(msg(other, 1, "in time") + msg(other, 1, "a second one"));
    assert.equal((await fresh).string(), "in time");
    await settled();
    assert.deepEqual(events.seen, []);
  });

  test("C-REQ-4: nothing is kept after a reply, a failure, a timeout, an abort or the end", async (t) => {
    trackLeaks(t);
    const requests = new Requests(
      { subscribe: () => assert.fail("not with noMux") },
      { control: () => {}, link: undefined },
      "_INBOX.x",
    );
    const settle = (promise: Promise<unknown>) => promise.catch(() => {});
    const bytes = Buffer.from(`${requests.inbox}.1`);
    const answer = new MsgImpl({ publish: () => {} }, bytes, 1, 0, bytes.length, 0, 0, 0, 0, 0);

    const answered = requests.one("q", {}, () => {});
    requests.onReply(answer, bytes, 0, bytes.length);
    assert.equal(requests.size, 0);
    await answered;

    const unpublished = requests.one("q", {}, () => {
      throw new Error("publish failed");
    });
    assert.equal(requests.size, 0);
    await assert.rejects(unpublished, /publish failed/);
    assert.throws(
      () =>
        requests.many("q", {}, () => {
          throw new Error("publish failed");
        }),
      /publish failed/,
    );
    assert.equal(requests.size, 0);

    await settle(requests.one("q", { timeout: 1 }, () => {}));
    assert.equal(requests.size, 0);

    const controller = new AbortController();
    const aborted = requests.one("q", { signal: controller.signal }, () => {});
    const many = requests.many("q", { signal: controller.signal }, () => {});
    assert.equal(requests.size, 2);
    controller.abort();
    assert.equal(requests.size, 0);
    await settle(aborted);
    await assert.rejects(many[Symbol.asyncIterator]().next(), code("ABORTED"));

    const ended = [requests.one("q", { timeout: 60_000 }, () => {})];
    const left = requests.many("q", { maxWait: 60_000 }, () => {});
    requests.failAll(new TimeoutError("the end"));
    assert.equal(requests.size, 0);
    await Promise.all(ended.map(settle));
    await settle(left[Symbol.asyncIterator]().next());
  });

  test("C-REQ-7: what comes to our reply subject is the answer, whoever published it", async (t) => {
    trackLeaks(t);
    // the service lives in another account: the responder sees a reply subject of its own
    const config = `
      accounts {
        S { users: [{ user: s, password: s }], exports: [{ service: "q" }] }
        C { users: [{ user: c, password: c }], imports: [{ service: { account: S, subject: "q" }, to: "local.q" }] }
      }`;
    const server = await startServer(t, { config });
    const service = await connect({ servers: server.url, user: "s", pass: "s" });
    const client = await connect({ servers: server.url, user: "c", pass: "c" });
    const replies: (string | undefined)[] = [];
    service.subscribe("q", {
      callback: (_, m) => {
        replies.push(m.reply);
        m.respond("imported");
      },
    });
    await service.flush();
    const answer = await client.request("local.q", "", PATIENT);
    assert.equal(answer.string(), "imported");
    assert.match(answer.subject, /^_INBOX\./);
    assert.notEqual(replies[0], answer.subject);
    assert.equal((await client.request("local.q", "", { ...PATIENT, noMux: true })).string(), "imported");
    await Promise.all([service.close(), client.close()]);
  });

  test("C-ERR-3: when the inbox is refused all requests fail at once, and the next one tries again", async (t) => {
    const { nc, peer, events } = await converse(t);
    const both = [
      nc.request("q", "", { timeout: 60_000 }),
      nc.request("r", "", { timeout: 60_000 }),
    ] as const;
    const many = await nc.requestMany("s", "", { maxWait: 60_000 });
    const iteration = many[Symbol.asyncIterator]().next();
    const [, inbox = ""] = await peer.expect(/^SUB (\S+) 1$/);
    peer.send(`-ERR 'Permissions Violation for Subscription to "${inbox}"'\r\n`);
    for (const request of both) {
      await assert.rejects(request, (error) => {
        assert.ok(error instanceof RequestError);
        assert.equal(error.code, "PERMISSION_VIOLATION");
        assert.equal(error.isNoResponders(), false);
        assert.ok(error.cause instanceof PermissionViolationError);
        assert.equal(error.cause.subject, inbox);
        return true;
      });
    }
    await assert.rejects(iteration, code("PERMISSION_VIOLATION"));
    // C-ERR-5
    await events.until("error");
    const next = nc.request("q");
    const [, , reply = ""] = await peer
      .skipTo(/^PUB (q) (\S+) 0$/)
      .then(() => peer.skipTo(/^SUB (\S+) 1$/).then(() => peer.skipTo(PUB)));
    peer.send(msg(reply, 1, "allowed now"));
    assert.equal((await next).string(), "allowed now");
  });

  test("C-ERR-4: a refused publish rejects the requests to that subject at once, and no others", async (t) => {
    const { nc, peer } = await converse(t);
    const refused = [
      nc.request("no", "", { timeout: 60_000 }),
      nc.request("no", "", { timeout: 60_000, noMux: true }),
    ];
    const many = [
      await nc.requestMany("no", "", { maxWait: 60_000 }),
      await nc.requestMany("no", "", { maxWait: 60_000, noMux: true }),
    ];
    const other = nc.request("yes", "", { timeout: 60_000 });
    await settled();
    peer.send(`-ERR 'Permissions Violation for Publish to "no"'\r\n`);
    for (const request of refused) {
      await assert.rejects(request, (error) => {
        assert.ok(error instanceof RequestError, String(error));
        const cause = error.cause as PermissionViolationError;
        assert.deepEqual(
          [cause.code, cause.operation, cause.subject],
          ["PERMISSION_VIOLATION", "publish", "no"],
        );
        return true;
      });
    }
    for (const replies of many) {
      await assert.rejects(replies[Symbol.asyncIterator]().next(), code("PERMISSION_VIOLATION"));
    }
    assert.equal(await outcome(other), "pending");
    const [, , reply = ""] = await peer.skipTo(/^PUB (yes) (\S+) 0$/);
    peer.send(msg(reply, 1, "ok"));
    await other;
  });
});

for (const noMux of [false, true]) {
  describe(noMux ? "a request with a subscription of its own" : "a request", () => {
    test("C-REQ-1: C-REQ-6: NO_RESPONDERS at once, as a RequestError with its cause", async (t) => {
      trackLeaks(t);
      const { nc, peer } = await converse(t);
      for (const block of ["NATS/1.0 503\r\n\r\n", "NATS/1.0 503\r\nNats-Subject: q\r\n\r\n"]) {
        const request = nc.request("q", "", { noMux, timeout: 60_000 });
        const sub = noMux ? await peer.skipTo(/^SUB _INBOX\.\w+ (\d+)$/) : undefined;
        const [, , reply = ""] = await peer.skipTo(PUB);
        peer.send(msg(reply, Number(sub?.[1] ?? 1), "", { headers: block }));
        await assert.rejects(request, (error) => {
          assert.ok(error instanceof RequestError);
          assert.equal(error.code, "NO_RESPONDERS");
          assert.equal(error.isNoResponders(), true);
          assert.equal(error.subject, "q");
          assert.ok(error.cause instanceof NoRespondersError);
          return true;
        });
      }
    });

    test("C-REQ-6: TIMEOUT says that no reply came, and for which subject", async (t) => {
      trackLeaks(t);
      const { nc } = await converse(t);
      await assert.rejects(nc.request("q", "", { noMux, timeout: 10 }), (error) => {
        assert.ok(error instanceof TimeoutError);
        assert.deepEqual([error.code, error.reason, error.subject], ["TIMEOUT", "no reply", "q"]);
        assert.match(error.message, /'q' within 10 ms/);
        return true;
      });
    });

    test("C-REQ-6: TIMEOUT while there is no connection says so", async (t) => {
      const { nc, peer, events } = await converse(t);
      peer.destroy();
      await events.until("reconnecting");
      await assert.rejects(
        nc.request("q", "", { noMux, timeout: 10 }),
        (error) => error instanceof TimeoutError && error.reason === "no connection",
      );
    });

    test("C-REQ-6: CLOSED when the connection closes meanwhile, and ever after", async (t) => {
      trackLeaks(t);
      const { nc } = await converse(t);
      const request = nc.request("q", "", { noMux, timeout: 60_000 });
      await settled();
      await nc.close();
      await assert.rejects(request, (error) => code("CLOSED")(error) && error instanceof RequestError);
      await assert.rejects(nc.request("q", "", { noMux }), code("CLOSED"));
    });

    test("C-REQ-6: DRAINING once drain was called; what is under way may finish", async (t) => {
      const { nc, peer } = await converse(t);
      peer.answerPings(false);
      const drained = nc.drain();
      await assert.rejects(nc.request("q", "", { noMux }), code("DRAINING"));
      peer.answerPings();
      await drained;
    });

    test("a signal ends it with ABORTED and its reason; one that is aborted already publishes nothing", async (t) => {
      trackLeaks(t);
      const { nc, peer } = await converse(t);
      const controller = new AbortController();
      const request = nc.request("q", "", { noMux, timeout: 60_000, signal: controller.signal });
      await peer.skipTo(PUB);
      const reason = new Error("enough");
      controller.abort(reason);
      const isAborted = (error: unknown) => code("ABORTED")(error) && (error as Error).cause === reason;
      await assert.rejects(request, isAborted);
      const before = nc.stats().outMsgs;
      const { signal } = controller;
      await assert.rejects(nc.request("q", "", { noMux, signal }), isAborted);
      await assert.rejects(nc.requestMany("q", "", { noMux, signal }), isAborted);
      assert.equal(nc.stats().outMsgs, before);
      await nc.flush();
      // each subscription of its own is given back
      const lines = peer.received.toString();
      const subs = [...lines.matchAll(/^SUB _INBOX\.\w+ (\d+)\r/gm)].map(([, sid]) => sid);
      assert.equal(subs.length, noMux ? 1 : 0);
      for (const sid of subs) assert.match(lines, new RegExp(`^UNSUB ${sid}\r`, "m"));
    });

    test("headers and payload travel; the caller's options and headers stay as they are", async (t) => {
      const { nc, peer } = await converse(t);
      const h = headers();
      h.set("A", "b");
      const options = Object.freeze({ noMux, headers: h, timeout: 5000, traceDestination: "trace.it" });
      const request = nc.request("q", "body", options);
      const [, reply = "", block] = await peer.skipTo(/^HPUB q (\S+) (\d+) \d+$/);
      const content = await peer.readLine();
      assert.match(content, /^NATS\/1\.0\r\nA: b\r\nNats-Trace-Dest: trace\.it\r\n\r\nbody$/);
      assert.equal(content.length - 4, Number(block));
      assert.deepEqual(h.keys(), ["A"]);
      const sid = noMux ? Number(/SUB _INBOX\.\w+ (\d+)/.exec(peer.received.toString())?.[1]) : 1;
      peer.send(msg(reply, sid, "ok"));
      await request;
    });

    test("an error of publish is the error of the call, and nothing is left", async (t) => {
      const { nc, peer } = await converse(t, {}, { info: { max_payload: 10 } });
      await assert.rejects(nc.request("q", "x".repeat(11), { noMux }), code("MAX_PAYLOAD"));
      await assert.rejects(nc.request("a b", "", { noMux }), code("INVALID_SUBJECT"));
      await assert.rejects(nc.requestMany("a b", "", { noMux }), code("INVALID_SUBJECT"));
      await assert.rejects(nc.request("q", 5 as never, { noMux }), code("INVALID_ARGUMENT"));
      await nc.flush();
      const lines = peer.received.toString();
      assert.equal(lines.includes("PUB "), false);
      for (const [, sid] of lines.matchAll(/^SUB _INBOX\.\w+ (\d+)\r/gm)) {
        assert.match(lines, new RegExp(`^UNSUB ${sid}\r`, "m"));
      }
    });

    test("C-ADR40-17: it survives a reconnect: the reply comes over the next link", async (t) => {
      trackLeaks(t);
      const server = await startServer(t);
      const proxy = await startProxy(t, server);
      const service = await connect({ servers: server.url });
      const client = await connect({ servers: proxy.url, reconnectTimeWait: 1 });
      atEnd(t, () => Promise.all([client.close(), service.close()]));
      const events = new Watch(client);
      const sub = service.subscribe("q");
      await service.flush();
      const request = client.request("q", "", { noMux, timeout: 20_000 });
      const { value: asked } = await sub[Symbol.asyncIterator]().next();
      proxy.cut();
      await events.until("reconnect");
      await client.flush();
      asked.respond("after all");
      assert.equal((await request).string(), "after all");
    });
  });
}

describe("many replies", () => {
  for (const noMux of [false, true]) {
    const name = noMux ? "with a subscription of its own" : "over the shared inbox";
    test(`C-ADR47-1: C-ADR47-7: ${name}: each strategy with a real server, and nothing is left at the server`, async (t) => {
      trackLeaks(t);
      const server = await startServer(t);
      const nc = await connect({ servers: server.url });
      const service = await connect({ servers: server.url });
      atEnd(t, () => Promise.all([nc.close(), service.close()]));
      service.subscribe("q", {
        callback: (_, m) => {
          for (const answer of ["1", "2", "", "3"]) m.respond(answer);
        },
      });
      await service.flush();
      const ask = async (options: Parameters<typeof nc.requestMany>[2]) => {
        const seen: string[] = [];
        for await (const m of await nc.requestMany("q", "?", { noMux, ...options })) seen.push(m.string());
        return seen;
      };
      assert.deepEqual(await ask({ maxWait: 1000 }), ["1", "2", "", "3"]);
      assert.deepEqual(await ask({ strategy: "count", maxMessages: 2, maxWait: 5000 }), ["1", "2"]);
      assert.deepEqual(await ask({ strategy: "stall", stall: 300, maxWait: 5000 }), ["1", "2", "", "3"]);
      assert.deepEqual(await ask({ strategy: "sentinel", maxWait: 5000 }), ["1", "2", ""]);
      await assert.rejects(
        (async () => {
          for await (const _ of await nc.requestMany("nobody", "", { noMux, maxWait: 5000 })) assert.fail();
        })(),
        code("NO_RESPONDERS"),
      );
      await nc.flush();
      const { connections } = await server.connz("subs=1");
      const subs = connections.flatMap(({ subscriptions_list: list = [] }) => list);
      assert.deepEqual(
        subs.filter((subject) => subject.startsWith("_INBOX")).map((subject) => subject.split(".").length),
        noMux ? [] : [3],
      );
    });

    test(`C-ADR47-9: ${name}: a reconnect meanwhile ends nothing; the request is not sent again`, async (t) => {
      trackLeaks(t);
      const server = await startServer(t);
      const proxy = await startProxy(t, server);
      const service = await connect({ servers: server.url });
      const client = await connect({ servers: proxy.url, reconnectTimeWait: 1 });
      atEnd(t, () => Promise.all([client.close(), service.close()]));
      const events = new Watch(client);
      const sub = service.subscribe("q");
      await service.flush();
      const replies = await client.requestMany("q", "", {
        noMux,
        strategy: "count",
        maxMessages: 2,
        maxWait: 60_000,
      });
      const { value: asked } = await sub[Symbol.asyncIterator]().next();
      asked.respond("before");
      await service.flush();
      const iterator = replies[Symbol.asyncIterator]();
      assert.equal((await iterator.next()).value?.string(), "before");
      proxy.cut();
      await events.until("reconnect");
      await client.flush();
      asked.respond("after");
      assert.equal((await iterator.next()).value?.string(), "after");
      assert.equal((await iterator.next()).done, true);
      assert.equal(sub.getReceived(), 1);
    });

    test(`C-ADR47-7: ${name}: closing the connection ends it with CLOSED`, async (t) => {
      trackLeaks(t);
      const { nc } = await converse(t);
      const replies = await nc.requestMany("q", "", { noMux, maxWait: 60_000 });
      const next = replies[Symbol.asyncIterator]().next();
      await nc.close();
      await assert.rejects(next, code("CLOSED"));
    });
  }

  test("C-ADR47-3: the stall strategy stands the first wait until maxWait", async (t) => {
    const { nc, peer } = await converse(t);
    const replies = await nc.requestMany("q", "", {
      strategy: "stall",
      stall: 5,
      maxWait: 5000,
      maxMessages: 1,
    });
    const next = replies[Symbol.asyncIterator]().next();
    const [, , reply = ""] = await peer.skipTo(PUB);
    await assert.rejects(nc.request("r", "", { timeout: 20 }), code("TIMEOUT"));
    peer.send(msg(reply, 1, "late but fine"));
    assert.equal((await next).value?.string(), "late but fine");
  });
});

describe("options", () => {
  test("reply goes with noMux only, and is the reply subject then", async (t) => {
    const { nc, peer } = await converse(t);
    await assert.rejects(nc.request("q", "", { reply: "r" }), (error) => {
      return code("INVALID_ARGUMENT")(error) && /'reply' and 'noMux'/.test((error as Error).message);
    });
    const request = nc.request("q", "", { reply: "my.reply", noMux: true });
    const [, sid] = await peer.skipTo(/^SUB my\.reply (\d+)$/);
    await peer.skipTo(/^PUB q my\.reply 0$/);
    peer.send(msg("my.reply", Number(sid), "ok"));
    assert.equal((await request).string(), "ok");
    await assert.rejects(nc.request("q", "", { reply: "a.*", noMux: true }), code("INVALID_SUBJECT"));
  });

  test("a timeout that is none is refused; the default is one second", async (t) => {
    const { nc, peer } = await converse(t);
    for (const timeout of [0, -1, Number.NaN]) {
      await assert.rejects(nc.request("q", "", { timeout }), code("INVALID_ARGUMENT"), String(timeout));
    }
    const request = nc.request("q");
    const [, , reply = ""] = await peer.skipTo(PUB);
    // a shorter one is over first, a much longer one is not
    await assert.rejects(nc.request("r", "", { timeout: 20 }), code("TIMEOUT"));
    peer.send(msg(reply, 1, "ok"));
    await request;
  });

  test("for ever is for ever, not at once", async (t) => {
    trackLeaks(t);
    const { nc, peer } = await converse(t);
    const request = nc.request("q", "", { timeout: Number.POSITIVE_INFINITY });
    const [, , reply = ""] = await peer.skipTo(PUB);
    await assert.rejects(nc.request("r", "", { timeout: 10 }), code("TIMEOUT"));
    peer.send(msg(reply, 1, "ok"));
    assert.equal((await request).string(), "ok");
  });

  test("deadlines are kept in any order of calls, with one timer for all", async (t) => {
    const { nc } = await converse(t);
    const ended: number[] = [];
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    const all = [500, 20, 250].map((timeout) =>
      nc.request("q", "", { timeout }).catch((error: NatsError) => {
        assert.equal(error.code, "TIMEOUT");
        ended.push(timeout);
      }),
    );
    assert.equal(timers() - before, 1);
    await Promise.all(all);
    assert.deepEqual(ended, [20, 250, 500]);
  });

  test("the stack of a failure shows who waited for it, unless noAsyncTraces", async (t) => {
    for (const noAsyncTraces of [false, true]) {
      const { nc, peer } = await converse(t, { noAsyncTraces });
      const theCaller = async () => {
        const { data } = await nc.request("q", "", { timeout: 5000 });
        return data;
      };
      const request = theCaller();
      const [, , reply = ""] = await peer.skipTo(PUB);
      peer.send(noResponders(reply, 1));
      const error = (await request.catch((reason: Error) => reason)) as Error;
      assert.equal(/theCaller/.test(error.stack ?? ""), !noAsyncTraces);
      assert.match(error.stack ?? "", /^RequestError: \[NO_RESPONDERS\]/);
    }
  });
});

test("C-REQ-2: C-REQ-5: with noEcho a connection that asks itself gets no answer; others do answer it", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const silent = await connect({ servers: server.url, noEcho: true });
  const other = await connect({ servers: server.url });
  atEnd(t, () => Promise.all([silent.close(), other.close()]));
  silent.subscribe("own", { callback: (_, m) => void m.respond("own") });
  other.subscribe("other", { callback: (_, m) => void m.respond("other") });
  await Promise.all([silent.flush(), other.flush()]);
  await assert.rejects(silent.request("own", "", { timeout: 100 }), isNatsError);
  assert.equal((await silent.request("other", "", PATIENT)).string(), "other");
  assert.equal((await other.request("own", "", PATIENT)).string(), "own");
});

test("requests published during an outage are sent after it", async (t) => {
  const { nc, peer, nextPeer, events } = await converse(t);
  peer.destroy();
  await events.until("disconnect");
  const request = nc.request("q", "late", { timeout: 5000 });
  const next = await welcome(await nextPeer());
  await next.expect(/^SUB _INBOX\.\w+\.\* 1$/);
  const [, , reply = ""] = await next.expect(PUB);
  next.send(msg(reply, 1, "answered"));
  assert.equal((await request).string(), "answered");
});

describe("ADR-41 traces", () => {
  interface TraceEvent {
    server: { name: string; id: string };
    request: { header: Record<string, string[]>; msgsize: number };
    events: { type: string; kind: number; subj?: string; sub?: string }[];
  }

  test("C-ADR41-3: traceDestination receives the events; traceOnly delivers nothing", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { version: "2.15" });
    const nc = await connect({ servers: server.url });
    atEnd(t, () => nc.close());
    const delivered = nc.subscribe("traced");
    const traces = nc.subscribe("trace.here");
    const iterator = traces[Symbol.asyncIterator]();
    nc.publish("traced", "body", { traceDestination: "trace.here" });
    const event = (await iterator.next()).value?.json() as TraceEvent;
    assert.equal(event.server.name, server.name);
    assert.deepEqual(
      event.events.map(({ type }) => type),
      ["in", "eg"],
    );
    assert.equal(event.events[0]?.subj, "traced");
    assert.equal(delivered.getReceived(), 1);
    nc.publish("traced", "body", { traceDestination: "trace.here", traceOnly: true });
    const only = (await iterator.next()).value?.json() as TraceEvent;
    assert.deepEqual(
      only.events.map(({ type }) => type),
      ["in", "eg"],
    );
    await nc.flush();
    assert.equal(delivered.getReceived(), 1);
  });

  test("C-ADR41-1: headers pass unchanged, traceparent with its case", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const nc = await connect({ servers: server.url });
    atEnd(t, () => nc.close());
    const sub = nc.subscribe("a", { max: 1 });
    const h = headers();
    h.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    h.set("TraceState", "a=b");
    nc.publish("a", "", { headers: h });
    for await (const m of sub) assert.deepEqual(m.headers?.keys(), ["traceparent", "TraceState"]);
  });

  test("C-ADR41-2: C-ADR41-5: a stored message says that tracing is over; a traced-only publish is not stored and gets no ack", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { version: "2.15", jetstream: true });
    const nc = await connect({ servers: server.url });
    atEnd(t, () => nc.close());
    const config = { name: "S", subjects: ["s"], storage: "memory" };
    await nc.request("$JS.API.STREAM.CREATE.S", JSON.stringify(config), PATIENT);
    const only = nc.request("s", "not kept", { traceDestination: "trace", traceOnly: true, timeout: 100 });
    await assert.rejects(only, code("TIMEOUT"));
    const ack = await nc.request("s", "kept", { ...PATIENT, traceDestination: "trace" });
    assert.equal(ack.json<{ seq: number }>().seq, 1);
    const stored = await nc.request("$JS.API.STREAM.MSG.GET.S", '{"seq":1}', PATIENT);
    const { message } = stored.json<{ message: { hdrs: string; data: string } }>();
    assert.equal(Buffer.from(message.data, "base64").toString(), "kept");
    assert.match(Buffer.from(message.hdrs, "base64").toString(), /Nats-Trace-Dest: trace disabled/);
  });

  test("C-ADR41-4: without permission to publish to the destination the message is refused", async (t) => {
    trackLeaks(t);
    const users = `authorization { users: [{ user: u, password: p, permissions: { publish: ["q", "_INBOX.>"] } }] }`;
    const server = await startServer(t, { version: "2.15", config: users });
    const nc = await connect({ servers: server.url, user: "u", pass: "p" });
    atEnd(t, () => nc.close());
    const events = new Watch(nc);
    const sub = nc.subscribe("q");
    nc.publish("q", "", { traceDestination: "trace.denied" });
    const { error } = await events.until("error");
    assert.ok(error instanceof PermissionViolationError);
    assert.equal(error.subject, "trace.denied");
    await nc.flush();
    assert.equal(sub.getReceived(), 0);
  });

  test("C-ADR41-5: traceOnly is refused below 2.11, where the message would be delivered for real", async (t) => {
    for (const [version, allowed] of [
      ["2.10.29", false],
      ["2.11.0", true],
    ] as const) {
      const { nc, peer } = await converse(t, {}, { info: { version } });
      const publish = () => nc.publish("q", "", { traceDestination: "d", traceOnly: true });
      if (allowed) publish();
      else
        assert.throws(
          publish,
          (error) => code("UNSUPPORTED")(error) && /2\.11/.test((error as Error).message),
        );
      nc.publish("q", "", { traceDestination: "d" });
      await nc.flush();
      assert.equal(peer.received.toString().match(/^HPUB/gm)?.length, allowed ? 2 : 1);
    }
  });

  test("headers are refused where the server knows none", async (t) => {
    const { nc } = await converse(t, {}, { info: { headers: false } });
    const h = headers();
    h.set("A", "b");
    assert.throws(() => nc.publish("q", "", { headers: h }), code("UNSUPPORTED"));
    await assert.rejects(nc.request("q", "", { headers: h }), code("UNSUPPORTED"));
  });
});

describe("context", () => {
  test("says who the server takes us for", async (t) => {
    trackLeaks(t);
    const config = `accounts { A { users: [{ user: u, password: p, permissions: { publish: [">"], subscribe: ["_INBOX.>"] } }] } }`;
    const server = await startServer(t, { version: "2.15", config });
    const nc = await connect({ servers: server.url, user: "u", pass: "p" });
    atEnd(t, () => nc.close());
    const { data, server: of } = await nc.context();
    assert.equal(data.user, "u");
    assert.equal(data.account, "A");
    assert.ok(data.permissions?.publish);
    assert.equal(of.name, server.name);
  });

  test("takes a timeout and a signal, as every wait", async (t) => {
    const { nc } = await converse(t);
    await assert.rejects(nc.context({ timeout: 10 }), code("TIMEOUT"));
    await assert.rejects(nc.context({ signal: AbortSignal.abort() }), code("ABORTED"));
  });
});
