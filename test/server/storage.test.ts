// Storage: what a server keeps in its folder, over an orderly end and over a kill.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../src/index.node.ts";
import { NatsError } from "../../src/errors.ts";
import { jetstream, jetstreamManager } from "../../src/jetstream/index.ts";
import { NatsServer } from "../../src/server/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isonats-storage-"));
  atEnd(t, () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function served(t: TestContext, storeDir: string) {
  const server = await NatsServer.start({ jetstream: { storeDir } });
  atEnd(t, () => server.stop());
  const nc = await connect({ servers: "nats://embedded", dialer: server.dialer() });
  atEnd(t, () => nc.close());
  return { server, nc, js: jetstream(nc), jsm: await jetstreamManager(nc) };
}

test("streams, messages and consumers are there again when the server was stopped", async (t) => {
  const dir = folder(t);
  const before = await served(t, dir);
  await before.jsm.streams.add({ name: "S", subjects: ["s.>"], description: "kept", metadata: { a: "b" } });
  await before.jsm.streams.add({ name: "M", storage: "memory" });
  for (const n of [1, 2, 3, 4]) await before.js.publish(`s.${n}`, `m${n}`, { msgID: `${n}` });
  await before.jsm.streams.deleteMessage("S", 3);
  await before.jsm.consumers.add("S", { durable_name: "c", ack_policy: "explicit" });
  const first = await (await before.js.consumers.get("S", "c")).next();
  assert.equal(await first?.ackAck(), true);
  const { created, state } = await before.jsm.streams.info("S");
  await before.nc.close();
  await before.server.stop();

  const { js, jsm } = await served(t, dir);
  const info = await jsm.streams.info("S");
  assert.deepEqual(
    [info.created, info.config.description, info.config.metadata?.["a"], info.state.num_deleted],
    [created, "kept", "b", 1],
  );
  assert.deepEqual({ ...info.state, consumer_count: 0 }, { ...state, consumer_count: 0 });
  assert.equal((await js.publish("s.4", "m4", { msgID: "4" })).duplicate, true);
  const consumer = await js.consumers.get("S", "c");
  assert.equal((await consumer.info()).ack_floor.stream_seq, 1);
  assert.equal((await consumer.next())?.string(), "m2");
  await assert.rejects(jsm.streams.info("M"), { code: "STREAM_NOT_FOUND" });
});

test("what was deleted stays away", async (t) => {
  const dir = folder(t);
  const before = await served(t, dir);
  await before.jsm.streams.add({ name: "S", subjects: ["s"] });
  await before.jsm.streams.add({ name: "T", subjects: ["t"] });
  await before.jsm.consumers.add("S", { durable_name: "c" });
  await before.jsm.consumers.delete("S", "c");
  await before.jsm.streams.delete("T");
  await before.nc.close();
  await before.server.stop();
  const { jsm } = await served(t, dir);
  const names: string[] = [];
  for await (const name of jsm.streams.names()) names.push(name);
  assert.deepEqual(names, ["S"]);
  assert.equal((await jsm.streams.info("S")).state.consumer_count, 0);
});

test("what is published without a reply is written too", async (t) => {
  const dir = folder(t);
  const { nc, jsm } = await served(t, dir);
  await jsm.streams.add({ name: "S", subjects: ["s"] });
  nc.publish("s", "told to nobody");
  await nc.flush();
  const copy = folder(t);
  cpSync(dir, copy, { recursive: true });
  const again = await served(t, copy);
  assert.equal((await again.jsm.streams.getMessage("S", { seq: 1 }))?.string(), "told to nobody");
});

test("a file that is damaged is named, and the server does not start", async (t) => {
  const dir = folder(t);
  const { server, nc, jsm } = await served(t, dir);
  await jsm.streams.add({ name: "S" });
  await nc.close();
  await server.stop();
  const [path] = readdirSync(dir, { recursive: true }).filter((name) => `${name}`.endsWith("stream.json"));
  writeFileSync(join(dir, `${path}`), "{");
  await assert.rejects(served(t, dir), (error: NatsError) => {
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.match(error.message, /stream\.json/);
    return true;
  });
});

const SERVER = fileURLToPath(new URL("../../src/server/index.node.ts", import.meta.url));

// A server in a process of its own; its address.
async function inProcess(t: TestContext, storeDir: string): Promise<{ child: ChildProcess; url: string }> {
  const options = JSON.stringify({ port: 0, jetstream: { storeDir } });
  const code = `import { NatsServer } from ${JSON.stringify(SERVER)};
    const server = await NatsServer.start(${options});
    console.log(server.url);
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, url };
}

test("two servers never have one folder: the second is refused by name, and one that was killed is no server", async (t) => {
  const dir = folder(t);
  const { child, url } = await inProcess(t, dir);
  const refused = async (pid: number | undefined): Promise<void> => {
    await assert.rejects(NatsServer.start({ jetstream: { storeDir: dir } }), (error: NatsError) => {
      assert.equal(error.code, "STORE_IN_USE");
      for (const part of [dir, `${pid}`, "remove "]) assert.ok(error.message.includes(part), error.message);
      return true;
    });
  };
  await refused(child.pid);
  // and the other one goes on
  const nc = await connect({ servers: url, reconnect: false });
  atEnd(t, () => nc.close());
  await (await jetstreamManager(nc)).streams.add({ name: "S" });
  child.kill("SIGKILL");
  await once(child, "exit");
  const { server, jsm } = await served(t, dir);
  assert.equal((await jsm.streams.info("S")).config.name, "S");
  await refused(process.pid);
  await server.stop();
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.endsWith(".lock")),
    [],
  );
});

test("a server that could not start leaves its folder to others", async (t) => {
  const dir = folder(t);
  const other = await NatsServer.start({ port: 0 });
  atEnd(t, () => other.stop());
  const port = Number(new URL(other.url as string).port);
  await assert.rejects(NatsServer.start({ port, jetstream: { storeDir: dir } }), { code: "CONNECTION" });
  await served(t, dir);
});

test("all that was acknowledged is there after kill -9 in the middle of publishing, again and again", async (t) => {
  const dir = folder(t);
  const acknowledged = new Map<number, string>();
  for (const round of [1, 2, 3]) {
    const { child, url } = await inProcess(t, dir);
    const nc = await connect({ servers: url, reconnect: false });
    atEnd(t, () => nc.close());
    const jsm = await jetstreamManager(nc);
    if (round === 1) await jsm.streams.add({ name: "S", subjects: ["s.>"] });
    const js = jetstream(nc);
    let count = 0;
    const publishUntilKilled = async (): Promise<void> => {
      for (;;) {
        const data = `${round}-${++count}-${"x".repeat(count % 500)}`;
        const { seq } = await js.publish(`s.${count % 7}`, data);
        assert.equal(acknowledged.get(seq), undefined);
        acknowledged.set(seq, data);
        if (acknowledged.size === 700 * round) child.kill("SIGKILL");
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: 40 }, publishUntilKilled));
    for (const end of ends) {
      assert.ok(end.status === "rejected" && end.reason instanceof NatsError, `${JSON.stringify(end)}`);
    }
    await nc.closed();
  }

  const { js, jsm } = await served(t, dir);
  assert.ok(acknowledged.size >= 2100);
  const check = async ([seq, data]: [number, string]): Promise<void> => {
    const message = await jsm.streams.getMessage("S", { seq });
    assert.equal(message?.string(), data, `message ${seq}`);
  };
  await Promise.all([...acknowledged].map(check));
  const { state } = await jsm.streams.info("S");
  assert.equal((await js.publish("s.a", "next")).seq, state.last_seq + 1);
});
