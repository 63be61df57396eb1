// Batches through faults, on file stores: an atomic batch is there whole or not at all; of a fast ingest is there what was
// acknowledged, once where it has ids; and each ends, with a typed error where it does not end well.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNatsError, type NatsConnection } from "../../src/index.node.ts";
import {
  type FastIngest,
  JetStreamApiCodes as Codes,
  JetStreamApiError,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  OutcomeUnknownError,
  type StreamConfig,
} from "../../src/jetstream/index.ts";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import {
  atLeast,
  type RealServer,
  startCluster,
  startServer,
  suiteVersion,
} from "../fixtures/real-server.ts";
import { Growing } from "../suites/tools.ts";
import { dial, eventually, moment } from "./support.ts";

// each step of a batch ends within this, and so does the step after a fault
const TIMEOUT = 1000;
const PATIENCE = 60_000;
// messages of an atomic batch
const SIZE = 50;

/** What a call may fail with while servers come and go. */
function typed(error: unknown, codes: Set<string>): void {
  assert.ok(isNatsError(error), String(error));
  const number = error instanceof JetStreamApiError ? ` ${error.apiErrorCode}` : "";
  codes.add(`${error.code}${number}${error instanceof OutcomeUnknownError ? " unknown" : ""}`);
}

/** Stores atomic batches one after the other; `<lane>.<number>` is in each of their messages. */
class Batches {
  readonly subject = "s.whole";
  readonly acked: Growing<string> = new Growing();
  readonly refused: string[] = [];
  readonly codes: Set<string> = new Set();
  readonly #js: JetStreamClient;
  #running = true;
  #over = false;
  readonly #done: Promise<unknown>;

  constructor(t: Scope, nc: NatsConnection, lanes = 3) {
    atEnd(t, () => {
      this.#running = false;
      this.#over = true;
    });
    this.#js = jetstream(nc, { timeout: TIMEOUT });
    this.#done = Promise.all(Array.from({ length: lanes }, (_, lane) => this.#run(lane)));
  }

  async #run(lane: number): Promise<void> {
    let number = 0;
    while (this.#running) {
      const name = `${lane}.${number++}`;
      for (
        let again = false;
        !this.#over && !(await within(this.#store(name, again), `${name} hangs`, PATIENCE));
        again = true
      ) {
        await moment();
      }
    }
  }

  // True when it is known what became of it. One of which it isn't is stored again: its ids show whether it was.
  async #store(name: string, again: boolean): Promise<boolean> {
    let committing = again;
    try {
      const batch = await this.#js.startBatch(this.subject, name, { msgID: `${name}.0` });
      for (let i = 1; i < SIZE - 1; i++) batch.add(this.subject, name, { msgID: `${name}.${i}` });
      committing = true;
      const { count } = await batch.commit(this.subject, name, { msgID: `${name}.${SIZE - 1}` });
      assert.equal(count, SIZE);
      this.acked.push(name);
      return true;
    } catch (error) {
      typed(error, this.codes);
      if (error instanceof JetStreamApiError && error.apiErrorCode === Codes.AtomicPublishDuplicateId) {
        assert.ok(again, "the first attempt has new ids");
        this.acked.push(name);
        return true;
      }
      if (committing) return false;
      this.refused.push(name);
      return true;
    }
  }

  /** Resolves when so many more than now are stored. */
  async more(count: number): Promise<void> {
    const wanted = this.acked.all.length + count;
    await this.acked.until((_, n) => n >= wanted, `no ${count} more batches`, PATIENCE);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  /** What was acknowledged is there, once and whole; what was refused is not; there is nothing else. */
  check(texts: readonly string[]): void {
    const counts = new Map<string, number>();
    for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
    for (const [name, count] of counts) assert.equal(count, SIZE, `of batch ${name}`);
    for (const name of this.acked.all) assert.ok(counts.has(name), `batch ${name} was acknowledged`);
    for (const name of this.refused) assert.ok(!counts.has(name), `batch ${name} was not committed`);
    assert.equal(counts.size, this.acked.all.length);
  }
}

/** Ingests `0`, `1`, ..., and begins again behind what is stored whenever a batch ends before. */
class Ingesting {
  readonly subject: string;
  readonly codes: Set<string> = new Set();
  // what the server said is stored
  readonly acked = new Set<number>();
  /** the count of those, each time it grows */
  readonly progress: Growing<number> = new Growing();
  sent = 0;
  readonly #js: JetStreamClient;
  readonly #ids: boolean;
  #running = true;
  readonly #done: Promise<void>;

  constructor(t: Scope, nc: NatsConnection, subject: string, ids: boolean) {
    atEnd(t, () => {
      this.#running = false;
    });
    this.subject = subject;
    this.#js = jetstream(nc, { timeout: TIMEOUT });
    this.#ids = ids;
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    for (let first = 0; this.#running; ) {
      first = await within(this.#batch(first), `the batch from ${first} on hangs`, PATIENCE);
      await moment();
    }
  }

  #options(number: number): { msgID?: string } {
    this.sent = Math.max(this.sent, number + 1);
    return this.#ids ? { msgID: String(number) } : {};
  }

