// API calls: calls of the JetStream API, publishes and direct gets, drawn at random, most of them with something wrong.
import fc from "fast-check";

/** One of these, or often none. */
const maybe = (...values: unknown[]): fc.Arbitrary<unknown> => fc.constantFrom(...values);

/** An object with a few of the fields, drawn from what each may be. */
function fields(
  palette: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  most: number,
): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(palette).map(([name, value]) => value.map((one) => [name, one] as const));
  return fc.array(fc.oneof(...entries), { maxLength: most }).map((chosen) => Object.fromEntries(chosen));
}

const flag = fc.constant(true);
const second = 1e9;
const hour = 3600 * second;

const streamFields = {
  description: maybe("d", "<&>", 1),
  subjects: maybe(
    ["s.>"],
    ["s.a", "s.b"],
    ["s.*"],
    ["t.>"],
    ["s.a", "s.>"],
    ["s..a"],
    [],
    ["s.a", "s.a"],
    "s",
    [1],
  ),
  retention: maybe("limits", "interest", "workqueue", "limits", "foo", null),
  max_consumers: maybe(0, 1, -1, -7),
  max_msgs: maybe(0, 1, 3, -1, -5, "1", 1.5),
  max_bytes: maybe(0, 150, -1, -3),
  max_age: maybe(0, hour, 1, -1, "1h"),
  max_msgs_per_subject: maybe(1, 2, -1, -3),
  max_msg_size: maybe(0, 5, 1000, -2),
  discard: maybe("old", "new", "x"),
  storage: maybe("file", "file", "disk"),
  num_replicas: maybe(0, 1, 3, 7, -1),
  no_ack: flag,
  duplicate_window: maybe(0, second, 2 * hour, 1, -1),
  placement: maybe({}, { cluster: "x", tags: ["a"] }, { preferred: "x" }),
  compression: maybe("none", "s2", "zip"),
  first_seq: maybe(1, 5, 100),
  subject_transform: maybe(
    { src: "s.*", dest: "s.x.$1" },
    { src: "s.>", dest: "s.>" },
    { src: "s.*", dest: "u.$2" },
    { src: "", dest: "" },
  ),
  republish: maybe(
    { src: "s.>", dest: "r.>" },
    { dest: "r.>", headers_only: true },
    { src: "s.a", dest: "s.b" },
    { src: "s.*", dest: "r.*.*" },
  ),
  allow_direct: flag,
  mirror_direct: flag,
  discard_new_per_subject: flag,
  sealed: flag,
  deny_delete: flag,
  deny_purge: flag,
  allow_rollup_hdrs: flag,
  consumer_limits: maybe({ max_ack_pending: 5 }, { inactive_threshold: 10 * second }, {}),
  allow_msg_ttl: flag,
  subject_delete_marker_ttl: maybe(hour, 1, -1),
  allow_msg_counter: flag,
  allow_atomic: flag,
  allow_msg_schedules: flag,
  persist_mode: maybe("default", "async", "x"),
  allow_batched: flag,
  metadata: maybe({ a: "b", Z: "<" }, { "10": "x", "9": "y" }, { "_nats.ver": "x" }, []),
  pedantic: flag,
  foo: fc.constant(1),
};

