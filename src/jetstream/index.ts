// isonats/jetstream: streams and consumers. Every public name, one by one.
export type {
  JetStreamAccountLimits,
  JetStreamAccountStats,
  JetStreamApiStats,
  JetStreamUsage,
} from "../protocol/jetstream/account.ts";
export type {
  AdvisoryBase,
  AdvisoryClient,
  AdvisoryData,
  AdvisoryKind,
  ApiAuditAdvisory,
  ApiLimitAdvisory,
  BatchAbandonedAdvisory,
  ConsumerAckMetric,
  ConsumerActionAdvisory,
  ConsumerLeaderAdvisory,
  ConsumerPauseAdvisory,
  ConsumerPinnedAdvisory,
  ConsumerUnpinnedAdvisory,
  MaxDeliverAdvisory,
  RefusedAdvisory,
  ServerAdvisory,
  SnapshotAdvisory,
  StreamActionAdvisory,
  StreamLeaderAdvisory,
} from "../protocol/jetstream/advisories.ts";
export type {
  ConsumerResetResponse,
  DirectGetRequest,
  MsgGetRequest,
  PageRequest,
  PauseResponse,
  Pedantic,
  PurgeRequest,
  PurgeResponse,
  SnapshotInfo,
  StreamInfoRequest,
  SuccessReply,
} from "../protocol/jetstream/api.ts";
export {
  type ConsumerConfig,
  type ConsumerInfo,
  type ConsumerUpdateConfig,
  isPullConsumer,
  isPushConsumer,
  type PriorityGroupState,
  type SequenceInfo,
} from "../protocol/jetstream/consumer.ts";
export {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  PersistMode,
  PriorityPolicy,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  StoreCompression,
} from "../protocol/jetstream/enums.ts";
export { JetStreamApiCodes } from "../protocol/jetstream/error-codes.ts";
export { DirectMsgHeaders, JsHeaders, RepublishHeaders } from "../protocol/jetstream/headers.ts";
export { PubHeaders } from "../protocol/jetstream/publish.ts";
export type {
  ApiError,
  ClusterInfo,
  DesiredPlacement,
  ExternalStream,
  LostStreamData,
  PeerInfo,
  Placement,
  Republish,
  StreamAlternate,
  StreamConfig,
  StreamConsumerLimits,
  StreamConsumerSource,
  StreamInfo,
  StreamSource,
  StreamSourceInfo,
  StreamState,
  StreamUpdateConfig,
  SubjectTransformConfig,
} from "../protocol/jetstream/stream.ts";
export type { DeliveryInfo } from "./ack-subject.ts";
export type { Advisories, Advisory, AdvisoryOptions } from "./advisories.ts";
export type { ApiOptions } from "./api.ts";
export type { Batch, BatchMessageOptions } from "./batch.ts";
export {
  ConsumerExistsError,
  ConsumerNotFoundError,
  JetStreamApiError,
  JetStreamError,
  JetStreamNotEnabledError,
  JetStreamStatusError,
  MessageNotFoundError,
  StreamExistsError,
  StreamNotFoundError,
  WrongLastSequenceError,
  type ApiErrorFacts,
} from "./api-error.ts";
export { jetstream, type JetStreamClient, jetstreamManager } from "./client.ts";
export type { Changes, ConfigOptions } from "./config.ts";
export type { ConsumerAPI } from "./consumer-api.ts";
export type { Consumers } from "./consumers.ts";
export { type CounterEntry, type Counters, counters } from "./counters.ts";
export type {
  BoundPushConsumerOptions,
  ConsumeCallback,
  ConsumeOptions,
  Consumer,
  ConsumerDeleted,
  ConsumerHealth,
  ConsumerMessages,
  ConsumerNotFound,
  ConsumerNotification,
  ConsumerPinned,
  ConsumerUnpinned,
  Debug,
  Discard,
  ExceededLimits,
  FetchOptions,
  FlowControl,
  Heartbeat,
  HeartbeatsMissed,
  MissingOptions,
  NextOptions,
  NextPull,
  NoResponders,
  OrderedConsumerOptions,
  OrderedConsumerRecreated,
  OrderedPushConsumerOptions,
  PriorityOptions,
  ProcessFigures,
  ProcessHandler,
  Processing,
  ProcessOptions,
  PullConsumer,
  PullOptions,
  PullRequest,
  PushConsumeOptions,
  PushConsumer,
  Reset,
  StreamNotFound,
} from "./consuming.ts";
export { ackAckAll, type JsMsg, type NextRequest } from "./js-msg.ts";
export type {
  DirectBatchRequest,
  DirectLastRequest,
  DirectStreamAPI,
} from "./direct.ts";
export type { DirectEnd, DirectMessages } from "./direct-batch.ts";
export type { DirectMsgRequest } from "./direct-get.ts";
export type {
  FastIngest,
  FastIngestGap,
  FastIngestOptions,
  FastIngestProgress,
  FastIngestRefusal,
} from "./fast-ingest.ts";
export { type JetStreamLite, jetstreamLite } from "./lite.ts";
export type { Lister } from "./lister.ts";
export type { JetStreamManager } from "./manager.ts";
export type { JetStreamManagerOptions, JetStreamOptions } from "./options.ts";
export { NoStreamError, OutcomeUnknownError, type PubAck, type BatchAck } from "./pub-ack.ts";
export type {
  JetStreamMessageOptions,
  JetStreamPublishOptions,
  PublishExpectations,
  RetryOptions,
} from "./publish-options.ts";
export type { JetStreamPublisher, PublisherMessageOptions, PublisherOptions } from "./publisher.ts";
export type { PullConsumers } from "./pull-consumers.ts";
export type {
  CancelScheduleOptions,
  PredefinedSchedule,
  ScheduleOptions,
  ScheduleSpecification,
} from "./schedule.ts";
export type {
  RestoreOptions,
  SnapshotOptions,
  SnapshotProgress,
  SnapshotSource,
  StreamSnapshot,
} from "./snapshot.ts";
export type { DirectMsg, StoredMsg } from "./stored.ts";
export type { Stream } from "./stream.ts";
export type { PurgeOptions, StreamAPI } from "./stream-api.ts";
export type { StreamInfoOptions } from "./stream-info.ts";
