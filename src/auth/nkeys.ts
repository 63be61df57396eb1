// nkeys: make key pairs and read them. Published as the namespace `nkeys`.
import { decodeBase64, encodeBase64 } from "../lib/base64.ts";
import { decodePublicKey, decodeSeed, kindName, Prefix, Prefixes } from "./key-text.ts";
import { type KeyPair, SigningPair, signingPair } from "./keypair.ts";
import { NKeysError } from "./nkeys-error.ts";
import { CurvePair, curvePair } from "./xkeys.ts";

export { Prefix, Prefixes } from "./key-text.ts";
export type { KeyPair } from "./keypair.ts";
export { NKeysError, NKeysErrorCode } from "./nkeys-error.ts";
export { fromCurveSeed } from "./xkeys.ts";

/**
 * A new key pair of any kind that has a public key; its seed comes from the runtime's secure random generator.
 *
 * @throws {NKeysError} `InvalidPrefixByte` for the prefix of a seed or private key, or none
 */
export function createPair(prefix: Prefix): KeyPair {
  if (!Prefixes.isValidPublicPrefix(prefix)) {
    throw new NKeysError("InvalidPrefixByte", `there are no key pairs of kind '${kindName(prefix)}'`);
  }
  const seed = crypto.getRandomValues(new Uint8Array(32));
  return prefix === Prefix.Curve ? curvePair(seed) : signingPair(prefix, seed);
}

/** A new account key pair (`A`). */
export function createAccount(): KeyPair {
  return createPair(Prefix.Account);
}

/** A new cluster key pair (`C`). */
export function createCluster(): KeyPair {
  return createPair(Prefix.Cluster);
}

/** A new curve key pair (`X`): it seals and opens, and does not sign. */
export function createCurve(): KeyPair {
  return createPair(Prefix.Curve);
}

/** A new operator key pair (`O`). */
export function createOperator(): KeyPair {
  return createPair(Prefix.Operator);
}

/** A new server key pair (`N`). */
export function createServer(): KeyPair {
  return createPair(Prefix.Server);
}

/** A new user key pair (`U`). */
export function createUser(): KeyPair {
  return createPair(Prefix.User);
}

/**
 * The public half only: it verifies, and does nothing else.
 *
 * @throws {NKeysError} `InvalidLength`, `InvalidEncoding`, `InvalidChecksum`, `InvalidPrefixByte`
 */
export function fromPublic(publicKey: string): KeyPair {
  const { kind, bytes } = decodePublicKey(publicKey);
  return kind === Prefix.Curve ? new CurvePair(kind, bytes) : new SigningPair(kind, bytes);
}

/**
 * The key pair of a seed `S...` of any kind, as text or its ASCII bytes.
 *
 * @throws {NKeysError} `InvalidLength`, `InvalidEncoding`, `InvalidChecksum`, `InvalidPrefixByte`
 */
export function fromSeed(seed: Uint8Array | string): KeyPair {
  const { kind, bytes } = decodeSeed(seed);
  return kind === Prefix.Curve ? curvePair(bytes) : signingPair(kind, bytes);
}

/** Bytes as standard base64. */
export function encode(bytes: Uint8Array): string {
  return encodeBase64(bytes);
}

/**
 * Base64 to bytes, the standard and the URL alphabet, padded or not.
 *
 * @throws {NKeysError} `InvalidEncoding`
 */
export function decode(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (!bytes) throw new NKeysError("InvalidEncoding", "the text is not base64");
  return bytes;
}
