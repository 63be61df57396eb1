// Differential: streams of the embedded server and of a nats-server 2.15 take messages in, keep and give them alike.
import { after, test } from "node:test";
import { api, converse, pub, put, type Step } from "./conversation.ts";
import { pair } from "./pair.ts";

const both = await pair({ after }, {}, { jetstream: true });

type Headers = Readonly<Record<string, string>>;

const second = 1e9;
const create = (config: object = {}, name = "S"): string =>
  api(`STREAM.CREATE.${name}`, { name, subjects: ["s.>"], storage: "memory", allow_direct: true, ...config });
const info = (name = "S", body: object = { deleted_details: true, subjects_filter: ">" }): string =>
  api(`STREAM.INFO.${name}`, body);
const puts = (...subjects: string[]): string[] => subjects.map((subject) => put(subject));
const direct = (body: object | string, subject = ""): string =>
  pub(`$JS.API.DIRECT.GET.S${subject}`, body, "in.get");
const each = (name: string, values: readonly string[], headers: Headers = {}): string[] =>
  values.map((value) => put("s.a", { ...headers, [name]: value }));
const batch = (id: string, seq: number, headers: Headers = {}, subject = "s.a", reply = "in.ack"): string =>
  put(subject, { "Nats-Batch-Id": id, "Nats-Batch-Sequence": `${seq}`, ...headers }, "x", reply);
const COMMIT = { "Nats-Batch-Commit": "1" };
const fast = (
  id: string,
  flow: number | string,
  gap: string,
  seq: number | string,
  op: number,
  headers: Headers = {},
): string => put("s.a", headers, "x", `in.fast.${id}.${flow}.${gap}.${seq}.${op}.$FI`);

