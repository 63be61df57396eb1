// Stream: the JSON of streams as it is on the wire. Durations are nanoseconds, times RFC 3339 text.
import type { Nanos } from "../../lib/nanos.ts";
import type { DiscardPolicy, PersistMode, RetentionPolicy, StorageType, StoreCompression } from "./enums.ts";

/** Where the replicas of an asset shall be, in a cluster. */
export interface Placement {
  /** name of the cluster */
  cluster?: string;
  /** tags that each server must have */
  tags?: string[];
  /** name of the server that shall lead; only when a leader steps down. Server 2.11. */
  preferred?: string;
}

/** A rule that gives messages another subject. */
export interface SubjectTransformConfig {
  /** the subjects it is for; wildcards allowed. Default: all. */
  src?: string;
  /** the new subject, with functions such as `{{wildcard(1)}}`; empty in a source or mirror only filters */
  dest: string;
}

/** What is published again after it was stored. */
export interface Republish {
  /** the subjects it is for. Default `>`. */
  src?: string;
  /** the subject to publish to; may use the wildcards of `src` */
  dest: string;
  /** without the payload: `Nats-Msg-Size` says how large it is */
  headers_only?: boolean;
}

/** Where a stream of another domain or account is found. */
export interface ExternalStream {
  /** prefix of its JetStream API, such as `$JS.hub.API` */
  api: string;
  /** prefix of the subjects that its messages are delivered to */
  deliver?: string;
}

/** A consumer of the origin that was made for this source or mirror. */
export interface StreamConsumerSource {
  /** its name: a durable push consumer with ack policy `flow_control` */
  name: string;
  /** its deliver subject */
  deliver_subject: string;
}

/** A stream that another one copies from. */
export interface StreamSource {
  /** name of the origin */
  name: string;
  /** first sequence of the origin to copy; not with `opt_start_time` */
  opt_start_seq?: number;
  /** RFC 3339: copy what was stored since */
  opt_start_time?: string;
  /** copy only these subjects; not with `subject_transforms` */
  filter_subject?: string;
  /** how to reach an origin in another domain or account; not with `domain` */
  external?: ExternalStream;
  /** filters and new subjects, several of them. Server 2.10. */
  subject_transforms?: SubjectTransformConfig[];
  /** copy through this consumer, so that work queues and interest streams are safe to copy from. Server 2.14. */
  consumer?: StreamConsumerSource;
  /** domain of the origin; the client makes `external` of it, it is not sent */
  domain?: string;
}

/** Defaults and limits for the consumers of a stream. */
export interface StreamConsumerLimits {
  /** nanoseconds: the largest `inactive_threshold`, and the one of those that have none */
  inactive_threshold?: Nanos;
  /** the largest `max_ack_pending`, and the one of those that have none */
  max_ack_pending?: number;
}

/** What can be changed in a stream after its creation. */
export interface StreamUpdateConfig {
  /** at most 4096 bytes */
  description?: string;
  /** the subjects that are stored; default: the name, unless it has a mirror or sources */
  subjects?: string[];
  /** keep so many messages of each subject; -1 (default) is no limit */
  max_msgs_per_subject?: number;
  /** keep so many messages; -1 (default) is no limit */
  max_msgs?: number;
  /** nanoseconds: keep messages so long; 0 (default) is for ever, the least is 100 ms */
  max_age?: Nanos;
  /** keep so many bytes; -1 (default) is no limit */
  max_bytes?: number;
  /** refuse messages with more bytes; -1 (default) is no limit */
  max_msg_size?: number;
  /** what goes when a limit is reached; default `old` */
  discard?: DiscardPolicy;
  /** `discard: "new"` for `max_msgs_per_subject` too */
  discard_new_per_subject?: boolean;
  /** don't acknowledge publishes */
  no_ack?: boolean;
  /** nanoseconds in which a message id is stored once; default 2 min, or `max_age` where that is less */
  duplicate_window?: Nanos;
  /** copy these streams into this one */
  sources?: StreamSource[];
  /** be a copy of this stream; can only be removed later (server 2.12), which makes it a stream of its own */
  mirror?: StreamSource;
  /** allow `Nats-Rollup`: one message that replaces those before it */
  allow_rollup_hdrs?: boolean;
  /** copies in the cluster: 1 (default) to 5 */
  num_replicas?: number;
  /** where these shall be */
  placement?: Placement;
  /** refuse to delete messages; can't be taken back */
  deny_delete?: boolean;
  /** refuse to purge; can't be taken back */
  deny_purge?: boolean;
  /** any replica answers direct gets */
  allow_direct?: boolean;
  /** a mirror answers direct gets for its origin */
  mirror_direct?: boolean;
  /** publish what was stored again */
  republish?: Republish;
  /** facts of yours, 128 KiB; names that begin with `_nats` are the server's. Server 2.10. */
  metadata?: Record<string, string>;
  /** store under another subject than was published to. Server 2.10. */
  subject_transform?: SubjectTransformConfig;
  /** compression of the file store. Server 2.10. */
  compression?: StoreCompression;
  /** for all consumers. Server 2.10. */
  consumer_limits?: StreamConsumerLimits;
  /** allow `Nats-TTL`; can't be taken back. Server 2.11. */
  allow_msg_ttl?: boolean;
  /** nanoseconds that a marker is kept where the last message of a subject aged out; at least 1 s. Server 2.11. */
  subject_delete_marker_ttl?: Nanos;
  /** allow atomic batches. Server 2.12. */
  allow_atomic?: boolean;
  /** allow `Nats-Schedule`; can't be taken back. Server 2.12. */
  allow_msg_schedules?: boolean;
  /** allow fast ingest batches. Server 2.14. */
  allow_batched?: boolean;
  /** read only, for ever */
  sealed?: boolean;
  /** `limits` and `interest` may become each other; `workqueue` stays */
  retention?: RetentionPolicy;
  /** the most consumers it may have; -1 (default) is no limit */
  max_consumers?: number;
}

