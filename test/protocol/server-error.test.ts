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
import { isPassing, parseServerError, type ServerError } from "../../src/protocol/server-error.ts";
import { draws } from "../fixtures/draws.ts";

type Class = abstract new (...args: never[]) => Error;
const auth = AuthorizationError;
const expired = UserAuthenticationExpiredError;
const link = ConnectionError;
const bug = ProtocolError;

const ROWS: [text: string, code: NatsErrorCode, type: Class, fatal: boolean, passing?: boolean][] = [
  ["Authorization Violation", "AUTHORIZATION", auth, true],
  ["Authentication Timeout", "AUTHORIZATION", auth, true, true],
  ["User Authentication Expired", "AUTHENTICATION_EXPIRED", expired, true],
  ["User Authentication Revoked", "AUTHENTICATION_EXPIRED", expired, true],
  ["Account Authentication Expired", "AUTHENTICATION_EXPIRED", expired, true],
  ["Failed Account Registration", "AUTHORIZATION", auth, true, true],
  ["maximum connections exceeded", "MAX_CONNECTIONS", link, true],
  ["maximum account active connections exceeded", "MAX_CONNECTIONS", link, true],
  ["Connection throttling is active. Please try again later.", "MAX_CONNECTIONS", link, true],
  ["Secure Connection - TLS Required", "TLS", link, true],
  ["invalid client protocol", "PROTOCOL", bug, true],
  ["no responders requires headers support", "PROTOCOL", bug, true],
  ["Unknown Protocol Operation", "PROTOCOL", bug, true],
  ["maximum control line exceeded", "PROTOCOL", bug, true],
  ["Maximum Payload Violation", "MAX_PAYLOAD", bug, true],
  ["Stale Connection", "STALE_CONNECTION", link, true],
  ["attempted to connect to route port", "CONNECTION", link, true],
  ["attempted to connect to gateway port", "CONNECTION", link, true],
  ["attempted to connect to leaf node port", "CONNECTION", link, true],
  ["attempted to connect to wrong port", "CONNECTION", link, true],
  ["maximum subscriptions exceeded", "MAX_SUBSCRIPTIONS", bug, false],
  ["Invalid Subject", "INVALID_SUBJECT", InvalidSubjectError, false],
  ["Invalid Publish Subject", "INVALID_SUBJECT", InvalidSubjectError, false],
];

describe("C-ERR-1 each text of the server, with and without quotes, in any case", () => {
  for (const [text, code, type, fatal, passing = false] of ROWS) {
    test(text, () => {
      for (const form of [`'${text}'`, text, `'${text.toUpperCase()}'`, ` '${text.toLowerCase()}' `]) {
        const parsed = parseServerError(form);
        assert.deepEqual(
          [parsed.error.code, parsed.fatal, isPassing(parsed.error)],
          [code, fatal, passing],
          form,
        );
        assert.ok(parsed.error instanceof type);
        assert.equal(parsed.error.serverText, form.trim().replaceAll("'", ""));
        assert.ok(parsed.error.message.includes(parsed.error.serverText ?? "-"));
        const { refused, sid, error } = parsed;
        assert.deepEqual([refused, sid, error.subject, error.queue], Array(4).fill(undefined));
      }
    });
  }
});

describe("C-ERR-1 C-ERR-2 the permission texts", () => {
  const rows: [
    text: string,
    refused: ServerError["refused"],
    subject: string,
    queue?: string | undefined,
    sid?: string,
  ][] = [
    [`Permissions Violation for Publish to "foo"`, "publish", "foo"],
    [`Permissions Violation for Publish with Reply of "_R_.x"`, "reply", "_R_.x"],
    [`Permissions Violation for Subscription to "foo.>"`, "subscription", "foo.>"],
    [`Permissions Violation for Subscription to "m" using queue "_sys_"`, "subscription", "m", "_sys_"],
    [`Permissions Violation for Subscription to "foo" (sid "12")`, "subscription", "foo", undefined, "12"],
    [
      `Permissions Violation for Subscription to "foo" using queue "q" (sid "a1")`,
      "subscription",
      "foo",
      "q",
      "a1",
    ],
    [`Permissions Violation for Subscription to "a.b.c.d.e", too many tokens`, "subscription", "a.b.c.d.e"],
  ];
  for (const [text, refused, subject, queue, sid] of rows) {
    test(`trap 18: ${text}`, () => {
      for (const form of [`'${text}'`, text.replace("Permissions Violation", "PERMISSIONS violation")]) {
        const parsed = parseServerError(form);
        assert.deepEqual(
          [parsed.refused, parsed.error.subject, parsed.error.queue, parsed.sid, parsed.fatal],
          [refused, subject, queue, sid, false],
        );
        assert.ok(parsed.error instanceof PermissionViolationError);
        const { code, operation, subject: at, queue: group } = parsed.error;
        assert.equal(code, "PERMISSION_VIOLATION");
        assert.equal(operation, refused === "subscription" ? "subscription" : "publish");
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
      assert.deepEqual([parsed.error.subject, parsed.error.queue], [subject, subject]);
    }
  });

  test("any subject survives quoting and unquoting", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (subject) => {
        // JSON and Go agree on the escapes that matter here
        const parsed = parseServerError(`'Permissions Violation for Publish to ${JSON.stringify(subject)}'`);
        assert.equal(parsed.error.subject, subject);
      }),
      draws(100),
    );
  });

  test("one that does not name its subject is still a permission error", () => {
    const parsed = parseServerError("'Permissions Violation'");
    assert.deepEqual(
      [parsed.refused, parsed.error.code, parsed.fatal],
      [undefined, "PERMISSION_VIOLATION", false],
    );
  });
});

describe("what a connection goes by", () => {
  test("trap 17: C-ERR-6 an unknown text is reported and closes nothing", () => {
    for (const text of ["'Something New'", "''", "", "'", "it's", "'it''s'"]) {
      const parsed = parseServerError(text);
      assert.deepEqual([parsed.refused, parsed.error.code, parsed.fatal], [undefined, "PROTOCOL", false]);
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
      assert.equal(parseServerError(`'${text}'`).error.code, "AUTHENTICATION_EXPIRED");
    }
  });
});