const SCENARIOS: Record<string, readonly Step[]> = {
  "what is expected of a publish": [
    create(),
    ...puts("s.a", "s.b", "s.a"),
    ...each("Nats-Expected-Last-Sequence", ["3", "99", "x", "", "004"]),
    ...each("Nats-Expected-Last-Subject-Sequence", ["0", "x", ""]),
    ...["s.new", "s.>", "s.b", ""].map((filter) =>
      put("s.a", {
        "Nats-Expected-Last-Subject-Sequence": "0",
        "Nats-Expected-Last-Subject-Sequence-Subject": filter,
      }),
    ),
    ...each("Nats-Expected-Last-Subject-Sequence-Subject", ["s.>", ""]),
    ...each("Nats-Msg-Id", ["1", "1", "", "2"]),
    ...each("Nats-Expected-Last-Msg-Id", ["1", "2", ""]),
    ...each("Nats-Expected-Stream", ["S", "T", ""]),
    put("s.a", { "Nats-Msg-Id": "9", "Nats-Expected-Stream": "T" }),
    ...each("Nats-Msg-Id", ["9"]),
    put("s.a", { "nats-msg-id": "9" }),
    ...each("Nats-Stream-Source", ["x"]),
    ...each("Nats-TTL", ["5", ""]),
    ...each("Nats-Incr", ["1", ""]),
    ...each("Nats-Schedule", ["@every 5s", ""]),
    ...each("Nats-Batch-Id", ["1", ""]),
    ...each("Nats-Rollup", ["sub", "", "x"]),
    ...each("Nats-Required-Api-Level", ["99"]),
    info(),
  ],
  "headers as they are kept": [
    create(),
    "HPUB s.a in.ack 34 35\r\nNATS/1.0 404 No Messages\r\nA: b\r\n\r\nx\r\n",
    direct({ seq: 1 }),
    put("s.a", { "Nats-Request-Info": "{}", A: "b" }),
    direct({ seq: 2 }),
    put("s.a", { "Nats-Request-Info": "{}" }),
    direct({ seq: 3 }),
    put("s.a", { A: "x".repeat(66_000) }),
    "HPUB s.a in.ack 19 20\r\naNATS/1.0\r\nA: b\r\n\r\nx\r\n",
    api("STREAM.MSG.GET.S", { seq: 4 }),
  ],
  ...Object.fromEntries(
    ["file", "memory"].flatMap((storage) => [
      [
        `max_msgs, ${storage}`,
        [create({ storage, max_msgs: 3 }), ...puts("s.a", "s.b", "s.c", "s.a", "s.b"), info()],
      ],
      [
        `max_bytes, ${storage}`,
        [
          create({ storage, max_bytes: 120 }),
          ...["y".repeat(20), "y".repeat(20), "z".repeat(200), "z"].flatMap((body) => [
            pub("s.a", body, "in.ack"),
            info(),
          ]),
        ],
      ],
      [
        `discard new, ${storage}`,
        [
          create({ storage, discard: "new", max_msgs: 4, max_msgs_per_subject: 2 }),
          ...puts("s.a", "s.a", "s.a", "s.b", "s.b", "s.b", "s.c"),
          info(),
        ],
      ],
      [
        `discard new with max_bytes, ${storage}`,
        [
          create({ storage, discard: "new", max_bytes: 150 }),
          ...Array.from({ length: 5 }, () => put("s.a", { A: "b" }, "y".repeat(9))),
          info(),
        ],
      ],
      [
        `deletes and purges, ${storage}`,
        [
          create({ storage }),
          ...puts("s.a", "s.b", "s.c", "s.a", "s.b", "s.c", "s.a", "s.b"),
          ...[1, 3, 3, 8, 0, 99].flatMap((seq) => [api("STREAM.MSG.DELETE.S", { seq }), info()]),
          ...[
            { filter: "s.a", keep: 1 },
            { seq: 5 },
            { filter: "s.b", seq: 8 },
            { keep: 1 },
            { filter: "t" },
            { seq: 20 },
            {},
          ].flatMap((body) => [api("STREAM.PURGE.S", body), info()]),
          ...puts("s.a"),
          info(),
        ],
      ],
    ]),
  ),
  "the last of each subject": [
    create({ max_msgs_per_subject: 2 }),
    ...puts("s.a", "s.a", "s.a", "s.b", "s.a"),
    info(),
    api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory", max_msgs_per_subject: 1 }),
    info(),
  ],
  "one message of each subject, unless it is rolled up": [
    create({
      discard: "new",
      max_msgs_per_subject: 1,
      discard_new_per_subject: true,
      allow_rollup_hdrs: true,
    }),
    ...puts("s.a", "s.a", "s.b"),
    put("s.a", { "Nats-Rollup": "sub" }),
    info(),
  ],
  "roll-ups": [
    create({ allow_rollup_hdrs: true }),
    ...puts("s.a", "s.b", "s.a", "s.c"),
    put("s.a", { "Nats-Rollup": "sub" }),
    info(),
    put("s.b", { "Nats-Rollup": "ALL" }),
    info(),
    ...each("Nats-Rollup", ["x", ""]),
  ],
  "where a stream begins, and how large a message is": [
    create({ first_seq: 50, max_msg_size: 10 }),
    info(),
    put("s.a", {}, "x".repeat(11)),
    put("s.a", {}, "x".repeat(10)),
    put("s.a", { A: "b" }),
    info(),
  ],
  "times to live": [
    create({ allow_msg_ttl: true, subject_delete_marker_ttl: 3 * second }),
    ...[
      "1",
      "1h2s",
      "never",
      "Never",
      "0",
      "-1",
      "1.5",
      "1s",
      "900ms",
      "1500ms",
      "x",
      "",
      " 5",
      "99999999999",
      "+5",
      "1m1ms",
      "+1h",
      "9999999h",
    ].flatMap((ttl) => [put("s.a", { A: "1", "Nats-TTL": ttl, B: "2" }), direct("", ".s.a")]),
  ],
  "times to live beside that of markers, in whole seconds": [
    create({ allow_msg_ttl: true, subject_delete_marker_ttl: 1.5 * second }),
    put("s.a", { "Nats-TTL": "1s" }),
    direct({ seq: 1 }),
  ],
  "an empty stream that becomes one that keeps what interests somebody": [
    create(),
    api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory", retention: "interest" }),
    info(),
  ],
  "a counter whose value makes its message too large": [
    create({ allow_msg_counter: true, max_msg_size: 30 }),
    put("s.a", { "Nats-Incr": "1" }, ""),
  ],
  "what comes out again, and under another subject": [
    create({
      subjects: ["s.>", "t.*"],
      subject_transform: { src: "t.*", dest: "s.t.$1" },
      republish: { src: "s.t.*", dest: "again.{{wildcard(1)}}" },
    }),
    "SUB again.> 5\r\n",
    ...puts("t.a", "s.b"),
    put("t.a", { A: "b" }),
    info(),
  ],
  "direct gets": [
    create(),
    put("s.0"),
    put("s.1", { A: "b" }),
    put("s.2"),
    put("s.0", { A: "b" }),
    put("s.1"),
    ...["", "{}", "{bad", "[]", "null", '{"seq":"x"}', '{"seq":-1}', '  {"seq":1}', '{"start_time":"x"}'].map(
      (body) => direct(body),
    ),
    ...[
      { seq: 1 },
      { seq: 99 },
      { seq: 0 },
      { seq: 1, last_by_subj: "s.1" },
      { last_by_subj: "s.*" },
      { last_by_subj: "" },
      { next_by_subj: "s.2", seq: 2 },
      { next_by_subj: "s.2" },
      { seq: 1, no_hdr: true },
      { foo: 1, seq: 2 },
      { start_time: "2020-01-01T00:00:00Z" },
      { start_time: "2040-01-01T00:00:00Z" },
      { batch: 1 },
      { batch: 0, seq: 1 },
      { batch: -1, seq: 1 },
      { multi_last: [] },
      { multi_last: ["s.9"] },
      { max_bytes: 10 },
      { up_to_seq: 3 },
    ].map((body) => direct(body)),
    ...[
      "",
      { no_hdr: true },
      { seq: 1 },
      { batch: 2 },
      { max_bytes: 2 },
      "x",
      { next_by_subj: "s.2" },
      { multi_last: ["s.1"] },
      { foo: 1 },
    ].map((body) => direct(body, ".s.1")),
    direct("", ".s.9"),
    ...[
      { batch: 3, seq: 1 },
      { batch: 2, next_by_subj: "s.1" },
      { batch: 9, seq: 4 },
      { batch: 9, seq: 9 },
      { batch: 2, seq: 1, no_hdr: true },
      { batch: 9, seq: 1, max_bytes: 10 },
      { batch: 2, start_time: "2020-01-01T00:00:00Z" },
      { batch: 2, last_by_subj: "s.1" },
      { multi_last: ["s.>"] },
      { multi_last: ["s.1", "s.>"], batch: 2 },
      { multi_last: ["s.>"], up_to_seq: 3 },
      { multi_last: ["s.>"], seq: 4 },
      { multi_last: ["s.>"], seq: 4, up_to_seq: 4 },
      { multi_last: ["s.>"], max_bytes: 5 },
      { multi_last: ["s.>"], up_to_time: "2020-01-01T00:00:00Z" },
      { multi_last: ["s.>"], up_to_time: "2040-01-01T00:00:00Z" },
      { multi_last: ["s.>"], up_to_seq: 1, up_to_time: "2040-01-01T00:00:00Z" },
      { multi_last: ["s.>"], no_hdr: true, batch: 1 },
    ].map((body) => direct(body)),
    ...["9", "x", "2"].map((level) =>
      put("$JS.API.DIRECT.GET.S", { "Nats-Required-Api-Level": level }, '{"seq":1}', "in.get"),
    ),
  ],
  counters: [
    create({ allow_msg_counter: true, allow_rollup_hdrs: true }),
    ...["1", "+5", "-2", "", "x", "1.5", "0", "99999999999999999999999", " 1", "007"].map((by) =>
      put("s.a", { "Nats-Incr": by }, ""),
    ),
    ...["a", "a"].map((id) => put("s.a", { "Nats-Incr": "1", "Nats-Msg-Id": id }, "")),
    ...[
      { "Nats-Rollup": "sub" },
      { "Nats-Expected-Last-Sequence": "9" },
      { "Nats-Expected-Last-Msg-Id": "9" },
      { "Nats-Expected-Stream": "S" },
      { "Nats-TTL": "1" },
    ].map((more) => put("s.a", { "Nats-Incr": "1", ...more }, "")),
    put("s.a", { "Nats-Incr": "1" }, "x"),
    put("s.a", {}, ""),
    put("s.a", { A: "b" }, "x"),
    direct("", ".s.a"),
    info(),
  ],
  "atomic batches": [
    create({ allow_atomic: true, allow_msg_ttl: true, allow_rollup_hdrs: true }),
    "SUB $JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.> 7\r\n",
    ...[batch("a", 1), batch("a", 2), batch("a", 3, COMMIT), direct({ seq: 3 })],
    ...[batch("b", 1), batch("b", 2), batch("b", 3, { "Nats-Batch-Commit": "eob" }), direct({ seq: 5 })],
    ...[
      batch("c", 1, COMMIT),
      batch("d", 1, { "Nats-Batch-Commit": "eob" }),
      batch("e", 1),
      batch("e", 2, { "Nats-Batch-Commit": "2" }),
    ],
    ...[batch("f", 1), batch("f", 3), batch("g", 2), batch("g", 2, COMMIT), batch("h", 1), batch("h", 1)],
    ...["", "x", "0"].map((seq) => put("s.a", { "Nats-Batch-Id": "i", "Nats-Batch-Sequence": seq })),
    ...[64, 65].map((length) => batch("x".repeat(length), 1, COMMIT)),
    ...(
      [
        [{}, { "Nats-Expected-Last-Msg-Id": "x" }],
        [{ "Nats-Expected-Last-Sequence": "99" }, {}],
        [{}, { "Nats-Expected-Last-Sequence": "99" }],
        [{}, { "Nats-Expected-Last-Sequence": "8" }],
        [{}, { "Nats-Expected-Last-Subject-Sequence": "8" }],
        [{ "Nats-Msg-Id": "A" }, { "Nats-Msg-Id": "A" }],
        [{ "Nats-Msg-Id": "A" }, { "Nats-Msg-Id": "B" }],
        [{ "Nats-Msg-Id": "A" }, {}],
        [{}, { "Nats-Rollup": "sub" }],
        [{}, { "Nats-Rollup": "all" }],
        [{ "Nats-Rollup": "all" }, {}],
        [{ "Nats-TTL": "x" }, {}],
        [{ "Nats-Expected-Stream": "Z" }, {}],
        [{ "Nats-Incr": "1" }, {}],
      ] as const
    ).flatMap(([one, two], i) => [batch(`z${i}`, 1, one), batch(`z${i}`, 2, two), batch(`z${i}`, 3, COMMIT)]),
    batch("lvl", 1, { "Nats-Required-Api-Level": "9" }),
    info(),
    Array.from({ length: 1001 }, (_, i) => batch("large", i + 1, {}, "s.a", "")).join(""),
    batch("large", 1002),
    Array.from({ length: 51 }, (_, i) => batch(`open${i}`, 1)).join(""),
  ],
  "more atomic batches than a server has at a time": [
    ...Array.from({ length: 21 }, (_, i) =>
      create({ name: `B${i}`, subjects: [`b${i}`], allow_atomic: true }, `B${i}`),
    ),
    ...Array.from({ length: 20 }, (_, i) =>
      Array.from({ length: 50 }, (_, j) => batch(`${j}`, 1, {}, `b${i}`)).join(""),
    ),
    batch("one more", 1, {}, "b20"),
    batch("7", 2, COMMIT, "b0"),
    batch("one more", 1, {}, "b20"),
    batch("two more", 1, {}, "b20"),
    api("STREAM.DELETE.B1"),
    batch("two more", 1, {}, "b20"),
    ...Array.from({ length: 21 }, (_, i) => api(`STREAM.DELETE.B${i}`)),
  ],
  "batches that are open when they are no longer allowed": [
    create({ allow_atomic: true, allow_batched: true }),
    "SUB $JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.> 7\r\n",
    ...[batch("a", 1), fast("b", 10, "ok", 1, 0)],
    ...[{ max_msgs: 9, allow_atomic: true, allow_batched: true }, {}].map((more) =>
      api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory", ...more }),
    ),
    ...[batch("a", 2), fast("b", 10, "ok", 2, 1)],
    api("STREAM.UPDATE.S", {
      name: "S",
      subjects: ["s.>"],
      storage: "memory",
      allow_atomic: true,
      allow_batched: true,
    }),
    ...[batch("a", 2, COMMIT), fast("b", 10, "ok", 2, 1)],
  ],
  "atomic batches in a stream that refuses": [
    create({
      allow_atomic: true,
      discard: "new",
      max_msgs: 3,
      max_msgs_per_subject: 2,
      discard_new_per_subject: true,
    }),
    ...[1, 2].map((seq) => batch("a", seq)),
    batch("a", 3, COMMIT),
    ...["s.a", "s.b", "s.c"].map((subject, i) => batch("b", i + 1, i === 2 ? COMMIT : {}, subject)),
    batch("c", 1, COMMIT, "s.d"),
    info(),
  ],
  "batches where they are not allowed": [create(), batch("a", 1), fast("a", 10, "ok", 1, 0)],
  "fast batches": [
    create({ allow_batched: true }),
    ...[1, 2, 3, 4, 5].map((seq) => fast("a", 2, "ok", seq, seq === 1 ? 0 : 1)),
    fast("a", 2, "ok", 6, 2),
    ...[
      fast("b", 10, "fail", 1, 0),
      fast("b", 10, "fail", 2, 1),
      fast("b", 10, "fail", 5, 1),
      fast("b", 10, "fail", 6, 1),
    ],
    ...[
      fast("c", 10, "ok", 1, 0),
      fast("c", 10, "ok", 4, 1),
      fast("c", 10, "ok", 5, 4),
      fast("c", 10, "ok", 4, 4),
      fast("c", 10, "ok", 3, 1),
    ],
    ...[fast("d", 0, "ok", 1, 0), fast("d", 0, "ok", 2, 3)],
    ...(["fail", "ok"] as const).flatMap((gap) => [
      fast(`e${gap}`, 3, gap, 1, 0, { "Nats-Expected-Last-Sequence": "99" }),
      fast(`e${gap}`, 3, gap, 2, 1, { "Nats-Expected-Last-Sequence": "99" }),
      fast(`e${gap}`, 3, gap, 3, 2),
    ]),
    ...[
      fast("g", 3, "fail", 1, 0),
      fast("g", 3, "fail", 2, 1, { "Nats-Expected-Last-Sequence": "99" }),
      fast("g", 3, "fail", 3, 1),
    ],
    ...[
      fast("i", 3, "ok", 1, 2),
      fast("j", 3, "ok", 1, 3),
      fast("k", 3, "ok", 1, 1),
      fast("l", 3, "ok", 2, 0),
      fast("m", 3, "ok", 1, 5),
    ],
    ...[
      fast("m", 3, "bad", 1, 0),
      fast("m", 3, "ok", "x", 0),
      fast("x".repeat(65), 3, "ok", 1, 0),
      fast("n", 3, "ok", 2, 1),
      fast("n", 3, "ok", 1, 4),
    ],
    ...[1, 2, 3].map((seq) => fast("o", 3, "ok", seq, [0, 1, 2][seq - 1] as number, { "Nats-Msg-Id": "a" })),
    ...[fast("p", "x", "ok", 1, 0), fast("q", 8, "ok", 1, 0)],
    ...Array.from({ length: 16 }, (_, i) => fast("q", 8, "ok", i + 2, 1)),
    info(),
  ],
  "what may be scheduled": [
    create({ allow_msg_schedules: true, allow_msg_ttl: true }),
    ...[
      ...[
        "@at x",
        "@at 2040-01-01",
        "@at 2040-01-01T00:00:00+01:00",
        "@AT 2040-01-01T00:00:00Z",
        "@every 1h30m",
        "@every 500ms",
        "@every x",
      ],
      ...[
        "* * * * *",
        "0 0 * * * *",
        "0 0 0 31 2 *",
        "60 * * * * *",
        "0 0 12 * * MON-FRI",
        "0 0 12 ? jan ?",
        "0 0 0 1 * 7",
        "@daily",
        "@foo",
        "",
      ],
    ].map((pattern) => put("s.plan", { "Nats-Schedule": pattern, "Nats-Schedule-Target": "s.t" })),
    ...(
      [
        ["Target", ["", "s.*", "q.t", "s.plan", "s..t"]],
        ["Source", ["s.src", "s.*", "q.a", "", "s.t", "s.plan"]],
        ["TTL", ["5s", "x", "never", "0"]],
        ["Rollup", ["sub", "all", "SUB"]],
        ["Time-Zone", ["Europe/Berlin", "x"]],
        ["Next", ["x", "purge"]],
      ] as const
    ).flatMap(([what, values]) =>
      values.map((value) =>
        put("s.plan", {
          "Nats-Schedule": "@at 2040-01-01T00:00:00Z",
          "Nats-Schedule-Target": "s.t",
          [`Nats-Schedule-${what}`]: value,
        }),
      ),
    ),
    ...["sub", "all"].map((rollup) =>
      put("s.plan", { "Nats-Schedule": "@daily", "Nats-Schedule-Target": "s.t", "Nats-Rollup": rollup }),
    ),
    ...["Europe/Berlin", "x", "", "Local"].map((zone) =>
      put("s.plan", {
        "Nats-Schedule": "0 0 0 * * *",
        "Nats-Schedule-Target": "s.t",
        "Nats-Schedule-Time-Zone": zone,
      }),
    ),
    direct("", ".s.plan"),
    put("s.a", { "Nats-Scheduler": "s.plan" }),
    put("s.a", { "Nats-Schedule-Next": "purge" }),
    put("s.a", { "Nats-Schedule-Next": "purge", "Nats-Scheduler": "s.plan" }),
    info(),
  ],
  "what is scheduled comes": [
    create({ allow_msg_schedules: true, allow_msg_ttl: true, republish: { src: "s.t", dest: "again" } }),
    "SUB again 5\r\n",
    [
      put("s.plan", {
        "Nats-Schedule": "@at 2020-01-01T00:00:00Z",
        "Nats-Schedule-Target": "s.t",
        A: "1",
        "Nats-Msg-Id": "q",
        "Nats-Schedule-TTL": "9s",
        "Nats-Schedule-Rollup": "sub",
        "Nats-TTL": "50",
      }),
      "Nats-Scheduler: s.plan",
    ],
    { ask: info() },
    put("s.src", { B: "2" }, "source"),
    [
      put("s.plan", {
        "Nats-Schedule": "@at 2020-01-01T00:00:00Z",
        "Nats-Schedule-Target": "s.t",
        "Nats-Schedule-Source": "s.src",
      }),
      "Nats-Scheduler: s.plan",
    ],
    { ask: info() },
  ],
  "lower limits, where the new is discarded": [
    create({ discard: "new" }),
    ...puts("s.a", "s.b", "s.a"),
    api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory", discard: "new", max_msgs: 1 }),
    info(),
    ...puts("s.a"),
  ],
  ...Object.fromEntries(
    (
      [
        ["nobody", {}],
        ["somebody who takes a part", { x: { filter_subject: "s.a" } }],
        ["somebody who begins behind it", { x: { deliver_policy: "new" } }],
        ["somebody who acknowledged some", { x: {} }],
        ["somebody who acknowledges nothing", { x: { ack_policy: "none" } }],
        ["two who take parts", { x: { filter_subject: "s.a" }, y: { filter_subject: "s.b" } }],
      ] as const
    ).map(([who, consumers]): [string, readonly Step[]] => [
      `what is kept when it becomes that which interests ${who}`,
      [
        create(),
        ...puts("s.a", "s.b", "s.a", "s.c", "s.b", "s.a"),
        ...Object.entries(consumers).flatMap(([name, config]) => [
          api(`CONSUMER.CREATE.S.${name}`, {
            stream_name: "S",
            config: { durable_name: name, ack_policy: "explicit", ...config },
          }),
          pub(`$JS.API.CONSUMER.MSG.NEXT.S.${name}`, { batch: 3, no_wait: true }, "in.next"),
          // of the first that was sent
          pub(`$JS.ACK.S.${name}.1.${name === "y" ? 2 : 1}.1.0.0`, "", "in.ok"),
        ]),
        api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory", retention: "interest" }),
        info(),
        put("s.a"),
        info(),
      ],
    ]),
  ),
  "a consumer of other subjects lets go what nobody else wants": [
    create({ retention: "interest", allow_rollup_hdrs: true }),
    ...["s.a", "s.b"].flatMap((filter_subject) => [
      api("CONSUMER.CREATE.S.x", {
        stream_name: "S",
        config: { durable_name: "x", ack_policy: "explicit", filter_subject },
      }),
      info(),
      ...puts("s.a", "s.b"),
      info(),
    ]),
    // nobody has this one, and it replaces all the same
    put("s.c", { "Nats-Rollup": "all" }),
    info(),
  ],
  "what nobody is interested in is not looked at closely": [
    create({ retention: "interest", allow_msg_ttl: true, discard: "new", max_msgs: 1 }),
    put("s.a", { "Nats-TTL": "x" }),
    info(),
  ],
  "in which order a batch is checked": [
    create({ allow_atomic: true, allow_msg_counter: true }),
    ...(
      [
        { "Nats-Expected-Last-Msg-Id": "1", "Nats-TTL": "5" },
        { "Nats-Expected-Last-Msg-Id": "" },
        { "Nats-Expected-Last-Sequence": "9" },
        { "Nats-Incr": "1", "Nats-Expected-Last-Sequence": "9" },
        { "Nats-Incr": "x", "Nats-Expected-Last-Sequence": "9" },
      ] as const
    ).map((headers, i) =>
      put("s.a", { "Nats-Batch-Id": `b${i}`, "Nats-Batch-Sequence": "1", ...COMMIT, ...headers }, ""),
    ),
    api("STREAM.DELETE.S"),
    create({ allow_atomic: true }),
    batch("c", 1),
    batch("c", 2, {
      ...COMMIT,
      "Nats-Expected-Last-Sequence": "9",
      "Nats-Expected-Last-Subject-Sequence-Subject": "s.*",
    }),
  ],
  "a mirror that answers for its origin": [
    create(),
    put("s.a"),
    api("STREAM.CREATE.M", { name: "M", storage: "memory", mirror: { name: "S" } }),
    { ask: info("M") },
    pub("$JS.API.DIRECT.GET.M", { seq: 1 }, "in.get"),
    // the origin answers no more, its mirror does
    api("STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage: "memory" }),
    { ask: direct({ seq: 1 }) },
    direct("", ".s.a"),
    direct("", ".s.none"),
    ...[false, true].flatMap((mirror_direct) => [
      api("STREAM.UPDATE.M", { name: "M", storage: "memory", mirror: { name: "S" }, mirror_direct }),
      direct({ seq: 1 }),
    ]),
    api("STREAM.UPDATE.M", { name: "M", storage: "memory", subjects: ["m"] }),
    direct({ seq: 1 }),
    api("STREAM.DELETE.M"),
  ],
  "mirrors and sources": [
    create(),
    ...puts("s.0", "s.1", "s.2", "s.0", "s.1", "s.2"),
    api("STREAM.MSG.DELETE.S", { seq: 3 }),
    ...(
      [
        { name: "M1", mirror: { name: "S" } },
        { name: "M2", mirror: { name: "S", filter_subject: "s.1" } },
        { name: "M3", mirror: { name: "S", opt_start_seq: 4 } },
        { name: "M4", mirror: { name: "S", subject_transforms: [{ src: "s.*", dest: "x.$1" }] } },
        { name: "M5", sources: [{ name: "S" }] },
        { name: "M6", subjects: ["own"], sources: [{ name: "S", filter_subject: "s.1" }] },
        {
          name: "M7",
          sources: [
            {
              name: "S",
              subject_transforms: [
                { src: "s.1", dest: "y.one" },
                { src: "s.2", dest: "" },
              ],
            },
          ],
        },
      ] as const
    ).flatMap((config) => [
      api(`STREAM.CREATE.${config.name}`, { storage: "memory", allow_direct: true, ...config }),
      { ask: info(config.name) },
      {
        ask: pub(
          `$JS.API.DIRECT.GET.${config.name}`,
          { batch: 9, start_time: "2020-01-01T00:00:00Z" },
          "in.get",
        ),
      },
      api(`STREAM.DELETE.${config.name}`),
    ]),
  ],
};

// A stream in files has a name of its own: a nats-server finds the messages of one that was just deleted again, at times.
const named = (step: Step, name: string): Step =>
  typeof step === "string" ? step.replace(/\bS\b/g, name) : step;

for (const [i, [title, steps]] of Object.entries(SCENARIOS).entries()) {
  const name = title.endsWith("file") ? String.fromCharCode(65 + i) : "S";
  test(title, async () => {
    await converse(both, [
      "SUB in.> 1\r\n",
      ...steps.map((step) => named(step, name)),
      api(`STREAM.DELETE.${name}`),
    ]);
  });
}
