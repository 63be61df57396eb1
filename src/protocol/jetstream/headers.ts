// Headers: the names of the headers that JetStream reads and writes. Character for character: the server minds the case.

/** Headers of calls, heartbeats and statuses, and values of some. */
export const JsHeaders = {
  /** where a sourced message comes from */
  StreamSourceHdr: "Nats-Stream-Source",
  /** of heartbeats: the delivery sequence */
  LastConsumerSeqHdr: "Nats-Last-Consumer",
  /** of heartbeats: the stream sequence */
  LastStreamSeqHdr: "Nats-Last-Stream",
  /** of heartbeats: the subject to answer, when the server waits for it */
  ConsumerStalledHdr: "Nats-Consumer-Stalled",
  /** bytes of the payload, where only the headers are sent */
  MessageSizeHdr: "Nats-Msg-Size",
  /** of a publish: replaces the messages before it */
  RollupHdr: "Nats-Rollup",
  /** those of its subject */
  RollupValueSubject: "sub",
  /** all */
  RollupValueAll: "all",
  /** of the end of a pull: messages it would have taken */
  PendingMessagesHdr: "Nats-Pending-Messages",
  /** of the end of a pull: bytes it would have taken */
  PendingBytesHdr: "Nats-Pending-Bytes",
  /** the API level that a call needs. Server 2.12. */
  RequiredApiLevel: "Nats-Required-Api-Level",
} as const;

/** Headers that a direct get adds to the message, behind those of its publisher. */
export const DirectMsgHeaders = {
  Stream: "Nats-Stream",
  Sequence: "Nats-Sequence",
  TimeStamp: "Nats-Time-Stamp",
  Subject: "Nats-Subject",
  /** of several: the sequence of the one before it; 0 in the first */
  LastSequence: "Nats-Last-Sequence",
  /** of several: how many follow */
  NumPending: "Nats-Num-Pending",
  /** of the end of several: what it was up to */
  UpToSequence: "Nats-UpTo-Sequence",
} as const;

/** Headers of a message that a stream published again. */
export const RepublishHeaders = {
  Stream: "Nats-Stream",
  Subject: "Nats-Subject",
  Sequence: "Nats-Sequence",
  /** the sequence of the message before it of the same subject; 0 where there is none */
  LastSequence: "Nats-Last-Sequence",
  /** bytes of the payload, where only the headers are sent */
  Size: "Nats-Msg-Size",
} as const;
