// Digest: the text by which an info says which bytes its object has (ADR-20).
import { decodeBase64, encodeBase64UrlPadded } from "../lib/base64.ts";

/** `SHA-256=` and the hash in base64, URL alphabet, padded. */
export function digestText(hash: Uint8Array): string {
  return `SHA-256=${encodeBase64UrlPadded(hash)}`;
}

/** Is the digest that of these bytes? Clients wrote it in either alphabet of base64, padded or not, or as hex (C-ADR20-3). */
export function isDigestOf(text: string, hash: Uint8Array): boolean {
  const bare = text.replace(/^sha-256=/i, "");
  const bytes = /^[\da-f]{64}$/i.test(bare) ? fromHex(bare) : decodeBase64(bare);
  return bytes !== undefined && digestText(bytes) === digestText(hash);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}