const consumerFields = {
  durable_name: maybe("c", "c", "d"),
  name: maybe("c", "d"),
  description: maybe("d"),
  deliver_policy: maybe(
    "all",
    "last",
    "new",
    "by_start_sequence",
    "by_start_time",
    "last_per_subject",
    "undefined",
    "x",
  ),
  opt_start_seq: maybe(0, 2, 50),
  opt_start_time: maybe("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "x"),
  ack_policy: maybe("none", "all", "explicit", "explicit", "flow_control", "x"),
  ack_wait: maybe(0, hour, -1),
  max_deliver: maybe(0, 1, 3, -1, -2),
  backoff: maybe([hour], [hour, 2 * hour], [-1], []),
  filter_subject: maybe("s.a", "s.*", "t.a", "s..a", ""),
  filter_subjects: maybe(["s.a", "s.b"], ["s.a", "s.>"], [""], ["s.a"]),
  replay_policy: maybe("instant", "original", "x"),
  rate_limit_bps: maybe(0, 1000),
  sample_freq: maybe("100", "50%", "x", ""),
  max_waiting: maybe(0, 2, -1),
  max_ack_pending: maybe(0, 1, 100, -1, -2),
  flow_control: flag,
  headers_only: flag,
  max_batch: maybe(0, 1, -1),
  max_expires: maybe(0, second, 1, -1),
  max_bytes: maybe(0, 100, -1),
  deliver_subject: maybe("d.x", "d.*", "s.a", ""),
  deliver_group: maybe("g"),
  idle_heartbeat: maybe(hour, 1, -1),
  inactive_threshold: maybe(0, hour, -1),
  num_replicas: maybe(0, 1, 3, -1),
  mem_storage: flag,
  metadata: maybe({ a: "b" }, { "_nats.level": "x" }),
  // not one to come: whether the real server has counted what a paused consumer waits for is chance
  pause_until: maybe("2000-01-01T00:00:00Z"),
  priority_groups: maybe(["g"], [""], ["g", "h"], ["bad group name"], []),
  priority_policy: maybe("none", "overflow", "pinned_client", "prioritized", "x"),
  priority_timeout: maybe(hour, 0),
  foo: fc.constant(1),
};

/** What is said, with `s`, `t` for subjects and `S`, `T` for streams; each run has names of its own for them. */
export interface Saying {
  readonly verb: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const name = maybe("S", "S", "S", "T", "X") as fc.Arbitrary<string>;
const consumer = maybe("c", "c", "d") as fc.Arbitrary<string>;
const subject = maybe("s.a", "s.b", "s.c", "t.a") as fc.Arbitrary<string>;
const seq = maybe(0, 1, 2, 3, 100);
const json = (value: unknown): string => JSON.stringify(value);

const call = (verb: string, of: fc.Arbitrary<string>, body: fc.Arbitrary<unknown>): fc.Arbitrary<Saying> =>
  fc.record({
    verb: of.map((stream) => `$JS.API.${verb}.${stream}`),
    body: body.map((one) => (one === "" ? "" : json(one))),
  });

const configured = (verb: string, most: number): fc.Arbitrary<Saying> =>
  fc.record({ of: name, more: fields(streamFields, most) }).map(({ of, more }) => ({
    verb: `$JS.API.STREAM.${verb}.${of}`,
    body: json({ name: of, subjects: [of === "S" ? "s.>" : "t.>"], storage: "memory", ...more }),
  }));

const publish: fc.Arbitrary<Saying> = fc.record({
  verb: subject,
  body: maybe("", "x", "payload", "0123456789") as fc.Arbitrary<string>,
  headers: fields(
    {
      "Nats-Msg-Id": maybe("1", "2"),
      "Nats-Expected-Stream": maybe("S", "other"),
      "Nats-Expected-Last-Sequence": maybe("0", "1", "2", "x"),
      "Nats-Expected-Last-Subject-Sequence": maybe("0", "1", "2"),
      "Nats-Expected-Last-Subject-Sequence-Subject": maybe("s.a", "s.*"),
      "Nats-Expected-Last-Msg-Id": maybe("1", "2"),
      "Nats-Rollup": maybe("sub", "all", "x"),
      "Nats-TTL": maybe("1h", "never", "0", "x", "3600"),
      "Nats-Incr": maybe("1", "-5", "x"),
      "Nats-Stream-Source": maybe("x"),
      "Nats-Batch-Id": maybe("b"),
      "Nats-Batch-Sequence": maybe("1", "2"),
      "Nats-Batch-Commit": maybe("1"),
      Mine: maybe("x"),
    },
    2,
  ) as fc.Arbitrary<Record<string, string>>,
});

const get = fields(
  {
    seq,
    last_by_subj: maybe("s.a", "s.*", "none"),
    next_by_subj: maybe("s.b", "s.>"),
    start_time: maybe("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
    no_hdr: flag,
  },
  2,
);
const directGet = fc.oneof(
  get,
  fields(
    {
      seq,
      batch: maybe(1, 2, 10),
      max_bytes: maybe(1, 50),
      next_by_subj: maybe("s.b", "s.>"),
      multi_last: maybe(["s.a", "s.b"], ["s.>"], ["none"]),
      up_to_seq: seq,
      start_time: maybe("2020-01-01T00:00:00Z"),
    },
    3,
  ),
);

const whole: fc.Arbitrary<Saying> = fc.oneof(
  { weight: 4, arbitrary: configured("CREATE", 3) },
  { weight: 3, arbitrary: configured("UPDATE", 3) },
  { weight: 8, arbitrary: publish },
  {
    weight: 3,
    arbitrary: call(
      "STREAM.INFO",
      name,
      fields(
        { deleted_details: flag, subjects_filter: maybe(">", "s.a", "none"), offset: maybe(0, 1, -1) },
        2,
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: call(
      "STREAM.PURGE",
      name,
      fields({ filter: maybe("s.a", "s.*", "none"), seq, keep: maybe(0, 1, 5) }, 2),
    ),
  },
  { weight: 3, arbitrary: call("STREAM.MSG.GET", name, get) },
  { weight: 2, arbitrary: call("STREAM.MSG.DELETE", name, fields({ seq, no_erase: flag }, 2)) },
  { weight: 3, arbitrary: call("DIRECT.GET", name, directGet) },
  { weight: 1, arbitrary: call("STREAM.DELETE", name, maybe("", {}, { a: 1 })) },
  {
    weight: 1,
    arbitrary: fc.record({
      verb: maybe("$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST") as fc.Arbitrary<string>,
      body: fields({ offset: maybe(0, 1, 9), subject: maybe("s.a", "none") }, 2).map(json),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ verb: "$JS.API.INFO", body: "" }) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        of: name,
        who: consumer,
        config: fields(consumerFields, 4),
        action: maybe("", "create", "update"),
      })
      .map(({ of, who, config, action }) => ({
        verb: `$JS.API.CONSUMER.CREATE.${of}.${who}`,
        body: json({
          stream_name: of,
          config: { name: who, ack_policy: "explicit", inactive_threshold: hour, ...config },
          ...(action !== "" && { action }),
        }),
      })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ of: name, who: consumer, verb: maybe("INFO", "DELETE", "PAUSE") })
      .map(({ of, who, verb }) => ({
        verb: `$JS.API.CONSUMER.${String(verb)}.${of}.${who}`,
        body: "",
      })),
  },
  { weight: 1, arbitrary: call("CONSUMER.NAMES", name, fields({ offset: maybe(0, 1, 9) }, 1)) },
  { weight: 1, arbitrary: call("CONSUMER.LIST", name, fields({ offset: maybe(0, 1, 9) }, 1)) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        of: name,
        who: consumer,
        body: fields(
          { batch: maybe(1, 2, 5), max_bytes: maybe(1, 100), group: maybe("g"), id: maybe("x") },
          2,
        ),
      })
      .map(({ of, who, body }) => ({
        verb: `$JS.API.CONSUMER.MSG.NEXT.${of}.${who}`,
        body: json({ no_wait: true, ...body }),
      })),
  },
);

