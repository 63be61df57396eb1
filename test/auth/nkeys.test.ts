// Tests of src/auth/nkeys.ts, and of the key text and key pairs behind it.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, verify as verifyNative } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { decodeBase32, encodeBase32 } from "../../src/auth/base32.ts";
import { crc16 } from "../../src/auth/crc16.ts";
import * as nkeys from "../../src/auth/nkeys.ts";
import { isNatsError } from "../../src/errors.ts";
import { draws } from "../fixtures/draws.ts";

const { Prefix } = nkeys;
const utf8 = new TextEncoder();
const ascii = new TextDecoder();
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

const KINDS = [
  ["O", "SO", Prefix.Operator, nkeys.createOperator],
  ["N", "SN", Prefix.Server, nkeys.createServer],
  ["C", "SC", Prefix.Cluster, nkeys.createCluster],
  ["A", "SA", Prefix.Account, nkeys.createAccount],
  ["U", "SU", Prefix.User, nkeys.createUser],
  ["X", "SX", Prefix.Curve, nkeys.createCurve],
] as const;

/** the text of bytes with the checksum that fits them */
function textOf(...bytes: number[]): string {
  const crc = crc16(Uint8Array.from(bytes));
  return encodeBase32(Uint8Array.of(...bytes, crc & 0xff, crc >> 8));
}

function seedText(kind: number, seed: Uint8Array): string {
  return textOf(0x90 | (kind >> 5), (kind & 31) << 3, ...seed);
}

function throwsCode(run: () => unknown, code: nkeys.NKeysErrorCode): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof nkeys.NKeysError && isNatsError(error), String(error));
    assert.equal(error.code, "INVALID_KEY");
    assert.equal(error.name, "NKeysError");
    assert.equal(error.nkeysCode, code, error.message);
    return true;
  });
}

// RFC 8032, 7.1: secret, public, message, signature
const RFC8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

test("C-NKEY-1 a public key is 56 characters: prefix, 32 bytes and checksum in base32", () => {
  for (const [letter, , prefix, create] of KINDS) {
    const text = create().getPublicKey();
    assert.match(text, new RegExp(`^${letter}[A-Z2-7]{55}$`));
    const bytes = decodeBase32(text) as Uint8Array;
    assert.equal(bytes.length, 35);
    assert.equal(bytes[0], prefix);
    assert.equal(textOf(...bytes.subarray(0, 33)), text);
  }
});

test("C-NKEY-2 a seed is 58 characters that name the kind, and gives the same pair again", () => {
  for (const [, letters, prefix, create] of KINDS) {
    const pair = create();
    const seed = ascii.decode(pair.getSeed());
    assert.match(seed, new RegExp(`^${letters}[A-Z2-7]{56}$`));
    const bytes = decodeBase32(seed) as Uint8Array;
    assert.equal(bytes[0], 0x90 | (prefix >> 5));
    assert.equal(bytes[1], (prefix & 31) << 3);
    for (const again of [nkeys.fromSeed(pair.getSeed()), nkeys.fromSeed(seed)]) {
      assert.equal(again.getPublicKey(), pair.getPublicKey());
      assert.deepEqual(again.getSeed(), pair.getSeed());
      assert.deepEqual(again.getPrivateKey(), pair.getPrivateKey());
    }
  }
});

test("C-NKEY-2 the seed that the NATS documentation prints has the public key printed beside it", () => {
  const pair = nkeys.fromSeed("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY");
  assert.equal(pair.getPublicKey(), "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");
});

test("C-ADR14-5 new pairs are all different", () => {
  const made = new Set(Array.from({ length: 20 }, () => nkeys.createUser().getPublicKey()));
  assert.equal(made.size, 20);
});

test("createPair makes every kind that has a public key, and refuses the others", () => {
  for (const [letter, , prefix] of KINDS)
    assert.ok(nkeys.createPair(prefix).getPublicKey().startsWith(letter));
  for (const prefix of [Prefix.Seed, Prefix.Private, Prefix.Unknown, 1 as never, undefined as never]) {
    throwsCode(() => nkeys.createPair(prefix), "InvalidPrefixByte");
  }
});

