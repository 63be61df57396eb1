// Bucket config: a bucket as the configuration of its stream, and back (ADR-20).
import { check } from "../lib/check.ts";
import { millis, nanos } from "../lib/nanos.ts";
import type { StreamConfig, StreamInfo } from "../protocol/jetstream/stream.ts";
import { merged, ownMetadata } from "../jetstream/config.ts";
import { type Bucket, STREAM_PREFIX } from "./bucket.ts";
import type { ObjectStoreOptions, ObjectStoreStatus } from "./object-store.ts";

/** The subjects of the chunks of every bucket: a stream that has some is one. */
export const ALL_CHUNKS = "$O.*.C.>";

/** The stream of a bucket. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function configOf({ name, stream }: Bucket, options: Partial<ObjectStoreOptions>): StreamConfig {
  const { description, ttl, storage, replicas, max_bytes, placement, metadata, compression } = options;
  check(ttl === undefined || (ttl >= 0 && ttl < Infinity), "ttl", ttl, "milliseconds, or 0 for none");
  const base: StreamConfig = {
    name: stream,
    subjects: [`$O.${name}.C.>`, `$O.${name}.M.>`],
    discard: "new",
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
  return merged(base, {
    description,
    max_age: ttl && nanos(ttl),
    storage,
    num_replicas: replicas,
    max_bytes,
    placement,
    metadata,
    compression: compression === undefined ? undefined : compression ? "s2" : "none",
  });
}

/** The status of the bucket that the stream of an info is; undefined when it is none. */
export function statusIn(info: StreamInfo): ObjectStoreStatus | undefined {
  return info.config.name.startsWith(STREAM_PREFIX) ? statusOf(info) : undefined;
}

/** What the info of its stream says of a bucket. */
export function statusOf(info: StreamInfo): ObjectStoreStatus {
  const { config, state } = info;
  return {
    bucket: config.name.slice(STREAM_PREFIX.length),
    description: config.description ?? "",
    ttl: millis(config.max_age ?? 0),
    storage: config.storage ?? "file",
    replicas: config.num_replicas ?? 1,
    sealed: config.sealed ?? false,
    size: state.bytes,
    backingStore: "JetStream",
    metadata: ownMetadata(config.metadata ?? {}),
    compression: config.compression === "s2",
    streamInfo: info,
  };
}
