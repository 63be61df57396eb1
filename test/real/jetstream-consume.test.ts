// Consuming from file stores whose servers are killed: nothing is skipped, and what is confirmed does not come again.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NatsConnection } from "../../src/index.node.ts";
import {
  type ConsumerMessages,
  type JetStreamClient,
  jetstream,
  type JetStreamManager,
  jetstreamManager,
  type JsMsg,
} from "../../src/jetstream/index.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type RealServer, startCluster, startServer, suiteVersion } from "../fixtures/real-server.ts";
import { atLeast } from "../suites/tools.ts";
import { dial, eventually, moment } from "./support.ts";

/** Publishes numbers, each until it is stored; those that are stored once and in order. */
class Source {
  stored = 0;
  failure: unknown;
  readonly #js: JetStreamClient;
  readonly #done: Promise<void>;
  #running = true;
  #over = false;

  constructor(t: Scope, js: JetStreamClient) {
    atEnd(t, () => {
      this.#over = true;
    });
    this.#js = js;
    this.#done = this.#run();
  }

  /** Resolves when the last is stored. */
  stop(): Promise<void> {
    this.#running = false;
    return this.#done;
  }

  async #run(): Promise<void> {
    // the one whose confirmation was lost may be stored: it is tried until it is known
    let open = false;
    while (!this.#over && (this.#running || open)) {
      const msgID = `n${this.stored + 1}`;
      open = true;
      await this.#js.publish("n.x", msgID, { msgID, timeout: 1000 }).then(
        () => {
          this.stored++;
          open = false;
        },
        // the next attempt has the same id
        (error: unknown) => {
          this.failure = error;
          return moment();
        },
      );
    }
  }
}

// how many messages may be on their way
const BATCH = 20;

/** What a consumer gave, and which of it was confirmed when it came. */
class Reader {
  readonly seen: number[] = [];
  readonly confirmed = new Set<number>();
  #unsure = 0;
  readonly again: number[] = [];
  readonly messages: ConsumerMessages;
  readonly ended: Promise<unknown>;

  constructor(messages: ConsumerMessages, confirm: boolean) {
    this.messages = messages;
    this.ended = this.#read(confirm).catch((error: unknown) => error);
  }

  async #read(confirm: boolean): Promise<void> {
    for await (const msg of this.messages) {
      if (this.confirmed.has(msg.seq) && msg.seq > this.#unsure) this.again.push(msg.seq);
      this.seen.push(msg.seq);
      if (confirm) await this.#confirm(msg);
    }
  }

  async #confirm(msg: JsMsg): Promise<void> {
    try {
      if (await msg.ackAck({ timeout: 1000 })) this.confirmed.add(msg.seq);
    } catch {
      // it comes again
    }
  }

  /**
   * The server was killed, and may have forgotten what it had confirmed: alone, it writes the state of a consumer in its own time.
   * What was on its way to the loop comes twice as well. A group of three forgets nothing.
   */
  killed(): void {
    this.#unsure = Math.max(...this.seen) + 2 * BATCH;
  }

  /** Until it has seen all from 1 to `count`. Not until it has confirmed them: an answer that is lost does not come again. */
  async all(count: number, what: string): Promise<void> {
    const complete = () => new Set(this.seen).size >= count;
    const health = () => JSON.stringify({ ...this.messages.health, seen: this.seen.length });
    await eventually(complete, `${what} has all`).catch((error) => {
      throw new Error(`${String(error)}: ${health()}`);
    });
  }
}

async function readers(
  nc: NatsConnection,
  name: string,
): Promise<Record<"pull" | "ordered" | "pushed", Reader>> {
  const { consumers } = jetstream(nc);
  const quick = { expires: 2000, idle_heartbeat: 500 };
  return {
    pull: new Reader(await (await consumers.get(name, "c")).consume({ ...quick, max_messages: BATCH }), true),
    ordered: new Reader(await (await consumers.get(name)).consume(quick), false),
    pushed: new Reader(
      await (await consumers.getPushConsumer(name, { idle_heartbeat: 500 })).consume(),
      false,
    ),
  };
}

