// Tests of src/auth/callout.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AuthorizationRequest,
  calloutSubject,
  calloutUserJwt,
  encodeCalloutResponse,
  openCalloutRequest,
} from "../../src/auth/callout.ts";
import { encodeJwt, type JwtClaims, type JwtUser, verifyJwt } from "../../src/auth/jwt.ts";
import * as nkeys from "../../src/auth/nkeys.ts";

const utf8 = new TextEncoder();
const server = nkeys.createServer();
const issuer = nkeys.createAccount();
const service = nkeys.createCurve();
const serverCurve = nkeys.createCurve();
const userNkey = nkeys.createUser().getPublicKey();
const code = (nkeysCode: string) => ({ code: "INVALID_KEY", nkeysCode });

const nats: AuthorizationRequest = {
  type: "authorization_request",
  version: 2,
  user_nkey: userNkey,
  server_id: { name: "s1", host: "127.0.0.1", id: server.getPublicKey() },
  client_info: { host: "127.0.0.1", id: 5, kind: "Client", type: "nats" },
  connect_opts: { user: "alice", pass: "secret", protocol: 1 },
};

function requestJwt(change: Partial<JwtClaims<unknown>> = {}, signer = server): Uint8Array {
  const claims = { aud: "nats-authorization-request", sub: issuer.getPublicKey(), nats, ...change };
  return utf8.encode(encodeJwt(claims, signer));
}

function sealedBy(xkey: string): { get(name: string): string } {
  return { get: (name) => (name === "Nats-Server-Xkey" ? xkey : "") };
}

function read<N>(data: Uint8Array): JwtClaims<N> {
  return verifyJwt<N>(new TextDecoder().decode(data));
}

test("C-ADR26-1 C-ADR26-2 a plain request is read and its signature checked", () => {
  assert.equal(calloutSubject, "$SYS.REQ.USER.AUTH");
  for (const headers of [undefined, { get: () => "" }]) {
    const request = openCalloutRequest({ data: requestJwt(), headers });
    assert.equal(request.serverXkey, undefined);
    assert.equal(request.claims.iss, server.getPublicKey());
    assert.deepEqual(request.claims.nats, nats);
  }
});

test("C-ADR26-1 a sealed request is opened with the key of the service", () => {
  const headers = sealedBy(serverCurve.getPublicKey());
  const data = serverCurve.seal(requestJwt(), service.getPublicKey());
  const request = openCalloutRequest({ data, headers }, service);
  assert.equal(request.serverXkey, serverCurve.getPublicKey());
  assert.equal(request.claims.nats.user_nkey, userNkey);
  assert.throws(() => openCalloutRequest({ data, headers }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => openCalloutRequest({ data, headers }, nkeys.createCurve()), code("CannotOpen"));
});

test("a request that no server signed, or for another purpose, is refused", () => {
  const open = (data: Uint8Array) => () => openCalloutRequest({ data });
  assert.throws(open(requestJwt({}, issuer)), code("InvalidPrefixByte"));
  assert.throws(open(requestJwt({ aud: "else" })), code("InvalidJwt"));
  assert.throws(open(requestJwt({ nats: { ...nats, type: "user" } })), code("InvalidJwt"));
  assert.throws(open(requestJwt({ nats: undefined })), code("InvalidJwt"));
  assert.throws(open(utf8.encode("")), code("InvalidJwt"));
  const cut = requestJwt();
  assert.throws(open(cut.subarray(0, cut.length - 4)), code("InvalidSignature"));
});

test("C-ADR26-3 a response is addressed to the server, about the user, with either a JWT or an error", () => {
  const request = openCalloutRequest({ data: requestJwt() });
  const yes = encodeCalloutResponse(request, { jwt: "a.b.c" }, issuer);
  assert.equal(new TextDecoder().decode(yes.subarray(0, 3)), "eyJ");
  const claims = read(yes);
  assert.equal(claims.aud, server.getPublicKey());
  assert.equal(claims.sub, userNkey);
  assert.equal(claims.iss, issuer.getPublicKey());
  assert.deepEqual(claims.nats, { jwt: "a.b.c", type: "authorization_response", version: 2 });

  const options = { issuerAccount: issuer.getPublicKey() };
  const no = read(encodeCalloutResponse(request, { error: "no" }, nkeys.createAccount(), options));
  assert.deepEqual(no.nats, {
    error: "no",
    issuer_account: issuer.getPublicKey(),
    type: "authorization_response",
    version: 2,
  });
  for (const answer of [{}, { jwt: "a", error: "b" }, { jwt: "" }]) {
    assert.throws(() => encodeCalloutResponse(request, answer as never, issuer), {
      code: "INVALID_ARGUMENT",
    });
  }
});

test("C-ADR26-3 the response to a sealed request is sealed, when the key is given", () => {
  const headers = sealedBy(serverCurve.getPublicKey());
  const data = serverCurve.seal(requestJwt(), service.getPublicKey());
  const request = openCalloutRequest({ data, headers }, service);
  const sealed = encodeCalloutResponse(request, { error: "no" }, issuer, { xkey: service });
  assert.equal(read(serverCurve.open(sealed, service.getPublicKey())).sub, userNkey);
  assert.equal(read(encodeCalloutResponse(request, { error: "no" }, issuer)).sub, userNkey);
  const plain = openCalloutRequest({ data: requestJwt() });
  assert.equal(read(encodeCalloutResponse(plain, { error: "no" }, issuer, { xkey: service })).sub, userNkey);
});

test("C-ADR26-4 the user JWT is about the user's key and names the account", () => {
  const request = openCalloutRequest({ data: requestJwt() });
  const claims = verifyJwt<JwtUser>(calloutUserJwt(request, issuer, { account: "APP" }));
  assert.equal(claims.sub, userNkey);
  assert.equal(claims.aud, "APP");
  assert.equal(claims.name, "alice");
  assert.equal(claims.exp, undefined);
  assert.deepEqual(claims.nats, { subs: -1, data: -1, payload: -1, type: "user", version: 2 });
});

test("C-ADR26-4 name, expiration, issuer account, permissions and limits can be given", () => {
  const request = openCalloutRequest({ data: requestJwt() });
  const pub = { allow: ["a.>"], deny: ["a.b"] };
  const issuerAccount = nkeys.createAccount().getPublicKey();
  const claims = verifyJwt<JwtUser>(
    calloutUserJwt(request, issuer, {
      issuerAccount,
      name: "bob",
      expiration: 60_000,
      claims: { pub, subs: 7 },
    }),
  );
  assert.equal(claims.name, "bob");
  assert.ok((claims.exp as number) > Date.now() / 1000 + 50);
  assert.ok(!("aud" in claims));
  assert.deepEqual(claims.nats, {
    subs: 7,
    data: -1,
    payload: -1,
    pub,
    issuer_account: issuerAccount,
    type: "user",
    version: 2,
  });
});
