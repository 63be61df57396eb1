// Tests of what a connection does when it is told of its network: a `watch` of the test's own, real servers.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkEvent } from "../../src/client/options.ts";
import { createConnect } from "../../src/index.ts";
import { dialTcp } from "../../src/transport/tcp.node.ts";
import { atEnd, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { Watch } from "./conversation.ts";

/** A `connect` that is told of its network by the test, and who listens. */
function watched() {
  const listeners = new Set<(event: NetworkEvent) => void>();
  const dial = createConnect(
    { nats: dialTcp },
    {
      watch: (tell) => {
        listeners.add(tell);
        return () => listeners.delete(tell);
      },
    },
  );
  const tell = (event: NetworkEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };
  return { dial, tell, listeners };
}

const LONG = {
  reconnectTimeWait: 600_000,
  maxReconnectTimeWait: 600_000,
  reconnectDelayHandler: () => 600_000,
};

for (const event of ["back", "shown"] as const) {
  test(`'${event}' ends the wait for the next dial`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const { dial, tell } = watched();
    const nc = await dial({ servers: server.url, ...LONG });
    atEnd(t, () => nc.close());
    const events = new Watch(nc);
    await server.stop();
    await events.until("reconnecting", 2);
    await server.restart();
    tell("lost");
    assert.equal(nc.state, "reconnecting");
    tell(event);
    await events.until("reconnect");
    await nc.flush();
    assert.equal(events.of("reconnecting").length, 2);
  });
}

for (const event of ["lost", "back"] as const) {
  test(`'${event}' has the link asked for a sign of life: a dead one is left, a live one stays`, async (t) => {
    trackLeaks(t);
    const proxy = await startProxy(t, await startServer(t));
    const { dial, tell } = watched();
    // the interval is the time to answer, too
    const nc = await dial({ servers: proxy.url, pingInterval: 1500, maxPingOut: 1000 });
    atEnd(t, () => nc.close());
    const events = new Watch(nc);
    const [sent, received] = [proxy.sent.length, proxy.received.length];
    tell(event);
    await proxy.forwarded("sent", /PING\r\n/, sent);
    await proxy.forwarded("received", /PONG\r\n/, received);
    await nc.flush();
    assert.deepEqual(events.of("disconnect"), []);
    proxy.pause();
    tell(event);
    const { error } = await events.until("disconnect");
    assert.equal(error?.code, "STALE_CONNECTION");
    proxy.resume();
    await events.until("reconnect");
    await nc.flush();
  });
}

test("'back' begins a dial anew that the old network swallowed; its late socket is closed", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  proxy.pause();
  const { dial, tell } = watched();
  const connecting = dial({ servers: proxy.url });
  const swallowed = await proxy.nextConnection();
  const next = proxy.nextConnection();
  tell("shown");
  tell("back");
  await next;
  proxy.resume();
  await within(swallowed.closed, "the first socket lives");
  const nc = await connecting;
  atEnd(t, () => nc.close());
  await nc.flush();
  await server.waitForConnections(1);
  assert.equal(proxy.accepted, 2);
});

test("who tells of the network is let go with the connection, however it ends", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const { dial, listeners } = watched();
  const [closed, drained] = [await dial({ servers: server.url }), await dial({ servers: server.url })];
  assert.equal(listeners.size, 2);
  await closed.close();
  assert.equal(listeners.size, 1);
  await drained.drain();
  const cut = await dial({ servers: server.url, reconnect: false });
  assert.equal(listeners.size, 1);
  await server.stop();
  await within(cut.closed(), "it lives on");
  await assert.rejects(dial({ servers: server.url }));
  assert.equal(listeners.size, 0);
});
