// Bundlers: each makes of the packed package what a browser can run, without a warning, and Chromium runs it.
import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startServer } from "../fixtures/real-server.ts";
import { bundlers } from "../consumers/bundlers/bundlers.mjs";
import { type Page, visit, whyNoChromium } from "./chromium.ts";
import { filesIn, installed, packageJson, root, subpaths } from "./support.ts";

const project = await installed();
await copyFile(join(root, "test/consumers/page.js"), join(project, "page.js"));
for (const [index, name] of subpaths.entries()) {
  await writeFile(join(project, `all${index}.js`), `export * from ${JSON.stringify(name)};\n`);
}

/** What Node alone has, where code uses it: a comment, text or method may name it, and `typeof` may ask for it. */
const leftovers =
  /\bnode:[a-z]|(?<![\w.$"'`])(?:process|Buffer)(?!\s*\([\w\s,]*\)\s*\{)\s*[.([]|\brequire\(\s*["']/;

const leftoverIn = (code: string): string | undefined =>
  leftovers.exec(code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(?<![:"'`])\/\/.*$/gm, ""))?.[0];

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`${name} bundles every subpath for browsers, without a warning and without what Node alone has`, async () => {
    for (const [index, subpath] of subpaths.entries()) {
      const { code, warnings } = await bundle(project, `all${index}.js`);
      assert.deepEqual(warnings, [], subpath);
      assert.ok(code.length > 2000, `${subpath}: ${code.length} bytes`);
      assert.equal(leftoverIn(code), undefined, subpath);
    }
  });
}

test("what Node alone has would be found", () => {
  for (const code of ['import "node:net"', "process.env", " Buffer.from(a)", 'require("ws")']) {
    assert.ok(leftoverIn(code), code);
  }
  assert.equal(
    leftoverIn(
      "class A { process(view, offset) {} }; typeof require === 'x'; subprocess.env; \"process.env\"; // process.env\n/* Buffer.from */",
    ),
    undefined,
  );
});

test("every bundler's program runs in Chromium", { skip: whyNoChromium }, async (t) => {
  const server = await startServer(t, { websocket: true });
  const pages = await Promise.all(
    Object.entries(bundlers).map(async ([name, bundle]): Promise<[string, Page]> => {
      const { code, warnings } = await bundle(project, "page.js", true);
      assert.deepEqual(warnings, [], name);
      return [name, { html: '<script type="module" src="page.js"></script>', files: { "page.js": code } }];
    }),
  );
  await runs(await visit(t, Object.fromEntries(pages), server.wsUrl), Object.keys(bundlers));
});

test("dist/browser: a file for each subpath, with the same names, that imports nothing but its chunks", async () => {
  const package_ = join(project, "node_modules/isonats");
  for (const [subpath, target] of Object.entries(packageJson.exports)) {
    if (typeof target === "string") continue;
    const built = subpath === "." ? "isonats" : subpath.slice(2);
    const names = async (file: string): Promise<string[]> =>
      Object.keys((await import(join(package_, file))) as object).sort();
    const entry = target["browser"] ?? target["default"] ?? "";
    assert.deepEqual(await names(`dist/browser/${built}.js`), await names(entry), subpath);
  }
  for (const file of filesIn("dist/browser", ".js")) {
    const text = await readFile(join(package_, "dist/browser", file), "utf8");
    for (const [, from = ""] of text.matchAll(/(?:from|import)\s*"([^"]*)"/g))
      assert.match(from, /^\.\.?\/chunk-/);
    assert.equal(leftoverIn(text), undefined, file);
  }
});

test("a page without a bundler runs in Chromium, by an import map to dist/browser", {
  skip: whyNoChromium,
}, async (t) => {
  const server = await startServer(t, { websocket: true });
  const files: Record<string, string> = { "page.js": await readFile(join(project, "page.js"), "utf8") };
  for (const name of filesIn("dist/browser", ".js")) {
    files[name] = await readFile(join(project, "node_modules/isonats/dist/browser", name), "utf8");
  }
  const imports = Object.fromEntries(
    subpaths.map((name) => [name, `./${name === "isonats" ? name : name.slice("isonats/".length)}.js`]),
  );
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  const html = `${map}<script type="module" src="page.js"></script>`;
  await runs(await visit(t, { plain: { html, files } }, server.wsUrl), ["plain"]);
});

/** Each page found what test/consumers/page.js should find. */
async function runs(found: Record<string, unknown>, names: readonly string[]): Promise<void> {
  const expected = {
    answer: 42,
    failure: "NO_RESPONDERS",
    verified: true,
    creds: "function",
    node: [],
  };
  assert.deepEqual(found, Object.fromEntries(names.map((name) => [name, expected])));
}
