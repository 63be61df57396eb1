// Objects over what happens to servers and links: whole and right, or a typed error in time; and no chunks of nobody's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNatsError, type NatsConnection, type NatsError } from "../../src/index.node.ts";
import { jetstream, type JetStreamManager, jetstreamManager } from "../../src/jetstream/index.ts";
import { Objm, type ObjectStore } from "../../src/obj/index.node.ts";
import { type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { type RealServer, startCluster, startServer } from "../fixtures/real-server.ts";
import { bytes, chunksIn, got } from "../suites/obj-support.ts";
import { atLeast, Events } from "../suites/tools.ts";
import { dial, eventually, startLeaf } from "./support.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZE = 24 * MIB;
const CHUNK = 64 * KIB;
const options = { max_chunk_size: CHUNK };

const data = bytes(SIZE);

interface Setup {
  nc: NatsConnection;
  jsm: JetStreamManager;
  store: ObjectStore;
}

/** A bucket in files, over a connection of its own. */
async function setUp(t: Scope, url: string | string[], replicas = 1): Promise<Setup> {
  const nc = await dial(t, { servers: url, maxPendingBytes: 32 * MIB });
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const make = (): Promise<ObjectStore | undefined> =>
    new Objm(nc).create("b", { replicas }).catch(() => undefined);
  // a cluster has to find its leader first
  return { nc, jsm, store: await eventually(make, "no bucket can be made") };
}

/** The bytes, piece by piece; `at` is told of how many were given, and may hold up what follows. */
async function* pieces(at: (given: number) => Promise<void> | void): AsyncGenerator<Uint8Array> {
  for (let given = 0; given < SIZE; given += CHUNK) {
    await at(given);
    yield data.subarray(given, given + CHUNK);
  }
}

/** The object is there, is right, and has all the chunks there are. */
async function whole({ jsm, store }: Setup): Promise<void> {
  const info = await store.info("a");
  assert.ok(info);
  assert.equal(info.size, SIZE);
  assert.deepEqual(await chunksIn(jsm, "b"), { [info.nuid]: SIZE / CHUNK });
  assert.ok(Buffer.from((await store.getBlob("a")) ?? []).equals(data), "other bytes");
}

const typed = (error: unknown): NatsError => {
  assert.ok(isNatsError(error), String(error));
  return error;
};

test("kill -9 of a server with a file store, during a put: the object is whole, and so is the bucket", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const setup = await setUp(t, server.url);
  const kills = new Set([4 * MIB, 12 * MIB, 20 * MIB]);
  const source = pieces((given) => {
    if (kills.delete(given)) void server.restart();
  });
  await setup.store.put({ name: "a", options }, source);
  assert.equal(kills.size, 0);
  await whole(setup);
});

test("kill -9 of a server with a file store, during a get: every byte comes, once", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const { store } = await setUp(t, server.url);
  await store.put({ name: "a", options }, data);
  const { data: stream, error } = await got(store.get("a"));
  const kills = new Set([CHUNK, 12 * MIB, SIZE - CHUNK]);
  let read = 0;
  for await (const piece of stream) {
    assert.ok(Buffer.from(piece).equals(data.subarray(read, read + piece.length)), `other bytes at ${read}`);
    read += piece.length;
    if (kills.delete(read)) await server.restart();
  }
  assert.equal(read, SIZE);
  assert.equal(await error, null);
});

test("links that are cut again and again, with acks on their way: objects are whole, and so is the bucket", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, server);
  const setup = await setUp(t, proxy.url);
  const events = new Events(setup.nc);
  let cuts = 0;
  const cut = async (): Promise<void> => {
    // chunks that the connection keeps come before those that are sent again
    if (++cuts % 2 === 0) proxy.pause("received");
    proxy.cut();
    proxy.resume();
    await events.until("reconnect", cuts, 60_000);
  };
  await setup.store.put(
    { name: "a", options },
    pieces((given) => (given > 0 && given % (4 * MIB) === 0 ? cut() : undefined)),
  );
  assert.equal(cuts, 5);
  await whole(setup);
  let read = 0;
  for await (const piece of (await got(setup.store.get("a"))).data) {
    read += piece.length;
    if (read % (8 * MIB) === 0) await cut();
  }
  assert.equal(read, SIZE);
});

