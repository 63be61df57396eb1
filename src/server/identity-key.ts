// Identity key: the public keys by which a server names itself in INFO. Random: it signs nothing.
import { encodeKey, Prefix } from "../auth/key-text.ts";
import { randomBytes } from "../lib/random.ts";

/** A public key of a server (`N...`). */
export function serverId(): string {
  return encodeKey([Prefix.Server], randomBytes(32));
}

/** A public curve key (`X...`). */
export function curveKey(): string {
  return encodeKey([Prefix.Curve], randomBytes(32));
}

/** The characters to sign: 11 random bytes as base64url. */
export function nonce(): string {
  return btoa(String.fromCharCode(...randomBytes(11)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace("=", "");
}
