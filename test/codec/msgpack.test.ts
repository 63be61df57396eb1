// Tests of src/codec/msgpack.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Codec } from "../../src/codec/codec.ts";
import { msgpack, msgpackCodec } from "../../src/codec/msgpack.ts";
import { draws } from "../fixtures/draws.ts";

test("values survive the round trip: JSON, binary and dates", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (json) => {
      // JSON has no -0, and neither has an integer
      const value: unknown = JSON.parse(JSON.stringify(json));
      assert.deepEqual(msgpack.decode(msgpack.encode(value)), value);
    }),
    draws(100),
  );
  const value = { at: new Date(1_700_000_000_123), data: Uint8Array.of(1, 2, 3), none: null };
  assert.deepEqual(msgpack.decode(msgpack.encode(value)), value);
});

test("bytes are those of the MessagePack specification", () => {
  assert.deepEqual(
    msgpack.encode({ compact: true, schema: 0 }),
    Uint8Array.from([
      0x82, 0xa7, 0x63, 0x6f, 0x6d, 0x70, 0x61, 0x63, 0x74, 0xc3, 0xa6, 0x73, 0x63, 0x68, 0x65, 0x6d, 0x61,
      0x00,
    ]),
  );
});

test("msgpackCodec<T>() is the same codec with a type", () => {
  const codec: Codec<{ a: number }> = msgpackCodec<{ a: number }>();
  assert.equal(codec.decode(codec.encode({ a: 1 })).a, 1);
});

test("payloads that are cut short, too long or nothing are a CODEC error with its cause", () => {
  for (const payload of [[], [0x93, 1], [1, 2], [0xc1]]) {
    assert.throws(
      () => msgpack.decode(Uint8Array.from(payload)),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "CODEC");
        assert.ok(error.cause instanceof Error);
        return true;
      },
    );
  }
});

test("nothing but a CODEC error comes of garbage", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
      try {
        msgpack.decode(payload);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "CODEC");
      }
    }),
    draws(100),
  );
});

test("what has no MessagePack form is a CODEC error with its cause", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [() => 1, 1n, cycle]) {
    assert.throws(
      () => msgpack.encode(value),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "CODEC");
        assert.ok(error.cause instanceof Error);
        return true;
      },
    );
  }
});
