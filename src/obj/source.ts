// Source: what an object is put from, cut into chunks.
import { InvalidArgumentError } from "../errors.ts";

/** What an object can be put from. Node's streams are async iterables. */
export type ObjectSource =
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Blob;

/** The chunks of a source, one by one. */
export interface Chunks {
  /** the next one; undefined after the last. What the source throws it throws. */
  next(): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** no more are wanted: the source is told, and not waited for */
  stop(reason: unknown): void;
}

/**
 * Cut a source into chunks of `size` bytes; only the last may be shorter. Those of a source that is all bytes are views of it,
 * others are copies: what gave the bytes may use the memory again.
 *
 * @throws {@link InvalidArgumentError} INVALID_ARGUMENT
 */
export function chunksOf(source: ObjectSource | null, size: number): Chunks {
  if (source === null) return chunksOfBytes(new Uint8Array(0), size);
  if (source instanceof Uint8Array) return chunksOfBytes(source, size);
  const [next, stop] = piecesOf(source);
  let piece: Uint8Array = new Uint8Array(0);
  let done = false;
  return {
    async next() {
      let chunk: Uint8Array | undefined;
      let filled = 0;
      while (filled < size && !done) {
        if (piece.length === 0) {
          const { value, done: over = false } = await next();
          done = over;
          if (over) break;
          piece = bytesOf(value);
          continue;
        }
        chunk ??= new Uint8Array(size);
        const part = piece.subarray(0, size - filled);
        chunk.set(part, filled);
        filled += part.length;
        piece = piece.subarray(part.length);
      }
      return chunk?.subarray(0, filled);
    },
    stop(reason) {
      done = true;
      stop(reason);
    },
  };
}

function chunksOfBytes(bytes: Uint8Array, size: number): Chunks {
  let at = 0;
  return {
    next: () => (at < bytes.length ? bytes.subarray(at, (at += size)) : undefined),
    stop() {},
  };
}

type Pieces = [
  next: () => Promise<IteratorResult<unknown, unknown>> | IteratorResult<unknown, unknown>,
  stop: (reason: unknown) => void,
];

function piecesOf(source: Exclude<ObjectSource, Uint8Array>): Pieces {
  if (typeof Blob === "function" && source instanceof Blob) return piecesOf(source.stream());
  // not every browser can iterate a ReadableStream
  if (typeof (source as ReadableStream).getReader === "function") {
    const reader = (source as ReadableStream<Uint8Array>).getReader();
    return [
      () => reader.read(),
      // what has failed says so once more
      (reason) => void reader.cancel(reason).catch(() => undefined),
    ];
  }
  const iterable = source as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
  if (iterator === undefined || typeof source === "string") throw noBytes("the source of an object", source);
  return [() => iterator.next(), () => void (async () => iterator.return?.())().catch(() => undefined)];
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw noBytes("what the source of an object gives", value);
}

function noBytes(what: string, value: unknown): InvalidArgumentError {
  const kind = value === null ? "null" : ((value as object | undefined)?.constructor?.name ?? typeof value);
  return new InvalidArgumentError(
    `${what} is ${kind}: give bytes, as Uint8Array, or a stream or iterable of them`,
  );
}
