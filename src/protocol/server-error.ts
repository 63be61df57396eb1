// Server error: what an -ERR says, as an error and as facts to act on. The only place that reads the server's prose.
import {
  AuthorizationError,
  ConnectionError,
  InvalidSubjectError,
  type NatsError,
  type NatsErrorCode,
  PermissionViolationError,
  ProtocolError,
  UserAuthenticationExpiredError,
} from "../errors.ts";

/** What an -ERR is about, as far as a connection acts on it. */
export type ServerErrorKind =
  /** the login was refused */
  | "auth"
  /** the login did not come in time, or the account could not be set up: trying again may help */
  | "auth-retry"
  /** user or account expired, or were revoked, while connected */
  | "expired"
  /** the server takes no more connections */
  | "connection-limit"
  /** the client is set up wrongly: a TLS port without TLS, or a port for servers */
  | "configuration"
  /** the server did not get the answers to its pings */
  | "stale"
  /** a subscription was refused: too many */
  | "max-subscriptions"
  /** a subscription was refused: malformed subject */
  | "invalid-subject"
  /** a message was refused; `subject` is where it should go */
  | "permission-publish"
  /** a message was refused; `subject` is its reply subject */
  | "permission-reply"
  /** a subscription was refused or taken away; `queue` and `sid` where they are known */
  | "permission-subscription"
  /** everything else */
  | "other";

/** An -ERR, understood. */
export interface ServerError {
  readonly kind: ServerErrorKind;
  /** for the user; `serverText` is what the server wrote */
  readonly error: NatsError;
  /** the server closes the connection after it */
  readonly fatal: boolean;
  readonly subject?: string;
  readonly queue?: string;
  readonly sid?: string;
}

// beginning of the text, what it is about, code, the server closes, what to do
type Row = readonly [
  text: string,
  kind: ServerErrorKind,
  code: NatsErrorCode,
  fatal?: boolean,
  cure?: string,
];
const TABLE: readonly Row[] = [
  [
    "authorization violation",
    "auth",
    "AUTHORIZATION",
    true,
    "check the credentials and what the user is allowed to connect with",
  ],
  ["authentication timeout", "auth-retry", "AUTHORIZATION", true],
  ["user authentication expired", "expired", "AUTHENTICATION_EXPIRED", true],
  ["user authentication revoked", "expired", "AUTHENTICATION_EXPIRED", true],
  ["account authentication expired", "expired", "AUTHENTICATION_EXPIRED", true],
  ["failed account registration", "auth-retry", "AUTHORIZATION", true],
  ["maximum connections exceeded", "connection-limit", "MAX_CONNECTIONS", true],
  ["maximum account active connections exceeded", "connection-limit", "MAX_CONNECTIONS", true],
  ["connection throttling is active", "connection-limit", "MAX_CONNECTIONS", true],
  ["secure connection - tls required", "configuration", "TLS", true, "use tls:// or the tls option"],
  ["attempted to connect to ", "configuration", "CONNECTION", true, "use the server's port for clients"],
  ["invalid client protocol", "other", "PROTOCOL", true],
  ["no responders requires headers support", "other", "PROTOCOL", true],
  ["unknown protocol operation", "other", "PROTOCOL", true],
  [
    "maximum control line exceeded",
    "other",
    "PROTOCOL",
    true,
    "a subject or the login (a large JWT) is longer than the server's max_control_line",
  ],
  ["maximum payload violation", "other", "MAX_PAYLOAD", true],
  ["stale connection", "stale", "STALE_CONNECTION", true],
  ["maximum subscriptions exceeded", "max-subscriptions", "MAX_SUBSCRIPTIONS"],
  ["invalid subject", "invalid-subject", "INVALID_SUBJECT"],
  ["invalid publish subject", "other", "INVALID_SUBJECT"],
  ["permissions violation", "other", "PERMISSION_VIOLATION"],
];

const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const PERMISSION = `^permissions violation for (publish|publish with reply|subscription) (?:to|of) ${QUOTED}(?: using queue ${QUOTED})?(?: \\(sid ${QUOTED}\\))?`;

// what Go's %q makes of a text, undone
function unquote(text: string): string {
  return text.replace(/\\(x..|u.{4}|U.{8}|.)/g, (_, escape: string) => {
    if (escape.length > 1) {
      const code = Number.parseInt(escape.slice(1), 16);
      // \x80 and above is a byte that was no UTF-8
      return code > 0x10_ffff || Number.isNaN(code) || (escape[0] === "x" && code > 127)
        ? "\ufffd"
        : String.fromCodePoint(code);
    }
    const i = "abfnrtv".indexOf(escape);
    return i < 0 ? escape : ("\x07\b\f\n\r\t\v"[i] as string);
  });
}

/** Understand the text of an -ERR, with or without its quotes. Never throws. */
export function parseServerError(line: string): ServerError {
  const serverText = line.trim().replace(/^'(.*)'$/s, "$1");
  const permission = new RegExp(PERMISSION, "i").exec(serverText);
  if (permission) {
    const [, what, quoted, ...more] = permission;
    const subject = unquote(quoted as string);
    const [queue, sid] = more.map((text) => (text === undefined ? text : unquote(text)));
    const of = (what as string).toLowerCase();
    const operation = of === "subscription" ? of : "publish";
    const facts = queue === undefined ? { serverText } : { serverText, queue };
    return {
      kind: of.endsWith("reply") ? "permission-reply" : `permission-${operation}`,
      error: new PermissionViolationError(operation, subject, facts),
      fatal: false,
      subject,
      ...(queue === undefined ? {} : { queue }),
      ...(sid === undefined ? {} : { sid }),
    };
  }
  const text = serverText.toLowerCase();
  const row = TABLE.find(([start]) => text.startsWith(start));
  const [, kind, code, fatal = false, cure] = row ?? (["", "other", "PROTOCOL"] as const satisfies Row);
  const message = `the server says '${serverText}'${cure === undefined ? "" : `: ${cure}`}`;
  return { kind, error: made(code, message, { serverText }), fatal };
}

function made(code: NatsErrorCode, message: string, facts: { serverText: string }): NatsError {
  if (code === "AUTHORIZATION") return new AuthorizationError(message, facts);
  if (code === "AUTHENTICATION_EXPIRED") return new UserAuthenticationExpiredError(message, facts);
  if (code === "INVALID_SUBJECT") return new InvalidSubjectError(message, facts);
  const link: NatsErrorCode[] = ["MAX_CONNECTIONS", "TLS", "CONNECTION", "STALE_CONNECTION"];
  return new (link.includes(code) ? ConnectionError : ProtocolError)(message, facts, code);
}
