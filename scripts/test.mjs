// Test: everything that CI runs, and with --quick the inner loop; prints what ran, what did not and why, and the totals.
//
//   npm test                          servers, check, build, all tests, size; the suites on each server and runtime
//   npm test -- --quick               tests of the sources only; suites and real tests on the newest server, over TCP
//   npm test -- test/auth decoder     the test files whose path contains one of these
//   npm test -- --runtime=bun         the suites in one runtime, on the newest server; `sources` for Node without a build
//   npm test -- --server=2.10 --transport=ws test/suites
//
// Each test file is a process of its own, in a process group of its own: a file that hangs is named and killed with
// all its servers. Of all tests, a few files that failed run once more, alone; the list `unsteady` names what failed in
// one of the two runs.
// The last line is `N passed, N failed[, N skipped]`.
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { provideBrowsers } from "./browsers.mjs";
import { provideNodes } from "./nodes.mjs";
import { minors, provideServer, resolveMinor } from "./servers.mjs";
import { runFiles } from "./test/files.mjs";
import { needsBuild, needsRuntimes, plan, rows, transports } from "./test/plan.mjs";
import { endGroupsWithUs, run } from "./test/processes.mjs";
import { Report, seconds } from "./test/report.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// most of the time of most files is waiting
const jobs = 5;

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    server: { type: "string" },
    transport: { type: "string" },
    runtime: { type: "string" },
    // for the tests of this script
    folder: { type: "string", default: join(root, "test") },
    "file-timeout": { type: "string", default: "300000" },
    again: { type: "string" },
  },
});
const options = {
  quick: values.quick,
  server: values.server === undefined ? undefined : resolveMinor(values.server),
  transport: oneOf("transport", transports),
  runtime: oneOf("runtime", rows),
  wanted,
};
const narrowed =
  wanted.length > 0 || ["server", "transport", "runtime"].some((name) => options[name] !== undefined);
const all = !options.quick && !narrowed;
// whoever asked for less looks at what fails
const again = Number(values.again ?? (all ? 6 : 0));

function oneOf(name, known) {
  const value = values[name];
  if (value === undefined || known.includes(value)) return value;
  throw new Error(`--${name} is '${value}'; use ${known.join(", ")}`);
}

// reports, and the folders of servers: those of a test file that was killed too
const temporary = mkdtempSync(join(tmpdir(), "isonats-test-"));
process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));
endGroupsWithUs();

const report = new Report();

/** One script of package.json, counted as one check. */
async function step(script) {
  const entry = report.line(script);
  const started = performance.now();
  const { ok, how, late, output } = await run("npm", ["run", "--silent", script], {
    cwd: root,
    timeout: 600_000,
  });
  entry.ms = performance.now() - started;
  if (ok) report.pass(entry, `${script} (${seconds(entry.ms)})`);
  else report.fail(entry, `npm run ${script}`, `${output}\nit ${late ? "took more than ten minutes" : how}`);
  return ok;
}

async function provideServers() {
  const servers = new Map();
  const entry = report.line("servers");
  const started = performance.now();
  for (const minor of minors) {
    if (options.server !== undefined ? minor !== options.server : options.quick && minor !== minors[0])
      continue;
    try {
      const server = await provideServer(minor);
      servers.set(minor, server);
      report.pass(entry, `nats-server ${server.version} from ${server.source}`);
    } catch (error) {
      report.fail(entry, `nats-server ${minor}`, error.message);
    }
  }
  entry.ms = performance.now() - started;
  return servers;
}

async function provideRuntimes() {
  const entry = report.line("runtimes");
  const started = performance.now();
  for (const [what, provide] of Object.entries({
    "other versions of Node": provideNodes,
    browsers: provideBrowsers,
  })) {
    try {
      report.pass(entry, await provide());
    } catch (error) {
      report.fail(entry, what, error.message);
    }
  }
  entry.ms = performance.now() - started;
}

async function testFiles(folder) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(folder, name))
    .filter((path) => wanted.length === 0 || wanted.some((part) => relative(root, path).includes(part)))
    .sort();
}

const began = performance.now();
console.log(`node ${process.version}, ${jobs} files at a time`);
const folder = resolve(values.folder);
const files = await testFiles(folder);
const servers = await provideServers();
// packages are unpacked while the sources are checked
const provided = !options.quick && needsRuntimes(folder, files) && provideRuntimes();
if (all) await step("check");
const built = !options.quick && (all || needsBuild(folder, files)) && (await step("build"));
await provided;
const work = plan({ root, folder, files, servers, built, report, options });
await runFiles(work, { root, temporary, report, jobs, again, timeout: Number(values["file-timeout"]) });
if (all) {
  if (built) await step("size");
  else report.line("size").why = "the build failed";
}

if (!work.some(({ entry }) => entry.ran > 0)) {
  const asked = wanted.length > 0 ? `: no test file has ${wanted.join(" or ")} in its path` : "";
  report.fail(report.line("tests"), "tests", `no test ran${asked}`);
}
report.print();
console.log(`\nwall time ${seconds(performance.now() - began)}`);
const [passed, failed, skipped] = ["passed", "failed", "skipped"].map((field) => report.total(field));
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 ? 1 : 0;
