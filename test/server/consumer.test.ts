// Consumers of the embedded server, without a network: a stream, a consumer, and somebody who listens. Time moves by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8Decoder, utf8Encoder } from "../../src/lib/bytes.ts";
import { Account } from "../../src/server/account.ts";
import { extras } from "../../src/server/extras.ts";
import { internal } from "../../src/server/internal.ts";
import { Consumer, type ConsumerState } from "../../src/server/jetstream/consumer.ts";
import { type ServedConfig, wholeConsumerConfig } from "../../src/server/jetstream/consumer-config.ts";
import { JetStream } from "../../src/server/jetstream/jetstream.ts";
import { memoryStorage } from "../../src/server/jetstream/storage.ts";
import { Stream } from "../../src/server/jetstream/stream.ts";
import { ManualClock } from "../../src/server/manual-clock.ts";
import { Message } from "../../src/server/message.ts";
import type { StreamConfig } from "../../src/protocol/jetstream/stream.ts";

/** All that is done in microtasks is done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The event loop has turned, and with it what waited for that. */
const turned = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

class Bench {
  readonly clock = new ManualClock(1_000_000);
  readonly account = new Account("A");
  readonly js: JetStream;
  readonly stream: Stream;
  readonly heard: string[] = [];
  readonly replies: string[] = [];

  constructor(config: Partial<StreamConfig> = {}) {
    this.js = new JetStream(this.account, {
      clock: this.clock,
      serverName: "server",
      domain: "",
      storage: memoryStorage,
      openBatches: { atomic: { open: 0 }, fast: { open: 0 } },
      maxMemory: Infinity,
      maxStorage: Infinity,
      extras: extras.streams,
      clientOf: () => undefined,
      enabled: true,
    });
    const whole: StreamConfig = {
      name: "S",
      subjects: ["s.>"],
      retention: "limits",
      storage: "memory",
      ...config,
    } as StreamConfig;
    this.stream = new Stream(this.js, whole, this.clock.now(), memoryStorage.create(whole, 0));
    this.js.streams.set("S", this.stream);
  }

  consumer(config: ServedConfig = {}, name = "c"): Consumer {
    const whole = wholeConsumerConfig(
      { ack_policy: "explicit", durable_name: name, ...config },
      this.stream.config,
      false,
    );
    return new Consumer(this.js, this.stream, name, whole, this.clock.now());
  }

  /** Take down what comes to a subject: payload, count, stream and delivery sequence and pending of a message, or a status. */
  listen(subject: string): () => void {
    const sub = internal(subject, ({ header, data, reply, subject: to }) => {
      const lines = utf8Decoder.decode(header).split("\r\n");
      const tokens = reply.split(".");
      if (reply.startsWith("$JS.ACK.")) {
        this.replies.push(reply);
        const [count, seq, delivery, , pending] = tokens.slice(4);
        this.heard.push(`${to}=${utf8Decoder.decode(data)} ${count}/${seq}/${delivery}/${pending}`);
      } else if (to.startsWith("$JS.EVENT")) {
        const {
          type,
          id: _i,
          timestamp: _t,
          stream: _s,
          consumer: _c,
          ...rest
        } = JSON.parse(utf8Decoder.decode(data)) as Record<string, unknown>;
        this.heard.push(`${String(type).split(".").at(-1)} ${JSON.stringify(rest)}`);
      } else this.heard.push(`${to}: ${lines.join(" ").slice(9).trim()}`);
    });
    this.account.router.add(sub);
    return () => this.account.router.remove(sub);
  }

  publish(subject: string, text = "", reply = ""): void {
    this.account.publish(Message.of(subject, text, "", reply));
  }

  next(body: object | string, inbox = "in"): void {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    this.account.publish(Message.of("$JS.API.CONSUMER.MSG.NEXT.S.c", utf8Encoder.encode(text), "", inbox));
  }

  /** Say something of the delivery with this number (from 0 on). */
  ack(index: number, text = ""): void {
    this.publish(this.replies[index] as string, text, "confirmed");
  }

  /** What was heard since the last time. */
  async take(): Promise<string[]> {
    await settled();
    return this.heard.splice(0);
  }

  async after(ms: number): Promise<string[]> {
    this.clock.advance(ms);
    return await this.take();
  }
}

test("a pull gets what is there, in order, and waits for the rest until it expires", async () => {
  const bench = new Bench();
  bench.listen("in");
  for (const text of ["1", "2"]) bench.publish("s.a", text);
  bench.consumer();
  bench.next({ batch: 3, expires: 1e9 });
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/1", "s.a=2 1/2/2/0"]);
  assert.deepEqual(await bench.after(999), []);
  assert.deepEqual(await bench.after(1), [
    "in: 408 Request Timeout Nats-Pending-Messages: 1 Nats-Pending-Bytes: 0",
  ]);
});

