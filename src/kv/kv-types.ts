// KV types: what a bucket is to its users, and what can be asked of it.
import type { Payload, QueuedIterator, ReviverFn, WaitOptions } from "../client/connection.ts";
import type { Codec } from "../codec/codec.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { StorageType } from "../protocol/jetstream/enums.ts";
import type { Placement, Republish, StreamInfo, StreamSource } from "../protocol/jetstream/stream.ts";
import type { KvCodecs } from "./codecs.ts";

/** What a bucket keeps, and how. */
export interface KvLimits {
  /** for people */
  description: string;
  /** values kept per key, markers of deletes among them: 1 to 64, default 1 */
  history: number;
  /** milliseconds that a value is kept; 0 (default) is for ever */
  ttl: number;
  /**
   * Milliseconds that a marker stays where the last value of a key expired, 1000 or more; it is also what lets a key have a TTL
   * of its own. 0 (default) is no marker. Server 2.11.
   */
  markerTTL: number;
  /** bytes of all of it; -1 (default) is no limit. A full bucket refuses what is put. */
  max_bytes: number;
  /** bytes of one value with its headers; -1 (default) is no limit */
  maxValueSize: number;
  /** default `file` */
  storage: StorageType;
  /** servers that have a copy: 1 (default) to 5 */
  replicas: number;
  /** compressed on disk; default false. Server 2.10. */
  compression: boolean;
  /** which servers it is on */
  placement: Placement;
  /** publish what is stored, again */
  republish: Republish;
  /** facts of yours. Server 2.10. */
  metadata: Record<string, string>;
  /** the bucket that this one is a read-only copy of: its name; puts go there. With `external` it may be in another domain. */
  mirror: StreamSource;
  /**
   * The buckets whose entries come into this one too, by their names. A `filter_subject` is a filter of keys, as `orders.*`; with
   * `subject_transforms` a source is taken as it is, its name that of a stream. Server 2.10.
   */
  sources: StreamSource[];
}

/** Options of {@link Kvm.create} and {@link Kvm.open}; what is not given is the default. */
export interface KvOptions extends Partial<KvLimits> {
  /** what keys and values are turned into before they are sent, and back; default: nothing */
  codec?: Partial<KvCodecs>;
  /** milliseconds that each call may take; default: the `timeout` of the JetStream client, 5000 */
  timeout?: number | undefined;
  /** the stream, where its name is not `KV_` and the name of the bucket */
  streamName?: string;
  /** Ask nobody whether it is there: for those who may not. It is taken to be as these options say. Default false. */
  bindOnly?: boolean;
  /**
   * Read from any replica or mirror (default true): spares the leader, and may not yet see what was just put. Where it is false,
   * and of a bucket that does not allow it, all is read from the leader.
   */
  allow_direct?: boolean;
}

/** What is known of a bucket. */
export interface KvStatus
  extends Omit<KvLimits, "description" | "placement" | "republish" | "metadata" | "mirror" | "sources"> {
  /** its name */
  readonly bucket: string;
  /** for people; none where there is none */
  readonly description?: string;
  /** which servers it is on, where that was said */
  readonly placement?: Placement;
  /** what is published again, where that was said */
  readonly republish?: Republish;
  /** what was given with the bucket, without what the server adds. Server 2.10. */
  readonly metadata?: Record<string, string>;
  /** of a mirror: the stream that it is a copy of */
  readonly mirror?: StreamSource;
  /** the streams whose entries come into this one too, where there are any */
  readonly sources?: StreamSource[];
  /** messages: values, those of the history, and markers */
  readonly values: number;
  /** keys that have a value or a marker */
  readonly keys: number;
  /** bytes of all of it */
  readonly size: number;
  /** of the stream below */
  readonly streamInfo: StreamInfo;
}

/** What an entry says happened to its key: a value was put, it was deleted, or deleted with its history. */
export type KvOperation = "PUT" | "DEL" | "PURGE";

/** Why the server wrote a marker: the last value expired, was removed, or was purged. */
export type KvMarkerReason = "MaxAge" | "Remove" | "Purge";

