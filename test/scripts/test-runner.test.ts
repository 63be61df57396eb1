// Tests of scripts/test.mjs: whatever goes wrong in a test file is a failure that names the file.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../scripts/test.mjs", import.meta.url));

async function runner(
  t: TestContext,
  files: Record<string, string>,
  ...args: string[]
): Promise<{ code: unknown; out: string; last: string }> {
  const folder = await mkdtemp(join(tmpdir(), "isonats-runner-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), `import test, { describe } from "node:test";\n${text}`);
  }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, "--quick", `--folder=${folder}`, ...args],
      { env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
      (error, out) => resolve({ code: error?.code ?? 0, out, last: out.trimEnd().split("\n").at(-1) ?? "" }),
    );
  });
}

test("the last line has the totals of all files, also of groups, skips and real tests", async (t) => {
  const { code, last, out } = await runner(t, {
    "a.test.ts":
      'describe("g", () => { test("one", () => {}); test("two", { skip: "why not" }, () => {}); });',
    "real/b.test.ts": `test("version", () => { if (process.env.ISONATS_SERVER !== "2.15") throw new Error("no"); });`,
    "suites/c.test.ts": `test("transport", () => { if (process.env.ISONATS_TRANSPORT !== "tcp") throw new Error("no"); });`,
    "not-a-test.ts": 'throw new Error("imported");',
  });
  assert.equal(last, "4 passed, 0 failed, 1 skipped", out);
  assert.equal(code, 0);
  assert.match(out, /g > two: why not/);
  assert.match(out, /\n +2\.15 tcp\nsources +1\n/);
  assert.match(out, /not run:[^]*sources on 2\.15 tls, 2\.15 ws, 2\.10 tcp, .*: not part of --quick/);
});

test("a failing, hanging, crashing, leaving, empty or littering file is a failure with its name", async (t) => {
  const { code, last, out } = await runner(
    t,
    {
      "fails.test.ts":
        'test("outer", async (t) => { await t.test("inner", () => { throw new Error("boom"); }); });',
      "hangs.test.ts": 'test("waits for ever", () => new Promise(() => setInterval(() => {}, 1000)));',
      "holds.test.ts": 'test("leaves a timer", () => { setInterval(() => {}, 1000); });',
      "crashes.test.ts": 'test("fine", () => {}); throw new Error("at load");',
      "leaves.test.ts": 'test("exits", () => { process.exit(0); }); test("never runs", () => {});',
      "leaves-late.test.ts":
        'test("a", () => {}); test("b", () => { setImmediate(() => process.exit(0)); return new Promise(() => {}); });',
      "empty.test.ts": "",
      "rejects.test.ts": 'test("forgets a promise", () => { void Promise.reject(new Error("forgotten")); });',
      "litters.test.ts":
        'test("throws later", () => { setImmediate(() => { throw new Error("later"); }); });',
    },
    "--file-timeout=10000",
  );
  assert.equal(code, 1);
  assert.match(out, /fails\.test\.ts > outer > inner\n[^]*boom/);
  assert.match(
    out,
    /hangs\.test\.ts was killed after 10\.0 s: it hangs\n *running at that moment: waits for ever/,
  );
  assert.match(out, /holds\.test\.ts was killed after 10\.0 s: its tests are over/);
  assert.match(out, /leaves\.test\.ts has no tests, or ended before one was over/);
  assert.match(
    out,
    /leaves-late\.test\.ts ended with code 0 before its tests were over\n *running at that moment: b/,
  );
  assert.match(out, /empty\.test\.ts has no tests, or/);
  for (const name of [
    "fails",
    "hangs",
    "holds",
    "crashes",
    "leaves",
    "leaves-late",
    "empty",
    "rejects",
    "litters",
  ]) {
    assert.match(
      out,
      new RegExp(`\\nfailed:\\n[^]*  .*${name}\\.test\\.ts`),
      `${name} is not a failure in\n${out}`,
    );
  }
  assert.match(last, /^\d+ passed, \d+ failed$/);
});

const unsteadyFile = `
import { existsSync, writeFileSync } from "node:fs";
const mark = new URL("mark", import.meta.url);
const again = existsSync(mark);
writeFileSync(mark, "");
test("late once", () => {
  if (!again) throw new Error("too busy");
});
test("late then", () => {
  if (again) throw new Error("too quick");
});
test("fine", () => {});`;

test("a file that failed runs once more: what passes then or did before is listed as unsteady, what fails again has failed", async (t) => {
  const files = {
    "unsteady.test.ts": unsteadyFile,
    "wrong.test.ts": 'test("is wrong", () => { throw new Error("boom"); }); test("is right", () => {});',
  };
  const { code, last, out } = await runner(t, files, "--again=2");
  assert.equal(code, 1);
  assert.equal(last, "5 passed, 1 failed", out);
  assert.match(
    out,
    /\nunsteady: .*\n  .*unsteady\.test\.ts > late once\n  .*unsteady\.test\.ts > late then\n/,
  );
  assert.match(out, /too busy/);
  assert.match(out, /too quick/);
  assert.match(out, /\nfailed:\n  .*wrong\.test\.ts > is wrong\n/);
  const alone = await runner(t, { "unsteady.test.ts": unsteadyFile }, "--again=2");
  assert.equal(alone.code, 0, alone.out);
  assert.equal(alone.last, "4 passed, 0 failed", alone.out);
});

test("a file that breaks off when it runs once more has failed", async (t) => {
  const source = `${unsteadyFile}\ntest("last", () => again && process.exit(1));`;
  const { code, last, out } = await runner(t, { "broken.test.ts": source }, "--again=1");
  assert.equal(code, 1);
  assert.match(out, /\nfailed:\n  .*broken\.test\.ts\n/);
  assert.match(last, / 1 failed$/);
});

test("when more files fail than are run again, or none is, all have failed at once", async (t) => {
  const files = { "a.test.ts": unsteadyFile, "b/b.test.ts": unsteadyFile };
  for (const args of [["--again=1"], []]) {
    const { code, last, out } = await runner(t, files, ...args);
    assert.equal(code, 1);
    assert.equal(last, "5 passed, 2 failed", out);
    assert.doesNotMatch(out, /unsteady:/);
  }
});

test("no test at all is a failure", async (t) => {
  const { code, last, out } = await runner(t, { "a.test.ts": 'test("a", () => {});' }, "no-such-file");
  assert.equal(code, 1);
  assert.match(out, /no test ran: no test file has no-such-file in its path/);
  assert.equal(last, "1 passed, 1 failed");
});
