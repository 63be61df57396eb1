// Streams of the embedded server, without a network: what they take in, and what time does to it. Time moves by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8Decoder } from "../../src/lib/bytes.ts";
import type { StreamConfig } from "../../src/protocol/jetstream/stream.ts";
import { Account } from "../../src/server/account.ts";
import { extras } from "../../src/server/extras.ts";
import { internal } from "../../src/server/internal.ts";
import { JetStream } from "../../src/server/jetstream/jetstream.ts";
import { memoryStorage } from "../../src/server/jetstream/storage.ts";
import { Stream } from "../../src/server/jetstream/stream.ts";
import { ManualClock } from "../../src/server/manual-clock.ts";
import { Message } from "../../src/server/message.ts";

/** All that is done in microtasks is done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const second = 1e9;
const NOON = Date.UTC(2026, 2, 28, 12);

class Bench {
  readonly clock = new ManualClock(NOON);
  readonly account = new Account("A");
  readonly js: JetStream;

  constructor(maxMemory = Infinity) {
    this.js = new JetStream(this.account, {
      clock: this.clock,
      serverName: "server",
      domain: "",
      storage: memoryStorage,
      openBatches: { atomic: { open: 0 }, fast: { open: 0 } },
      maxMemory,
      maxStorage: Infinity,
      extras: extras.streams,
      clientOf: () => undefined,
      enabled: true,
    });
  }

  stream(name: string, config: Partial<StreamConfig> = {}): Stream {
    const whole = {
      name,
      retention: "limits",
      storage: "memory",
      duplicate_window: 120 * second,
      ...config,
    } as StreamConfig;
    const stream = new Stream(this.js, whole, this.clock.now(), memoryStorage.create(whole, 0));
    this.js.streams.set(name, stream);
    return stream;
  }

  /** Publish; what the stream answers. */
  async publish(
    subject: string,
    data = "",
    headers: Record<string, string> = {},
    reply = "in",
  ): Promise<string> {
    const heard: string[] = [];
    const sub = internal("in", (message) => void heard.push(utf8Decoder.decode(message.data)));
    if (reply !== "in")
      this.account.router.add(
        internal(reply, (message) => void heard.push(utf8Decoder.decode(message.data))),
      );
    this.account.router.add(sub);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.account.publish(
      Message.of(subject, data, lines.length > 0 ? `NATS/1.0\r\n${lines.join("")}\r\n` : "", reply),
    );
    await settled();
    this.account.router.remove(sub);
    return heard.join(" ");
  }
}

const text = (stream: Stream, seq: number): string | undefined => {
  const message = stream.store.get(seq);
  return message && `${message.subject}=${utf8Decoder.decode(message.data)}`;
};
const headers = (stream: Stream, seq: number): string[] =>
  utf8Decoder
    .decode(stream.store.get(seq)?.header ?? new Uint8Array())
    .split("\r\n")
    .filter(Boolean)
    .slice(1);

test("messages go when they are older than max_age, and the sequence goes on", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", { subjects: ["s"], max_age: 10 * second });
  await bench.publish("s");
  bench.clock.advance(6000);
  await bench.publish("s");
  bench.clock.advance(3999);
  assert.equal(stream.store.messages, 2);
  bench.clock.advance(1);
  assert.deepEqual([stream.store.messages, stream.store.firstSeq], [1, 2]);
  bench.clock.advance(6000);
  assert.deepEqual([stream.store.messages, stream.store.firstSeq, stream.store.lastSeq], [0, 3, 2]);
});

test("a lower max_age works at once, and none stops it", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", { subjects: ["s"], max_age: 100 * second });
  await bench.publish("s");
  stream.update({ ...stream.config, max_age: 2 * second });
  bench.clock.advance(1000);
  stream.update({ ...stream.config, max_age: 0 });
  bench.clock.advance(1e9);
  assert.equal(stream.store.messages, 1);
  stream.update({ ...stream.config, max_age: 2 * second });
  bench.clock.advance(0);
  assert.equal(stream.store.messages, 0);
});

