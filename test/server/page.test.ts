// What a server does in a page, where it has neither listeners nor files, and not all that Node has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/index.node.ts";
import { NatsServer } from "../../src/server/index.ts";

test("in a page a server refuses snapshots, and nobody answers the system account", async (t) => {
  const server = await NatsServer.start({
    jetstream: true,
    accounts: {
      $SYS: { users: [{ user: "sys", password: "s" }] },
      A: { users: [{ user: "a", password: "a" }], jetstream: true },
    },
  });
  t.after(() => server.stop());
  const nc = await connect({ dialer: server.dialer(), user: "a", pass: "a" });
  t.after(() => nc.close());
  const ask = async (subject: string, body = ""): Promise<string> =>
    (await nc.request(subject, body)).string();
  await ask("$JS.API.STREAM.CREATE.S", '{"name":"S"}');
  const refused = (type: string, errCode: number, what: string): string =>
    `{"type":"io.nats.jetstream.api.v1.${type}_response","error":{"code":500,"err_code":${errCode},"description":"${what} failed: a server has no snapshots in this runtime"}}`;
  assert.equal(await ask("$JS.API.STREAM.SNAPSHOT.S"), refused("stream_snapshot", 10064, "snapshot"));
  assert.equal(await ask("$JS.API.STREAM.RESTORE.R"), refused("stream_restore", 10062, "restore"));

  const system = await connect({ dialer: server.dialer(), user: "sys", pass: "s" });
  t.after(() => system.close());
  await assert.rejects(system.request("$SYS.REQ.SERVER.PING"), { code: "NO_RESPONDERS" });
});
