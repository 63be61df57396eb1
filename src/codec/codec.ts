// Codec: how a value becomes a payload and back. Used by messages, and by all that stands on them.
import { isNatsError, NatsError } from "../errors.ts";

/**
 * Turns values into payloads and back. Codecs have no state: one may be used by everything at once.
 *
 * Those of this package throw a {@link NatsError} of code `CODEC`, the underlying error as its `cause`.
 */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(data: Uint8Array): T;
  /** the media type of the payload */
  readonly contentType?: string;
}

/** @internal run it; what it throws becomes the cause of a CODEC error. The message quotes no payload. */
export function coding<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (isNatsError(cause)) throw cause;
    throw new NatsError("CODEC", what, { cause });
  }
}
