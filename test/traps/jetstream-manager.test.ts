// Traps 86 to 88 and 90: what clients have got wrong about configurations, lists, prefixes and direct gets.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  headers,
  type Msg,
  type NatsConnection,
  type Status,
  type SubscriptionOptions,
} from "../../src/index.node.ts";
import { jetstreamManager, type JetStreamManager, type StreamConfig } from "../../src/jetstream/index.ts";
import { Listeners } from "../../src/lib/listeners.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startServer } from "../fixtures/real-server.ts";
import { connectTo, failing } from "./support.ts";

interface Call {
  subject: string;
  request: Record<string, unknown> | undefined;
}

/** A manager whose API, at the prefix `fake.API`, is the test's: what is called, and what it is answered. */
async function fakeApi(
  t: TestContext,
  answer: (verb: string, request: Record<string, unknown>) => unknown,
): Promise<{ jsm: JetStreamManager; calls: Call[] }> {
  const server = await startServer(t);
  const nc = await connectTo(t, server.url);
  const calls: Call[] = [];
  nc.subscribe("fake.API.>", {
    callback: (_, msg) => {
      const request = msg.data.length > 0 ? msg.json<Record<string, unknown>>() : undefined;
      calls.push({ subject: msg.subject, request });
      msg.respond(
        JSON.stringify({ type: "reply", ...(answer(msg.subject.slice(9), request ?? {}) as object) }),
      );
    },
  });
  await nc.flush();
  return { jsm: await jetstreamManager(nc, { apiPrefix: "fake.API", checkAPI: false }), calls };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("trap 86: an update sends what the stream has with what is changed; undefined changes nothing, null removes (C-ADR6-3)", async (t) => {
  trackLeaks(t);
  const config = {
    name: "S",
    subjects: ["s.>"],
    description: "old",
    max_msgs: 7,
    republish: { src: "a", dest: "b" },
    // of a server that is newer than this client
    brand_new: { deep: true },
    metadata: { owner: "me", "_nats.ver": "2.99.0", "_nats.level": "9", "_nats.req.level": "0" },
  };
  const { jsm, calls } = await fakeApi(t, () => ({ config, created: "", state: {} }));
  await jsm.streams.update("S", { description: undefined, max_bytes: 5, republish: null });
  const { republish: _, ...kept } = config;
  // no default of the client's own is in it, and nothing of the info but the configuration
  assert.deepEqual(calls.at(-1), {
    subject: "fake.API.STREAM.UPDATE.S",
    request: { ...kept, max_bytes: 5, metadata: { owner: "me" } },
  });
});

test("trap 86: an update of a consumer keeps the rest of it, and lets one kind of filter replace the other", async (t) => {
  trackLeaks(t);
  const config = { durable_name: "c", name: "c", ack_policy: "none", filter_subject: "s.a", brand_new: 1 };
  const { jsm, calls } = await fakeApi(t, () => ({ config, name: "c", stream_name: "S" }));
  await jsm.consumers.update("S", "c", { description: "new", ack_wait: undefined });
  assert.deepEqual(calls.at(-1)?.request, {
    stream_name: "S",
    config: { ...config, description: "new" },
    action: "update",
  });
  assert.equal(calls.at(-1)?.subject, "fake.API.CONSUMER.CREATE.S.c.s.a");
});

test("trap 86: what is added has the fields that were given, and no others", async (t) => {
  trackLeaks(t);
  const { jsm, calls } = await fakeApi(t, () => ({ config: {} }));
  const config: StreamConfig = { name: "S", subjects: ["s"] };
  await jsm.streams.add(config);
  assert.deepEqual(calls.at(-1)?.request, config);
  await jsm.consumers.add("S", { name: "c", deliver_subject: "d" });
  assert.deepEqual(calls.at(-1)?.request, {
    stream_name: "S",
    config: { name: "c", deliver_subject: "d" },
    action: "create",
  });
});

test("trap 87: a list that grows and shrinks while it is read ends with its last page", async (t) => {
  trackLeaks(t);
  const pages: Record<number, { total: number; streams: string[] | null }> = {
    0: { total: 3, streams: ["a", "b"] },
    // meanwhile there are more
    2: { total: 5, streams: ["c", "d"] },
    // and now there are fewer than were read
    4: { total: 2, streams: null },
  };
  const { jsm, calls } = await fakeApi(t, (_, { offset }) => pages[offset as number]);
  assert.deepEqual(await all(jsm.streams.names()), ["a", "b", "c", "d"]);
  assert.deepEqual(
    calls.map(({ request }) => request?.["offset"]),
    [0, 2, 4],
  );
});

test("trap 87: the filter is asked for on every page, and an empty list is empty", async (t) => {
  trackLeaks(t);
  const { jsm, calls } = await fakeApi(t, (_, { offset }) =>
    offset === 0 ? { total: 2, streams: ["a"] } : { total: 2, streams: ["b"] },
  );
  assert.deepEqual(await all(jsm.streams.names("s.>")), ["a", "b"]);
  assert.deepEqual(
    calls.map(({ request }) => request),
    [
      { offset: 0, subject: "s.>" },
      { offset: 1, subject: "s.>" },
    ],
  );
  const empty = await fakeApi(t, (verb) => ({
    total: 0,
    [verb.startsWith("STREAM") ? "streams" : "consumers"]: null,
  }));
  for (const list of [
    empty.jsm.streams.names(),
    empty.jsm.streams.list(),
    empty.jsm.consumers.names("S"),
    empty.jsm.consumers.list("S"),
  ]) {
    assert.deepEqual(await list.next(), []);
    assert.deepEqual(await all<unknown>(list), []);
  }
});

test("trap 87: what did not answer counts as listed, and is named (C-ADR44-5)", async (t) => {
  trackLeaks(t);
  const info = (name: string): object => ({ config: { name } });
  const pages: Record<number, unknown> = {
    0: { total: 4, streams: [info("a")], missing: ["b"], offline: { b: "needs API level 9" } },
    2: { total: 4, streams: [], missing: ["c"] },
    3: { total: 4, streams: [info("d")] },
  };
  const { jsm } = await fakeApi(t, (_, { offset }) => pages[offset as number]);
  const list = jsm.streams.list();
  assert.deepEqual(
    (await all(list)).map(({ config }) => config.name),
    ["a", "d"],
  );
  assert.deepEqual([list.missing, list.offline], [["b", "c"], { b: "needs API level 9" }]);
});

test("trap 87: the subjects of a stream are read to the last page, whatever their total does meanwhile", async (t) => {
  trackLeaks(t);
  const pages: Record<number, { total: number; subjects: Record<string, number> }> = {
    0: { total: 3, subjects: { a: 1, b: 2 } },
    2: { total: 4, subjects: { c: 3 } },
    3: { total: 4, subjects: {} },
  };
  const { jsm, calls } = await fakeApi(t, (_, { offset = 0 }) => {
    const { total, subjects } = pages[offset as number] ?? { total: 0, subjects: {} };
    return { total, config: { name: "S" }, state: { messages: 1, subjects } };
  });
  const { state } = await jsm.streams.info("S", { subjects_filter: ">" });
  assert.deepEqual(state.subjects, { a: 1, b: 2, c: 3 });
  assert.deepEqual(
    calls.map(({ request }) => request?.["offset"]),
    [undefined, 2, 3],
  );
});

test("trap 88: every call goes to the prefix (C-ADR19-2)", async (t) => {
  trackLeaks(t);
  const { jsm, calls } = await fakeApi(t, (verb) => ({
    ...{
      success: true,
      total: 0,
      streams: ["S"],
      consumers: [],
      config: { name: "S" },
      state: { messages: 0 },
    },
    ...{ message: { subject: "s", seq: 1, time: "" }, deliver_subject: "elsewhere" },
    ...(verb === "INFO" && { api: { level: 5 } }),
  }));
  const { streams, consumers, direct } = jsm;
  await jsm.getAccountInfo();
  await streams.add({ name: "S" });
  await streams.update("S", {});
  await streams.addOrUpdate({ name: "S" });
  await streams.info("S");
  await streams.list().next();
  await streams.names().next();
  await streams.find("s");
  await streams.purge("S");
  await streams.getMessage("S", { seq: 1 });
  await streams.deleteMessage("S", 1);
  await streams.stepDown("S");
  await streams.removePeer("S", "n");
  await (await streams.snapshot("S")).readable.cancel();
  await streams.delete("S");
  await consumers.add("S", { name: "c" });
  await consumers.update("S", "c", {});
  await consumers.info("S", "c");
  await consumers.list("S").next();
  await consumers.names("S").next();
  await consumers.pause("S", "c", new Date());
  await consumers.resume("S", "c");
  await consumers.unpin("S", "c", "g");
  await consumers.reset("S", "c");
  await consumers.stepDown("S", "c");
  await consumers.removePeer("S", "c", "n");
  await consumers.delete("S", "c");
  await assert.rejects(direct.getMessage("S", { seq: 1 }), failing("JETSTREAM_STATUS"));
  await assert.rejects(direct.getMessage("S", { last_by_subj: "s.a" }), failing("JETSTREAM_STATUS"));
  (await direct.getBatch("S", {})).stop();
  const verbs = new Set(calls.map(({ subject }) => subject.slice(9).replace(/\.(S|c)(\..*)?$/, "")));
  assert.deepEqual(
    [...verbs].sort(),
    [
      ...["CONSUMER.CREATE", "CONSUMER.DELETE", "CONSUMER.INFO", "CONSUMER.LEADER.STEPDOWN", "CONSUMER.LIST"],
      ...["CONSUMER.NAMES", "CONSUMER.PAUSE", "CONSUMER.PEER.REMOVE", "CONSUMER.RESET", "CONSUMER.UNPIN"],
      ...["DIRECT.GET", "INFO", "STREAM.CREATE", "STREAM.DELETE", "STREAM.INFO", "STREAM.LEADER.STEPDOWN"],
      ...["STREAM.LIST", "STREAM.MSG.DELETE", "STREAM.MSG.GET", "STREAM.NAMES", "STREAM.PEER.REMOVE"],
      ...["STREAM.PURGE", "STREAM.SNAPSHOT", "STREAM.UPDATE"],
    ].sort(),
  );
});

/** A connection of which nothing is there but what a direct get of several messages needs. */
function fakeConnection(): {
  nc: NatsConnection;
  asked: unknown[];
  receive(fields: Record<string, string>, code?: number): void;
  subscribed(): boolean;
} {
  let callback: SubscriptionOptions["callback"];
  const asked: unknown[] = [];
  const nc = {
    state: "connected",
    info: {},
    createInbox: () => "inbox",
    getServerVersion: () => undefined,
    status: () => new Listeners<Status>().listen(),
    request: () => Promise.resolve({ string: () => '{"api":{"level":5}}' }),
    publish: (subject: string, payload: string) => void asked.push([subject, JSON.parse(payload)]),
    subscribe: (_: string, options: SubscriptionOptions) => {
      ({ callback } = options);
      return { closed: new Promise(() => {}), unsubscribe: () => (callback = undefined) };
    },
  };
  return {
    nc: nc as unknown as NatsConnection,
    asked,
    receive(fields, code = 0) {
      const block = code === 0 ? headers() : headers(code, "EOB");
      for (const [name, value] of Object.entries(fields)) block.set(name, value);
      void callback?.(null, { headers: block, data: new Uint8Array(0) } as unknown as Msg);
    },
    subscribed: () => callback !== undefined,
  };
}

/** Time that moves when it is told to. */
function fakeTime(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 1000;
  t.mock.method(performance, "now", () => now);
  return (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
}

const message = (seq: number): Record<string, string> => ({
  "Nats-Stream": "S",
  "Nats-Subject": "s",
  "Nats-Sequence": String(seq),
  "Nats-Num-Pending": "9",
});

test("trap 90: the timeout of several direct gets is for the pause between two messages, not for all of them", async (t) => {
  const advance = fakeTime(t);
  const { nc, receive, subscribed } = fakeConnection();
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const batch = await jsm.direct.getBatch("S", {}, { timeout: 1000 });
  for (let seq = 1; seq <= 10; seq++) {
    advance(999);
    receive(message(seq));
  }
  assert.equal(batch.getPending(), 10);
  receive({ "Nats-Num-Pending": "0", "Nats-Last-Sequence": "10" }, 204);
  assert.equal(subscribed(), false);
  assert.equal((await all(batch)).length, 10);

  const silent = await jsm.direct.getBatch("S", {}, { timeout: 1000 });
  receive(message(1));
  const rest = all(silent);
  advance(999);
  assert.equal(subscribed(), true);
  advance(1);
  await assert.rejects(rest, failing("TIMEOUT"));
  assert.equal(subscribed(), false);
  assert.deepEqual([silent.end, silent.next], [undefined, undefined]);
});

test("trap 90: all fields of a direct get are sent as they are given", async () => {
  const { nc, asked } = fakeConnection();
  const { direct } = await jetstreamManager(nc, { checkAPI: false });
  const several = { seq: 3n ** 40n, next_by_subj: "s.>", batch: 7, max_bytes: 1000 };
  (await direct.getBatch("S", several)).stop();
  const since = { start_time: "2026-01-01T00:00:00Z", next_by_subj: "s.>", batch: 7, max_bytes: 1000 };
  (await direct.getBatch("S", since)).stop();
  const last = { multi_last: ["a", "b.>"], seq: 3, up_to_seq: 9, batch: 7, max_bytes: 1000 };
  (await direct.getLastMessagesFor("S", last)).stop();
  const { up_to_seq: _, ...then } = { ...last, up_to_time: "2026-01-01T00:00:00Z" };
  (await direct.getLastMessagesFor("S", then)).stop();
  const subject = "$JS.API.DIRECT.GET.S";
  assert.deepEqual(asked, [
    [subject, { ...several, seq: Number(3n ** 40n) }],
    [subject, since],
    [subject, last],
    [subject, then],
  ]);
});

test("trap 90: a server that answers with a single message has no batches (C-ADR31-7)", async () => {
  const { nc, receive, subscribed } = fakeConnection();
  const { direct } = await jetstreamManager(nc, { checkAPI: false });
  const batch = await direct.getBatch("S", {});
  const { "Nats-Num-Pending": _, ...single } = message(1);
  receive(single);
  assert.equal(subscribed(), false);
  await assert.rejects(all(batch), failing("UNSUPPORTED"));
});

test("trap 90: a direct get that nobody answers ends by its own timeout", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const nc = await connectTo(t, server.url);
  const silent = nc.subscribe("fake.API.>", { callback: () => {} });
  atEnd(t, () => silent.unsubscribe());
  await nc.flush();
  const { direct } = await jetstreamManager(nc, { apiPrefix: "fake.API", checkAPI: false });
  await assert.rejects(direct.getMessage("S", { seq: 1 }, { timeout: 10 }), failing("TIMEOUT"));
  await assert.rejects(direct.getMessage("S", { last_by_subj: "a" }, { timeout: 10 }), failing("TIMEOUT"));
  const signal = AbortSignal.timeout(10);
  await assert.rejects(direct.getMessage("S", { seq: 1 }, { signal }), failing("ABORTED"));
});
