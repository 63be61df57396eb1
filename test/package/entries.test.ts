// The exports map: each subpath of the packed package answers to import and to require, and all entries say the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { installed, node, packageJson, root, subpaths } from "./support.ts";

const project = await installed();
const package_ = join(project, "node_modules/isonats");

/** The names that a file of the package exports, as `name: typeof`. */
async function namesOf(file: string): Promise<string[]> {
  const module = (await import(pathToFileURL(join(package_, file)).href)) as Record<string, unknown>;
  return Object.keys(module).map((name) => `${name}: ${typeof module[name]}`);
}

/** What a program prints, as JSON, when it runs in the project. */
async function printed(kind: "module" | "commonjs", code: string): Promise<unknown> {
  const { code: status, output } = await node([`--input-type=${kind}`, "--eval", code], project);
  assert.equal(status, 0, output);
  // Node 20 says on stderr that require() of ESM is experimental
  const line = output.split("\n").find((text) => /^[[{]/.test(text));
  assert.ok(line, output);
  return JSON.parse(line) as unknown;
}

test("every file that the exports map names is in the package", () => {
  for (const target of Object.values(packageJson.exports)) {
    for (const file of typeof target === "string" ? [target] : Object.values(target)) {
      assert.ok(readFileSync(join(package_, file)).length > 0, file);
    }
  }
});

test("the command of the package runs", async () => {
  for (const [name, file] of Object.entries(packageJson.bin)) {
    const { code, output } = await node([join(package_, file), "--version"], project);
    assert.equal(code, 0, output);
    assert.equal(output, `${name} ${packageJson.version}\n`);
  }
});

test("types come first, and deno and bun before node, to which they answer too", () => {
  for (const target of Object.values(packageJson.exports)) {
    if (typeof target === "string") continue;
    const conditions = Object.keys(target);
    assert.equal(conditions[0], "types");
    assert.equal(conditions.at(-1), "default");
    const node = conditions.indexOf("node");
    if (node < 0) continue;
    for (const own of ["deno", "bun"]) assert.ok(conditions.slice(0, node).includes(own), own);
  }
});

test("all entries of a subpath export the same names", async () => {
  for (const target of Object.values(packageJson.exports)) {
    if (typeof target === "string") continue;
    const [first = "", ...others] = new Set(Object.values(target).filter((file) => file.endsWith(".js")));
    const expected = await namesOf(first);
    assert.ok(expected.length > 0, first);
    for (const other of others) assert.deepEqual(await namesOf(other), expected, `${other} and ${first}`);
  }
});

test("the declarations of the entries of a subpath name the same", () => {
  const names = (file: string): string[] => {
    const text = readFileSync(join(package_, file), "utf8");
    return [...text.matchAll(/^export (?:declare )?(.*?)[:;]/gm)].map(([, name = ""]) => name);
  };
  assert.deepEqual(names("dist/index.node.d.ts"), names("dist/index.d.ts"));
  assert.deepEqual(names("dist/index.deno.d.ts"), names("dist/index.d.ts"));
  assert.deepEqual(names("dist/index.d.ts"), ['* from "./names.js"', "const connect", "const wsconnect"]);
});

for (const kind of ["module", "commonjs"] as const) {
  const how = kind === "module" ? "import" : "require";
  test(`every subpath resolves by ${how}, to the same names`, async () => {
    const load = (name: string): string =>
      kind === "module" ? `await import(${JSON.stringify(name)})` : `require(${JSON.stringify(name)})`;
    const rows = subpaths.map((name) => `[${JSON.stringify(name)}, Object.keys(${load(name)})]`);
    const found = (await printed(
      kind,
      `console.log(JSON.stringify(Object.fromEntries([${rows.join(", ")}])))`,
    )) as Record<string, string[]>;
    for (const name of subpaths) {
      const target = packageJson.exports[name.replace("isonats", ".")] as Record<string, string>;
      const file = target["node"] ?? target["default"] ?? "";
      const expected = (await namesOf(file)).map((text) => text.slice(0, text.indexOf(":")));
      // require() adds a mark of its own
      const names = (found[name] ?? []).filter((text) => text !== "__esModule" && text !== "module.exports");
      assert.deepEqual(names.sort(), expected.sort(), name);
    }
  });

  test(`package.json resolves by ${how}, and what is not in the exports map does not`, async () => {
    const code =
      kind === "module"
        ? `const r = (name) => import(name, name.endsWith("json") ? { with: { type: "json" } } : {});`
        : "const r = async (name) => ({ default: require(name) });";
    const found = await printed(
      kind,
      `${code} r("isonats/package.json").then(async ({ default: { version } }) => console.log(JSON.stringify([version,
        await r("isonats/dist/client/session.js").then(() => "there", (error) => error.code)])))`,
    );
    assert.deepEqual(found, [packageJson.version, "ERR_PACKAGE_PATH_NOT_EXPORTED"]);
  });
}

test("a class is the same one from every subpath", async () => {
  const found = await printed(
    "module",
    `import { NatsError, nkeys } from "isonats";
     import { NatsError as other } from "isonats/errors";
     import { nkeys as otherKeys } from "isonats/auth";
     console.log(JSON.stringify([NatsError === other, nkeys.createUser === otherKeys.createUser]))`,
  );
  assert.deepEqual(found, [true, true]);
});

test("the version that it says, in words and in CONNECT, is that of package.json", async () => {
  const [version] = (await printed(
    "module",
    `import { version } from "isonats"; console.log(JSON.stringify([version]))`,
  )) as string[];
  assert.equal(version, packageJson.version);
  assert.match(
    readFileSync(join(root, "src/version.ts"), "utf8"),
    new RegExp(`"${packageJson.version.replaceAll(".", "\\.")}"`),
  );
});

test("loading it starts nothing: no timer, no socket, no global", async () => {
  const found = await printed(
    "module",
    `const before = Object.getOwnPropertyNames(globalThis);
     ${subpaths.map((name) => `await import(${JSON.stringify(name)});`).join("\n")}
     const added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name));
     console.log(JSON.stringify([added, process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|Req/.test(name))]))`,
  );
  assert.deepEqual(found, [[], []]);
});
