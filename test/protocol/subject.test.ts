// Subject: what is refused before it reaches the wire, matching, inboxes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InvalidSubjectError } from "../../src/errors.ts";
import { Nuid } from "../../src/lib/nuid.ts";
import {
  createInbox,
  isWildcard,
  subjectMatches,
  tokenCount,
  validateInboxPrefix,
  validatePublishSubject,
  validateQueue,
  validateSubscribeSubject,
} from "../../src/protocol/subject.ts";
import { draws } from "../fixtures/draws.ts";

type Validate = (value: unknown) => void;
// with their types: assertion functions need them
const publish: Validate = (value) => validatePublishSubject(value);
const subscribe: Validate = (value) => validateSubscribeSubject(value);
const queue: Validate = (value) => validateQueue(value);
const prefix: Validate = (value) => validateInboxPrefix(value);
const all = { publish, subscribe, queue, prefix };

function refuses(validate: Validate, value: unknown, pattern: RegExp): void {
  assert.throws(
    () => validate(value),
    (error: unknown) => {
      assert.ok(error instanceof InvalidSubjectError, String(error));
      assert.equal(error.code, "INVALID_SUBJECT");
      assert.match(error.message, pattern);
      if (typeof value === "string") assert.equal(error.subject, value);
      return true;
    },
    `accepts ${JSON.stringify(value)}`,
  );
}

describe("everywhere", () => {
  test("trap 42: C-SUBJ-2 white space and control characters are refused", () => {
    for (const [name, validate] of Object.entries(all)) {
      for (const bad of [" ", "\t", "\r", "\n", "\f", "\v", "\0", "\u001b", "\u007f", "\u0085", "\u009f"]) {
        for (const value of [`a${bad}b`, `${bad}a`, `a${bad}`, bad, `a.${bad}.b`]) {
          refuses(validate, value, bad === " " ? /has a space at index/ : /control character at index/);
        }
      }
      refuses(validate, "foo 5\r\nPUB x", /'foo 5\\r\\nPUB x' has a space at index 3/);
      refuses(validate, "", /is empty/);
      assert.ok(name);
    }
  });

  test("half of a surrogate pair is refused, a whole one is not", () => {
    for (const validate of Object.values(all)) {
      for (const bad of ["\ud83c", "\udf89", "a\ud83c", "\ud83ca", "a\udf89.b", "\udf89\ud83c", "🎉\udf89"]) {
        refuses(validate, bad, /surrogate/);
      }
      validate("🎉");
      validate("a.🎉.b");
    }
  });

  test("C-SUBJ-5 other characters are left alone", () => {
    for (const validate of Object.values(all)) {
      for (const good of ["größe.世界", "a\u00a0b", "a/b:c", 'a"b\\c', "$JS.API", "a-b_c", "\u3000"])
        validate(good);
    }
  });

  test("trap 48: a value of another type is refused, by its type", () => {
    for (const validate of Object.values(all)) {
      refuses(validate, undefined, /must be a string, got undefined/);
      refuses(validate, 5, /must be a string, got number/);
      refuses(validate, null, /must be a string, got object/);
      refuses(validate, Symbol("a"), /must be a string, got symbol/);
    }
  });
});

describe("subjects", () => {
  test("trap 43: C-SUBJ-1 C-SUBJ-3 C-SUBJ-4 empty tokens are refused", () => {
    for (const validate of [publish, subscribe, prefix]) {
      for (const bad of [".", "..", ".a", "a.", "a..b", "a.b.", "..a"]) refuses(validate, bad, /empty token/);
    }
  });

  test("C-SUBJ-3 to publish takes a literal subject", () => {
    for (const bad of ["*", ">", "a.*", "*.a", "a.*.b", "a.>", ">.a"])
      refuses(publish, bad, /has a wildcard/);
  });

  test("C-SUBJ-1 within a longer token wildcards are ordinary characters", () => {
    for (const good of ["foo*", "f*o", "foo>", "**", ">>", "a.*b.c", "a.b*", "a.>b", "*>", "=", "~"]) {
      publish(good);
      subscribe(good);
    }
  });

  test("C-SUBJ-1 C-SUBJ-4 to subscribe takes wildcards, > only at the end", () => {
    for (const good of ["*", ">", "a.*", "*.*", "a.*.>", "*.a.>"]) subscribe(good);
    for (const bad of [">.a", "a.>.b", ">.>", "a.>.*"])
      refuses(subscribe, bad, /'>' that is not its last token/);
  });

  test("the message names what it is about", () => {
    assert.throws(
      () => validatePublishSubject("a..b", "reply subject"),
      /reply subject 'a\.\.b' has an empty token/,
    );
    assert.throws(() => validateSubscribeSubject("a.>.b"), /subject 'a\.>\.b' has/);
    assert.throws(() => validateQueue("a b"), /queue group 'a b' has a space at index 1/);
  });

  test("the verdict is that of the rule, token by token", () => {
    const subject = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", ">", " ", "ü"), maxLength: 8 });
    fc.assert(
      fc.property(subject, (text) => {
        const tokens = text.split(".");
        const sound = tokens.every((token) => token !== "" && !token.includes(" "));
        const literal = tokens.every((token) => token !== "*" && token !== ">");
        const last = tokens.indexOf(">") < 0 || tokens.indexOf(">") === tokens.length - 1;
        const verdict = (validate: Validate): boolean => {
          try {
            validate(text);
            return true;
          } catch {
            return false;
          }
        };
        assert.deepEqual([verdict(publish), verdict(subscribe)], [sound && literal, sound && last]);
        if (sound)
          assert.equal(isWildcard(text), !literal && (tokens.includes("*") || tokens.at(-1) === ">"));
        if (sound) assert.equal(tokenCount(text), tokens.length);
      }),
      draws(500),
    );
  });
});

