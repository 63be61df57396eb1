// Cases: what is measured, how much of it, and what is to be reached. Data only; read by run.mjs, client.mjs and bare.mjs.

/**
 * A metric is a number that a run reports. `better` says which way; `reach` is the goal: `isonats / <than> >= factor` for
 * rates, `<= factor` for costs, or `atMost` as a plain number.
 */
const rate = (reach) => ({ name: "rate", label: "rate", unit: "/s", better: "more", reach });
const cpu = (reach) => ({ name: "cpu", label: "CPU each", unit: "us", better: "less", reach });
const official = (factor) => ({ than: "official", factor });
const bare = (factor) => ({ than: "bare", factor });

// one slice: what is published in one go, without giving the event loop a turn
const publish = (name, title, size, count, slice, metrics, headers = false) => ({
  name,
  title,
  kind: "publish",
  size,
  count,
  slice,
  headers,
  metrics,
});

const receive = (name, title, how, factor) => ({
  name,
  title,
  kind: "receive",
  how,
  size: 128,
  count: 600_000,
  headers: how === "header",
  metrics: [cpu(official(factor)), rate()],
});

// into a stream in memory, with an ack each; `parallel` publishes at a time, or a publisher
const stored = (name, title, parallel, count, factor) => ({
  name,
  title,
  kind: "stored",
  parallel,
  size: 128,
  count,
  metrics: [rate(factor && official(factor)), cpu()],
});

// from a stream in memory, by a loop that looks at the payload; `faster` and `cost` are what to reach
const consumed = (name, title, how, count, { faster, cost }) => ({
  name,
  title,
  kind: "consume",
  how,
  size: 128,
  count,
  metrics: [rate(faster && official(faster)), cpu(cost && official(cost))],
});

// a bucket in memory: 64 puts or gets at a time, or watches of 20 000 keys from beginning to end, so many entries
const bucket = (name, title, how, count, factor) => ({
  name,
  title,
  kind: "bucket",
  how,
  size: 128,
  count,
  metrics: [rate(official(factor)), cpu()],
});

// objects of 64 MiB in a bucket in memory; `count` is MiB in all
const object = (name, title, how, factor) => ({
  name,
  title,
  kind: "object",
  how,
  size: 64,
  count: 256,
  metrics: [
    { ...rate(factor && official(factor)), unit: "MiB/s" },
    { ...cpu(), label: "CPU a MiB" },
  ],
});

export const cases = [
  publish("publish-16", "publish 16 B", 16, 3_000_000, 10_000, [rate(official(2.4)), cpu(official(0.4))]),
  publish("publish-128", "publish 128 B", 128, 2_000_000, 10_000, [rate(official(3)), cpu()]),
  publish(
    "publish-headers",
    "publish 128 B with 2 headers",
    128,
    1_500_000,
    10_000,
    [rate(official(3)), cpu()],
    true,
  ),
  publish("publish-4k", "publish 4 KiB", 4096, 300_000, 250, [rate(official(2)), cpu()]),
  receive("receive-callback", "receive 128 B, callback", "callback", 1 / 2),
  receive("receive-iterator", "receive 128 B, iterator", "iterator", 1 / 3),
  receive("receive-header", "receive 128 B, read a header", "header", 0.4),
  {
    name: "request-one",
    title: "request, one at a time",
    kind: "request",
    parallel: 1,
    count: 6_000,
    metrics: [{ name: "p50", label: "p50", unit: "us", better: "less", reach: bare(1.3) }, cpu()],
  },
  {
    name: "request-256",
    title: "request, 256 at a time",
    kind: "request",
    parallel: 256,
    count: 120_000,
    metrics: [rate(official(2)), cpu()],
  },
  stored("stored-one", "publish with ack, one at a time", 1, 6_000, 1.8),
  stored("stored-256", "publish with ack, 256 at a time", 256, 60_000, 2.5),
  stored("stored-publisher", "js.publisher, 256 in flight", 0, 60_000),
  {
    name: "subscriptions",
    title: "100 000 subscriptions",
    kind: "subscriptions",
    count: 100_000,
    metrics: [
      { name: "bytes", label: "heap each", unit: "B", better: "less", reach: { atMost: 450 } },
      { name: "ms", label: "until live", unit: "ms", better: "less" },
    ],
  },
  {
    name: "connect",
    title: "connect and close",
    kind: "connect",
    count: 2_000,
    metrics: [rate(official(1.5)), cpu()],
  },
  {
    name: "reconnect",
    title: "reconnect, 10 000 subscriptions",
    kind: "reconnect",
    count: 10_000,
    metrics: [{ name: "ms", label: "until live", unit: "ms", better: "less" }],
  },
  {
    name: "queue",
    title: "1 000 000 messages queued",
    kind: "queue",
    size: 128,
    count: 1_000_000,
    metrics: [
      { name: "bytes", label: "heap each", unit: "B", better: "less" },
      { name: "drain", label: "taken out", unit: "/s", better: "more" },
      { name: "cpu", label: "CPU to queue", unit: "us", better: "less" },
    ],
  },
  consumed("consume-acks", "consume 128 B, acks", "acks", 200_000, { faster: 2.5 }),
  consumed("consume-none", "consume 128 B, no acks", "none", 400_000, { cost: 0.4 }),
  consumed("consume-ordered", "consume 128 B, ordered", "ordered", 400_000, { cost: 0.4 }),
  consumed("fetch-1000", "fetch 1 000 of 128 B, acks", "fetch", 200_000, { faster: 2.5 }),
  bucket("kv-put", "kv put 128 B, 64 at a time", "put", 60_000, 2),
  bucket("kv-get", "kv get 128 B, 64 at a time", "get", 60_000, 2),
  bucket("kv-watch", "kv watch of 20 000 keys", "watch", 200_000, 2.5),
  object("obj-put", "object put of 64 MiB, bytes", "put", 8),
  object("obj-put-stream", "object put of 64 MiB, stream", "put-stream"),
  object("obj-get", "object get of 64 MiB, stream", "get", 6),
  object("obj-get-blob", "object get of 64 MiB, bytes", "get-blob"),
  {
    name: "obj-large",
    title: "object of 2 GiB, in files",
    kind: "large",
    size: 2048,
    // it takes its time: only when it is asked for
    named: true,
    metrics: [
      { name: "put", label: "put", unit: "MiB/s", better: "more" },
      { name: "get", label: "get", unit: "MiB/s", better: "more" },
      { name: "buffers", label: "buffers", unit: "MiB", better: "less" },
      { name: "resident", label: "resident", unit: "MiB", better: "less" },
    ],
  },
];

export const subject = "bench.data";
export const service = "bench.service";
/** the headers of the cases that have some */
export const headerFields = [
  ["Nats-Msg-Id", "order-20390-a"],
  ["Content-Type", "application/json"],
];
