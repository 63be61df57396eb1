// Loading: every subpath of the packed package, by import and by require(), in each runtime that is a program.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type RuntimeRow, runtimes } from "../runtimes/cells.mjs";
import { installed, run, subpaths } from "./support.ts";

const project = await installed();
await writeFile(join(project, "package.json"), "{}");
await writeFile(
  join(project, "load.mjs"),
  `const found = {};
  for (const name of ${JSON.stringify(subpaths)}) found[name] = Object.keys(await import(name)).sort();
  console.log(JSON.stringify(found));`,
);
await writeFile(
  join(project, "load.cjs"),
  `const found = {};
  // require() adds marks of its own
  const own = (name) => name !== "__esModule" && name !== "module.exports";
  for (const name of ${JSON.stringify(subpaths)}) found[name] = Object.keys(require(name)).filter(own).sort();
  console.log(JSON.stringify(found));`,
);

/** The names of each subpath, as a program of the runtime prints them. */
async function names(command: readonly string[], file: string): Promise<unknown> {
  const [program = "", ...args] = command;
  const { code, output } = await run(program, [...args, file], project);
  assert.equal(code, 0, output);
  // some say on stderr that require() of ESM is experimental
  const line = output.split("\n").find((text) => text.startsWith("{"));
  assert.ok(line, output);
  return JSON.parse(line);
}

/** Why this machine doesn't have it. */
function absence({ command }: RuntimeRow): string | undefined {
  try {
    command();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const expected = await names([process.execPath], "load.mjs");

for (const row of runtimes.filter(({ starter }) => starter === "process.test.ts")) {
  const skip = absence(row);
  test(`${row.name} loads every subpath by import`, { skip }, async () => {
    assert.deepEqual(await names(row.command(), "load.mjs"), expected);
  });
  // Deno's require() is for CommonJS packages of npm
  if (row.name === "deno") continue;
  test(`${row.name} loads every subpath by require()`, { skip }, async () => {
    assert.deepEqual(await names(row.command(), "load.cjs"), expected);
  });
}
