// Test: everything that CI runs, and with --quick the inner loop; prints what ran, what did not and why, and the totals.
//
//   npm test                          servers, check, build, all tests, size; suites and real tests on each server
//   npm test -- --quick               tests only; suites and real tests on the newest server, over TCP
//   npm test -- test/auth decoder     the test files whose path contains one of these
//   npm test -- --server=2.10 --transport=ws test/suites
//
// Each test file is a process of its own, in a process group of its own: a file that hangs is named and killed with
// all its servers. The last line is `N passed, N failed[, N skipped]`.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runtimes } from "../test/runtimes/cells.mjs";
import { minors, provideServer, resolveMinor } from "./servers.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const transports = ["tcp", "tls", "ws"];

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    server: { type: "string" },
    transport: { type: "string" },
    // for the tests of this script
    folder: { type: "string", default: join(root, "test") },
    "file-timeout": { type: "string", default: "180000" },
  },
});

const jobs = 2;
const fileTimeout = Number(options["file-timeout"]);
const folder = resolve(options.folder);
const narrowed = wanted.length > 0 || options.server !== undefined || options.transport !== undefined;
const only = options.server === undefined ? undefined : resolveMinor(options.server);
if (options.transport !== undefined && !transports.includes(options.transport)) {
  throw new Error(`--transport is '${options.transport}'; use ${transports.join(", ")}`);
}

// reports, and the folders of servers: those of a test file that was killed too
const temporary = mkdtempSync(join(tmpdir(), "isonats-test-"));
process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));

/** One row of the table: `{ name, passed, failed, skipped, ms }`, or `{ name, why }` for what did not run. */
const rows = [];
const failures = [];
const skips = new Map();

function row(name) {
  const fresh = { name, passed: 0, failed: 0, skipped: 0, ms: 0 };
  rows.push(fresh);
  return fresh;
}

function fail(of, where, text) {
  of.failed++;
  failures.push(where);
  console.log(`✖ ${where}\n${indent(text)}\n`);
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, "    ");
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

// ---- processes ---------------------------------------------------------------------------------------------------

const groups = new Set();

function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nobody is left
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    for (const pid of groups) endGroup(pid);
    process.exit(1);
  });
}

/** Run to the end, or for `timeout` ms; then whatever is left of its process group is killed. */
function run(command, args, env, timeout) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env, NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let late = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        if (output.length < 1_000_000) output += text;
      });
    }
    const timer = setTimeout(() => {
      late = true;
      endGroup(child.pid);
    }, timeout);
    if (child.pid !== undefined) groups.add(child.pid);
    child.once("error", (error) => {
      output += error;
    });
    // a grandchild may hold the pipes open
    child.once("exit", () => {
      if (child.pid !== undefined) endGroup(child.pid);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      groups.delete(child.pid);
      done({
        ok: code === 0,
        how: signal ? `was ended by ${signal}` : `ended with code ${code}`,
        late,
        output,
      });
    });
  });
}

/** One script of package.json, counted as one check. */
async function step(script) {
  const of = row(script);
  const started = performance.now();
  const { ok, how, late, output } = await run("npm", ["run", "--silent", script], {}, 600_000);
  of.ms = performance.now() - started;
  if (ok) {
    of.passed++;
    console.log(`✔ ${script} (${seconds(of.ms)})`);
  } else {
    fail(of, `npm run ${script}`, `${output}\nit ${late ? "took more than ten minutes" : how}`);
  }
  return ok;
}

// ---- test files --------------------------------------------------------------------------------------------------

async function testFiles() {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(folder, name))
    .filter((path) => wanted.length === 0 || wanted.some((part) => relative(root, path).includes(part)))
    .sort();
}

/** `unit`, `package`, `suites`, `real`, or the name of the file for a starter of runtimes. */
function kindOf(file) {
  const [first, second] = relative(folder, file).split(sep);
  if (first === "runtimes" && runtimes.some(({ starter }) => starter === second)) return second;
  return ["package", "suites", "real"].includes(first) ? first : "unit";
}

async function runFile({ of, file, env }, index) {
  const report = join(temporary, `${index}.ndjson`);
  const path = relative(root, file);
  const label = of.name === "unit" || of.name === "package" ? path : `${path} [${of.name}]`;
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
    { ...env, ISONATS_REPORT: report, ISONATS_TEMP: temporary },
    fileTimeout,
  );
  const ms = performance.now() - started;
  of.ms += ms;

  const events = (await readFile(report, "utf8").catch(() => ""))
    .split("\n")
    .filter((text) => text.endsWith("}"))
    .map((text) => JSON.parse(text));
  const counts = { pass: 0, fail: 0, skip: 0 };
  const open = new Map();
  let done = false;
  for (const event of events) {
    if (event.type === "begin") open.set(`${event.nesting} ${event.name}`, event.name);
    else if (event.type === "end") open.delete(`${event.nesting} ${event.name}`);
    else if (event.type === "done") done = true;
    else counts[event.type]++;
    if (event.type === "fail") fail(of, `${label} > ${event.name}`, event.error);
    if (event.type === "skip") skips.set(`${label} > ${event.name}`, event.why);
  }
  of.passed += counts.pass;
  of.skipped += counts.skip;

  const running = open.size > 0 ? `\nrunning at that moment: ${[...open.values()].join("; ")}` : "";
  const tests = counts.pass + counts.fail + counts.skip;
  if (late) {
    const what =
      open.size === 0 && tests > 0 ? "its tests are over, but something keeps the process alive" : "it hangs";
    fail(of, label, `${output}\n${path} was killed after ${seconds(fileTimeout)}: ${what}${running}`);
  } else if (tests === 0 && ok) {
    fail(of, label, `${output}\n${path} has no tests, or ended before one was over`);
  } else if (!done) {
    fail(of, label, `${output}\n${path} ${how} before its tests were over${running}`);
  } else if (!ok && counts.fail === 0) {
    fail(of, label, `${output}\n${path} ${how}`);
  } else if (counts.fail > 0) {
    if (output.trim() !== "") console.log(`  output of ${label}:\n${indent(output)}\n`);
  } else {
    const skipped = counts.skip > 0 ? `, ${counts.skip} skipped` : "";
    console.log(`✔ ${label}  ${counts.pass} passed${skipped} (${seconds(ms)})`);
  }
}

