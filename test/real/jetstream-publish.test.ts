// Publishing to file stores through faults: servers killed, links cut, leaders lost. What was acknowledged is there, and what
// has an id is there once.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { isNatsError, type NatsConnection } from "../../src/index.node.ts";
import {
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  OutcomeUnknownError,
  type PubAck,
  type StreamConfig,
} from "../../src/jetstream/index.ts";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { atLeast, type RealServer, startCluster, startServer } from "../fixtures/real-server.ts";
import { Events, Growing } from "../suites/tools.ts";
import { dial, eventually, moment } from "./support.ts";

/** Publishes `0`, `1`, ... through a publisher until it is told to stop, and keeps what came of each. */
class Load {
  /** the text of each message that was acknowledged, with its ack */
  readonly acks: Growing<readonly [text: string, ack: PubAck]> = new Growing();
  readonly failures: unknown[] = [];
  #next = 0;
  #running = true;
  readonly #done: Promise<void>;

  constructor(t: Scope, nc: NatsConnection, subject: string) {
    atEnd(t, () => {
      this.#running = false;
    });
    this.#done = this.#run(nc, subject);
  }

  async #run(nc: NatsConnection, subject: string): Promise<void> {
    const publisher = jetstream(nc).publisher({
      maxInFlight: 100,
      timeout: 90_000,
      ackWait: 2000,
      retryWait: 50,
    });
    while (this.#running) {
      await publisher.ready();
      const text = String(this.#next++);
      publisher.publish(subject, text).then(
        (ack) => this.acks.push([text, ack]),
        (error: unknown) => this.failures.push(error),
      );
      // a turn for the others, so that it lasts
      if (this.#next % 10 === 0) await moment(1);
    }
    await publisher.drain();
  }

  /** Resolves when so many more than now are acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acks.all.length + count;
    await this.acks.until((_, n) => n >= wanted, `no ${count} more acks`, 60_000);
  }

  /** Resolves with the number of messages, when all have settled. */
  async stop(): Promise<number> {
    this.#running = false;
    await within(this.#done, "the publisher is not done", 100_000);
    return this.#next;
  }
}

const config: StreamConfig = { name: "S", subjects: ["s"], storage: "file" };

/** The texts in the stream, by their sequences. */
async function textsOf(jsm: JetStreamManager): Promise<Map<number, string>> {
  const { first_seq, last_seq } = (await jsm.streams.info("S")).state;
  const texts = new Map<number, string>();
  let next = first_seq;
  const read = async (): Promise<void> => {
    while (next <= last_seq) {
      const seq = next++;
      const msg = await jsm.streams.getMessage("S", { seq });
      if (msg !== null) texts.set(seq, msg.string());
    }
  };
  await Promise.all(Array.from({ length: 50 }, read));
  return texts;
}

/** What was acknowledged is there, each message once, and none is missing. */
function complete(load: Load, count: number, texts: Map<number, string>): void {
  assert.deepEqual(load.failures, []);
  assert.equal(load.acks.all.length, count, "not all were acknowledged");
  for (const [text, { seq }] of load.acks.all) assert.equal(texts.get(seq), text, `message ${seq}`);
  assert.equal(texts.size, count, "something is stored twice");
}

async function begin(t: TestContext, url: string): Promise<JetStreamManager> {
  const jsm = await jetstreamManager(await dial(t, { servers: url }));
  await jsm.streams.add(config);
  return jsm;
}

test("kill -9 of a server in the middle of publishing: nothing acknowledged is missing, nothing is there twice", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const jsm = await begin(t, server.url);
  const nc = await dial(t, { servers: server.url });
  const load = new Load(t, nc, "s");
  for (let kills = 0; kills < 3; kills++) {
    await load.more(200);
    await server.restart();
  }
  await load.more(200);
  const count = await load.stop();
  complete(load, count, await textsOf(jsm));
});

test("kill -9 of a server under single publishes: what is not acknowledged is unknown, or was refused", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const jsm = await begin(t, server.url);
  const nc = await dial(t, { servers: server.url, whenDisconnected: "throw" });
  const events = new Events(nc);
  const js = jetstream(nc);
  const acked = new Growing<readonly [string, PubAck]>();
  const codes = new Set<string>();
  let running = true;
  atEnd(t, () => {
    running = false;
  });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (running) {
      const text = String(next++);
      try {
        acked.push([text, await js.publish("s", text, { timeout: 500, msgID: text })]);
      } catch (error) {
        assert.ok(isNatsError(error), String(error));
        codes.add(`${error.code} ${error instanceof OutcomeUnknownError}`);
        await moment();
      }
    }
  };
  const workers = Promise.all(Array.from({ length: 20 }, worker));
  await acked.first(200);
  await server.restart();
  await events.until("reconnect", 1, 60_000);
  await acked.until((_, n) => n >= 500, "it does not go on", 60_000);
  running = false;
  await workers;
  const texts = await textsOf(jsm);
  for (const [text, { seq }] of acked.all) assert.equal(texts.get(seq), text);
  assert.equal(new Set(texts.values()).size, texts.size, "something is stored twice");
  for (const code of codes) {
    assert.ok(["TIMEOUT true", "DISCONNECTED false", "NO_RESPONDERS false"].includes(code), code);
  }
});

test("a link that is cut again and again: nothing acknowledged is missing, nothing is there twice", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, server);
  const jsm = await begin(t, server.url);
  const nc = await dial(t, { servers: proxy.url });
  const events = new Events(nc);
  const load = new Load(t, nc, "s");
  for (let cuts = 1; cuts <= 8; cuts++) {
    await load.more(50);
    // acks are on their way, and with every other cut they were held back
    if (cuts % 2 === 0) proxy.pause("received");
    proxy.cut();
    proxy.resume();
    await events.until("reconnect", cuts, 60_000);
  }
  const count = await load.stop();
  complete(load, count, await textsOf(jsm));
});

test("a cluster whose stream leader is killed: publishing goes on with the next, and nothing acknowledged is missing", async (t) => {
  trackLeaks(t);
  const cluster = await startCluster(t, 3, { jetstream: true });
  const [first] = cluster as readonly RealServer[] as readonly [RealServer];
  const nc = await dial(t, { servers: cluster.map(({ url }) => url) });
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: 1000 });
  // the cluster has to find its leader first
  const replicated: StreamConfig = { ...config, num_replicas: 3 };
  await eventually(
    () => jsm.streams.add(replicated).catch(() => undefined),
    `${first.name} and the others make no stream`,
  );
  const leader = async (): Promise<string | undefined> =>
    jsm.streams.info("S").then(
      ({ cluster }) => (cluster?.replicas?.every(({ current }) => current) ? cluster.leader : undefined),
      () => undefined,
    );
  const load = new Load(t, nc, "s");
  // servers before 2.11 may take minutes to catch up after the second
  for (let kills = atLeast(first.version, "2.11") ? 2 : 1; kills > 0; kills--) {
    await load.more(100);
    const name = await eventually(leader, "the stream is not whole");
    const server = cluster.find((one) => one.name === name);
    assert.ok(server !== undefined, name);
    await server.kill();
    await load.more(100);
    await server.start();
  }
  const count = await load.stop();
  const texts = await eventually(async () => {
    const found = await textsOf(jsm).catch(() => new Map<number, string>());
    return found.size >= count && found;
  }, "the stream is not complete");
  complete(load, count, texts);
});
