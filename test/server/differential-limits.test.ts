// Differential: what a stream with limits keeps of random publishes, batches, deletes and purges, beside a nats-server 2.15.
import { after, test } from "node:test";
import fc from "fast-check";
import { draws } from "../fixtures/draws.ts";
import { api, converse, put, type Step } from "./conversation.ts";
import { pair } from "./pair.ts";

const both = await pair({ after }, {}, { jetstream: true });

const BEFORE = `SUB in.> 1\r\n${api("STREAM.DELETE.S")}`;
const INFO = api("STREAM.INFO.S", { deleted_details: true, subjects_filter: ">" });

const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 5 });
const subject = fc.constantFrom("s.a", "s.b", "s.c", "s.a.b");
const filter = fc.constantFrom("s.a", "s.*", "s.>");
const size = fc.constantFrom(0, 1, 20, 70);

const limits = fc
  .record(
    {
      max_msgs: fc.constantFrom(1, 2, 5),
      max_bytes: fc.constantFrom(100, 200, 400),
      max_msgs_per_subject: fc.constantFrom(1, 2, 3),
      discard: fc.constantFrom("new", "old"),
      allow_rollup_hdrs: fc.boolean(),
      max_msg_size: fc.constantFrom(10, 60),
      allow_msg_ttl: fc.boolean(),
      first_seq: fc.constantFrom(5, 100),
      retention: fc.constantFrom("limits", "interest", "workqueue"),
      discard_new_per_subject: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  // with other limits a nats-server may store a part of a batch: which, is chance
  .map(({ discard_new_per_subject, max_msgs, max_bytes, ...more }) =>
    discard_new_per_subject && more.discard === "new" && more.max_msgs_per_subject
      ? { ...more, discard_new_per_subject }
      : { ...more, ...(max_msgs && { max_msgs }), ...(max_bytes && { max_bytes }) },
  );

const publish = fc
  .tuple(
    subject,
    fc.record({
      "Nats-Msg-Id": some(fc.constantFrom("1", "2", "3")),
      "Nats-Expected-Last-Sequence": some(fc.nat(9).map(String)),
      "Nats-Expected-Last-Subject-Sequence": some(fc.nat(6).map(String)),
      "Nats-Expected-Last-Subject-Sequence-Subject": some(filter),
      "Nats-Rollup": some(fc.constantFrom("sub", "all")),
      "Nats-TTL": some(fc.constantFrom("50", "never", "x")),
      "Nats-Expected-Last-Msg-Id": some(fc.constantFrom("1", "")),
    }),
    size,
  )
  .map(([to, asks, length]) => [put(to, asks, "x".repeat(length))]);

const member = fc.record({ to: subject, rollup: some(fc.constantFrom("sub", "all")), length: size });
const batch = fc.tuple(fc.nat(1000), fc.array(member, { minLength: 1, maxLength: 4 })).map(([id, members]) =>
  members.map(({ to, rollup, length }, i) => {
    const commit = i === members.length - 1 ? "1" : undefined;
    const place = {
      "Nats-Batch-Id": `${id}`,
      "Nats-Batch-Sequence": `${i + 1}`,
      "Nats-Batch-Commit": commit,
    };
    return put(to, { ...place, "Nats-Rollup": rollup }, "x".repeat(length));
  }),
);

const call = fc
  .oneof(
    fc.record({ seq: fc.nat(15) }).map((body) => api("STREAM.MSG.DELETE.S", body)),
    fc
      .record({ filter, keep: fc.nat(3), seq: fc.nat(14) }, { requiredKeys: [] })
      .map((body) => api("STREAM.PURGE.S", body)),
    fc.record({ next_by_subj: filter, seq: fc.nat(9) }).map((body) => api("STREAM.MSG.GET.S", body)),
    filter.map((last_by_subj) => api("STREAM.MSG.GET.S", { last_by_subj })),
  )
  .map((one) => [one]);

// whoever reads: on a stream that keeps what somebody is interested in, that is something
const reader = fc.constantFrom("s.a", "s.>", undefined).map((filter_subject) =>
  filter_subject === undefined
    ? []
    : [
        api("CONSUMER.CREATE.S.c", {
          stream_name: "S",
          config: { durable_name: "c", ack_policy: "explicit", filter_subject },
        }),
      ],
);

const life = fc.tuple(
  limits,
  reader,
  fc.array(
    fc.oneof<fc.WeightedArbitrary<readonly Step[]>[]>(
      { weight: 8, arbitrary: publish },
      { weight: 3, arbitrary: call },
      { weight: 2, arbitrary: batch },
      // it may be told before it has counted what was stored just now
      { weight: 1, arbitrary: reader.map((calls): Step[] => calls.map((ask) => ({ ask }))) },
    ),
    { minLength: 3, maxLength: 25 },
  ),
);

test("streams with random limits keep what is published, deleted and purged at random alike", async () => {
  await fc.assert(
    fc.asyncProperty(life, async ([config, readers, steps]) => {
      const stream = { name: "S", subjects: ["s.>"], storage: "memory", allow_atomic: true, ...config };
      const said = [api("STREAM.CREATE.S", stream), ...readers, ...steps.flatMap((step) => [...step, INFO])];
      await converse(both, said, BEFORE);
    }),
    draws(120),
  );
});
