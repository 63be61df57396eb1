// Files: runs test files, each in a process of its own, and reads what its reporter wrote.
import { mkdtemp, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { run } from "./processes.mjs";
import { indent, seconds } from "./report.mjs";

/**
 * Run all of `work`, `jobs` at a time. A piece of work is a test file, the entry of the report that it counts for, and
 * its environment; `label` is how failures name it. When no more than `again` of them fail, these are run once more
 * with nothing beside them: on a machine that was too busy a server or a browser may have been too late. What passed in
 * one of the two runs counts as passed, and is listed as unsteady: it is to be looked at.
 */
export async function runFiles(work, { jobs, again, report, ...options }) {
  const failed = [];
  await inTurn(work, jobs, async (piece) => {
    const outcome = await runFile(piece, options);
    if (outcome.failures.length === 0) return count(piece, outcome, report);
    failed.push([piece, outcome]);
    report.show(outcome.failures);
  });
  for (const [piece, first] of failed) {
    if (failed.length > again) {
      count(piece, first, report);
      continue;
    }
    console.log(`… ${piece.label} is run once more`);
    const second = await runFile(piece, options);
    report.show(second.failures);
    const [before, after] = [first, second].map(
      ({ failures }) => new Set(failures.map(({ where }) => where)),
    );
    // a file that broke off says nothing of its other cases
    const lasts = ({ where }) => before.has(where) || before.has(piece.label) || where === piece.label;
    const failures = second.failures.filter(lasts);
    const passed = second.passed + second.failures.length - failures.length;
    count(piece, { ...second, passed, failures }, report);
    for (const where of new Set([...before, ...after])) {
      if (!failures.some((failure) => failure.where === where)) report.unsteady(where);
    }
  }
}

async function inTurn(list, jobs, act) {
  const rest = list.values();
  const worker = async () => {
    for (const item of rest) await act(item);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

function count({ entry, label }, { passed, failures, skips, ms }, report) {
  entry.passed += passed;
  entry.ms += ms;
  for (const { where } of failures) report.fail(entry, where);
  for (const { where, why } of skips) report.skip(entry, where, why);
  if (failures.length > 0) return;
  const skipped = skips.length > 0 ? `, ${skips.length} skipped` : "";
  console.log(`✔ ${label}  ${passed} passed${skipped} (${seconds(ms)})`);
}

async function runFile({ file, label, env }, { root, temporary, timeout }) {
  const path = relative(root, file);
  const started = performance.now();
  const folder = await mkdtemp(join(temporary, "report-"));
  const events = join(folder, "events.ndjson");
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

  const { passed, failed, skipped, running, done } = await readEvents(events);
  const failures = failed.map(({ name, error }) => ({ where: `${label} > ${name}`, text: error }));
  const skips = skipped.map(({ name, why }) => ({ where: `${label} > ${name}`, why }));

  const tests = passed + failures.length + skips.length;
  const at = running.length > 0 ? `\nrunning at that moment: ${running.join("; ")}` : "";
  const fail = (text) => failures.push({ where: label, text: `${output}\n${path} ${text}` });
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
  } else if (failures.length > 0 && output.trim() !== "") {
    console.log(`  output of ${label}:\n${indent(output)}\n`);
  }
  return { passed, failures, skips, ms };
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
    failed: of("fail"),
    skipped: of("skip"),
    running: [...open.values()],
    done: of("done").length > 0,
  };
}
