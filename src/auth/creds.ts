// The creds authenticator: logs in with the JWT and the seed of a credentials file.
import { type Authenticator, type Supplied, supplied } from "./authenticator.ts";
import { parseCreds } from "./creds-file.ts";
import { decodeJwt, type JwtUser } from "./jwt.ts";
import { signNonce } from "./nkey.ts";
import { NKeysError } from "./nkeys-error.ts";

/**
 * Log in with a credentials file: its user JWT, and the server's nonce signed with its seed.
 *
 * `creds` is the content of the file, not its name; a function that reads it is called for every dial, so a file that
 * is replaced meanwhile is used. Rejects with an {@link NKeysError} when the content is no credentials file, the seed
 * is not a user's, or it is missing and the JWT is no bearer's.
 */
export function credsAuthenticator(creds: Supplied<Uint8Array | string>): Authenticator {
  return async (nonce) => {
    const { jwt, seed } = parseCreds(await supplied(creds));
    if (seed !== undefined) return { jwt, ...signNonce(seed, nonce) };
    if (nonce && !decodeJwt<JwtUser>(jwt).nats?.bearer_token) {
      throw new NKeysError(
        "InvalidCreds",
        "the credentials hold no seed, and the server asks for a signature",
      );
    }
    return { jwt };
  };
}
