// JetStream where one server is not enough: clusters, domains behind a leaf, the API of another account, another version.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type ConnectionOptions,
  isNatsError,
  type NatsConnection,
  PermissionViolationError,
} from "../../src/index.node.ts";
import {
  type Advisory,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type PeerInfo,
} from "../../src/jetstream/index.ts";
import { minors } from "../../scripts/servers.mjs";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { candidatePort, releasePorts } from "../fixtures/ports.ts";
import { atLeast, type RealServer, startCluster, startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";
import { dial, eventually } from "./support.ts";

/** What `look` gives, once it is something; errors of a cluster that is not ready yet count as nothing. */
async function once<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
  let last: unknown;
  return eventually(
    () =>
      look().catch((error: unknown) => {
        if (!passing(error)) throw error;
        last = error;
        return undefined;
      }),
    () => `${what}: ${String(last)}`,
  );
}

/** What is said while leaders are elected, and while one has not heard how the others are: "no suitable peers". */
function passing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status >= 500 || error.apiErrorCode === 10005;
  return isNatsError(error) && (error.code === "TIMEOUT" || error.code === "JETSTREAM_NOT_ENABLED");
}

async function folder(t: Scope): Promise<string> {
  const path = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-store-"));
  atEnd(t, () => rm(path, { recursive: true, force: true }));
  return path;
}

const client = (t: Scope, { url }: RealServer, options: ConnectionOptions = {}): Promise<NatsConnection> =>
  dial(t, { servers: url, ...options });

const manager = (nc: NatsConnection): Promise<JetStreamManager> => jetstreamManager(nc, { checkAPI: false });

/** Resolves when somebody else leads. Who steps down may be elected again, and is told to again. */
async function another(
  leader: () => Promise<string | undefined>,
  stepDown: () => Promise<boolean>,
): Promise<void> {
  const first = await once(leader, "no leader");
  await once(async () => {
    const now = await leader();
    if (now === first) assert.equal(await stepDown(), true);
    return now === first ? undefined : now;
  }, "no other leader");
}

test("in a cluster, a stream and a consumer get another leader, and lose a replica, when told to", async (t) => {
  trackLeaks(t);
  const servers = await startCluster(t, 3, { jetstream: true });
  const nc = await client(t, servers[0] as RealServer);
  // who is no leader any more does not answer
  const { streams, consumers } = await jetstreamManager(nc, { checkAPI: false, timeout: 2000 });
  await once(() => streams.add({ name: "S", subjects: ["s"], num_replicas: 3 }), "no stream was made");
  await once(() => consumers.add("S", { durable_name: "c" }), "no consumer was made");

  await another(
    async () => (await streams.info("S")).cluster?.leader || undefined,
    () => streams.stepDown("S"),
  );
  await another(
    async () => (await consumers.info("S", "c")).cluster?.leader || undefined,
    () => consumers.stepDown("S", "c"),
  );

  await assert.rejects(
    once(() => streams.removePeer("S", "nobody"), "no answer"),
    JetStreamApiError,
  );
  // with two replicas there is a server to take the place
  await once(() => streams.add({ name: "T", subjects: ["t"], num_replicas: 2 }), "no second stream");
  const replicas = async (): Promise<readonly PeerInfo[]> =>
    (await streams.info("T")).cluster?.replicas ?? [];
  const follower = await once(
    async () => (await replicas()).find(({ current }) => current)?.name,
    "no follower",
  );
  assert.equal(
    await once(() => streams.removePeer("T", follower, { timeout: 30_000 }), "the peer stays"),
    true,
  );
  await once(async () => {
    const { length, 0: other } = await replicas();
    return length === 1 && other?.name !== follower ? true : undefined;
  }, "no other replica");
});

test("in a cluster of 2.15, a replica moves away from a server when told to; a move that is none can't be called off", async (t) => {
  trackLeaks(t);
  const [server] = await startCluster(t, 3, { jetstream: true });
  assert.ok(server);
  const nc = await client(t, server);
  const { streams } = await jetstreamManager(nc, { checkAPI: false, timeout: 2000 });
  await once(() => streams.add({ name: "S", subjects: ["s"] }), "no stream was made");
  const leader = async (): Promise<string | undefined> =>
    (await streams.info("S")).cluster?.leader || undefined;
  const first = await once(leader, "no leader");
  const cancelled = once(() => streams.cancelMove("S"), "no answer");
  const options = { timeout: 30_000 };
  if (!atLeast(server.version, "2.15.0")) {
    await assert.rejects(cancelled, { code: "UNSUPPORTED" });
    await assert.rejects(
      once(() => streams.evacuatePeer("S", first, options), "no answer"),
      { code: "UNSUPPORTED" },
    );
    return;
  }
  await assert.rejects(cancelled, { apiErrorCode: 10129 });
  assert.equal(await once(() => streams.evacuatePeer("S", first, options), "no answer"), true);
  const moved = async (): Promise<true | undefined> => {
    const now = await leader();
    return now === undefined || now === first ? undefined : true;
  };
  await once(moved, "it stays where it was");
});

