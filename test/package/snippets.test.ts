// The TypeScript blocks of the README and the docs compile against the packed declarations; `// no-check` in one opts out.
import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { snippetsOf } from "../examples/support.ts";
import { filesIn, installed, node, root } from "./support.ts";

const pages = ["README.md", ...filesIn("docs", ".md").map((name) => `docs/${name}`)].filter(
  (page) => !/^docs\/(api|node_modules)\//.test(page),
);

/** The file of each block: at the lines it has in its page, so that an error shows where to look. */
function filesOf(page: string): { name: string; text: string }[] {
  return snippetsOf(page)
    .filter(({ code }) => !/^\s*\/\/ no-check\b/m.test(code))
    .map(({ where, code }) => {
      const line = Number(where.split(":").at(-1));
      // a module, whatever it imports
      return { name: `${page}.${line}.mts`, text: `${"\n".repeat(line)}${code}\nexport {};\n` };
    });
}

async function check(files: readonly { name: string; text: string }[]): Promise<string> {
  const project = await installed();
  for (const { name, text } of files) {
    await mkdir(join(project, name, ".."), { recursive: true });
    await writeFile(join(project, name), text);
  }
  await mkdir(join(project, "node_modules/@types"));
  for (const name of ["@types/node", "undici-types"]) {
    await symlink(join(root, "node_modules", name), join(project, "node_modules", name));
  }
  const compilerOptions = {
    ...{ target: "ES2023", lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"] },
    ...{ module: "nodenext", types: ["node"], strict: true, noUncheckedIndexedAccess: true, noEmit: true },
  };
  await writeFile(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: files.map(({ name }) => name) }),
  );
  const { output } = await node([join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project);
  return output;
}

test("the TypeScript blocks of the README and the docs compile", async () => {
  const files = pages.flatMap(filesOf);
  for (const page of ["README.md", "docs/guide/connect.md", "docs/guide/subscribe.md"]) {
    assert.ok(
      files.some(({ name }) => name.startsWith(page)),
      `${page} has no TypeScript block`,
    );
  }
  assert.equal(await check(files), "");
});

test("a block that is wrong does not, and is found by its page and line", async () => {
  const text = '\n\n\nimport { connect } from "isonats";\nconst nc = await connect();\nnc.publish(1);\n';
  assert.match(await check([{ name: "docs/page.md.3.mts", text }]), /^docs\/page\.md\.3\.mts\(6,12\): error/);
});