test("a half-open socket: what is under way goes on with the next link, or fails in time", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, server);
  const quiet = await setUp(t, server.url);
  const nc = await dial(t, { servers: proxy.url, pingInterval: 1000, maxPingOut: 1, timeout: 5000 });
  const store = await new Objm(nc).open("b");
  const events = new Events(nc);
  let stale = 0;
  // nothing passes any more, and nobody says so
  const freeze = async (): Promise<void> => {
    proxy.pause();
    await events.until("staleConnection", ++stale, 60_000);
    proxy.cut();
    proxy.resume();
  };
  await store.put(
    { name: "a", options },
    pieces((given) => (given === 8 * MIB ? void freeze() : undefined)),
  );
  await whole(quiet);
  let read = 0;
  for await (const piece of (await got(store.get("a"))).data) {
    read += piece.length;
    if (read === CHUNK) await freeze();
  }
  assert.equal(read, SIZE);
  assert.equal(stale, 2);

  proxy.pause();
  const began = performance.now();
  const failures = await Promise.all([
    store.put({ name: "a", options }, data, { timeout: 1500 }).catch(typed),
    store.getBlob("a", { timeout: 1500 }).catch(typed),
    store.list({ timeout: 1500 }).catch(typed),
  ]);
  assert.ok(performance.now() - began < 15_000);
  for (const failure of failures) assert.equal((failure as NatsError).code, "TIMEOUT", String(failure));
  proxy.resume();
  await whole(quiet);
});

test("a server that is frozen during a put and a get: they fail in time, and the object that was there stays", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const setup = await setUp(t, server.url);
  const { store } = setup;
  await store.put({ name: "a", options }, data);
  const reader = (await got(store.get("a", { timeout: 1000 }))).data.getReader();
  await reader.read();
  const freeze = (given: number): void => {
    if (given === 10 * MIB) server.signal("SIGSTOP");
  };
  const putting = store.put({ name: "a", options }, pieces(freeze), { timeout: 1000 }).catch(typed);
  assert.equal(((await within(putting, "the put", 60_000)) as NatsError).code, "TIMEOUT");
  const reading = (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read());
  })();
  const failure = await within(reading.catch(typed), "the get", 60_000);
  server.signal("SIGCONT");
  // all of it may have been on its way
  assert.ok(failure === undefined || failure.code === "TIMEOUT", String(failure));
  await eventually(async () => Object.keys(await chunksIn(setup.jsm, "b")).length >= 1, "the server is back");
  assert.ok(Buffer.from((await store.getBlob("a")) ?? []).equals(data));
});

test("a cluster whose stream leader is killed during a put and a get: objects are whole, and so is the bucket", async (t) => {
  trackLeaks(t);
  const cluster = await startCluster(t, 3, { jetstream: true });
  const setup = await setUp(
    t,
    cluster.map(({ url }) => url),
    3,
  );
  const { jsm, store } = setup;
  const leader = async (): Promise<RealServer | undefined> => {
    const { cluster: now } = await jsm.streams.info("OBJ_b");
    if (!now?.replicas?.every(({ current }) => current)) return undefined;
    return cluster.find(({ name }) => name === now.leader);
  };
  const killed = async (): Promise<void> => {
    const whose = await eventually(() => leader().catch(() => undefined), "the stream is not whole");
    await whose.kill();
    void whose.start();
  };
  await store.put(
    { name: "a", options },
    pieces((given) => (given === 8 * MIB ? killed() : undefined)),
  );
  await eventually(() => leader().catch(() => undefined), "the stream is not whole");
  // a group that has just found its leader may leave a call unanswered: then there is an error, at the deadline
  const answered = <T>(call: () => Promise<T>): Promise<T> =>
    eventually(async () => {
      try {
        return { value: await call() };
      } catch (error) {
        if (typed(error).code !== "TIMEOUT") throw error;
        return undefined;
      }
    }, "there is no answer").then(({ value }) => value);
  await answered(() => whole(setup));
  // servers before 2.11 may take minutes to catch up after the second
  if (!atLeast((cluster[0] as RealServer).version, "2.11")) return;
  const [first, rest] = await answered(async () => {
    const pieces = (await got(store.get("a"))).data.values();
    return [await pieces.next(), pieces] as const;
  });
  let read = first.value?.length ?? 0;
  for await (const piece of rest) {
    read += piece.length;
    if (read === 2 * MIB) await killed();
  }
  assert.equal(read, SIZE);
});

test("256 MiB go through both ways, and take no more memory than the window", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const { store } = await setUp(t, server.url);
  const size = 256 * MIB;
  let peak = 0;
  const look = (): void => void (peak = Math.max(peak, process.memoryUsage().arrayBuffers));
  const piece = bytes(MIB);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let given = 0; given < size; given += MIB) yield piece;
  };
  const before = process.memoryUsage().arrayBuffers;
  const { digest } = await store.put({ name: "large" }, source(), { onProgress: look });
  let read = 0;
  for await (const part of (await got(store.get("large", { onProgress: look }))).data) read += part.length;
  assert.equal(read, size);
  assert.ok(digest.length > 40);
  assert.ok(peak - before < 160 * MIB, `${Math.round((peak - before) / MIB)} MiB`);
});

