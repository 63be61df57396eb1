// Watched: what a stream and its consumers know of each other. The stream calls its watchers; a consumer reads the stream.
import type { Clock } from "../../lib/clock.ts";
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import type { Account } from "../account.ts";
import type { Filters, Stored } from "./stored.ts";
import type { StoreReader } from "./store.ts";

/** A consumer as its stream sees it. */
export interface Watcher {
  readonly name: string;
  readonly filters: Filters;
  /** not for mirrors and sources: those don't count as interest */
  readonly counts: boolean;
  /** a message that matches was stored */
  stored(message: Stored): void;
  /** a message is gone by deletion or a limit; `purged` follows for those that a purge removes */
  removed(message: Stored, why: "deleted" | "limits" | "purged" | "settled"): void;
  /** a purge is over: nothing that matches `filter` (`""`: all) is left before `firstSeq` */
  purged(firstSeq: number, filter: string): void;
  /** does it still want this message, delivered or not? For interest and work queue streams */
  wants(message: Stored): boolean;
  /** the stream goes: tell those who wait, and end */
  streamDeleted(): void;
  /** the server goes */
  shutDown(): void;
}

/** A stream as its consumers see it. */
export interface WatchedStream {
  readonly name: string;
  readonly account: Account;
  readonly config: StreamConfig;
  readonly store: StoreReader;
  readonly clock: Clock;
  /** A consumer has no more need of a message: where retention says so and nobody else wants it, it goes at once. */
  settled(seq: number): void;
}