test("what is not acknowledged comes again after ack_wait, with a delivery number of its own, and goes first", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.consumer({ ack_wait: 1e9 });
  for (const text of ["1", "2", "3"]) bench.publish("s.a", text);
  bench.next({ batch: 2 });
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/2", "s.a=2 1/2/2/1"]);
  bench.ack(1);
  bench.clock.advance(1000);
  bench.next({ batch: 2 });
  assert.deepEqual(await bench.take(), ["s.a=1 2/1/3/1", "s.a=3 1/3/4/0"]);
});

test("backoff sets the wait of each delivery; max_deliver ends them with an advisory", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.listen("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>");
  const consumer = bench.consumer({ backoff: [200e6, 500e6, 900e6], max_deliver: 4 });
  bench.publish("s.a", "1");
  bench.next({ batch: 9 });
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/0"]);
  for (const [wait, delivery] of [
    [200, 2],
    [500, 3],
    [900, 4],
  ] as const) {
    assert.deepEqual(await bench.after(wait - 1), []);
    assert.deepEqual(await bench.after(1), [`s.a=1 ${delivery}/1/${delivery}/0`]);
  }
  assert.deepEqual(await bench.after(900), ['max_deliver {"stream_seq":1,"deliveries":4}']);
  const { num_ack_pending, num_redelivered, ack_floor } = consumer.info();
  assert.deepEqual(
    { num_ack_pending, num_redelivered, ack_floor },
    {
      num_ack_pending: 0,
      num_redelivered: 1,
      ack_floor: { consumer_seq: 0, stream_seq: 0 },
    },
  );
});

test("acknowledgements move the floor when nothing before them is open", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.listen("confirmed");
  const consumer = bench.consumer();
  for (const text of ["1", "2", "3", "4", "5"]) bench.publish("s.a", text);
  bench.next({ batch: 5 });
  await bench.take();
  for (const [index, floor] of [
    [2, 0],
    [0, 1],
    [1, 3],
    [4, 3],
    [3, 5],
  ] as const) {
    bench.ack(index);
    assert.deepEqual(await bench.take(), ["confirmed: "]);
    const { consumer_seq, stream_seq } = consumer.info().ack_floor;
    assert.deepEqual([consumer_seq, stream_seq], [floor, floor]);
  }
});

test("with ack all one acknowledgement counts for those before it", async () => {
  const bench = new Bench();
  bench.listen("in");
  const consumer = bench.consumer({ ack_policy: "all" });
  for (const text of ["1", "2", "3"]) bench.publish("s.a", text);
  bench.next({ batch: 3 });
  await bench.take();
  bench.ack(1);
  assert.equal(consumer.info().num_ack_pending, 1);
  bench.ack(0);
  assert.equal(consumer.info().ack_floor.stream_seq, 2);
});

test("NAK sends again at once or after its delay, WPI postpones, TERM ends", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.listen("$JS.EVENT.ADVISORY.CONSUMER.*.S.c");
  const consumer = bench.consumer({ ack_wait: 1e9 });
  await bench.take();
  bench.publish("s.a", "1");
  bench.next({ batch: 9 });
  await bench.take();
  bench.ack(0, "-NAK");
  assert.deepEqual(await bench.take(), [
    'nak {"consumer_seq":1,"stream_seq":1,"deliveries":1}',
    "s.a=1 2/1/2/0",
  ]);
  bench.ack(1, '-NAK {"delay": 3000000000}');
  assert.deepEqual(await bench.take(), ['nak {"consumer_seq":2,"stream_seq":1,"deliveries":2}']);
  assert.deepEqual(await bench.after(2999), []);
  assert.deepEqual(await bench.after(1), ["s.a=1 3/1/3/0"]);
  bench.clock.advance(900);
  bench.ack(2, "+WPI");
  assert.deepEqual(await bench.after(999), []);
  bench.ack(2, "+TERM because");
  assert.deepEqual(await bench.after(9999), [
    'terminated {"consumer_seq":3,"stream_seq":1,"deliveries":3,"reason":"because"}',
  ]);
  assert.equal(consumer.info().num_ack_pending, 0);
});

