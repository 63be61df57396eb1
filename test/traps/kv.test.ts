// Traps 91 to 99: buckets whose entries vanish, links that break in the middle of a list, and answers that come late or never.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  type JetStreamManager,
  jetstreamManager,
  WrongLastSequenceError,
} from "../../src/jetstream/index.ts";
import { type KV, type KvOptions, Kvm } from "../../src/kv/index.ts";
import type { NatsConnection } from "../../src/index.node.ts";
import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Proxy, startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";
import { all } from "../suites/kv-support.ts";
import { connectTo, failing, noUnhandled, until } from "./support.ts";

interface Place {
  readonly nc: NatsConnection;
  readonly proxy: Proxy;
  /** through the proxy */
  readonly kv: KV;
  /** past it */
  readonly near: KV;
  readonly jsm: JetStreamManager;
}

/** A bucket `b` in memory, and a client that reaches it through a proxy. */
async function place(t: TestContext, options: KvOptions = {}): Promise<Place> {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, { host: server.host, port: server.port });
  const other = await connectTo(t, server.url);
  const near = await new Kvm(other).create("b", { storage: "memory", ...options });
  const nc = await connectTo(t, proxy.url);
  return { nc, proxy, kv: await new Kvm(nc).open("b"), near, jsm: await jetstreamManager(other) };
}

const big = new Uint8Array(100_000);

test("trap 91: keys and history end when what they were about to list is purged meanwhile", async (t) => {
  const { kv, jsm } = await place(t);
  // more than the server sends before somebody reads
  await Promise.all(Array.from({ length: 100 }, (_, i) => kv.put(`k.${i}`, big)));
  const entries = (await kv.history())[Symbol.asyncIterator]();
  assert.equal((await entries.next()).done, false);
  const keys = (await kv.keys())[Symbol.asyncIterator]();
  await jsm.streams.purge("KV_b");
  const rest = async (items: AsyncIterator<unknown>): Promise<number> => {
    for (let count = 1; ; count++) if ((await items.next()).done === true) return count;
  };
  assert.ok((await within(rest(entries), "the history does not end")) < 100);
  await within(rest(keys), "the keys do not end");
  // and where there is nothing from the beginning
  assert.deepEqual(await all(await within(kv.keys(), "no keys")), []);
});

// the server sends 2 MiB before somebody reads: this is more
const COUNT = 6000;

/** Puts a value under each key, in their order. */
async function fill(kv: KV, keys: readonly string[], value: Uint8Array | string): Promise<void> {
  for (let at = 0; at < keys.length; at += 250) {
    await Promise.all(keys.slice(at, at + 250).map((key) => kv.put(key, value)));
  }
}

test("trap 92: keys has none twice, none too few and none that is deleted when its link breaks in the middle", async (t) => {
  const { kv, near, proxy } = await place(t, { history: 3 });
  const expected = Array.from({ length: COUNT }, (_, i) => `key.${10_000 + i}.${"x".repeat(900)}`);
  await near.put("gone", "x");
  await fill(near, expected, "old");
  // the order of the newest values is another one
  await fill(near, expected.toReversed(), "new");
  await near.delete("gone");
  const keys = (await kv.keys())[Symbol.asyncIterator]();
  const found = [(await keys.next()).value as string];
  proxy.cut();
  const rest = async (): Promise<void> => {
    for (let next = await keys.next(); next.done !== true; next = await keys.next()) found.push(next.value);
  };
  await within(rest(), "it does not end", 20_000);
  assert.equal(proxy.accepted, 2);
  assert.deepEqual(found.toSorted(), expected);
});

test("trap 93: synced waits for all there was, also when the link breaks in the middle, and no revision comes twice", async (t) => {
  const { kv, near, proxy } = await place(t, { history: 3 });
  const value = new Uint8Array(500);
  const keys = Array.from({ length: COUNT }, (_, i) => `key.${i}`);
  for (let round = 0; round < 2; round++) await fill(near, keys, value);
  const watch = await kv.watch();
  const revisions: number[] = [];
  const updates: string[] = [];
  const reading = (async () => {
    for await (const { revision, isUpdate, key } of watch) {
      if (revisions.push(revision) === 1) proxy.cut();
      if (isUpdate) updates.push(key);
    }
  })();
  await within(watch.synced, "it is not synced", 20_000);
  assert.equal(revisions.length, COUNT);
  assert.equal(proxy.accepted, 2);
  await near.put("later", "x");
  await until(() => updates.length > 0, "the update comes");
  assert.deepEqual(updates, ["later"]);
  // no older ones either
  assert.deepEqual(
    revisions,
    Array.from({ length: COUNT + 1 }, (_, i) => COUNT + i + 1),
  );
  watch.stop();
  await reading;
});

