// JetStream: the streams of one account, its counters, and its voice. One per account; made by server/jetstream/enable.
import type { Clock } from "../../lib/clock.ts";
import { nuid } from "../../lib/nuid.ts";
import type { Account } from "../account.ts";
import { goJson, goTime } from "../go-text.ts";
import { Message, type Origin } from "../message.ts";
import type { Home, OpenBatchCounts } from "./home.ts";
import { refuse } from "./refusal.ts";
import type { ServedConsumer, ServedStream } from "./served.ts";
import type { Storage } from "./storage.ts";
import type { StreamExtras } from "./stream-extras.ts";

/** What the streams of an account live in. */
export interface Surroundings {
  /** the account has JetStream; where not, its API says so */
  readonly enabled: boolean;
  readonly clock: Clock;
  readonly serverName: string;
  /** `""` for none */
  readonly domain: string;
  readonly storage: Storage;
  readonly extras: StreamExtras | undefined;
  /** those of all accounts of the server */
  readonly openBatches: OpenBatchCounts;
  /** bytes that streams in memory may have, and reserve */
  readonly maxMemory: number;
  /** bytes that streams in files may have, and reserve */
  readonly maxStorage: number;
  /** what audits say of who called */
  clientOf(origin: Origin): object | undefined;
}

export class JetStream implements Home {
  readonly enabled: boolean;
  readonly account: Account;
  readonly clock: Clock;
  readonly serverName: string;
  readonly domain: string;
  readonly storage: Storage;
  readonly extras: StreamExtras | undefined;
  readonly openBatches: OpenBatchCounts;
  readonly maxMemory: number;
  readonly maxStorage: number;
  readonly clientOf: (origin: Origin) => object | undefined;
  readonly streams: Map<string, ServedStream> = new Map();
  /** calls of the API, and how many of them failed */
  readonly calls: { total: number; errors: number } = { total: 0, errors: 0 };
  #unsent: Message[] = [];

  constructor(account: Account, around: Surroundings) {
    this.enabled = around.enabled;
    this.account = account;
    this.clock = around.clock;
    this.serverName = around.serverName;
    this.domain = around.domain;
    this.storage = around.storage;
    this.extras = around.extras;
    this.openBatches = around.openBatches;
    this.maxMemory = around.maxMemory;
    this.maxStorage = around.maxStorage;
    this.clientOf = (origin) => around.clientOf(origin);
  }

  send(message: Message): void {
    if (this.#unsent.push(message) > 1) return;
    queueMicrotask(() => {
      const unsent = this.#unsent;
      this.#unsent = [];
      try {
        this.storage.flush();
      } catch {
        // what is not safe is not confirmed
        return;
      }
      for (const one of unsent) this.account.publish(one);
    });
  }

  advise(subject: string, type: string, body: object): void {
    const to = `$JS.EVENT.${subject}`;
    const { plain, groups } = this.account.router.match(to);
    if (plain.length + groups.length === 0) return;
    const head = {
      type: `io.nats.jetstream.${type}`,
      id: nuid.next(),
      timestamp: goTime(this.clock.now()),
    };
    this.send(Message.of(to, goJson({ ...head, ...body })));
  }

  /** Whoever waits at a consumer is forgotten, without a word: as by a process that ends. */
  forgetRequests(): void {
    for (const { consumers } of this.streams.values()) {
      for (const consumer of consumers.values()) consumer.forgetRequests();
    }
  }

  /** The server ends: who waits is told, and what is to be kept is. */
  async shutDown(): Promise<void> {
    try {
      await Promise.all([...this.streams.values()].map((stream) => stream.shutDown()));
    } finally {
      await this.storage.close();
    }
  }

  full(storage: "file" | "memory"): boolean {
    const most = storage === "memory" ? this.maxMemory : this.maxStorage;
    let sum = 0;
    if (most === Infinity) return false;
    for (const { config, store } of this.streams.values()) if (config.storage === storage) sum += store.bytes;
    return sum > most;
  }

  /** Bytes that streams of this storage may grow to. */
  reserved(storage: "file" | "memory"): number {
    let sum = 0;
    for (const { config } of this.streams.values()) {
      if (config.storage === storage) sum += Math.max(0, config.max_bytes ?? 0);
    }
    return sum;
  }

  /** @throws {Refusal} 10059 */
  stream(name: string): ServedStream {
    return this.streams.get(name) ?? refuse(10059);
  }

  /** @throws {Refusal} 10059, 10014 */
  consumer(stream: string, name: string): ServedConsumer {
    return this.stream(stream).consumers.get(name) ?? refuse(10014);
  }
}
