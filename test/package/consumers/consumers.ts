// The declarations as users meet them: one TypeScript compiles programs against the packed package, strictly, as each
// kind of program. A test file for each TypeScript and module resolution runs it: they take their time.
import assert from "node:assert/strict";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { installed, node, root } from "../support.ts";

/** The types that a program has beside ours. */
const worlds: Record<string, { lib: string[]; types: string[] }> = {
  "the DOM": { lib: ["ES2022", "DOM", "DOM.Iterable"], types: [] },
  "@types/node": { lib: ["ES2022"], types: ["node"] },
  "the DOM and @types/node": { lib: ["ES2022", "DOM"], types: ["node"] },
  "neither the DOM nor @types/node": { lib: ["ES2022"], types: [] },
};

/** @param compiler the folder of a TypeScript, from the root; `version` is what its version begins with */
export async function consumers(
  version: string,
  compiler: string,
  moduleResolution: "nodenext" | "bundler",
): Promise<void> {
  const tsc = join(root, compiler, "bin/tsc");
  const project = await installed();
  for (const name of ["program.ts", "web.ts"]) {
    await copyFile(join(root, "test/consumers", name), join(project, name));
  }
  await writeFile(join(project, "package.json"), '{ "type": "module" }');
  await mkdir(join(project, "node_modules/@types"));
  for (const name of ["@types/node", "undici-types"]) {
    await symlink(join(root, "node_modules", name), join(project, "node_modules", name));
  }

  const compile = async (world: string, files: string[]) => {
    const config = join(project, "tsconfig.json");
    const compilerOptions = {
      ...worlds[world],
      module: moduleResolution === "bundler" ? "esnext" : moduleResolution,
      moduleResolution,
      target: "ES2022",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      // its own lib.dom.d.ts and the like are no news, and take half of the time
      skipDefaultLibCheck: true,
      noEmit: true,
    };
    await writeFile(config, JSON.stringify({ compilerOptions, files }));
    return node([tsc, "-p", config], project);
  };

  test(`the TypeScript is a ${version}`, async () => {
    const { output } = await node([tsc, "--version"]);
    assert.ok(output.startsWith(`Version ${version}.`), output);
  });

  for (const world of Object.keys(worlds)) {
    test(`TypeScript ${version}, ${moduleResolution}, types of ${world}: a program compiles`, async () => {
      const files = world.startsWith("neither") ? ["program.ts"] : ["program.ts", "web.ts"];
      const { code, output } = await compile(world, files);
      assert.equal(code, 0, output);
    });
  }

  test(`TypeScript ${version}, ${moduleResolution}: a program that is wrong does not compile: the declarations are really read`, async () => {
    await writeFile(
      join(project, "wrong.ts"),
      `import { connect } from "isonats";
connect({ servers: 4222 });
connect().then((nc) => nc.publish());
connect().then((nc) => nc.subscribe("s", { limits: { overflow: "sometimes" } }));
`,
    );
    const { code, output } = await compile("neither the DOM nor @types/node", ["wrong.ts"]);
    assert.notEqual(code, 0);
    assert.equal(output.match(/error TS/g)?.length, 3, output);
  });
}
