// Tests of src/codec/json.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Codec } from "../../src/codec/codec.ts";
import { json, jsonCodec } from "../../src/codec/json.ts";
import { draws } from "../fixtures/draws.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("every JSON value survives the round trip", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(json.decode(json.encode(value)), JSON.parse(JSON.stringify(value)));
    }),
    draws(100),
  );
  assert.deepEqual(json.encode({ a: "é" }), bytes('{"a":"é"}'));
  assert.equal(json.contentType, "application/json");
});

test("a byte order mark is skipped", () => {
  assert.deepEqual(json.decode(bytes("\ufeff[1]")), [1]);
});

test("jsonCodec<T>() is the same codec with a type", () => {
  const codec: Codec<{ a: number }> = jsonCodec<{ a: number }>();
  const a: number = codec.decode(codec.encode({ a: 1 })).a;
  assert.equal(a, 1);
  // @ts-expect-error -- the untyped codec promises nothing
  const b: number = json.decode(bytes("1"));
  assert.equal(b, 1);
});

test("what is not JSON is a CODEC error with its cause, and is not quoted", () => {
  for (const payload of [bytes(""), bytes("hunter2"), bytes('{"a":'), Uint8Array.of(0xff)]) {
    assert.throws(
      () => json.decode(payload),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "CODEC");
        assert.ok(error.cause instanceof Error);
        assert.ok(!error.message.includes("hunter2"));
        return true;
      },
    );
  }
});

test("what has no JSON form is a CODEC error with its cause", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const thrown = new Error("no");
  const hostile = {
    toJSON() {
      throw thrown;
    },
  };
  for (const value of [undefined, () => 1, Symbol("x"), 1n, cycle, hostile]) {
    assert.throws(
      () => json.encode(value),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "CODEC");
        assert.ok(value === hostile ? error.cause === thrown : error.cause instanceof TypeError);
        return true;
      },
    );
  }
});