test("a message with a TTL goes at its time, one that never goes outlives max_age", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", { subjects: ["s.*"], allow_msg_ttl: true, max_age: 60 * second });
  await bench.publish("s.never", "", { "Nats-TTL": "never" });
  await bench.publish("s.long", "", { "Nats-TTL": "100" });
  await bench.publish("s.short", "", { "Nats-TTL": "5s" });
  bench.clock.advance(5000);
  assert.deepEqual([...stream.store.subjects(">").keys()], ["s.long", "s.never"]);
  bench.clock.advance(1e6);
  assert.deepEqual([...stream.store.subjects(">").keys()], ["s.never"]);
});

test("the last message of a subject leaves a marker, which leaves none", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", {
    subjects: ["s.*"],
    max_age: 10 * second,
    allow_msg_ttl: true,
    allow_rollup_hdrs: true,
    subject_delete_marker_ttl: 90 * second,
  });
  await bench.publish("s.a");
  await bench.publish("s.a");
  bench.clock.advance(10_000);
  assert.equal(text(stream, 3), "s.a=");
  assert.deepEqual(headers(stream, 3), ["Nats-Marker-Reason: MaxAge", "Nats-TTL: 1m30s", "Nats-Rollup: sub"]);
  bench.clock.advance(90_000);
  assert.deepEqual([stream.store.messages, stream.store.lastSeq], [0, 3]);
});

test("an id is known for the duplicate window, and longer than its message", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", { subjects: ["s"], duplicate_window: 10 * second });
  const id = { "Nats-Msg-Id": "1" };
  assert.equal(await bench.publish("s", "", id), '{"stream":"S","seq":1}');
  stream.purge("", 0, 0);
  bench.clock.advance(9999);
  assert.equal(await bench.publish("s", "", id), '{"stream":"S","seq":1,"duplicate": true}');
  bench.clock.advance(1);
  assert.equal(await bench.publish("s", "", id), '{"stream":"S","seq":2}');
});

test("an atomic batch that nobody goes on with is abandoned after 10 s", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", { subjects: ["s"], allow_atomic: true });
  const advisories: string[] = [];
  bench.account.router.add(
    internal(
      "$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.S",
      ({ data }) => void advisories.push(utf8Decoder.decode(data)),
    ),
  );
  const part = (seq: number): Record<string, string> => ({
    "Nats-Batch-Id": "b",
    "Nats-Batch-Sequence": `${seq}`,
  });
  await bench.publish("s", "", part(1));
  bench.clock.advance(9999);
  await bench.publish("s", "", part(2));
  bench.clock.advance(9999);
  assert.deepEqual(advisories, []);
  bench.clock.advance(1);
  await settled();
  assert.match(advisories.join(), /"batch":"b","reason":"timeout"/);
  assert.match(await bench.publish("s", "", { ...part(3), "Nats-Batch-Commit": "1" }), /"err_code":10176/);
  assert.equal(stream.store.messages, 0);
});

test("a fast batch that nobody goes on with is unknown after 10 s", async () => {
  const bench = new Bench();
  bench.stream("S", { subjects: ["s"], allow_batched: true });
  assert.equal(await bench.publish("s", "", {}, "p.b.10.ok.1.0.$FI"), '{"type":"ack","seq":0,"msgs":10}');
  bench.clock.advance(10_000);
  assert.match(await bench.publish("s", "", {}, "p.b.10.ok.2.1.$FI"), /"err_code":10208/);
});

