// Server error: every row of the table, and the shapes of the permission texts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  AuthorizationError,
  ConnectionError,
  InvalidSubjectError,
  type NatsErrorCode,
  PermissionViolationError,
  ProtocolError,
  UserAuthenticationExpiredError,
} from "../../src/errors.ts";
import { parseServerError, type ServerErrorKind } from "../../src/protocol/server-error.ts";

type Class = abstract new (...args: never[]) => Error;
const auth = AuthorizationError;
const expired = UserAuthenticationExpiredError;
const link = ConnectionError;
const bug = ProtocolError;

const ROWS: [text: string, kind: ServerErrorKind, code: NatsErrorCode, type: Class, fatal: boolean][] = [
  ["Authorization Violation", "auth", "AUTHORIZATION", auth, true],
  ["Authentication Timeout", "auth-retry", "AUTHORIZATION", auth, true],
  ["User Authentication Expired", "expired", "AUTHENTICATION_EXPIRED", expired, true],
  ["User Authentication Revoked", "expired", "AUTHENTICATION_EXPIRED", expired, true],
  ["Account Authentication Expired", "expired", "AUTHENTICATION_EXPIRED", expired, true],
  ["Failed Account Registration", "auth-retry", "AUTHORIZATION", auth, true],
  ["maximum connections exceeded", "connection-limit", "MAX_CONNECTIONS", link, true],
  ["maximum account active connections exceeded", "connection-limit", "MAX_CONNECTIONS", link, true],
  [
    "Connection throttling is active. Please try again later.",
    "connection-limit",
    "MAX_CONNECTIONS",
    link,
    true,
  ],
  ["Secure Connection - TLS Required", "configuration", "TLS", link, true],
  ["invalid client protocol", "other", "PROTOCOL", bug, true],
  ["no responders requires headers support", "other", "PROTOCOL", bug, true],
  ["Unknown Protocol Operation", "other", "PROTOCOL", bug, true],
  ["maximum control line exceeded", "other", "PROTOCOL", bug, true],
  ["Maximum Payload Violation", "other", "MAX_PAYLOAD", bug, true],
  ["Stale Connection", "stale", "STALE_CONNECTION", link, true],
  ["attempted to connect to route port", "configuration", "CONNECTION", link, true],
  ["attempted to connect to gateway port", "configuration", "CONNECTION", link, true],
  ["attempted to connect to leaf node port", "configuration", "CONNECTION", link, true],
  ["attempted to connect to wrong port", "configuration", "CONNECTION", link, true],
  ["maximum subscriptions exceeded", "max-subscriptions", "MAX_SUBSCRIPTIONS", bug, false],
  ["Invalid Subject", "invalid-subject", "INVALID_SUBJECT", InvalidSubjectError, false],
  ["Invalid Publish Subject", "other", "INVALID_SUBJECT", InvalidSubjectError, false],
];

describe("C-ERR-1 each text of the server, with and without quotes, in any case", () => {
  for (const [text, kind, code, type, fatal] of ROWS) {
    test(text, () => {
      for (const form of [`'${text}'`, text, `'${text.toUpperCase()}'`, ` '${text.toLowerCase()}' `]) {
        const parsed = parseServerError(form);
        assert.deepEqual([parsed.kind, parsed.error.code, parsed.fatal], [kind, code, fatal], form);
        assert.ok(parsed.error instanceof type);
        assert.equal(parsed.error.serverText, form.trim().replaceAll("'", ""));
        assert.ok(parsed.error.message.includes(parsed.error.serverText ?? "-"));
        assert.deepEqual([parsed.subject, parsed.queue, parsed.sid], [undefined, undefined, undefined]);
      }
    });
  }
});