test("C-ADR19-1 C-ADR19-2 C-ADR19-7 behind a leaf, the domain says whose streams are meant", async (t) => {
  trackLeaks(t);
  const [store, leafPort] = [await folder(t), candidatePort()];
  atEnd(t, () => releasePorts([leafPort]));
  const hub = await startServer(t, {
    name: "hub",
    config: `jetstream { domain: hub, store_dir: "${join(store, "hub")}" }
      leafnodes { host: "127.0.0.1", port: ${leafPort} }`,
  });
  const leaf = await startServer(t, {
    name: "leaf",
    config: `jetstream { domain: leaf, store_dir: "${join(store, "leaf")}" }
      leafnodes { remotes: [{ url: "nats://127.0.0.1:${leafPort}" }] }`,
  });
  const nc = await client(t, leaf);
  const [near, far] = [await manager(nc), await jetstreamManager(nc, { domain: "hub", checkAPI: false })];
  const info = await once(() => far.getAccountInfo(), "the hub is not heard of");
  assert.equal(info.domain, "hub");
  assert.equal((await near.getAccountInfo()).domain, "leaf");

  const advisories = far.advisories();
  const seen: Advisory[] = [];
  const reading = (async () => {
    for await (const advisory of advisories) seen.push(advisory);
  })();
  await far.streams.add({ name: "S", subjects: ["far.>"], allow_direct: true });
  await near.streams.add({ name: "N", subjects: ["near.>"] });
  assert.deepEqual(await far.streams.names().next(), ["S"]);
  assert.deepEqual(await near.streams.names().next(), ["N"]);
  assert.equal((await (await client(t, hub)).request("far.a", "x", PATIENT)).json<{ seq: number }>().seq, 1);
  assert.equal((await far.streams.getMessage("S", { seq: 1 }))?.string(), "x");
  assert.equal((await far.direct.getMessage("S", { last_by_subj: "far.a" }))?.seq, 1);
  await far.streams.update("S", { max_msgs: 5 });
  assert.equal((await far.consumers.add("S", { durable_name: "c", filter_subject: "far.*" })).name, "c");
  const stream = await jetstream(nc, { domain: "hub" }).streams.get("S");
  assert.equal((await stream.info()).config.max_msgs, 5);
  await once(async () => seen.find((one) => one.kind === "consumer_action"), "no advisory of the hub");
  await advisories.close();
  await within(reading, "the loop goes on");
  assert.deepEqual([...new Set(seen.map((one) => one.data.domain))], ["hub"]);
});

test("C-ADR19-6 the API of another account is used at the prefix where it is imported", async (t) => {
  trackLeaks(t);
  const config = `accounts {
    owner: { jetstream: enabled, users: [{ user: o, password: p }], exports: [
      { service: "$JS.API.>", response_type: stream }, { service: "s.>" }, { stream: "$JS.EVENT.ADVISORY.>" }] }
    guest: { users: [{ user: g, password: p }], imports: [
      { service: { account: owner, subject: "$JS.API.>" }, to: "from.owner.>" }
      { service: { account: owner, subject: "s.>" } }
      { stream: { account: owner, subject: "$JS.EVENT.ADVISORY.>" }, prefix: "owner" }] } }`;
  const server = await startServer(t, { jetstream: true, config });
  const guest = await client(t, server, { user: "g", pass: "p" });
  const jsm = await jetstreamManager(guest, { apiPrefix: "from.owner" });
  const advisories = jsm.advisories({ subject: "owner.$JS.EVENT.ADVISORY.STREAM.>" });
  await guest.flush();
  await jsm.streams.add({ name: "S", subjects: ["s.>"], allow_direct: true });
  for await (const { kind, subject } of advisories) {
    assert.deepEqual([kind, subject], ["stream_action", "owner.$JS.EVENT.ADVISORY.STREAM.CREATED.S"]);
    break;
  }
  await guest.request("s.a", "x", PATIENT);
  assert.equal((await jsm.streams.getMessage("S", { seq: 1 }))?.string(), "x");
  assert.equal((await jsm.direct.getMessage("S", { last_by_subj: "s.a" }))?.string(), "x");
  assert.equal((await jsm.streams.update("S", { max_msgs: 9 })).config.max_msgs, 9);
  // and it is the owner's
  const owner = await manager(await client(t, server, { user: "o", pass: "p" }));
  assert.deepEqual(await owner.streams.names().next(), ["S"]);
  await assert.rejects(
    jetstreamManager(guest),
    (error) => isNatsError(error) && error.code === "JETSTREAM_NOT_ENABLED",
  );
});

