// Object store: what buckets of objects offer, and how it is asked for. Types only.
/// <reference lib="esnext.disposable" preserve="true" />
import type { QueuedIterator, WaitOptions } from "../client/connection.ts";
import type { PurgeResponse } from "../protocol/jetstream/api.ts";
import type { StorageType } from "../protocol/jetstream/enums.ts";
import type { Placement, StreamInfo } from "../protocol/jetstream/stream.ts";
import type { ObjectInfo, ObjectStoreMeta } from "./object-info.ts";
import type { ObjectSource } from "./source.ts";

/** How a bucket shall be. */
export interface ObjectStoreOptions {
  /** for people; default none */
  description?: string;
  /** milliseconds that objects are kept; default: for ever. Each chunk ages by itself. */
  ttl?: number;
  /** default `file` */
  storage?: StorageType;
  /** copies in a cluster: 1 (default) to 5 */
  replicas?: number;
  /** bytes of all objects, with what is stored about them; default: no limit. What does not fit is refused. */
  max_bytes?: number;
  /** where it shall be, in a cluster */
  placement?: Placement;
  /** facts of yours. Server 2.10. */
  metadata?: Record<string, string>;
  /** compress what is stored in files. Server 2.10. */
  compression?: boolean;
}

/** A bucket, as it is. */
export interface ObjectStoreStatus {
  /** its name */
  readonly bucket: string;
  /** for people; `""` for none */
  readonly description: string;
  /** milliseconds that objects are kept; 0 for ever */
  readonly ttl: number;
  /** where it is kept: in files or in memory */
  readonly storage: StorageType;
  /** copies in a cluster */
  readonly replicas: number;
  /** nothing can be put, changed or deleted any more */
  readonly sealed: boolean;
  /** bytes of its stream: of all objects and what is stored about them */
  readonly size: number;
  /** what it is made of */
  readonly backingStore: "JetStream";
  /** what was given with the bucket, without what the server adds; empty for none */
  readonly metadata: Readonly<Record<string, string>>;
  /** what is stored in files is compressed */
  readonly compression: boolean;
  /** of the stream below */
  readonly streamInfo: StreamInfo;
}

/** How far a put or a get is. */
export interface ObjectProgress {
  /** bytes that are stored, or that were handed over */
  readonly bytes: number;
  /** bytes there are in all, where that is known */
  readonly total?: number;
}

/** Options of a put. */
export interface ObjectStorePutOpts extends WaitOptions {
  /** milliseconds without any progress after which it is given up; default 30 000. Waiting for the source does not count. */
  timeout?: number | undefined;
  /** ends it, and removes what is stored of it, until all chunks are stored; code ABORTED */
  signal?: AbortSignal | undefined;
  /** the revision of the object that is replaced; 0 when there must be none. Else the put rejects with WRONG_LAST_SEQUENCE. */
  previousRevision?: number;
  /** called when more is stored; what it throws ends the put */
  onProgress?: (progress: ObjectProgress) => void;
}

/** A part of an object. */
export interface ObjectRange {
  /** the first byte, from 0 on */
  offset: number;
  /** how many bytes; default: all that follow. What is beyond the end is not there. */
  length?: number;
}

/** Options of a get. */
export interface ObjectStoreGetOpts extends WaitOptions {
  /** milliseconds that a reader waits for the next bytes; default 30 000 */
  timeout?: number | undefined;
  /** ends it, also while it is read; code ABORTED */
  signal?: AbortSignal | undefined;
  /** only a part. The digest can't be checked then, but for the whole. */
  range?: ObjectRange;
  /** called when more is handed over; what it throws ends the get */
  onProgress?: (progress: ObjectProgress) => void;
}

/** An object that can be read. */
export interface ObjectResult {
  /** of the object; of a link that was followed, that of the object it leads to */
  readonly info: ObjectInfo;
  /**
   * Its bytes. They are asked for as they are read; cancel it when you don't want the rest. It errors when they are not the
   * bytes that were put: with OBJECT_INCOMPLETE or OBJECT_MISMATCH, before the last of them; with TIMEOUT, ABORTED or CLOSED.
   */
  readonly data: ReadableStream<Uint8Array>;
  /** resolves when the reading has ended: to the error that `data` has, or null when all is well. Never rejects. */
  readonly error: Promise<Error | null>;
}

/** Options of {@link ObjectStore.list}. `timeout` is for each object that is waited for. */
export interface ObjectListOptions extends WaitOptions {
  /** deleted ones too. Default false. */
  includeDeletes?: boolean;
}

