// Traps 65, 74 and 79: consumers while leaders change, and while there is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConsumerMessages, type JetStreamManager, jetstreamManager } from "../../src/jetstream/index.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startCluster } from "../fixtures/real-server.ts";
import { dial, eventually } from "./support.ts";

/** The sequences that come, from now on. */
function read(messages: ConsumerMessages): number[] {
  const found: number[] = [];
  void (async () => {
    for await (const msg of messages) {
      found.push(msg.seq);
      msg.ack();
    }
  })().catch(() => undefined);
  return found;
}

/** The name of the server whose consumer pushes. */
async function pushingServer(jsm: JetStreamManager): Promise<string | undefined> {
  for await (const { config, cluster } of jsm.consumers.list("L")) {
    if (config.deliver_subject !== undefined) return cluster?.leader;
  }
  return undefined;
}

test("traps 65, 74 and 79: consumers go on after a change of leaders, and after a time without any", async (t) => {
  trackLeaks(t);
  const cluster = await startCluster(t, 3, { jetstream: true });
  const nc = await dial(t, { servers: cluster.map(({ url }) => url) });
  const jsm = await eventually(() => jetstreamManager(nc).catch(() => undefined), "JetStream is up");
  const config = { name: "L", subjects: ["l.>"], num_replicas: 3 };
  await eventually(() => jsm.streams.add(config).catch(() => undefined), "the stream is made");
  await eventually(() => jsm.consumers.add("L", { durable_name: "c" }).catch(() => undefined), "a consumer");
  const js = jsm.jetstream();
  const store = async (): Promise<void> => {
    await eventually(() => js.publish("l.x", "x").catch(() => undefined), "a message is stored");
  };
  const quick = { expires: 30_000, idle_heartbeat: 10_000 };
  const consumed = await (await js.consumers.get("L", "c")).consume(quick);
  const pulled = await (await js.consumers.get("L")).consume(quick);
  const pushed = await (await js.consumers.getPushConsumer("L", { idle_heartbeat: 1000 })).consume();
  const all = [consumed, pulled, pushed].map(read);
  const come = async (count: number): Promise<void> => {
    const complete = (): boolean => all.every((found) => new Set(found).size === count);
    await eventually(complete, `all ${count} come`).catch((error) => {
      const states = [consumed, pulled, pushed].map(({ health }) => health.state);
      throw new Error(`${String(error)}: ${JSON.stringify(all)} ${states.join(" ")}`);
    });
  };
  await store();
  await come(1);

  // the server says that it no longer leads: nobody waits for two heartbeats
  const events: string[] = [];
  void (async () => {
    for await (const { type } of consumed.status()) events.push(type);
  })();
  await eventually(() => jsm.consumers.stepDown("L", "c").catch(() => undefined), "it steps down");
  await store();
  await come(2);
  assert.ok(events.includes("reset"), events.join(", "));
  assert.ok(!events.includes("heartbeats_missed"), "it waited for its heartbeats");

  // One of three has no majority: no leader of anything. The consumer of what is pushed has no replicas: its server would go on
  // with the heartbeats.
  const beats = await eventually(
    () => pushingServer(jsm).catch(() => undefined),
    "a server sends heartbeats",
  );
  const others = cluster.filter(({ name }) => name !== beats);
  const killed = cluster.filter((server) => server !== others[0]);
  await Promise.all(killed.map((server) => server.kill()));
  await eventually(() => pushed.health.state === "recovering", "the silence is noticed");
  await Promise.all(killed.map((server) => server.start()));
  await cluster.routed();
  await store();
  await come(3);
  assert.deepEqual(all.slice(1), [
    [1, 2, 3],
    [1, 2, 3],
  ]);
});
