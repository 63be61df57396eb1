// Config: a bucket as the configuration of its stream, and back (ADR-8, ADR-57).
import { check } from "../lib/check.ts";
import { millis, nanos } from "../lib/nanos.ts";
import { API_PREFIX, domainPrefix } from "../protocol/jetstream/api.ts";
import type { StreamConfig, StreamInfo, StreamSource } from "../protocol/jetstream/stream.ts";
import { type Changes, merged, ownMetadata } from "../jetstream/config.ts";
import { encodeFilter, type KvKeyCodec } from "./codecs.ts";
import type { KvOptions, KvStatus } from "./kv-types.ts";

const STREAM = "KV_";

const streamOf = (bucket: string): string => (bucket.startsWith(STREAM) ? bucket : STREAM + bucket);
const bucketOf = (stream: string): string => stream.slice(STREAM.length);
const subjectsOf = (bucket: string): string => `$KV.${bucket}.`;

/** The bucket that a stream of that name would be of; undefined when it would be none. */
export function bucketIn(stream: string): string | undefined {
  return stream.startsWith(STREAM) ? bucketOf(stream) : undefined;
}

/** The stream of a bucket. */
export function streamNameOf(bucket: string, { streamName = STREAM + bucket }: KvOptions): string {
  return streamName;
}

// C-ADR57-2: the keys of the source, under the name of this bucket
function sourceOf(bucket: string, source: StreamSource, codec: KvKeyCodec | undefined): StreamSource {
  if (source.subject_transforms?.length) return source;
  const { filter_subject: filter = ">", ...rest } = source;
  const name = streamOf(source.name);
  const from = bucketOf(name);
  if ((source.external ?? source.domain) !== undefined && from === bucket) return { ...source, name };
  const prefix = subjectsOf(from);
  let keys = filter;
  if (filter.startsWith(prefix)) keys = filter.slice(prefix.length);
  else if (codec !== undefined) keys = encodeFilter(codec, filter);
  let count = 0;
  const dest = subjectsOf(bucket) + keys.replace(/\*/g, () => `{{wildcard(${++count})}}`);
  return { ...rest, name, subject_transforms: [{ src: prefix + keys, dest }] };
}

function whole(name: string, value: number | undefined, least: number, most = Infinity): void {
  const ok = value === undefined || (Number.isInteger(value) && value >= least && value <= most);
  check(ok, name, value, `a whole number, ${least} ${most === Infinity ? "or more" : `to ${most}`}`);
}

/** The fields that options stand for; undefined where they say nothing. @throws {NatsError} INVALID_ARGUMENT */
export function fieldsOf(bucket: string, options: KvOptions): Changes<StreamConfig> {
  const { history, ttl, markerTTL, compression, mirror, sources, codec } = options;
  whole("history", history, 1, 64);
  whole("ttl", ttl, 0);
  if (markerTTL !== 0) whole("markerTTL", markerTTL, 1000);
  whole("max_bytes", options.max_bytes, -1);
  whole("maxValueSize", options.maxValueSize, -1);
  return {
    description: options.description,
    max_msgs_per_subject: history,
    max_age: ttl && nanos(ttl),
    ...(markerTTL !== undefined && { subject_delete_marker_ttl: nanos(markerTTL) }),
    ...(markerTTL && { allow_msg_ttl: true }),
    max_bytes: options.max_bytes,
    max_msg_size: options.maxValueSize,
    storage: options.storage,
    num_replicas: options.replicas,
    compression: compression === undefined ? undefined : compression ? "s2" : "none",
    placement: options.placement,
    republish: options.republish,
    metadata: options.metadata,
    mirror: mirror && { ...mirror, name: streamOf(mirror.name) },
    sources: sources?.map((source) => sourceOf(bucket, source, codec?.key)),
    allow_direct: options.allow_direct,
  };
}

/** The stream of a new bucket. @throws {NatsError} INVALID_ARGUMENT */
export function configOf(bucket: string, options: KvOptions): StreamConfig {
  const base: StreamConfig = {
    name: streamNameOf(bucket, options),
    retention: "limits",
    max_consumers: -1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msgs_per_subject: 1,
    max_msg_size: -1,
    discard: "new",
    storage: "file",
    num_replicas: 1,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_direct: true,
  };
  // a mirror has the subjects of its origin, and answers for it
  if (options.mirror === undefined) base.subjects = [`${subjectsOf(bucket)}>`];
  else base.mirror_direct = true;
  return merged(base, fieldsOf(bucket, options));
}

/** Has the one all that the other one has? What is not there counts as the default: nothing. */
export function fits(actual: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) {
    return wanted === undefined || actual === wanted || (!actual && (!wanted || wanted === "none"));
  }
  const has = (actual ?? {}) as Record<string, unknown>;
  if (Array.isArray(wanted) && wanted.length !== (has["length"] ?? 0)) return false;
  return Object.entries(wanted).every(([name, value]) => fits(has[name], value));
}

/** Where the messages of a bucket are. */
export interface Place {
  readonly stream: string;
  /** what their subjects begin with */
  readonly prefix: string;
  /** what the subjects begin with that they are published to */
  readonly putPrefix: string;
  /** its messages can be had from any replica */
  readonly direct: boolean;
}

/** Where they are, by the configuration of the stream and the prefix of the API (C-ADR57-5, C-ADR19-4). */
export function placeOf(
  bucket: string,
  { name, mirror, allow_direct = false }: StreamConfig,
  apiPrefix: string,
): Place {
  const { external, domain } = mirror ?? {};
  const prefix = subjectsOf(mirror === undefined ? bucket : bucketOf(mirror.name));
  const api = external?.api ?? (domain === undefined ? apiPrefix : domainPrefix(domain));
  const putPrefix = api === API_PREFIX ? prefix : `${api}.${prefix}`;
  return { stream: name, prefix, putPrefix, direct: allow_direct };
}

/** What the info of its stream says of a bucket. */
export function statusOf(bucket: string, info: StreamInfo): KvStatus {
  const { config, state } = info;
  const { description, placement, republish, metadata, mirror, sources } = config;
  return {
    bucket,
    values: state.messages,
    keys: state.num_subjects ?? 0,
    size: state.bytes,
    history: config.max_msgs_per_subject ?? -1,
    ttl: millis(config.max_age ?? 0),
    markerTTL: millis(config.subject_delete_marker_ttl ?? 0),
    max_bytes: config.max_bytes ?? -1,
    maxValueSize: config.max_msg_size ?? -1,
    storage: config.storage ?? "file",
    replicas: config.num_replicas ?? 1,
    compression: config.compression === "s2",
    ...(description && { description }),
    ...(placement && { placement }),
    ...(republish && { republish }),
    ...(metadata && { metadata: ownMetadata(metadata) }),
    ...(mirror && { mirror }),
    ...(sources && { sources }),
    streamInfo: info,
  };
}

/** The options of a bucket for which nothing was said. */
export function defaultBucketOpts(): KvOptions {
  return {
    replicas: 1,
    history: 1,
    ttl: 0,
    max_bytes: -1,
    maxValueSize: -1,
    storage: "file",
    compression: false,
    bindOnly: false,
    allow_direct: true,
  };
}
