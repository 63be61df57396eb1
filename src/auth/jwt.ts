// JWTs: log in with one, read, check and issue them. A NATS JWT is signed by an nkey.
//
//   base64url(header) "." base64url(claims) "." base64url(Ed25519 signature over the text before it)
import { InvalidArgumentError } from "../errors.ts";
import { decodeBase64, encodeBase64Url } from "../lib/base64.ts";
import { utf8Decoder, utf8Encoder } from "../lib/bytes.ts";
import { type Authenticator, type JwtAuth, type Supplied, supplied } from "./authenticator.ts";
import { encodeBase32 } from "./base32.ts";
import { jwtOf } from "./creds-file.ts";
import { decodePublicKey, Prefix } from "./key-text.ts";
import { type KeyPair, SigningPair } from "./keypair.ts";
import { seedLine, signNonce } from "./nkey.ts";
import { NKeysError } from "./nkeys-error.ts";

/** The claims of a JWT, as on the wire. Times are seconds since 1970. */
export interface JwtClaims<N = Record<string, unknown>> {
  /** unique id of the token */
  jti?: string;
  /** issued at */
  iat?: number;
  /** expires at; never, where it is absent */
  exp?: number;
  /** not to be used before */
  nbf?: number;
  /** the public key of who signed */
  iss?: string;
  /** the public key that the token is about */
  sub: string;
  /** for whom the token is */
  aud?: string;
  name?: string;
  /** what the token says, by its kind */
  nats: N;
}

/** Subjects that a user may and may not use, as on the wire. */
export interface JwtPermission {
  allow?: string[];
  deny?: string[];
}

/** What a user JWT says, as on the wire: the `nats` of its claims. */
export interface JwtUser {
  type: "user";
  version: 2;
  pub?: JwtPermission;
  sub?: JwtPermission;
  /** replies to received messages; `ttl` in nanoseconds */
  resp?: { max: number; ttl: number };
  /** most subscriptions; -1 for no limit. Beware: in a JWT of no scoped key, absent means 0. */
  subs?: number;
  /** most bytes; -1 for no limit */
  data?: number;
  /** largest message in bytes; -1 for no limit */
  payload?: number;
  /** the JWT alone logs in, no signature is asked for */
  bearer_token?: boolean;
  /** such as `STANDARD` and `WEBSOCKET`; all where it is absent */
  allowed_connection_types?: string[];
  /** the account, where the issuer is a signing key of it */
  issuer_account?: string;
  tags?: string[];
  [more: string]: unknown;
}

function parts(jwt: string): [header: string, claims: string, signature: string] {
  const found = typeof jwt === "string" ? jwt.split(".") : [];
  if (found.length !== 3) {
    throw new NKeysError("InvalidJwt", `a JWT has 3 parts with dots between them, this has ${found.length}`);
  }
  return found as [string, string, string];
}

function bytesOf(part: string): Uint8Array {
  const bytes = decodeBase64(part);
  if (!bytes) throw new NKeysError("InvalidJwt", "a part of the JWT is not base64url");
  return bytes;
}

function jsonOf(part: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(utf8Decoder.decode(bytesOf(part)));
  } catch {
    // the error would quote the JWT
  }
  if (typeof value !== "object" || value === null) {
    throw new NKeysError("InvalidJwt", "a part of the JWT is not a JSON object");
  }
  return value as Record<string, unknown>;
}

/**
 * The claims of a JWT. Nothing is checked: not the signature, not the times; see {@link verifyJwt}.
 *
 * @throws {NKeysError} `InvalidJwt`
 */
export function decodeJwt<N = Record<string, unknown>>(jwt: string): JwtClaims<N> {
  return jsonOf(parts(jwt)[1]) as unknown as JwtClaims<N>;
}

/**
 * The claims of a JWT that was signed by the key it names as its issuer (`iss`). Whether to trust that issuer, and
 * the times, is for the caller to decide.
 *
 * @throws {NKeysError} `InvalidJwt`; `InvalidSignature`
 */
