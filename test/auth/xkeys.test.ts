// Tests of src/auth/xkeys.ts.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import nacl from "tweetnacl";
import { decodeBase32 } from "../../src/auth/base32.ts";
import * as nkeys from "../../src/auth/nkeys.ts";
import { draws } from "../fixtures/draws.ts";

const utf8 = new TextEncoder();
const code = (nkeysCode: nkeys.NKeysErrorCode) => ({ name: "NKeysError", code: "INVALID_KEY", nkeysCode });

function publicBytes(pair: nkeys.KeyPair): Uint8Array {
  return (decodeBase32(pair.getPublicKey()) as Uint8Array).subarray(1, 33);
}

function seedBytes(pair: nkeys.KeyPair): Uint8Array {
  return (decodeBase32(new TextDecoder().decode(pair.getSeed())) as Uint8Array).subarray(2, 34);
}

test("C-XKEY-1 the public key is the X25519 product of the seed and the base point", () => {
  const pair = nkeys.createCurve();
  // another implementation does the multiplication
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), seedBytes(pair)]);
  const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({
    format: "der",
    type: "spki",
  });
  assert.deepEqual(publicBytes(pair), Uint8Array.from(spki.subarray(-32)));
});

test("C-XKEY-2 sealed bytes are the mark, the nonce and a NaCl box", () => {
  const [writer, reader] = [nkeys.createCurve(), nkeys.createCurve()];
  const sealed = writer.seal(utf8.encode("hello"), reader.getPublicKey());
  assert.equal(sealed.length, 4 + 24 + 16 + 5);
  assert.equal(new TextDecoder().decode(sealed.subarray(0, 4)), "xkv1");
  const nonce = sealed.subarray(4, 28);
  const box = nacl.box.open(sealed.subarray(28), nonce, publicBytes(writer), seedBytes(reader));
  assert.deepEqual(box, utf8.encode("hello"));
  assert.notDeepEqual(writer.seal(utf8.encode("hello"), reader.getPublicKey()).subarray(4, 28), nonce);
});

test("C-XKEY-3 the reader opens what the writer sealed, of any length", () => {
  const [writer, reader] = [nkeys.createCurve(), nkeys.createCurve()];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
      const sealed = writer.seal(data, reader.getPublicKey());
      assert.deepEqual(reader.open(sealed, writer.getPublicKey()), Uint8Array.from(data));
    }),
    draws(15),
  );
});

test("C-XKEY-3 too few bytes, another mark and a failed authentication are errors", () => {
  const [writer, reader] = [nkeys.createCurve(), nkeys.createCurve()];
  const sealed = writer.seal(utf8.encode("hello"), reader.getPublicKey());
  const from = writer.getPublicKey();
  for (const length of [0, 4, 28]) {
    assert.throws(() => reader.open(sealed.subarray(0, length), from), code("InvalidEncrypted"));
  }
  const marked = Uint8Array.from(sealed);
  marked[3] = 50;
  assert.throws(() => reader.open(marked, from), code("InvalidEncrypted"));
  for (const at of [4, 28, sealed.length - 1]) {
    const broken = Uint8Array.from(sealed);
    broken[at] = (broken[at] as number) ^ 1;
    assert.throws(() => reader.open(broken, from), code("CannotOpen"));
  }
  assert.throws(() => reader.open(sealed.subarray(0, 30), from), code("CannotOpen"));
  assert.throws(() => nkeys.createCurve().open(sealed, from), code("CannotOpen"));
  assert.throws(() => reader.open(sealed, reader.getPublicKey()), code("CannotOpen"));
});

test("C-XKEY-4 curve keys neither sign nor verify, and seal only for curve keys", () => {
  const curve = nkeys.createCurve();
  assert.throws(() => curve.sign(utf8.encode("x")), code("CannotSign"));
  assert.throws(() => curve.verify(utf8.encode("x"), new Uint8Array(64)), code("CannotSign"));
  const user = nkeys.createUser().getPublicKey();
  assert.throws(() => curve.seal(utf8.encode("x"), user), code("InvalidPrefixByte"));
  assert.throws(() => curve.open(new Uint8Array(60), user), code("InvalidPrefixByte"));
});

test("a public curve key and a cleared pair can't seal or open", () => {
  const pair = nkeys.createCurve();
  const reader = nkeys.createCurve().getPublicKey();
  const only = nkeys.fromPublic(pair.getPublicKey());
  assert.throws(() => only.seal(utf8.encode("x"), reader), code("PublicKeyOnly"));
  assert.throws(() => only.open(new Uint8Array(60), reader), code("PublicKeyOnly"));
  pair.clear();
  assert.throws(() => pair.seal(utf8.encode("x"), reader), code("ClearedPair"));
  assert.throws(() => pair.open(new Uint8Array(60), reader), code("ClearedPair"));
});
