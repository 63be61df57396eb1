// Credentials files as text: finds the JWT and the seed in them. No cryptography.
import { utf8Decoder } from "../lib/bytes.ts";
import { NKeysError } from "./nkeys-error.ts";

/** @internal bytes or text as text */
export function asText(content: Uint8Array | string): string {
  return ArrayBuffer.isView(content) ? utf8Decoder.decode(content) : String(content ?? "");
}

/** What a credentials file holds. */
export interface Creds {
  readonly jwt: string;
  /** absent in the file of a bearer */
  readonly seed?: string;
}

// C-CREDS-1: each block is framed by two lines of dashes, text and dashes; what stands outside of blocks is prose
function blocks(text: string): string[] {
  const found: string[] = [];
  let inside = false;
  let empty = true;
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const line = raw.trim();
    if (/^-{3,}.*-{3,}$/.test(line)) {
      inside = !inside;
      empty = true;
    } else if (inside && empty && line) {
      found.push(line);
      empty = false;
    }
  }
  return found;
}

/** @internal the JWT of a text that is one, or of a credentials file */
export function jwtOf(content: Uint8Array | string): string {
  const text = asText(content).trim();
  const jwt = text.startsWith("-") ? blocks(text)[0] : text;
  if (!jwt) throw new NKeysError("InvalidJwt", "the JWT is empty");
  return jwt;
}

/**
 * The JWT and the seed of a credentials file. The seed is missing in the file of a bearer.
 *
 * @throws {NKeysError} `InvalidCreds`
 */
export function parseCreds(content: Uint8Array | string): Creds {
  const [jwt, seed] = blocks(asText(content));
  if (!jwt || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) {
    throw new NKeysError("InvalidCreds", "the credentials hold no JWT between two lines of dashes");
  }
  return seed === undefined ? { jwt } : { jwt, seed };
}