export function verifyJwt<N = Record<string, unknown>>(jwt: string): JwtClaims<N> {
  const [header, body, signature] = parts(jwt);
  const { alg } = jsonOf(header);
  if (alg !== "ed25519-nkey") {
    throw new NKeysError("InvalidJwt", "the JWT is not signed by an nkey: its 'alg' is not 'ed25519-nkey'");
  }
  const claims = decodeJwt<N>(jwt);
  const { kind, bytes } = decodePublicKey(claims.iss as string);
  const signed = utf8Encoder.encode(`${header}.${body}`);
  if (kind === Prefix.Curve || !new SigningPair(kind, bytes).verify(signed, bytesOf(signature))) {
    throw new NKeysError("InvalidSignature", "the JWT was not signed by the issuer it names");
  }
  return claims;
}

/**
 * Sign claims. `iss` becomes the public key of the signer; `iat` (now) and `jti` (random) are added where absent.
 *
 * @throws {NKeysError} `CannotSign`, `PublicKeyOnly`, `ClearedPair`
 */
export function encodeJwt<N>(claims: JwtClaims<N>, signer: KeyPair): string {
  const part = (value: unknown): string => encodeBase64Url(utf8Encoder.encode(JSON.stringify(value)));
  const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part({
    jti: encodeBase32(crypto.getRandomValues(new Uint8Array(32))),
    iat: Math.floor(Date.now() / 1000),
    ...claims,
    iss: signer.getPublicKey(),
  })}`;
  return `${text}.${encodeBase64Url(signer.sign(utf8Encoder.encode(text)))}`;
}

/** @internal the `exp` of a lifetime in milliseconds; none where it is absent */
export function expiry(lifetime: number | undefined): { exp?: number } {
  if (lifetime === undefined) return {};
  if (!(lifetime > 0 && lifetime < 1e16)) {
    throw InvalidArgumentError.format("expiration", `is a time in ms above 0, not ${lifetime}`);
  }
  return { exp: Math.ceil((Date.now() + lifetime) / 1000) };
}

/**
 * Issue a user JWT (ADR-14) with a scoped signing key of an account: permissions and limits are those of the key.
 *
 * @param signingKey an account key pair with its seed: the scoped signing key
 * @param accountId the public key of the account (`A...`) that the signing key belongs to
 * @param userPublicKey the public key of the user (`U...`); `nkeys.createUser()` makes one
 * @param name shown by the server; the user's public key by default
 * @param expiration how long the JWT is good for, in milliseconds; for ever by default
 * @param tags of the user; none by default
 * @throws {NKeysError} when a key is malformed or of the wrong kind
 * @throws {InvalidArgumentError} for an expiration that is not above 0
 */
export function issueUserJWT(
  signingKey: KeyPair,
  accountId: string,
  userPublicKey: string,
  name?: string,
  expiration?: number,
  tags?: readonly string[],
): string {
  decodePublicKey(signingKey.getPublicKey(), Prefix.Account);
  decodePublicKey(accountId, Prefix.Account);
  decodePublicKey(userPublicKey, Prefix.User);
  const nats: JwtUser = { issuer_account: accountId, type: "user", version: 2 };
  if (tags?.length) nats.tags = [...tags];
  return encodeJwt(
    {
      ...expiry(expiration),
      name: name || userPublicKey,
      sub: userPublicKey,
      nats,
    },
    signingKey,
  );
}

/**
 * Log in with a user JWT: a bearer JWT alone, any other with the seed of its user, which signs the server's nonce.
 *
 * `jwt` may also be the content of a credentials file, of which the JWT is taken. Functions are called for every
 * dial. Rejects with an {@link NKeysError} when the JWT is empty or the seed is not a user's.
 */
export function jwtAuthenticator(
  jwt: Supplied<string>,
  seed?: Supplied<Uint8Array | string | undefined>,
): Authenticator {
  return async (nonce) => {
    const auth: JwtAuth = { jwt: jwtOf(await supplied(jwt)) };
    const secret = await supplied(seed);
    return secret === undefined ? auth : { ...auth, ...signNonce(seedLine(secret), nonce) };
  };
}
