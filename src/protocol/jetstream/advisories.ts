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
  /** of JetStream, where the server has one */
  domain?: string;
  /** the account that it happened in */
  account?: string;
}

/** Who asked for something. Servers tell more than is named here. */
export interface AdvisoryClient {
  /** its account */
  acc?: string;
  /** the name or public key that it logged in with */
  user?: string;
  /** the name that the connection gave itself */
  name?: string;
  /** the library it uses */
  lang?: string;
  /** the version of that */
  ver?: string;
  /** its address, as the server sees it */
  host?: string;
  /** of its connection, at the server */
  id?: number;
  /** name of the server that it is connected to */
  server?: string;
  [field: string]: unknown;
}

/** A call of the API. */
export interface ApiAuditAdvisory extends AdvisoryBase {
  /** name of the server that answered */
  server: string;
  /** who called */
  client: AdvisoryClient;
  /** the subject of the call */
  subject: string;
  /** what was sent, JSON; nothing where the call had no payload */
  request?: string;
  /** what was answered, JSON */
  response: string;
}

/** Calls of the API were dropped, as there were too many. Server 2.10. */
export interface ApiLimitAdvisory extends AdvisoryBase {
  /** name of the server that dropped them */
  server: string;
  /** how many calls were dropped */
  dropped: number;
}

/** A stream was made, changed or deleted. */
export interface StreamActionAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** what was done to it */
  action: "create" | "modify" | "delete";
}

/** A consumer was made or deleted. */
export interface ConsumerActionAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the consumer */
  consumer: string;
  /** what was done to it */
  action: "create" | "delete";
}

/** A consumer was paused or goes on. Server 2.11. */
export interface ConsumerPauseAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the consumer */
  consumer: string;
  /** true where it was paused, false where it goes on */
  paused: boolean;
  /** RFC 3339: until when, where it is paused */
  pause_until?: string;
}

/** A client was given the place of a priority group. Server 2.11. */
export interface ConsumerPinnedAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the consumer */
  consumer: string;
  /** name of the priority group */
  group: string;
  /** of the pin that the client has now */
  pinned_id: string;
}

/** A client lost it. Server 2.11. */
export interface ConsumerUnpinnedAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the consumer */
  consumer: string;
  /** name of the priority group */
  group: string;
  /** `admin` or `timeout` */
  reason: string;
}

/** A message was sent `max_deliver` times, and not acknowledged. */
export interface MaxDeliverAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the consumer */
  consumer: string;
  /** sequence of the message in the stream */
  stream_seq: number;
  /** how often the message was delivered */
  deliveries: number;
}

/** A message was refused: to come again (`nak`), or never (`terminated`). */
export interface RefusedAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the consumer */
  consumer: string;
  /** number of the delivery, of the consumer */
  consumer_seq: number;
  /** sequence of the message in the stream */
  stream_seq: number;
  /** how often the message was delivered */
  deliveries: number;
  /** of `terminated`, where one was given */
  reason?: string;
}

/** A stream has a leader, or too few replicas to have one. */
export interface StreamLeaderAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the server that leads it now; only of those that were elected */
  leader?: string;
  /** the servers that have it */
  replicas: PeerInfo[];
}

/** A consumer has a leader, or too few replicas to have one. */
export interface ConsumerLeaderAdvisory extends StreamLeaderAdvisory {
  /** name of the consumer */
  consumer: string;
}

/** A snapshot or a restore began or ended. */
export interface SnapshotAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** who asked for it */
  client: AdvisoryClient;
  /** RFC 3339: when it began; only of those that ended */
  start?: string;
  /** RFC 3339: when it ended; only of those that ended */
  end?: string;
  /** of a restore that ended: how many came */
  bytes?: number;
  [field: string]: unknown;
}

/** An atomic batch was given up. Server 2.12. */
export interface BatchAbandonedAdvisory extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** id of the batch */
  batch: string;
  /** such as `timeout`, `large` or `incomplete` */
  reason: string;
}

/** A server has no room left, or was removed from its cluster. */
export interface ServerAdvisory extends AdvisoryBase {
  /** name of the server */
  server: string;
  [field: string]: unknown;
}

/** An acknowledgement, of a consumer with a `sample_freq`; at `$JS.EVENT.METRIC.CONSUMER.ACK.<stream>.<consumer>`. */
export interface ConsumerAckMetric extends AdvisoryBase {
  /** name of the stream */
  stream: string;
  /** name of the consumer */
  consumer: string;
  /** number of the delivery, of the consumer */
  consumer_seq: number;
  /** sequence of the message in the stream */
  stream_seq: number;
  /** nanoseconds */
  ack_time: number;
  /** how often the message was delivered */
  deliveries: number;
}

/** What each kind of advisory has. The kind is the last token of its `type`. */
export interface AdvisoryData {
  /** a call of the API was answered */
  api_audit: ApiAuditAdvisory;
  /** calls of the API were dropped */
  api_limit_reached: ApiLimitAdvisory;
  /** a stream was made, changed or deleted */
  stream_action: StreamActionAdvisory;
  /** a consumer was made or deleted */
  consumer_action: ConsumerActionAdvisory;
  /** a consumer was paused, or goes on */
  consumer_pause: ConsumerPauseAdvisory;
  /** a client was given the place of a priority group */
  consumer_group_pinned: ConsumerPinnedAdvisory;
  /** a client lost the place of a priority group */
  consumer_group_unpinned: ConsumerUnpinnedAdvisory;
  /** a message was delivered `max_deliver` times in vain */
  max_deliver: MaxDeliverAdvisory;
  /** a message was refused, and comes again */
  nak: RefusedAdvisory;
  /** a message was refused, and never comes again */
  terminated: RefusedAdvisory;
  /** a message was acknowledged: a metric */
  consumer_ack: ConsumerAckMetric;
  /** a stream has a new leader */
  stream_leader_elected: StreamLeaderAdvisory;
  /** a stream has too few replicas to go on */
  stream_quorum_lost: StreamLeaderAdvisory;
  /** a consumer has a new leader */
  consumer_leader_elected: ConsumerLeaderAdvisory;
  /** a consumer has too few replicas to go on */
  consumer_quorum_lost: ConsumerLeaderAdvisory;
  /** a snapshot began */
  snapshot_create: SnapshotAdvisory;
  /** a snapshot ended */
  snapshot_complete: SnapshotAdvisory;
  /** a restore began */
  restore_create: SnapshotAdvisory;
  /** a restore ended */
  restore_complete: SnapshotAdvisory;
  /** an atomic batch was given up */
  stream_batch_abandoned: BatchAbandonedAdvisory;
  /** a server has no room left */
  server_out_of_space: ServerAdvisory;
  /** a server was removed from its cluster */
  server_removed: ServerAdvisory;
}

/** A kind of advisory that this version knows. Servers may send others. */
export type AdvisoryKind = keyof AdvisoryData;
