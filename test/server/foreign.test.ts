// Foreign: programs that use other clients see the same on a nats-server 2.15 and on the embedded one.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { provideLibnats } from "../../scripts/libnats.mjs";
import { NatsServer } from "../../src/server/index.node.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { startServer } from "../fixtures/real-server.ts";

const exec = promisify(execFile);
const program = (name: string): string => fileURLToPath(new URL(`foreign/${name}`, import.meta.url));

/** What a program prints, run against the server at `url`. */
type Run = (url: string) => Promise<string>;

const official =
  (part: string): Run =>
  async (url) =>
    (await exec(process.execPath, [program("official.mjs"), url, part], { timeout: 30_000 })).stdout;

/** A program in C, built with Debian's client. */
async function built(t: Scope, name: string): Promise<Run> {
  const { include, lib } = await provideLibnats();
  const folder = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-foreign-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const binary = join(folder, name);
  await exec("cc", [
    program(`${name}.c`),
    "-o",
    binary,
    `-I${include}`,
    `-L${lib}`,
    `-Wl,-rpath-link,${lib}`,
    "-lnats",
  ]);
  const env = { ...process.env, LD_LIBRARY_PATH: lib };
  return async (url) => (await exec(binary, [url], { env, timeout: 30_000 })).stdout;
}

async function compare(t: Scope, run: Run): Promise<void> {
  const real = await startServer(t, { version: "2.15", jetstream: true });
  const embedded = await NatsServer.start({ port: 0, jetstream: true });
  atEnd(t, () => embedded.stop());
  const theirs = await run(real.url);
  assert.notEqual(theirs, "");
  assert.equal(await run(embedded.url as string), theirs);
}

const compiler = await exec("cc", ["--version"]).then(
  () => true,
  () => false,
);
const skip = compiler ? false : "there is no C compiler (cc) on this machine";

for (const part of ["core", "jetstream"]) {
  test(`the official JavaScript client: ${part}`, (t) => compare(t, official(part)));

  test(`Debian's C client: ${part}`, { skip }, async (t) => compare(t, await built(t, part)));
}