test("+NXT acknowledges and asks for more", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.listen("confirmed");
  bench.consumer();
  for (const text of ["1", "2", "3"]) bench.publish("s.a", text);
  bench.next({ batch: 1 });
  await bench.take();
  bench.ack(0, '+NXT {"batch":2}');
  assert.deepEqual(await bench.take(), ["s.a=2 1/2/2/1", "s.a=3 1/3/3/0"]);
});

test("max_ack_pending stops new messages, not those that come again", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.consumer({ max_ack_pending: 1, ack_wait: 1e9 });
  for (const text of ["1", "2"]) bench.publish("s.a", text);
  bench.next({ batch: 3 });
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/1"]);
  assert.deepEqual(await bench.after(1000), ["s.a=1 2/1/2/1"]);
  bench.ack(1);
  assert.deepEqual(await bench.take(), ["s.a=2 1/2/3/0"]);
});

test("pulls are served in turn, and die with their inbox", async () => {
  const bench = new Bench();
  bench.listen("in");
  const gone = bench.listen("other");
  const consumer = bench.consumer();
  const served: string[] = [];
  for (const inbox of ["in", "other"])
    bench.account.router.add(internal(inbox, () => void served.push(inbox)));
  bench.next({ batch: 3 }, "in");
  bench.next({ batch: 3 }, "other");
  bench.next({ batch: 3 }, "nobody");
  assert.equal(consumer.info().num_waiting, 2);
  for (let i = 0; i < 4; i++) bench.publish("s.a");
  await bench.take();
  assert.deepEqual(served, ["in", "other", "in", "other"]);
  gone();
});

test("the statuses of a pull that gets less than it asks for", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.consumer({ max_batch: 5, max_bytes: 100, max_expires: 1.5e9, max_waiting: 1 });
  const answers = async (body: object | string): Promise<string[]> => {
    bench.next(body);
    return await bench.take();
  };
  assert.deepEqual(await answers({ no_wait: true }), ["in: 404 No Messages"]);
  assert.deepEqual(await answers("{bad"), [
    "in: 400 Bad Request - invalid character 'b' looking for beginning of object key string",
  ]);
  assert.deepEqual(await answers({ expires: 1e9, idle_heartbeat: 6e8 }), [
    "in: 400 Bad Request - heartbeat value too large",
  ]);
  assert.deepEqual(await answers({ batch: 6 }), ["in: 409 Exceeded MaxRequestBatch of 5"]);
  assert.deepEqual(await answers({ expires: 2e9 }), ["in: 409 Exceeded MaxRequestExpires of 1.5s"]);
  assert.deepEqual(await answers({ max_bytes: 101 }), ["in: 409 Exceeded MaxRequestMaxBytes of 100"]);
  assert.deepEqual(await answers({ batch: 2, expires: 1e9 }), []);
  assert.deepEqual(await answers({ batch: 1, expires: 1e9 }), ["in: 409 Exceeded MaxWaiting"]);
  assert.deepEqual(await answers({ batch: 1, expires: 1e9, idle_heartbeat: 1e8 }), []);
});

test("a pull without waiting that got something ends at the end of the stream; one with bytes left says so", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.consumer();
  for (const text of ["1", "2"]) bench.publish("s.a", text);
  bench.next({ batch: 1, max_bytes: 1000 });
  assert.deepEqual((await bench.take()).slice(0, 1), ["s.a=1 1/1/1/1"]);
  bench.next({ batch: 5, no_wait: true });
  assert.deepEqual(await bench.take(), ["s.a=2 1/2/2/0", "in: 404 No Messages"]);
  bench.publish("s.a", "x".repeat(100));
  bench.next({ batch: 1, max_bytes: 50 });
  assert.deepEqual(await bench.take(), [
    "in: 409 Message Size Exceeds MaxBytes Nats-Pending-Messages: 1 Nats-Pending-Bytes: 50",
  ]);
});

test("a waiting pull gets heartbeats that say how far the consumer is", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.consumer();
  bench.publish("s.a", "1");
  bench.next({ batch: 9, expires: 3e9, idle_heartbeat: 1e9 });
  await bench.take();
  assert.deepEqual(await bench.after(1000), [
    "in: 100 Idle Heartbeat Nats-Last-Consumer: 1 Nats-Last-Stream: 1",
  ]);
  bench.clock.advance(500);
  bench.publish("s.a", "2");
  await bench.take();
  assert.deepEqual(await bench.after(999), []);
  assert.deepEqual(await bench.after(1), [
    "in: 100 Idle Heartbeat Nats-Last-Consumer: 2 Nats-Last-Stream: 2",
  ]);
});

