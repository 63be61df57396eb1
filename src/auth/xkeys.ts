// Curve keys: seal bytes for one reader (X25519, XSalsa20-Poly1305). Made by nkeys.ts.
//
//   sealed   "xkv1" | nonce (24) | NaCl box (16 of tag, then the ciphertext)
import nacl from "tweetnacl";
import { concat, utf8Encoder } from "../lib/bytes.ts";
import { decodePublicKey, decodeSeed, Prefix } from "./key-text.ts";
import { BasePair, type KeyPair, ownArray } from "./keypair.ts";
import { NKeysError } from "./nkeys-error.ts";

const VERSION = "xkv1";
const HEAD = 28;

/** @internal */
export class CurvePair extends BasePair {
  override seal(input: Uint8Array, recipient: string): Uint8Array {
    const secret = this.secretBytes();
    const { bytes: reader } = decodePublicKey(recipient, Prefix.Curve);
    const nonce = crypto.getRandomValues(new Uint8Array(24));
    return concat([utf8Encoder.encode(VERSION), nonce, nacl.box(ownArray(input), nonce, reader, secret)]);
  }

  override open(input: Uint8Array, sender: string): Uint8Array {
    const secret = this.secretBytes();
    const { bytes: writer } = decodePublicKey(sender, Prefix.Curve);
    if (input.length <= HEAD) {
      throw new NKeysError(
        "InvalidEncrypted",
        `sealed bytes are more than ${HEAD}, these are ${input.length}`,
      );
    }
    const bytes = ownArray(input);
    if (String.fromCharCode(...bytes.subarray(0, 4)) !== VERSION) {
      throw new NKeysError("InvalidEncrypted", `sealed bytes begin with '${VERSION}', these do not`);
    }
    const opened = nacl.box.open(bytes.subarray(HEAD), bytes.subarray(4, HEAD), writer, secret);
    if (!opened) {
      throw new NKeysError("CannotOpen", "the bytes were changed, or sealed by or for another key");
    }
    return opened;
  }

  override sign(): never {
    throw new NKeysError("CannotSign", "a curve key can't sign or verify: use a signing key");
  }

  override verify(): never {
    return this.sign();
  }
}

/** @internal a curve pair of the 32 bytes of a seed, which it keeps */
export function curvePair(seed: Uint8Array): KeyPair {
  return new CurvePair(Prefix.Curve, nacl.box.keyPair.fromSecretKey(seed).publicKey, seed);
}

/**
 * The curve pair of a seed `SX...`, as text or its ASCII bytes.
 *
 * @throws {NKeysError} `InvalidLength`, `InvalidEncoding`, `InvalidChecksum`, `InvalidPrefixByte`
 */
export function fromCurveSeed(seed: Uint8Array | string): KeyPair {
  return curvePair(decodeSeed(seed, Prefix.Curve).bytes);
}
