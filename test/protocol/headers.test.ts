// Headers: reading, writing and refusing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InvalidArgumentError, type NatsErrorCode, isNatsError } from "../../src/errors.ts";
import {
  canonicalMIMEHeaderKey,
  headers,
  Match,
  type MsgHdrs,
  MsgHdrsImpl,
  toHeaders,
} from "../../src/protocol/headers.ts";
import { draws } from "../fixtures/draws.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (text: string): MsgHdrsImpl => MsgHdrsImpl.decode(bytes(text));
const block = (...lines: string[]): string => `${["NATS/1.0", ...lines, "", ""].join("\r\n")}`;
const impl = (): MsgHdrsImpl => new MsgHdrsImpl();

function fails(code: NatsErrorCode, pattern: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(isNatsError(error), `no NatsError: ${String(error)}`);
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  };
}

describe("reading a block", () => {
  test("C-ADR4-1 gives names and values in order", () => {
    const h = decode(block("A: 1", "B: 2", "A: 3"));
    assert.deepEqual(
      [...h],
      [
        ["A", ["1", "3"]],
        ["B", ["2"]],
      ],
    );
    assert.deepEqual(h.keys(), ["A", "B"]);
    assert.equal(h.size(), 2);
    assert.deepEqual([h.code, h.description, h.status, h.hasError], [0, "", "", false]);
  });

  test("C-ADR4-2 C-STATUS-1 reads the status and keeps it out of the headers", () => {
    const rows: [string, number, string][] = [
      ["NATS/1.0 503\r\n\r\n", 503, ""],
      ["NATS/1.0 100 Idle Heartbeat\r\n\r\n", 100, "Idle Heartbeat"],
      ["NATS/1.0 409 Exceeded MaxRequestBatch of 10\r\n\r\n", 409, "Exceeded MaxRequestBatch of 10"],
      ["NATS/1.0   204   EOB  \r\n\r\n", 204, "EOB"],
      ["NATS/1.0 799 new: thing\r\n\r\n", 799, "new: thing"],
    ];
    for (const [text, code, description] of rows) {
      const h = decode(text);
      assert.deepEqual([h.code, h.description, h.size()], [code, description, 0], text);
      assert.equal(h.status, description === "" ? `${code}` : `${code} ${description}`);
      assert.equal(h.hasError, code >= 300);
    }
  });

  test("trap 44: a status without three digits is code 0, with its text kept, and never NaN", () => {
    for (const line of ["abc", "abc def", "50", "5031", "-12", "012", "5o3 x"]) {
      const h = decode(`NATS/1.0 ${line}\r\nA: 1\r\n\r\n`);
      assert.deepEqual([h.code, h.description, h.get("A")], [0, line, "1"]);
    }
  });

  test("trap 44: C-ADR4-7 blanks around a value go, and none is needed after the colon", () => {
    const h = decode(block("A:1", "B:", "C: \t x y \t", "D:  ", "E: a:b"));
    assert.deepEqual(h.toRecord(), { A: ["1"], B: [""], C: ["x y"], D: [""], E: ["a:b"] });
    assert.equal(h.has("B"), true);
  });

  test("trap 44: malformed lines are ignored", () => {
    const h = decode(block("no colon", ": no name", "Na me: x", "Name : x", " folded: x", "A: 1"));
    assert.deepEqual(h.toRecord(), { A: ["1"] });
  });

  test("a block that was cut off gives what is there", () => {
    assert.equal(decode("NATS/1.0").size(), 0);
    assert.equal(decode("NATS/1.0\r\n").size(), 0);
    assert.deepEqual(decode("NATS/1.0\r\nA: 1").toRecord(), { A: ["1"] });
    assert.deepEqual(decode("NATS/1.0\r\nA: 1\r\n\r\nB: 2\r\n").toRecord(), { A: ["1"] });
    assert.deepEqual(decode("NATS/1.0\nA: 1\n\n").toRecord(), { A: ["1"] });
  });

  test("a block without the prefix is INVALID_HEADER", () => {
    for (const text of ["", "HTTP/1.1 200 OK\r\n\r\n", "NATS/2.0\r\n\r\n"]) {
      assert.throws(() => decode(text), fails("INVALID_HEADER", /NATS\/1\.0/));
    }
  });

  test("trap 46: C-STATUS-1 a status may come with headers", () => {
    const h = decode(
      "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\nNats-Pending-Bytes: 0\r\n\r\n",
    );
    assert.equal(h.status, "408 Request Timeout");
    assert.equal(h.get("Nats-Pending-Messages"), "1");
    assert.equal(decode("NATS/1.0 503\r\nNats-Subject: a.b\r\n\r\n").get("Nats-Subject"), "a.b");
  });

  test("trap 47: C-ADR4-3 values are UTF-8, astral code points included", () => {
    const value = "grüße, 世界 🎉";
    const h = impl();
    h.set("A", value);
    const read = MsgHdrsImpl.decode(h.encode());
    assert.equal(read.get("A"), value);
    assert.deepEqual(read.encode(), h.encode());
  });

  test("bytes that are no UTF-8 are read as U+FFFD, and written as that", () => {
    const h = MsgHdrsImpl.decode(new Uint8Array([...bytes("NATS/1.0\r\nA: "), 0xff, ...bytes("\r\n\r\n")]));
    assert.equal(h.get("A"), "\ufffd");
    assert.equal(new TextDecoder().decode(h.encode()), block("A: \ufffd"));
  });

  test("garbage after the prefix never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (garbage) => {
        const h = MsgHdrsImpl.decode(new Uint8Array([...bytes("NATS/1.0"), ...garbage]));
        assert.ok(Number.isInteger(h.code));
        assert.equal(h.encode().length, h.encodedLength());
      }),
      draws(100),
    );
  });
});

