// Bucket config: a bucket as the configuration of its stream, and back (ADR-20).
import { InvalidArgumentError } from "../errors.ts";
import { millis, nanos } from "../lib/nanos.ts";
import type { StreamConfig, StreamInfo } from "../protocol/jetstream/stream.ts";
import { ownMetadata } from "../jetstream/config.ts";
import { type Bucket, STREAM_PREFIX } from "./bucket.ts";
import type { ObjectStoreOptions, ObjectStoreStatus } from "./object-store.ts";

/** The subjects of the chunks of every bucket: a stream that has some is one. */
export const ALL_CHUNKS = "$O.*.C.>";

/** The stream of a bucket. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function configOf({ name, stream }: Bucket, options: Partial<ObjectStoreOptions>): StreamConfig {
  const { description, ttl, storage, replicas, max_bytes, placement, metadata, compression } = options;
  if (ttl !== undefined && !(ttl >= 0)) {
    throw new InvalidArgumentError(`ttl is ${String(ttl)}: give milliseconds, or 0 for none`);
  }
  return {
    name: stream,
    subjects: [`$O.${name}.C.>`, `$O.${name}.M.>`],
    discard: "new",
    allow_rollup_hdrs: true,
    allow_direct: true,
    ...(description !== undefined && { description }),
    ...(ttl !== undefined && { max_age: nanos(ttl) }),
    ...(storage !== undefined && { storage }),
    ...(replicas !== undefined && { num_replicas: replicas }),
    ...(max_bytes !== undefined && { max_bytes }),
    ...(placement !== undefined && { placement }),
    ...(metadata !== undefined && { metadata }),
    ...(compression !== undefined && { compression: compression ? "s2" : "none" }),
  };
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
