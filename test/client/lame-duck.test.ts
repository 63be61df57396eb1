// Tests of lame duck migration (ADR-5): src/client/session.ts against real servers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startCluster, startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";
import { connectTo, Watch } from "../traps/support.ts";

const config = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"';

test("C-ADR5-1 C-ADR5-2 a server in lame duck mode is left for another: nothing published is lost, nothing comes twice", async (t) => {
  trackLeaks(t);
  const cluster = await startCluster(t, 3, { config });
  const [leaving, ...others] = cluster;
  assert.ok(leaving !== undefined && others[0] !== undefined);
  const watcher = await connectTo(t, others[0].url);
  const got: string[] = [];
  const all = new Promise<void>((resolve) => {
    watcher.subscribe("numbers", {
      callback: (_, msg) => {
        if (got.push(msg.string()) === 1500) resolve();
      },
    });
  });
  watcher.subscribe("echo", { callback: (_, msg) => void msg.respond(msg.data) });
  await watcher.flush();

  const nc = await connectTo(t, leaving.url);
  const watch = new Watch(nc);
  const own: string[] = [];
  const sub = nc.subscribe("own", { callback: (_, msg) => void own.push(msg.string()) });
  // interest has crossed the cluster when a request is answered
  await nc.request("echo", "ready", PATIENT);
  assert.equal(nc.getServer(), `127.0.0.1:${leaving.port}`);

  const sent: string[] = [];
  const publish = () => {
    sent.push(`${sent.length}`);
    nc.publish("numbers", `${sent.length - 1}`);
  };
  for (let i = 0; i < 500; i++) publish();
  const asked = Array.from({ length: 50 }, (_, i) => nc.request("echo", `${i}`, PATIENT));
  leaving.signal("SIGUSR2");
  const ldm = await watch.until("ldm");
  assert.equal(ldm.server, `127.0.0.1:${leaving.port}`);
  for (let i = 0; i < 500; i++) publish();
  await watch.until("reconnect");
  for (let i = 0; i < 500; i++) publish();
  await within(all, "all numbers");
  await watcher.flush();

  assert.notEqual(nc.getServer(), `127.0.0.1:${leaving.port}`);
  // two servers forward them to a third: the order is that of each of the two
  assert.deepEqual(got.sort(), sent.sort());
  assert.deepEqual(
    (await Promise.all(asked)).map((msg) => msg.string()),
    asked.map((_, i) => `${i}`),
  );
  assert.equal(nc.stats().droppedOutbound, 0);
  // the subscription went along
  nc.publish("own", "still here");
  await nc.flush();
  assert.deepEqual(own, ["still here"]);
  assert.equal(sub.isClosed(), false);
  // and the way back is not taken while others are there
  assert.ok(nc.getServers().length >= 2);
});

test("C-ADR5-2 with no other server known it stays, and comes back when the server does", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config });
  const nc = await connectTo(t, server.url);
  const watch = new Watch(nc);
  server.signal("SIGUSR2");
  await watch.until("ldm");
  assert.equal(nc.state, "connected");
  await nc.flush();
  assert.equal(watch.of("disconnect").length, 0);
});

test("C-ADR5-3 an operator who sends one client away is answered the same", async (t) => {
  trackLeaks(t);
  const accounts =
    "accounts { A { users: [{ user: a, password: a }] }, SYS { users: [{ user: s, password: s }] } }\nsystem_account: SYS";
  const cluster = await startCluster(t, 2, { config: `${config}\n${accounts}` });
  const [first] = cluster;
  assert.ok(first !== undefined);
  const nc = await connectTo(t, first.url, { user: "a", pass: "a" });
  const stays = await connectTo(t, first.url, { user: "a", pass: "a" });
  const system = await connectTo(t, first.url, { user: "s", pass: "s" });
  const watch = new Watch(nc);
  const { server_id, client_id } = nc.info ?? {};
  await system.request(`$SYS.REQ.SERVER.${server_id}.LDM`, JSON.stringify({ cid: client_id }), PATIENT);
  await watch.until("ldm");
  await watch.until("reconnect");
  assert.notEqual(nc.getServer(), `127.0.0.1:${first.port}`);
  assert.equal(stays.getServer(), `127.0.0.1:${first.port}`);
});
