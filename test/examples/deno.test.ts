// The programs in examples/deno run from source, by their import map, with the one permission that they ask for.
import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { startServer } from "../fixtures/real-server.ts";
import { run as runProgram } from "../package/support.ts";
import { root } from "./support.ts";

interface DenoJson {
  imports: Record<string, string>;
}

const server = await startServer({ after });
const folder = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-deno-"));
after(() => rm(folder, { recursive: true, force: true }));
const config: DenoJson = JSON.parse(readFileSync(join(root, "examples/deno/deno.json"), "utf8"));
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

// what the import map leads to, and the packages from where npm has put them
const base = pathToFileURL(join(root, "examples/deno/"));
for (const [name, to] of Object.entries(config.imports)) {
  if (to.startsWith(".")) config.imports[name] = new URL(to, base).href;
}
writeFileSync(join(folder, "deno.json"), JSON.stringify({ ...config, nodeModulesDir: "manual" }));
writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");

async function example(name: string, expected: string): Promise<void> {
  copyFileSync(join(root, "examples/deno", name), join(folder, name));
  const { host } = new URL(server.url);
  const args = ["run", "--check", "--no-prompt", "--allow-net", name, host];
  const { code, output } = await runProgram(join(root, "node_modules/deno/deno"), args, folder);
  assert.equal(code, 0, output);
  assert.ok(output.includes(expected), `'${expected}' is not in:\n${output}`);
  await server.waitForConnections(0);
}

test("gateway asks NATS for the visitors of a web server, with --allow-net alone", () =>
  example("gateway.ts", '/price/lamp 200 {"item":"lamp","cents":400}\n/stock/lamp 404 [NO_RESPONDERS]'));

test("every example has a test, and the import map every dependency that Deno needs", () => {
  assert.deepEqual(readdirSync(join(root, "examples/deno")).sort(), ["deno.json", "gateway.ts"]);
  // Deno's own WebSocket is used
  const { "isomorphic-ws": _, ws: __, ...needed } = dependencies;
  const expected = Object.entries(needed).map(([name, range]) => [name, `npm:${name}@${range}`]);
  const { isonats: ___, ...mapped } = config.imports;
  assert.deepEqual(mapped, Object.fromEntries(expected));
});