/** Options of {@link ObjectStore.watch}. `timeout` is for the beginning, `signal` ends it at any time. */
export interface ObjectWatchOptions extends WaitOptions {
  /** not those that are deleted. Default false. */
  ignoreDeletes?: boolean;
  /** first the objects that are there, then their changes; default: only what changes from now on */
  includeHistory?: boolean;
}

/** An info that a watch gives. */
export interface ObjectWatchInfo extends ObjectInfo {
  /** it was written after the watch began */
  readonly isUpdate: boolean;
}

/** The infos of objects as they change. Iterate it; it goes on over reconnects, without gaps. */
export interface ObjectWatch extends QueuedIterator<ObjectWatchInfo>, AsyncDisposable {
  /**
   * Resolves when what was there at the beginning has been handed over, at once where there was nothing, or none is wanted. Until
   * somebody reads: when it is here. Rejects when the watch ends before.
   */
  readonly synced: Promise<void>;
  /** resolves when it has ended, with the error if one ended it; never rejects */
  closed(): Promise<undefined | Error>;
}

/**
 * A bucket of objects (ADR-20). All calls reject with the codes of a call of the JetStream API: `STREAM_NOT_FOUND` where there
 * is no such bucket, `JETSTREAM_API`, `TIMEOUT`, `ABORTED`, `CLOSED` and so on; `INVALID_ARGUMENT` for names that can't be.
 */
export interface ObjectStore {
  /** its name */
  readonly bucket: string;
  /**
   * Put an object: as a new one, or in the place of the one that has the name. What was there stays readable until all of the
   * new one is stored, also when the put fails: then the source is cancelled. Bytes given as such must not change before it
   * settles.
   * @throws {NatsError} WRONG_LAST_SEQUENCE, MAX_PAYLOAD, what the source throws, and an {@link OutcomeUnknownError}
   */
  put(meta: ObjectStoreMeta, source: ObjectSource | null, options?: ObjectStorePutOpts): Promise<ObjectInfo>;
  /** As {@link ObjectStore.put}, from bytes; null for none. @throws {NatsError} as `put` */
  putBlob(meta: ObjectStoreMeta, bytes: Uint8Array | null, options?: ObjectStorePutOpts): Promise<ObjectInfo>;
  /**
   * Read an object as a stream; null where there is none, and for deleted ones. Links to objects are followed, once.
   * @throws {NatsError} INVALID_OPERATION for a link to a bucket or to a link, STREAM_NOT_FOUND when the bucket that it leads to is gone
   */
  get(name: string, options?: ObjectStoreGetOpts): Promise<ObjectResult | null>;
  /** The bytes of an object; null as `get`. @throws {NatsError} as `get` and its stream */
  getBlob(name: string, options?: ObjectStoreGetOpts): Promise<Uint8Array | null>;
  /** What is known of an object, also of a deleted one; null where there is nothing. */
  info(name: string, options?: WaitOptions): Promise<ObjectInfo | null>;
  /** The infos of all objects, without those that are deleted. */
  list(options?: ObjectListOptions): Promise<ObjectInfo[]>;
  /**
   * Delete an object: a note of it stays. One that is deleted already is as good.
   * @throws {NatsError} OBJECT_NOT_FOUND
   */
  delete(name: string, options?: WaitOptions): Promise<PurgeResponse>;
  /**
   * Change what is said of an object: name, description, headers, metadata. What is not given stays. With another name it is
   * renamed.
   * @throws {NatsError} OBJECT_NOT_FOUND, also for deleted ones; OBJECT_EXISTS when another one has the new name
   */
  update(name: string, meta: Partial<ObjectStoreMeta>, options?: WaitOptions): Promise<ObjectInfo>;
  /**
   * Make a link to an object of this bucket or another one. It replaces a link, no object.
   * @throws {NatsError} OBJECT_EXISTS, OBJECT_NOT_FOUND for a deleted target, INVALID_ARGUMENT for one that is a link
   */
  link(name: string, target: ObjectInfo, options?: WaitOptions): Promise<ObjectInfo>;
  /** Make a link to a bucket. @throws {NatsError} OBJECT_EXISTS */
  linkStore(name: string, bucket: ObjectStore | string, options?: WaitOptions): Promise<ObjectInfo>;
  /** The infos of objects as they change. The iteration goes on over reconnects, and throws STREAM_NOT_FOUND when the bucket is gone. */
  watch(options?: ObjectWatchOptions): Promise<ObjectWatch>;
  /** Let nothing be put, changed or deleted any more. It can't be taken back. */
  seal(options?: WaitOptions): Promise<ObjectStoreStatus>;
  /** The bucket, as it is now. */
  status(options?: WaitOptions): Promise<ObjectStoreStatus>;
  /** Remove the bucket with all objects. */
  destroy(options?: WaitOptions): Promise<boolean>;
}
