// Differential: of every two settings of a stream or a consumer that don't go together, the one is refused that a nats-server 2.15 refuses.
import { after, test } from "node:test";
import { api, converse, type Step } from "./conversation.ts";
import { pair } from "./pair.ts";

const both = await pair({ after }, { server_name: "T" }, { jetstream: true, name: "T" });

const hour = 3600e9;

/** What each setting may be, beside its default; most of it does not go alone, or not with another. */
const SETTINGS: Readonly<Record<string, readonly unknown[]>> = {
  description: ["x".repeat(4097)],
  subjects: [["s..a"], ["s.a", "s.a"], ["x.>"], []],
  retention: ["workqueue", "interest"],
  max_msgs: [-5],
  max_age: [-1, 1, hour],
  discard: ["new"],
  storage: ["file"],
  num_replicas: [3, 7, -1],
  duplicate_window: [-1, 1, 2 * hour],
  placement: [{ preferred: "x" }, {}],
  first_seq: [5],
  subject_transform: [
    { src: "s.*", dest: "u.$2" },
    { src: "a..b", dest: "x" },
  ],
  republish: [{ src: "s.a", dest: "s.b" }, { src: "s.*", dest: "r.*.*" }, { dest: "r.>" }],
  mirror: [{ name: "a.b" }, { name: "S" }],
  sources: [[{ name: "a.b" }], [{ name: "S" }]],
  mirror_direct: [true],
  discard_new_per_subject: [true],
  sealed: [true],
  deny_purge: [true],
  allow_rollup_hdrs: [true],
  allow_msg_ttl: [true],
  subject_delete_marker_ttl: [hour, 1, -1],
  allow_msg_counter: [true],
  allow_atomic: [true],
  allow_msg_schedules: [true],
  persist_mode: ["async"],
  allow_batched: [true],
  metadata: [{ a: "x".repeat(140_000) }],
  consumer_limits: [{ max_ack_pending: 1 }],
  pedantic: [true],
};

const ones = Object.entries(SETTINGS).flatMap(([name, values]) => values.map((value) => ({ [name]: value })));
const SUBJECTS = { subjects: ["s.>"] };

/**
 * A base with each setting and each two of them; what can be made is deleted again. Each stream has a name of its own: a file
 * stream that is made again at once may have the messages of the one before it.
 */
function twos(verb: "CREATE" | "UPDATE", base: object, make: object | undefined): Step[] {
  let count = 0;
  return ones.flatMap((one, i) =>
    ones.slice(i).flatMap((other) => {
      const name = `S${++count}`;
      const named = (body: object): object =>
        JSON.parse(JSON.stringify({ name, ...body }).replaceAll('"S"', `"${name}"`)) as object;
      return [
        ...(make === undefined ? [] : [api(`STREAM.CREATE.${name}`, named(make))]),
        api(`STREAM.${verb}.${name}`, named({ storage: "memory", ...base, ...one, ...other })),
        api(`STREAM.DELETE.${name}`),
      ];
    }),
  );
}

const beside = api("STREAM.CREATE.X", { name: "X", subjects: ["x.>"], storage: "memory" });

test("two settings of a new stream", () =>
  converse(both, ["SUB in.api 1\r\n", beside, ...twos("CREATE", SUBJECTS, undefined)]));

test("two settings of a new mirror", () =>
  converse(both, ["SUB in.api 1\r\n", ...twos("CREATE", { mirror: { name: "a.b" } }, undefined)]));

test("two settings of an update", () => {
  const make = { ...SUBJECTS, storage: "memory", deny_delete: true, allow_msg_ttl: true };
  return converse(both, ["SUB in.api 1\r\n", ...twos("UPDATE", SUBJECTS, make)]);
});

/** What each setting of a consumer may be, beside its default. */
const OF_CONSUMERS: Readonly<Record<string, readonly unknown[]>> = {
  description: ["x".repeat(4097)],
  deliver_policy: ["last", "by_start_sequence", "last_per_subject"],
  opt_start_seq: [5],
  opt_start_time: ["2020-01-01T00:00:00Z"],
  ack_policy: ["none", "all", "flow_control"],
  ack_wait: [-1, hour],
  max_deliver: [2],
  backoff: [[1, 2, 3], [-1]],
  filter_subject: ["c.a", "c..a"],
  filter_subjects: [["c.a", "c.b"], ["c.a", "c.>"], [""]],
  replay_policy: ["original"],
  rate_limit_bps: [1000],
  sample_freq: ["x", "-5", "99999999999999999999"],
  max_waiting: [2],
  max_ack_pending: [-5, 50],
  flow_control: [true],
  max_batch: [-1],
  max_expires: [1],
  deliver_subject: ["d.x", "d.*", "c.a", "d x"],
  idle_heartbeat: [1, hour],
  inactive_threshold: [hour],
  num_replicas: [3, -1],
  mem_storage: [true],
  metadata: [{ a: "x".repeat(140_000) }],
  pause_until: ["2001-01-01T00:00:00Z"],
  priority_groups: [["g"], ["bad group"]],
  priority_policy: ["overflow", "pinned_client"],
  priority_timeout: [hour],
};

/** As `twos`, of a consumer; `make`: it is there already. */
function ofConsumer(stream: string, base: object, make: boolean): Step[] {
  const all = [
    ...Object.entries(OF_CONSUMERS).flatMap(([name, values]) => values.map((value) => ({ [name]: value }))),
    "pedantic" as const,
  ];
  const call = (...of: readonly (object | "pedantic")[]): string =>
    api(`CONSUMER.CREATE.${stream}.c`, {
      stream_name: stream,
      config: of.reduce<object>((config, one) => (one === "pedantic" ? config : { ...config, ...one }), base),
      ...(of.includes("pedantic") && { pedantic: true }),
    });
  return all.flatMap((one, i) =>
    all
      .slice(i)
      .flatMap((other) => [...(make ? [call()] : []), call(one, other), api(`CONSUMER.DELETE.${stream}.c`)]),
  );
}

const PULL = { durable_name: "c", ack_policy: "explicit" };
const PUSH = { ...PULL, deliver_subject: "d.y" };

function withStream(config: object, steps: readonly Step[]): Promise<void> {
  const stream = { name: "C", subjects: ["c.>"], storage: "memory", ...config };
  return converse(
    both,
    [api("STREAM.CREATE.C", stream), ...steps],
    `SUB in.api 1\r\n${api("STREAM.DELETE.C")}`,
  );
}

for (const [title, config, ...bases] of [
  ["a stream", {}, PULL, PUSH],
  ["a stream that limits them", { consumer_limits: { max_ack_pending: 10, inactive_threshold: 60e9 } }, PULL],
  ["a work queue", { retention: "workqueue" }, PUSH],
] as const) {
  test(`two settings of a new consumer of ${title}`, () =>
    withStream(
      config,
      bases.flatMap((base) => ofConsumer("C", base, false)),
    ));
}

test("two settings of an update of a consumer", () => withStream({}, ofConsumer("C", PULL, true)));