async function check(all: Awaited<ReturnType<typeof readers>>, total: number): Promise<void> {
  const numbers = Array.from({ length: total }, (_, i) => i + 1);
  await all.pull.all(total, "the consume");
  await all.ordered.all(total, "the ordered consumer");
  await all.pushed.all(total, "the ordered push consumer");
  for (const { messages } of Object.values(all)) messages.stop();
  assert.deepEqual(
    [...new Set(all.pull.seen)].sort((a, b) => a - b),
    numbers,
    "at least once",
  );
  assert.deepEqual(all.pull.again, [], "confirmed, and came again");
  assert.deepEqual(all.ordered.seen, numbers, "ordered: once and in order");
  assert.deepEqual(all.pushed.seen, numbers, "ordered push: once and in order");
}

test("kill -9 of the server with a file store: at least once, confirmed once, and ordered exactly once", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const nc = await dial(t, { servers: server.url });
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "N", subjects: ["n.>"], storage: "file" });
  // what waits for its turn with a busy reader is not to come again
  await jsm.consumers.add("N", { durable_name: "c", ack_wait: 10e9 });
  const source = new Source(t, jsm.jetstream());
  const all = await readers(nc, "N");
  for (const limit of [300, 700, 1100]) {
    await eventually(() => source.stored >= limit, `${limit} are stored`);
    await server.kill();
    all.pull.killed();
    await server.start();
  }
  await source.stop();
  const { state } = await eventually(
    () => jsm.streams.info("N").catch(() => undefined),
    "the stream is there",
  );
  assert.equal(state.messages, source.stored, "what was acknowledged is stored, once");
  await check(all, source.stored);
});

test("a cluster of three, R3, whose leaders are killed: the same", async (t) => {
  trackLeaks(t);
  const cluster = await startCluster(t, 3, { jetstream: true });
  const servers = cluster.map(({ url }) => url);
  const nc = await dial(t, { servers });
  const jsm = await eventually(() => jetstreamManager(nc).catch(() => undefined), "JetStream is up");
  await made(jsm);
  await eventually(() => leaderOf(jsm, cluster), "there is a leader");
  const source = new Source(t, jsm.jetstream());
  const all = await readers(nc, "N");
  // servers before 2.11 may take minutes to catch up after the second
  for (const limit of atLeast(suiteVersion(), "2.11") ? [200, 400, 600] : [200]) {
    await eventually(() => source.stored >= limit, `${limit} are stored`);
    // a group of three goes on without one of them, not without two
    await eventually(() => whole(jsm), "all replicas are current");
    const leader = await eventually(() => leaderOf(jsm, cluster), "there is a leader");
    await leader.kill();
    // 2.9 confirms before the group has agreed
    if (!atLeast(leader.version, "2.10")) all.pull.killed();
    // the others elect one, and go on
    const before = source.stored;
    await eventually(() => source.stored > before + 20, "it goes on").catch((error) => {
      throw new Error(`${String(error)}: ${String(source.failure)}`);
    });
    await leader.start();
    await cluster.routed();
  }
  await source.stop();
  await check(all, source.stored);
});

async function made(jsm: JetStreamManager): Promise<void> {
  await eventually(
    () =>
      jsm.streams
        .add({ name: "N", subjects: ["n.>"], storage: "file", num_replicas: 3 })
        .catch(() => undefined),
    "the stream is made",
  );
  await eventually(
    () => jsm.consumers.add("N", { durable_name: "c", ack_wait: 10e9 }).catch(() => undefined),
    "the consumer is made",
  );
}

async function leaderOf(
  jsm: JetStreamManager,
  servers: readonly RealServer[],
): Promise<RealServer | undefined> {
  const info = await jsm.consumers.info("N", "c").catch(() => undefined);
  return servers.find(({ name, pid }) => pid !== undefined && name === info?.cluster?.leader);
}

/** Have the stream and its consumer all of their replicas? */
async function whole(jsm: JetStreamManager): Promise<boolean> {
  const infos = [jsm.streams.info("N"), jsm.consumers.info("N", "c")];
  const groups = await Promise.all(infos).catch(() => []);
  return (
    groups.length > 0 &&
    groups.every(
      ({ cluster: { leader, replicas = [] } = {} }) =>
        Boolean(leader) &&
        replicas.length === 2 &&
        replicas.every(({ current, offline }) => current && offline !== true),
    )
  );
}