describe("C-ERR-1 C-ERR-2 the permission texts", () => {
  const rows: [
    text: string,
    kind: ServerErrorKind,
    subject: string,
    queue?: string | undefined,
    sid?: string,
  ][] = [
    [`Permissions Violation for Publish to "foo"`, "permission-publish", "foo"],
    [`Permissions Violation for Publish with Reply of "_R_.x"`, "permission-reply", "_R_.x"],
    [`Permissions Violation for Subscription to "foo.>"`, "permission-subscription", "foo.>"],
    [
      `Permissions Violation for Subscription to "m" using queue "_sys_"`,
      "permission-subscription",
      "m",
      "_sys_",
    ],
    [
      `Permissions Violation for Subscription to "foo" (sid "12")`,
      "permission-subscription",
      "foo",
      undefined,
      "12",
    ],
    [
      `Permissions Violation for Subscription to "foo" using queue "q" (sid "a1")`,
      "permission-subscription",
      "foo",
      "q",
      "a1",
    ],
    [
      `Permissions Violation for Subscription to "a.b.c.d.e", too many tokens`,
      "permission-subscription",
      "a.b.c.d.e",
    ],
  ];
  for (const [text, kind, subject, queue, sid] of rows) {
    test(`trap 18: ${text}`, () => {
      for (const form of [`'${text}'`, text.replace("Permissions Violation", "PERMISSIONS violation")]) {
        const parsed = parseServerError(form);
        assert.deepEqual(
          [parsed.kind, parsed.subject, parsed.queue, parsed.sid, parsed.fatal],
          [kind, subject, queue, sid, false],
        );
        assert.ok(parsed.error instanceof PermissionViolationError);
        const { code, operation, subject: at, queue: group } = parsed.error;
        assert.equal(code, "PERMISSION_VIOLATION");
        assert.equal(operation, kind === "permission-subscription" ? "subscription" : "publish");
        assert.deepEqual([at, group], [subject, queue]);
      }
    });
  }

  test("a subject is given as it was before Go quoted it", () => {
    const rows: [string, string][] = [
      [String.raw`a\"b\\c`, 'a"b\\c'],
      [String.raw`\a\b\f\n\r\t\v`, "\x07\b\f\n\r\t\v"],
      [String.raw`\x00\x7f`, "\0\x7f"],
      [String.raw`\u200b.\U0001f9ff`, "\u200b.\u{1f9ff}"],
      [String.raw`\xff`, "\ufffd"],
      [String.raw`\Uffffffff\uzzzz`, "\ufffd\ufffd"],
      ["größe.'x'", "größe.'x'"],
      [`a\\" using queue \\"b`, 'a" using queue "b'],
    ];
    for (const [quoted, subject] of rows) {
      const parsed = parseServerError(
        `'Permissions Violation for Subscription to "${quoted}" using queue "${quoted}"'`,
      );
      assert.deepEqual([parsed.subject, parsed.queue], [subject, subject]);
    }
  });

  test("any subject survives quoting and unquoting", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (subject) => {
        // JSON and Go agree on the escapes that matter here
        const parsed = parseServerError(`'Permissions Violation for Publish to ${JSON.stringify(subject)}'`);
        assert.equal(parsed.subject, subject);
      }),
    );
  });

  test("one that does not name its subject is still a permission error", () => {
    const parsed = parseServerError("'Permissions Violation'");
    assert.deepEqual(
      [parsed.kind, parsed.error.code, parsed.fatal],
      ["other", "PERMISSION_VIOLATION", false],
    );
  });
});

describe("what a connection goes by", () => {
  test("trap 17: C-ERR-6 an unknown text is reported and closes nothing", () => {
    for (const text of ["'Something New'", "''", "", "'", "it's", "'it''s'"]) {
      const parsed = parseServerError(text);
      assert.deepEqual([parsed.kind, parsed.error.code, parsed.fatal], ["other", "PROTOCOL", false]);
      assert.ok(parsed.error instanceof ProtocolError);
    }
    assert.equal(parseServerError("'Something New'").error.serverText, "Something New");
  });

  test("trap 19: too many subscriptions does not end the connection", () => {
    assert.equal(parseServerError("'maximum subscriptions exceeded'").fatal, false);
  });

  test("trap 20: trap 21: user and account that expired are one kind, whatever the case", () => {
    for (const text of [
      "user authentication expired",
      "USER Authentication Expired",
      "account authentication expired",
    ]) {
      assert.equal(parseServerError(`'${text}'`).kind, "expired");
    }
  });
});
