// Base32 as keys use it: RFC 4648 upper case, no padding.
import base32Encode from "base32-encode";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Bytes to text. */
export function encodeBase32(bytes: Uint8Array): string {
  return base32Encode(bytes, "RFC4648", { padding: false });
}

/** Text to bytes; undefined for what {@link encodeBase32} never writes. */
export function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array((text.length * 5) >> 3);
  let bits = 0;
  let value = 0;
  let length = 0;
  for (const char of text) {
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) return undefined;
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = value >> bits;
    }
  }
  // what is left over is less than a digit and all zeros
  return bits < 5 && (value & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}
