// Differential: of every two settings of a stream that don't go together, the one is refused that a nats-server 2.15 refuses.
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
