// Tests of src/auth/index.ts: the familiar names are there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as auth from "../../src/auth/index.ts";

test("the familiar names are exported, and C-ADR14-5 the making of user keys", () => {
  const names = [
    "buildAuthenticator",
    "credsAuthenticator",
    "jwtAuthenticator",
    "nkeyAuthenticator",
    "tokenAuthenticator",
    "usernamePasswordAuthenticator",
    "issueUserJWT",
  ] as const;
  for (const name of names) assert.equal(typeof auth[name], "function", name);
  const keys =
    "createAccount createCluster createCurve createOperator createPair createServer createUser decode encode " +
    "fromCurveSeed fromPublic fromSeed NKeysError NKeysErrorCode Prefix Prefixes";
  assert.deepEqual(Object.keys(auth.nkeys).sort(), keys.split(" ").sort());
  assert.ok(auth.nkeys.createUser().getPublicKey().startsWith("U"));
});

test("the file that the client imports reaches no cryptography", () => {
  const source = readFileSync(new URL("../../src/auth/authenticator.ts", import.meta.url), "utf8");
  const imports = [...source.matchAll(/from "([^"]+)"/g)].map((match) => match[1]);
  assert.deepEqual(imports, ["../errors.ts", "../protocol/ops.ts"]);
});
