// Debian: files of its packages, from the machine's own mirrors, in private apt directories: no root is needed, nothing of
// the system is touched, and Debian's own signature check holds.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

/**
 * Unpack packages of a suite into a folder below `folder` and hand it to `use`, with the name of each package's file and
 * where they come from; the folder goes when `use` is done. Tries one mirror after the other.
 */
export async function unpackFromDebian(folder, suite, packages, use) {
  const keyring = await debianKeyring();
  const failures = [];
  for (const mirror of await debianMirrors()) {
    const uri = withoutUserinfo(mirror.uri);
    const work = join(folder, `.work-${process.pid}-${randomBytes(4).toString("hex")}`);
    try {
      const debs = await download(work, mirror, suite, packages, keyring);
      const files = join(work, "files");
      for (const deb of debs) await exec("dpkg", ["-x", join(work, deb), files]);
      return await use(files, `Debian ${suite} (${debs.join(", ")}, ${uri})`);
    } catch (error) {
      failures.push(`${uri}: ${lastLine(error)}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw new Error(failures.join("; "));
}

/** `apt-get update` and `apt-get download` in directories of our own; gives the names of the .debs in `work`. */
async function download(work, mirror, suite, packages, keyring) {
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
  await apt("download", ...packages);
  const debs = (await readdir(work)).filter((name) => name.endsWith(".deb"));
  if (debs.length < packages.length) throw new Error(`suite ${suite} has not all of ${packages.join(", ")}`);
  return debs;
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
