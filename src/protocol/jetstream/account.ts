// Account: the JSON of what an account uses and may use.

/** The bounds of an account; -1 is no limit. */
export interface JetStreamAccountLimits {
  /** bytes */
  max_memory: number;
  /** bytes */
  max_storage: number;
  max_streams: number;
  /** of all streams together */
  max_consumers: number;
  /** of one consumer */
  max_ack_pending: number;
  /** bytes of one stream in memory */
  memory_max_stream_bytes: number;
  /** bytes of one stream in files */
  storage_max_stream_bytes: number;
  /** streams must have a `max_bytes` */
  max_bytes_required: boolean;
}

/** What is used, of all or of one tier. */
export interface JetStreamUsage {
  /** bytes in memory */
  memory: number;
  /** bytes in files */
  storage: number;
  /** bytes of memory that streams with `max_bytes` reserve */
  reserved_memory: number;
  /** bytes of files that streams with `max_bytes` reserve */
  reserved_storage: number;
  streams: number;
  consumers: number;
  limits: JetStreamAccountLimits;
}

/** The calls of the API. */
export interface JetStreamApiStats {
  /** what this server can do: 1 is that of 2.11, 2 of 2.12, 4 of 2.14, 5 of 2.15; none before. */
  level?: number;
  total: number;
  errors: number;
  /** calls that are being worked on */
  inflight?: number;
}

/** What an account uses and may use. */
export interface JetStreamAccountStats extends JetStreamUsage {
  api: JetStreamApiStats;
  domain?: string;
  /** by number of replicas, as `R1`, where the account has such limits */
  tiers?: Record<string, JetStreamUsage>;
}
