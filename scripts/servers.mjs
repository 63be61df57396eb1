// Servers: provides the real nats-servers of the test matrix; used by scripts/test.mjs, test/fixtures and the demo.
//
// For each minor version it takes the first of:
//   1. the binary that the environment variable NATS_SERVER_2_15, NATS_SERVER_2_10 or NATS_SERVER_2_9 names
//   2. .cache/servers/<minor>/nats-server
//   3. nats-server on the PATH, if it has that minor version
//   4. Debian and derivatives: the package of the suite that has it, from the machine's own mirror, in private apt
//      directories (no root, nothing of the system is touched), under Debian's own signature check
// There is no step 5: release archives have to be checked against a known SHA-256, and none is recorded here.
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { chmod, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { unpackFromDebian } from "./debian.mjs";

const exec = promisify(execFile);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, ".cache", "servers");

/** The Debian suite that has each minor version; the newest comes first. */
const suites = { 2.15: "forky", "2.10": "trixie", 2.9: "bookworm" };

/** The minor versions of the matrix, newest first. */
export const minors = Object.keys(suites);

/** What stands for a minor version: `latest` is the newest of the matrix. */
export function resolveMinor(minor) {
  const name = minor === undefined || minor === "latest" ? minors[0] : minor;
  if (name in suites) return name;
  throw new Error(`nats-server '${name}' is not in the matrix; use ${minors.join(", ")} or latest`);
}

const provided = new Map();

/**
 * A nats-server of this minor version: `{ path, version, source }`. Rejects with a sentence that says what to do.
 * A second call in the same process gives the same answer.
 */
export function provideServer(minor) {
  const name = resolveMinor(minor);
  if (!provided.has(name)) provided.set(name, provide(name));
  return provided.get(name);
}

async function provide(minor) {
  const variable = `NATS_SERVER_${minor.replace(".", "_")}`;
  const missing = [];

  const named = process.env[variable];
  if (named) {
    const version = await versionOf(named);
    if (version && isMinor(version, minor)) return { path: named, version, source: variable };
    throw new Error(
      `${variable} must name a nats-server ${minor}, but '${named}' ${version ? `is ${version}` : "can't be run"}`,
    );
  }
  missing.push(`${variable} is not set`);

  const cached = join(cache, minor, "nats-server");
  const version = await versionOf(cached);
  if (version && isMinor(version, minor)) {
    const from = await readFile(join(cache, minor, "source"), "utf8").catch(() => "");
    return { path: cached, version, source: `cache${from && `, once from ${from.trim()}`}` };
  }
  missing.push(`${relative(root, cached)} ${version ? `is ${version}` : "is not there"}`);

  const installed = await onPath();
  if (installed && isMinor(installed.version, minor)) return { ...installed, source: "PATH" };
  missing.push(installed ? `nats-server on the PATH is ${installed.version}` : "there is none on the PATH");

  try {
    return await fromDebian(minor, cached);
  } catch (error) {
    missing.push(`Debian: ${error.message}`);
  }
  throw new Error(
    `nats-server ${minor} can't be had (${missing.join("; ")}). ` +
      `Get release v${minor}.x for ${process.platform}-${process.arch} from the releases of nats-io/nats-server, ` +
      `unpack it, and set ${variable} to the path of the binary.`,
  );
}

function isMinor(version, minor) {
  return version.startsWith(`${minor}.`);
}

/** The version of a binary, or undefined where it can't be run. */
async function versionOf(path) {
  try {
    const { stdout } = await exec(path, ["--version"], { timeout: 10_000 });
    return /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

async function onPath() {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, process.platform === "win32" ? "nats-server.exe" : "nats-server");
    if (folder === "" || !(await stat(path).catch(() => undefined))?.isFile()) continue;
    const version = await versionOf(path);
    if (version) return { path, version };
  }
  return undefined;
}

/** The package of the suite, moved to `target` in one step. */
function fromDebian(minor, target) {
  const suite = suites[minor];
  return unpackFromDebian(cache, suite, ["nats-server"], async (files, source) => {
    const binary = await findBinary(files);
    const version = await versionOf(binary);
    if (!version || !isMinor(version, minor)) {
      throw new Error(`suite ${suite} has ${version ?? "a binary that can't be run here"} by now`);
    }
    const folder = dirname(target);
    await mkdir(folder, { recursive: true });
    // the binary last: whoever sees it sees all of it
    await chmod(binary, 0o755);
    await writeFile(`${files}.source`, `${source}\n`);
    await rename(`${files}.source`, join(folder, "source"));
    await rename(binary, target);
    return { path: target, version, source };
  });
}

async function findBinary(files) {
  for (const folder of ["usr/bin", "usr/sbin"]) {
    const path = join(files, folder, "nats-server");
    if (await stat(path).catch(() => undefined)) return path;
  }
  throw new Error("the package has no nats-server in usr/bin or usr/sbin");
}

async function main() {
  for (const minor of process.argv.length > 2 ? process.argv.slice(2) : minors) {
    const started = performance.now();
    try {
      const { path, version, source } = await provideServer(minor);
      const took = Math.round(performance.now() - started);
      console.log(
        `nats-server ${version.padEnd(8)} ${relative(process.cwd(), path)}  from ${source}  (${took} ms)`,
      );
    } catch (error) {
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  void main();
