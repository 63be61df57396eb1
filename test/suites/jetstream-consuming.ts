// JetStream consuming: a stream with messages, and consumers of it, for the suites that consume.
import {
  type Consumer,
  type ConsumerConfig,
  type ConsumerMessages,
  type ConsumerNotification,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type JsMsg,
} from "../../src/jetstream/index.ts";
import type { NatsConnection, Payload, PublishOptions } from "../../src/names.ts";
import type { Harness } from "./harness.ts";
import { eventually, Growing, PATIENT } from "./tools.ts";

/** A stream in memory that stores `<name>.>`, with `count` messages: payloads `1`, `2`, ... on `<name>.<number>`. */
export class Filled {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly js: JetStreamClient;
  readonly name: string;
  #count = 0;

  constructor(nc: NatsConnection, jsm: JetStreamManager, name: string) {
    this.nc = nc;
    this.jsm = jsm;
    this.js = jsm.jetstream();
    this.name = name;
  }

  /** Store so many more. */
  async fill(count: number): Promise<void> {
    await storeAll(
      this.nc,
      Array.from({ length: count }, () => [`${this.name}.${++this.#count}`, String(this.#count)]),
    );
  }

  /** A pull consumer; explicit acks unless the configuration says otherwise. */
  async consumer(config: ConsumerConfig = {}): Promise<Consumer> {
    const { name } = await this.jsm.consumers.add(this.name, {
      name: "c",
      inactive_threshold: 60e9,
      ...config,
    });
    return this.js.consumers.get(this.name, name);
  }
}

/** Publish all of it to streams. The last has an answer: when it is there, all before it is stored too. */
export async function storeAll(
  nc: NatsConnection,
  messages: readonly (readonly [subject: string, payload?: Payload, options?: PublishOptions])[],
): Promise<void> {
  for (const message of messages.slice(0, -1)) nc.publish(...message);
  for (const [subject, payload, options] of messages.slice(-1)) {
    await nc.request(subject, payload, { ...PATIENT, ...options });
  }
}

export async function filled({ connect, prefix }: Harness, count: number, url?: string): Promise<Filled> {
  const nc = await connect(url === undefined ? {} : { servers: url });
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: prefix, subjects: [`${prefix}.>`], storage: "memory" });
  const stream = new Filled(nc, jsm, prefix);
  await stream.fill(count);
  return stream;
}

/** The sequences of the messages of a loop that ends by itself, or after `count`. Each message is acknowledged. */
export async function sequences(
  messages: AsyncIterable<JsMsg>,
  count = Number.POSITIVE_INFINITY,
): Promise<number[]> {
  const found: number[] = [];
  for await (const msg of messages) {
    msg.ack();
    if (found.push(msg.seq) >= count) break;
  }
  return found;
}

/** The numbers `from` to `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** What a consuming tells, from now on. */
export function notices(messages: ConsumerMessages): Growing<ConsumerNotification> {
  const log = new Growing<ConsumerNotification>();
  void (async () => {
    for await (const one of messages.status()) log.push(one);
  })();
  return log;
}

/** A stream with `count` messages, and a pull consumer of it. */
export async function consuming(
  harness: Harness,
  count: number,
  config?: ConsumerConfig,
): Promise<{ stream: Filled; consumer: Consumer }> {
  const stream = await filled(harness, count);
  return { stream, consumer: await stream.consumer(config) };
}

/** Resolves when so many pulls wait at the consumer: one that was sent is there when the server comes to it. */
export async function pullsWait({ jsm, name }: Filled, count: number, consumer = "c"): Promise<void> {
  const there = async (): Promise<true | undefined> =>
    (await jsm.consumers.info(name, consumer)).num_waiting >= count || undefined;
  await eventually(there, `fewer than ${count} pulls wait`);
}

/** Resolves when so many messages are here that nobody has taken. */
export async function pending({ nc }: Filled, messages: ConsumerMessages, count: number): Promise<void> {
  const here = async (): Promise<true | undefined> => {
    await nc.flush();
    return messages.getPending() >= count || undefined;
  };
  await eventually(here, `fewer than ${count} messages are here`);
}

/** Resolves when no message of the consumer waits for its acknowledgement: the server notes them in its own time. */
export async function allAcknowledged(consumer: Consumer): Promise<void> {
  const limit = performance.now() + 20_000;
  for (;;) {
    const { num_ack_pending } = await consumer.info();
    if (num_ack_pending === 0) return;
    if (performance.now() > limit) throw new Error(`${num_ack_pending} messages are not acknowledged`);
  }
}
