// Tests of src/auth/jwt.ts.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { JwtAuth } from "../../src/auth/authenticator.ts";
import {
  decodeJwt,
  encodeJwt,
  issueUserJWT,
  type JwtUser,
  jwtAuthenticator,
  verifyJwt,
} from "../../src/auth/jwt.ts";
import * as nkeys from "../../src/auth/nkeys.ts";

const utf8 = new TextEncoder();
const signer = nkeys.createAccount();
const account = nkeys.createAccount().getPublicKey();
const user = nkeys.createUser();
const id = user.getPublicKey();
const code = (nkeysCode: string) => ({ code: "INVALID_KEY", nkeysCode });

/** the part of a JWT as JSON, read without the code under test */
function part(jwt: string, at: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[at] as string, "base64url").toString()) as Record<
    string,
    unknown
  >;
}

test("C-ADR14-1 a JWT is three parts of base64url: the header, the claims and the issuer's signature of both", () => {
  const jwt = issueUserJWT(signer, account, id);
  assert.match(jwt, /^[\w-]+\.[\w-]+\.[\w-]{86}$/);
  const [header, claims, sig] = jwt.split(".") as [string, string, string];
  assert.equal(Buffer.from(header, "base64url").toString(), '{"typ":"JWT","alg":"ed25519-nkey"}');
  assert.ok(signer.verify(utf8.encode(`${header}.${claims}`), Buffer.from(sig, "base64url")));
});

test("C-ADR14-2 keys of another kind, malformed ones and public pairs are refused", () => {
  const isKind = code("InvalidPrefixByte");
  assert.throws(() => issueUserJWT(user, account, id), isKind);
  assert.throws(() => issueUserJWT(nkeys.createOperator(), account, id), isKind);
  assert.throws(() => issueUserJWT(nkeys.createCurve(), account, id), isKind);
  assert.throws(() => issueUserJWT(signer, id, id), isKind);
  assert.throws(() => issueUserJWT(signer, account, account), isKind);
  assert.throws(() => issueUserJWT(signer, "", id), code("InvalidLength"));
  assert.throws(
    () => issueUserJWT(nkeys.fromPublic(signer.getPublicKey()), account, id),
    code("PublicKeyOnly"),
  );
});

test("C-ADR14-3 the claims are those of ADR-14 and no others", () => {
  const before = Math.floor(Date.now() / 1000);
  const { iat, jti, ...rest } = part(issueUserJWT(signer, account, id), 1);
  assert.deepEqual(rest, {
    iss: signer.getPublicKey(),
    sub: id,
    name: id,
    nats: { issuer_account: account, type: "user", version: 2 },
  });
  assert.ok(typeof iat === "number" && iat >= before && iat <= before + 5);
  assert.equal(typeof jti, "string");
});

test("C-ADR14-3 name, expiration and tags appear when they are given", () => {
  const before = Math.floor(Date.now() / 1000);
  const claims = part(issueUserJWT(signer, account, id, "printer", 90_000, ["a", "b:c"]), 1);
  assert.equal(claims["name"], "printer");
  const exp = claims["exp"] as number;
  assert.ok(Number.isInteger(exp) && exp >= before + 90 && exp <= before + 96);
  assert.deepEqual((claims["nats"] as JwtUser).tags, ["a", "b:c"]);
  assert.ok(!("tags" in (part(issueUserJWT(signer, account, id, "x", undefined, []), 1)["nats"] as object)));
});

test("an expiration that would be for ever or over at once is refused", () => {
  for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => issueUserJWT(signer, account, id, "x", ms), { code: "INVALID_ARGUMENT" });
  }
});

test("C-ADR14-4 every jti is different", () => {
  const ids = new Set(Array.from({ length: 10 }, () => part(issueUserJWT(signer, account, id), 1)["jti"]));
  assert.equal(ids.size, 10);
});

test("decodeJwt and verifyJwt give the claims back, also beyond ASCII", () => {
  const jwt = encodeJwt({ sub: id, name: "Zoë 🖨", nats: { type: "user", version: 2 } }, signer);
  for (const read of [decodeJwt, verifyJwt]) {
    const claims = read<JwtUser>(jwt);
    assert.equal(claims.name, "Zoë 🖨");
    assert.equal(claims.iss, signer.getPublicKey());
    assert.equal(claims.nats.type, "user");
  }
});