test("a schedule is published again and again, until something else comes on its subject (C-ADR51-1)", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", { subjects: ["s.*"], allow_msg_schedules: true, allow_rollup_hdrs: true });
  bench.clock.advance(300);
  await bench.publish("s.plan", "now", {
    "Nats-Schedule": "@every 10s",
    "Nats-Schedule-Target": "s.t",
    A: "b",
  });
  assert.deepEqual(headers(stream, 1).at(-1), "Nats-Rollup: sub");
  bench.clock.advance(9699);
  assert.equal(stream.store.lastSeq, 1);
  bench.clock.advance(1);
  assert.equal(text(stream, 2), "s.t=now");
  assert.deepEqual(headers(stream, 2), [
    "A: b",
    "Nats-Scheduler: s.plan",
    "Nats-Schedule-Next: 2026-03-28T12:00:20Z",
  ]);
  bench.clock.advance(20_000);
  assert.equal(stream.store.countOf("s.t"), 3);
  await bench.publish("s.plan", "stop");
  bench.clock.advance(60_000);
  assert.equal(stream.store.countOf("s.t"), 3);
});

test("a schedule for one time takes the last message of its source, and goes (C-ADR51-4)", async () => {
  const bench = new Bench();
  const stream = bench.stream("S", { subjects: ["s.*"], allow_msg_schedules: true, allow_rollup_hdrs: true });
  await bench.publish("s.plan", "own", {
    "Nats-Schedule": "@at 2026-03-28T12:01:00Z",
    "Nats-Schedule-Target": "s.t",
    "Nats-Schedule-Source": "s.src",
  });
  await bench.publish("s.src", "source");
  bench.clock.advance(60_000);
  assert.equal(text(stream, 3), "s.t=source");
  assert.deepEqual(headers(stream, 3), ["Nats-Scheduler: s.plan", "Nats-Schedule-Next: purge"]);
  assert.equal(stream.store.countOf("s.plan"), 0);
});

test("a mirror has the sequences and times of its origin, with its gaps, and follows", async () => {
  const bench = new Bench();
  const origin = bench.stream("O", { subjects: ["o.*"] });
  for (const n of [1, 2, 3, 4]) {
    await bench.publish(`o.${n % 2}`, `${n}`);
    bench.clock.advance(1000);
  }
  origin.remove(2);
  const mirror = bench.stream("M", { mirror: { name: "O" } });
  const odd = bench.stream("N", { mirror: { name: "O", filter_subject: "o.1" } });
  const late = bench.stream("L", { mirror: { name: "O", opt_start_seq: 3 } });
  await settled();
  await bench.publish("o.1", "5");
  const seqs = ({ store }: Stream): number[] => {
    const found: number[] = [];
    for (let at = store.next([], 0); at !== undefined; at = store.next([], at.seq + 1)) {
      assert.equal(at.time, origin.store.get(at.seq)?.time);
      found.push(at.seq);
    }
    return found;
  };
  assert.deepEqual(
    [seqs(mirror), seqs(odd), seqs(late)],
    [
      [1, 3, 4, 5],
      [1, 3, 5],
      [3, 4, 5],
    ],
  );
  assert.deepEqual([late.store.firstSeq, mirror.store.deleted()], [3, [2]]);
  assert.deepEqual(mirror.origins(), { mirror: { name: "O", lag: 0, active: 0 } });
});

test("a direct get of a stream is answered by it or by one of its mirrors, each in its own name", async () => {
  const bench = new Bench();
  bench.stream("O", { subjects: ["o"], allow_direct: true });
  await bench.publish("o", "1");
  bench.stream("M", { mirror: { name: "O" }, mirror_direct: true });
  await settled();
  const from = new Set<string | undefined>();
  bench.account.router.add(
    internal(
      "in.get",
      ({ header }) => void from.add(/Nats-Stream: (\w)/.exec(utf8Decoder.decode(header))?.[1]),
    ),
  );
  // each of them is asked by chance
  for (let i = 0; i < 10_000 && from.size < 2; i++) {
    bench.account.publish(Message.of("$JS.API.DIRECT.GET.O", '{"seq":1}', "", "in.get"));
    await settled();
  }
  assert.deepEqual([...from].sort(), ["M", "O"]);
});

