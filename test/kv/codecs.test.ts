// Codecs: keys, filters and values as the other clients have them on the wire (ADR-54).
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NatsError } from "../../src/errors.ts";
import {
  Base64KeyCodec,
  Base64PayloadCodec,
  ChainKeyCodec,
  ChainPayloadCodec,
  decodeKey,
  encodeFilter,
  encodeKey,
  type KvKeyCodec,
  type KvPayloadCodec,
  NoopKvCodecs,
  PathKeyCodec,
} from "../../src/kv/codecs.ts";
import { validateKey } from "../../src/kv/key.ts";
import { draws } from "../fixtures/draws.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

test("base64: each token by itself, in the URL alphabet, without padding; wildcards stay (C-ADR54-3)", () => {
  const codec = Base64KeyCodec();
  for (const [key, sent] of [
    ["Acme Inc.contact", "QWNtZSBJbmM.Y29udGFjdA"],
    ["ключ", "0LrQu9GO0Yc"],
    ["a?>b~", "YT8-Yn4"],
    ["ÿÿÿ", "w7_Dv8O_"],
  ] as const) {
    assert.equal(encodeKey(codec, key), sent);
    assert.equal(decodeKey(codec, sent), key);
    validateKey(sent);
  }
  assert.equal(encodeFilter(codec, "Acme Inc.*"), "QWNtZSBJbmM.*");
  assert.equal(encodeFilter(codec, "*.contact.>"), "*.Y29udGFjdA.>");
  assert.equal(encodeFilter(codec, ">"), ">");
  // as others write it, with padding
  assert.equal(decodeKey(codec, "YQ==.Y29udGFjdA=="), "a.contact");
  assert.throws(
    () => decodeKey(codec, "a.b.c d"),
    (error) => error instanceof NatsError && error.code === "CODEC",
  );
});

test("base64 of a value is one block, without padding (C-ADR54-3)", async () => {
  const codec = Base64PayloadCodec();
  assert.equal(text(await codec.encode("Acme Inc.")), "QWNtZSBJbmMu");
  assert.equal(text(await codec.encode(bytes("ab"))), "YWI");
  assert.equal(text(await codec.decode(bytes("YWI"))), "ab");
  assert.throws(
    () => codec.decode(bytes("not base64")),
    (error) => error instanceof NatsError && error.code === "CODEC",
  );
});

test("paths: slashes are dots, a first one is _root_, a last one is dropped (C-ADR54-3)", () => {
  const codec = PathKeyCodec();
  for (const [path, key, back] of [
    ["/a/b", "_root_.a.b", "/a/b"],
    ["a/b/c", "a.b.c", "a/b/c"],
    ["/a/", "_root_.a", "/a"],
    ["/", "_root_", "/"],
    ["a", "a", "a"],
  ] as const) {
    assert.equal(encodeKey(codec, path), key);
    assert.equal(decodeKey(codec, key), back);
  }
  assert.equal(encodeFilter(codec, "/a/*"), "_root_.a.*");
  assert.equal(encodeFilter(codec, "a/>"), "a.>");
});

test("a chain encodes from left to right, and decodes back (C-ADR54-2)", async () => {
  const keys = ChainKeyCodec(PathKeyCodec(), Base64KeyCodec());
  assert.equal(encodeKey(keys, "/a b/c"), "X3Jvb3Rf.YSBi.Yw");
  assert.equal(decodeKey(keys, "X3Jvb3Rf.YSBi.Yw"), "/a b/c");
  assert.equal(encodeFilter(keys, "/a b/*"), "X3Jvb3Rf.YSBi.*");
  const log: string[] = [];
  const marking = (mark: string): KvPayloadCodec => ({
    encode: async (value) => bytes(`${mark}(${typeof value === "string" ? value : text(value)})`),
    decode: async (data) => {
      log.push(mark);
      return bytes(text(data).slice(mark.length + 1, -1));
    },
  });
  const values = ChainPayloadCodec(marking("a"), marking("b"), Base64PayloadCodec());
  const sent = await values.encode("x");
  assert.equal(text(sent), "YihhKHgpKQ");
  assert.equal(text(await values.decode(sent)), "x");
  assert.deepEqual(log, ["b", "a"]);
});

test("what changes nothing changes nothing (C-ADR54-3)", async () => {
  const { key, value } = NoopKvCodecs();
  assert.equal(encodeKey(key, "a.b"), "a.b");
  assert.equal(decodeKey(key, "a.b"), "a.b");
  assert.equal(encodeFilter(key, "a.*"), "a.*");
  assert.deepEqual(await value.encode("ab"), bytes("ab"));
  assert.deepEqual(await value.decode(bytes("ab")), bytes("ab"));
});

test("decode(encode(key)) is the key, and what is sent is one (C-ADR54-1)", () => {
  const codecs: KvKeyCodec[] = [Base64KeyCodec(), ChainKeyCodec(Base64KeyCodec(), Base64KeyCodec())];
  const token = fc.string({ minLength: 1, unit: "grapheme" }).filter((one) => !one.includes("."));
  fc.assert(
    fc.property(fc.array(token, { minLength: 1, maxLength: 4 }), (tokens) => {
      const key = tokens.join(".");
      for (const codec of codecs) {
        const sent = encodeKey(codec, key);
        validateKey(sent);
        assert.equal(decodeKey(codec, sent), key);
      }
    }),
    draws(300),
  );
});
