// Consuming and publishing where the streams are elsewhere: ack subjects with domain and account, a domain behind a leaf, the API
// of another account.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { NatsConnection } from "../../src/index.node.ts";
import {
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JetStreamOptions,
  jetstreamManager,
  type JsMsg,
} from "../../src/jetstream/index.ts";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { candidatePort, releasePorts } from "../fixtures/ports.ts";
import { atLeast, type RealServer, startServer, suiteVersion } from "../fixtures/real-server.ts";
import { storeAll } from "../suites/jetstream-consuming.ts";
import { dial, eventually } from "./support.ts";

const ACK_V2 = "feature_flags { js_ack_fc_v2: true }";
// the flag came with it
const hasV2 = atLeast(suiteVersion(), "2.14");

async function folder(t: Scope): Promise<string> {
  const path = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-store-"));
  atEnd(t, () => rm(path, { recursive: true, force: true }));
  return path;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** The sequences that come, until there are so many; each is acknowledged. */
async function read(messages: ConsumerMessages, count: number): Promise<number[]> {
  const found: number[] = [];
  const reading = (async () => {
    for await (const msg of messages) {
      msg.ack();
      if (found.push(msg.seq) >= count) break;
    }
  })();
  await within(reading, () => `${found.length} messages came, not ${count}`, 30_000);
  return found;
}

async function some(next: Promise<JsMsg | null>): Promise<JsMsg> {
  const msg = await next;
  assert.ok(msg !== null, "there is no message");
  return msg;
}

interface Side {
  /** who uses it */
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly js: JetStreamClient;
}

async function side(nc: NatsConnection, options: JetStreamOptions = {}): Promise<Side> {
  const jsm = await eventually(
    () => jetstreamManager(nc, options).catch(() => undefined),
    "JetStream is not heard of",
  );
  return { nc, jsm, js: jsm.jetstream() };
}

/** All that can be done with the messages of a stream `S` that stores `s.>`, from the first one on. */
async function useAll({ js, jsm }: Side, deliver: string): Promise<JsMsg> {
  for (let n = 1; n <= 10; n++) assert.equal((await js.publish("s.a", String(n))).seq, n);

  // every kind of acknowledgement arrives
  await jsm.consumers.add("S", { durable_name: "c", ack_wait: 60e9 });
  const consumer = await js.consumers.get("S", "c");
  const first = await some(consumer.next());
  const { info } = first;
  assert.deepEqual(
    [
      info.stream,
      info.consumer,
      info.streamSequence,
      info.deliverySequence,
      info.deliveryCount,
      info.pending,
    ],
    ["S", "c", 1, 1, 1, 9],
  );
  assert.equal(first.exactSeq, 1n);
  assert.ok(Math.abs(Date.now() - first.time.getTime()) < 60_000, first.timestamp);
  first.working();
  assert.equal(await first.ackAck(), true);
  (await some(consumer.next())).nak();
  const others: number[] = [];
  let again = await some(consumer.next());
  // it may be behind others
  for (; again.seq !== 2; again = await some(consumer.next())) {
    others.push(again.seq);
    again.ack();
  }
  assert.deepEqual([again.info.deliveryCount, again.redelivered], [2, true]);
  again.term();
  await eventually(async () => (await consumer.info()).num_ack_pending === 0, "not all are acknowledged");
  const quick = { expires: 2000, idle_heartbeat: 500 };
  assert.deepEqual(others.concat(await read(await consumer.consume(quick), 8 - others.length)), range(3, 10));
  await eventually(async () => (await consumer.info()).num_ack_pending === 0, "not all are acknowledged");

  // ordered, pulling and pushed to
  const ordered = await js.consumers.get("S");
  assert.deepEqual(await read(await ordered.consume(quick), 10), range(1, 10));
  const pushed = await js.consumers.getPushConsumer("S", { idle_heartbeat: 500, deliver_prefix: deliver });
  assert.deepEqual(await read(await pushed.consume(), 10), range(1, 10));

  // a push consumer that has a name, with flow control
  await jsm.consumers.add("S", {
    durable_name: "p",
    deliver_subject: `${deliver}.p`,
    ...{ ack_policy: "explicit", flow_control: true, idle_heartbeat: 500e6 },
  });
  const named = await js.consumers.getPushConsumer("S", "p");
  assert.deepEqual(await read(await named.consume(), 10), range(1, 10));
  await eventually(async () => (await named.info()).num_ack_pending === 0, "not all are acknowledged");

  // without a consumer
  const { direct } = jsm;
  assert.equal((await jsm.streams.getMessage("S", { seq: 3 }))?.string(), "3");
  assert.equal((await direct.getMessage("S", { last_by_subj: "s.a" }))?.seq, 10);
  assert.equal((await direct.getMessage("S", { next_by_subj: "s.>", seq: 4 }))?.seq, 4);
  return first;
}

/** Direct gets of several messages, of such a stream. */
async function useBatches({ jsm: { direct } }: Side): Promise<void> {
  const found: number[] = [];
  for await (const { seq } of await direct.getBatch("S", { batch: 10 })) found.push(seq);
  assert.deepEqual(found, range(1, 10));
  for await (const { seq } of await direct.getLastMessagesFor("S", { multi_last: ["s.>"] })) found.push(seq);
  assert.deepEqual(found.slice(10), [10]);
}

const stream = { name: "S", subjects: ["s.>"], allow_direct: true };

for (const domain of hasV2 ? ["", "hub"] : []) {
  test(`ack subjects of the longer form are understood, ${domain === "" ? "without a domain" : "with one"} (C-ADR15-1, C-FC-1, trap 89)`, async (t) => {
    trackLeaks(t);
    const store = await folder(t);
    const config = `${ACK_V2}
      jetstream { store_dir: "${store}" ${domain === "" ? "" : `, domain: ${domain}`} }`;
    const server = await startServer(t, { config });
    const here = await side(await dial(t, { servers: server.url }), domain === "" ? {} : { domain });
    await here.jsm.streams.add(stream);
    const first = await useAll(here, "deliver");
    assert.match(
      first.reply,
      new RegExp(`^\\$JS\\.ACK\\.${domain || "_"}\\.\\w{8}\\.S\\.c\\.1\\.1\\.1\\.\\d+\\.9$`),
    );
    assert.equal(first.info.domain, domain);
    assert.equal(first.info.account_hash, first.reply.split(".")[3]);
    await useBatches(here);

    // more than flow control lets through at once, to a loop that holds it up
    const count = 3000;
    await storeAll(here.nc, Array(count - 10).fill(["s.b", new Uint8Array(1000)]));
    const pushed = await (await here.js.consumers.getPushConsumer("S")).consume();
    let flow = 0;
    void (async () => {
      for await (const { type } of pushed.status()) if (type === "flow_control") flow++;
    })();
    assert.deepEqual(await read(pushed, count), range(1, count));
    assert.ok(flow > 0, "there was no flow control");
    assert.equal(pushed.health.resets, 0);
  });
}

/** A hub and a leaf, each with streams in a domain of its own. */
async function hubAndLeaf(t: Scope, more = ""): Promise<[hub: RealServer, leaf: RealServer]> {
  const [store, port] = [await folder(t), candidatePort()];
  atEnd(t, () => releasePorts([port]));
  const hub = await startServer(t, {
    name: "hub",
    config: `jetstream { domain: hub, store_dir: "${join(store, "hub")}" }
      ${more}
      leafnodes { host: "127.0.0.1", port: ${port} }`,
  });
  const leaf = await startServer(t, {
    name: "leaf",
    config: `jetstream { domain: leaf, store_dir: "${join(store, "leaf")}" }
      ${more}
      leafnodes { reconnect: 1, remotes: [{ url: "nats://127.0.0.1:${port}" }] }`,
  });
  return [hub, leaf];
}

const shorter = { form: "shorter", more: "", acks: "$JS.ACK.S.>" };
const longer = { form: "longer", more: ACK_V2, acks: "$JS.ACK._.*.S.>" };
const forms = hasV2 ? [shorter, longer] : [shorter];

for (const { form, more } of forms) {
  test(`a domain behind a leaf, with ack subjects of the ${form} form: publishing, consuming and gets (C-ADR19-1, C-ADR19-7, trap 88)`, async (t) => {
    trackLeaks(t);
    const [, leaf] = await hubAndLeaf(t, more);
    const nc = await dial(t, { servers: leaf.url });
    const far = await side(nc, { domain: "hub" });
    // the same names here, which must not be taken for those there
    const near = await side(nc);
    await near.jsm.streams.add({ name: "S", subjects: ["near.>"] });
    await far.jsm.streams.add(stream);
    const first = await useAll(far, "deliver");
    assert.equal(first.info.domain, more === "" ? "" : "hub");
    if (atLeast(leaf.version, "2.11")) await useBatches(far);
    assert.equal((await near.jsm.streams.info("S")).state.messages, 0);
  });
}

test("a hub that is killed behind a leaf, to which the link stays: consuming goes on, ordered ones without a gap or a duplicate", async (t) => {
  trackLeaks(t);
  const [hub, leaf] = await hubAndLeaf(t);
  const nc = await dial(t, { servers: leaf.url });
  const { js, jsm } = await side(nc, { domain: "hub", timeout: 1000 });
  await jsm.streams.add(stream);
  await jsm.consumers.add("S", { durable_name: "c", ack_wait: 1e9 });
  const store = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await eventually(() => js.publish("s.a").catch(() => undefined), "nothing is stored");
    }
  };
  const quick = { expires: 2000, idle_heartbeat: 500 };
  const all = {
    plain: await (await js.consumers.get("S", "c")).consume(quick),
    ordered: await (await js.consumers.get("S")).consume(quick),
    pushed: await (await js.consumers.getPushConsumer("S", { idle_heartbeat: 500 })).consume(),
  };
  const found = Object.fromEntries(
    Object.entries(all).map(([name, messages]) => {
      const seen: number[] = [];
      void (async () => {
        for await (const msg of messages) {
          seen.push(msg.seq);
          msg.ack();
        }
      })().catch((error: unknown) => seen.push(error as number));
      return [name, seen];
    }),
  ) as Record<keyof typeof all, number[]>;
  const come = async (last: number): Promise<void> => {
    const what = () => `${last} messages: ${JSON.stringify(found)}`;
    const complete = () => Object.values(found).every((seen) => seen.includes(last));
    await eventually(complete, "all come").catch((error: unknown) => {
      throw new Error(`${String(error)}, ${what()}`);
    });
  };
  await store(5);
  await come(5);
  await hub.restart();
  await store(5);
  const { last_seq } = (await jsm.streams.info("S")).state;
  await come(last_seq);
  assert.deepEqual(found.ordered, range(1, last_seq));
  assert.deepEqual(found.pushed, range(1, last_seq));
  assert.deepEqual(
    [...new Set(found.plain)].sort((a, b) => a - b),
    range(1, last_seq),
  );
  assert.equal(nc.stats().reconnects, 0);
});

