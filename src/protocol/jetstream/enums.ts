// Enums: the closed sets of words in stream and consumer configurations, each as values and as a type.

/** When a stream lets go of messages. */
export const RetentionPolicy = {
  /** when a limit is reached */
  Limits: "limits",
  /** when every consumer that is interested has acknowledged them */
  Interest: "interest",
  /** when a consumer has acknowledged them */
  Workqueue: "workqueue",
} as const;
export type RetentionPolicy = (typeof RetentionPolicy)[keyof typeof RetentionPolicy];

/** What goes when a stream is full. */
export const DiscardPolicy = {
  /** the oldest messages */
  Old: "old",
  /** the new one: the publish is refused */
  New: "new",
} as const;
export type DiscardPolicy = (typeof DiscardPolicy)[keyof typeof DiscardPolicy];

/** Where a stream keeps its messages. */
export const StorageType = { File: "file", Memory: "memory" } as const;
export type StorageType = (typeof StorageType)[keyof typeof StorageType];

/** How the blocks of a file store are compressed. Server 2.10. */
export const StoreCompression = { None: "none", S2: "s2" } as const;
export type StoreCompression = (typeof StoreCompression)[keyof typeof StoreCompression];

/** When a publish is acknowledged. Server 2.12. */
export const PersistMode = {
  /** after the message was given to the disk */
  Default: "default",
  /** before: a crash of the server may lose what was acknowledged */
  Async: "async",
} as const;
export type PersistMode = (typeof PersistMode)[keyof typeof PersistMode];

/** Which messages of a consumer are to be acknowledged. The server's default is `none`. */
export const AckPolicy = {
  /** none: a message counts as acknowledged when it is sent */
  None: "none",
  /** an acknowledgement counts for all messages before it too */
  All: "all",
  /** each */
  Explicit: "explicit",
  /** by answers to flow control; for consumers that other streams source from. Server 2.14. */
  FlowControl: "flow_control",
} as const;
export type AckPolicy = (typeof AckPolicy)[keyof typeof AckPolicy];

/** Where in the stream a consumer begins. */
export const DeliverPolicy = {
  /** with the first message */
  All: "all",
  /** with the last message */
  Last: "last",
  /** with what comes after its creation */
  New: "new",
  /** at `opt_start_seq` */
  StartSequence: "by_start_sequence",
  /** at `opt_start_time` */
  StartTime: "by_start_time",
  /** with the last message of each subject that the filter matches */
  LastPerSubject: "last_per_subject",
} as const;
export type DeliverPolicy = (typeof DeliverPolicy)[keyof typeof DeliverPolicy];

/** How fast a consumer is sent what is stored already. */
export const ReplayPolicy = {
  /** as fast as it goes */
  Instant: "instant",
  /** with the pauses that were between the publishes */
  Original: "original",
} as const;
export type ReplayPolicy = (typeof ReplayPolicy)[keyof typeof ReplayPolicy];

/** Which pulls of a priority group are served. Server 2.11. */
export const PriorityPolicy = {
  None: "none",
  /** those whose `min_pending` or `min_ack_pending` is reached */
  Overflow: "overflow",
  /** those of one client, until it is gone for `priority_timeout` */
  PinnedClient: "pinned_client",
  /** those of the lowest `priority` first. Server 2.12. */
  Prioritized: "prioritized",
} as const;
export type PriorityPolicy = (typeof PriorityPolicy)[keyof typeof PriorityPolicy];
