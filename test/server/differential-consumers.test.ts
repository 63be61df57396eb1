// Differential: consumers of the embedded server and of a nats-server 2.15 answer alike, frame by frame.
import { after, test } from "node:test";
import fc from "fast-check";
import { draws } from "../fixtures/draws.ts";
import { api, converse, pub, type Step } from "./conversation.ts";
import { pair } from "./pair.ts";

const both = await pair({ after }, {}, { jetstream: true });

const BEFORE = `SUB in.api 1\r\n${api("STREAM.DELETE.S")}`;
const SUBS = "SUB in.pull 2\r\nSUB in.ack 3\r\nSUB in.other 4\r\nSUB in.stored 10\r\n";
const stream = (more: object = {}): string =>
  api("STREAM.CREATE.S", { name: "S", subjects: ["s.>"], storage: "memory", ...more });
const create = (name: string, config: object = {}, more: object = {}): string =>
  api(`CONSUMER.CREATE.S.${name}`, {
    stream_name: "S",
    config: { durable_name: name, ack_policy: "explicit", ...config },
    ...more,
  });
const bare = (name: string, config: object, more: object = {}): string =>
  api(`CONSUMER.CREATE.S.${name}`, { stream_name: "S", config, ...more });
const info = (name: string): Step => ({ ask: api(`CONSUMER.INFO.S.${name}`) });
const next = (name: string, body: object | string = "", inbox = "in.pull"): string =>
  pub(`$JS.API.CONSUMER.MSG.NEXT.S.${name}`, body, inbox);
const ack = (name: string, deliveries: number, seq: number, delivery: number, text = ""): string =>
  pub(`$JS.ACK.S.${name}.${deliveries}.${seq}.${delivery}.0.0`, text, "in.ack");
// a nats-server says that it has one when it has it: a consumer that is made then knows of it
const store = (...subjects: string[]): string =>
  subjects.map((subject, i) => pub(subject, String(i + 1), "in.stored")).join("");
const hpub = (subject: string, line: string, body = "", reply = ""): string => {
  const header = `NATS/1.0\r\n${line}\r\n\r\n`;
  return `HPUB ${subject} ${reply} ${header.length} ${header.length + body.length}\r\n${header}${body}\r\n`;
};
const second = 1e9;

