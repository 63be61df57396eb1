// Api: the calls of the JetStream API as they are on the wire: subjects, requests and replies. Client and server share it.
import type { Nanos } from "../../lib/nanos.ts";
import type { JetStreamAccountStats } from "./account.ts";
import type { ConsumerConfig, ConsumerInfo } from "./consumer.ts";
import type { ApiError, Placement, StreamConfig, StreamInfo, StreamState } from "./stream.ts";

/** What the subjects of the API begin with, unless there is a domain or a prefix of another account. */
export const API_PREFIX = "$JS.API";

/** The prefix of the API of a domain. */
export function domainPrefix(domain: string): string {
  return `$JS.${domain}.API`;
}

/** Every reply: `error`, or the fields of its call. */
export interface ApiReply {
  /** `io.nats.jetstream.api.v1.<call>_response` */
  type: string;
  error?: ApiError;
}

/** Asks for a page of a list. */
export interface PageRequest {
  /** how many to leave out */
  offset?: number;
}

/** A page of a list. */
export interface PageReply {
  /** how many there are on all pages */
  total: number;
  offset: number;
  /** the most that a page may have */
  limit: number;
}

/** What a list can't tell more of. */
export interface Unlisted {
  /** names of what did not answer */
  missing?: string[];
  /** why what is offline is: reasons by name. Server 2.11. */
  offline?: Record<string, string>;
}

/** Whether the thing was done. */
export interface SuccessReply {
  /** it was */
  success: boolean;
}

/** Lets the server refuse what it would adjust. */
export interface Pedantic {
  /** refuse values that would be changed, rather than change them. Server 2.11. */
  pedantic?: boolean;
}

/** What to tell of a stream. */
export interface StreamInfoRequest extends PageRequest {
  /** list the sequences of deleted messages */
  deleted_details?: boolean;
  /** count the messages of the subjects that match */
  subjects_filter?: string;
}

/** What to purge; everything where nothing is said. Not `seq` and `keep` together. */
export interface PurgeRequest {
  /** only these subjects */
  filter?: string;
  /** only what is before this sequence */
  seq?: number;
  /** all but the last so many */
  keep?: number;
}

/** What was purged. */
export interface PurgeResponse extends SuccessReply {
  /** how many messages */
  purged: number;
}

/** Which message to get: one of the first three, or `next_by_subj` with `seq` or `start_time`. */
export interface MsgGetRequest {
  /** its sequence; with `next_by_subj` that to begin with */
  seq?: number | bigint;
  /** the last message of the subject; wildcards allowed */
  last_by_subj?: string;
  /** RFC 3339: the first message since. Server 2.11. */
  start_time?: string;
  /** the first message of the subject, from `seq` on; wildcards allowed */
  next_by_subj?: string;
  /** without its headers. Server 2.12. */
  no_hdr?: boolean;
}

/** Which messages to get directly: those of {@link MsgGetRequest}, or several. */
export interface DirectGetRequest extends MsgGetRequest {
  /** the most messages. Server 2.11. */
  batch?: number;
  /** bytes of subjects, headers and payloads after which it stops; the server's default is 64 MiB. Server 2.11. */
  max_bytes?: number;
  /** the last message of each of these subjects; wildcards allowed. Server 2.11. */
  multi_last?: string[];
  /** as they were when this was the last sequence; not with `up_to_time`. Server 2.11. */
  up_to_seq?: number | bigint;
  /** RFC 3339: as they were then. Server 2.11. */
  up_to_time?: string;
}

/** A stored message. */
export interface StoredMessageReply {
  subject: string;
  seq: number;
  /** base64 of the header block */
  hdrs?: string;
  /** base64 of the payload */
  data?: string;
  time: string;
}

/** Asks for a snapshot. */
export interface SnapshotRequest {
  /** where the chunks go */
  deliver_subject: string;
  /** without the consumers */
  no_consumers?: boolean;
  /** bytes of a chunk: 1 KiB to 1 MiB, default 128 KiB */
  chunk_size?: number;
  /** bytes on their way: 1 KiB to 32 MiB, default 8 MiB. Server 2.12. */
  window_size?: number;
  /** check the messages first */
  jsck?: boolean;
}

/** What a snapshot is of. */
export interface SnapshotInfo {
  /** how the stream was set up */
  config: StreamConfig;
  /** what was in it */
  state: StreamState;
}

