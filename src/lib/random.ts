// Random: bytes, text and order from the runtime's generator, asked for at call time only.
import { NatsError } from "../errors.ts";

/** The character code of a digit of base 62: 0 to 9, A to Z, a to z. */
export function base62(digit: number): number {
  return digit + (digit < 10 ? 48 : digit < 36 ? 55 : 61);
}

/** `length` bytes fit for keys and unguessable names. @throws {@link NatsError} UNSUPPORTED */
export function randomBytes(length: number): Uint8Array {
  if (typeof globalThis.crypto?.getRandomValues !== "function") {
    throw new NatsError(
      "UNSUPPORTED",
      "this runtime has no crypto.getRandomValues: load a polyfill for it first",
    );
  }
  const bytes = new Uint8Array(length);
  // one call gives 65536 bytes at most
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** `length` characters of base 62, each equally likely. @throws {@link NatsError} UNSUPPORTED */
export function randomId(length: number): string {
  let id = "";
  while (id.length < length) {
    for (const byte of randomBytes(length - id.length + 4)) {
      // 62 and 63 are thrown away, or the first digits would come more often
      const digit = byte & 63;
      if (digit < 62 && id.length < length) id += String.fromCharCode(base62(digit));
    }
  }
  return id;
}

/** Bring an array into random order, in place; returns it. `random` gives numbers from 0 up to 1. */
export function shuffle<T>(array: T[], random: () => number = Math.random): T[] {
  for (let i = array.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const item = array[i] as T;
    array[i] = array[j] as T;
    array[j] = item;
  }
  return array;
}