describe("names and values", () => {
  test("C-ADR4-4 trap 45: names are case-sensitive by default and keep their case", () => {
    const h = headers();
    h.set("abc", "1");
    h.set("ABC", "2");
    assert.deepEqual([h.get("abc"), h.get("ABC"), h.get("Abc"), h.has("Abc")], ["1", "2", "", false]);
    assert.deepEqual(h.keys(), ["abc", "ABC"]);
    h.delete("abc");
    assert.deepEqual(h.keys(), ["ABC"]);
  });

  test("C-ADR4-4 trap 45: get is the first of several values, last the last, values all of them", () => {
    const h = MsgHdrsImpl.decode(bytes(block("A: 1", "A: 2", "A: 3")));
    const again = MsgHdrsImpl.decode(h.encode());
    for (const each of [h, again]) {
      assert.deepEqual([each.get("A"), each.last("A"), each.values("A")], ["1", "3", ["1", "2", "3"]]);
    }
    assert.deepEqual([h.get("B"), h.last("B"), h.values("B"), h.has("B")], ["", "", [], false]);
  });

  test("C-ADR4-4 set replaces all values of that spelling only", () => {
    const h = decode(block("A: 1", "a: 2", "A: 3"));
    h.set("A", "4");
    assert.deepEqual(h.toRecord(), { a: ["2"], A: ["4"] });
  });

  test("C-ADR4-5 without regard to case: values is the union, set replaces all, append keeps the spelling", () => {
    const h = decode(block("A-b: 1", "a-B: 2", "c: 3"));
    assert.deepEqual(h.values("a-b", Match.IgnoreCase), ["1", "2"]);
    assert.deepEqual(h.findKeys("a-b", Match.IgnoreCase), ["A-b", "a-B"]);
    assert.deepEqual([h.get("A-B", Match.IgnoreCase), h.last("A-B", Match.IgnoreCase)], ["1", "2"]);
    h.append("A-B", "4", Match.IgnoreCase);
    assert.deepEqual(h.values("A-b"), ["1", "4"]);
    h.set("a-b", "5", Match.IgnoreCase);
    assert.deepEqual(h.toRecord(), { c: ["3"], "a-b": ["5"] });
    h.delete("C", Match.IgnoreCase);
    assert.equal(h.has("c"), false);
  });

  test("canonical matching brings the name that is asked for to its canonical form", () => {
    const h = headers();
    h.set("nats-msg-id", "1", Match.CanonicalMIME);
    h.append("NATS-MSG-ID", "2", Match.CanonicalMIME);
    assert.deepEqual(h.keys(), ["Nats-Msg-Id"]);
    assert.deepEqual(h.values("nATS-mSG-iD", Match.CanonicalMIME), ["1", "2"]);
    assert.equal(h.get("nats-msg-id"), "");
    assert.equal(canonicalMIMEHeaderKey("x-9a-b_c"), "X-9a-B_c");
    assert.throws(() => canonicalMIMEHeaderKey("a b"), fails("INVALID_HEADER", /"a b"/));
  });

  test("C-ADR4-3 a bad name is refused, by name", () => {
    for (const name of ["", " ", "a b", "a:b", "a\r\nb", "\u0000", "ä", "a\u007f"]) {
      for (const write of ["set", "append"] as const) {
        const h = headers();
        assert.throws(
          () => h[write](name, "x"),
          (error: Error) => {
            assert.ok(error.message.includes(JSON.stringify(name)));
            return fails("INVALID_HEADER", /printable ASCII/)(error);
          },
        );
        assert.deepEqual(h.keys(), []);
      }
    }
  });

  test("C-ADR4-3 a value with a line break or half a surrogate pair is refused, without being shown", () => {
    for (const value of [
      "secret\r",
      "secret\n",
      "secret\r\nX: 1",
      "secret\ud83c",
      "\udf89secret",
      "\ud83csecret",
    ]) {
      const h = headers();
      h.set("A", "old");
      assert.throws(
        () => h.set("A", value),
        (error: Error) => {
          assert.doesNotMatch(error.message, /secret/);
          return fails("INVALID_HEADER", /'A' has .* index/)(error);
        },
      );
      assert.throws(() => MsgHdrsImpl.validHeaderValue(value), fails("INVALID_HEADER", /index/));
      assert.equal(h.get("A"), "old", "the old value stays");
    }
  });

  test("values are trimmed of blanks", () => {
    const h = headers();
    h.set("A", " \t x y\t ");
    assert.equal(h.get("A"), "x y");
    assert.equal(MsgHdrsImpl.validHeaderValue(" x "), "x");
  });

  test("trap 48: names and values of another type get a clear error", () => {
    const h = headers();
    assert.throws(() => h.set("A", 5 as never), fails("INVALID_HEADER", /'A' must be a string, not number/));
    assert.throws(() => h.append("A", undefined as never), fails("INVALID_HEADER", /not undefined/));
    for (const match of Object.values(Match)) {
      assert.throws(() => h.set(5n as never, "x", match), fails("INVALID_HEADER", /bigint/));
      assert.equal(h.get(undefined as never, match), "");
    }
  });
});