for (const { form, more, acks } of forms) {
  test(`the API of another account at a prefix, with ack subjects of the ${form} form: publishing, consuming and gets (C-ADR19-2, C-ADR19-6, trap 88)`, async (t) => {
    trackLeaks(t);
    const config = `${more}
      accounts {
      owner: { jetstream: enabled, users: [{ user: o, password: p }], exports: [
        { service: "$JS.API.>", response_type: stream }
        { service: "${acks}" }, { service: "$JS.FC.>" }, { service: "s.>" }, { stream: "deliver.>" }] }
      guest: { users: [{ user: g, password: p }], imports: [
        { service: { account: owner, subject: "$JS.API.>" }, to: "from.owner.>" }
        { service: { account: owner, subject: "${acks}" } }
        { service: { account: owner, subject: "$JS.FC.>" } }
        { service: { account: owner, subject: "s.>" } }
        { stream: { account: owner, subject: "deliver.>" } }] } }`;
    const server = await startServer(t, { jetstream: true, config });
    const nc = await dial(t, { servers: server.url, user: "g", pass: "p" });
    const guest = await side(nc, { apiPrefix: "from.owner" });
    await guest.jsm.streams.add(stream);
    await useAll(guest, "deliver");
    if (atLeast(server.version, "2.11")) await useBatches(guest);
    const owner = await side(await dial(t, { servers: server.url, user: "o", pass: "p" }));
    assert.equal((await owner.jsm.streams.info("S")).state.messages, 10);
  });
}