/** Makes, changes, or makes or changes (absent) a consumer. */
export type ConsumerAction = "create" | "update";

/** Makes or changes a consumer. */
export interface CreateConsumerRequest extends Pedantic {
  stream_name: string;
  config: ConsumerConfig;
  /** Server 2.10; ignored before. */
  action?: ConsumerAction;
}

/** Until when a consumer is paused. */
export interface PauseResponse {
  /** it delivers nothing now */
  paused: boolean;
  /** RFC 3339: the end of the pause */
  pause_until: string;
  /** nanoseconds until then */
  pause_remaining?: Nanos;
}

/** A consumer after its reset. */
export interface ConsumerResetResponse extends ConsumerInfo {
  /** the sequence of the stream that it goes on from */
  reset_seq: number;
}

/** Says who shall lead. */
export interface StepDownRequest {
  /** where the new leader shall be. Server 2.11. */
  placement?: Placement;
}

/**
 * The calls, by the tokens of their subjects after the prefix. The names of stream and consumer follow, as in
 * `$JS.API.CONSUMER.INFO.<stream>.<consumer>`.
 */
export interface ApiCalls {
  INFO: { request: undefined; reply: JetStreamAccountStats };
  "STREAM.CREATE": { request: StreamConfig & Pedantic; reply: StreamInfo & { did_create?: boolean } };
  "STREAM.UPDATE": { request: StreamConfig & Pedantic; reply: StreamInfo };
  "STREAM.NAMES": {
    request: PageRequest & { subject?: string | undefined };
    reply: PageReply & { streams: string[] | null };
  };
  "STREAM.LIST": {
    request: PageRequest & { subject?: string | undefined };
    reply: PageReply & Unlisted & { streams: StreamInfo[] | null };
  };
  "STREAM.INFO": { request: StreamInfoRequest; reply: StreamInfo & PageReply };
  "STREAM.DELETE": { request: undefined; reply: SuccessReply };
  "STREAM.PURGE": { request: PurgeRequest; reply: PurgeResponse };
  "STREAM.MSG.GET": { request: MsgGetRequest; reply: { message: StoredMessageReply } };
  "STREAM.MSG.DELETE": { request: { seq: number | bigint; no_erase?: boolean }; reply: SuccessReply };
  "STREAM.SNAPSHOT": { request: SnapshotRequest; reply: SnapshotInfo };
  "STREAM.RESTORE": { request: SnapshotInfo; reply: { deliver_subject: string } };
  "STREAM.LEADER.STEPDOWN": { request: StepDownRequest; reply: SuccessReply };
  "STREAM.PEER.REMOVE": { request: { peer: string }; reply: SuccessReply };
  /** Server 2.15. */
  "STREAM.PEER.EVACUATE": { request: { peer: string }; reply: SuccessReply };
  /** Server 2.15. */
  "STREAM.CANCEL_MOVE": { request: undefined; reply: StreamInfo };
  /** `<stream>.<consumer>`, and the filter where it is one subject */
  "CONSUMER.CREATE": { request: CreateConsumerRequest; reply: ConsumerInfo };
  "CONSUMER.NAMES": { request: PageRequest; reply: PageReply & { consumers: string[] | null } };
  "CONSUMER.LIST": {
    request: PageRequest;
    reply: PageReply & Unlisted & { consumers: ConsumerInfo[] | null };
  };
  "CONSUMER.INFO": { request: undefined; reply: ConsumerInfo };
  "CONSUMER.DELETE": { request: undefined; reply: SuccessReply };
  "CONSUMER.PAUSE": { request: { pause_until?: string }; reply: PauseResponse };
  "CONSUMER.UNPIN": { request: { group: string }; reply: object };
  "CONSUMER.RESET": { request: { seq?: number | bigint }; reply: ConsumerResetResponse };
  "CONSUMER.LEADER.STEPDOWN": { request: StepDownRequest; reply: SuccessReply };
  /** Server 2.15. */
  "CONSUMER.PEER.REMOVE": { request: { peer: string }; reply: SuccessReply };
  /** Server 2.15. */
  "CONSUMER.PEER.EVACUATE": { request: { peer: string }; reply: SuccessReply };
}

/** The name of a call. */
export type ApiVerb = keyof ApiCalls;