// with a few characters changed: most of these are no JSON any more
const broken: fc.Arbitrary<Saying> = fc
  .record({
    saying: whole,
    changes: fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        gone: fc.nat(2),
        put: fc.constantFrom("", ..."{}[],:\"\\ntf01-.eE x\u0001'`<"),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  })
  .filter(({ saying: { verb } }) => verb.startsWith("$JS.API."))
  .map(({ saying, changes }) => {
    let { body } = saying;
    for (const { at, gone, put } of changes) {
      const index = Math.floor(at * body.length);
      body = body.slice(0, index) + put + body.slice(index + gone);
    }
    return { ...saying, body };
  });

/** One of all of them. */
export const saying: fc.Arbitrary<Saying> = fc.oneof(
  { weight: 9, arbitrary: whole },
  { weight: 3, arbitrary: broken },
);

/** As the bytes of a publish, with names of this run. */
export function said({ verb, body, headers = {} }: Saying, run: number): string {
  const own = (text: string): string =>
    text
      .replace(/(?<![\w$.-])([ST])(?=[".]|$)|(?<=\.)([STX])(?=\.|$)/g, (one) => `${one}${run}`)
      .replace(/(?<![\w.-])([strud])\.(?=[\w*>$.])/g, `$1${run}.`);
  const lines = Object.entries(headers).map(([key, value]) => `${key}: ${own(value)}\r\n`);
  const header = lines.length === 0 ? "" : `NATS/1.0\r\n${lines.join("")}\r\n`;
  const text = own(body);
  const size = Buffer.byteLength(text, "latin1");
  const sizes = header === "" ? `${size}` : `${header.length} ${header.length + size}`;
  // who waits is told of an end by a consumer, which is in no order with what the API answers
  const inbox = verb.includes(".MSG.NEXT.") ? "in.2" : "in.1";
  return `${header === "" ? "PUB" : "HPUB"} ${own(verb)} ${inbox} ${sizes}\r\n${header}${text}\r\n`;
}
