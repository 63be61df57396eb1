// Files: runs test files, each in a process of its own, and reads what its reporter wrote.
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { run } from "./processes.mjs";
import { indent, seconds } from "./report.mjs";

/**
 * Run all of `work`, some at a time. A piece of work is a test file, the entry of the report that it counts for, and
 * its environment; `label` is how failures name it.
 */
export async function runFiles(work, { root, temporary, report, jobs, timeout }) {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < work.length; index = next++) {
      const events = join(temporary, `${index}.ndjson`);
      const options = { root, temporary, events, timeout };
      await runFile(work[index], options, report);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

async function runFile({ entry, file, label, env }, { root, temporary, events, timeout }, report) {
  const path = relative(root, file);
  const started = performance.now();
  const { ok, how, late, output } = await run(
    process.execPath,
    [
      "--import",
      "tsx",
      "--unhandled-rejections=strict",
      `--test-reporter=${new URL("./reporter.mjs", import.meta.url)}`,
      "--test-reporter-destination=stdout",
      file,
    ],
    { cwd: root, env: { ...env, ISONATS_REPORT: events, ISONATS_TEMP: temporary }, timeout },
  );
  const ms = performance.now() - started;
  entry.ms += ms;

  const { passed, failures, skips, running, done } = await readEvents(events);
  entry.passed += passed;
  for (const { name, error } of failures) report.fail(entry, `${label} > ${name}`, error);
  for (const { name, why } of skips) report.skip(entry, `${label} > ${name}`, why);

  const tests = passed + failures.length + skips.length;
  const at = running.length > 0 ? `\nrunning at that moment: ${running.join("; ")}` : "";
  const fail = (text) => report.fail(entry, label, `${output}\n${path} ${text}`);
  if (late) {
    const what =
      running.length === 0 && tests > 0
        ? "its tests are over, but something keeps the process alive"
        : "it hangs";
    fail(`was killed after ${seconds(timeout)}: ${what}${at}`);
  } else if (tests === 0 && ok) {
    fail("has no tests, or ended before one was over");
  } else if (!done) {
    fail(`${how} before its tests were over${at}`);
  } else if (!ok && failures.length === 0) {
    fail(how);
  } else if (failures.length > 0) {
    if (output.trim() !== "") console.log(`  output of ${label}:\n${indent(output)}\n`);
  } else {
    const skipped = skips.length > 0 ? `, ${skips.length} skipped` : "";
    console.log(`✔ ${label}  ${passed} passed${skipped} (${seconds(ms)})`);
  }
}

/** What reporter.mjs wrote, up to where it came. */
async function readEvents(path) {
  const events = (await readFile(path, "utf8").catch(() => ""))
    .split("\n")
    .filter((text) => text.endsWith("}"))
    .map((text) => JSON.parse(text));
  const open = new Map();
  for (const { type, nesting, name } of events) {
    if (type === "begin") open.set(`${nesting} ${name}`, name);
    else if (type === "end") open.delete(`${nesting} ${name}`);
  }
  const of = (type) => events.filter((event) => event.type === type);
  return {
    passed: of("pass").length,
    failures: of("fail"),
    skips: of("skip"),
    running: [...open.values()],
    done: of("done").length > 0,
  };
}
