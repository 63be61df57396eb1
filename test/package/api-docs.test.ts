// The API documentation: typedoc makes it of the entries, and every type and link in it leads somewhere.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
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

// all warnings of one run: it takes its time
const flags = "--options ../typedoc.json --emit none --validation.notDocumented true";
const lenient = "--treatWarningsAsErrors false --treatValidationWarningsAsErrors false";
const warnings = node(
  [join(root, "docs/node_modules/typedoc/bin/typedoc"), ...`${flags} ${lenient}`.split(" ")],
  join(root, "docs"),
).then(({ code, output }) => {
  assert.equal(code, 0, output);
  return stripVTControlCharacters(output)
    .split("\n")
    .filter((line) => line.startsWith("[warning]"));
});
const isSilent = (warning: string): boolean => warning.includes("does not have any documentation");

// each test that waits for them fails by itself
warnings.catch(() => undefined);

test("typedoc finds no type that is not exported and no link that leads nowhere", async () => {
  // the last one says how many there are
  const others = (await warnings).filter(
    (warning) => !isSilent(warning) && !/Found \d+ errors/.test(warning),
  );
  assert.deepEqual(others, []);
});

test("what is public of JetStream, buckets and services says what it is", async () => {
  const ours = /defined in .*\bsrc\/(jetstream|protocol\/jetstream\/advisories|kv|obj|services)\b/;
  // the type of an event and the name of an error say themselves what they are
  const silent = (await warnings).filter(
    (warning) =>
      isSilent(warning) && ours.test(warning) && !/\.(type \(Property|name \(GetSignature)\)/.test(warning),
  );
  assert.deepEqual(silent, []);
});
