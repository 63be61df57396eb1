// The types of streams, consumers and their infos against what servers send: nothing untyped, nothing promised in vain.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ConsumerConfig,
  isPullConsumer,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
} from "../../src/jetstream/index.ts";
import { nanos } from "../../src/lib/nanos.ts";
import { differences } from "../fixtures/declared.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { atLeast, startCluster, startServer } from "../fixtures/real-server.ts";
import { storeAll } from "../suites/jetstream-consuming.ts";
import { dial, eventually } from "./support.ts";

// of every reply, of pages, and of a stream that was just made
const FRAME = ["type", "total", "offset", "limit", "did_create"];

/** It has the fields of the type, and no others. */
function fits(value: object, type: string): void {
  const fields = Object.entries(value).filter(([name]) => !FRAME.includes(name));
  assert.deepEqual(differences(Object.fromEntries(fields), type), []);
}

/** Streams with every field that this server has, and one for each kind that has others. */
function streams(version: string): StreamConfig[] {
  const modern = atLeast(version, "2.10.0");
  const marked = atLeast(version, "2.11.0");
  const batched = atLeast(version, "2.14.0");
  const full: StreamConfig = {
    name: "full",
    description: "all that can be said",
    ...{ subjects: ["full.>"], retention: "limits", storage: "file", max_consumers: 9, max_msgs: 99 },
    ...{ max_msgs_per_subject: 5, max_bytes: 1_000_000, max_age: nanos(3_600_000), max_msg_size: 1000 },
    ...{ discard: "new", discard_new_per_subject: true, duplicate_window: nanos(60_000), num_replicas: 1 },
    ...{ deny_delete: true, deny_purge: true, allow_direct: true, placement: { tags: [] } },
    republish: { src: "full.a", dest: "again.a", headers_only: true },
    ...(modern && { compression: "s2" as const, first_seq: 5, metadata: { owner: "me" } }),
    ...(modern && { subject_transform: { src: "full.x", dest: "full.y" } }),
    ...(modern && { consumer_limits: { inactive_threshold: nanos(10_000), max_ack_pending: 5 } }),
    ...(marked && { allow_msg_ttl: true }),
    ...(batched && { allow_atomic: true, allow_batched: true }),
  };
  const transforms = [{ src: "o.a", dest: "copy.a" }];
  return [
    { name: "o", subjects: ["o.>"], allow_direct: true },
    full,
    { name: "mirror", mirror: { name: "o", filter_subject: "o.a", opt_start_seq: 1 }, mirror_direct: true },
    {
      name: "sources",
      sources: [
        { name: "o", ...(modern ? { subject_transforms: transforms } : { filter_subject: "o.a" }) },
        { name: "away", external: { api: "$JS.away.API", deliver: "away" } },
      ],
    },
    ...(marked ? [{ name: "markers", subjects: ["m"], subject_delete_marker_ttl: nanos(1000) }] : []),
    ...(batched ? [{ name: "counters", subjects: ["c"], allow_msg_counter: true }] : []),
    ...(batched ? [{ name: "schedules", subjects: ["s"], allow_msg_schedules: true }] : []),
    ...(batched ? [{ name: "async", subjects: ["a"], persist_mode: "async" as const }] : []),
  ];
}

/** Consumers of the stream `o`: with every field, by pull, by push, in a group, and for streams to source from. */
function consumers(version: string): ConsumerConfig[] {
  const modern = atLeast(version, "2.10.0");
  return [
    {
      durable_name: "pull",
      description: "all that can be said",
      ...{ deliver_policy: "by_start_sequence", opt_start_seq: 1, ack_policy: "explicit", max_deliver: 5 },
      ...{ backoff: [nanos(1000), nanos(2000)], replay_policy: "original", sample_freq: "50" },
      ...{ max_waiting: 10, max_ack_pending: 10, headers_only: true, max_batch: 5, max_expires: nanos(5000) },
      ...{ max_bytes: 1000, inactive_threshold: nanos(60_000), num_replicas: 1, mem_storage: true },
      ...(modern
        ? { filter_subjects: ["o.a", "o.b"], metadata: { owner: "me" } }
        : { filter_subject: "o.a" }),
      ...(atLeast(version, "2.11.0") && {
        pause_until: new Date(Date.now() + 60_000).toISOString(),
        ...{ priority_groups: ["g"], priority_policy: "pinned_client", priority_timeout: nanos(60_000) },
      }),
    } as ConsumerConfig,
    {
      ...{ name: "push", deliver_subject: "to.push", flow_control: true, idle_heartbeat: nanos(1000) },
      ...{ deliver_policy: "by_start_time", opt_start_time: new Date(0).toISOString(), rate_limit_bps: 1e6 },
    },
    { durable_name: "group", deliver_subject: "to.group", deliver_group: "workers", ack_policy: "all" },
    ...(atLeast(version, "2.14.0")
      ? [
          {
            ...{
              durable_name: "sourced",
              deliver_subject: "to.sourced",
              ack_policy: "flow_control" as const,
            },
            ...{ flow_control: true, idle_heartbeat: nanos(1000), max_ack_pending: 100 },
          },
        ]
      : []),
  ];
}

