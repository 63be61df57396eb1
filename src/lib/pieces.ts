// Pieces: the bytes of a source as they come; what objects are put from, and what streams are restored from.
import { InvalidArgumentError } from "../errors.ts";

/** What gives bytes. Node's streams are async iterables. */
export type ByteSource =
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Blob;

/** The pieces of a source, one by one. */
export interface Pieces {
  /** the next one; undefined after the last. What the source throws it throws. */
  next(): Promise<Uint8Array | undefined>;
  /** no more are wanted: the source is told, and not waited for */
  stop(reason: unknown): void;
}

/** Takes the source, `what` for the messages: "the source of an object". @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function piecesOf(source: ByteSource, what: string): Pieces {
  const [next, stop] = reading(source, what);
  return {
    async next() {
      const { value, done } = await next();
      if (done) return undefined;
      if (value instanceof Uint8Array) return value;
      throw noBytes(`what ${what} gives`, value);
    },
    stop,
  };
}

type Reading = [
  next: () => Promise<IteratorResult<unknown, unknown>> | IteratorResult<unknown, unknown>,
  stop: (reason: unknown) => void,
];

function reading(source: ByteSource, what: string): Reading {
  if (typeof Blob === "function" && source instanceof Blob) return reading(source.stream(), what);
  if (source instanceof Uint8Array) return reading([source], what);
  // not every browser can iterate a ReadableStream
  if (typeof (source as Partial<ReadableStream> | null)?.getReader === "function") {
    const stream = source as ReadableStream<Uint8Array>;
    if (stream.locked)
      throw new InvalidArgumentError(`${what} is a stream that somebody else reads: give another`);
    const reader = stream.getReader();
    return [
      () => reader.read(),
      // what has failed says so once more
      (reason) => void reader.cancel(reason).catch(() => undefined),
    ];
  }
  const iterable = source as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null;
  const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
  if (iterator === undefined || typeof source === "string") throw noBytes(what, source);
  return [() => iterator.next(), () => void (async () => iterator.return?.())().catch(() => undefined)];
}

function noBytes(what: string, value: unknown): InvalidArgumentError {
  const kind = value === null ? "null" : ((value as object | undefined)?.constructor?.name ?? typeof value);
  return new InvalidArgumentError(
    `${what} is ${kind}: give bytes, as Uint8Array, or a stream or iterable of them`,
  );
}
