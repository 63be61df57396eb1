// Names: every public name of the root entries, one by one; the entries add `connect` and `wsconnect`.
export type {
  Auth,
  Authenticator,
  JwtAuth,
  NKeyAuth,
  NoAuth,
  TokenAuth,
  UserPass,
} from "./auth/authenticator.ts";
export {
  buildAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "./auth/authenticator.ts";
export { credsAuthenticator } from "./auth/creds.ts";
export { jwtAuthenticator } from "./auth/jwt.ts";
export { nkeyAuthenticator } from "./auth/nkey.ts";
export * as nkeys from "./auth/nkeys.ts";
export type {
  ClientPingStatus,
  CloseStatus,
  ClusterUpdateStatus,
  ConnectionState,
  Context,
  DisconnectStatus,
  ForceReconnectStatus,
  HandlerErrorStatus,
  LDMStatus,
  Msg,
  MsgCallback,
  NatsConnection,
  Payload,
  Publisher,
  PublishOptions,
  QueuedIterator,
  ReconnectingStatus,
  ReconnectStatus,
  ReconnectToServerHandler,
  RequestManyOptions,
  RequestOptions,
  RequestStrategy,
  ReviverFn,
  Server,
  ServerErrorStatus,
  SlowConsumerStatus,
  StaleConnectionStatus,
  Stats,
  Status,
  Subscription,
  SubscriptionLimits,
  SubscriptionOptions,
  WaitOptions,
} from "./client/connection.ts";
export { type Connect, createConnect, type CreateConnectOptions } from "./client/connect.ts";
export type {
  ConnectionOptions,
  // what users of the official client know it as
  ConnectionOptions as NodeConnectionOptions,
  ConnectionOptions as WsConnectionOptions,
  NetworkEvent,
  NetworkWatch,
} from "./client/options.ts";
export type { Codec } from "./codec/codec.ts";
export { json, jsonCodec } from "./codec/json.ts";
export { msgpack, msgpackCodec } from "./codec/msgpack.ts";
export { text } from "./codec/text.ts";
export { validated } from "./codec/validated.ts";
export {
  AuthorizationError,
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  errors,
  InvalidArgumentError,
  InvalidOperationError,
  InvalidSubjectError,
  isNatsError,
  NatsError,
  type NatsErrorCode,
  type NatsErrorFacts,
  NoRespondersError,
  PermissionViolationError,
  ProtocolError,
  RequestError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from "./errors.ts";
export { type Backoff, backoff } from "./lib/backoff.ts";
export { Empty } from "./lib/bytes.ts";
export { deadline, type Deferred, deferred, type Delay, delay } from "./lib/deferred.ts";
export { millis, type Nanos, nanos } from "./lib/nanos.ts";
export { Nuid, nuid } from "./lib/nuid.ts";
export type { SemVer } from "./lib/semver.ts";
export { type SyncIterator, syncIterator } from "./lib/sync-iterator.ts";
export { canonicalMIMEHeaderKey, headers, Match, type MsgHdrs, MsgHdrsImpl } from "./protocol/headers.ts";
export type { AuthFields, ServerInfo } from "./protocol/ops.ts";
export { createInbox } from "./protocol/subject.ts";
export type { TlsOptions } from "./transport/tls.ts";
export type { Dialer, DialTarget, Scheme, Transport, TransportEvents } from "./transport/transport.ts";
export type { WebSocketFactory as WsSocketFactory, WebSocketLike } from "./transport/websocket-factory.ts";
export { version } from "./version.ts";
