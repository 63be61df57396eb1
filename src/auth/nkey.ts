// The nkey authenticator: signs the nonce with a user's seed.
import { utf8Encoder } from "../lib/bytes.ts";
import { encodeBase64Url } from "../lib/base64.ts";
import { type Authenticator, type NKeyAuth, type Supplied, supplied } from "./authenticator.ts";
import { asText } from "./creds-file.ts";
import { userPair } from "./keypair.ts";
import { NKeysError } from "./nkeys-error.ts";

/** @internal the key of a user's seed, and the nonce signed with it where there is one */
export function signNonce(seed: Uint8Array | string, nonce: string | undefined): NKeyAuth {
  const pair = userPair(seed);
  try {
    const nkey = pair.getPublicKey();
    // C-AUTH-2: the characters of the nonce are signed, not what they may encode
    return nonce ? { nkey, sig: encodeBase64Url(pair.sign(utf8Encoder.encode(nonce))) } : { nkey };
  } finally {
    pair.clear();
  }
}

/** @internal the seed of a file that may hold comments beside it: the line that is one, or looks like one */
export function seedLine(content: Uint8Array | string): string {
  const lines = asText(content)
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim());
  const seed = lines.find((line) => /^S\w{57}$/.test(line)) ?? lines.find((line) => /^S\S*$/.test(line));
  if (seed === undefined) throw new NKeysError("InvalidLength", "there is no seed: give a line with 'SU...'");
  return seed;
}

/**
 * Log in with an nkey: the public key of the seed, and the server's nonce signed with it.
 *
 * `seed` is a user's seed (`SU...`) or the content of a seed file, as bytes or text; a function is called for every
 * dial. Rejects with an {@link NKeysError} when there is no seed or it is not a user's.
 */
export function nkeyAuthenticator(seed?: Supplied<Uint8Array | string | undefined>): Authenticator {
  return async (nonce) => signNonce(seedLine((await supplied(seed)) ?? ""), nonce);
}
