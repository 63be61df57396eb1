// Auth callout: what a service that decides on logins (ADR-26) needs to read requests and write answers.
import { InvalidArgumentError } from "../errors.ts";
import { utf8Decoder, utf8Encoder } from "../lib/bytes.ts";
import { encodeJwt, expiry, type JwtClaims, type JwtUser, verifyJwt } from "./jwt.ts";
import { decodePublicKey, Prefix } from "./key-text.ts";
import type { KeyPair } from "./keypair.ts";
import { NKeysError } from "./nkeys-error.ts";

/** The subject that a callout service subscribes to, in the callout account. */
export const calloutSubject = "$SYS.REQ.USER.AUTH";

/** What the server says of a client that wants to log in, as on the wire. Absent is what the client did not give. */
export interface AuthorizationRequest {
  type: "authorization_request";
  version: number;
  /** the public key that the server made for this user: the subject of the answer and of the user JWT in it */
  user_nkey: string;
  server_id: {
    name: string;
    host: string;
    id: string;
    version?: string;
    cluster?: string;
    tags?: string[];
    xkey?: string;
  };
  client_info: {
    host?: string;
    id?: number;
    user?: string;
    name?: string;
    tags?: string[];
    name_tag?: string;
    kind?: string;
    type?: string;
    mqtt_id?: string;
    nonce?: string;
  };
  connect_opts: {
    jwt?: string;
    nkey?: string;
    sig?: string;
    auth_token?: string;
    user?: string;
    pass?: string;
    name?: string;
    lang?: string;
    version?: string;
    protocol: number;
  };
  client_tls?: {
    version?: string;
    cipher?: string;
    certs?: string[];
    verified_chains?: string[][];
  };
}

/** A request that was opened and checked. */
export interface CalloutRequest {
  /** all the server signed; `claims.nats` is the request, `claims.iss` the server */
  readonly claims: JwtClaims<AuthorizationRequest>;
  /** the public curve key of the server, where it sealed the request */
  readonly serverXkey?: string;
}

/** The parts of a message that are read; a `Msg` fits. */
export interface CalloutMessage {
  readonly data: Uint8Array;
  readonly headers?: { get(name: string): string | undefined | null } | undefined;
}

/**
 * Read a request: open it where it is sealed, and check that the server which it names signed it, for this purpose.
 *
 * @param msg the message as received on {@link calloutSubject}
 * @param xkey the service's curve pair: the one whose public key is the `xkey` of the server's configuration
 * @throws {NKeysError} when the request can't be opened, is malformed or not signed by a server
 * @throws {InvalidArgumentError} when the request is sealed and no `xkey` was given
 */
export function openCalloutRequest(msg: CalloutMessage, xkey?: KeyPair): CalloutRequest {
  const serverXkey = msg.headers?.get("Nats-Server-Xkey") || undefined;
  if (serverXkey && !xkey) {
    throw InvalidArgumentError.format("xkey", "is needed: the server sealed the request");
  }
  const data = serverXkey && xkey ? xkey.open(msg.data, serverXkey) : msg.data;
  const claims = verifyJwt<AuthorizationRequest>(utf8Decoder.decode(data));
  decodePublicKey(claims.iss as string, Prefix.Server);
  if (claims.aud !== "nats-authorization-request" || claims.nats?.type !== "authorization_request") {
    throw new NKeysError("InvalidJwt", "the JWT is no authorization request of a server");
  }
  return serverXkey ? { claims, serverXkey } : { claims };
}

/** How {@link calloutUserJwt} describes the user that it lets in. */
export interface CalloutUserOptions {
  /** the name of the account to bind the user to; needed where the server is configured by file, wrong elsewhere */
  account?: string;
  /** the account's public key, in operator mode when `signer` is a signing key of it */
  issuerAccount?: string;
  /** the name that the server shows; by default that of the login, where it had one */
  name?: string;
  /** how long the login is good for, in milliseconds; by default as long as the connection */
  expiration?: number;
  /** permissions and limits, as on the wire; by default none */
  claims?: Partial<JwtUser>;
}

/**
 * The user JWT that lets a client in: without limits and with every permission, unless `claims` say otherwise.
 *
 * @param signer the issuer of the server's configuration, or in operator mode a key of the user's account
 * @throws {NKeysError} when the signer can't sign
 * @throws {InvalidArgumentError} for an expiration that is not above 0
 */
export function calloutUserJwt(
  request: CalloutRequest,
  signer: KeyPair,
  options: CalloutUserOptions = {},
): string {
  const { account, issuerAccount, name, expiration, claims } = options;
  const { user_nkey, connect_opts } = request.claims.nats;
  const title = name ?? connect_opts?.user;
  return encodeJwt<JwtUser>(
    {
      ...expiry(expiration),
      ...(title ? { name: title } : {}),
      ...(account ? { aud: account } : {}),
      sub: user_nkey,
      nats: {
        // absent would mean 0, and that nothing at all
        subs: -1,
        data: -1,
        payload: -1,
        ...claims,
        ...(issuerAccount ? { issuer_account: issuerAccount } : {}),
        type: "user",
        version: 2,
      },
    },
    signer,
  );
}

/** What a callout service decides: the JWT of the user who comes in, or why there is none (for the server's log). */
export type CalloutAnswer = { jwt: string; error?: never } | { error: string; jwt?: never };

/** How {@link encodeCalloutResponse} signs and seals. */
export interface CalloutResponseOptions {
  /** the account's public key, in operator mode when `signer` is a signing key of it */
  issuerAccount?: string;
  /** the service's curve pair: the answer to a sealed request is sealed with it, else it goes plain */
  xkey?: KeyPair | undefined;
}

/**
 * The payload to reply with.
 *
 * @param signer the issuer of the server's configuration, or in operator mode a key of the callout account
 * @throws {NKeysError} when a key can't sign or seal
 * @throws {InvalidArgumentError} when the answer has neither or both of `jwt` and `error`
 */
export function encodeCalloutResponse(
  request: CalloutRequest,
  answer: CalloutAnswer,
  signer: KeyPair,
  options: CalloutResponseOptions = {},
): Uint8Array {
  const { jwt, error } = answer;
  if (!jwt === !error) {
    throw InvalidArgumentError.format(["jwt", "error"], "are one or the other, not both or none");
  }
  const { issuerAccount, xkey } = options;
  const { server_id, user_nkey } = request.claims.nats;
  const response = encodeJwt(
    {
      aud: server_id.id,
      sub: user_nkey,
      nats: {
        ...(jwt ? { jwt } : { error }),
        ...(issuerAccount ? { issuer_account: issuerAccount } : {}),
        type: "authorization_response",
        version: 2,
      },
    },
    signer,
  );
  const data = utf8Encoder.encode(response);
  return request.serverXkey && xkey ? xkey.seal(data, request.serverXkey) : data;
}
