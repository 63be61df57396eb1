// isonats/server/extras: what a server has by itself on Node, Bun and Deno, and in a page where it is handed in: bytes that most
// pages have no use for.
import { exchange } from "./exchange.ts";
import { AtomicBatches } from "./jetstream/atomic-batches.ts";
import { checkCounter, counted, increment } from "./jetstream/counter.ts";
import { FastBatches } from "./jetstream/fast-batches.ts";
import { Origin } from "./jetstream/origin.ts";
import { checkOriginFilters, checkOrigins } from "./jetstream/origin-config.ts";
import { restoreVerb } from "./jetstream/restore.ts";
import { Schedules } from "./jetstream/schedules.ts";
import { snapshotVerb } from "./jetstream/snapshot.ts";
import { mapping } from "./mapping.ts";
import { Monitor } from "./monitor.ts";
import type { Extras } from "./runtime.ts";

export type { Extras } from "./runtime.ts";

/** For `NatsServer.start({ extras })` in a page: batches, counters, schedules, mirrors and sources, snapshots, `exports`, `imports` and `mappings` of accounts, and the answers to `$SYS.REQ`. */
export const extras: Extras = {
  mapping,
  exchange,
  monitor: (system, account, server) => new Monitor(system, account, server),
  streams: {
    verbs: [snapshotVerb, restoreVerb],
    atomic: (stream) => new AtomicBatches(stream),
    fast: (stream) => new FastBatches(stream),
    schedules: (stream) => new Schedules(stream),
    counter: { check: checkCounter, increment, counted },
    origin: (stream, config, mirror) => new Origin(stream, config, mirror),
    checkOrigins,
    checkOriginFilters,
  },
};
