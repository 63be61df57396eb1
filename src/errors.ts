// Errors: the one family every failure of the package belongs to. Imported by every layer; imports nothing.

/**
 * Every code a {@link NatsError} can carry. The set is closed: match on `err.code`, never on the text.
 */
export type NatsErrorCode =
  /** the call was ended by the `signal` given to it; `cause` is the signal's reason */
  | "ABORTED"
  /** the server refused the credentials, the account or the connection type */
  | "AUTHORIZATION"
  /** the login ran out (user, account, revocation) while connected */
  | "AUTHENTICATION_EXPIRED"
  /** an authenticator of the user threw or gave something that is no credential */
  | "AUTHENTICATOR"
  /** JetStream: not all messages of a batch arrived; of an atomic batch nothing was stored */
  | "BATCH_INCOMPLETE"
  /** the connection is closed */
  | "CLOSED"
  /** a payload could not be encoded or decoded, or failed its schema */
  | "CODEC"
  /** a server could not be reached or the link to it broke */
  | "CONNECTION"
  /** nothing listens at the address */
  | "CONNECTION_REFUSED"
  /** JetStream: a consumer has that name, and another configuration or a subscriber */
  | "CONSUMER_EXISTS"
  /** JetStream: no such consumer */
  | "CONSUMER_NOT_FOUND"
  /** there is no connection right now, and the policy or the call does not wait for one */
  | "DISCONNECTED"
  /** the connection or the subscription is draining */
  | "DRAINING"
  /** a header name, value or block is malformed */
  | "INVALID_HEADER"
  /** an option or an argument has a value that can't be used */
  | "INVALID_ARGUMENT"
  /** a key, seed, JWT or credentials file is malformed */
  | "INVALID_KEY"
  /** the call does not fit the state of the object */
  | "INVALID_OPERATION"
  /** a subject, queue group or inbox prefix is malformed */
  | "INVALID_SUBJECT"
  /** JetStream: the API refused the call; `apiErrorCode` says why */
  | "JETSTREAM_API"
  /** JetStream is not enabled on the server, for the account or in the domain */
  | "JETSTREAM_NOT_ENABLED"
  /** JetStream: a message of the server, in the place of what was wanted, says why there is no more; `status` is its number */
  | "JETSTREAM_STATUS"
  /** the server's limit on connections is reached */
  | "MAX_CONNECTIONS"
  /** the message is larger than the server's `max_payload` */
  | "MAX_PAYLOAD"
  /** the server's limit on subscriptions is reached */
  | "MAX_SUBSCRIPTIONS"
  /** JetStream: no message has that sequence or subject */
  | "MESSAGE_NOT_FOUND"
  /** nobody is subscribed to the subject of a request */
  | "NO_RESPONDERS"
  /** object store: an object has that name */
  | "OBJECT_EXISTS"
  /** object store: chunks of the object are gone: it was replaced, deleted or aged out while it was read */
  | "OBJECT_INCOMPLETE"
  /** object store: the bytes of the object are not those that its info tells of: digest or size differ */
  | "OBJECT_MISMATCH"
  /** object store: no object has that name */
  | "OBJECT_NOT_FOUND"
  /** the outbound queue is full; the message was not accepted */
  | "OUTBOUND_FULL"
  /** the server does not allow this user the subject */
  | "PERMISSION_VIOLATION"
  /** the peer sent bytes that are not the protocol, or refused ours */
  | "PROTOCOL"
  /** a service answered with an error; `serviceCode` and `description` say which */
  | "SERVICE"
  /** the messages of a subscription came faster than they were taken */
  | "SLOW_CONSUMER"
  /** the server stopped answering pings */
  | "STALE_CONNECTION"
  /** embedded server: another server has the folder of the streams */
  | "STORE_IN_USE"
  /** JetStream: a stream has that name, and another configuration */
  | "STREAM_EXISTS"
  /** JetStream: no such stream */
  | "STREAM_NOT_FOUND"
  /** the deadline passed first */
  | "TIMEOUT"
  /** TLS could not be agreed on, or the certificate was refused */
  | "TLS"
  /** the runtime, the transport or the server lacks what was asked for */
  | "UNSUPPORTED"
  /** JetStream: the last sequence of the stream or of the subject is not the expected one; nothing was stored */
  | "WRONG_LAST_SEQUENCE";

