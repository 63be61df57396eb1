// Authenticators: what gives the credentials of a CONNECT. The client calls one per dial; no cryptography here.
import { isNatsError, NatsError } from "../errors.ts";
import type { AuthFields } from "../protocol/ops.ts";

/** No credentials at all. */
export type NoAuth = void;

/** A token. */
export interface TokenAuth {
  auth_token: string;
}

/** A user name, and the password where it has one. */
export interface UserPass {
  user: string;
  pass?: string;
}

/** A public user key, and the nonce signed with its seed (absent where the server sent no nonce). */
export interface NKeyAuth {
  nkey: string;
  sig?: string;
}

/** A user JWT; with the key and the signed nonce unless it is a bearer JWT. */
export interface JwtAuth {
  jwt: string;
  nkey?: string;
  sig?: string;
}

/** What an {@link Authenticator} gives: one of the kinds, or fields of several at once. */
export type Auth = NoAuth | TokenAuth | UserPass | NKeyAuth | JwtAuth | AuthFields;

/**
 * Gives the credentials for one dial. It is called again for every dial, so whatever it reads may change meanwhile.
 *
 * `nonce` is the challenge of the server; absent where the server sent none, and then there is nothing to sign.
 */
export type Authenticator = (nonce?: string) => Auth | Promise<Auth>;

/** A value, or a function, async or not, that is asked for it every time it is needed. */
export type Supplied<T> = T | (() => T | Promise<T>);

/** @internal the value behind a {@link Supplied} */
export async function supplied<T extends string | Uint8Array | undefined>(from: Supplied<T>): Promise<T> {
  return typeof from === "function" ? from() : from;
}

/**
 * Log in with a user name and, where it has one, a password.
 *
 * Functions are called for every dial. What they throw is the `cause` of a NatsError with code `AUTHENTICATOR`.
 */
export function usernamePasswordAuthenticator(
  user: Supplied<string>,
  pass?: Supplied<string | undefined>,
): Authenticator {
  return async () => {
    const auth: UserPass = { user: await supplied(user) };
    const secret = await supplied(pass);
    if (secret !== undefined) auth.pass = secret;
    return auth;
  };
}

/** Log in with a token. A function is called for every dial. */
export function tokenAuthenticator(token: Supplied<string>): Authenticator {
  return async () => ({ auth_token: await supplied(token) });
}

/** The options that say who the client is; those of `connect()` fit. */
export interface AuthOptions {
  /** one authenticator, or several whose fields are merged */
  authenticator?: Authenticator | readonly Authenticator[] | undefined;
  /** as {@link tokenAuthenticator} */
  token?: string | undefined;
  /** as {@link usernamePasswordAuthenticator} */
  user?: string | undefined;
  /** the password of `user` */
  pass?: string | undefined;
}

const FIELDS = ["user", "pass", "auth_token", "nkey", "sig", "jwt"] as const;

function merge(into: AuthFields, auth: unknown): void {
  if (auth === undefined || auth === null) return;
  const keys = typeof auth === "object" ? Object.keys(auth) : undefined;
  const known = FIELDS.filter((field) => keys?.includes(field));
  if (keys === undefined || (keys.length > 0 && known.length === 0)) {
    // the names of fields, never their values
    const what = keys ? `an object with only ${keys.join(", ")}` : `a ${typeof auth}`;
    throw new NatsError("AUTHENTICATOR", `an authenticator gave ${what}: give any of ${FIELDS.join(", ")}`);
  }
  for (const field of known) {
    const value = (auth as Record<string, unknown>)[field];
    if (value === undefined) continue;
    if (typeof value !== "string") {
      throw new NatsError("AUTHENTICATOR", `an authenticator gave a '${field}' that is no string`);
    }
    into[field] = value;
  }
}

/**
 * Make one authenticator of all that the options name. The fields of all are merged; where two give the same field,
 * the later wins: authenticators in their order, then `token`, then `user` and `pass`.
 *
 * The result rejects with a {@link NatsError} of code `AUTHENTICATOR` when an authenticator fails (its error is the
 * `cause`) or gives something that is no credential. A NatsError thrown by an authenticator passes unchanged.
 */
export function buildAuthenticator(options: AuthOptions): (nonce?: string) => Promise<AuthFields> {
  const { authenticator, token, user, pass } = options;
  const all: Authenticator[] = [authenticator ?? []].flat() as Authenticator[];
  if (token !== undefined) all.push(tokenAuthenticator(token));
  if (user !== undefined) all.push(usernamePasswordAuthenticator(user, pass));
  return async (nonce) => {
    const fields: AuthFields = {};
    for (const one of all) {
      let auth: Auth;
      try {
        auth = await one(nonce);
      } catch (cause) {
        if (isNatsError(cause)) throw cause;
        // the text of the cause may quote a secret: it stays where it is
        throw new NatsError("AUTHENTICATOR", "an authenticator failed: its error is the 'cause'", { cause });
      }
      merge(fields, auth);
    }
    return fields;
  };
}
