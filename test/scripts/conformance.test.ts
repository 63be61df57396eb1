// Tests of scripts/conformance.mjs: what counts as a title, and what makes the list incomplete.
import assert from "node:assert/strict";
import { test } from "node:test";
import { conformance, namedIn } from "../../scripts/conformance.mjs";

test("titles of tests, rows and cases count, in all quotes", () => {
  const text = `
    test("C-ONE-1 a fact", () => {});
    await t.test('trap 4, trap 5: a fact', () => {});
    refuse(
      \`C-ONE-2: a fact about \${what}\`, []);
    const rows = [{ title: "C-ONE-3", of: 1 }];
    export const cases = {
      "C-ONE-4 a fact": async (harness) => {},
      async "C-ONE-5 a fact"(harness) {},
    };`;
  assert.deepEqual(namedIn(text), {
    ids: ["C-ONE-1", "C-ONE-2", "C-ONE-3", "C-ONE-4", "C-ONE-5"],
    traps: ["4", "5"],
  });
});

test("comments, messages of assertions and other texts do not count", () => {
  const text = `
    // C-ONE-1 is elsewhere; see trap 4
    assert.equal(a, b, "C-ONE-2");
    assert.ok("C-ONE-3");
    const text = "C-ONE-4";`;
  assert.deepEqual(namedIn(text), { ids: [], traps: [] });
});

test("a comment of its own that begins with a trap says why it can't happen", () => {
  assert.deepEqual(namedIn("  // trap 9: no timer outlives its link\n  // see trap 8: there").traps, ["9"]);
});

test("what is wanted is covered, missing or waived; idle waivers and slips are told", () => {
  const wanted = {
    requirements: { "C-ONE-1": "", "C-ONE-2": "", "C-ONE-3": "", "C-ONE-12": "" },
    traps: { 1: "", 11: "" },
    waived: { "C-ONE-3": "why", "C-ONE-1": "why", "C-TWO-1": "why" },
  };
  const { covered, missing, waived, idle, unknown } = conformance(wanted, {
    "a.test.ts": 'test("C-ONE-12 a fact"); test("C-ONE-1 another"); test("C-ONE-4, C-OTHER-1: slips")',
    "b.test.ts": 'test("trap 11: a fact, C-ONE-1")',
  });
  assert.deepEqual(
    [...covered],
    [
      ["C-ONE-1", ["a.test.ts", "b.test.ts"]],
      ["C-ONE-12", ["a.test.ts"]],
      ["trap 11", ["b.test.ts"]],
    ],
  );
  assert.deepEqual(missing, ["C-ONE-2", "trap 1"]);
  assert.deepEqual(waived, ["C-ONE-3"]);
  assert.deepEqual(idle, ["C-ONE-1", "C-TWO-1"]);
  assert.deepEqual(unknown, ["C-ONE-4"]);
});
