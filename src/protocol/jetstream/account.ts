// Account: the JSON of what an account uses and may use.

/** The bounds of an account; -1 is no limit. */
export interface JetStreamAccountLimits {
  /** bytes */
  max_memory: number;
  /** bytes */
  max_storage: number;
  /** of all kinds together */
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
  /** bytes of memory that streams with `max_bytes` reserve. Server 2.10. */
  reserved_memory?: number;
  /** bytes of files that streams with `max_bytes` reserve. Server 2.10. */
  reserved_storage?: number;
  /** how many there are */
  streams: number;
  /** how many there are, of all streams together */
  consumers: number;
  /** how much of it may be used */
  limits: JetStreamAccountLimits;
}

/** The calls of the API. */
export interface JetStreamApiStats {
  /** what this server can do: 1 is that of 2.11, 2 of 2.12, 4 of 2.14, 5 of 2.15; none before. Server 2.11. */
  level?: number;
  /** how many so far */
  total: number;
  /** those that were answered with an error */
  errors: number;
  /** calls that are being worked on */
  inflight?: number;
}

/** What an account uses and may use. */
export interface JetStreamAccountStats extends JetStreamUsage {
  /** the calls of the API */
  api: JetStreamApiStats;
  /** the domain of the server, where it has one */
  domain?: string;
  /** by number of replicas, as `R1`, where the account has such limits */
  tiers?: Record<string, JetStreamUsage>;
}