test("C-NKEY-3 a wrong length, alphabet, checksum and prefix are four different errors", () => {
  const pair = nkeys.createUser();
  const key = pair.getPublicKey();
  const seed = ascii.decode(pair.getSeed());
  const swap = (text: string): string => text.slice(0, 9) + (text[9] === "A" ? "B" : "A") + text.slice(10);

  for (const bad of ["", key.slice(1), `${key}A`, `${key}\n`, seed, null, undefined, 7]) {
    throwsCode(() => nkeys.fromPublic(bad as string), "InvalidLength");
  }
  for (const bad of ["", seed.slice(1), `${seed}\n`, key, utf8.encode(key), null, undefined, 7, {}]) {
    throwsCode(() => nkeys.fromSeed(bad as string), "InvalidLength");
  }
  for (const odd of ["1", "8", "a", "=", " ", "-"]) {
    throwsCode(() => nkeys.fromPublic(key.slice(0, -1) + odd), "InvalidEncoding");
    throwsCode(() => nkeys.fromSeed(seed.slice(0, -1) + odd), "InvalidEncoding");
  }
  throwsCode(() => nkeys.fromPublic(key.toLowerCase()), "InvalidEncoding");
  throwsCode(() => nkeys.fromPublic(swap(key)), "InvalidChecksum");
  throwsCode(() => nkeys.fromSeed(swap(seed)), "InvalidChecksum");

  const body = crypto.getRandomValues(new Uint8Array(32));
  for (const prefix of [0xa1, 0xff, 0x07]) {
    throwsCode(() => nkeys.fromPublic(textOf(prefix, ...body)), "InvalidPrefixByte");
  }
  for (const prefix of [Prefix.Seed, Prefix.Private, 0x08, 0xf8]) {
    throwsCode(() => nkeys.fromPublic(textOf(prefix, ...body)), "InvalidPrefixByte");
    throwsCode(() => nkeys.fromSeed(seedText(prefix, body)), "InvalidPrefixByte");
  }
  throwsCode(() => nkeys.fromSeed(textOf(Prefix.User, 0, ...body)), "InvalidPrefixByte");
  throwsCode(() => nkeys.fromSeed(textOf(0x95, 0x01, ...body)), "InvalidPrefixByte");
});

test("C-NKEY-3 a curve seed is asked for by fromCurveSeed, and no other is taken", () => {
  const curve = nkeys.createCurve();
  assert.equal(nkeys.fromCurveSeed(curve.getSeed()).getPublicKey(), curve.getPublicKey());
  throwsCode(() => nkeys.fromCurveSeed(nkeys.createUser().getSeed()), "InvalidPrefixByte");
});

test("C-NKEY-3 any change of one character is noticed", () => {
  const seed = ascii.decode(nkeys.createUser().getSeed());
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"];
  fc.assert(
    fc.property(fc.nat(57), fc.constantFrom(...letters), (at, letter) => {
      fc.pre(seed[at] !== letter);
      assert.throws(() => nkeys.fromSeed(seed.slice(0, at) + letter + seed.slice(at + 1)), nkeys.NKeysError);
    }),
    draws(100),
  );
});

test("C-NKEY-4 signatures are those of RFC 8032", () => {
  for (const [secret, publicKey, message, signature] of RFC8032) {
    const pair = nkeys.fromSeed(seedText(Prefix.User, hex(secret)));
    assert.equal(pair.getPublicKey(), textOf(Prefix.User, ...hex(publicKey)));
    assert.deepEqual(pair.sign(hex(message)), hex(signature));
    const reader = nkeys.fromPublic(pair.getPublicKey());
    assert.equal(reader.verify(hex(message), hex(signature)), true);
    assert.equal(reader.verify(hex(`${message}00`), hex(signature)), false);
  }
});

