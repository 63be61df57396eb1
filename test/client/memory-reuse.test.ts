// Tests of how src/client/link.ts, src/protocol/outbox.ts and src/transport/tcp.node.ts hand memory on, over real sockets.
import assert from "node:assert/strict";
import { EventEmitter as Events, once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect } from "../../src/index.node.ts";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";

/** A server that takes everything and says what came; the test decides when it reads. */
async function startSink(t: Scope) {
  const pieces: Buffer[] = [];
  let socket: Socket | undefined;
  const sockets = new Set<Socket>();
  const ends = new Events();
  let ended = 0;
  const server = createServer({ allowHalfOpen: true }, (accepted) => {
    socket = accepted;
    sockets.add(accepted);
    accepted.on("end", () => ends.emit("end", ++ended));
    accepted.on("error", () => {});
    accepted.write(
      'INFO {"server_id":"S","version":"2.15.1","proto":1,"headers":true,"max_payload":8388608}\r\n',
    );
    accepted.on("data", (bytes) => {
      pieces.push(bytes);
      // PINGs of the test stand at the end of what was sent
      if (bytes.subarray(-6).toString() === "PING\r\n") accepted.write("PONG\r\n");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(t, () => {
    for (const each of sockets) each.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    pause: () => socket?.pause(),
    resume: () => socket?.resume(),
    received: () => Buffer.concat(pieces),
    /** that many clients have ended their side */
    ended: async (count: number) => {
      while (ended < count) await once(ends, "end");
    },
    /** end ours */
    end: () => socket?.end(),
  };
}

test("what is published arrives as it was, in order, through a peer that stops reading and goes on", async (t) => {
  trackLeaks(t);
  const sink = await startSink(t);
  const nc = await connect({ port: sink.port });
  const expected: Buffer[] = [];
  for (let round = 0; round < 24; round++) {
    if (round % 6 === 1) sink.pause();
    // from a few messages to several arenas in one go
    const count = [3, 200, 1200][round % 3] as number;
    for (let i = 0; i < count; i++) {
      const payload = Buffer.alloc(round % 2 === 0 ? 5000 : 500, `${round}.${i};`);
      nc.publish("m", payload);
      expected.push(Buffer.from(`PUB m ${payload.length}\r\n`), payload, Buffer.from("\r\n"));
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (round % 6 === 4) {
      sink.resume();
      await nc.writable();
    }
  }
  sink.resume();
  await within(nc.flush(), "the flush did not end");
  await nc.close();
  const received = sink.received();
  const begin = received.indexOf("PING\r\n") + 6;
  const all = Buffer.concat(expected);
  assert.ok(all.length > 20_000_000, "enough to fill the buffers of the system");
  assert.ok(
    received.subarray(begin, begin + all.length).equals(all),
    "some bytes are not what was published",
  );
  assert.equal(received.subarray(begin + all.length).toString(), "PING\r\n");
});

test("close() right after a flush does not wait for the peer; with something unread it does", async (t) => {
  trackLeaks(t);
  const sink = await startSink(t);
  const first = await connect({ port: sink.port });
  first.publish("a", "1");
  await first.flush();
  // the peer's side stays open, so whoever waits for it waits for 5 seconds
  await within(first.close(), "close() waits for a peer that has read everything", 4000);

  const second = await connect({ port: sink.port });
  second.publish("a", "2");
  let closed = false;
  const closing = second.close().then(() => {
    closed = true;
  });
  await sink.ended(2);
  assert.ok(sink.received().toString().endsWith("PUB a 1\r\n2\r\n"), "all arrives before the end");
  assert.equal(closed, false);
  sink.end();
  await closing;
});