const SCENARIOS: Record<string, readonly Step[]> = {
  "acknowledgements, and the floor": [
    store("s.a", "s.a", "s.a", "s.a", "s.a"),
    create("c"),
    next("c", { batch: 5 }),
    ...[3, 1, 2, 5, 4].flatMap((seq) => [ack("c", 1, seq, seq), info("c")]),
    ack("c", 1, 4, 4),
    info("c"),
  ],
  "a message that is larger than all there may be was never there": [
    api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory", max_bytes: 100 }),
    create("c"),
    pub("s.a", "x".repeat(100), "in.stored"),
    info("c"),
    pub("s.a", "1", "in.stored"),
    info("c"),
    next("c", { batch: 2, no_wait: true }),
  ],
  "acknowledgements of everything before": [
    store("s.a", "s.a", "s.a"),
    create("c", { ack_policy: "all" }),
    next("c", { batch: 3 }),
    ack("c", 1, 2, 2),
    info("c"),
    ack("c", 1, 1, 1),
    ack("c", 1, 3, 3),
    info("c"),
  ],
  "without acknowledgements": [
    store("s.a", "s.a"),
    create("c", { ack_policy: "none" }),
    next("c", { batch: 2 }),
    info("c"),
    ack("c", 1, 1, 1),
  ],
  "acknowledgements of what was not sent, of nothing, and without meaning": [
    store("s.a", "s.a", "s.a"),
    "SUB $JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.> 9\r\n",
    create("c"),
    next("c"),
    ...["-NAK", "+TERM", "+WPI", "x", ""].map((text) => ack("c", 1, 99, 99, text)),
    pub("$JS.ACK.S.c.1.1.1.0", "", "in.ack"),
    pub("$JS.ACK.S.c.x.y.1.0.0", "", "in.ack"),
    ...["-NAK", "+WPI", "x"].map((text) => pub("$JS.ACK.S.c.1.y.1.0.0", text, "in.ack")),
    pub("$JS.ACK.S.c.1.1.y.0.0", "-NAK", "in.ack"),
    ack("c", 1, 1, 1, "hello"),
    info("c"),
    ack("c", 1, 99, 99, "+NXT"),
    info("c"),
  ],
  "NAK, WPI, TERM and +NXT": [
    store("s.a", "s.a"),
    "SUB $JS.EVENT.ADVISORY.CONSUMER.*.S.c 9\r\n",
    create("c"),
    next("c", { batch: 2 }),
    ack("c", 1, 1, 1, "-NAK"),
    info("c"),
    next("c"),
    ack("c", 2, 1, 3, '-NAK {"delay": 300000000}'),
    [next("c"), "S.c.3.1."],
    ack("c", 3, 1, 4, "-NAK 300ms"),
    [next("c"), "S.c.4.1."],
    ack("c", 4, 1, 4, "+WPI"),
    ack("c", 4, 1, 5, "+TERM  for a reason "),
    info("c"),
    ack("c", 1, 2, 2, "+TERM"),
    info("c"),
    store("s.a", "s.a"),
    next("c"),
    ack("c", 1, 3, 6, "+NXT 2"),
    info("c"),
  ],
  "redelivery, until there were enough": [
    "SUB $JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.> 9\r\n",
    store("s.a"),
    create("c", { ack_wait: second / 5, max_deliver: 2 }),
    next("c"),
    [next("c"), "S.c.2.1."],
    [next("c", { expires: 9 * second }), '"stream_seq":1,"deliveries":2'],
    info("c"),
  ],
  "a message that was sent as often as may be stays, and can be acknowledged": [
    "SUB $JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.> 9\r\n",
    store("s.a", "s.a"),
    create("c", { ack_wait: second / 5, max_deliver: 1 }),
    [next("c"), '"deliveries":1'],
    info("c"),
    ack("c", 1, 1, 1),
    info("c"),
    // the next one is to be acknowledged in time
    create("c", { ack_wait: 60 * second, max_deliver: 1 }),
    next("c"),
    ack("c", 1, 2, 2),
    info("c"),
  ],
  "where a consumer begins": [
    store("s.a", "s.b", "s.a", "s.c", "s.a", "s.b", "s.d"),
    create("all"),
    create("new", { deliver_policy: "new" }),
    create("last", { deliver_policy: "last" }),
    create("lastOf", { deliver_policy: "last", filter_subject: "s.b" }),
    create("lastOfNone", { deliver_policy: "last", filter_subject: "s.z" }),
    create("seq", { deliver_policy: "by_start_sequence", opt_start_seq: 3 }),
    create("beyond", { deliver_policy: "by_start_sequence", opt_start_seq: 99 }),
    create("time", { deliver_policy: "by_start_time", opt_start_time: "2020-01-01T00:00:00Z" }),
    create("later", { deliver_policy: "by_start_time", opt_start_time: "2099-01-01T00:00:00Z" }),
    create("each", { deliver_policy: "last_per_subject", filter_subject: "s.>" }),
    create("none", { deliver_policy: "last_per_subject", filter_subject: "s.z" }),
    next("each", { batch: 9, no_wait: true }),
    pub("s.a", "8", "in.other"),
    next("each", { batch: 9, no_wait: true }),
    info("each"),
    next("seq", { batch: 1 }),
    next("last", { batch: 1 }),
    next("lastOf", { batch: 9, no_wait: true }),
  ],
  "a consumer that begins behind the end": [
    store("s.a"),
    create("c", { deliver_policy: "by_start_sequence", opt_start_seq: 4 }),
    create("d"),
    api("CONSUMER.RESET.S.d", { seq: 4 }),
    ...[2, 3, 4, 5].flatMap(() => [store("s.a"), info("c"), info("d")]),
    ...["c", "d"].map((name) => next(name, { batch: 3, no_wait: true })),
  ],
  "a consumer that may not be left alone for a moment is gone at once": [
    bare("c", { inactive_threshold: 1 }),
    { ask: api("CONSUMER.NAMES.S") },
    bare("c", { deliver_policy: "new", inactive_threshold: 60 * second }),
  ],
  filters: [
    store("s.a", "s.b", "s.b", "s.c", "s.a"),
    create("one", { filter_subject: "s.a" }),
    create("two", { filter_subjects: ["s.a", "s.c"] }),
    create("wild", { filter_subject: "*.b" }),
    next("one", { batch: 9, no_wait: true }),
    next("two", { batch: 2 }),
    info("two"),
    create("two", { filter_subjects: ["s.b", "s.a"] }),
    next("two", { batch: 9, no_wait: true }),
    next("wild", { batch: 9, no_wait: true }),
    ack("one", 1, 1, 1),
    info("one"),
  ],
  "requests that are refused, or end early": [
    store("s.a", "s.a", "s.a"),
    create("c", { max_batch: 5, max_bytes: 1000, max_expires: 1.5 * second }),
    ...["{bad", { batch: "x" }, { batch: 1.5 }, '{"batch":1} x'].map((body) => next("c", body)),
    next("c", { expires: second, idle_heartbeat: 0.6 * second }),
    next("c", { batch: 6 }),
    next("c", { expires: 2 * second }),
    next("c", { max_bytes: 1001 }),
    next("c", { max_bytes: 10 }),
    next("c", { batch: 1, max_bytes: 500 }),
    next("c", { batch: 2, no_wait: true, max_bytes: 100 }),
    [next("c", { batch: 2, max_bytes: 100, expires: second / 5 }), "408"],
    hpub("$JS.API.CONSUMER.MSG.NEXT.S.c", "Nats-Required-Api-Level: 9", "", "in.pull"),
    next("nobody"),
  ],
  "how much a request asks for": [
    store(...Array.from({ length: 9 }, () => "s.a")),
    create("c"),
    next("c", "junk"),
    next("c", "-4"),
    next("c", " 2 "),
    next("c", "{}"),
    next("c", { batch: 0 }),
    next("c", { Batch: 2, NO_WAIT: true, what: 1 }),
    next("c", { batch: 5, no_wait: true }),
    next("c", { batch: 5, no_wait: true }),
    [next("c", { no_wait: true, expires: second / 10 }), "408"],
    [next("c", { expires: second, idle_heartbeat: 0.4 * second }), "408"],
  ],
  "too many requests that wait": [
    create("c", { max_waiting: 1 }),
    next("c", { expires: 9 * second }),
    next("c", { expires: 9 * second }, "in.other"),
    next("c", { expires: 9 * second, idle_heartbeat: second }, "in.other"),
    store("s.a"),
    store("s.a"),
    next("c", { batch: 3, no_wait: true }),
  ],
  "requests that wait are served in turn": [
    create("c"),
    next("c", { batch: 3 }),
    next("c", { batch: 3 }, "in.other"),
    ...Array.from({ length: 6 }, (_, i) => pub("s.a", String(i))),
    info("c"),
  ],
  "as many as may be open": [
    store("s.a", "s.a", "s.a"),
    create("c", { max_ack_pending: 1 }),
    next("c", { batch: 3 }),
    next("c", { batch: 1, no_wait: true }, "in.other"),
    ack("c", 1, 1, 1),
    ack("c", 1, 2, 2),
    info("c"),
  ],
  "messages without their payload": [
    hpub("s.a", "A: b", "body"),
    store("s.a"),
    create("c", { headers_only: true }),
    next("c", { batch: 2 }),
  ],
  "what is deleted and purged": [
    "SUB $JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.all 8\r\n",
    "SUB $JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.a 9\r\n",
    store("s.a", "s.a", "s.a", "s.b", "s.b", "s.a", "s.a"),
    create("all"),
    create("a", { filter_subject: "s.a" }),
    create("b", { filter_subject: "s.b" }),
    next("all", { batch: 3 }),
    next("a", { batch: 4 }),
    next("b"),
    api("STREAM.MSG.DELETE.S", { seq: 2 }),
    ...["all", "a", "b"].map(info),
    api("STREAM.PURGE.S", { filter: "s.b" }),
    ...["all", "a", "b"].map(info),
    api("STREAM.PURGE.S", { seq: 6 }),
    ...["all", "a", "b"].map(info),
    api("STREAM.PURGE.S"),
    ...["all", "a", "b"].map(info),
    store("s.a"),
    ...["all", "a", "b"].map(info),
  ],
  "beginning again": [
    store("s.a", "s.a", "s.a"),
    create("all"),
    next("all", { batch: 3 }),
    ack("all", 1, 1, 1),
    api("CONSUMER.RESET.S.all"),
    next("all"),
    api("CONSUMER.RESET.S.all", { seq: 3 }),
    next("all"),
    api("CONSUMER.RESET.S.all", { seq: 99 }),
    api("CONSUMER.RESET.S.all", "junk"),
    create("new", { deliver_policy: "new" }),
    api("CONSUMER.RESET.S.new", { seq: 1 }),
    api("CONSUMER.RESET.S.new"),
    create("seq", { deliver_policy: "by_start_sequence", opt_start_seq: 2 }),
    api("CONSUMER.RESET.S.seq", { seq: 1 }),
    api("CONSUMER.RESET.S.seq", { seq: 2 }),
    create("time", { deliver_policy: "by_start_time", opt_start_time: "2099-01-01T00:00:00Z" }),
    api("CONSUMER.RESET.S.time", { seq: 1 }),
    info("all"),
  ],
  pauses: [
    "SUB $JS.EVENT.ADVISORY.CONSUMER.PAUSE.> 9\r\n",
    store("s.a"),
    create("c", { pause_until: "2099-01-01T00:00:00Z" }),
    info("c"),
    create("c", { description: "still paused" }),
    api("CONSUMER.PAUSE.S.c", { pause_until: "2098-01-01T00:00:00+02:00" }),
    api("CONSUMER.PAUSE.S.c"),
    info("c"),
    api("CONSUMER.PAUSE.S.c", { pause_until: "2020-01-01T00:00:00Z" }),
    info("c"),
    ...["2099", "2099", "2098"].map((year) =>
      api("CONSUMER.PAUSE.S.c", { pause_until: `${year}-01-01T00:00:00Z` }),
    ),
    ...["", ""].map(() => api("CONSUMER.PAUSE.S.c")),
    api("CONSUMER.PAUSE.S.nobody"),
    api("CONSUMER.PAUSE.S.c", "{bad"),
    api("CONSUMER.PAUSE.S.c", { pause_until: "bad" }),
    api("CONSUMER.PAUSE.S.c", { what: 1 }),
    api("CONSUMER.PAUSE.S.c", "ignored"),
  ],
  "a pull that waits when a call ends a pause goes on waiting, for what comes next": [
    "SUB in.push 8\r\n",
    store("s.a", "s.b"),
    create("c"),
    create("p", { deliver_subject: "in.push" }),
    api("CONSUMER.PAUSE.S.c", { pause_until: "2099-01-01T00:00:00Z" }),
    next("c", { batch: 2, expires: 60 * second }),
    // there is nothing while it is paused, whatever the stream has
    next("c", { no_wait: true }, "in.other"),
    next("c", { no_wait: true, expires: 60 * second }, "in.other"),
    api("CONSUMER.PAUSE.S.c"),
    pub("s.c", "3"),
    next("c", { batch: 2, no_wait: true }),
  ],
  "a pinned client": [
    "SUB $JS.EVENT.ADVISORY.CONSUMER.PINNED.> 8\r\nSUB $JS.EVENT.ADVISORY.CONSUMER.UNPINNED.> 9\r\n",
    create("c", { priority_groups: ["g"], priority_policy: "pinned_client" }),
    ...[{ batch: 1 }, { group: "x" }, { group: "g", min_pending: 1 }, { group: "g", priority: 11 }].map(
      (body) => next("c", body),
    ),
    next("c", { group: "g", id: "stale", expires: 9 * second }, "in.other"),
    next("c", { batch: 2, group: "g", expires: 9 * second }),
    pub("s.a", "1"),
    info("c"),
    next("c", { group: "g", id: "wrong" }),
    ...["", {}, { group: "a b" }, { group: "x" }, { group: "g" }].map((body) =>
      api("CONSUMER.UNPIN.S.c", body),
    ),
    info("c"),
    api("CONSUMER.UNPIN.S.nobody", { group: "g" }),
  ],
  "requests for what overflows": [
    create("c", { priority_groups: ["g"], priority_policy: "overflow" }),
    next("c", { group: "g", id: "1" }),
    next("c", { group: "g", min_pending: 3, expires: 9 * second }),
    next("c", { group: "g", min_ack_pending: 2, expires: 9 * second }, "in.other"),
    store("s.a"),
    store("s.a"),
    store("s.a"),
    next("c", { group: "g" }),
    info("c"),
  ],
  "requests by their priority": [
    create("c", { priority_groups: ["g"], priority_policy: "prioritized" }),
    next("c", { batch: 2, group: "g", priority: 3 }),
    next("c", { batch: 2, group: "g", priority: 1 }, "in.other"),
    ...["1", "2", "3", "4"].map((text) => pub("s.a", text)),
    info("c"),
  ],
  "a push consumer": [
    store("s.a", "s.a"),
    bare("c", { deliver_subject: "in.push", ack_policy: "explicit", idle_heartbeat: 60 * second }),
    info("c"),
    "SUB in.push 5\r\n",
    pub("s.a", "3"),
    next("c"),
    ack("c", 1, 1, 1),
    "UNSUB 5\r\n",
    pub("s.a", "4"),
    info("c"),
  ],
  "heartbeats of a push consumer": [
    store("s.a", "s.a"),
    bare("c", { deliver_subject: "in.push", idle_heartbeat: second / 2 }),
    ["SUB in.push 5\r\n", "100 Idle Heartbeat"],
  ],
  "a push consumer for a group": [
    store("s.a"),
    bare("c", { deliver_subject: "in.push", deliver_group: "g" }),
    "SUB in.push 5\r\n",
    "SUB in.push h 6\r\n",
    "SUB in.push g 7\r\n",
    pub("s.a", "2"),
    "UNSUB 7\r\n",
    pub("s.a", "3"),
  ],
  "configurations that stay and that change": [
    create("c", { filter_subject: "s.a" }),
    create("c", { filter_subject: "s.a" }, { action: "create" }),
    create("c", { filter_subject: "s.a", description: "x" }, { action: "create" }),
    create("other", {}, { action: "update" }),
    create("c", {
      filter_subject: "s.a",
      ack_wait: 5 * second,
      max_deliver: 3,
      backoff: [second],
      max_ack_pending: 5,
      headers_only: true,
      sample_freq: "10",
      max_batch: 1,
      max_expires: second,
      max_bytes: 100,
      inactive_threshold: 60 * second,
      metadata: { x: "y" },
    }),
    ...[
      { deliver_policy: "new" },
      { ack_policy: "all" },
      { replay_policy: "original" },
      { mem_storage: true },
      { max_waiting: 5 },
      { deliver_subject: "in.push" },
      { num_replicas: 1 },
      { rate_limit_bps: 5 },
      { pause_until: "2099-01-01T00:00:00Z" },
      { priority_groups: ["g"], priority_policy: "overflow" },
    ].map((change) => create("c", change)),
    create("p", { deliver_subject: "in.push", idle_heartbeat: 60 * second, flow_control: true }),
    create("p", { deliver_subject: "in.push", idle_heartbeat: 30 * second, flow_control: true }),
    create("p", { deliver_subject: "in.push", idle_heartbeat: 60 * second }),
    create("p", { deliver_subject: "in.push2", idle_heartbeat: 60 * second, flow_control: true }),
    create("p"),
  ],
  lists: [
    ...["b", "a", "c"].map((name) => create(name)),
    api("CONSUMER.NAMES.S"),
    ...[1, 99, -1].map((offset) => api("CONSUMER.NAMES.S", { offset })),
    api("CONSUMER.LIST.S", { offset: 1 }),
    api("CONSUMER.LIST.S", { offset: "a" }),
    api("CONSUMER.NAMES.S", { what: 1 }),
    api("CONSUMER.NAMES.S", "junk"),
    api("CONSUMER.LIST.nobody"),
    api("CONSUMER.NAMES.nobody"),
    api("CONSUMER.INFO.S.a", "junk"),
    api("CONSUMER.INFO.S.nobody"),
    api("CONSUMER.DELETE.S.a", "x"),
    api("CONSUMER.DELETE.S.a", "{}"),
    api("CONSUMER.DELETE.S.a"),
    api("CONSUMER.LEADER.STEPDOWN.S.b"),
    api("CONSUMER.PEER.REMOVE.S.b", { peer: "x" }),
  ],
  "who waits is told of the end": [
    create("c"),
    create("d"),
    next("c", { batch: 5 }),
    next("d", { batch: 5 }),
    api("CONSUMER.DELETE.S.c"),
    api("STREAM.DELETE.S"),
  ],
};

