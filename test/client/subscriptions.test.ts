// Tests of src/client/subscriptions.ts over a scripted server: what the server is told, line by line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startScripted } from "../fixtures/scripted-server.ts";
import { connectTo } from "../traps/support.ts";

test("C-PROTO-8 a sid is never used twice, also after its subscription has ended and across a reconnect", async (t) => {
  trackLeaks(t);
  const server = await startScripted(t);
  const next = server.nextPeer();
  const connecting = connectTo(t, server.url);
  const peer = await next;
  await peer.handshake();
  const nc = await connecting;
  const subs = [nc.subscribe("a"), nc.subscribe("a"), nc.subscribe("b", { queue: "q" })];
  subs[1]?.unsubscribe();
  subs.push(nc.subscribe("a"));
  const sids = subs.map((sub) => sub.getID());
  assert.equal(new Set(sids).size, 4);
  assert.deepEqual(
    [
      await peer.readLine(),
      await peer.readLine(),
      await peer.readLine(),
      await peer.readLine(),
      await peer.readLine(),
    ],
    [`SUB a ${sids[0]}`, `SUB a ${sids[1]}`, `SUB b q ${sids[2]}`, `UNSUB ${sids[1]}`, `SUB a ${sids[3]}`],
  );

  const again = server.nextPeer();
  peer.destroy();
  const second = await again;
  await second.handshake();
  assert.deepEqual(
    [await second.readLine(), await second.readLine(), await second.readLine()],
    [`SUB a ${sids[0]}`, `SUB b q ${sids[2]}`, `SUB a ${sids[3]}`],
  );
  const fresh = nc.subscribe("c");
  assert.ok(!sids.includes(fresh.getID()));
  assert.equal(await second.readLine(), `SUB c ${fresh.getID()}`);
});
