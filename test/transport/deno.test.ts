// The transports of Deno, in Deno: the tests that they share with Node's, and some of their own. Each is a test here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type net from "node:net";
import { listen, serverTls } from "./support.ts";

const deno = fileURLToPath(new URL("../../node_modules/deno/deno", import.meta.url));
const undos: (() => unknown)[] = [];

/** A TLS server that reads nothing, until there is a second connection. Deno's own servers read all the time. */
async function stalledPeer(): Promise<number> {
  const paused: net.Socket[] = [];
  const { port, server } = await listen(
    (undo) => undos.push(undo),
    (socket) => paused.push(socket.pause()),
    { secure: serverTls },
  );
  server.on("connection", () => {
    for (const socket of paused) socket.resume();
  });
  return port;
}

interface Result {
  name: string;
  error?: string;
  skip?: string;
}

/** What `deno test` says of a file, test by test. */
async function resultsOf(file: string, env: Record<string, string>): Promise<Result[]> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(deno, ["test", "--allow-all", "--no-check", "--reporter=tap", path], {
    env: { ...process.env, ...env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, complaints] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (more: string) => (output += more));
  child.stderr.setEncoding("utf8").on("data", (more: string) => (complaints += more));
  await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const results: Result[] = [];
  for (const line of output.split("\n")) {
    const [, not, name, skip] = /^(not )?ok \d+ - (.*?)(?: # SKIP(.*))?$/.exec(line) ?? [];
    if (name !== undefined) {
      results.push({ name, ...(not && { error: "" }), ...(skip !== undefined && { skip: skip.trim() }) });
    }
    const last = results.at(-1);
    if (last?.error !== undefined && line.startsWith("  {")) last.error += JSON.parse(line).message;
  }
  const plan = Number(/^1\.\.(\d+)$/m.exec(output)?.[1]);
  const whole = { name: "all of its tests ran" };
  results.push(plan === results.length ? whole : { ...whole, error: `${output}\n${complaints}` });
  return results;
}

const env = { ISONATS_STALLED_TLS: String(await stalledPeer()) };
for (const file of ["tcp.test.ts", "tcp.deno.ts", "websocket.test.ts", "websocket.deno.ts"]) {
  for (const { name, error, skip } of await resultsOf(file, env)) {
    test(`deno, ${file}: ${name}`, { skip: skip === "" ? "not for Deno, as the test says" : skip }, () => {
      assert.equal(error, undefined, error);
    });
  }
}
for (const undo of undos) await undo();
