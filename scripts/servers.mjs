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
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

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

/** The package of the suite, from the first mirror of the machine that has it, moved to `target` in one step. */
async function fromDebian(minor, target) {
  const suite = suites[minor];
  const keyring = await debianKeyring();
  const mirrors = await debianMirrors();
  const failures = [];
  for (const mirror of mirrors) {
    const work = join(cache, `.work-${process.pid}-${randomBytes(4).toString("hex")}`);
    try {
      const deb = await download(work, mirror, suite, keyring);
      await exec("dpkg", ["-x", join(work, deb), join(work, "files")]);
      const binary = await findBinary(join(work, "files"));
      const version = await versionOf(binary);
      if (!version || !isMinor(version, minor)) {
        throw new Error(`suite ${suite} has ${version ?? "a binary that can't be run here"} by now`);
      }
      const source = `Debian ${suite} (${deb}, ${withoutUserinfo(mirror.uri)})`;
      await mkdir(dirname(target), { recursive: true });
      // the binary last: whoever sees it sees all of it
      await chmod(binary, 0o755);
      await writeFile(join(work, "source"), `${source}\n`);
      await rename(join(work, "source"), join(dirname(target), "source"));
      await rename(binary, target);
      return { path: target, version, source };
    } catch (error) {
      failures.push(`${withoutUserinfo(mirror.uri)}: ${lastLine(error)}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw new Error(failures.join("; "));
}

/** `apt-get update` and `apt-get download` in directories of our own; gives the name of the .deb in `work`. */
async function download(work, mirror, suite, keyring) {
  for (const folder of ["state/lists/partial", "cache/archives/partial", "log"]) {
    await mkdir(join(work, folder), { recursive: true });
  }
  await writeFile(join(work, "state/status"), "");
  const options = [`signed-by=${keyring}`];
  if (mirror.checkValidUntil === false) options.push("check-valid-until=no");
  await writeFile(join(work, "sources.list"), `deb [${options.join(" ")}] ${mirror.uri} ${suite} main\n`);
  await writeFile(join(work, "apt.conf"), aptConf(work));
  const apt = (...args) =>
    exec("apt-get", ["-q", "-c", join(work, "apt.conf"), ...args], {
      cwd: work,
      timeout: 180_000,
      env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
    });
  await apt("update");
  await apt("download", "nats-server");
  const deb = (await readdir(work)).find((name) => name.endsWith(".deb"));
  if (!deb) throw new Error(`suite ${suite} has no package nats-server`);
  return deb;
}

/** Read after the machine's own settings (which may hold a proxy), so that these win. */
function aptConf(work) {
  return [
    // hooks of the machine would touch the system
    ...["APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success"].map(
      (hook) => `#clear ${hook};`,
    ),
    `Dir::Etc::SourceList "${work}/sources.list";`,
    `Dir::Etc::SourceParts "-";`,
    `Dir::State "${work}/state";`,
    `Dir::State::Lists "${work}/state/lists";`,
    `Dir::State::status "${work}/state/status";`,
    `Dir::Cache "${work}/cache";`,
    `Dir::Log "${work}/log";`,
    `APT::Sandbox::User "root";`,
    `APT::Update::Error-Mode "any";`,
    `APT::Get::AllowUnauthenticated "false";`,
    `Acquire::AllowInsecureRepositories "false";`,
    `Acquire::AllowDowngradeToInsecureRepositories "false";`,
    `Acquire::Languages "none";`,
    `Acquire::Retries "2";`,
    `Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";`,
    "",
  ].join("\n");
}

async function findBinary(files) {
  for (const folder of ["usr/bin", "usr/sbin"]) {
    const path = join(files, folder, "nats-server");
    if (await stat(path).catch(() => undefined)) return path;
  }
  throw new Error("the package has no nats-server in usr/bin or usr/sbin");
}

/** Debian's archive keys as the machine has them: a suite is signed by the keys of the releases before it too. */
async function debianKeyring() {
  for (const name of ["debian-archive-keyring.pgp", "debian-archive-keyring.gpg"]) {
    const path = join("/usr/share/keyrings", name);
    if (await stat(path).catch(() => undefined)) return path;
  }
  throw new Error("the keyring of Debian's archive is not installed (package debian-archive-keyring)");
}

async function debianMirrors() {
  let config;
  try {
    ({ stdout: config } = await exec("apt-config", [
      "shell",
      "LIST",
      "Dir::Etc::sourcelist/f",
      "PARTS",
      "Dir::Etc::sourceparts/d",
    ]));
  } catch {
    throw new Error("this machine has no apt");
  }
  const list = /^LIST='(.*)'$/m.exec(config)?.[1];
  const parts = /^PARTS='(.*)'$/m.exec(config)?.[1];
  const paths = list ? [list] : [];
  if (parts) for (const name of (await readdir(parts).catch(() => [])).sort()) paths.push(join(parts, name));

  const mirrors = new Map();
  for (const path of paths) {
    const parse = path.endsWith(".sources") ? parseDeb822 : path.endsWith(".list") ? parseOneLine : undefined;
    if (!parse) continue;
    const text = await readFile(path, "utf8").catch(() => "");
    for (const source of parse(text)) {
      if (isDebian(source) && !mirrors.has(source.uri)) mirrors.set(source.uri, source);
    }
  }
  if (mirrors.size === 0) throw new Error("no Debian mirror is among the apt sources");
  return [...mirrors.values()];
}

/** Sources in the form `deb [options] uri suite component...`. */
export function parseOneLine(text) {
  const sources = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) continue;
    const [, options = "", uri, suite, components] = match;
    sources.push({
      uri,
      suites: [suite],
      components: words(components),
      checkValidUntil: !/\bcheck-valid-until=(no|false|0)\b/i.test(options),
    });
  }
  return sources;
}

/** Sources in the form of stanzas with `Types:`, `URIs:`, `Suites:`, `Components:`. */
export function parseDeb822(text) {
  const sources = [];
  for (const stanza of text.replace(/^#.*\n?/gm, "").split(/\n[ \t]*\n/)) {
    const fields = new Map();
    let last = "";
    for (const line of stanza.split("\n")) {
      const match = /^([^\s:]+):(.*)$/.exec(line);
      if (match) fields.set((last = match[1].toLowerCase()), match[2]);
      else if (/^\s/.test(line)) fields.set(last, `${fields.get(last)} ${line}`);
    }
    const field = (name) => words(fields.get(name) ?? "");
    const no = (name) => /^(no|false|0)$/i.test(field(name).join(""));
    if (!field("types").includes("deb") || no("enabled")) continue;
    for (const uri of field("uris")) {
      sources.push({
        uri,
        suites: field("suites"),
        components: field("components"),
        checkValidUntil: !no("check-valid-until"),
      });
    }
  }
  return sources;
}

function words(text) {
  return text.split(/\s+/).filter((word) => word !== "");
}

const debianSuite =
  /^(oldoldstable|oldstable|stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke)(-updates|-backports)?$/;

/** A mirror of the whole archive: not the security archive, not a vendor's own packages. */
function isDebian({ uri, suites: names, components }) {
  return (
    components.includes("main") && names.some((name) => debianSuite.test(name)) && !uri.startsWith("cdrom:")
  );
}

function withoutUserinfo(uri) {
  return uri.replace(/\/\/[^/@]*@/, "//");
}

function lastLine(error) {
  const lines = String(error.stderr || error.message)
    .split("\n")
    .filter((line) => line.trim() !== "");
  return (lines.find((line) => line.startsWith("E: ")) ?? lines.at(-1) ?? "failed").trim();
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
