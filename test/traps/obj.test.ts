// Traps 100, 102 and 103: what clients have got wrong about objects; 101, 104 and 106 are in test/suites/obj.ts and test/obj.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";
import { sha256 } from "@noble/hashes/sha2.js";
import { type JetStreamManager, jetstreamManager } from "../../src/jetstream/index.ts";
import { digestText } from "../../src/obj/digest.ts";
import { type ObjectStore, Objm } from "../../src/obj/index.node.ts";
import { type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Proxy, startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { bytes, chunksIn, got } from "../suites/obj-support.ts";
import { connectTo, failing } from "./support.ts";

interface Setup {
  proxy: Proxy;
  jsm: JetStreamManager;
  store: ObjectStore;
}

/** A bucket in memory, through a proxy. */
async function setUp(t: Scope): Promise<Setup> {
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, server);
  const nc = await connectTo(t as never, proxy.url);
  const jsm = await jetstreamManager(nc);
  return { proxy, jsm, store: await new Objm(nc).create("b", { storage: "memory" }) };
}

test("trap 100: both hashes agree on more bytes than 32 bits can count the bits of", () => {
  const piece = new Uint8Array(1 << 22).map((_, i) => i * 7);
  const [web, node] = [sha256.create(), createHash("sha256")];
  for (let i = 0; i <= 128; i++) {
    web.update(piece);
    node.update(piece);
  }
  assert.equal(digestText(web.digest()), digestText(node.digest()));
});

test("trap 102: a read that nothing comes for any more ends by its timeout, and so does its stream", async (t) => {
  trackLeaks(t);
  const { proxy, store } = await setUp(t);
  await store.put({ name: "a", options: { max_chunk_size: 100_000 } }, bytes(30_000_000));
  const result = await got(store.get("a", { timeout: 1500 }));
  const reader = result.data.getReader();
  await reader.read();
  proxy.pause("received");
  const rest = (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read());
  })();
  await assert.rejects(within(rest, "the read hangs"), failing("TIMEOUT"));
  assert.equal(((await result.error) as { code?: string } | null)?.code, "TIMEOUT");
  await assert.rejects(store.getBlob("a", { timeout: 1500 }), failing("TIMEOUT"));
  proxy.resume();
  assert.equal((await store.getBlob("a"))?.length, 30_000_000);
});

test("trap 103: a source that is faster than the server loses no chunk, and not their order", async (t) => {
  trackLeaks(t);
  const { proxy, jsm, store } = await setUp(t);
  proxy.latency(5);
  const data = bytes(4_000_000);
  const pieces = function* (): Generator<Uint8Array> {
    for (let at = 0; at < data.length; at += 1000) yield data.subarray(at, at + 1000);
  };
  const options = { max_chunk_size: 1000 };
  const { nuid } = await store.put({ name: "a", options }, pieces());
  assert.deepEqual(await chunksIn(jsm, "b"), { [nuid]: 4000 });
  assert.deepEqual(await store.getBlob("a"), data);
  const again = await store.put({ name: "b", options }, Readable.from(pieces()));
  assert.deepEqual([again.chunks, again.size], [4000, 4_000_000]);
});

test("trap 103: memory that a source uses again is not what is stored", async (t) => {
  trackLeaks(t);
  const { store } = await setUp(t);
  const scratch = new Uint8Array(1000);
  const source = function* (): Generator<Uint8Array> {
    for (let i = 0; i < 200; i++) yield scratch.fill(i);
  };
  await store.put({ name: "a", options: { max_chunk_size: 1000 } }, source());
  const stored = await store.getBlob("a");
  for (let i = 0; i < 200; i++) assert.equal(stored?.[i * 1000], i);
});

test("trap 103: a put that is aborted while acks are on their way leaves no chunks", async (t) => {
  trackLeaks(t);
  const { proxy, jsm, store } = await setUp(t);
  proxy.latency(50);
  const stop = new AbortController();
  const source = function* (): Generator<Uint8Array> {
    for (let i = 0; i < 500; i++) {
      if (i === 100) stop.abort();
      yield bytes(10_000);
    }
  };
  const options = { max_chunk_size: 10_000 };
  const putting = store.put({ name: "a", options }, source(), { signal: stop.signal });
  await assert.rejects(putting, failing("ABORTED"));
  assert.deepEqual(await chunksIn(jsm, "b"), {});
  assert.equal(await store.info("a"), null);
});
