// P8: the library never writes to the console and never shows a payload or a secret.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { within } from "../fixtures/cleanup.ts";
import { type Report, SECRETS } from "./chaos.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Outcome {
  readonly report: Report;
  /** calls of what prints, in the child */
  readonly written: string[];
  /** warnings of the runtime */
  readonly warnings: string[];
  /** rejections that nobody took */
  readonly strays: string[];
}

/** Run the scenario in a process of its own, where everything that prints is watched. */
async function run(): Promise<Outcome & { printed: string; code: number | null }> {
  const url = (file: string) => JSON.stringify(pathToFileURL(join(root, file)).href);
  const code = `
    const written = [], warnings = [], strays = [];
    for (const name of Object.keys(console)) {
      if (typeof console[name] === "function") console[name] = (...args) => void written.push("console." + name + " " + String(args[0]));
    }
    for (const name of ["stdout", "stderr"]) {
      process[name].write = (text) => written.push(name + " " + String(text)) > 0;
    }
    process.on("warning", (warning) => warnings.push(String(warning)));
    process.on("unhandledRejection", (reason) => strays.push(String(reason?.stack ?? reason)));
    const { chaos } = await import(${url("test/promises/chaos.ts")});
    const ends = [];
    const report = await chaos({ after: (end) => void ends.push(end) });
    for (const end of ends.reverse()) await end();
    await new Promise((resolve) => process.send({ report, written, warnings, strays }, resolve));
    process.disconnect();`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printed = "";
  let outcome: Outcome | undefined;
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (printed += text));
  child.on("message", (message) => (outcome = message as Outcome));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  try {
    const exit = await within(ended, () => `the scenario did not end; it printed:\n${printed}`, 120_000);
    assert.ok(outcome, `the scenario failed with ${exit}; it printed:\n${printed}`);
    return { ...outcome, printed, code: exit };
  } finally {
    child.kill("SIGKILL");
  }
}

test("P8 through a scenario in which nearly everything fails nothing is printed, and nothing that can be printed shows a payload or a secret", async () => {
  const { report, written, warnings, strays, printed, code } = await run();
  assert.equal(code, 0);
  assert.deepEqual(written, []);
  assert.deepEqual(warnings, []);
  assert.deepEqual(strays, []);
  assert.equal(printed, "");

  // it was one
  assert.ok(report.failures > 60, `${report.failures} failures`);
  const kinds = new Set(report.shown.map(([what]) => what));
  for (const kind of [
    "event disconnect",
    "event reconnecting",
    "event reconnect",
    "event handlerError",
    "event slowConsumer",
    "event error",
    "event close",
    "message that was read",
    "connection at the end",
  ]) {
    assert.ok(kinds.has(kind), `no ${kind}`);
  }

  for (const secret of Object.values(SECRETS)) assert.ok(report.secrets.includes(secret));
  const leaks = report.shown.flatMap(([what, text]) =>
    report.secrets
      .filter((secret) => text.includes(secret))
      .map((secret) => `${what} shows ${secret}: ${text.slice(0, 400)}`),
  );
  assert.deepEqual(leaks, []);
});

test("P8 the sources call nothing that prints", () => {
  const src = join(root, "src");
  const found: string[] = [];
  for (const file of readdirSync(src, { recursive: true, encoding: "utf8" })) {
    // the program isonats-server is no library: it talks to who started it
    if (!file.endsWith(".ts") || file === join("server", "main.node.ts")) continue;
    for (const line of readFileSync(join(src, file), "utf8").split("\n")) {
      if (/^\s*(\/\/|\*|\/\*)/.test(line)) continue;
      if (/\bconsole\b|process\.(stdout|stderr|emitWarning)|\balert\(|\breportError\(/.test(line))
        found.push(`${file}: ${line.trim()}`);
    }
  }
  assert.deepEqual(found, []);
});
