// Watch: the infos of a bucket as they change, and all that are there.
import type { Msg } from "../client/connection.ts";
import { settle } from "../lib/deferred.ts";
import { storedAt } from "../jetstream/ack-subject.ts";
import { Feed, type FeedSetup, type Position } from "../jetstream/feed.ts";
import { orderedBase } from "../jetstream/ordered-config.ts";
import type { Bucket } from "./bucket.ts";
import { infoOf, type ObjectInfo } from "./object-info.ts";
import type { ObjectListOptions, ObjectWatch, ObjectWatchInfo, ObjectWatchOptions } from "./object-store.ts";

/** An info on its way, or why it is none. */
interface Note {
  readonly seq: number;
  size(): number;
  readonly info?: ObjectWatchInfo;
  readonly flaw?: unknown;
}

function noteOf(msg: Msg, { sequence: seq, isUpdate }: Position): Note {
  const size = (): number => msg.size();
  try {
    const time = new Date(Number(storedAt(msg.reply ?? "") / 1_000_000n));
    const info = infoOf(msg.string(), msg.subject, seq, time);
    return { seq, size, info: { ...info, isUpdate } };
  } catch (flaw) {
    return { seq, size, flaw };
  }
}

function feedOf(
  bucket: Bucket,
  { ignoreDeletes = false, includeHistory = false, signal, timeout }: ObjectWatchOptions,
  finite: boolean,
): Promise<Feed<Note, ObjectWatchInfo>> {
  const setup: FeedSetup<Note, ObjectWatchInfo> = {
    stream: bucket.stream,
    config: orderedBase([bucket.metaSubjects], {
      deliver_policy: includeHistory ? "last_per_subject" : "new",
    }),
    finite,
    make: (msg, position) => {
      const note = noteOf(msg, position);
      return ignoreDeletes && note.info?.deleted ? undefined : note;
    },
    map: ({ info, flaw }) => {
      if (info === undefined) throw flaw;
      return info;
    },
    signal,
    timeout: timeout ?? bucket.api.options.timeout,
  };
  return Feed.start(bucket.api, setup);
}

/** The infos as they change. @throws {NatsError} STREAM_NOT_FOUND, and those of a call */
export function watchObjects(bucket: Bucket, options: ObjectWatchOptions = {}): Promise<ObjectWatch> {
  return feedOf(bucket, options, false);
}

/** All that are there. @throws {NatsError} STREAM_NOT_FOUND, CODEC, TIMEOUT, ABORTED, and those of a call */
export async function listObjects(
  bucket: Bucket,
  { includeDeletes = false, timeout = bucket.api.options.timeout, signal }: ObjectListOptions = {},
): Promise<ObjectInfo[]> {
  const feed = await feedOf(bucket, { includeHistory: true, timeout, signal }, true);
  const infos = feed[Symbol.asyncIterator]();
  // what is changed while they come, comes again
  const found = new Map<string, ObjectInfo>();
  try {
    for (;;) {
      const wait = { timeout, signal, what: `the list of bucket '${bucket.name}'` };
      const { value } = await settle(infos.next(), wait);
      if (value === undefined) break;
      const { isUpdate: _, ...info } = value;
      found.delete(info.name);
      if (includeDeletes || !info.deleted) found.set(info.name, info);
    }
    await feed.synced;
  } finally {
    feed.stop();
  }
  return [...found.values()];
}