/** A value of a key, or the marker that says that it has none. */
export interface KvEntry {
  /** the bucket it is in */
  readonly bucket: string;
  /** as the user has it */
  readonly key: string;
  /** as the server has it, where a codec changes keys */
  readonly rawKey: string;
  /** empty of a marker, and where only headers were asked for. @throws {NatsError} CODEC */
  readonly value: Uint8Array;
  /** grows with each change in the bucket */
  readonly revision: number;
  /** when it was stored, to the millisecond */
  readonly created: Date;
  /** when it was stored: nanoseconds since 1970 */
  readonly createdNanos: bigint;
  /** how many entries there were behind this one when it was sent */
  readonly delta: number;
  /** what happened to the key */
  readonly operation: KvOperation;
  /** of a marker that the server wrote: why. Server 2.11. */
  readonly reason?: KvMarkerReason | undefined;
  /** headers it is stored with, where there are any; those of {@link RoKV.get} end with the server's own */
  readonly headers?: MsgHdrs | undefined;
  /** bytes of the value as it is stored, also where only headers were asked for */
  readonly length: number;
  /** the value, parsed as JSON. @throws {NatsError} CODEC */
  json<T = unknown>(reviver?: ReviverFn): T;
  /** the value as text */
  string(): string;
  /** the value, decoded. @throws {NatsError} CODEC */
  decode<T>(codec: Codec<T>): T;
}

/** An entry, as a watch has it. */
export interface KvWatchEntry extends KvEntry {
  /** it was written after the watch began */
  readonly isUpdate: boolean;
}

/** Entries as they are written, over whatever happens to the connection. Leaving the loop ends it, as does `stop()`. */
export interface KvWatch extends QueuedIterator<KvWatchEntry>, AsyncDisposable {
  /**
   * Resolves when what the bucket had at the beginning has been handed over, at once where it had nothing. Asked for before anybody
   * reads: when it is here, which that of a large bucket is not before somebody reads. Rejects when the watch ends before.
   */
  readonly synced: Promise<void>;
  /** Resolves when it has ended and all is handed over: to why, where that is an error. */
  closed(): Promise<undefined | Error>;
}

/** What a watch begins with. */
export const KvWatchInclude = {
  /** the newest entry of each key */
  LastValue: "",
  /** all entries that are kept */
  AllHistory: "history",
  /** nothing: only what is written from now on */
  UpdatesOnly: "updates",
} as const;
export type KvWatchInclude = (typeof KvWatchInclude)[keyof typeof KvWatchInclude];

/** Options of {@link KV.watch}. */
export interface KvWatchOptions {
  /** keys or filters, as `orders.*`; default `>`, all of them. Several: server 2.10. */
  key?: string | string[];
  /** without values */
  headers_only?: boolean;
  /** leave markers out */
  ignoreDeletes?: boolean;
  /** what to begin with; default: the newest entry of each key */
  include?: KvWatchInclude;
  /** begin with the entry of this revision, or the next one there is */
  resumeFromRevision?: number;
  /** ends the watch */
  signal?: AbortSignal | undefined;
  /** milliseconds that it may take to begin */
  timeout?: number | undefined;
}

/** Options of {@link RoKV.get}. */
export interface KvGetOptions extends WaitOptions {
  /** the entry of this revision, if it is one of the key */
  revision?: number;
  /** Ask the leader: what was put before is seen then. Default false. */
  leader?: boolean;
  /** give the marker of a key that was deleted, rather than null */
  deleted?: boolean;
}

/** Options of {@link KV.put}. */
export interface KvPutOptions extends WaitOptions {
  /** the revision that the key must have; 0 for none */
  previousSeq?: number;
}

/** Options of {@link KV.create}. */
export interface KvCreateOptions extends WaitOptions {
  /**
   * How long the key is kept: milliseconds, or a text as `"1h30m"`, `"90"` (seconds) or `"never"`. The bucket must have a
   * `markerTTL`. Server 2.11.
   */
  ttl?: number | string;
}

/** Options of {@link KV.delete}. */
export type KvDeleteOptions = KvPutOptions;

/** Options of {@link KV.purge}. */
export interface KvPurgeOptions extends KvPutOptions {
  /** how long the marker is kept; as {@link KvCreateOptions.ttl} */
  ttl?: number | string;
}

/** What {@link KV.purgeDeletes} did. */
export interface KvPurgeResult {
  /** messages that are gone */
  readonly purged: number;
}

/** What {@link KV.modify} makes of an entry: the new value, `null` to delete the key, `undefined` to leave it as it is. */
export type KvChange = (
  entry: KvEntry | null,
) => Payload | null | undefined | Promise<Payload | null | undefined>;