describe("headers()", () => {
  test("makes a status of code and description", () => {
    const h = headers(404, "No Messages");
    assert.deepEqual(
      [h.code, h.description, h.status, h.hasError],
      [404, "No Messages", "404 No Messages", true],
    );
    assert.equal(String(h), "NATS/1.0 404 No Messages\r\n\r\n");
  });

  test("takes code and description together or not at all, with three digits and one line", () => {
    assert.throws(() => headers(503), InvalidArgumentError);
    assert.throws(() => headers(0, "x"), InvalidArgumentError);
    for (const code of [1, 99, 1000, 200.5, Number.NaN, "503" as never]) {
      assert.throws(() => headers(code, "x"), fails("INVALID_ARGUMENT", /'code'/));
    }
    assert.throws(() => headers(503, "a\nb"), fails("INVALID_HEADER", /line break/));
  });
});

describe("writing a block", () => {
  test("C-ADR4-1 C-ADR4-6 writes one line per value", () => {
    const h = impl();
    h.append("A", "1");
    h.append("B", "2");
    h.append("A", "3,4");
    assert.equal(h.toString(), "NATS/1.0\r\nA: 1\r\nB: 2\r\nA: 3,4\r\n\r\n");
    assert.deepEqual(h.encode(), bytes(h.toString()));
    assert.equal(impl().toString(), "NATS/1.0\r\n\r\n");
  });

  test("encodeInto writes at the offset and returns the end, again and again", () => {
    const h = impl();
    h.set("A", "1");
    for (let round = 0; round < 4; round++) {
      const target = new Uint8Array(40).fill(1);
      const end = h.encodeInto(target, 3);
      assert.equal(end - 3, h.encodedLength());
      assert.deepEqual(target.subarray(3, end), bytes(block("A: 1")));
      assert.deepEqual([target[2], target[end]], [1, 1]);
    }
  });

  test("a change after encoding shows in the next encoding", () => {
    const h = impl();
    const expected: string[] = [];
    const steps = [
      () => h.set("A", "1"),
      () => h.append("A", "ü"),
      () => h.set("B", "3"),
      () => h.delete("A"),
      () => h.set("B", "4"),
    ];
    for (const step of steps) {
      step();
      // the bytes are kept from the second time on
      for (let i = 0; i < 3; i++) assert.deepEqual(h.encode(), bytes(h.toString()));
      expected.push(h.toString());
    }
    assert.equal(new Set(expected).size, steps.length);
  });

  test("what was encoded is what is decoded, whatever the values", () => {
    const name = fc.stringMatching(/^[!-9;-~]{1,12}$/);
    const value = fc
      .string({ unit: "grapheme" })
      .map((text) => text.replace(/[\r\n]/g, "").replace(/^[ \t]+|[ \t]+$/g, ""));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const h = impl();
        for (const [key, text] of pairs) h.append(key, text);
        const encoded = h.encode();
        assert.equal(encoded.length, h.encodedLength());
        assert.deepEqual(encoded, bytes(h.toString()));
        const read = MsgHdrsImpl.decode(encoded);
        assert.deepEqual([...read], [...h]);
        assert.ok(read.equals(h));
        assert.deepEqual(read.encode(), encoded);
      }),
      draws(100),
    );
  });
});

