// What a server does in a page, where it has neither listeners nor files, and its extras where they are handed in.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect, headers, type NatsConnection } from "../../src/index.node.ts";
import { extras } from "../../src/server/extras.ts";
import { NatsServer, type ServerOptions } from "../../src/server/index.ts";
import { PATIENT } from "../suites/tools.ts";

interface Healthz {
  data: { status: string };
}

const needs =
  "need the extras in this runtime: NatsServer.start({ extras }), with those of isonats/server/extras";

/** A server as in a page, with JetStream and a system account, and connections of user and of system. */
async function started(
  t: TestContext,
  options: ServerOptions = {},
): Promise<{
  nc: NatsConnection;
  sys: NatsConnection;
  ask: (subject: string, body?: string) => Promise<string>;
  login: (user: string, pass: string) => Promise<NatsConnection>;
}> {
  const server = await NatsServer.start({
    jetstream: true,
    ...options,
    accounts: {
      $SYS: { users: [{ user: "sys", password: "s" }] },
      A: { users: [{ user: "a", password: "a" }], jetstream: true },
      ...options.accounts,
    },
  });
  t.after(() => server.stop());
  const login = async (user: string, pass: string): Promise<NatsConnection> => {
    const nc = await connect({ dialer: server.dialer(), user, pass });
    t.after(() => nc.close());
    return nc;
  };
  const nc = await login("a", "a");
  const ask = async (subject: string, body = ""): Promise<string> =>
    (await nc.request(subject, body, PATIENT)).string();
  return { nc, sys: await login("sys", "s"), ask, login };
}

const config = (more: object): string => JSON.stringify({ name: "S", subjects: ["S.>"], ...more });

test("in a page snapshots, batches, counters, schedules and copies of streams are refused, with the name of what is missing", async (t) => {
  const { ask } = await started(t);
  const refused = (type: string, errCode: number, description: string): string =>
    `{"type":"io.nats.jetstream.api.v1.${type}_response","error":{"code":500,"err_code":${errCode},"description":"${description}"}}`;
  await ask("$JS.API.STREAM.CREATE.S", config({}));
  assert.equal(
    await ask("$JS.API.STREAM.SNAPSHOT.S"),
    refused("stream_snapshot", 10064, `snapshot failed: snapshots ${needs}`),
  );
  assert.equal(
    await ask("$JS.API.STREAM.RESTORE.R"),
    refused("stream_restore", 10062, `restore failed: snapshots ${needs}`),
  );
  for (const [field, value, what] of [
    ["allow_atomic", true, "atomic batches"],
    ["allow_batched", true, "fast batches"],
    ["allow_msg_counter", true, "counters"],
    ["allow_msg_schedules", true, "schedules"],
    ["mirror", { name: "O" }, "mirrors"],
    ["sources", [{ name: "O" }], "sources"],
  ] as const) {
    const wish = config({ [field]: value });
    for (const call of ["create", "update"]) {
      assert.equal(
        await ask(`$JS.API.STREAM.${call.toUpperCase()}.S`, wish),
        refused(`stream_${call}`, 10052, `${what} ${needs}`),
      );
    }
  }
});

/** What a message with these headers is answered. */
async function answered(
  nc: NatsConnection,
  subject: string,
  fields: Record<string, string>,
): Promise<{ seq: number; val?: string; error?: { err_code: number } }> {
  const header = headers();
  for (const [name, value] of Object.entries(fields)) header.set(name, value);
  return (await nc.request(subject, "", { ...PATIENT, headers: header })).json();
}

const batch = { "Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1" };
const schedule = { "Nats-Schedule": "@every 1m", "Nats-Schedule-Target": "S.t" };

test("a stream in a page refuses batches, increments and schedules as one that does not allow them", async (t) => {
  const { nc, ask } = await started(t);
  await ask("$JS.API.STREAM.CREATE.S", config({}));
  assert.equal((await answered(nc, "S.a", batch)).error?.err_code, 10174);
  assert.equal((await answered(nc, "S.a", { "Nats-Incr": "1" })).error?.err_code, 10168);
  assert.equal((await answered(nc, "S.a", schedule)).error?.err_code, 10188);
  const fast = nc.request("S.a", "", { ...PATIENT, noMux: true, reply: "in.b.10.ok.1.0.$FI" });
  assert.equal((await fast).json<{ error: { err_code: number } }>().error.err_code, 10205);
});

test("in a page nobody answers the system account", async (t) => {
  const { sys } = await started(t);
  await assert.rejects(sys.request("$SYS.REQ.SERVER.PING", "", PATIENT), { code: "NO_RESPONDERS" });
});

const HELP = { exports: [{ service: "help" }], mappings: { hilfe: "help" } };
const SHOP = { imports: [{ service: { account: "HELP", subject: "help" }, to: "support" }] };

test("in a page accounts have no mappings, exports and imports", async () => {
  for (const [account, what] of [
    [{ mappings: HELP.mappings }, "mappings"],
    [{ exports: HELP.exports }, "exports and imports"],
    [SHOP, "exports and imports"],
  ] as const) {
    await assert.rejects(NatsServer.start({ accounts: { A: account } }), {
      code: "UNSUPPORTED",
      message: `[UNSUPPORTED] ${what} ${needs}`,
    });
  }
});

test("with the extras a server in a page does all of that", async (t) => {
  const { nc, sys, ask, login } = await started(t, {
    extras,
    accounts: {
      HELP: { ...HELP, users: [{ user: "desk", password: "d" }] },
      SHOP: { ...SHOP, users: [{ user: "shop", password: "s" }] },
    },
  });
  await ask(
    "$JS.API.STREAM.CREATE.S",
    config({ allow_atomic: true, allow_batched: true, allow_msg_schedules: true }),
  );
  assert.equal((await answered(nc, "S.a", batch)).seq, 1);
  assert.equal((await answered(nc, "S.b", schedule)).seq, 2);
  await ask("$JS.API.STREAM.CREATE.C", '{"name":"C","subjects":["C"],"allow_msg_counter":true}');
  await answered(nc, "C", { "Nats-Incr": "2" });
  assert.equal((await answered(nc, "C", { "Nats-Incr": "+3" })).val, "5");
  await ask("$JS.API.STREAM.CREATE.M", '{"name":"M","mirror":{"name":"S"}}');
  const mirror = await nc.request("$JS.API.STREAM.INFO.M", "", PATIENT);
  assert.equal(mirror.json<{ mirror?: { name: string } }>().mirror?.name, "S");
  const fast = nc.request("S.c", "", { ...PATIENT, noMux: true, reply: "in.b.10.ok.1.2.$FI" });
  assert.equal((await fast).json<{ seq: number }>().seq, 3);
  const restored = JSON.parse(await ask("$JS.API.STREAM.RESTORE.R", '{"config":{"name":"R"}}'));
  assert.match(restored.deliver_subject, /^\$JS\.SNAPSHOT\.RESTORE\.R\./);
  assert.equal(
    (await sys.request("$SYS.REQ.SERVER.PING.HEALTHZ", "", PATIENT)).json<Healthz>().data.status,
    "ok",
  );

  const desk = await login("desk", "d");
  const shop = await login("shop", "s");
  desk.subscribe("help", { callback: (_, msg) => void msg.respond("here") });
  await desk.flush();
  assert.equal((await shop.request("support", "", PATIENT)).string(), "here");
  assert.equal((await desk.request("hilfe", "", PATIENT)).string(), "here");
});