/**
 * A bucket to read from. The calls reject with codes INVALID_ARGUMENT for keys that can't be one, STREAM_NOT_FOUND where the
 * bucket is gone, and those of `request`.
 */
export interface RoKV {
  /** its name */
  readonly bucket: string;
  /**
   * The entry of a key; null where it has none, or was deleted. It may come from a replica that does not yet have what was just
   * put: see {@link KvGetOptions.leader}.
   * @throws {NatsError} INVALID_ARGUMENT, NO_RESPONDERS where there is no such bucket or it allows no direct reads, TIMEOUT
   */
  get(key: string, options?: KvGetOptions): Promise<KvEntry | null>;
  /**
   * All that is kept of the keys, markers too, the oldest first. Ends by itself; when the connection ends before, with CLOSED.
   * @throws {NatsError} INVALID_ARGUMENT, STREAM_NOT_FOUND, UNSUPPORTED
   */
  history(
    options?: Pick<KvWatchOptions, "key" | "headers_only" | "signal" | "timeout">,
  ): Promise<QueuedIterator<KvEntry>>;
  /**
   * Entries as they are written; it begins with what is there.
   * @throws {NatsError} INVALID_ARGUMENT, STREAM_NOT_FOUND, UNSUPPORTED
   */
  watch(options?: KvWatchOptions): Promise<KvWatch>;
  /**
   * The keys that have a value, each once. Ends by itself; when the connection ends before, with CLOSED.
   * @throws {NatsError} INVALID_ARGUMENT, STREAM_NOT_FOUND, UNSUPPORTED
   */
  keys(filter?: string | string[], options?: WaitOptions): Promise<QueuedIterator<string>>;
  /** What is known of it. @throws {NatsError} STREAM_NOT_FOUND */
  status(options?: WaitOptions): Promise<KvStatus>;
}

/** A bucket. */
export interface KV extends RoKV {
  /**
   * Set a value; resolves to its revision. Bytes must not change before it settles.
   * @throws {NatsError} WRONG_LAST_SEQUENCE where `previousSeq` is not the revision of the key, JETSTREAM_API where the bucket
   * refuses it, NO_RESPONDERS, TIMEOUT
   */
  put(key: string, value: Payload, options?: KvPutOptions): Promise<number>;
  /**
   * Set the value of a key that has none: it is new, deleted, or expired. The options may be its TTL alone.
   * @throws {NatsError} WRONG_LAST_SEQUENCE where it has one, UNSUPPORTED, and those of `put`
   */
  create(key: string, value: Payload, options?: KvCreateOptions | number | string): Promise<number>;
  /**
   * Set the value of a key whose revision is `version`. The options may be the timeout alone.
   * @throws {NatsError} WRONG_LAST_SEQUENCE where it has another, and those of `put`
   */
  update(key: string, value: Payload, version: number, options?: WaitOptions | number): Promise<number>;
  /**
   * Take the value from a key; its history stays. With a filter, as `orders.*`: from all keys that it matches.
   * @throws {NatsError} those of `put`
   */
  delete(key: string, options?: KvDeleteOptions): Promise<void>;
  /**
   * Take the value from a key, and its history. With a filter: from all keys that it matches.
   * @throws {NatsError} UNSUPPORTED, and those of `put`
   */
  purge(key: string, options?: KvPurgeOptions): Promise<void>;
  /**
   * Change a value by what it is: reads, calls `change`, and writes if nobody else did meanwhile; else all of it again, until the
   * `timeout` (default: that of the bucket). Resolves to the revision of the key then, 0 where it has none.
   *
   * @example
   * await kv.modify("hits", (entry) => String(Number(entry?.string() ?? 0) + 1));
   *
   * @throws {NatsError} WRONG_LAST_SEQUENCE where others were faster until the end, those of `get` and `put`, and what `change` throws
   */
  modify(key: string, change: KvChange, options?: WaitOptions): Promise<number>;
  /**
   * Remove the markers of keys that were deleted more than so many milliseconds ago (default 30 minutes; 0 for all), and what is
   * kept behind younger ones. What was put since stays. Of a mirror: of the copy alone.
   * @throws {NatsError} STREAM_NOT_FOUND, JETSTREAM_API
   */
  purgeDeletes(olderMillis?: number, options?: WaitOptions): Promise<KvPurgeResult>;
  /** Remove the bucket with all that is in it. @throws {NatsError} STREAM_NOT_FOUND */
  destroy(options?: WaitOptions): Promise<boolean>;
}
