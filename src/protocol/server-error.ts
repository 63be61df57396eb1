// Server error: what an -ERR says, as an error and as facts to act on. The only place that reads the server's prose.
import {
  AuthorizationError,
  ConnectionError,
  InvalidSubjectError,
  type NatsError,
  type NatsErrorCode,
  type NatsErrorFacts,
  PermissionViolationError,
  ProtocolError,
  UserAuthenticationExpiredError,
} from "../errors.ts";

/** An -ERR, understood. */
export interface ServerError {
  /** for the user; its `code` says what it is about, `serverText` is what the server wrote */
  readonly error: NatsError;
  /** the server closes the connection after it */
  readonly fatal: boolean;
  /** what a user may not do. Of `reply`, the error's subject is the reply subject of a message. */
  readonly refused?: "publish" | "reply" | "subscription";
  /** of the refused subscription, where the server says it */
  readonly sid?: string | undefined;
}

type Row = readonly [
  text: RegExp,
  type: new (message: string, facts: NatsErrorFacts, code: NatsErrorCode) => NatsError,
  code: NatsErrorCode,
  cure?: string,
];

// a login that did not come in time, or an account that could not be set up
const PASSING = /^(authentication timeout|failed account registration)/i;
const TABLE: readonly Row[] = [
  [PASSING, AuthorizationError, "AUTHORIZATION"],
  [
    /^authorization violation/i,
    AuthorizationError,
    "AUTHORIZATION",
    "check the credentials and what the user is allowed to connect with",
  ],
  [
    /^(user|account) authentication (expired|revoked)/i,
    UserAuthenticationExpiredError,
    "AUTHENTICATION_EXPIRED",
  ],
  [
    /^(maximum (account active )?connections exceeded|connection throttling is active)/i,
    ConnectionError,
    "MAX_CONNECTIONS",
  ],
  [/^secure connection - tls required/i, ConnectionError, "TLS", "use tls:// or the tls option"],
  [/^attempted to connect to /i, ConnectionError, "CONNECTION", "use the server's port for clients"],
  [/^stale connection/i, ConnectionError, "STALE_CONNECTION"],
  [
    /^maximum control line exceeded/i,
    ProtocolError,
    "PROTOCOL",
    "a subject or the login (a large JWT) is longer than the server's max_control_line",
  ],
  [/^(invalid client|unknown) protocol|^no responders requires headers/i, ProtocolError, "PROTOCOL"],
  [/^maximum payload violation/i, ProtocolError, "MAX_PAYLOAD"],
  [/^maximum subscriptions exceeded/i, ProtocolError, "MAX_SUBSCRIPTIONS"],
  [/^invalid (publish )?subject/i, InvalidSubjectError, "INVALID_SUBJECT"],
  [/^permissions violation/i, ProtocolError, "PERMISSION_VIOLATION"],
];
// after these the connection goes on
const MILD = ["MAX_SUBSCRIPTIONS", "INVALID_SUBJECT", "PERMISSION_VIOLATION"];

const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const PERMISSION = new RegExp(
  `^permissions violation for (publish|publish with reply|subscription) (?:to|of) ${QUOTED}(?: using queue ${QUOTED})?(?: \\(sid ${QUOTED}\\))?`,
  "i",
);

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

/** True of a refused login that may succeed the next time, with the same credentials. */
export function isPassing({ serverText = "" }: NatsError): boolean {
  return PASSING.test(serverText);
}

/** Understand the text of an -ERR, with or without its quotes. Never throws. */
export function parseServerError(line: string): ServerError {
  const serverText = line.trim().replace(/^'(.*)'$/s, "$1");
  const permission = PERMISSION.exec(serverText);
  if (permission) {
    const [what = "", subject = "", queue, sid] = permission.slice(1).map((text) => text && unquote(text));
    const refused = /\w+$/.exec(what.toLowerCase())?.[0] as "publish" | "reply" | "subscription";
    const operation = refused === "subscription" ? refused : "publish";
    const error = new PermissionViolationError(operation, subject, { serverText, queue });
    return { error, fatal: false, refused, sid };
  }
  const row = TABLE.find(([text]) => text.test(serverText));
  const [, type, code, cure] = row ?? [undefined, ProtocolError, "PROTOCOL" as const];
  const message = `the server says '${serverText}'${cure === undefined ? "" : `: ${cure}`}`;
  return { error: new type(message, { serverText }, code), fatal: row !== undefined && !MILD.includes(code) };
}