test("C-SNAP-2 C-SNAP-3 a snapshot of this server restores in a new one, and in the newest version", async (t) => {
  trackLeaks(t);
  const from = await startServer(t, { jetstream: true });
  const jsm = await manager(await client(t, from));
  await jsm.streams.add({ name: "S", subjects: ["s.>"], max_msgs: 100 });
  await jsm.consumers.add("S", { durable_name: "c", filter_subject: "s.a" });
  const nc = await client(t, from);
  for (let i = 0; i < 50; i++) await nc.request("s.a", `message ${i}`, PATIENT);
  for (const version of new Set([undefined, minors[0]])) {
    const to = await startServer(t, { jetstream: true, ...(version && { version }) });
    const other = await manager(await client(t, to));
    const snapshot = await jsm.streams.snapshot("S", { chunk_size: 1024 });
    // out of one and into the other, without a stop between
    const { state, config } = await other.streams.restore(snapshot, snapshot.readable);
    assert.deepEqual([state.messages, config.max_msgs], [50, 100]);
    assert.equal((await other.streams.getMessage("S", { seq: 50 }))?.string(), "message 49");
    assert.equal((await other.consumers.info("S", "c")).num_pending, 50);
  }
});

test("C-ADR1-7 lists of more than a page are read to their end", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const jsm = await jetstreamManager(await client(t, server), { ...PATIENT, checkAPI: false });
  await jsm.streams.add({ name: "S", subjects: ["s"], storage: "memory" });
  const names = Array.from({ length: 300 }, (_, i) => `c${1000 + i}`);
  await Promise.all(names.map((name) => jsm.consumers.add("S", { name, inactive_threshold: 3600e9 })));
  const list = jsm.consumers.list("S");
  const pages = [await list.next(), await list.next(), await list.next()];
  assert.deepEqual(
    pages.map((page) => page.length),
    [256, 44, 0],
  );
  assert.deepEqual(new Set(pages.flat().map(({ name }) => name)), new Set(names));
});

test("a user that may not see the account info uses what its server has (C-VER-1)", async (t) => {
  trackLeaks(t);
  const config = `authorization { users: [{ user: u, password: p, permissions: {
    publish: { allow: ["$JS.API.STREAM.>", "_INBOX.>"] } } }] }`;
  const server = await startServer(t, { jetstream: true, config });
  const nc = await client(t, server, { user: "u", pass: "p" });
  const jsm = await manager(nc);
  const added = jsm.streams.add({ name: "S", subjects: ["s"], allow_msg_ttl: true });
  if (atLeast(server.version, "2.12")) assert.equal((await added).config.allow_msg_ttl, true);
  else await assert.rejects(added, (error) => isNatsError(error) && error.code === "UNSUPPORTED");
});

test("a user may be allowed consumers of some subjects only: the filter is part of the subject of the call (C-CONS-1)", async (t) => {
  trackLeaks(t);
  const config = `authorization { users: [{ user: all, password: p }, { user: some, password: p, permissions: {
    publish: { allow: ["$JS.API.CONSUMER.CREATE.S.*.s.mine.>", "_INBOX.>"] } } }] }`;
  const server = await startServer(t, { jetstream: true, config });
  const all = await manager(await client(t, server, { user: "all", pass: "p" }));
  await all.streams.add({ name: "S", subjects: ["s.>"], storage: "memory" });
  const some = await manager(await client(t, server, { user: "some", pass: "p" }));
  for (const filter_subject of ["s.mine.a", "s.mine.*", "s.mine.>"]) {
    assert.equal(
      (await some.consumers.addOrUpdate("S", { filter_subject })).config.filter_subject,
      filter_subject,
    );
  }
  for (const filter_subject of ["s.other", "s.>", undefined]) {
    await assert.rejects(
      some.consumers.addOrUpdate("S", filter_subject === undefined ? {} : { filter_subject }),
      (error) => isNatsError(error) && error.code === "PERMISSION_VIOLATION",
    );
  }
});

test("a direct get of several messages that is not allowed ends with what the server says, not with its timeout", async (t) => {
  trackLeaks(t);
  const config = `authorization { users: [{ user: all, password: p }, { user: some, password: p, permissions: {
    publish: { deny: ["$JS.API.DIRECT.GET.S"] } } }] }`;
  const server = await startServer(t, { jetstream: true, config });
  const all = await manager(await client(t, server, { user: "all", pass: "p" }));
  await all.streams.add({ name: "S", subjects: ["s.>"], storage: "memory", allow_direct: true });
  const { direct } = await manager(await client(t, server, { user: "some", pass: "p" }));
  const ways = [
    () => direct.getBatch("S", {}, { timeout: 60_000 }),
    () => direct.getLastMessagesFor("S", { multi_last: ["s.>"] }, { timeout: 60_000 }),
  ];
  for (const begin of ways) {
    if (!atLeast(server.version, "2.11")) {
      await assert.rejects(begin(), (error) => isNatsError(error) && error.code === "UNSUPPORTED");
      continue;
    }
    const messages = await begin();
    await assert.rejects(
      within(messages[Symbol.asyncIterator]().next(), "it waits"),
      (error) => error instanceof PermissionViolationError && error.subject === "$JS.API.DIRECT.GET.S",
    );
  }
});
