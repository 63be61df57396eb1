// The contract of every transport, run by the test of each: what src/transport/transport.ts promises.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Transport } from "../../src/transport/transport.ts";
import { within } from "../fixtures/cleanup.ts";
import { bytes, type Collector, pattern, Recorder, text, turns } from "./support.ts";

/** The other side of a transport under test. */
export interface Peer {
  /** what it received; `pause` stops it */
  readonly received: Collector;
  send(bytes: Uint8Array): void;
  /** orderly end */
  end(): void;
  /** resolves when its side is gone */
  readonly gone: Promise<unknown>;
}

export function transportContract(
  name: string,
  join: (t: TestContext) => Promise<{ transport: Transport; peer: Peer }>,
): void {
  test(`${name}: bytes arrive whole and in order, in both directions`, async (t) => {
    const { transport, peer } = await join(t);
    const events = new Recorder(transport);
    const sent = pattern(300_000);
    for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 3) % 70_001) {
      transport.write(sent.slice(at, at + size));
    }
    assert.deepEqual(await peer.received.atLeast(sent.length), sent);
    for (let at = 0; at < sent.length; at += 50_000) peer.send(sent.slice(at, at + 50_000));
    assert.deepEqual(await events.atLeast(sent.length), sent);
    await transport.close();
  });

  test(`${name}: what arrives before open is kept for it`, async (t) => {
    const { transport, peer } = await join(t);
    peer.send(bytes("INFO {}\r\n"));
    await turns();
    const events = new Recorder(transport);
    assert.equal(events.length, 0, "delivered inside of open()");
    assert.equal(text(await events.atLeast(9)), "INFO {}\r\n");
    await transport.close();
  });

  test(`${name}: the end of the peer before open is told after open, behind the data`, async (t) => {
    const { transport, peer } = await join(t);
    peer.send(bytes("-ERR 'x'\r\n"));
    peer.end();
    await turns();
    const events = new Recorder(transport);
    assert.deepEqual(events.closes, [], "told inside of open()");
    assert.equal(await events.closed, undefined);
    assert.equal(text(events.bytes), "-ERR 'x'\r\n");
  });

  test(`${name}: trap 34: a view is sent as the view, not as its whole buffer`, async (t) => {
    const { transport, peer } = await join(t);
    new Recorder(transport);
    transport.write(bytes("....PING\r\n....").subarray(4, 10));
    transport.write(bytes("<PONG>").subarray(1, 5));
    assert.equal(text(await peer.received.atLeast(10)), "PING\r\nPONG");
    await transport.close();
    assert.equal(peer.received.length, 10);
  });

  test(`${name}: trap 49: the arrays it hands over are plain Uint8Arrays`, async (t) => {
    const { transport, peer } = await join(t);
    const events = new Recorder(transport);
    peer.send(bytes("PING\r\n"));
    peer.send(pattern(100_000));
    await events.atLeast(100_006);
    for (const chunk of events.chunks) assert.equal(Object.getPrototypeOf(chunk), Uint8Array.prototype);
    await transport.close();
  });

  test(`${name}: the orderly end of the peer is one onClose without an error`, async (t) => {
    const { transport, peer } = await join(t);
    const events = new Recorder(transport);
    peer.send(bytes("last"));
    peer.end();
    assert.equal(await events.closed, undefined);
    assert.equal(text(events.bytes), "last");
    assert.equal(transport.write(bytes("late")), false);
    transport.destroy(new Error("late"));
    await transport.close();
    assert.equal(events.closes.length, 1);
  });

  test(`${name}: close() sends what was written, tells it once, and may be called again`, async (t) => {
    const { transport, peer } = await join(t);
    const events = new Recorder(transport);
    const sent = pattern(3_000_000);
    transport.write(sent);
    const closing = transport.close();
    assert.equal(transport.write(bytes("late")), false);
    await Promise.all([closing, transport.close(), peer.gone]);
    assert.deepEqual(peer.received.bytes, sent);
    await events.closed;
    assert.deepEqual(events.closes, [undefined]);
    await transport.close();
  });

  test(`${name}: close() before open resolves too, without waiting for the bound`, async (t) => {
    const { transport, peer } = await join(t);
    peer.send(pattern(10_000));
    await turns();
    // of 5 seconds
    await within(Promise.all([transport.close(), peer.gone]), "it waits for the bound", 4500);
    const events = new Recorder(transport);
    assert.equal(await events.closed, undefined);
    assert.equal(events.length, 0);
  });

  test(`${name}: destroy(error) before open: nothing is delivered at open but the end`, async (t) => {
    const { transport, peer } = await join(t);
    peer.send(bytes("INFO {}\r\n"));
    await turns();
    const error = new Error("given up");
    transport.destroy(error);
    const events = new Recorder(transport);
    assert.equal(await events.closed, error);
    assert.equal(events.length, 0);
    await Promise.all([peer.gone, transport.close()]);
  });

  test(`${name}: destroy(error) ends it at once with that error, and nothing is delivered after`, async (t) => {
    const { transport, peer } = await join(t);
    const events = new Recorder(transport);
    peer.send(bytes("first"));
    await events.atLeast(5);
    peer.send(bytes("second"));
    const error = new Error("stale");
    transport.destroy(error);
    transport.destroy(new Error("again"));
    assert.deepEqual(events.closes, [], "told inside of destroy()");
    assert.equal(transport.write(bytes("late")), false);
    assert.equal(await events.closed, error);
    await Promise.all([peer.gone, transport.close()]);
    assert.equal(text(events.bytes), "first");
    assert.equal(peer.received.length, 0);
    assert.equal(events.closes.length, 1);
  });
}