const state: Step = { ask: api("STREAM.INFO.S", { deleted_details: true }) };

const RETENTION: Record<string, readonly Step[]> = {
  "a work queue: what is acknowledged goes": [
    stream({ retention: "workqueue" }),
    store("s.a", "s.a", "s.b", "s.a", "s.a"),
    create("c", { filter_subject: "s.a", max_deliver: 2 }),
    create("d", { filter_subject: "s.b" }),
    next("c", { batch: 3 }),
    ack("c", 1, 2, 2),
    state,
    ack("c", 1, 1, 1, "+TERM"),
    state,
    ack("c", 1, 4, 3, "-NAK"),
    next("c", { batch: 2 }),
    info("c"),
    ack("c", 2, 4, 4),
    ack("c", 1, 5, 5),
    state,
    info("c"),
    api("CONSUMER.DELETE.S.d"),
    state,
    create("e", { deliver_policy: "new" }),
    create("e", { ack_policy: "all" }),
    create("e"),
    create("e", { filter_subject: "s.*" }),
    create("e", { filter_subjects: ["s.b", "s.c"] }),
    create("e", { filter_subject: "s.b" }),
    // what an update may do, and a new one may not
    create("e"),
    create("e", { filter_subject: "s.a" }),
    api("CONSUMER.DELETE.S.e"),
    create("e"),
    api("CONSUMER.DELETE.S.c"),
    create("e"),
    create("f", { filter_subject: "s.b" }),
  ],
  "interest: what all have acknowledged goes, and what nobody wants is not kept": [
    stream({ retention: "interest" }),
    store("s.a"),
    state,
    create("a", { filter_subject: "s.a" }),
    create("all", { ack_policy: "all" }),
    create("none", { ack_policy: "none", filter_subject: "s.b" }),
    store("s.a", "s.b", "s.c", "s.a"),
    state,
    next("a", { batch: 2 }),
    next("all", { batch: 4 }),
    next("none"),
    state,
    ack("a", 1, 2, 1),
    ack("all", 1, 4, 3),
    state,
    ack("all", 1, 5, 4),
    state,
    ...["a", "all", "none"].map(info),
    api("CONSUMER.DELETE.S.a"),
    state,
    store("s.z"),
    api("CONSUMER.DELETE.S.all"),
    state,
    store("s.z"),
    state,
  ],
  "interest: a stream that had none before": [
    stream(),
    store("s.a", "s.a"),
    create("a", { filter_subject: "s.a" }),
    next("a"),
    ack("a", 1, 1, 1),
    api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory", retention: "interest" }),
    state,
    info("a"),
  ],
};

