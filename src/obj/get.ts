// Get: an object as a stream of bytes, or as bytes.
import { NatsError } from "../errors.ts";
import { type Deferred, deferred, onAbort } from "../lib/deferred.ts";
import type { Bucket } from "./bucket.ts";
import { ChunkReader } from "./chunk-reader.ts";
import type { NewHash } from "./hash.ts";
import type { ObjectInfo } from "./object-info.ts";
import type { ObjectResult, ObjectStoreGetOpts } from "./object-store.ts";

/** An object as a stream; nothing is asked for before it is read. */
export function getObject(
  bucket: Bucket,
  newHash: NewHash,
  info: ObjectInfo,
  options: ObjectStoreGetOpts,
): ObjectResult {
  const { signal, onProgress } = options;
  const reader = new ChunkReader(bucket, info, newHash, options);
  let result: Deferred<Error | null> | undefined;
  let outcome: Error | null | undefined;
  const settle = (error: Error | null): void => {
    if (outcome !== undefined) return;
    outcome = error;
    result?.resolve(error);
    deafen?.();
    reader.stop();
  };
  let deafen: (() => void) | undefined;
  let bytes = 0;
  const data = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = (error: NatsError): void => {
          controller.error(error);
          settle(error);
        };
        deafen = signal && onAbort(signal, `the get of object ${JSON.stringify(info.name)}`, fail);
      },
      async pull(controller) {
        try {
          const piece = await reader.next();
          // its signal, or who reads it, has ended it
          if (outcome !== undefined) return;
          if (piece !== undefined) {
            bytes += piece.length;
            // what shares its memory with other messages must not be given away with it
            controller.enqueue(piece.length === piece.buffer.byteLength ? piece : piece.slice());
            onProgress?.({ bytes, total: reader.length });
          }
          if (piece === undefined || bytes === reader.length) {
            controller.close();
            settle(null);
          }
        } catch (error) {
          settle(error as Error);
          throw error;
        }
      },
      cancel: () => settle(null),
    },
    { highWaterMark: 0 },
  );
  return {
    info,
    data,
    get error() {
      if (result === undefined) {
        result = deferred();
        if (outcome !== undefined) result.resolve(outcome);
        // whoever reads nothing waits no longer than the connection lasts
        else
          void bucket.api.nc.closed().then(() => settle(new NatsError("CLOSED", "the connection is closed")));
      }
      return result;
    },
  };
}

/** The bytes of an object. @throws {@link NatsError} those of {@link ChunkReader.next} */
export async function getBytes(
  bucket: Bucket,
  newHash: NewHash,
  info: ObjectInfo,
  options: ObjectStoreGetOpts,
): Promise<Uint8Array> {
  const reader = new ChunkReader(bucket, info, newHash, options);
  let all: Uint8Array;
  try {
    all = new Uint8Array(reader.length);
  } catch (cause) {
    const text = `object ${JSON.stringify(info.name)} has ${reader.length} bytes, too many for one array: read it as a stream`;
    throw new NatsError("UNSUPPORTED", text, { cause });
  }
  let bytes = 0;
  try {
    for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
      all.set(piece, bytes);
      bytes += piece.length;
      options.onProgress?.({ bytes, total: reader.length });
    }
  } finally {
    reader.stop();
  }
  return all;
}
