// Key pairs that sign (Ed25519), and what they share with those that seal (xkeys.ts). Made by nkeys.ts.
import nacl from "tweetnacl";
import { utf8Encoder } from "../lib/bytes.ts";
import { decodeSeed, encodeKey, encodeSeed, Prefix } from "./key-text.ts";
import { NKeysError } from "./nkeys-error.ts";

/**
 * A key of any kind: with its seed, or only the public half of it.
 *
 * Every method throws an {@link NKeysError}: `ClearedPair` after `clear()`, `PublicKeyOnly` where the seed is missing,
 * `CannotSign` or `CannotSeal` where the kind of key can't do it. Secrets show in no other method than `getSeed` and
 * `getPrivateKey`, and in no text of an error.
 */
export interface KeyPair {
  /** the public key, 56 characters that begin with the letter of the kind */
  getPublicKey(): string;
  /** the private key, as the ASCII bytes of its text */
  getPrivateKey(): Uint8Array;
  /** the seed, as the ASCII bytes of its text */
  getSeed(): Uint8Array;
  /** the signature of the bytes: 64 bytes, plain Ed25519 */
  sign(input: Uint8Array): Uint8Array;
  /** whether the signature of the bytes is that of this key */
  verify(input: Uint8Array, sig: Uint8Array): boolean;
  /** encrypt for the owner of a public curve key (`X`) */
  seal(input: Uint8Array, recipient: string): Uint8Array;
  /** decrypt what the owner of a public curve key sealed for this one; an authentication failure throws `CannotOpen` */
  open(input: Uint8Array, sender: string): Uint8Array;
  /** overwrite the secret; everything throws from then on */
  clear(): void;
}

// tweetnacl asks for arrays of its own realm: those of a test environment or an iframe are copied
/** @internal */
export function ownArray(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes);
}

/** @internal the half that all kinds share */
export abstract class BasePair implements KeyPair {
  readonly #kind: Prefix;
  readonly #public: Uint8Array;
  readonly #secret: Uint8Array | undefined;
  #cleared = false;

  /** the secret begins with the 32 bytes of the seed */
  constructor(kind: Prefix, publicKey: Uint8Array, secret?: Uint8Array) {
    this.#kind = kind;
    this.#public = publicKey;
    this.#secret = secret;
  }

  protected publicBytes(): Uint8Array {
    if (this.#cleared) throw new NKeysError("ClearedPair", "the key pair was cleared");
    return this.#public;
  }

  protected secretBytes(): Uint8Array {
    this.publicBytes();
    if (!this.#secret) {
      throw new NKeysError("PublicKeyOnly", "this needs the seed, the pair has only a public key");
    }
    return this.#secret;
  }

  getPublicKey(): string {
    return encodeKey([this.#kind], this.publicBytes());
  }

  getPrivateKey(): Uint8Array {
    return utf8Encoder.encode(encodeKey([Prefix.Private], this.secretBytes()));
  }

  getSeed(): Uint8Array {
    return utf8Encoder.encode(encodeSeed(this.#kind, this.secretBytes().subarray(0, 32)));
  }

  abstract sign(input: Uint8Array): Uint8Array;
  abstract verify(input: Uint8Array, sig: Uint8Array): boolean;
  abstract seal(input: Uint8Array, recipient: string): Uint8Array;
  abstract open(input: Uint8Array, sender: string): Uint8Array;

  clear(): void {
    this.#secret?.fill(0);
    this.#cleared = true;
  }
}

// the order of the group, little-endian
const ORDER = [
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/** RFC 8032, 5.1.7: the second half of a signature is below the order; tweetnacl does not look */
function isCanonical(sig: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (sig[32 + i] as number) - (ORDER[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** @internal a pair that signs: every kind but curve keys */
export class SigningPair extends BasePair {
  override sign(input: Uint8Array): Uint8Array {
    return nacl.sign.detached(ownArray(input), this.secretBytes());
  }

  override verify(input: Uint8Array, sig: Uint8Array): boolean {
    const key = this.publicBytes();
    return (
      sig.length === 64 && isCanonical(sig) && nacl.sign.detached.verify(ownArray(input), ownArray(sig), key)
    );
  }

  override seal(): never {
    throw new NKeysError("CannotSeal", "a signing key can't seal or open: use a curve key");
  }

  override open(): never {
    return this.seal();
  }
}

/** @internal a signing pair of the 32 bytes of a seed, which are overwritten */
export function signingPair(kind: Prefix, seed: Uint8Array): KeyPair {
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(seed);
  seed.fill(0);
  return new SigningPair(kind, publicKey, secretKey);
}

/** @internal the pair of a user's seed: of nothing else */
export function userPair(seed: Uint8Array | string): KeyPair {
  return signingPair(Prefix.User, decodeSeed(seed, Prefix.User).bytes);
}
