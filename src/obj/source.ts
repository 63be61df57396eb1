// Source: what an object is put from, cut into chunks.
import { type Pieces, piecesOf } from "../lib/pieces.ts";

/** What an object can be put from. Node's streams are async iterables. */
export type ObjectSource =
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Blob;

/** The chunks of a source, one by one. */
export interface Chunks extends Pick<Pieces, "stop"> {
  /** the next one, of `size` bytes unless it is the last; undefined after that. What the source throws it throws. */
  next(size: number): Promise<Uint8Array | undefined> | Uint8Array | undefined;
}

/**
 * Cut a source into chunks. Those of a source that is all bytes are views of it, others are copies: what gave the bytes may use
 * the memory again.
 *
 * @throws {@link InvalidArgumentError} INVALID_ARGUMENT
 */
export function chunksOf(source: ObjectSource | null): Chunks {
  if (source === null) return chunksOfBytes(new Uint8Array(0));
  if (source instanceof Uint8Array) return chunksOfBytes(source);
  const pieces = piecesOf(source, "the source of an object");
  let piece: Uint8Array | undefined = new Uint8Array(0);
  return {
    async next(size) {
      let chunk: Uint8Array | undefined;
      let filled = 0;
      while (filled < size && piece !== undefined) {
        if (piece.length === 0) {
          piece = await pieces.next();
          continue;
        }
        chunk ??= new Uint8Array(size);
        const part: Uint8Array = piece.subarray(0, size - filled);
        chunk.set(part, filled);
        filled += part.length;
        piece = piece.subarray(part.length);
      }
      return chunk?.subarray(0, filled);
    },
    stop(reason) {
      piece = undefined;
      pieces.stop(reason);
    },
  };
}

function chunksOfBytes(bytes: Uint8Array): Chunks {
  let at = 0;
  return {
    next: (size) => (at < bytes.length ? bytes.subarray(at, (at += size)) : undefined),
    stop() {},
  };
}