test("C-NKEY-4 another implementation verifies what is signed, and changed bytes verify nowhere", () => {
  const pair = nkeys.createAccount();
  const raw = (decodeBase32(pair.getPublicKey()) as Uint8Array).subarray(1, 33);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
  const native = createPublicKey({ key: spki, format: "der", type: "spki" });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(63), (message, at) => {
      const sig = pair.sign(message);
      assert.equal(sig.length, 64);
      assert.ok(verifyNative(null, message, native, sig));
      assert.equal(pair.verify(message, sig), true);
      const broken = Uint8Array.from(sig);
      broken[at] = (broken[at] as number) ^ 1;
      assert.equal(pair.verify(message, broken), false);
    }),
    draws(15),
  );
});

test("C-NKEY-4 a signature of another length, of another key, or with a second half beyond the order is no signature", () => {
  const pair = nkeys.createUser();
  const message = utf8.encode("hello");
  const sig = pair.sign(message);
  assert.equal(nkeys.createUser().verify(message, sig), false);
  assert.equal(pair.verify(message, sig.subarray(0, 63)), false);
  assert.equal(pair.verify(message, new Uint8Array(0)), false);
  // S + L is the same point, and RFC 8032 refuses it
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(sig[i] as number);
  const shifted = Uint8Array.from(sig);
  for (let i = 32, rest = s + order; i < 64; i++, rest >>= 8n) shifted[i] = Number(rest & 0xffn);
  assert.equal(pair.verify(message, shifted), false);
});

test("C-NKEY-4 arrays of another realm can be signed and verified", async () => {
  const { runInNewContext } = await import("node:vm");
  const foreign = runInNewContext("new Uint8Array([1, 2, 3])") as Uint8Array;
  const pair = nkeys.createUser();
  const sig = pair.sign(foreign);
  assert.deepEqual(sig, pair.sign(Uint8Array.of(1, 2, 3)));
  const other = runInNewContext("Uint8Array.from(sig)", { sig }) as Uint8Array;
  assert.equal(pair.verify(foreign, other), true);
});

test("C-NKEY-5 after clear() everything throws", () => {
  for (const pair of [
    nkeys.createUser(),
    nkeys.createCurve(),
    nkeys.fromPublic(nkeys.createUser().getPublicKey()),
  ]) {
    const key = nkeys.createCurve().getPublicKey();
    pair.clear();
    pair.clear();
    const calls = [() => pair.getPublicKey(), () => pair.getSeed(), () => pair.getPrivateKey()];
    for (const call of calls) throwsCode(call, "ClearedPair");
    const uses = [
      () => pair.sign(new Uint8Array(1)),
      () => pair.verify(new Uint8Array(1), new Uint8Array(64)),
      () => pair.seal(new Uint8Array(1), key),
      () => pair.open(new Uint8Array(60), key),
    ];
    for (const use of uses) assert.throws(use, nkeys.NKeysError);
  }
  const signer = nkeys.createUser();
  signer.clear();
  throwsCode(() => signer.sign(new Uint8Array(1)), "ClearedPair");
  throwsCode(() => signer.verify(new Uint8Array(1), new Uint8Array(64)), "ClearedPair");
});

test("C-NKEY-5 clear() leaves the seed that the caller holds alone", () => {
  const seed = nkeys.createUser().getSeed();
  const copy = Uint8Array.from(seed);
  nkeys.fromSeed(seed).clear();
  assert.deepEqual(seed, copy);
});

test("C-NKEY-6 the private key is 64 bytes for signing keys and 32 for curve keys", () => {
  const [secret, publicKey] = RFC8032[0];
  const signing = nkeys.fromSeed(seedText(Prefix.Account, hex(secret)));
  assert.equal(
    ascii.decode(signing.getPrivateKey()),
    textOf(Prefix.Private, ...hex(secret), ...hex(publicKey)),
  );
  assert.match(ascii.decode(signing.getPrivateKey()), /^P[A-Z2-7]{107}$/);
  const curve = nkeys.fromSeed(seedText(Prefix.Curve, hex(secret)));
  assert.equal(ascii.decode(curve.getPrivateKey()), textOf(Prefix.Private, ...hex(secret)));
});

