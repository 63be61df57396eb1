// The declarations as users meet them: every supported TypeScript compiles a program against the packed package, strictly.
import assert from "node:assert/strict";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { installed, node, root } from "./support.ts";

const compilers: Record<string, string> = {
  "5.4": "test/consumers/typescript-5.4/node_modules/typescript",
  "5.9": "test/consumers/typescript-5.9/node_modules/typescript",
  6: "docs/node_modules/typescript",
  7: "node_modules/typescript",
};

/** What a program may use: a browser's or Node's types. */
const worlds: Record<string, { lib: string[]; types: string[] }> = {
  browser: { lib: ["ES2022", "DOM", "DOM.Iterable"], types: [] },
  node: { lib: ["ES2022"], types: ["node"] },
};

const cells = [
  { module: "nodenext", moduleResolution: "nodenext", world: "node" },
  { module: "esnext", moduleResolution: "bundler", world: "browser" },
];

const project = await installed();
await copyFile(join(root, "test/consumers/program.ts"), join(project, "program.ts"));
await writeFile(join(project, "package.json"), '{ "type": "module" }');
await mkdir(join(project, "node_modules/@types"));
for (const name of ["@types/node", "undici-types"]) {
  await symlink(join(root, "node_modules", name), join(project, "node_modules", name));
}

/** Compile files of the project; its outcome. */
async function compile(
  version: string,
  { module, moduleResolution, world }: (typeof cells)[number],
  file: string,
): Promise<{ code: number; output: string }> {
  const config = join(project, `tsconfig.${version}.${moduleResolution}.${file}.json`);
  const compilerOptions = {
    ...worlds[world],
    module,
    moduleResolution,
    target: "ES2022",
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files: [file] }));
  const compiler = join(root, compilers[version] as string, "bin/tsc");
  return node([compiler, "-p", config], project);
}

for (const version of Object.keys(compilers)) {
  for (const cell of cells) {
    test(`TypeScript ${version}, ${cell.moduleResolution}, types of ${cell.world}: a program compiles`, async () => {
      const { code, output } = await compile(version, cell, "program.ts");
      assert.equal(code, 0, output);
    });
  }
}

test("the compilers are of the versions that they stand for", async () => {
  for (const [version, folder] of Object.entries(compilers)) {
    const { output } = await node([join(root, folder, "bin/tsc"), "--version"]);
    assert.ok(output.startsWith(`Version ${version}.`), `${folder}: ${output}`);
  }
});

test("a program that is wrong does not compile: the declarations are really read", async () => {
  await writeFile(
    join(project, "wrong.ts"),
    `import { connect } from "isonats";
connect({ servers: 4222 });
connect().then((nc) => nc.publish());
connect().then((nc) => nc.subscribe("s", { limits: { overflow: "sometimes" } }));
`,
  );
  const { code, output } = await compile("7", cells[0] as (typeof cells)[number], "wrong.ts");
  assert.notEqual(code, 0);
  assert.equal(output.match(/error TS/g)?.length, 3, output);
});
