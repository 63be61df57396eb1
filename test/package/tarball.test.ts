// The tarball: what is in it, what publint and attw say of it, and the lock file beside it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { filesIn, node, pack, root, subpaths, temporaryFolder } from "./support.ts";

const { tarball, files } = await pack(temporaryFolder());

test("the package holds the build, its sources and the papers, and nothing else", () => {
  const sources = filesIn("src", ".ts");
  const built = sources.map((name) => `dist/${name.replace(/\.ts$/, "")}`);
  const expected = [
    ...["CHANGELOG.md", "LICENSE", "README.md", "package.json"],
    ...sources.map((name) => `src/${name}`),
    "dist/globals.d.ts",
    "dist/browser/LICENSES.txt",
    ...files.filter((name) => /^dist\/browser\/[\w/-]+\.js$/.test(name)),
    ...built.flatMap((name) => [".js", ".js.map", ".d.ts", ".d.ts.map"].map((ending) => name + ending)),
  ];
  assert.deepEqual(
    {
      missing: expected.filter((name) => !files.includes(name)),
      extra: files.filter((name) => !expected.includes(name)),
    },
    { missing: [], extra: [] },
    "is the build that of these sources? npm run build",
  );
});

test("every map leads to a source that is in the package", () => {
  for (const file of files.filter((name) => name.endsWith(".map"))) {
    const { sources } = JSON.parse(readFileSync(join(root, file), "utf8")) as { sources: string[] };
    for (const source of sources) {
      const target = new URL(source, new URL(file, "file:///")).pathname.slice(1);
      assert.ok(files.includes(target), `${file} leads to ${target}`);
    }
  }
});

test("publint finds nothing", async () => {
  const { code, output } = await node([join(root, "node_modules/publint/src/cli.js"), "--strict", tarball]);
  assert.equal(code, 0, output);
});

test("attw finds nothing but what is accepted: node10 knows no exports map, and CommonJS needs Node 20.19", async () => {
  // into a file: it ends before all of it is through a pipe
  const report = join(temporaryFolder(), "attw.json");
  const file = openSync(report, "w");
  const cli = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const child = spawn(process.execPath, [cli, "--format=json", tarball], {
    stdio: ["ignore", file, "ignore"],
  });
  await once(child, "close");
  closeSync(file);
  const { analysis } = JSON.parse(readFileSync(report, "utf8")) as {
    analysis: {
      entrypoints: Record<string, unknown>;
      problems: { kind: string; resolutionKind?: string; entrypoint?: string }[];
    };
  };
  const entrypoints = ["./package.json", ...subpaths.map((name) => name.replace("isonats", "."))];
  assert.deepEqual(Object.keys(analysis.entrypoints).sort(), entrypoints.sort());
  const accepted = new Set(["NoResolution node10", "CJSResolvesToESM node16-cjs"]);
  assert.deepEqual(
    analysis.problems.filter(({ kind, resolutionKind }) => !accepted.has(`${kind} ${resolutionKind}`)),
    [],
  );
});

test("no declaration mentions what is internal, or a dependency's types, or adds globals", () => {
  for (const file of files.filter((name) => /^dist\/.*\.d\.ts$/.test(name) && name !== "dist/globals.d.ts")) {
    const text = readFileSync(join(root, file), "utf8");
    assert.doesNotMatch(text, /@internal/, file);
    assert.doesNotMatch(text, /from "(?!\.)|import\("(?!\.)|reference types|declare global/, file);
  }
});

test("the globals that it declares are empty, so that they merge into nothing where the types of a runtime are", () => {
  const text = readFileSync(join(root, "dist/globals.d.ts"), "utf8");
  assert.match(text, /declare global \{\n(?: {2}interface \w+(?:<\w = any>)? \{\}\n)+\}\n$/);
  for (const file of files.filter((name) => /^dist\/.*\.d\.ts$/.test(name) && name !== "dist/globals.d.ts")) {
    const code = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    const needs = /\b(?:AbortSignal|ReadableStream|WritableStream)\b/.test(code);
    if (needs) assert.match(code, /^import type \{\} from "\.[./]*\/globals\.d\.ts";$/m, file);
  }
});

test("the lock file names no registry, so that any can be used", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { resolved?: string; version?: string }>;
  };
  const resolved = Object.values(lock.packages).map((of) => of.resolved ?? "");
  assert.deepEqual(
    resolved.filter((text) => text.includes(":")),
    [],
  );
  assert.equal(
    lock.packages[""]?.version,
    (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version,
  );
});
