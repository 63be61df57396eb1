// Advisories: the JSON that a server publishes when something happened to a stream or a consumer (ADR-2).
import type { PeerInfo } from "./stream.ts";

/** Where advisories are published, whatever the prefix of the API. */
export const ADVISORY_PREFIX = "$JS.EVENT.ADVISORY";

/** What all of them have. */
export interface AdvisoryBase {
  /** such as `io.nats.jetstream.advisory.v1.stream_action` */
  type: string;
  /** unique */
  id: string;
  /** RFC 3339 */
  timestamp: string;
  domain?: string;
  account?: string;
}

/** Who asked for something. Servers tell more than is named here. */
export interface AdvisoryClient {
  acc?: string;
  user?: string;
  name?: string;
  lang?: string;
  ver?: string;
  host?: string;
  id?: number;
  server?: string;
  [field: string]: unknown;
}

/** A call of the API. */
export interface ApiAuditAdvisory extends AdvisoryBase {
  server: string;
  client: AdvisoryClient;
  subject: string;
  request?: string;
  response: string;
}

/** Calls of the API were dropped, as there were too many. Server 2.10. */
export interface ApiLimitAdvisory extends AdvisoryBase {
  server: string;
  dropped: number;
}

/** A stream was made, changed or deleted. */
export interface StreamActionAdvisory extends AdvisoryBase {
  stream: string;
  action: "create" | "modify" | "delete";
}

/** A consumer was made or deleted. */
export interface ConsumerActionAdvisory extends AdvisoryBase {
  stream: string;
  consumer: string;
  action: "create" | "delete";
}

/** A consumer was paused or goes on. Server 2.11. */
export interface ConsumerPauseAdvisory extends AdvisoryBase {
  stream: string;
  consumer: string;
  paused: boolean;
  pause_until?: string;
}

/** A client was given the place of a priority group. Server 2.11. */
export interface ConsumerPinnedAdvisory extends AdvisoryBase {
  stream: string;
  consumer: string;
  group: string;
  pinned_id: string;
}

/** A client lost it. Server 2.11. */
export interface ConsumerUnpinnedAdvisory extends AdvisoryBase {
  stream: string;
  consumer: string;
  group: string;
  /** `admin` or `timeout` */
  reason: string;
}

/** A message was sent `max_deliver` times, and not acknowledged. */
export interface MaxDeliverAdvisory extends AdvisoryBase {
  stream: string;
  consumer: string;
  stream_seq: number;
  deliveries: number;
}

/** A message was refused: to come again (`nak`), or never (`terminated`). */
export interface RefusedAdvisory extends AdvisoryBase {
  stream: string;
  consumer: string;
  consumer_seq: number;
  stream_seq: number;
  deliveries: number;
  /** of `terminated`, where one was given */
  reason?: string;
}

/** A stream has a leader, or too few replicas to have one. */
export interface StreamLeaderAdvisory extends AdvisoryBase {
  stream: string;
  leader?: string;
  replicas: PeerInfo[];
}

/** A consumer has a leader, or too few replicas to have one. */
export interface ConsumerLeaderAdvisory extends StreamLeaderAdvisory {
  consumer: string;
}

/** A snapshot or a restore began or ended. */
export interface SnapshotAdvisory extends AdvisoryBase {
  stream: string;
  client: AdvisoryClient;
  start?: string;
  end?: string;
  bytes?: number;
  [field: string]: unknown;
}

/** An atomic batch was given up. Server 2.12. */
export interface BatchAbandonedAdvisory extends AdvisoryBase {
  stream: string;
  batch: string;
  /** such as `timeout`, `large` or `incomplete` */
  reason: string;
}

/** A server has no room left, or was removed from its cluster. */
export interface ServerAdvisory extends AdvisoryBase {
  server: string;
  [field: string]: unknown;
}

/** An acknowledgement, of a consumer with a `sample_freq`; at `$JS.EVENT.METRIC.CONSUMER.ACK.<stream>.<consumer>`. */
export interface ConsumerAckMetric extends AdvisoryBase {
  stream: string;
  consumer: string;
  consumer_seq: number;
  stream_seq: number;
  /** nanoseconds */
  ack_time: number;
  deliveries: number;
}

/** What each kind of advisory has. The kind is the last token of its `type`. */
export interface AdvisoryData {
  api_audit: ApiAuditAdvisory;
  api_limit_reached: ApiLimitAdvisory;
  stream_action: StreamActionAdvisory;
  consumer_action: ConsumerActionAdvisory;
  consumer_pause: ConsumerPauseAdvisory;
  consumer_group_pinned: ConsumerPinnedAdvisory;
  consumer_group_unpinned: ConsumerUnpinnedAdvisory;
  max_deliver: MaxDeliverAdvisory;
  nak: RefusedAdvisory;
  terminated: RefusedAdvisory;
  consumer_ack: ConsumerAckMetric;
  stream_leader_elected: StreamLeaderAdvisory;
  stream_quorum_lost: StreamLeaderAdvisory;
  consumer_leader_elected: ConsumerLeaderAdvisory;
  consumer_quorum_lost: ConsumerLeaderAdvisory;
  snapshot_create: SnapshotAdvisory;
  snapshot_complete: SnapshotAdvisory;
  restore_create: SnapshotAdvisory;
  restore_complete: SnapshotAdvisory;
  stream_batch_abandoned: BatchAbandonedAdvisory;
  server_out_of_space: ServerAdvisory;
  server_removed: ServerAdvisory;
}

/** A kind of advisory that this version knows. Servers may send others. */
export type AdvisoryKind = keyof AdvisoryData;