/** What a {@link NatsError} may be given beside code and message. */
export interface NatsErrorFacts {
  /** the error below this one */
  cause?: unknown;
  /** the subject concerned */
  subject?: string | undefined;
  /** the queue group concerned */
  queue?: string | undefined;
  /** the server concerned, as `host:port`, without credentials */
  server?: string | undefined;
  /** what the server wrote, without the quotes */
  serverText?: string | undefined;
  /** the stream concerned */
  stream?: string | undefined;
  /** the consumer concerned */
  consumer?: string | undefined;
}

const BRAND: unique symbol = Symbol.for("isonats.NatsError") as never;

function isBranded(value: unknown): boolean {
  return typeof value === "object" && value !== null && BRAND in value;
}

/**
 * The base class of everything isonats throws or rejects with.
 *
 * `instanceof NatsError` is true for errors of another copy of the package too.
 */
export class NatsError extends Error {
  /** what kind of failure this is */
  readonly code: NatsErrorCode;
  /** the subject concerned, where there is one */
  declare readonly subject?: string;
  /** the queue group concerned, where there is one */
  declare readonly queue?: string;
  /** the server concerned, as `host:port` */
  declare readonly server?: string;
  /** the `-ERR` text of the server, where one is behind this */
  declare readonly serverText?: string;
  /** the stream concerned, where there is one */
  declare readonly stream?: string;
  /** the consumer concerned, where there is one */
  declare readonly consumer?: string;

