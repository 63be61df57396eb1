// The arrows of docs/architecture.md: a file imports from its own folder and from the layers below, and there are no loops.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix } from "node:path";
import { test } from "node:test";
import { filesIn, packageJson, root } from "./support.ts";

interface Import {
  from: string;
  /** a file of src, or the name of a module */
  to: string;
  typeOnly: boolean;
}

/** The imports and re-exports of a source text. */
function importsOf(from: string, text: string): Import[] {
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?([^;"]*?\sfrom\s+)?"([^"]+)"|(?<=\bawait import\(")[^"]+/gm,
  );
  return [...found].map(([whole, type, names, to = whole]) => ({
    from,
    to: to.startsWith(".") ? posix.join(posix.dirname(from), to) : to,
    typeOnly: type !== undefined || /^\{(?:\s*type\s[^,}]+,?)+\s*\}\s*from/.test(names ?? ""),
  }));
}

/** The table of layers: the units of each, from the lowest on. Units between `·` are siblings that must not meet. */
function layersOf(page: string): string[][][] {
  const rows = [...page.matchAll(/^\| \d+ \| (.*?) \|/gm)].map(([, cell = ""]) =>
    cell.split(" · ").map((group) => [...group.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)),
  );
  return rows.reverse();
}

const files = filesIn("src", ".ts");
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, "src", file), "utf8")));
const inside = imports.filter(({ to }) => files.includes(to));
const layers = layersOf(readFileSync(join(root, "docs/architecture.md"), "utf8"));

/** Where a file is: its layer from below, and its group within it. */
function placeOf(file: string): { layer: number; group: number } {
  const unit = file.includes("/") ? `${file.split("/")[0]}/` : file;
  for (const [layer, groups] of layers.entries()) {
    const group = groups.findIndex((units) => units.includes(unit));
    if (group >= 0) return { layer, group };
  }
  throw new Error(`docs/architecture.md has no layer for src/${file}`);
}

/** Why an import is not allowed; undefined when it is. */
function objection({ from, to, typeOnly }: Import): string | undefined {
  const [a, b] = [placeOf(from), placeOf(to)];
  const arrow = `src/${from} imports src/${to}`;
  if (b.layer > a.layer) return `${arrow}, which is above it`;
  if (b.layer === a.layer && b.group !== a.group) return `${arrow}, which is beside it`;
  const entry = a.layer === layers.length - 1;
  if (to.startsWith("client/") && !from.startsWith("client/") && !entry && !typeOnly) {
    return `${arrow}: above the connection it is imported by type only`;
  }
  return undefined;
}

/** The loops among the imports that remain at run time. */
function loops(edges: readonly Import[]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    } else if (!done.has(file)) {
      for (const { to } of edges.filter(({ from }) => from === file)) visit(to, [...path, file]);
      done.add(file);
    }
  };
  for (const { from } of edges) visit(from, []);
  return found;
}

test("the reader of imports knows types from values", () => {
  const text = `import type { A } from "../a.ts";
import { type B, type C } from "./b.ts";
import {
  type D,
  d,
} from "./c.ts";
export * as e from "isomorphic-ws";
export type { F } from "./f.ts";
import "./g.ts";
const h = await import("./h.ts");`;
  assert.deepEqual(
    importsOf("x/y.ts", text).map(({ to, typeOnly }) => `${to} ${typeOnly ? "type" : "value"}`),
    [
      "a.ts type",
      "x/b.ts type",
      "x/c.ts value",
      "isomorphic-ws value",
      "x/f.ts type",
      "x/g.ts value",
      "x/h.ts value",
    ],
  );
});

test("the check objects to arrows that point up or sideways, and to loops", () => {
  const arrow = (from: string, to: string): Import => ({ from, to, typeOnly: false });
  assert.match(objection(arrow("protocol/decoder.ts", "client/link.ts")) ?? "", /above/);
  assert.match(objection(arrow("auth/creds.ts", "transport/dial.ts")) ?? "", /beside/);
  assert.equal(objection(arrow("client/link.ts", "protocol/decoder.ts")), undefined);
  assert.deepEqual(loops([arrow("a", "b"), arrow("b", "c"), arrow("c", "b")]), ["b -> c -> b"]);
});

