// Bytes: the few things everyone does with Uint8Arrays.

/** @internal the shared, stateless UTF-8 encoder; a program without the DOM's types has no name for its type */
export const utf8Encoder: TextEncoder = new TextEncoder();

/** @internal the shared UTF-8 decoder: ill-formed bytes become U+FFFD; a leading byte order mark is kept */
export const utf8Decoder: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A zero-length array. */
export const Empty: Uint8Array = new Uint8Array(0);

/** Join arrays into a new one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Bytes `start` to `end` as text; short ASCII is decoded without a call into the runtime. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= 12) {
    let text = "";
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte > 127) return utf8Decoder.decode(bytes.subarray(start, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return utf8Decoder.decode(bytes.subarray(start, end));
}

/** What is done with bytes `start` to `end`. */
export type BytesReader<T> = (bytes: Uint8Array, start: number, end: number) => T;

/** Read the bytes of a text; none has no bytes. */
export function readText<T>(text: string | undefined, read: BytesReader<T>): T {
  const bytes = utf8Encoder.encode(text);
  return read(bytes, 0, bytes.length);
}
