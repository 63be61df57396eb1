// Storage: where the streams of an account are kept, and what is still there of those from before.
import type { ConsumerConfig } from "../../protocol/jetstream/consumer.ts";
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import { MemoryStore } from "./memory-store.ts";
import type { Store } from "./store.ts";

/** A consumer as it is kept. */
export interface KeptConsumer {
  readonly name: string;
  readonly config: ConsumerConfig;
  /** when it was made, in milliseconds */
  readonly created: number;
  /** what its engine makes of its state, and takes back; undefined where it had none yet */
  readonly state: object | undefined;
}

/** A stream from before. */
export interface KeptStream {
  readonly config: StreamConfig;
  /** when it was made, in milliseconds */
  readonly created: number;
  readonly store: Store;
  readonly consumers: readonly KeptConsumer[];
}

export interface Storage {
  /** A store for a stream that is made now. */
  create(config: StreamConfig, created: number): Store;
  /** The streams from before. To be called once, at first. */
  recover(): KeptStream[];
  /** A stream has another configuration. */
  saveStream(config: StreamConfig, created: number): void;
  /** A consumer is new, or has another configuration or state. `state` is asked for when it is written, which is not for each change. */
  saveConsumer(stream: string, consumer: Omit<KeptConsumer, "state">, state: () => object): void;
  removeConsumer(stream: string, name: string): void;
  /** What was stored is safe when this returns: confirmations go out behind it. */
  flush(): void;
  /** end: all is written */
  close(): Promise<void>;
}

/** Keeps nothing beyond the process. */
export const memoryStorage: Storage = {
  create: ({ storage, first_seq }) => new MemoryStore(storage === "memory" ? "memory" : "file", first_seq),
  recover: () => [],
  saveStream() {},
  saveConsumer() {},
  removeConsumer() {},
  flush() {},
  async close() {},
};