  // Resolves to the first that may not be stored.
  async #batch(first: number): Promise<number> {
    let ingest: FastIngest | undefined;
    const stored = (count: number): number => {
      for (let i = 0; i < count; i++) this.acked.add(first + i);
      this.progress.push(this.acked.size);
      return first + count;
    };
    try {
      const options = { ackInterval: 20, timeout: TIMEOUT };
      ingest = await this.#js.startFastIngest(this.subject, String(first), {
        ...options,
        ...this.#options(first),
      });
      let number = first + 1;
      for (; this.#running && number < first + 5000; number++) {
        await ingest.add(this.subject, String(number), this.#options(number));
        if (number % 20 > 0) continue;
        stored(ingest.acked);
        // a turn for the others, so that it lasts
        await moment(1);
      }
      const { count } = await ingest.last(this.subject, String(number), this.#options(number));
      assert.equal(count, number - first + 1);
      return stored(count);
    } catch (error) {
      typed(error, this.codes);
      return stored(ingest?.acked ?? 0);
    }
  }

  async more(count: number): Promise<void> {
    const wanted = this.acked.size + count;
    await this.progress.until((size) => size >= wanted, `no ${count} more are stored`, PATIENCE);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  check(texts: readonly string[]): void {
    const counts = new Map<number, number>();
    for (const text of texts) counts.set(Number(text), (counts.get(Number(text)) ?? 0) + 1);
    for (const number of this.acked) assert.ok(counts.has(number), `message ${number} was acknowledged`);
    for (const [number, count] of counts) {
      assert.ok(number < this.sent, `message ${number}`);
      if (this.#ids) assert.equal(count, 1, `message ${number} is there ${count} times`);
    }
  }
}

const config: StreamConfig = {
  name: "S",
  subjects: ["s.>"],
  storage: "file",
  allow_atomic: true,
  allow_batched: true,
  allow_direct: true,
};

/** The texts of all messages in the stream, by their subjects. */
async function textsOf({ direct, streams }: JetStreamManager): Promise<(subject: string) => string[]> {
  const { first_seq, last_seq, messages } = (await streams.info("S")).state;
  const found: [subject: string, text: string][] = [];
  for (let seq = first_seq; seq <= last_seq; ) {
    for await (const msg of await direct.getBatch("S", { seq, batch: 1000 })) {
      found.push([msg.subject, msg.string()]);
      seq = msg.seq + 1;
    }
  }
  assert.equal(found.length, messages);
  return (subject) => found.filter(([of]) => of === subject).map(([, text]) => text);
}

/** All that is tried, at once. */
class Loads {
  readonly #all: readonly (Batches | Ingesting)[];

  constructor(t: Scope, nc: NatsConnection) {
    this.#all = [
      new Batches(t, nc),
      new Ingesting(t, nc, "s.once", true),
      new Ingesting(t, nc, "s.plain", false),
    ];
  }

  /** Resolves when each has come so much further. */
  async more(count: number): Promise<void> {
    await Promise.all(this.#all.map((load) => load.more(count)));
  }

  /** Ends them, and looks at what is stored. */
  async check(jsm: JetStreamManager): Promise<void> {
    await Promise.all(this.#all.map((load) => load.stop()));
    const texts = await eventually(() => textsOf(jsm).catch(() => undefined), "the stream can't be read");
    for (const load of this.#all) {
      load.check(texts(load.subject));
    }
    assert.ok(
      this.#all.some(({ codes }) => codes.size > 0),
      "nothing was hit",
    );
  }
}

/** The leader, once all replicas are current. */
async function leaderOf(
  { streams }: JetStreamManager,
  servers: readonly RealServer[],
): Promise<RealServer | undefined> {
  const { cluster } = await streams.info("S").catch(() => ({ cluster: undefined }));
  await moment();
  if (cluster?.replicas?.every(({ current }) => current) !== true) return undefined;
  return servers.find(({ name, pid }) => pid !== undefined && name === cluster.leader);
}

const skip = atLeast(suiteVersion(), "2.14") ? false : "fast ingest came with server 2.14";

test("batches whose server is killed: whole or not at all, what was acknowledged is there, and nothing hangs (C-ADR50-8, C-FI-3)", {
  skip,
}, async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const nc = await dial(t, { servers: server.url });
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add(config);
  const loads = new Loads(t, nc);
  for (let kills = 0; kills < 4; kills++) {
    await loads.more(20);
    await server.restart();
  }
  await loads.more(20);
  await loads.check(jsm);
});

test("batches whose link is cut: the same", { skip }, async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, server);
  const nc = await dial(t, { servers: proxy.url });
  const jsm = await jetstreamManager(await dial(t, { servers: server.url }));
  await jsm.streams.add(config);
  const loads = new Loads(t, nc);
  for (let cuts = 0; cuts < 4; cuts++) {
    await loads.more(20);
    // with every other cut, answers were held back
    if (cuts % 2 === 0) proxy.pause("received");
    proxy.cut();
    proxy.resume();
  }
  await loads.more(20);
  await loads.check(jsm);
});

test("batches in a cluster of three, R3, whose leaders step down and are killed: the same (C-FI-12)", {
  skip,
}, async (t) => {
  trackLeaks(t);
  const servers = await startCluster(t, 3, { jetstream: true });
  const nc = await dial(t, { servers: servers.map(({ url }) => url) });
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: 2000 });
  const make = () => jsm.streams.add({ ...config, num_replicas: 3 }).catch(() => undefined);
  await eventually(make, "no stream is made");
  const loads = new Loads(t, nc);
  for (const end of ["stepDown", "kill", "stepDown", "kill"] as const) {
    await loads.more(20);
    const leader = await eventually(() => leaderOf(jsm, servers), "the stream is not whole");
    if (end === "stepDown") await jsm.streams.stepDown("S").catch(() => undefined);
    else await leader.kill();
    await loads.more(20);
    if (end === "kill") await leader.start();
  }
  await loads.check(jsm);
});
