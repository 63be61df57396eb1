// Every requirement and trap of test/conformance-ids.json has a test that names it, or a reason why not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { conformanceOfTree } from "../../scripts/conformance.mjs";

const { wanted, missing, idle, unknown } = conformanceOfTree();

test("each requirement and trap is in the title of a test, or waived with a reason", () => {
  assert.deepEqual(
    missing.map((key) => `${key}: ${wanted.get(key)}`),
    [],
  );
});

test("nothing is waived that a test covers, or that is not wanted", () => {
  assert.deepEqual(idle, []);
});

test("titles name no requirement that does not exist", () => {
  assert.deepEqual(unknown, []);
});
