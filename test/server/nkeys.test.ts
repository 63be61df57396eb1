// NKeys: users of the embedded server by their keys, in runtimes where it brings the verification and where it doesn't.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, nkeyAuthenticator, nkeys } from "../../src/index.node.ts";
import { NatsServer } from "../../src/server/index.node.ts";
import { NatsServer as Anywhere, type VerifyNkey } from "../../src/server/index.ts";

const pair = nkeys.createUser();
const users = [{ nkey: pair.getPublicKey() }];
const verifyNkey: VerifyNkey = (nkey, nonce, signature) => nkeys.fromPublic(nkey).verify(nonce, signature);

for (const [where, start] of [
  ["on Node", () => NatsServer.start({ users })],
  ["anywhere, with verifyNkey", () => Anywhere.start({ users, verifyNkey })],
] as const) {
  test(`${where} a user signs with the key, and nobody else gets in`, async () => {
    await using server = await start();
    const dialer = server.dialer();
    const nc = await connect({ dialer, authenticator: nkeyAuthenticator(pair.getSeed()) });
    await nc.close();
    const other = nkeyAuthenticator(nkeys.createUser().getSeed());
    await assert.rejects(connect({ dialer, authenticator: other, reconnect: false }), {
      code: "AUTHORIZATION",
    });
  });
}

test("where nothing verifies, such users are refused at the start, with the cure", async () => {
  await assert.rejects(Anywhere.start({ users }), {
    code: "INVALID_ARGUMENT",
    message: /need verifyNkey in this runtime: give .*nkeys of isonats\/auth/,
  });
});