test("a consumer that nobody uses for its threshold goes", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.listen("$JS.EVENT.ADVISORY.CONSUMER.DELETED.>");
  bench.consumer({ inactive_threshold: 5e9 });
  bench.clock.advance(4000);
  bench.next({ batch: 1, expires: 3e9 });
  // at 5000 a pull waits: it is looked again at 10 000
  assert.deepEqual(await bench.after(5999), [
    "in: 408 Request Timeout Nats-Pending-Messages: 1 Nats-Pending-Bytes: 0",
  ]);
  assert.equal(bench.stream.consumers.size, 1);
  assert.deepEqual(await bench.after(1), ['consumer_action {"action":"delete"}']);
  assert.equal(bench.stream.consumers.size, 0);
});

test("a push consumer sends while somebody listens, with heartbeats, and stops when nobody does", async () => {
  const bench = new Bench();
  const consumer = bench.consumer({ deliver_subject: "d", idle_heartbeat: 1e9 });
  bench.publish("s.a", "1");
  assert.deepEqual(await bench.take(), []);
  const stop = bench.listen("d");
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/0"]);
  assert.equal(consumer.info().push_bound, true);
  assert.deepEqual(await bench.after(1000), [
    "d: 100 Idle Heartbeat Nats-Last-Consumer: 1 Nats-Last-Stream: 1",
  ]);
  stop();
  bench.publish("s.a", "2");
  assert.deepEqual(await bench.after(5000), []);
  assert.equal(consumer.info().push_bound, undefined);
  assert.equal(consumer.info().num_pending, 1);
});

test("a push consumer that nobody listens to any more goes when its threshold has passed since then", async () => {
  const bench = new Bench();
  bench.consumer({ deliver_subject: "d", inactive_threshold: 5e9, ack_wait: 1e9 });
  const stop = bench.listen("d");
  bench.publish("s.a", "1");
  await bench.after(4900);
  stop();
  await bench.after(4999);
  assert.equal(bench.stream.consumers.size, 1);
  await bench.after(1);
  assert.equal(bench.stream.consumers.size, 0);
});

test("flow control: a question at half a window, and nothing above a window until it is answered", async () => {
  const bench = new Bench();
  bench.consumer({ ack_policy: "none", deliver_subject: "d", idle_heartbeat: 1e9, flow_control: true });
  let question = "";
  let bytes = 0;
  bench.account.router.add(
    internal("d", ({ reply, data }) => {
      if (reply.startsWith("$JS.FC.")) question = reply;
      bytes += data.length;
    }),
  );
  for (let i = 0; i < 64; i++) bench.publish("s.a", "x".repeat(100_000));
  await bench.take();
  // a turn is 1 MiB
  for (let i = 0; i < 5; i++) await turned();
  assert.match(question, /^\$JS\.FC\.S\.c\.\w{4}$/);
  assert.ok(bytes > 2 << 20 && bytes < (2 << 20) + 200_000, `${bytes} bytes`);
  const before = bytes;
  bench.publish(question);
  for (let i = 0; i < 9; i++) await turned();
  assert.ok(bytes > before + (3 << 20), `${bytes} bytes`);
});

test("acknowledgement by flow control: the answer says how far it is taken", async () => {
  const bench = new Bench();
  const questions: string[] = [];
  bench.account.router.add(
    internal("d", ({ reply }) => void (reply.startsWith("$JS.FC.") && questions.push(reply))),
  );
  bench.listen("d");
  const consumer = bench.consumer({
    ack_policy: "flow_control",
    flow_control: true,
    deliver_subject: "d",
    max_ack_pending: 2,
  });
  for (const text of ["1", "2", "3"]) bench.publish("s.a", text);
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/2", "s.a=2 1/2/2/1", "d: 100 FlowControl Request"]);
  const header = "NATS/1.0\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 1\r\n\r\n";
  bench.account.publish(Message.of(questions[0] as string, "", header));
  assert.deepEqual((await bench.take()).slice(0, 1), ["s.a=3 1/3/3/0"]);
  assert.equal(consumer.info().ack_floor.stream_seq, 1);
});

test("a pause holds everything back, and its end is told", async () => {
  const bench = new Bench();
  bench.listen("in");
  bench.listen("$JS.EVENT.ADVISORY.CONSUMER.PAUSE.>");
  const until = new Date(bench.clock.now() + 5000).toISOString();
  const consumer = bench.consumer({ pause_until: until });
  bench.publish("s.a", "1");
  bench.next({ batch: 1, expires: 9e9 });
  assert.deepEqual(await bench.after(4999), [`consumer_pause {"paused":true,"pause_until":"${until}"}`]);
  assert.equal(consumer.info().pause_remaining, 1e6);
  assert.deepEqual(await bench.after(1), [
    `consumer_pause {"paused":false,"pause_until":"${until}"}`,
    "s.a=1 1/1/1/0",
  ]);
});

