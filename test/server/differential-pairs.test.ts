// Differential: of every two or three things that one request or message says, the embedded server makes what a nats-server 2.15 makes.
import { after, test } from "node:test";
import { api, converse, pub, put, type Step } from "./conversation.ts";
import { pair } from "./pair.ts";

const both = await pair({ after }, { server_name: "T" }, { jetstream: true, name: "T" });

type Said = Readonly<Record<string, unknown>>;

// each value by itself, under its name
function ones(values: Readonly<Record<string, readonly unknown[]>>): Said[] {
  return Object.entries(values).flatMap(([name, list]) => list.map((value) => ({ [name]: value })));
}

/** Each one, and each two of them; once each. */
function twos(all: readonly Said[]): Said[] {
  const found = all.flatMap((one, i) => all.slice(i).map((other) => ({ ...one, ...other })));
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

const create = (more: object): string =>
  api("STREAM.CREATE.S", { name: "S", subjects: ["s.>", "s"], storage: "memory", ...more });
const info = api("STREAM.INFO.S", { subjects_filter: ">" });
const gone = api("STREAM.DELETE.S");
const say = (steps: readonly Step[]): Promise<void> => converse(both, steps, `SUB in.> 1\r\n${gone}`);

test("three fields of a direct get, and of one through the API", () => {
  const fields = ones({
    seq: [4],
    last_by_subj: ["s.a"],
    next_by_subj: ["s.a"],
    batch: [2],
    max_bytes: [8],
    start_time: ["2020-01-01T00:00:00Z"],
    multi_last: [["s.*"]],
    up_to_seq: [4],
    up_to_time: ["2100-01-01T00:00:00Z"],
    no_hdr: [true],
  });
  const bodies = twos(twos(fields));
  return say([
    create({ allow_direct: true }),
    ...["s.a", "s.b", "s.a", "s.c", "s.a.b", "s.b", "s.a"].map((subject) => put(subject)),
    ...bodies.flatMap((body) => [
      pub("$JS.API.DIRECT.GET.S", body, "in.get"),
      pub("$JS.API.DIRECT.GET.S.s.a", body, "in.get"),
      api("STREAM.MSG.GET.S", body),
    ]),
    gone,
  ]);
});

const SCHEDULE = { "Nats-Schedule": "@at 2099-01-01T00:00:00Z", "Nats-Schedule-Target": "s.t" };

for (const allow_msg_ttl of [true, false]) {
  test(`two headers of what may be scheduled, ${allow_msg_ttl ? "with" : "without"} times to live`, () => {
    const headers = ones({
      "Nats-Schedule": ["@at x", "0 0 0 * * *"],
      "Nats-Schedule-Target": ["s.*", "s.p", "x"],
      "Nats-Schedule-Source": ["s.src", "s.*", "s.t", "u"],
      "Nats-Schedule-TTL": ["5s", "x"],
      "Nats-Schedule-Rollup": ["sub", "all"],
      "Nats-Schedule-Time-Zone": ["UTC", "utc", ""],
      "Nats-Rollup": ["sub", "all"],
      "Nats-Schedule-Next": ["purge", "x", ""],
      "Nats-Scheduler": ["s.p", "s.q"],
      "Nats-TTL": ["x"],
      "Nats-Stream-Source": ["x"],
      "Nats-Expected-Last-Sequence": ["99"],
    });
    const sets = twos(headers) as Record<string, string>[];
    return say(
      sets.flatMap((one) => [
        create({ allow_msg_schedules: true, allow_msg_ttl }),
        put("s.p", one),
        put("s.p", { ...SCHEDULE, ...one }),
        info,
        gone,
      ]),
    );
  });
}

for (const [title, config, first] of [
  ["a batch", {}, {}],
  ["a batch with roll-ups and times to live", { allow_rollup_hdrs: true, allow_msg_ttl: true }, {}],
  ["a batch of counters", { allow_msg_counter: true }, { "Nats-Incr": "1" }],
] as const) {
  test(`two headers of the last message of ${title}`, () => {
    const headers = ones({
      "Nats-Msg-Id": ["1", "2"],
      "Nats-Rollup": ["sub", "all"],
      "Nats-Expected-Last-Sequence": ["0", "1"],
      "Nats-Expected-Last-Subject-Sequence": ["0", "1"],
      "Nats-Expected-Last-Subject-Sequence-Subject": ["s.*", "s.b"],
      "Nats-TTL": ["60", "x"],
      "Nats-Expected-Stream": ["T"],
      "Nats-Incr": ["1"],
      "Nats-Expected-Last-Msg-Id": ["1"],
      "Nats-Stream-Source": ["x"],
      "Nats-Schedule": ["x"],
      "Nats-Batch-Commit": ["eob", "x", ""],
      "Nats-Required-Api-Level": ["9"],
    });
    const of = (seq: number): Record<string, string> => ({
      "Nats-Batch-Id": "b",
      "Nats-Batch-Sequence": `${seq}`,
    });
    return say(
      (twos(headers) as Record<string, string>[]).flatMap((one) => [
        create({ allow_atomic: true, ...config }),
        put("s.a", { ...of(1), ...first, "Nats-Msg-Id": "1" }, ""),
        put("s.a", { ...of(2), "Nats-Batch-Commit": "1", ...one }, ""),
        info,
        gone,
      ]),
    );
  });
}

test("what each field of a schedule may be", () => {
  const fields =
    "* ? */2 */0 */x *-5 0 007 59 60 31 32 7 12 5-1 1-5/2 1-5/0 1-70 1/2 1/ /2 1- 1-2-3 1,2 1, , MON Mon-Fri JAN/2 MONDAY L 1.5 +1 *,5";
  const patterns = [0, 2, 3, 4, 5].flatMap((at) =>
    fields.split(" ").map((field) => ["0", "0", "0", "1", "1", "*"].with(at, field).join(" ")),
  );
  const more = [
    " @daily",
    "@daily ",
    "@every +1h",
    "@every -1h",
    "@every 999ms",
    "@every 2562048h",
    "@every",
  ];
  return say([
    create({ allow_msg_schedules: true }),
    ...[...patterns, ...more].map((pattern) => put("s.p", { ...SCHEDULE, "Nats-Schedule": pattern })),
    gone,
  ]);
});

test("what each function makes of a subject", () => {
  const cuts = ["split", "splitFromLeft", "SliceFromRight", "left"].flatMap((name) =>
    ["1,2", "1", "", "1,2,3", "2,1", "1,-", "1,0", "0,2", " 1 , 2 ", "1,+2", "x,2"].map(
      (list) => `${name}(${list})`,
    ),
  );
  const others = ["1,1", "3", "3,2", "3,0", "0", "-1", "", "3,x"].map((list) => `partition(${list})`);
  const calls = [...cuts, ...others, "wildcard(2)", "wildcard(3)", "random(1)", "random()"];
  return say(
    ["s", "s.*.*", "s.*.>"].flatMap((src) =>
      calls.flatMap((call) => [
        create({ subject_transform: { src, dest: `s.{{${call}}}${src.endsWith(">") ? ".>" : ""}` } }),
        ...["s", "s.a-b-c", "s.abc.d-e"].map((subject) => put(subject)),
        info,
        gone,
      ]),
    ),
  );
});