describe("queue groups", () => {
  test("C-SUBJ-2 are any word", () => {
    for (const good of ["q", "a.b", "*", ">", "a..b", "_sys_", "."]) queue(good);
  });
});

describe("matching", () => {
  test("C-SUBJ-1 follows tokens", () => {
    const rows: [string, string, boolean][] = [
      ["a.b", "a.b", true],
      ["a.b", "a.c", false],
      ["a.b", "a", false],
      ["a", "a.b", false],
      ["a.*", "a.b", true],
      ["a.*", "a", false],
      ["a.*", "a.b.c", false],
      ["*.b", "a.b", true],
      ["*", "a", true],
      ["*", "a.b", false],
      ["*.*", "aa.bb", true],
      ["a.>", "a", false],
      ["a.>", "a.b", true],
      ["a.>", "a.b.c", true],
      [">", "a.b.c", true],
      ["a.*.>", "a.b", false],
      ["a.*.>", "a.b.c.d", true],
      ["a.*.c", "a.b.d", false],
      ["f*o", "foo", false],
      ["f*o", "f*o", true],
      ["a.b*", "a.bc", false],
      ["*a", "*a", true],
      [">a", ">a", true],
      ["foo.*", "foo.*", true],
    ];
    for (const [filter, subject, expected] of rows) {
      assert.equal(subjectMatches(filter, subject), expected, `${filter} ${subject}`);
    }
  });

  test("agrees with the rule, token by token", () => {
    const token = fc.constantFrom("a", "b", "*", "a*");
    const subject = fc.array(fc.constantFrom("a", "b", "ab", "a*"), { minLength: 1, maxLength: 4 });
    const filter = fc.tuple(fc.array(token, { maxLength: 4 }), fc.boolean()).map(([tokens, tail]) => {
      return tail || tokens.length === 0 ? [...tokens, ">"] : tokens;
    });
    fc.assert(
      fc.property(filter, subject, (f, s) => {
        const fits = (i: number): boolean => f[i] === "*" || f[i] === s[i];
        const expected =
          f.at(-1) === ">"
            ? s.length >= f.length && f.slice(0, -1).every((_, i) => fits(i))
            : s.length === f.length && f.every((_, i) => fits(i));
        assert.equal(subjectMatches(f.join("."), s.join(".")), expected);
      }),
      draws(500),
    );
  });

  test("isWildcard sees whole tokens only", () => {
    for (const yes of ["*", ">", "a.*", "*.a", "a.*.b", "a.>", "*.*"])
      assert.equal(isWildcard(yes), true, yes);
    for (const no of ["a", "a*", "a.b*", "a>", "**", "a.*b", ">a", "a.>b"])
      assert.equal(isWildcard(no), false, no);
  });
});

describe("inboxes", () => {
  test("C-SUBJ-8 are the prefix, a dot, and 22 characters", () => {
    assert.match(createInbox(), /^_INBOX\.[0-9A-Za-z]{22}$/);
    assert.match(createInbox("my.box"), /^my\.box\.[0-9A-Za-z]{22}$/);
    assert.match(createInbox("", new Nuid()), /^_INBOX\.[0-9A-Za-z]{22}$/);
    assert.notEqual(createInbox(), createInbox());
  });

  test("trap 58: C-SUBJ-8 a prefix with a wildcard, a trailing dot or an empty token is refused", () => {
    for (const bad of ["a.*", ">", "*", "a.>", "a.", ".a", "a..b", "a b"])
      refuses(prefix, bad, /inbox prefix '/);
    assert.throws(() => createInbox("a.*"), InvalidSubjectError);
    assert.throws(() => createInbox(5 as never), InvalidSubjectError);
  });

  test("C-SUBJ-7 a prefix that the server keeps for itself is refused", () => {
    for (const bad of ["_R_", "_R_.a", "_GR_", "_GR_.a.b", "$JS.ACK", "$JS.ACK.x", "$NRG", "$NRG.x"]) {
      refuses(prefix, bad, /reserved/);
    }
    for (const good of ["_R", "_R_x", "_GR", "$JS", "$JS.ACKS", "$NRGX", "a._R_.b"]) prefix(good);
  });
});