async function runAll(work) {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < work.length; index = next++) await runFile(work[index], index);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

// ---- the plan ----------------------------------------------------------------------------------------------------

/** What `npm test` is about: each cell names its test files, or why it does not run. */
function plan(files, servers, built) {
  const work = [];
  const cell = (name, kind, env, reason) => {
    const mine = files.filter((file) => kindOf(file) === kind);
    const why =
      reason ??
      (mine.length === 0 && (wanted.length > 0 ? "no file matches" : `there are no files in test/${kind}`));
    if (why) {
      rows.push({ name, why });
      return;
    }
    const of = row(name);
    for (const file of mine) work.push({ of, file, env });
  };
  const newest = only ?? minors[0];
  const quick = options.quick ? "not part of --quick" : undefined;
  const missing = (minor) => (servers.get(minor) ? undefined : `there is no nats-server ${minor}`);

  cell(
    "unit",
    "unit",
    { ISONATS_SERVER: newest, ISONATS_TRANSPORT: options.transport ?? "tcp" },
    missing(newest),
  );
  cell("package", "package", {}, quick ?? (built ? undefined : "the build failed"));
  for (const minor of minors) {
    const other = only !== undefined && minor !== only ? `--server=${only}` : undefined;
    const older = minor === newest ? undefined : quick;
    for (const transport of transports) {
      const unwanted =
        options.transport !== undefined && transport !== options.transport
          ? `--transport=${options.transport}`
          : undefined;
      const extra = options.transport === undefined && transport !== "tcp" ? quick : undefined;
      const env = { ISONATS_SERVER: minor, ISONATS_TRANSPORT: transport };
      cell(
        `suites ${minor} ${transport}`,
        "suites",
        env,
        other ?? unwanted ?? older ?? extra ?? missing(minor),
      );
    }
    cell(`real ${minor}`, "real", { ISONATS_SERVER: minor }, other ?? older ?? missing(minor));
  }
  for (const runtime of runtimes) {
    for (const transport of transports) {
      const unwanted =
        options.transport !== undefined && transport !== options.transport
          ? `--transport=${options.transport}`
          : undefined;
      const offered = runtime.transports[transport];
      cell(
        `${runtime.name} ${transport}`,
        runtime.starter,
        { ISONATS_RUNTIME: runtime.name, ISONATS_SERVER: newest, ISONATS_TRANSPORT: transport },
        (offered === true ? undefined : offered) ??
          unwanted ??
          quick ??
          missing(newest) ??
          absence(runtime) ??
          (built ? undefined : "the build failed"),
      );
    }
  }
  return work;
}

/** Why this machine can't run it. */
function absence({ command }) {
  try {
    command();
    return undefined;
  } catch (error) {
    return error.message;
  }
}

async function provideAll() {
  const servers = new Map();
  const of = row("servers");
  const started = performance.now();
  for (const minor of minors) {
    if (only !== undefined ? minor !== only : options.quick && minor !== minors[0]) continue;
    try {
      const server = await provideServer(minor);
      servers.set(minor, server);
      of.passed++;
      console.log(`✔ nats-server ${server.version} from ${server.source}`);
    } catch (error) {
      fail(of, `nats-server ${minor}`, error.message);
    }
  }
  of.ms = performance.now() - started;
  return servers;
}

function printTable() {
  const width = Math.max(...rows.map(({ name }) => name.length));
  console.log(`\n${"".padEnd(width)}   passed   failed  skipped  process time`);
  for (const { name, why, passed, failed, skipped, ms } of rows) {
    const cells = why
      ? `  not run: ${why}`
      : [passed, failed, skipped].map((n) => String(n).padStart(9)).join("") + seconds(ms).padStart(14);
    console.log(`${name.padEnd(width)}${cells}`);
  }
}

const began = performance.now();
console.log(`node ${process.version}, ${jobs} files at a time`);
const servers = await provideAll();
const files = await testFiles();
const all = !options.quick && !narrowed;
if (all) await step("check");
// these tests are about what the build made
const needBuild = ["package", ...runtimes.map(({ starter }) => starter)];
const build = all || (!options.quick && files.some((file) => needBuild.includes(kindOf(file))));
const built = build && (await step("build"));
await runAll(plan(files, servers, built));
if (all && built) await step("size");
else if (all) rows.push({ name: "size", why: "the build failed" });

if (skips.size > 0) {
  console.log("\nskipped:");
  for (const [name, why] of skips) console.log(`  ${name}${why && why !== "true" ? `: ${why}` : ""}`);
}
if (failures.length > 0) console.log(`\nfailed:\n${failures.map((name) => `  ${name}`).join("\n")}`);
printTable();
console.log(`\nwall time ${seconds(performance.now() - began)}`);

const isTest = ({ name }) => !["servers", "check", "build", "size"].includes(name);
if (!rows.some((of) => isTest(of) && (of.passed > 0 || of.failed > 0))) {
  fail(
    row("tests"),
    "tests",
    wanted.length > 0 ? `no test ran: no test file has ${wanted.join(" or ")} in its path` : "no test ran",
  );
}
const sum = (field) => rows.reduce((total, { [field]: count = 0 }) => total + count, 0);
const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 ? 1 : 0;
