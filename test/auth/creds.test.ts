// Tests of src/auth/creds.ts and src/auth/creds-file.ts.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { JwtAuth } from "../../src/auth/authenticator.ts";
import { credsAuthenticator } from "../../src/auth/creds.ts";
import { parseCreds } from "../../src/auth/creds-file.ts";
import { encodeJwt, issueUserJWT } from "../../src/auth/jwt.ts";
import * as nkeys from "../../src/auth/nkeys.ts";

const signer = nkeys.createAccount();
const user = nkeys.createUser();
const seed = new TextDecoder().decode(user.getSeed());
const jwt = issueUserJWT(signer, signer.getPublicKey(), user.getPublicKey());
const code = (nkeysCode: string) => ({ code: "INVALID_KEY", nkeysCode });

function file(jwtLine = jwt, seedLine = seed): string {
  return `-----BEGIN NATS USER JWT-----
${jwtLine}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
${seedLine}
------END USER NKEY SEED------

*************************************************************
`;
}

test("C-CREDS-1 the JWT and the seed are found in every spelling of the file", () => {
  const plain = file();
  const spellings = {
    plain,
    crlf: plain.replaceAll("\n", "\r\n"),
    "no final newline": plain.trimEnd(),
    "nothing after the seed block": plain.slice(
      0,
      plain.indexOf("\n\n****************************************"),
    ),
    "end line of the seed cut off": plain.slice(0, plain.indexOf("\n------END USER")),
    indented: plain.replaceAll(/^/gm, "   ").replaceAll("\n", "  \t\n"),
    "short dashes, other words": plain.replaceAll(/-{5,}/g, "---").replaceAll(/(BEGIN|END) /g, "$1 OF THE "),
    "blank lines in the blocks": plain.replace(jwt, `\n${jwt}\n\n`).replace(seed, `\n${seed}\n`),
    "prose around": `created by hand\n${plain}thanks\nSEE YOU`,
    "byte order mark": `\ufeff${plain}`,
  };
  for (const [name, text] of Object.entries(spellings)) {
    assert.deepEqual(parseCreds(text), { jwt, seed }, name);
    assert.deepEqual(parseCreds(new TextEncoder().encode(text)), { jwt, seed }, name);
  }
});

test("C-CREDS-1 what holds no JWT in a block is refused, and not quoted", () => {
  const bad = [
    "",
    jwt,
    seed,
    file("", seed),
    file("hunter2", seed),
    file("a.b", seed),
    `-----X-----\n${seed}\n-----Y-----`,
  ];
  for (const text of bad) {
    assert.throws(
      () => parseCreds(text),
      (error: Error & { nkeysCode?: string }) => {
        assert.equal(error.nkeysCode, "InvalidCreds");
        assert.ok(!error.message.includes("hunter2") && !error.message.includes(seed));
        return true;
      },
    );
  }
  assert.throws(() => parseCreds(undefined as never), code("InvalidCreds"));
});

test("C-CREDS-3 C-AUTH-3 bytes, text and functions log in with the JWT and the signed nonce", async () => {
  const bytes = new TextEncoder().encode(file());
  for (const given of [bytes, Buffer.from(bytes), file(), () => bytes, async () => file()]) {
    const auth = (await credsAuthenticator(given)("nonce")) as Required<JwtAuth>;
    assert.equal(auth.jwt, jwt);
    assert.equal(auth.nkey, user.getPublicKey());
    assert.ok(user.verify(new TextEncoder().encode("nonce"), Buffer.from(auth.sig, "base64url")));
  }
});

test("C-CREDS-3 a function is asked again on every use, so a replaced file counts", async () => {
  const other = nkeys.createUser();
  const otherJwt = issueUserJWT(signer, signer.getPublicKey(), other.getPublicKey());
  const files = [file(), file(otherJwt, new TextDecoder().decode(other.getSeed()))];
  const auth = credsAuthenticator(async () => files.shift() as string);
  assert.equal(((await auth("n")) as JwtAuth).nkey, user.getPublicKey());
  assert.equal(((await auth("n")) as JwtAuth).nkey, other.getPublicKey());
});

test("C-AUTH-4 without a nonce there is no signature, and no crash", async () => {
  assert.deepEqual(await credsAuthenticator(file())(), { jwt, nkey: user.getPublicKey() });
});

test("C-CREDS-2 a missing seed is an error where a signature is asked for, unless the JWT is a bearer's", async () => {
  const half = (text: string): string => file(text).slice(0, file(text).indexOf("\n***"));
  await assert.rejects(async () => credsAuthenticator(half(jwt))("nonce"), code("InvalidCreds"));
  assert.deepEqual(await credsAuthenticator(half(jwt))(), { jwt });
  const nats = { type: "user", version: 2, bearer_token: true };
  const bearer = encodeJwt({ sub: user.getPublicKey(), nats }, signer);
  assert.deepEqual(await credsAuthenticator(half(bearer))("nonce"), { jwt: bearer });
});

test("C-CREDS-2 only the seed of a user will do", async () => {
  const accountSeed = new TextDecoder().decode(signer.getSeed());
  await assert.rejects(
    async () => credsAuthenticator(file(jwt, accountSeed))("n"),
    code("InvalidPrefixByte"),
  );
  await assert.rejects(async () => credsAuthenticator(file(jwt, "SUAB"))("n"), code("InvalidLength"));
});
