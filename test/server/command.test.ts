// Command: isonats-server as somebody runs it.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, type NatsConnection } from "../../src/index.node.ts";
import { jetstream, jetstreamManager } from "../../src/jetstream/index.ts";
import { readFlags } from "../../src/server/flags.ts";
import { version } from "../../src/version.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";

const main = fileURLToPath(new URL("../../src/server/main.node.ts", import.meta.url));

function start(t: Scope, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  atEnd(t, () => void child.kill("SIGKILL"));
  return child;
}

/** What it prints until it says that it runs. */
async function banner({ stdout }: ChildProcess): Promise<string> {
  let all = "";
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    all += chunk.toString();
    if (all.includes("Ctrl-C")) break;
  }
  return all;
}

async function ended(child: ChildProcess): Promise<{ code: number; out: string; err: string }> {
  const [out, err, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, "exit") as Promise<[number]>,
  ]);
  return { code, out, err };
}

test("it says where it listens, serves who logs in, and ends at SIGTERM", async (t) => {
  const child = start(t, ["-p", "0", "--ws=0", "--name", "dev", "--user", "ann", "--pass", "secret"]);
  const said = await banner(child);
  const url = /clients +(\S+)/.exec(said)?.[1] as string;
  const webSocketUrl = /websocket +(\S+)/.exec(said)?.[1] as string;
  assert.match(said, new RegExp(`^isonats-server ${version}, behaves as nats-server 2\\.15\\.1\n`));
  assert.match(said, /login +1 user\n/);
  for (const servers of [url, webSocketUrl]) {
    const nc = await connect({ servers, user: "ann", pass: "secret" });
    assert.equal(nc.info?.server_name, "dev");
    await nc.close();
  }
  await assert.rejects(connect({ servers: url, reconnect: false }), { code: "AUTHORIZATION" });
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("with -js it stores in memory", async (t) => {
  const said = await banner(start(t, ["-p", "0", "-js"]));
  assert.match(said, /JetStream +in memory\n/);
  const nc = await connect({ servers: /clients +(\S+)/.exec(said)?.[1] as string });
  atEnd(t, () => nc.close());
  await (await jetstreamManager(nc)).streams.add({ name: "KEPT" });
  assert.equal((await jetstream(nc).publish("KEPT", "here")).seq, 1);
});

test("with -sd it keeps what it confirmed, when it is killed too", async (t) => {
  const folder = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-command-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const started = async (): Promise<[ChildProcess, NatsConnection]> => {
    const child = start(t, ["-p", "0", "-sd", folder]);
    const said = await banner(child);
    assert.ok(said.includes(`JetStream  in ${folder}\n`), said);
    const nc = await connect({ servers: /clients +(\S+)/.exec(said)?.[1] as string });
    atEnd(t, () => nc.close());
    return [child, nc];
  };
  const [child, nc] = await started();
  await (await jetstreamManager(nc)).streams.add({ name: "KEPT" });
  await jetstream(nc).publish("KEPT", "here");
  child.kill("SIGKILL");
  await once(child, "exit");
  await nc.close();
  const [, again] = await started();
  const kept = await (await jetstreamManager(again)).streams.getMessage("KEPT", { seq: 1 });
  assert.equal(kept?.string(), "here");
});

test("it reads a configuration, and flags win over it", async (t) => {
  const folder = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-command-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const file = join(folder, "dev.conf");
  await writeFile(file, "port: 1\nserver_name: from-file\nmax_payload: 1KB\n");
  const child = start(t, ["-c", file, "-p", "0"]);
  const said = await banner(child);
  const nc = await connect({ servers: /clients +(\S+)/.exec(said)?.[1] as string });
  assert.equal(nc.info?.server_name, "from-file");
  assert.equal(nc.info?.max_payload, 1024);
  await nc.close();
});

test("what it can't do it says, with exit code 1", async (t) => {
  const { code, out, err } = await ended(start(t, ["--cluster", "x"]));
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(err, /^isonats-server: .*doesn't know '--cluster': see --help\n$/);
});

test("--help names every flag", async (t) => {
  const { code, out } = await ended(start(t, ["--help"]));
  assert.equal(code, 0);
  for (const flag of ["-p, --port PORT", "--user USER", "-c, --config FILE"])
    assert.ok(out.includes(flag), flag);
});

for (const [args, says] of [
  [["-p"], /-p needs its PORT/],
  [["-p", "http"], /-p is 'http': give a port, 0 to 65535/],
  [["--user", "a"], /--user and --pass belong together/],
  [["x"], /doesn't know 'x'/],
] as const) {
  test(`${args.join(" ")} is refused`, () => {
    assert.throws(() => readFlags(args), { code: "INVALID_ARGUMENT", message: says });
  });
}
