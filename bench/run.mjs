// Run: measures isonats, the official client and a bare socket in turn against one nats-server, and prints what each costs.
//
//   npm run bench                            all cases, three rounds, about five minutes
//   npm run bench -- --case=publish-16,connect   some of them (a case whose name begins so)
//   npm run bench -- --client=isonats,bare   without the official client
//   npm run bench -- --dist=<folder>         a build of isonats that is not in dist/
//   npm run bench -- --base=<folder>         another build of isonats beside this one: what did my change do?
//   npm run bench -- --rounds=5 --json       more rounds; results as JSON on stdout
//   npm run bench -- --name=baseline         keep the results in bench/results/; else they go to .reports/bench.json
//   npm run bench -- --profile --client=isonats  CPU profiles into .reports/
//
// README.md says how to read the table.
import { fork, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import net from "node:net";
import { cpus, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { provideServer } from "../scripts/servers.mjs";
import { cases } from "./cases.mjs";
import { median } from "./measure.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
// a run that takes longer hangs
const LIMIT = 120_000;

const { values: options } = parseArgs({
  options: {
    case: { type: "string", default: "" },
    client: { type: "string", default: "" },
    dist: { type: "string", default: join(root, "dist") },
    base: { type: "string" },
    rounds: { type: "string", default: "3" },
    name: { type: "string" },
    json: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});

const module = (path) => pathToFileURL(resolve(path)).href;
const modules = {
  isonats: module(join(options.dist, "index.node.js")),
  ...(options.base === undefined ? {} : { base: module(join(options.base, "index.node.js")) }),
  official: "@nats-io/transport-node",
};
const known = ["bare", ...Object.keys(modules)];
const wanted = options.client === "" ? known : options.client.split(",");
for (const client of wanted) {
  if (!known.includes(client)) throw new Error(`--client is '${client}': use ${known.join(", ")}`);
}
const clients = known.filter((client) => wanted.includes(client));
const starts = options.case.split(",");
const chosen = cases.filter(({ name, named }) =>
  starts.some((start) => name.startsWith(start) && (start !== "" || !named)),
);
if (chosen.length === 0) throw new Error(`--case: use ${cases.map(({ name }) => name).join(", ")}`);
if (!existsSync(join(options.dist, "index.node.js")))
  throw new Error(`there is no build of isonats in ${options.dist}: npm run build`);

// ---- processes ---------------------------------------------------------------------------------------------------

const children = new Set();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

function owned(child) {
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function startServer() {
  const { path, version } = await provideServer("2.15");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "isonats-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  // a receiver may be far behind: what is measured is its CPU time, not the server's patience
  const config = join(folder, "server.conf");
  await writeFile(
    config,
    `listen: "127.0.0.1:${port}"\nmax_pending: 2GB\nwrite_deadline: "60s"\njetstream { store_dir: ${JSON.stringify(join(folder, "store"))} }\n`,
  );
  owned(spawn(path, ["-c", config], { stdio: "ignore" }));
  const until = performance.now() + 10_000;
  while (!(await accepts(port))) {
    if (performance.now() > until) throw new Error("nats-server did not start");
    await new Promise((done) => setTimeout(done, 20));
  }
  return { port, version };
}

function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

function accepts(port) {
  return new Promise((done) => {
    const probe = net.connect(port, "127.0.0.1");
    probe.once("connect", () => (probe.destroy(), done(true))).once("error", () => done(false));
  });
}

function startFarEnd(port) {
  return new Promise((done) => {
    const child = owned(fork(join(here, "far-end.mjs"), [String(port)]));
    child.once("message", () => done(child));
  });
}

/** One case with one client: its numbers, or undefined where the client has none. */
function measure(client, test, port, farEnd) {
  const execArgv = ["--expose-gc", "--max-old-space-size=4096"];
  if (options.profile && client !== "bare") {
    execArgv.push("--cpu-prof", `--cpu-prof-dir=${join(root, ".reports")}`);
    execArgv.push(`--cpu-prof-name=${test.name}-${client}.cpuprofile`);
  }
  const child = owned(
    client === "bare"
      ? fork(join(here, "bare.mjs"), [String(port), test.name], { execArgv })
      : fork(join(here, "client.mjs"), [modules[client], String(port), test.name], { execArgv }),
  );
  const limit = test.named ? 10 * LIMIT : LIMIT;
  return new Promise((done, fail) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(new Error(`${test.name} with ${client} took longer than ${limit} ms`));
    }, limit);
    let result;
    child.on("message", (message) => {
      if (message.feed !== undefined) farEnd.send(message);
      if ("result" in message) result = message.result;
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      if (code === 0) done(result);
      else fail(new Error(`${test.name} with ${client} ended with code ${code}`));
    });
  });
}

// ---- results -----------------------------------------------------------------------------------------------------

/** Medians over the rounds: `{ [case]: { [metric]: { [client]: number } } }`. */
function medians(runs) {
  const results = {};
  for (const { name, metrics } of chosen) {
    results[name] = {};
    for (const metric of metrics) {
      const of = (results[name][metric.name] = {});
      for (const client of clients) {
        const numbers = runs
          .filter((run) => run.case === name && run.client === client)
          .map((run) => run.result?.[metric.name]);
        if (numbers.length > 0 && numbers[0] !== undefined) of[client] = median(numbers);
      }
    }
  }
  return results;
}

function ratio(of, than) {
  return of?.isonats === undefined || of[than] === undefined ? undefined : of.isonats / of[than];
}

function reached({ better, reach }, of) {
  if (reach === undefined) return "";
  if (reach.atMost !== undefined) {
    return `<= ${reach.atMost} ${of.isonats === undefined ? "" : of.isonats <= reach.atMost ? "yes" : "NO"}`;
  }
  const sign = better === "more" ? ">=" : "<=";
  const is = ratio(of, reach.than);
  const yes = better === "more" ? is >= reach.factor : is <= reach.factor;
  const text = `${sign} ${Number(reach.factor.toFixed(2))} x ${reach.than}`;
  return is === undefined ? text : `${text} ${yes ? "yes" : "NO"}`;
}

function shown(value, { unit }) {
  if (value === undefined) return "-";
  if (unit === "us") return `${value.toFixed(value < 10 ? 2 : 0)} us`;
  if (unit !== "/s") return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M/s`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(0)} k/s` : `${value.toFixed(0)} /s`;
}

function print(results, before) {
  const times = (value) => (value === undefined ? "-" : `${value.toFixed(2)} x`);
  const head = ["case", "", ...clients, "/ official", "/ bare", ...(before ? ["was"] : []), "reach"];
  const rows = [head];
  for (const { name, title, metrics } of chosen) {
    metrics.forEach((metric, i) => {
      const of = results[name][metric.name];
      rows.push([
        i === 0 ? title : "",
        metric.label,
        ...clients.map((client) => shown(of[client], metric)),
        times(ratio(of, "official")),
        times(ratio(of, "bare")),
        ...(before ? [times(ratio(before[name]?.[metric.name], "official"))] : []),
        reached(metric, of),
      ]);
    });
  }
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const left = (column) => column < 2 || column === head.length - 1;
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (left(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join("  ")
        .trimEnd(),
    );
  }
}

async function stored(name) {
  const text = await readFile(join(here, "results", `${name}.json`), "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

// ---- the run -----------------------------------------------------------------------------------------------------

const { port, version } = await startServer();
const farEnd = await startFarEnd(port);
const rounds = Number(options.rounds);
const runs = [];
for (const test of chosen) {
  for (let round = 0; round < rounds; round++) {
    // the order alternates, so that a machine that slows down harms all alike
    const order = round % 2 === 0 ? clients : [...clients].reverse();
    for (const client of order) {
      if (!options.json) process.stderr.write(`\r\x1b[K${test.title}: ${client} ${round + 1}/${rounds}`);
      runs.push({ case: test.name, client, result: await measure(client, test, port, farEnd) });
    }
  }
}
if (!options.json) process.stderr.write("\r\x1b[K");

const results = medians(runs);
const require = createRequire(import.meta.url);
const report = {
  machine: { node: process.version, cpus: cpus().length, server: version },
  versions: {
    isonats: require("../package.json").version,
    official: require("@nats-io/transport-node/package.json").version,
  },
  rounds,
  results,
};
if (options.json) console.log(JSON.stringify(report, null, 2));
else {
  const { machine, versions } = report;
  console.log(
    `node ${machine.node}, ${machine.cpus} CPUs, nats-server ${version}; isonats ${versions.isonats}, ` +
      `official client ${versions.official}; median of ${rounds}\n`,
  );
  print(results, options.name === "baseline" ? undefined : (await stored("baseline"))?.results);
}
const file =
  options.name === undefined ? ".reports/bench.json" : join("bench/results", `${options.name}.json`);
await mkdir(dirname(join(root, file)), { recursive: true });
await writeFile(join(root, file), `${JSON.stringify(report, null, 2)}\n`);
process.exit();