test("a public pair verifies, and does nothing that needs the seed", () => {
  const pair = nkeys.createServer();
  const only = nkeys.fromPublic(pair.getPublicKey());
  assert.equal(only.getPublicKey(), pair.getPublicKey());
  assert.ok(only.verify(utf8.encode("x"), pair.sign(utf8.encode("x"))));
  throwsCode(() => only.sign(utf8.encode("x")), "PublicKeyOnly");
  throwsCode(() => only.getSeed(), "PublicKeyOnly");
  throwsCode(() => only.getPrivateKey(), "PublicKeyOnly");
});

test("C-XKEY-4 signing keys neither seal nor open", () => {
  const other = nkeys.createCurve().getPublicKey();
  throwsCode(() => nkeys.createUser().seal(utf8.encode("x"), other), "CannotSeal");
  throwsCode(() => nkeys.createUser().open(new Uint8Array(60), other), "CannotSeal");
});

test("C-AUTH-7 no secret shows in an error, in the console's view of a pair or in its JSON", () => {
  const pair = nkeys.createUser();
  const seed = ascii.decode(pair.getSeed());
  const raw = [...(decodeBase32(seed) as Uint8Array).subarray(2, 34)];
  for (const view of [inspect(pair, { depth: 9, showHidden: true }), JSON.stringify(pair), String(pair)]) {
    assert.ok(!view.includes(seed.slice(4, 20)) && !view.includes(raw.slice(0, 4).join(", ")), view);
  }
  for (const bad of [
    `${seed}A`,
    seed.toLowerCase(),
    `${seed.slice(0, -1)}${seed.endsWith("A") ? "Q" : "A"}`,
  ]) {
    assert.throws(
      () => nkeys.fromSeed(bad),
      (error: Error) => !inspect(error, { depth: 9 }).toUpperCase().includes(seed.slice(4, 20)),
    );
  }
});

test("nothing but an NKeysError comes of garbage", () => {
  const garbage = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."ABSUX2a="), minLength: 56, maxLength: 58 }),
    fc.uint8Array({ maxLength: 70 }),
  );
  fc.assert(
    fc.property(garbage, (value) => {
      assert.throws(() => nkeys.fromSeed(value), nkeys.NKeysError);
      assert.throws(() => nkeys.fromPublic(value as string), nkeys.NKeysError);
    }),
    draws(100),
  );
});

test("encode and decode are base64", () => {
  assert.equal(nkeys.encode(Uint8Array.of(251, 255)), "+/8=");
  for (const text of ["+/8=", "-_8", "+/8"]) assert.deepEqual(nkeys.decode(text), Uint8Array.of(251, 255));
  throwsCode(() => nkeys.decode("?"), "InvalidEncoding");
});

test("Prefixes answers for every byte", () => {
  const known = Object.values(Prefix).filter((value) => value >= 0) as number[];
  for (let byte = -1; byte < 256; byte++) {
    assert.equal(nkeys.Prefixes.isValidPrefix(byte), known.includes(byte));
    assert.equal(nkeys.Prefixes.parsePrefix(byte), known.includes(byte) ? byte : Prefix.Unknown);
  }
  for (const [letter, , prefix] of KINDS) {
    assert.ok(nkeys.Prefixes.isValidPublicPrefix(prefix));
    assert.ok(nkeys.Prefixes.startsWithValidPrefix(letter));
  }
  assert.ok(
    !nkeys.Prefixes.isValidPublicPrefix(Prefix.Seed) && !nkeys.Prefixes.isValidPublicPrefix(Prefix.Private),
  );
  assert.ok(!nkeys.Prefixes.isValidPublicPrefix(Prefix.Unknown));
  for (const text of ["", "B", "u", "2"]) assert.ok(!nkeys.Prefixes.startsWithValidPrefix(text), text);
});