describe("copies and conversions", () => {
  test("fromRecord and toRecord are inverse, also for the name __proto__", () => {
    const record = JSON.parse('{"A":["1","2"],"__proto__":["x"],"b":["3"]}') as Record<string, string[]>;
    const h = MsgHdrsImpl.fromRecord(record);
    assert.deepEqual(Object.entries(h.toRecord()), Object.entries(record));
    assert.throws(() => MsgHdrsImpl.fromRecord({ "a b": ["1"] }), fails("INVALID_HEADER", /a b/));
  });

  test("equals compares status, names and values, not the order of names", () => {
    const h = decode(block("A: 1", "A: 2", "B: 3"));
    assert.equal(h.equals(decode(block("B: 3", "A: 1", "A: 2"))), true);
    assert.equal(h.equals(decode(block("A: 2", "A: 1", "B: 3"))), false);
    assert.equal(h.equals(decode(block("A: 1", "A: 2"))), false);
    assert.equal(h.equals(decode(block("A: 1", "A: 2", "C: 3"))), false);
    assert.equal(impl().equals(headers(503, "x")), false);
    assert.equal(
      headers(503, "y") instanceof MsgHdrsImpl && new MsgHdrsImpl(503, "x").equals(headers(503, "y")),
      false,
    );
  });

  test("trap 106: a clone changes for itself", () => {
    const h = decode("NATS/1.0 503 x\r\nA: ü\r\n\r\n");
    const copy = h.clone();
    assert.ok(copy.equals(h));
    assert.deepEqual(copy.encode(), h.encode());
    copy.set("A", "2");
    assert.equal(h.get("A"), "ü");
  });

  test("headers of another copy of the package are taken over", () => {
    const inner = headers(404, "x");
    inner.append("A", "1");
    inner.append("A", "2");
    // the same methods, another class
    const foreign = Object.create(null, {
      ...Object.fromEntries(
        ["get", "set", "append", "has", "keys", "values", "delete", "last"].map((name) => [
          name,
          {
            value: (...args: never[]) =>
              (inner[name as keyof MsgHdrs] as (...a: never[]) => unknown)(...args),
          },
        ]),
      ),
      code: { value: 404 },
      description: { value: "x" },
      [Symbol.iterator]: { value: () => inner[Symbol.iterator]() },
    }) as MsgHdrs;
    const taken = toHeaders(foreign);
    assert.notEqual(taken, foreign);
    assert.equal(taken.toString(), "NATS/1.0 404 x\r\nA: 1\r\nA: 2\r\n\r\n");
    assert.equal(toHeaders(inner), inner, "our own are not copied");
  });

  test("trap 48: headers of another type get a clear error", () => {
    for (const wrong of [
      { A: "1" },
      5,
      "A: 1",
      null,
      undefined,
      ["A", "1"],
      new Map([["A", ["1"]]]),
      new Headers(),
    ]) {
      assert.throws(() => toHeaders(wrong), fails("INVALID_ARGUMENT", /'headers' .*headers\(\)/));
    }
  });
});
