// Served: what the API asks of streams and consumers. Stream and Consumer are these.
import type { ConsumerConfig } from "../../protocol/jetstream/consumer.ts";
import type { StreamConfig, StreamSourceInfo } from "../../protocol/jetstream/stream.ts";
import type { WatchedStream, Watcher } from "./watched.ts";

export interface ServedConsumer extends Watcher {
  /** complete */
  readonly config: ConsumerConfig;
  /** when it was made, in milliseconds */
  readonly created: number;
  /** what makes it go on, given to its constructor; plain data */
  state(): object;
  /** whoever waits is forgotten, without a word */
  forgetRequests(): void;
  /** it goes: tell those who wait, leave the stream's `consumers`, say so with an advisory */
  delete(): void;
}

export interface ServedStream extends WatchedStream {
  /** when it was made, in milliseconds */
  readonly created: number;
  /** by name; those of mirrors and sources are watchers only */
  readonly consumers: Map<string, ServedConsumer>;
  watch(watcher: Watcher): void;
  unwatch(watcher: Watcher): void;
  /** take another configuration, which is complete and allowed; lower limits work at once */
  update(config: StreamConfig): void;
  /** how many went. `filter` `""`: all; `seq` 0: none given; `keep` 0: none */
  purge(filter: string, seq: number, keep: number): number;
  /** delete one message; false where there is none */
  remove(seq: number): boolean;
  /** how far a mirror or its sources are */
  origins(): { mirror?: StreamSourceInfo; sources?: StreamSourceInfo[] };
  /** it goes, and its consumers before it: `streamDeleted` of each, subscriptions, timers, store */
  delete(): void;
  /** the server goes: as `delete`, with the store kept */
  shutDown(): Promise<void>;
}
