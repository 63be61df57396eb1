import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryPair } from "../../src/transport/memory.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { type Peer, transportContract } from "./contract.ts";
import { bytes, pattern, Recorder, text } from "./support.ts";

const lengths = (recorder: Recorder): number[] => recorder.chunks.map((chunk) => chunk.length);

function peerOf(far: Transport): Peer {
  const received = new Recorder(far);
  return {
    received,
    send: (data) => void far.write(data),
    end: () => void far.close(),
    gone: received.closed,
  };
}

for (const [name, options] of Object.entries({
  memory: {},
  "memory in bytes": { chunk: 1 },
  "memory in odd pieces": { chunk: (left: number) => (left % 4099) + 1 },
  "memory with latency": { latency: 2 },
})) {
  transportContract(name, async () => {
    const [transport, far] = memoryPair(options);
    return { transport, peer: peerOf(far) };
  });
}

test("nothing is delivered inside of write, and all of it in the microtask after", async () => {
  const [a, b] = memoryPair();
  const events = new Recorder(b);
  await Promise.resolve(); // open
  assert.equal(a.write(bytes("x")), true);
  assert.equal(events.length, 0);
  assert.equal(a.buffered, 1);
  await Promise.resolve();
  assert.equal(events.length, 1);
  assert.equal(a.buffered, 0);
});

test("bytes are copied when written, also those of a Buffer", async () => {
  const [a, b] = memoryPair();
  const events = new Recorder(b);
  const buffer = Buffer.from("PING");
  a.write(buffer);
  buffer.fill(0);
  assert.equal(text(await events.atLeast(4)), "PING");
});

test("chunk: a number cuts writes into pieces of that size, never joining two", async () => {
  const [a, b] = memoryPair({ chunk: 3 });
  const events = new Recorder(b);
  a.write(bytes("12345678"));
  a.write(bytes("9"));
  await events.atLeast(9);
  assert.deepEqual(lengths(events), [3, 3, 2, 1]);
});

test("chunk: a function is asked for each piece and told what is left", async () => {
  const asked: number[] = [];
  const sizes = [1, 0, 4];
  const [a, b] = memoryPair({
    chunk: (left) => {
      asked.push(left);
      return sizes.shift() ?? 100;
    },
  });
  const events = new Recorder(b);
  a.write(bytes("123456789"));
  await events.atLeast(9);
  assert.deepEqual(lengths(events), [1, 1, 4, 3]);
  assert.deepEqual(asked, [9, 8, 7, 3]);
});

test("latency: bytes, drain and end wait for the timer that was given", async () => {
  const timers: { callback: () => void; ms: number }[] = [];
  const [a, b] = memoryPair({
    latency: 40,
    highWaterMark: 1,
    setTimeout: (callback, ms) => timers.push({ callback, ms }),
  });
  const near = new Recorder(a);
  const far = new Recorder(b);
  assert.equal(a.write(bytes("one")), false);
  a.write(bytes("two"));
  const closing = a.close();
  await new Promise(setImmediate);
  assert.equal(far.length, 0);
  assert.deepEqual(
    timers.map(({ ms }) => ms),
    [40, 40, 40],
  );
  timers[0]?.callback();
  assert.equal(text(far.bytes), "one");
  timers[1]?.callback();
  assert.equal(text(far.bytes), "onetwo");
  assert.deepEqual(far.closes, []);
  timers[2]?.callback();
  await closing;
  assert.equal(await far.closed, undefined);
  assert.equal(await near.closed, undefined);
});

test("cutAfter: the link breaks at exactly that byte, both directions counted, with an error at both ends", async () => {
  const [a, b] = memoryPair({ cutAfter: 10 });
  const near = new Recorder(a);
  const far = new Recorder(b);
  a.write(bytes("123456"));
  await far.atLeast(6);
  b.write(bytes("abc"));
  await near.atLeast(3);
  a.write(bytes("7890"));
  a.write(bytes("more"));
  for (const error of [await near.closed, await far.closed]) {
    assert.equal((error as { code?: string }).code, "CONNECTION");
    assert.match(String(error), /cut after 10 bytes/);
  }
  assert.equal(text(far.bytes), "1234567");
  assert.equal(a.write(bytes("late")), false);
  assert.equal(b.write(bytes("late")), false);
  await Promise.all([a.close(), b.close()]);
  assert.deepEqual([near.closes.length, far.closes.length], [1, 1]);
});

test("cutAfter: what arrived before open is still delivered, then the error; close() alone settles too", async () => {
  const [a, b] = memoryPair({ cutAfter: 4 });
  a.write(bytes("123456"));
  await Promise.resolve();
  const far = new Recorder(b);
  assert.match(String(await far.closed), /cut/);
  assert.equal(text(far.bytes), "1234");
  await a.close(); // never opened
});

test("highWaterMark: write says false from there on, and onDrain comes once when everything is delivered", async () => {
  const [a, b] = memoryPair({ highWaterMark: 10 });
  const near = new Recorder(a);
  new Recorder(b);
  assert.equal(a.write(pattern(9)), true);
  assert.equal(a.write(pattern(1)), false);
  assert.equal(a.write(pattern(5)), false);
  assert.equal(a.buffered, 15);
  await near.drained();
  assert.equal(a.buffered, 0);
  assert.equal(a.write(pattern(9)), true);
  await Promise.resolve();
  assert.equal(near.drains, 1);
});

test("the peer of a destroyed end sees an orderly end, without what was on its way", async () => {
  const [a, b] = memoryPair();
  new Recorder(a);
  const far = new Recorder(b);
  a.write(bytes("lost"));
  a.destroy(new Error("mine"));
  assert.equal(await far.closed, undefined);
  assert.equal(far.length, 0);
});

test("startTls is absent unless asked for", async () => {
  assert.ok(!memoryPair()[0].startTls);
  let calls = 0;
  const [a, b] = memoryPair({ startTls: async () => void calls++ });
  assert.deepEqual([a.encrypted, b.encrypted], [false, false]);
  await a.startTls?.();
  assert.deepEqual([a.encrypted, b.encrypted, calls], [true, false, 1]);
});

test("a startTls that fails ends the transport with its error", async () => {
  const error = new Error("no");
  const [a] = memoryPair({ startTls: () => Promise.reject(error) });
  const events = new Recorder(a);
  await assert.rejects(async () => a.startTls?.(), error);
  assert.equal(await events.closed, error);
  assert.equal(a.encrypted, false);
});

test("a hundred thousand writes in one tick are delivered in linear time", async () => {
  const [a, b] = memoryPair();
  const events = new Recorder(b);
  // of this process alone, however busy the machine is
  const started = process.cpuUsage();
  for (let i = 0; i < 100_000; i++) a.write(bytes("x"));
  await events.atLeast(100_000);
  assert.ok(process.cpuUsage(started).user < 2_000_000);
});
