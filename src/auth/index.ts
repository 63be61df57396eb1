// isonats/auth: who the client is. Authenticators, keys, JWTs, credentials files and the auth callout.
export {
  type Auth,
  type Authenticator,
  type AuthOptions,
  buildAuthenticator,
  type JwtAuth,
  type NKeyAuth,
  type NoAuth,
  type Supplied,
  type TokenAuth,
  tokenAuthenticator,
  type UserPass,
  usernamePasswordAuthenticator,
} from "./authenticator.ts";
export {
  type AuthorizationRequest,
  type CalloutAnswer,
  type CalloutMessage,
  type CalloutRequest,
  type CalloutResponseOptions,
  calloutSubject,
  type CalloutUserOptions,
  calloutUserJwt,
  encodeCalloutResponse,
  openCalloutRequest,
} from "./callout.ts";
export { credsAuthenticator } from "./creds.ts";
export { type Creds, parseCreds } from "./creds-file.ts";
export {
  decodeJwt,
  encodeJwt,
  issueUserJWT,
  type JwtClaims,
  type JwtPermission,
  type JwtUser,
  jwtAuthenticator,
  verifyJwt,
} from "./jwt.ts";
export type { KeyPair } from "./keypair.ts";
export { nkeyAuthenticator } from "./nkey.ts";
export * as nkeys from "./nkeys.ts";
export { NKeysError, NKeysErrorCode } from "./nkeys-error.ts";
