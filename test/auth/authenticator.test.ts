// Tests of src/auth/authenticator.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Authenticator,
  buildAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "../../src/auth/authenticator.ts";
import { NatsError } from "../../src/errors.ts";

test("C-AUTH-1 user and password, a user alone, and a token", async () => {
  assert.deepEqual(await usernamePasswordAuthenticator("me", "secret")(), { user: "me", pass: "secret" });
  assert.deepEqual(await usernamePasswordAuthenticator("me")(), { user: "me" });
  assert.deepEqual(await tokenAuthenticator("t")(), { auth_token: "t" });
});

test("functions, async or not, are asked every time", async () => {
  let n = 0;
  const login = usernamePasswordAuthenticator(
    () => `u${++n}`,
    async () => `p${n}`,
  );
  assert.deepEqual(await login(), { user: "u1", pass: "p1" });
  assert.deepEqual(await login(), { user: "u2", pass: "p2" });
  const token = tokenAuthenticator(async () => `t${++n}`);
  assert.deepEqual(await token(), { auth_token: "t3" });
  assert.deepEqual(await token(), { auth_token: "t4" });
});

test("C-AUTH-8 no options give no credentials", async () => {
  assert.deepEqual(await buildAuthenticator({})("nonce"), {});
  assert.deepEqual(await buildAuthenticator({ authenticator: [] })(), {});
  assert.deepEqual(await buildAuthenticator({ authenticator: () => undefined })(), {});
  assert.deepEqual(await buildAuthenticator({ authenticator: async () => ({}) })(), {});
});

test("C-AUTH-1 everything is merged, and the later wins", async () => {
  const build = buildAuthenticator({
    authenticator: [() => ({ user: "a", pass: "b" }), async () => ({ auth_token: "x" })],
    token: "t",
    user: "u",
  });
  assert.deepEqual(await build(), { user: "u", pass: "b", auth_token: "t" });
});

test("every authenticator gets the nonce, each time", async () => {
  const seen: unknown[] = [];
  const note: Authenticator = (nonce) => {
    seen.push(nonce);
  };
  const build = buildAuthenticator({ authenticator: [note, note] });
  await build("one");
  await build();
  assert.deepEqual(seen, ["one", "one", undefined, undefined]);
});

test("only fields that are credentials are taken, and undefined ones are left out", async () => {
  const given = { user: "u", pass: undefined, verbose: true, exp: 7 } as unknown as { user: string };
  assert.deepEqual(await buildAuthenticator({ authenticator: () => given })(), { user: "u" });
});

test("trap 23 the error of an authenticator that throws or rejects is the cause", async () => {
  const own = new Error("the vault says: hunter2");
  const throwing: Authenticator = () => {
    throw own;
  };
  for (const authenticator of [
    throwing,
    async () => Promise.reject(own),
    tokenAuthenticator(() => Promise.reject(own)),
  ]) {
    await assert.rejects(buildAuthenticator({ authenticator })("n"), (error) => {
      assert.ok(error instanceof NatsError);
      assert.equal(error.code, "AUTHENTICATOR");
      assert.equal(error.cause, own);
      assert.ok(!error.message.includes("hunter2"));
      return true;
    });
  }
  await assert.rejects(buildAuthenticator({ authenticator: "me" as never })(), { code: "AUTHENTICATOR" });
});

test("trap 23 a NatsError of an authenticator passes unchanged", async () => {
  const own = new NatsError("INVALID_KEY", "mine");
  const build = buildAuthenticator({ authenticator: async () => Promise.reject(own) });
  await assert.rejects(build(), (error) => error === own);
});

test("C-AUTH-7 what is no credential is refused without showing it", async () => {
  for (const given of [
    "hunter2",
    7,
    { username: "hunter2" },
    { user: 7 },
    { pass: ["hunter2"] },
    { sig: null },
  ]) {
    await assert.rejects(buildAuthenticator({ authenticator: () => given as never })(), (error) => {
      assert.ok(error instanceof NatsError && error.code === "AUTHENTICATOR", String(error));
      assert.ok(!error.message.includes("hunter2"), error.message);
      return true;
    });
  }
});
