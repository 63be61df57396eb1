// Put: an object into a bucket. First its chunks, under a name that nobody knows yet; then the info that makes them the object,
// in the place of the one before; then the chunks of that one go.
import type { WaitOptions } from "../client/connection.ts";
import { InvalidArgumentError } from "../errors.ts";
import { check, checkWhole } from "../lib/check.ts";
import { aborted, settle } from "../lib/deferred.ts";
import { nuid as nuids } from "../lib/nuid.ts";
import { toHeaders } from "../protocol/headers.ts";
import { OutcomeUnknownError } from "../jetstream/pub-ack.ts";
import type { Bucket } from "./bucket.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { digestText } from "./digest.ts";
import type { NewHash } from "./hash.ts";
import type { ObjectInfo, ObjectStoreMeta } from "./object-info.ts";
import type { ObjectStorePutOpts } from "./object-store.ts";
import { chunksOf, type ObjectSource } from "./source.ts";

const CHUNK = 128 * 1024;
// milliseconds without any progress
const PATIENCE = 30_000;

/** Put an object. */
export async function putObject(
  bucket: Bucket,
  newHash: NewHash,
  meta: ObjectStoreMeta,
  source: ObjectSource | null,
  { timeout = PATIENCE, signal, previousRevision, onProgress }: ObjectStorePutOpts = {},
): Promise<ObjectInfo> {
  const { name, description, headers, metadata, options } = meta;
  const what = `the put of object ${JSON.stringify(name)}`;
  const chunks = chunksOf(source);
  const nuid = nuids.next();
  const subject = bucket.chunkSubject(nuid);
  // ends what is waited for when the writer has failed
  let interrupt: ((error: unknown) => void) | undefined;
  let size: number;
  let writer: ChunkWriter;
  try {
    bucket.metaSubject(name);
    if (options?.link != null) {
      throw new InvalidArgumentError("options.link is set: make links with link() and linkStore()");
    }
    check(timeout > 0, "timeout", timeout, "milliseconds, more than 0");
    checkWhole("previousRevision", previousRevision, 0, "a revision, or 0 for none");
    if (headers) toHeaders(headers);
    if (signal?.aborted) throw aborted(signal, what);
    size = chunkSize(options?.max_chunk_size, bucket.api.nc.info?.max_payload);
    writer = new ChunkWriter(bucket, subject, size, timeout, (error) => interrupt?.(error));
  } catch (error) {
    // whoever fills it shall know that nobody reads it
    chunks.stop(error);
    throw error;
  }
  const waits = { timeout, signal };
  const total = source instanceof Uint8Array ? source.length : undefined;
  const hash = newHash();
  // it tells too whether there is such a bucket
  const found = bucket.find(name, { signal });
  found.catch(() => undefined);
  try {
    let reported = 0;
    const report = (): void => {
      if (writer.bytes === reported || onProgress === undefined) return;
      reported = writer.bytes;
      onProgress({ bytes: reported, ...(total !== undefined && { total }) });
    };
    const until = <T>(promise: Promise<T>): Promise<T> =>
      settle(
        (resolve, reject) => {
          interrupt = reject;
          promise.then(resolve, reject);
        },
        { signal, what },
      );
    for (;;) {
      const next = chunks.next(size);
      const chunk = next instanceof Promise ? await until(next) : next;
      if (chunk === undefined) break;
      hash.update(chunk);
      await until(writer.write(chunk));
      if (writer.chunks === 0) await until(found);
      report();
    }
    await until(writer.end());
    report();
    const before = await until(found);
    const note = {
      name,
      ...(description !== undefined && { description }),
      ...(headers && { headers }),
      ...(metadata && { metadata }),
      options: { ...options, max_chunk_size: size },
      nuid,
      size: writer.bytes,
      chunks: writer.chunks,
      digest: digestText(hash.digest()),
      deleted: false,
    };
    // from here on it is too late for the signal: what it left behind would not be known
    const replaced = await bucket.replace(name, () => note, { timeout, previousRevision, before });
    await writer.close();
    await removeChunks(bucket, replaced.before, waits);
    return replaced.after;
  } catch (error) {
    chunks.stop(error);
    await writer.close();
    // an info that may be stored keeps its chunks
    if (!(error instanceof OutcomeUnknownError && error.subject === bucket.metaSubject(name))) {
      await removeChunks(bucket, { nuid, deleted: false, chunks: 1 }, {});
    }
    throw error;
  }
}

/** Remove the chunks of what was replaced; what can't be removed does not fail what was done. */
async function removeChunks(
  bucket: Bucket,
  before: Pick<ObjectInfo, "nuid" | "deleted" | "chunks"> | null,
  waits: WaitOptions,
): Promise<void> {
  if (before === null || before.deleted || before.chunks === 0) return;
  await bucket.purgeChunks(before, waits).catch(() => undefined);
}

/** @throws {@link InvalidArgumentError} INVALID_ARGUMENT, MAX_PAYLOAD */
function chunkSize(given: number | undefined, maxPayload = CHUNK): number {
  if (given === undefined) return Math.min(CHUNK, maxPayload);
  checkWhole("max_chunk_size", given, 1, "bytes, 1 or more");
  if (given <= maxPayload) return given;
  throw new InvalidArgumentError(
    `max_chunk_size is ${given} where the server takes ${maxPayload} (max_payload): take less, or raise the server's limit`,
    {},
    "MAX_PAYLOAD",
  );
}