test("trap 93: a watch of an empty bucket survives the links that break, and is synced once", async (t) => {
  const { kv, near, nc, proxy } = await place(t);
  const watch = await kv.watch();
  await within(watch.synced, "it is not synced");
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { key, isUpdate } of watch) seen.push(`${key} ${isUpdate}`);
  })();
  for (const round of ["a", "b", "c"]) {
    proxy.cut();
    await near.put(round, "x");
    await until(() => seen.includes(`${round} true`), `${round} comes`);
  }
  assert.deepEqual(seen, ["a true", "b true", "c true"]);
  assert.equal(nc.stats().reconnects, 3);
  watch.stop();
  await reading;
});

test("trap 94: a watch whose key can't be one rejects at once, and asks the server nothing", async (t) => {
  const { kv, jsm } = await place(t);
  for (const key of ["a.", "a..b", "a b", "a>", "*a", ""]) {
    await assert.rejects(
      within(kv.watch({ key }), "it waits"),
      failing("INVALID_ARGUMENT", JSON.stringify(key)),
    );
  }
  await assert.rejects(kv.watch({ key: ["a", "b c"] }), failing("INVALID_ARGUMENT", '"b c"'));
  assert.equal((await jsm.streams.info("KV_b")).state.consumer_count, 0);
});

for (const [err_code, description] of [
  [10071, "wrong last sequence: 7"],
  [10164, "wrong last sequence"],
] as const) {
  test(`trap 95: ${err_code} is a conflict: create looks for a marker, and tells what it found`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const [stream, nc] = [await connectTo(t, server.url), await connectTo(t, server.url)];
    const expected: string[] = [];
    let operation = "DEL";
    // what a stream of three replicas says while another write of the key is under way
    stream.subscribe("$KV.b.k", {
      callback: (_, msg) => {
        const sequence = msg.headers?.get("Nats-Expected-Last-Subject-Sequence") ?? "";
        expected.push(sequence);
        const error = { code: 400, err_code, description };
        msg.respond(JSON.stringify(sequence === "7" ? { stream: "KV_b", seq: 8 } : { error }));
      },
    });
    stream.subscribe("$JS.API.STREAM.MSG.GET.KV_b", {
      callback: (_, msg) => {
        const hdrs = btoa(`NATS/1.0\r\n${operation === "" ? "A: b" : `KV-Operation: ${operation}`}\r\n\r\n`);
        const message = { subject: "$KV.b.k", seq: 7, hdrs, time: "2026-01-01T00:00:00Z" };
        msg.respond(JSON.stringify({ message }));
      },
    });
    await stream.flush();
    const kv = await new Kvm(nc).open("b", { bindOnly: true });
    for (operation of ["DEL", "PURGE"]) assert.equal(await kv.create("k", "x"), 8);
    assert.deepEqual(expected.splice(0), ["0", "7", "0", "7"]);
    operation = "";
    await assert.rejects(kv.create("k", "x"), (error) => {
      assert.ok(error instanceof WrongLastSequenceError);
      assert.deepEqual(
        [error.code, error.apiErrorCode, error.expected, error.actual],
        ["WRONG_LAST_SEQUENCE", err_code, 0, err_code === 10071 ? 7 : undefined],
      );
      return true;
    });
    await assert.rejects(kv.update("k", "x", 3), failing("WRONG_LAST_SEQUENCE"));
    assert.deepEqual(expected, ["0", "3"]);
  });
}

test("trap 96: a TTL goes where it may be: create and purge send it, and where the bucket has none the server says so", async (t) => {
  const { kv, near, jsm } = await place(t);
  const modern = (await jsm.getAccountInfo()).api.level !== undefined;
  if (!modern) {
    await assert.rejects(kv.create("a", "x", "1m"), failing("UNSUPPORTED", "2.11"));
    return;
  }
  await assert.rejects(kv.create("a", "x", "1m"), failing("JETSTREAM_API"));
  await assert.rejects(kv.purge("a", { ttl: "1m" }), failing("JETSTREAM_API"));
  await jsm.streams.update("KV_b", { allow_msg_ttl: true, subject_delete_marker_ttl: 60e9 });
  await kv.create("a", "x", "1m");
  assert.equal((await near.get("a"))?.headers?.get("Nats-TTL"), "1m");
  await kv.put("a", "y");
  assert.equal((await near.get("a"))?.headers?.get("Nats-TTL"), "");
  await kv.purge("a", { ttl: 90_000 });
  assert.equal((await near.get("a", { deleted: true }))?.headers?.get("Nats-TTL"), "90");
});

test("trap 97: the entry of a revision is of the key that was asked for, from replicas and from the leader", async (t) => {
  const { kv } = await place(t, { history: 5 });
  await kv.put("a", "1");
  await kv.put("b", "2");
  for (const leader of [true, false]) {
    assert.equal((await kv.get("b", { revision: 2, leader }))?.key, "b");
    assert.equal(await kv.get("a", { revision: 2, leader }), null);
    assert.equal(await kv.get("b", { revision: 1, leader }), null);
  }
});
