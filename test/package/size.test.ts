// What an import costs a browser: within its budget, and without what it does not use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cases, measure, measurePage, pages } from "../../scripts/size.mjs";
import { subpaths } from "./support.ts";

for (const of of cases) {
  test(`${of.name}: at most ${of.budget} bytes, and nothing in it that it must not reach`, async () => {
    const { gzip, faults } = await measure(of);
    assert.deepEqual(faults, [], `${gzip} bytes`);
  });
}

for (const of of pages) {
  test(`${of.name}: at most ${of.budget} bytes, all of them its own`, () => {
    const { gzip, files, faults } = measurePage(of);
    assert.deepEqual(faults, [], `${gzip} bytes`);
    assert.ok(files.length > 1 && gzip > 10_000, `${files.length} files, ${gzip} bytes`);
  });
}

test("every subpath is measured", () => {
  assert.deepEqual(
    subpaths.filter((name) => !cases.some(({ code }) => code.endsWith(`from "${name}";`))),
    [],
  );
});

test("what is over budget, what is reached and what is there twice is found", async () => {
  const { faults } = await measure({
    code: 'export { connect, nkeys } from "isonats"; export { json } from "isonats/codec";',
    budget: 1000,
    never: ["node_modules/tweetnacl/", "dist/codec/"],
    once: ["node_modules/@msgpack/"],
  });
  assert.match(faults.join("\n"), /^\d+ bytes over its budget\n/);
  assert.deepEqual(faults.slice(1), [
    "has node_modules/tweetnacl/nacl-fast.js in it",
    "has dist/codec/json.js in it",
    "has 0 copies of node_modules/@msgpack/ in it",
  ]);
});

test("an import that is not used costs nothing: the package has no side effects", async () => {
  const code = subpaths.map((name) => `import ${JSON.stringify(name)};`).join("\n");
  const { minified } = await measure({ code, budget: 100, never: [], once: [] });
  assert.equal(minified, 0);
});