  constructor(code: NatsErrorCode, message: string, facts: NatsErrorFacts = {}) {
    const { cause, ...fields } = facts;
    super(`[${code}] ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined) Object.assign(this, { [key]: value });
    }
  }

  /** @internal each class has its own, as minifiers rename classes */
  override get name(): string {
    return "NatsError";
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === NatsError ? isBranded(value) : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

/** True for every error of isonats, also of another copy of the package in the same process. */
export function isNatsError(value: unknown): value is NatsError {
  return isBranded(value);
}

/** A subject, queue group or inbox prefix that can't be used. Code `INVALID_SUBJECT`. */
export class InvalidSubjectError extends NatsError {
  constructor(message: string, facts?: NatsErrorFacts) {
    super("INVALID_SUBJECT", message, facts);
  }

  override get name(): string {
    return "InvalidSubjectError";
  }
}

/** An option or argument that can't be used. Code `INVALID_ARGUMENT`, or `MAX_PAYLOAD` for a message that is too large. */
export class InvalidArgumentError extends NatsError {
  constructor(message: string, facts?: NatsErrorFacts, code: NatsErrorCode = "INVALID_ARGUMENT") {
    super(code, message, facts);
  }

  override get name(): string {
    return "InvalidArgumentError";
  }

  /** The familiar form of the message: `'a' and 'b' are mutually exclusive`. */
  static format(property: string | string[], message: string): InvalidArgumentError {
    const names = (Array.isArray(property) ? property : [property]).map((name) => `'${name}'`);
    return new InvalidArgumentError(`${names.join(" and ")} ${message}`);
  }
}

/** A call that does not fit the state of its object. Code `INVALID_OPERATION`. */
export class InvalidOperationError extends NatsError {
  constructor(message: string, facts?: NatsErrorFacts) {
    super("INVALID_OPERATION", message, facts);
  }

  override get name(): string {
    return "InvalidOperationError";
  }
}

/** The login ran out while connected. Code `AUTHENTICATION_EXPIRED`. */
export class UserAuthenticationExpiredError extends NatsError {
  constructor(message: string, facts?: NatsErrorFacts) {
    super("AUTHENTICATION_EXPIRED", message, facts);
  }

  override get name(): string {
    return "UserAuthenticationExpiredError";
  }
}

/** The server refused who we are. Code `AUTHORIZATION`. */
export class AuthorizationError extends NatsError {
  constructor(message: string, facts?: NatsErrorFacts) {
    super("AUTHORIZATION", message, facts);
  }

  override get name(): string {
    return "AuthorizationError";
  }
}

/** The connection is closed. Code `CLOSED`. */
export class ClosedConnectionError extends NatsError {
  constructor(facts?: NatsErrorFacts) {
    super("CLOSED", "the connection is closed", facts);
  }

  override get name(): string {
    return "ClosedConnectionError";
  }
}

/** The connection is draining. Code `DRAINING`. */
export class DrainingConnectionError extends NatsError {
  constructor(facts?: NatsErrorFacts) {
    super("DRAINING", "the connection is draining", facts);
  }

  override get name(): string {
    return "DrainingConnectionError";
  }
}

/** A server could not be reached, or the link to it broke; `code` says how. */
export class ConnectionError extends NatsError {
  constructor(message: string, facts?: NatsErrorFacts, code: NatsErrorCode = "CONNECTION") {
    super(code, message, facts);
  }

  override get name(): string {
    return "ConnectionError";
  }
}

/** The peer broke the protocol, or says that we did; `code` says what it was about. */
export class ProtocolError extends NatsError {
  constructor(message: string, facts?: NatsErrorFacts, code: NatsErrorCode = "PROTOCOL") {
    super(code, message, facts);
  }

  override get name(): string {
    return "ProtocolError";
  }
}

/** A request failed before its deadline; `cause` is the reason, and `code` the reason's code. */
export class RequestError extends NatsError {
  constructor(message: string, cause: NatsError) {
    super(cause.code, message, { cause, subject: cause.subject });
  }

  override get name(): string {
    return "RequestError";
  }

  /** True when nobody was subscribed to the subject. */
  isNoResponders(): boolean {
    return this.code === "NO_RESPONDERS";
  }
}

/** A deadline passed. Code `TIMEOUT`; `reason` says what was missing. */
export class TimeoutError extends NatsError {
  /** `"no connection"` when there was none while the call waited, else `"no reply"` */
  readonly reason: "no connection" | "no reply";
  constructor(
    message: string,
    facts: NatsErrorFacts = {},
    reason: "no connection" | "no reply" = "no reply",
  ) {
    super("TIMEOUT", message, facts);
    this.reason = reason;
  }

  override get name(): string {
    return "TimeoutError";
  }
}

/** Nobody is subscribed to the subject. Code `NO_RESPONDERS`. */
export class NoRespondersError extends NatsError {
  declare readonly subject: string;
  constructor(subject: string, facts?: NatsErrorFacts) {
    super("NO_RESPONDERS", `nobody is subscribed to '${subject}'`, { ...facts, subject });
  }

  override get name(): string {
    return "NoRespondersError";
  }
}

/** The server does not allow this user the subject. Code `PERMISSION_VIOLATION`. */
export class PermissionViolationError extends NatsError {
  declare readonly subject: string;
  /** what was refused */
  readonly operation: "publish" | "subscription";
  constructor(operation: "publish" | "subscription", subject: string, facts?: NatsErrorFacts) {
    super(
      "PERMISSION_VIOLATION",
      `the server refuses this user the ${operation} ${operation === "publish" ? "to" : "on"} '${subject}'`,
      { ...facts, subject },
    );
    this.operation = operation;
  }

  override get name(): string {
    return "PermissionViolationError";
  }
}

/** The familiar group of all error classes. */
export const errors: {
  readonly AuthorizationError: typeof AuthorizationError;
  readonly ClosedConnectionError: typeof ClosedConnectionError;
  readonly ConnectionError: typeof ConnectionError;
  readonly DrainingConnectionError: typeof DrainingConnectionError;
  readonly InvalidArgumentError: typeof InvalidArgumentError;
  readonly InvalidOperationError: typeof InvalidOperationError;
  readonly InvalidSubjectError: typeof InvalidSubjectError;
  readonly NatsError: typeof NatsError;
  readonly NoRespondersError: typeof NoRespondersError;
  readonly PermissionViolationError: typeof PermissionViolationError;
  readonly ProtocolError: typeof ProtocolError;
  readonly RequestError: typeof RequestError;
  readonly TimeoutError: typeof TimeoutError;
  readonly UserAuthenticationExpiredError: typeof UserAuthenticationExpiredError;
} = {
  AuthorizationError,
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  InvalidArgumentError,
  InvalidOperationError,
  InvalidSubjectError,
  NatsError,
  NoRespondersError,
  PermissionViolationError,
  ProtocolError,
  RequestError,
  TimeoutError,
  UserAuthenticationExpiredError,
};
