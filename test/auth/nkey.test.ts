// Tests of src/auth/nkey.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NKeyAuth } from "../../src/auth/authenticator.ts";
import { nkeyAuthenticator } from "../../src/auth/nkey.ts";
import * as nkeys from "../../src/auth/nkeys.ts";

const user = nkeys.createUser();
const seed = new TextDecoder().decode(user.getSeed());
const nkey = user.getPublicKey();
// of a length that standard base64 would pad, and of characters that are not base64 themselves
const nonce = "aN0-nce_Xy";

test("C-AUTH-2 the key and the characters of the nonce signed, as base64url without padding", async () => {
  for (const given of [seed, user.getSeed(), () => seed, async () => user.getSeed()]) {
    const auth = (await nkeyAuthenticator(given)(nonce)) as Required<NKeyAuth>;
    assert.deepEqual(Object.keys(auth).sort(), ["nkey", "sig"]);
    assert.equal(auth.nkey, nkey);
    assert.match(auth.sig, /^[\w-]{86}$/);
    assert.ok(user.verify(new TextEncoder().encode(nonce), nkeys.decode(auth.sig)));
  }
});

test("C-AUTH-4 without a nonce there is no signature, and no crash", async () => {
  assert.deepEqual(await nkeyAuthenticator(seed)(), { nkey });
  assert.deepEqual(await nkeyAuthenticator(seed)(""), { nkey });
});

test("C-CREDS-4 the content of a seed file is taken, comments and all", async () => {
  const files = [
    `${seed}\n`,
    `  ${seed}\r\n\r\n`,
    `\ufeff${seed}`,
    `# SAFE: the key of the printer\n# ${seed.slice(0, 20)}\n\n${seed}\n# the end\n`,
    `Some prose\nSECRET\n${seed}`,
    `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  ];
  for (const file of files) {
    assert.deepEqual(await nkeyAuthenticator(file)(), { nkey }, file);
    assert.deepEqual(await nkeyAuthenticator(new TextEncoder().encode(file))(), { nkey });
  }
});

test("C-CREDS-2 a missing, broken or other seed is an error that says so", async () => {
  const code = (nkeysCode: string) => ({ code: "INVALID_KEY", nkeysCode });
  await assert.rejects(async () => nkeyAuthenticator()(nonce), code("InvalidLength"));
  await assert.rejects(async () => nkeyAuthenticator(() => undefined)(nonce), code("InvalidLength"));
  await assert.rejects(async () => nkeyAuthenticator("# nothing\n")(nonce), code("InvalidLength"));
  await assert.rejects(
    async () => nkeyAuthenticator(`# cut\n${seed.slice(0, 40)}\n`)(nonce),
    code("InvalidLength"),
  );
  await assert.rejects(async () => nkeyAuthenticator(nkey)(nonce), code("InvalidLength"));
  const account = nkeys.createAccount().getSeed();
  await assert.rejects(async () => nkeyAuthenticator(account)(nonce), code("InvalidPrefixByte"));
  await assert.rejects(
    async () => nkeyAuthenticator(nkeys.createCurve().getSeed())(),
    code("InvalidPrefixByte"),
  );
});

test("the seed is read again on every use", async () => {
  const other = nkeys.createUser();
  const seeds = [user.getSeed(), other.getSeed()];
  const auth = nkeyAuthenticator(() => seeds.shift());
  assert.deepEqual(await auth(), { nkey });
  assert.deepEqual(await auth(), { nkey: other.getPublicKey() });
});
