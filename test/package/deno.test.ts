// What Deno makes of the package: as npm has it, with its types and without permissions; and as JSR would take it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { filesIn, installed, packageJson, type Ran, root, run, subpaths } from "./support.ts";

const project = await installed();
await writeFile(join(project, "package.json"), '{ "type": "module" }');

function deno(args: readonly string[], cwd: string): Promise<Ran> {
  return run(join(root, "node_modules/deno/deno"), args, cwd);
}

test("every subpath loads without any permission, to the names that Node has", async () => {
  const code = subpaths.map((name) => `console.log(Object.keys(await import("${name}")).sort().join());`);
  await writeFile(join(project, "load.js"), code.join("\n"));
  const inDeno = await deno(["run", "--no-prompt", "--node-modules-dir=manual", "load.js"], project);
  const inNode = await run(process.execPath, ["load.js"], project);
  assert.equal(inDeno.code, 0, inDeno.output);
  assert.equal(inDeno.output, inNode.output);
});

test("Deno finds the types of every subpath", async () => {
  const uses = `import { connect, type NatsConnection } from "isonats";
    ${subpaths.map((name, i) => `import * as all${i} from "${name}";`).join("\n")}
    export const nc: NatsConnection = await connect({ tls: { caFile: "ca.pem" } });
    // @ts-expect-error -- there is no such option
    await connect({ tlz: {} });
    export const names: object[] = [${subpaths.map((_, i) => `all${i}`).join(", ")}];`;
  await writeFile(join(project, "types.ts"), uses);
  const { code, output } = await deno(["check", "--node-modules-dir=manual", "types.ts"], project);
  assert.equal(code, 0, output);
});

const jsr = JSON.parse(readFileSync(join(root, "jsr.json"), "utf8")) as {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
};

test("jsr.json says what package.json says, with the sources that Deno takes", () => {
  const expected: Record<string, string> = {};
  for (const [subpath, target] of Object.entries(packageJson.exports)) {
    if (typeof target === "string") continue;
    const file = target["deno"] ?? target["default"] ?? "";
    expected[subpath] = file.replace("./dist/", "./src/").replace(/\.js$/, ".ts");
  }
  assert.deepEqual(jsr.exports, expected);
  assert.equal(jsr.version, packageJson.version);
  assert.equal(jsr.license, "Apache-2.0");
});

test("deno publish would take it: sources that type-check, no slow types, the papers and nothing else", async () => {
  const { code, output } = await deno(["publish", "--dry-run", "--allow-dirty"], root);
  assert.equal(code, 0, output);
  const listed = [...output.matchAll(/^ *file:\/\/(\S+) \(/gm)].map(([, path = ""]) => path);
  const files = listed.map((path) => decodeURI(path).slice(root.length)).sort();
  const papers = ["CHANGELOG.md", "LICENSE", "README.md", "jsr.json"];
  assert.deepEqual(files, [...papers, ...filesIn("src", ".ts").map((name) => `src/${name}`)].sort());
});