test("encodeJwt leaves jti and iat alone where they are given, and iss never", () => {
  const jwt = encodeJwt({ jti: "J", iat: 7, iss: account, sub: id, nats: {} }, signer);
  assert.deepEqual(part(jwt, 1), { jti: "J", iat: 7, iss: signer.getPublicKey(), sub: id, nats: {} });
});

test("verifyJwt refuses changed claims, another signature, another algorithm and an issuer that is no key", () => {
  const jwt = issueUserJWT(signer, account, id);
  const [header, claims, sig] = jwt.split(".") as [string, string, string];
  const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const changed = text({ ...part(jwt, 1), name: "root" });
  assert.throws(() => verifyJwt(`${header}.${changed}.${sig}`), code("InvalidSignature"));
  assert.throws(() => verifyJwt(`${header}.${claims}.${sig.slice(2)}`), code("InvalidSignature"));
  assert.throws(() => verifyJwt(`${header}.${claims}.`), code("InvalidSignature"));
  assert.throws(() => verifyJwt(`${text({ alg: "none" })}.${claims}.`), code("InvalidJwt"));
  assert.throws(() => verifyJwt(`${header}.${text({ iss: "me" })}.${sig}`), code("InvalidLength"));
  assert.throws(() => verifyJwt(`${header}.${text({})}.${sig}`), code("InvalidLength"));
  const curve = nkeys.createCurve().getPublicKey();
  assert.throws(() => verifyJwt(`${header}.${text({ iss: curve })}.${sig}`), code("InvalidSignature"));
});

test("what is no JWT is an error that does not quote it", () => {
  for (const bad of [
    "",
    "hunter2",
    "a.b",
    "a.b.c.d",
    "!.!.!",
    "x.hunter2.x",
    `x.${btoa("7")}.x`,
    `x.${btoa("null")}.x`,
  ]) {
    assert.throws(
      () => decodeJwt(bad),
      (error: Error & { nkeysCode?: string }) => {
        assert.equal(error.nkeysCode, "InvalidJwt", bad);
        assert.ok(!error.message.includes("hunter2") && error.cause === undefined);
        return true;
      },
    );
  }
  assert.throws(() => decodeJwt(undefined as never), code("InvalidJwt"));
});

test("C-AUTH-3 the JWT with the nonce signed by its user, as values and as functions", async () => {
  const jwt = issueUserJWT(signer, account, id);
  for (const auth of [
    jwtAuthenticator(jwt, user.getSeed()),
    jwtAuthenticator(
      () => jwt,
      async () => user.getSeed(),
    ),
    jwtAuthenticator(
      async () => ` ${jwt}\n`,
      () => new TextDecoder().decode(user.getSeed()),
    ),
  ]) {
    const fields = (await auth("nonce")) as Required<JwtAuth>;
    assert.deepEqual(Object.keys(fields).sort(), ["jwt", "nkey", "sig"]);
    assert.equal(fields.jwt, jwt);
    assert.equal(fields.nkey, id);
    assert.match(fields.sig, /^[\w-]{86}$/);
    assert.ok(user.verify(utf8.encode("nonce"), Buffer.from(fields.sig, "base64url")));
  }
});

test("C-AUTH-3 C-CREDS-2 a bearer JWT goes alone, also out of a credentials file", async () => {
  const jwt = issueUserJWT(signer, account, id);
  const file = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n`;
  assert.deepEqual(await jwtAuthenticator(jwt)("nonce"), { jwt });
  assert.deepEqual(await jwtAuthenticator(file)("nonce"), { jwt });
  assert.deepEqual(
    await jwtAuthenticator(
      async () => jwt,
      () => undefined,
    )("nonce"),
    { jwt },
  );
});

test("C-AUTH-4 without a nonce the JWT goes without a signature", async () => {
  const jwt = issueUserJWT(signer, account, id);
  assert.deepEqual(await jwtAuthenticator(jwt, user.getSeed())(), { jwt, nkey: id });
});

test("C-CREDS-2 an empty JWT and the seed of something else than a user are errors", async () => {
  for (const empty of ["", " \n", undefined as never]) {
    await assert.rejects(async () => jwtAuthenticator(empty)(), code("InvalidJwt"));
  }
  await assert.rejects(async () => jwtAuthenticator("j", signer.getSeed())("n"), code("InvalidPrefixByte"));
});
