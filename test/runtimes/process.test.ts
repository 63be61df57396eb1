// Starter for runtimes that are a program: it runs a file, in a project that has isonats where npm would have put it.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { root } from "../package/support.ts";
import { bundle } from "./bundle.ts";
import { testCell } from "./cell.ts";
import { type RuntimeRow, runtimeOf } from "./cells.mjs";

await testCell(runtimeOf("process.test.ts", process.env["ISONATS_RUNTIME"]), start);

async function start(t: Scope, control: string, row: RuntimeRow): Promise<void> {
  const folder = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-runtime-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules/isonats"), "junction");
  await writeFile(join(folder, "main.js"), await bundle("test/runtimes/main.ts"));
  const [program = "", ...args] = row.command();
  await runToEnd(t, program, [...args, "main.js", control], folder);
}

function runToEnd(t: Scope, program: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, NO_COLOR: "1" };
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const gone = new Promise((over) => child.once("close", over));
    atEnd(t, () => {
      child.kill("SIGKILL");
      return gone;
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${signal ?? `code ${code}`}\n${output}`));
    });
  });
}