test("what a server says of streams and consumers with every field is typed, and what is typed is said", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const nc = await dial(t, { servers: server.url });
  const { version } = server;
  const jsm: JetStreamManager = await jetstreamManager(nc);
  const js = jsm.jetstream();
  for (const config of streams(version)) fits(await jsm.streams.add(config), "StreamInfo");
  for (const subject of ["o.a", "o.b", "o.a"]) await js.publish(subject, "x");
  await jsm.streams.deleteMessage("o", 2);
  for (const config of consumers(version)) fits(await jsm.consumers.add("o", config), "ConsumerInfo");

  const copied = async (): Promise<boolean> => {
    const [mirror, sources] = await Promise.all(["mirror", "sources"].map((name) => jsm.streams.info(name)));
    return mirror?.state.last_seq === 3 && sources?.state.messages === 2;
  };
  await eventually(copied, "the copies are not complete");
  fits(await jsm.streams.info("o", { deleted_details: true, subjects_filter: ">" }), "StreamInfo");
  for await (const info of jsm.streams.list()) fits(info, "StreamInfo");

  if (atLeast(version, "2.11.0")) {
    fits(await jsm.consumers.info("o", "pull"), "ConsumerInfo");
    fits(await jsm.consumers.resume("o", "pull"), "PauseResponse");
    const consumer = await js.consumers.get("o", "pull");
    assert.equal((await consumer.next({ group: "g" }))?.seq, 1);
  }
  for await (const info of jsm.consumers.list("o")) {
    fits(info, "ConsumerInfo");
    assert.equal(isPullConsumer(info), info.name === "pull");
  }
  if (atLeast(version, "2.14.0")) fits(await jsm.consumers.reset("o", "pull"), "ConsumerResetResponse");
  fits(await jsm.streams.purge("o"), "PurgeResponse");
  fits(await jsm.getAccountInfo(), "JetStreamAccountStats");
});

test("what a cluster says of replicas, of mirrors and of a move is typed, and what is typed is said", async (t) => {
  trackLeaks(t);
  const [server] = await startCluster(t, 3, { jetstream: true });
  assert.ok(server);
  const nc = await dial(t, { servers: server.url });
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const tried = async <T>(call: () => Promise<T>, what: string): Promise<T> =>
    eventually(() => call().catch(() => undefined), what, 20_000);
  await tried(
    () => jsm.streams.add({ name: "o", subjects: ["o"], allow_direct: true }),
    "no stream was made",
  );
  await tried(
    () => jsm.streams.add({ name: "near", mirror: { name: "o" }, mirror_direct: true }),
    "no mirror",
  );
  await tried(() => jsm.consumers.addOrUpdate("o", { durable_name: "c" }), "no consumer was made");
  await storeAll(nc, Array(100).fill(["o", new Uint8Array(10_000)]));

  await tried(() => jsm.streams.update("o", { num_replicas: 3 }), "it does not grow");
  const grown = async (): Promise<boolean> => {
    const info = await jsm.streams.info("o").catch(() => undefined);
    if (info === undefined) return false;
    fits(info, "StreamInfo");
    const { replicas = [] } = info.cluster ?? {};
    return replicas.length === 2 && replicas.every(({ current }) => current) && info.alternates?.length === 2;
  };
  await eventually(grown, "the stream has no three replicas and a mirror", 30_000);
  fits(await tried(() => jsm.consumers.info("o", "c"), "no leader of the consumer"), "ConsumerInfo");
  for (const info of await tried(() => jsm.streams.list().next(), "no list of streams"))
    fits(info, "StreamInfo");
  fits(await tried(() => jsm.getAccountInfo(), "no account info"), "JetStreamAccountStats");
});