test("a mirror waits for an origin that is not there, and says so", async () => {
  const bench = new Bench();
  const mirror = bench.stream("M", { mirror: { name: "O" } });
  assert.deepEqual(mirror.origins(), { mirror: { name: "O", lag: 0, active: -1 } });
  await settled();
  const error = { code: 404, err_code: 10059, description: "stream not found" };
  assert.deepEqual(mirror.origins(), { mirror: { name: "O", lag: 0, active: -1, error } });
  bench.stream("O", { subjects: ["o"] });
  await bench.publish("o", "x");
  bench.clock.advance(500);
  await settled();
  assert.equal(text(mirror, 1), "o=x");
});

test("sources come together under sequences of their own, and say where they are from", async () => {
  const bench = new Bench();
  bench.stream("A", { subjects: ["a.*"] });
  bench.stream("B", { subjects: ["b.*"] });
  const all = bench.stream("ALL", {
    subjects: ["own"],
    sources: [
      { name: "A", filter_subject: "a.x" },
      { name: "B", subject_transforms: [{ src: "b.*", dest: "from.b.$1" }] },
    ],
  });
  for (const subject of ["a.y", "a.x", "b.1", "own"]) await bench.publish(subject, subject);
  await settled();
  assert.deepEqual(
    [1, 2, 3].map((seq) => text(all, seq)),
    ["a.x=a.x", "from.b.1=b.1", "own=own"],
  );
  assert.match(headers(all, 1).join(), /^Nats-Stream-Source: A 2 a\.x > a\.x \w{8}$/);
  assert.match(headers(all, 2).join(), /^Nats-Stream-Source: B 1 b\.\* from\.b\.\$1 b\.1 \w{8}$/);
  assert.match(await bench.publish("own", "", { "Nats-Stream-Source": "x" }), /"err_code":10227/);
});

test("sources go on where they were, as their messages tell", async () => {
  const bench = new Bench();
  bench.stream("A", { subjects: ["a"] });
  await bench.publish("a", "1");
  const config: StreamConfig = {
    name: "S",
    storage: "memory",
    retention: "limits",
    sources: [{ name: "A" }],
  };
  const store = memoryStorage.create(config, 0);
  const before = new Stream(bench.js, config, 0, store);
  await settled();
  await before.shutDown();
  await bench.publish("a", "2");
  const after = new Stream(bench.js, config, 0, store);
  await settled();
  assert.deepEqual(
    [1, 2, 3].map((seq) => text(after, seq)),
    ["a=1", "a=2", undefined],
  );
});

test("counters add up what the counters of other streams have become", async () => {
  const bench = new Bench();
  bench.stream("A", { subjects: ["a"], allow_msg_counter: true });
  const sum = bench.stream("SUM", {
    subjects: ["sum"],
    allow_msg_counter: true,
    sources: [{ name: "A", subject_transforms: [{ src: "a", dest: "sum" }] }],
  });
  assert.equal(await bench.publish("a", "", { "Nats-Incr": "+4" }), '{"stream":"A","seq":1,"val":"4"}');
  assert.equal(await bench.publish("sum", "", { "Nats-Incr": "10" }), '{"stream":"SUM","seq":2,"val":"14"}');
  await bench.publish("a", "", { "Nats-Incr": "-1" });
  assert.equal(text(sum, 3), 'sum={"val":"13"}');
  assert.equal(headers(sum, 3).at(-1), 'Nats-Counter-Sources: {"A":{"a":"3"}}');
});

test("where streams have more than they may, nothing is taken in until something goes", async () => {
  const bench = new Bench(200);
  const one = bench.stream("ONE", { subjects: ["one"] });
  bench.stream("TWO", { subjects: ["two"] });
  bench.stream("FILE", { subjects: ["file"], storage: "file" });
  const refused = /"err_code":10023,"description":"insufficient resources"/;
  assert.equal(await bench.publish("one", "x".repeat(190)), '{"stream":"ONE","seq":1}');
  assert.match(await bench.publish("one", "x"), refused);
  assert.match(await bench.publish("two", "x"), refused);
  assert.equal(await bench.publish("file", "x"), '{"stream":"FILE","seq":1}');
  one.purge("", 0, 0);
  assert.equal(await bench.publish("two", "x"), '{"stream":"TWO","seq":1}');
});
