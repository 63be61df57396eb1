// Object info: what is known of an object, and the message of its bucket that says so (ADR-20).
import { NatsError } from "../errors.ts";
import { type MsgHdrs, MsgHdrsImpl, toHeaders } from "../protocol/headers.ts";

/** Where a link leads: to an object, or without a name to a bucket. */
export interface ObjectStoreLink {
  /** the bucket it leads to, or that of the object */
  bucket: string;
  /** the object it leads to; without it, to the bucket */
  name?: string;
}

/** How an object is stored. */
export interface ObjectStoreMetaOptions {
  /** it is a link; `link` and `linkStore` make them */
  link?: ObjectStoreLink;
  /** bytes of a chunk; default 131 072, or the `max_payload` of the server where that is less */
  max_chunk_size?: number;
}

/** What a user says of an object. */
export interface ObjectStoreMeta {
  /** any text that is not empty */
  name: string;
  /** for people */
  description?: string;
  /** headers of yours */
  headers?: MsgHdrs;
  /** how it is stored */
  options?: ObjectStoreMetaOptions;
  /** facts of yours */
  metadata?: Record<string, string>;
}

/** What is known of an object. */
export interface ObjectInfo extends ObjectStoreMeta {
  /** the bucket it is in */
  readonly bucket: string;
  /** what the subject of its chunks ends with; another one with each put */
  readonly nuid: string;
  /** bytes */
  readonly size: number;
  /** messages that its bytes are in; 0 of none, of links and of deleted ones */
  readonly chunks: number;
  /** `SHA-256=...` of its bytes; `""` where there is none */
  readonly digest: string;
  /** only this note of it is left */
  readonly deleted: boolean;
  /** when it was put or changed, as ISO 8601 text */
  readonly mtime: string;
  /** the sequence of this note in the stream of the bucket: another one with each change */
  readonly revision: number;
  /** true for links to objects and to buckets */
  isLink(): boolean;
}

/** What a message says of an object; without what only its place in the stream tells. */
export type ObjectNote = Omit<ObjectInfo, "bucket" | "mtime" | "revision" | "isLink">;

/** The JSON of a message; other clients leave out or add fields. */
interface MetaMessage {
  name: string;
  description?: string;
  headers?: Record<string, string[]>;
  metadata?: Record<string, string>;
  options?: ObjectStoreMetaOptions | null;
  bucket: string;
  nuid: string;
  size: number;
  chunks: number;
  digest?: string;
  deleted?: true;
}

/** The message of a note: the fields of ADR-20, in the order in which other clients write them. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function metaMessage(bucket: string, note: ObjectNote): string {
  const { name, description, headers, metadata, options, nuid, size, chunks, digest, deleted } = note;
  const message: MetaMessage = {
    name,
    ...(description && { description }),
    ...(headers && { headers: Object.fromEntries(toHeaders(headers)) }),
    ...(metadata && { metadata }),
    ...(options && { options }),
    bucket,
    nuid,
    size,
    chunks,
    ...(digest && { digest }),
    ...(deleted && { deleted }),
  };
  return JSON.stringify(message);
}

/**
 * The info in a message: `mtime` is the time of the message, whatever is written in it (C-ADR20-2).
 *
 * @throws {@link NatsError} CODEC
 */
export function infoOf(text: string, subject: string, revision: number, time: Date): ObjectInfo {
  let message: Partial<MetaMessage>;
  try {
    message = JSON.parse(text) as Partial<MetaMessage>;
  } catch (cause) {
    throw new NatsError("CODEC", `what is stored at '${subject}' is no info of an object`, {
      cause,
      subject,
    });
  }
  const { name = "", bucket = "", nuid = "", size = 0, chunks = 0, digest = "", deleted = false } = message;
  const { description, headers, metadata, options } = message;
  return {
    name,
    ...(description && { description }),
    ...(headers && { headers: MsgHdrsImpl.fromRecord(headers) }),
    ...(metadata && { metadata }),
    ...(options && { options }),
    bucket,
    nuid,
    size,
    chunks,
    digest,
    deleted,
    mtime: time.toISOString(),
    revision,
    isLink: () => options?.link != null,
  };
}