test("a pinned client that does not come again for the timeout loses its place to the next", async () => {
  const bench = new Bench();
  bench.listen("in");
  let others = 0;
  bench.account.router.add(internal("other", () => void others++));
  bench.listen("$JS.EVENT.ADVISORY.CONSUMER.UNPINNED.>");
  bench.consumer({ priority_groups: ["g"], priority_policy: "pinned_client", priority_timeout: 2e9 });
  bench.next({ batch: 9, group: "g", expires: 3e9 });
  bench.next({ batch: 9, group: "g", expires: 9e9 }, "other");
  bench.publish("s.a", "1");
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/0"]);
  bench.publish("s.a", "2");
  assert.deepEqual(await bench.take(), ["s.a=2 1/2/2/0"]);
  assert.deepEqual(await bench.after(2000), [
    'consumer_group_unpinned {"account":"A","group":"g","reason":"timeout"}',
  ]);
  assert.match((await bench.after(1000))[0] ?? "", /^in: 408/);
  bench.publish("s.a", "3");
  assert.deepEqual(await bench.take(), []);
  assert.equal(others, 1);
});

test("a rate lets a burst of the largest message through, and then so many bits in a second", async () => {
  const bench = new Bench({ max_msg_size: 1000 });
  bench.listen("d");
  // 1000 bytes in a second
  bench.consumer({ ack_policy: "none", deliver_subject: "d", rate_limit_bps: 8000 });
  for (const text of ["1", "2", "3"]) bench.publish("s.a", text.repeat(900));
  const texts = async (heard: Promise<string[]>): Promise<string[]> =>
    (await heard).map((line) => line.slice(4, 5));
  assert.deepEqual(await texts(bench.take()), ["1"]);
  assert.deepEqual(await texts(bench.after(800)), []);
  assert.deepEqual(await texts(bench.after(200)), ["2"]);
  assert.deepEqual(await texts(bench.after(1000)), ["3"]);
});

test("a replay keeps the pauses of what was stored, and what comes then comes at once", async () => {
  const bench = new Bench();
  bench.listen("d");
  for (const text of ["1", "2"]) {
    bench.publish("s.a", text);
    bench.clock.advance(700);
  }
  bench.consumer({ ack_policy: "none", deliver_subject: "d", replay_policy: "original" });
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/1"]);
  assert.deepEqual(await bench.after(699), []);
  assert.deepEqual(await bench.after(1), ["s.a=2 1/2/2/0"]);
  bench.clock.advance(9000);
  bench.publish("s.a", "3");
  assert.deepEqual(await bench.take(), ["s.a=3 1/3/3/0"]);
});

test("a restart forgets who waits, also where the same inbox is listened to again", async () => {
  const bench = new Bench();
  bench.listen("in");
  const consumer = bench.consumer();
  bench.next({ batch: 1, expires: 9e9 });
  bench.js.forgetRequests();
  assert.equal(consumer.info().num_waiting, 0);
  bench.publish("s.a", "1");
  assert.deepEqual(await bench.take(), []);
  bench.next({ batch: 1 });
  assert.deepEqual(await bench.take(), ["s.a=1 1/1/1/0"]);
});

test("a consumer from before goes on: what was open is due as it was, what was not sent is sent", async () => {
  const bench = new Bench();
  bench.listen("in");
  const kept: { state?: () => object } = {};
  Object.assign(bench.js, {
    storage: {
      ...memoryStorage,
      saveConsumer: (_s: string, _c: object, state: () => object) => (kept.state = state),
    },
  });
  const before = bench.consumer({ ack_wait: 1e9 });
  for (const text of ["1", "2", "3"]) bench.publish("s.a", text);
  bench.next({ batch: 2 });
  await bench.take();
  bench.ack(0);
  bench.clock.advance(600);
  const state = JSON.parse(JSON.stringify(kept.state?.())) as ConsumerState;
  const info = before.info();
  before.shutDown();
  bench.stream.unwatch(before);
  const after = new Consumer(bench.js, bench.stream, "c", before.config, before.created, state);
  assert.deepEqual({ ...after.info(), ts: "" }, { ...info, ts: "" });
  bench.next({ batch: 2 });
  assert.deepEqual(await bench.take(), ["s.a=3 1/3/3/0"]);
  assert.deepEqual(await bench.after(400), ["s.a=2 2/2/4/0"]);
});
