// The API documentation: typedoc makes it of the entries, and every type and link in it leads somewhere.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { node, packageJson, root } from "./support.ts";

interface Config {
  entryPoints: string[];
}

test("typedoc documents every subpath of the exports map", () => {
  const { entryPoints } = JSON.parse(readFileSync(join(root, "typedoc.json"), "utf8")) as Config;
  const sources = Object.values(packageJson.exports).flatMap((target) => {
    if (typeof target === "string") return [];
    // all entries of a subpath export the same names: one stands for them
    const file = target["node"] ?? target["default"] ?? "";
    return [file.replace("./dist/", "src/").replace(/\.js$/, ".ts")];
  });
  assert.deepEqual(entryPoints.sort(), sources.sort());
});

test("typedoc finds no type that is not exported and no link that leads nowhere", async () => {
  const { code, output } = await node(
    [join(root, "docs/node_modules/typedoc/bin/typedoc"), "--options", "../typedoc.json", "--emit", "none"],
    join(root, "docs"),
  );
  assert.equal(code, 0, output);
});
