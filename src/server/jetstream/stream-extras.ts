// Stream extras: what streams have where the server has its extras. Types only: who has them is said in server/extras.
import type { StreamSource } from "../../protocol/jetstream/stream.ts";
import type { AtomicBatches } from "./atomic-batches.ts";
import type { checkCounter, counted, increment } from "./counter.ts";
import type { FastBatches } from "./fast-batches.ts";
import type { Origin } from "./origin.ts";
import type { checkOriginFilters, checkOrigins } from "./origin-config.ts";
import type { Schedules } from "./schedules.ts";
import type { Stream } from "./stream.ts";
import type { Verb } from "./verb.ts";

/** What a stream of counters may be, and makes of a message. */
export interface Counter {
  readonly check: typeof checkCounter;
  readonly increment: typeof increment;
  readonly counted: typeof counted;
}

export interface StreamExtras {
  /** calls of the API beyond those that all servers have */
  readonly verbs: readonly Verb[];
  atomic(stream: Stream): AtomicBatches;
  fast(stream: Stream): FastBatches;
  schedules(stream: Stream): Schedules;
  readonly counter: Counter;
  /** what the stream copies from; `mirror`: as its mirror */
  origin(stream: Stream, config: StreamSource, mirror: boolean): Origin;
  readonly checkOrigins: typeof checkOrigins;
  readonly checkOriginFilters: typeof checkOriginFilters;
}