/** All that can be done with the objects of a bucket. */
async function useAll(store: ObjectStore): Promise<void> {
  const content = bytes(5000);
  const info = await store.put({ name: "a", options: { max_chunk_size: 1000 } }, content);
  assert.equal(info.chunks, 5);
  assert.deepEqual(await store.getBlob("a"), content);
  assert.deepEqual(
    await store.getBlob("a", { range: { offset: 2500, length: 10 } }),
    content.slice(2500, 2510),
  );
  await store.link("l", info);
  assert.deepEqual(await store.getBlob("l"), content);
  await store.update("a", { name: "b", description: "d" });
  assert.deepEqual((await store.list()).map(({ name }) => name).sort(), ["b", "l"]);
  const watch = await store.watch({ includeHistory: true });
  await within(watch.synced, "it is not synced");
  watch.stop();
  await store.delete("b");
  assert.equal(await store.get("l"), null);
  assert.equal((await store.status()).streamInfo.state.messages, 2);
}

test("a bucket of a domain behind a leaf is used as one that is near (C-ADR20-22)", async (t) => {
  trackLeaks(t);
  const leaf = await startLeaf(t);
  const nc = await dial(t, { servers: leaf.url });
  const far = jetstream(nc, { domain: "hub" });
  await eventually(() => jetstreamManager(nc, { domain: "hub" }).catch(() => undefined), "no hub");
  await useAll(await new Objm(far).create("b"));
  await assert.rejects(new Objm(nc).open("b"), (error) => typed(error).code === "STREAM_NOT_FOUND");
});

test("a bucket of another account, whose API is imported at a prefix (C-ADR20-22)", async (t) => {
  trackLeaks(t);
  const config = `accounts {
    owner: { jetstream: enabled, users: [{ user: o, password: p }], exports: [
      { service: "$JS.API.>", response_type: stream }
      { service: "$JS.FC.>" }, { service: "$O.>" }, { stream: "deliver.>" }] }
    guest: { users: [{ user: g, password: p }], imports: [
      { service: { account: owner, subject: "$JS.API.>" }, to: "from.owner.>" }
      { service: { account: owner, subject: "$JS.FC.>" } }
      { service: { account: owner, subject: "$O.>" } }
      { stream: { account: owner, subject: "deliver.>" } }] } }`;
  const server = await startServer(t, { jetstream: true, config });
  const guest = await dial(t, { servers: server.url, user: "g", pass: "p" });
  const options = { apiPrefix: "from.owner", watcherPrefix: "deliver" };
  await useAll(await new Objm(jetstream(guest, options)).create("b"));
  const owner = await new Objm(await dial(t, { servers: server.url, user: "o", pass: "p" })).open("b");
  assert.equal((await owner.info("b"))?.deleted, true);
});

test("users who may not ask for streams open a bucket, put new objects and read them", async (t) => {
  trackLeaks(t);
  const config = `authorization { users: [
    { user: admin, password: p }
    { user: few, password: p, permissions: { subscribe: "_INBOX.>", publish: [
      "$O.b.>", "$JS.API.DIRECT.GET.OBJ_b.>", "$JS.API.CONSUMER.CREATE.OBJ_b.>", "$JS.API.CONSUMER.DELETE.OBJ_b.>", "$JS.FC.>"] } }
  ] }`;
  const server = await startServer(t, { jetstream: true, config });
  const admin = await new Objm(await dial(t, { servers: server.url, user: "admin", pass: "p" })).create("b");
  const objm = new Objm(await dial(t, { servers: server.url, user: "few", pass: "p" }));
  const refused = (error: unknown): boolean => typed(error).code === "PERMISSION_VIOLATION";
  await assert.rejects(objm.open("b"), refused);
  const store = await objm.open("b", false);
  assert.equal(await store.info("a"), null);
  const content = bytes(300_000);
  await store.put({ name: "a" }, content);
  assert.deepEqual(await store.getBlob("a"), content);
  assert.deepEqual(await admin.getBlob("a"), content);
  assert.deepEqual(
    (await store.list()).map(({ name }) => name),
    ["a"],
  );
  await assert.rejects(store.status(), refused);
  const other = await objm.open("other", false);
  await assert.rejects(other.put({ name: "a" }, content), refused);
});