for (const [title, steps] of Object.entries(RETENTION)) {
  test(title, () => converse(both, [SUBS, ...steps], BEFORE));
}

for (const [title, steps] of Object.entries(SCENARIOS)) {
  test(title, () => converse(both, [SUBS, stream(), ...steps], BEFORE));
}

// -- anything ---------------------------------------------------------------------------------------------------------

// two consumers of the same messages; what is said of a delivery need not be of one
const name = fc.constantFrom("c", "d");
const seq = fc.integer({ min: 1, max: 6 });
const deeds: readonly fc.MaybeWeightedArbitrary<readonly Step[]>[] = [
  {
    weight: 6,
    // a nats-server confirms what its consumers have yet to hear of
    arbitrary: fc
      .constantFrom("s.a", "s.b")
      .map((subject) => [pub(subject, "x", "in.other"), info("c"), info("d")]),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({ name, batch: fc.integer({ min: 1, max: 3 }) })
      .map(({ name: of, batch }) => [next(of, { batch, no_wait: true })]),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({
        name,
        seq,
        delivery: seq,
        text: fc.constantFrom("", "", "", "-NAK", "+TERM", "+WPI", "what"),
      })
      .map(({ name: of, seq: at, delivery, text }) => [ack(of, 1, at, delivery, text), info(of)]),
  },
];
const losses: readonly fc.MaybeWeightedArbitrary<readonly Step[]>[] = [
  { weight: 1, arbitrary: seq.map((at) => [api("STREAM.MSG.DELETE.S", { seq: at }), info("c"), info("d")]) },
  { weight: 1, arbitrary: seq.map((at) => [api("STREAM.PURGE.S", { seq: at }), info("c"), info("d")]) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("s.a", "s.b")
      .map((filter) => [api("STREAM.PURGE.S", { filter }), info("c"), info("d")]),
  },
];

// with acknowledgements of all before, those of deliveries that there were
const through: typeof deeds = [
  ...deeds.slice(0, 2),
  { weight: 6, arbitrary: seq.map((at) => [ack("c", 1, at, at), info("c")]) },
];

for (const [title, first, config, kinds] of [
  ["limits", {}, {}, [...deeds, ...losses]],
  ["limits, and acknowledgements of all before", {}, { ack_policy: "all" }, through],
  ["limits, and few that may be open", {}, { max_ack_pending: 2 }, deeds],
  ["interest", { retention: "interest" }, {}, [...deeds, ...losses]],
] as const) {
  test(`any conversation about two consumers is answered alike: ${title}`, async () => {
    const steps = fc.array(fc.oneof(...kinds), { minLength: 4, maxLength: 15 });
    const consumers = [create("c", config), create("d", { ...config, filter_subject: "s.a" })];
    await fc.assert(
      fc.asyncProperty(steps, async (said) => {
        await converse(
          both,
          [SUBS, stream(first), ...consumers, ...said.flat(), state, api("STREAM.DELETE.S")],
          BEFORE,
        );
      }),
      draws(10),
    );
  });
}
