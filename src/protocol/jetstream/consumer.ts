// Consumer: the JSON of consumers as it is on the wire. Durations are nanoseconds, times RFC 3339 text.
import type { Nanos } from "../../lib/nanos.ts";
import type { AckPolicy, DeliverPolicy, PriorityPolicy, ReplayPolicy } from "./enums.ts";
import type { ClusterInfo } from "./stream.ts";

/** What can be changed in a consumer after its creation. */
export interface ConsumerUpdateConfig {
  /** at most 4096 bytes */
  description?: string;
  /** nanoseconds until an unacknowledged message is sent again; default 30 s */
  ack_wait?: Nanos;
  /** how often a message is sent at most; -1 (default) is no limit */
  max_deliver?: number;
  /** share of acknowledgements that are reported as metrics: `"50"` or `"50%"` */
  sample_freq?: string;
  /** unacknowledged messages at which it pauses; default 1000, -1 is no limit */
  max_ack_pending?: number;
  /** waiting pulls; default 512. Pull consumers only; fixed at creation. */
  max_waiting?: number;
  /** without payloads: `Nats-Msg-Size` says how large they are */
  headers_only?: boolean;
  /** where a push consumer sends; can be changed while nobody listens */
  deliver_subject?: string;
  /** the largest `batch` of a pull */
  max_batch?: number;
  /** nanoseconds: the longest `expires` of a pull; at least 1 ms */
  max_expires?: Nanos;
  /** the largest `max_bytes` of a pull */
  max_bytes?: number;
  /** nanoseconds without a subscriber or a pull after which it is removed; default 5 s for those that are not durable */
  inactive_threshold?: Nanos;
  /** nanoseconds until each next delivery; overrides `ack_wait` */
  backoff?: Nanos[];
  /** copies in the cluster; 0 (default) as many as the stream has */
  num_replicas?: number;
  /** keep its state in memory */
  mem_storage?: boolean;
  /** only these messages; not with `filter_subjects` */
  filter_subject?: string;
  /** only these messages; the subjects must not overlap. Server 2.10. */
  filter_subjects?: string[];
  /** bits per second; push consumers only */
  rate_limit_bps?: number;
  /** facts of yours, 128 KiB; names that begin with `_nats` are the server's. Server 2.10. */
  metadata?: Record<string, string>;
  /** names of up to 16 of `A-Z a-z 0-9 / _ = -`; one today. Pull consumers only. Server 2.11. */
  priority_groups?: string[];
  /** which pulls of the groups are served. Server 2.11; `prioritized` 2.12. */
  priority_policy?: PriorityPolicy;
  /** nanoseconds after which a pinned client that is gone loses its place; default 2 min. Server 2.11. */
  priority_timeout?: Nanos;
}

/** How a consumer is set up. */
export interface ConsumerConfig extends ConsumerUpdateConfig {
  /** its name: no white space and none of `. * > / \` */
  name?: string;
  /** the same, of a consumer that stays when nobody uses it */
  durable_name?: string;
  /** the server's default is `none`; this client asks for `explicit` where a pull consumer has none */
  ack_policy?: AckPolicy;
  /** where it begins; default `all` */
  deliver_policy?: DeliverPolicy;
  /** of `by_start_sequence` */
  opt_start_seq?: number;
  /** RFC 3339, of `by_start_time` */
  opt_start_time?: string;
  /** default `instant` */
  replay_policy?: ReplayPolicy;
  /** queue group of the subscribers of a push consumer */
  deliver_group?: string;
  /** the server waits for answers before it sends on; push consumers, with `idle_heartbeat` */
  flow_control?: boolean;
  /** nanoseconds of silence after which a push consumer sends a heartbeat; at least 100 ms */
  idle_heartbeat?: Nanos;
  /** RFC 3339: delivers nothing until then. Server 2.11. */
  pause_until?: string;
  /** one that a mirror or source makes for itself: not for clients */
  direct?: boolean;
  /** one that mirrors and sources name in their `consumer`: it is written by the server. Server 2.14. */
  sourcing?: boolean;
}

/** A place in a stream, and in the deliveries of a consumer. Sequences above 2^53 - 1 are rounded here. */
export interface SequenceInfo {
  /** deliveries */
  consumer_seq: number;
  /** sequence of the stream */
  stream_seq: number;
  /** when it last moved */
  last_active?: string;
}

/** A priority group. Server 2.11. */
export interface PriorityGroupState {
  /** its name */
  group: string;
  /** id of the pinned client, where there is one */
  pinned_client_id?: string;
  /** since when; `0001-01-01T00:00:00Z` where there is none */
  pinned_ts?: string;
}

/** A consumer, as the server sees it. */
export interface ConsumerInfo {
  /** the stream it is of */
  stream_name: string;
  /** its name */
  name: string;
  /** when it was made */
  created: string;
  /** with all defaults */
  config: ConsumerConfig;
  /** the last message sent */
  delivered: SequenceInfo;
  /** all up to here are acknowledged */
  ack_floor: SequenceInfo;
  /** sent, and not acknowledged yet */
  num_ack_pending: number;
  /** of these, sent more than once */
  num_redelivered: number;
  /** pulls that wait */
  num_waiting: number;
  /** messages of the stream that were not sent yet */
  num_pending: number;
  /** where it is */
  cluster?: ClusterInfo;
  /** somebody listens to the deliver subject */
  push_bound?: boolean;
  /** when it looked. Server 2.10. */
  ts?: string;
  /** it delivers nothing until its `pause_until`. Server 2.11. */
  paused?: boolean;
  /** nanoseconds until then. Server 2.11. */
  pause_remaining?: Nanos;
  /** who has the pins. Server 2.11. */
  priority_groups?: PriorityGroupState[];
}

/** What a consumer that has a deliver subject is, and one that has none isn't. */
export function isPushConsumer(info: ConsumerInfo): boolean {
  return info.config.deliver_subject !== undefined && info.config.deliver_subject !== "";
}

/** A consumer that sends when it is asked. */
export function isPullConsumer(info: ConsumerInfo): boolean {
  return !isPushConsumer(info);
}