test("every import is of a file that exists, and every file has a layer in docs/architecture.md", () => {
  assert.ok(files.length > 40 && inside.length > 100, `${files.length} files, ${inside.length} imports`);
  assert.deepEqual(
    imports.filter(({ to }) => to.endsWith(".ts") && !files.includes(to)),
    [],
  );
  for (const file of files) placeOf(file);
});

test("every layer of docs/architecture.md exists", () => {
  const units = layers.flat(2);
  assert.ok(units.length >= 8, units.join(", "));
  assert.deepEqual(
    units.filter((unit) => !files.some((file) => file === unit || file.startsWith(unit))),
    [],
  );
});

test("arrows point down", () => {
  assert.deepEqual(
    inside.map(objection).filter((why) => why !== undefined),
    [],
  );
});

test("there are no loops at run time", () => {
  assert.deepEqual(loops(inside.filter(({ typeOnly }) => !typeOnly)), []);
});

test("lib knows no NATS: it imports lib and errors only", () => {
  const foreign = inside.filter(({ from, to }) => from.startsWith("lib/") && !/^(lib\/|errors\.ts)/.test(to));
  assert.deepEqual(foreign, []);
});

test("what differs by runtime is in *.node.ts and *.deno.ts: no other file uses node: modules, Buffer, process or Deno", () => {
  const shared = files.filter((file) => !/\.(node|deno)\.ts$/.test(file));
  const builtin = imports.filter(
    ({ from, to }) => shared.includes(from) && (to.startsWith("node:") || builtinModules.includes(to)),
  );
  assert.deepEqual(builtin, []);
  for (const file of shared) {
    const code = readFileSync(join(root, "src", file), "utf8")
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/(?<![:"`])\/\/.*$/gm, "");
    // a string may say `process`; a property may be called so
    const used = /(?<![\w."'`])(?:Buffer|process|require|Deno|__dirname|__filename)\s*[.([]/.exec(code);
    assert.equal(used?.[0], undefined, `src/${file} uses ${used?.[0]}`);
    assert.doesNotMatch(code, /(?<![\w.])console\./, `src/${file} writes to the console`);
  }
});

test("shared files do not import those of a runtime; only an entry of its runtime and its like do", () => {
  assert.deepEqual(
    inside.filter(({ from, to }) => {
      const [, runtime] = /\.(node|deno|browser)\.ts$/.exec(to) ?? [];
      const entry = from === "index.ts" && runtime === "browser";
      // Deno has the modules of Node
      const like = runtime === "node" && from.endsWith(".deno.ts");
      return runtime !== undefined && !from.endsWith(`.${runtime}.ts`) && !entry && !like;
    }),
    [],
  );
});

test("foreign modules are the dependencies, each imported in one folder", () => {
  const foreign = imports.filter(({ to }) => !to.endsWith(".ts") && !to.startsWith("node:"));
  const folders = new Map<string, Set<string>>();
  for (const { from, to } of foreign) {
    const [name = ""] = /^(@[^/]+\/)?[^/]+/.exec(to) ?? [];
    folders.set(name, (folders.get(name) ?? new Set()).add(posix.dirname(from)));
  }
  assert.deepEqual([...folders.keys()].sort(), Object.keys(packageJson.dependencies).sort());
  for (const [name, places] of folders) assert.equal(places.size, 1, `${name}: ${[...places].join(", ")}`);
});

test("modules hold no state: nothing at their top level can be assigned to", () => {
  for (const file of files) {
    const text = readFileSync(join(root, "src", file), "utf8");
    assert.doesNotMatch(text, /^(export )?(let|var) /m, `src/${file} has a variable at its top level`);
  }
});