/** How a stream is set up. */
export interface StreamConfig extends StreamUpdateConfig {
  /** its name: no white space and none of `. * > / \` */
  name: string;
  /** default `file` */
  storage?: StorageType;
  /** the sequence of the first message; default 1. Server 2.10. */
  first_seq?: number;
  /** counters: `Nats-Incr` adds to the value of a subject. Server 2.12. */
  allow_msg_counter?: boolean;
  /** `async` acknowledges before the disk has it: a crash may lose it. File storage, one replica. Server 2.12. */
  persist_mode?: PersistMode;
}

/** Messages that a stream can't find any more. */
export interface LostStreamData {
  /** their sequences */
  msgs: number[] | null;
  /** bytes of them */
  bytes: number;
}

/** What is in a stream. Sequences above 2^53 - 1 are rounded here. */
export interface StreamState {
  /** messages in it */
  messages: number;
  /** bytes of them, with what the store adds */
  bytes: number;
  /** sequence of the first message; one more than the last where there is none */
  first_seq: number;
  /** when the first was stored; `0001-01-01T00:00:00Z` where there was none yet */
  first_ts: string;
  /** sequence of the last message; 0 where there was none yet */
  last_seq: number;
  /** when the last was stored; as `first_ts` */
  last_ts: string;
  /** messages that are missing between the first and the last */
  num_deleted?: number;
  /** their sequences, where `deleted_details` was asked for */
  deleted?: number[];
  /** what the store has lost, where it has */
  lost?: LostStreamData;
  /** its consumers */
  consumer_count: number;
  /** different subjects */
  num_subjects?: number;
  /** messages of each subject, where `subjects_filter` was asked for */
  subjects?: Record<string, number>;
}

/** A replica. */
export interface PeerInfo {
  /** name of its server */
  name: string;
  /** it has all that the leader has */
  current: boolean;
  /** its server can't be reached */
  offline?: boolean;
  /** nanoseconds since it was heard of */
  active: Nanos;
  /** operations it is behind */
  lag?: number;
  /** id of its server in the cluster */
  peer?: string;
  /** it is about to join. Server 2.15. */
  pending?: boolean;
}

/** A change of the replicas under way. Server 2.15. */
export interface DesiredPlacement {
  /** since when */
  created?: string;
  /** name of the cluster */
  name?: string;
  /** those that there shall be */
  replicas?: Pick<PeerInfo, "name" | "peer">[];
  /** how it was before */
  origin?: {
    /** how many there were */
    replicas?: number;
    /** where they were */
    placement?: Placement;
    /** its retention */
    retention?: RetentionPolicy;
  };
  /** how far it is */
  status?: {
    /** for people */
    description?: string;
    /** `meta`, `membership`, `snapshot`, `catchup`, `quorum`, `blocked` or `unavailable` */
    type?: string;
    /** what is in the way */
    err?: string;
  };
}

/** Where a stream or consumer is. */
export interface ClusterInfo {
  /** name of the cluster; none on a single server */
  name?: string;
  /** server that leads */
  leader?: string;
  /** the others */
  replicas?: PeerInfo[];
  /** name of the group of its replicas. Server 2.10. */
  raft_group?: string;
  /** since when this one leads. Server 2.11. */
  leader_since?: string;
  /** replication goes through the system account. Server 2.11. */
  system_account?: boolean;
  /** account that replication goes through. Server 2.11. */
  traffic_account?: string;
  /** what the replicas shall be; only while they change. Server 2.15. */
  desired?: DesiredPlacement;
}

/** How far a mirror or source is. */
export interface StreamSourceInfo {
  /** name of the origin */
  name: string;
  /** messages it is behind */
  lag: number;
  /** of a source: the sequence of the origin that it has come to. Server 2.15. */
  seq?: number;
  /** nanoseconds since it last heard of the origin; -1 where it never did */
  active: Nanos;
  /** how the origin is reached, in another domain or account */
  external?: ExternalStream;
  /** why it does not go on, where it doesn't */
  error?: ApiError;
  /** the subjects it copies. Server 2.10. */
  filter_subject?: string;
  /** the subjects it copies, and what becomes of them. Server 2.10. */
  subject_transforms?: SubjectTransformConfig[];
}

/** A stream with the same messages: this one or a mirror, the nearest first. */
export interface StreamAlternate {
  /** name of the stream */
  name: string;
  /** its domain, where it has one */
  domain?: string;
  /** the cluster it is in */
  cluster: string;
}

/** A stream, as the server sees it. */
export interface StreamInfo {
  /** with all defaults; `metadata` has what the server says of itself under `_nats.` */
  config: StreamConfig;
  /** when it was made */
  created: string;
  /** what is in it */
  state: StreamState;
  /** its domain, where it has one */
  domain?: string;
  /** where it is */
  cluster?: ClusterInfo;
  /** of a mirror: how far it is */
  mirror?: StreamSourceInfo;
  /** how far its sources are */
  sources?: StreamSourceInfo[];
  /** the streams with the same messages, where there are mirrors */
  alternates?: StreamAlternate[];
  /** when it looked. Server 2.10. */
  ts?: string;
}

/** Why a call of the API failed. */
export interface ApiError {
  /** as the status codes of HTTP */
  code: number;
  /** the number that tells errors apart; see {@link JetStreamApiCodes} */
  err_code?: number;
  /** for people; changes from version to version */
  description: string;
}
