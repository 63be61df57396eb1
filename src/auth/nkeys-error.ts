// NKeysError: what can be wrong with a key. Thrown by everything in auth/ that handles one.
import { NatsError } from "../errors.ts";

/** What is wrong, as the `nkeysCode` of an {@link NKeysError}. */
export const NKeysErrorCode = {
  /** a character outside `A-Z2-7`, or bits that no encoder writes */
  InvalidEncoding: "InvalidEncoding",
  /** too long or too short */
  InvalidLength: "InvalidLength",
  /** the checksum does not fit: a character is mistyped */
  InvalidChecksum: "InvalidChecksum",
  /** a key of another kind than asked for, or of no known kind */
  InvalidPrefixByte: "InvalidPrefixByte",
  /** no credentials file, or a block of it is missing */
  InvalidCreds: "InvalidCreds",
  /** not three parts of JSON and a signature, or not the JWT of the right kind */
  InvalidJwt: "InvalidJwt",
  /** the signature is not that of the issuer */
  InvalidSignature: "InvalidSignature",
  /** the pair has no seed, only a public key */
  PublicKeyOnly: "PublicKeyOnly",
  /** `clear()` was called before */
  ClearedPair: "ClearedPair",
  /** a curve key neither signs nor verifies */
  CannotSign: "CannotSign",
  /** a signing key neither seals nor opens */
  CannotSeal: "CannotSeal",
  /** the sealed bytes are too short or do not begin with the version mark */
  InvalidEncrypted: "InvalidEncrypted",
  /** the sealed bytes were changed, or are of or for another key */
  CannotOpen: "CannotOpen",
} as const;
/** One of the values of the constant of the same name. */
export type NKeysErrorCode = (typeof NKeysErrorCode)[keyof typeof NKeysErrorCode];

/** A key, seed, JWT or credentials file that can't be used. Code `INVALID_KEY`; `nkeysCode` says what is wrong. */
export class NKeysError extends NatsError {
  readonly nkeysCode: NKeysErrorCode;
  constructor(nkeysCode: NKeysErrorCode, message: string, cause?: unknown) {
    super("INVALID_KEY", message, { cause });
    this.nkeysCode = nkeysCode;
  }

  override get name(): string {
    return "NKeysError";
  }
}
