// isonats/kv: key-value buckets. Every public name, one by one.
export { BucketNotFoundError } from "./bucket-error.ts";
export { Bucket } from "./bucket.ts";
export {
  Base64KeyCodec,
  Base64PayloadCodec,
  ChainKeyCodec,
  ChainPayloadCodec,
  type KvCodecs,
  type KvKeyCodec,
  type KvPayloadCodec,
  NoopKvCodecs,
  PathKeyCodec,
} from "./codecs.ts";
export { defaultBucketOpts } from "./config.ts";
export { Kvm } from "./kvm.ts";
export {
  type KV,
  type KvChange,
  type KvCreateOptions,
  type KvDeleteOptions,
  type KvEntry,
  type KvGetOptions,
  type KvLimits,
  type KvMarkerReason,
  type KvOperation,
  type KvOptions,
  type KvPurgeOptions,
  type KvPurgeResult,
  type KvPutOptions,
  type KvStatus,
  type KvWatch,
  type KvWatchEntry,
  KvWatchInclude,
  type KvWatchOptions,
  type RoKV,
} from "./kv-types.ts";
