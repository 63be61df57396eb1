// Error codes: the numbers by which the JetStream API tells its errors apart. They don't change; their texts do.

/** The `err_code` of errors that programs act on. Others exist, and newer servers add to them. */
export const JetStreamApiCodes = {
  /** a cluster without a leader, for a moment */
  ClusterNotAvailable: 10008,
  /** the options of the call don't go together */
  BadRequest: 10003,
  /** a consumer configuration the server can't use; the text says why */
  ConsumerCreate: 10012,
  /** a push consumer that somebody listens to, or a change that can't be made */
  ConsumerNameExists: 10013,
  ConsumerNotFound: 10014,
  /** nowhere to put it, or not enough memory */
  InsufficientResources: 10023,
  /** not JSON, or a field that this server doesn't know */
  InvalidJson: 10025,
  MaximumConsumersLimit: 10026,
  MaximumStreamsLimit: 10027,
  NoMessageFound: 10037,
  JetStreamNotEnabledForAccount: 10039,
  SequenceNotFound: 10043,
  /** a stream configuration the server can't use; the text says why */
  StreamInvalidConfig: 10052,
  /** larger than `max_msg_size` */
  MessageSizeExceedsMaximum: 10054,
  /** `deny_delete` */
  MessageDeleteDenied: 10057,
  StreamNameExists: 10058,
  StreamNotFound: 10059,
  /** the expected stream is another */
  StreamNotMatch: 10060,
  SubjectsOverlap: 10065,
  /** the expected message id is another */
  StreamWrongLastMessageId: 10070,
  StreamWrongLastSequence: 10071,
  JetStreamNotEnabled: 10076,
  /** a limit is reached and `discard` is `new`; the text says which */
  StreamStoreFailed: 10077,
  ConsumerAlreadyActive: 10105,
  /** the stream is sealed */
  StreamSealed: 10109,
  /** `deny_purge` */
  StreamPurgeDenied: 10110,
  StreamOffline: 10118,
  ConsumerOffline: 10119,
  /** a restore over a stream that is there */
  StreamNameExistsRestore: 10130,
  ConsumerBothFilters: 10136,
  ConsumerFiltersOverlap: 10138,
  ConsumerEmptyFilter: 10139,
  /** there is one, and the action was `create` */
  ConsumerAlreadyExists: 10148,
  /** there is none, and the action was `update` */
  ConsumerDoesNotExist: 10149,
  /** a value would have been changed; `pedantic` */
  Pedantic: 10157,
  /** the same message id is being stored right now */
  DuplicateMessageInProcess: 10158,
  /** no such priority group */
  InvalidPriorityGroup: 10160,
  /** as 10071, where it isn't known which the last is */
  StreamWrongLastSequenceUnknown: 10164,
  MessageTtlInvalid: 10165,
  MessageTtlDisabled: 10166,
  TooManyRequests: 10167,
  /** the stream has no `allow_msg_counter` */
  MessageCounterDisabled: 10168,
  /** the stream has no `allow_atomic` */
  AtomicPublishDisabled: 10174,
  AtomicPublishMissingSequence: 10175,
  /** a message of the batch is missing, or it was idle for too long */
  AtomicPublishIncomplete: 10176,
  /** `Nats-Expected-Last-Msg-Id` */
  AtomicPublishUnsupportedHeader: 10177,
  AtomicPublishInvalidId: 10179,
  /** too high or no number */
  RequiredApiLevel: 10185,
  /** with the reason in the text */
  StreamOfflineReason: 10194,
  /** with the reason in the text */
  ConsumerOfflineReason: 10195,
  /** the stream has no `allow_msg_schedules` */
  MessageSchedulesDisabled: 10188,
  MessageSchedulesInvalidPattern: 10189,
  MessageSchedulesInvalidTarget: 10190,
  /** more than 1000 messages, unless the server is configured otherwise */
  AtomicPublishTooLarge: 10199,
  AtomicPublishInvalidCommit: 10200,
  /** two messages of the batch have one id, or the stream has it already */
  AtomicPublishDuplicateId: 10201,
  ConsumerInvalidReset: 10204,
  /** the stream has no `allow_batched` */
  BatchPublishDisabled: 10205,
  BatchPublishInvalidPattern: 10206,
  BatchPublishInvalidId: 10207,
  /** it is over, or was idle for too long */
  BatchPublishUnknownId: 10208,
  /** 50 batches of the stream or 1000 of the server are open, unless it is configured otherwise */
  AtomicPublishTooManyInflight: 10210,
  BatchPublishTooManyInflight: 10211,
} as const;
