// Browsers: provides the browsers of the test matrix; used by scripts/test.mjs, test/runtimes and the examples.
//
// For each of them it takes the first of:
//   1. the program that the environment variable CHROMIUM, FIREFOX or MINIBROWSER names
//   2. a program of one of its names on the PATH; for WebKit, MiniBrowser where Debian keeps it
//   3. Debian and derivatives, as root: the packages of the system, all that are missing in one go
// WebKit is GTK's small browser, which has no mode without windows: it gets a display by Xvfb.
import { execFile } from "node:child_process";
import { accessSync, constants, readdirSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** What each browser is made of: names of programs, each with the variable that names another and its Debian package. */
const parts = {
  chromium: [
    { names: ["chromium", "chromium-browser", "google-chrome"], variable: "CHROMIUM", package: "chromium" },
  ],
  firefox: [{ names: ["firefox-esr", "firefox"], variable: "FIREFOX", package: "firefox-esr" }],
  webkit: [
    { names: ["MiniBrowser"], variable: "MINIBROWSER", package: "webkit2gtk-driver" },
    { names: ["Xvfb"], variable: "XVFB", package: "xvfb" },
  ],
};

/** The browsers of the matrix. */
export const browsers = Object.keys(parts);

/** The programs that a browser is made of, its own first. Throws a sentence that says what is missing and what to do. */
export function findBrowser(name) {
  return parts[name].map((part) => {
    const path = findProgram(part);
    if (path) return path;
    throw new Error(
      `${part.names.join(" or ")} is not on the PATH, and ${part.variable} names no other; on Debian type ` +
        `apt-get install --no-install-recommends ${packages([name]).join(" ")}`,
    );
  });
}

function findProgram({ names, variable }) {
  const named = process.env[variable];
  if (named) {
    if (isProgram(named)) return named;
    throw new Error(`${variable} must name a program, but '${named}' is none`);
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = [...folders, ...webkitFolders()].flatMap((folder) =>
    names.map((name) => join(folder, name)),
  );
  return candidates.find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where Debian puts what belongs to a version of WebKit: `/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1`. */
function webkitFolders() {
  return list("/usr/lib")
    .filter((name) => name.includes("-linux-"))
    .flatMap((name) => list(join("/usr/lib", name)).map((inner) => join("/usr/lib", name, inner)))
    .filter((path) => /\/webkit2?gtk-[\d.]+$/.test(path));
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The Debian packages that are missing for these browsers. */
function packages(names) {
  return names
    .flatMap((name) => parts[name])
    .filter((part) => !findProgram(part))
    .map((part) => part.package);
}

/** Install what is missing, where that can be done. Resolves with a sentence for people; rejects with what apt says. */
export async function provideBrowsers() {
  const missing = packages(browsers);
  if (missing.length > 0 && process.getuid?.() === 0 && (await hasApt())) await install(missing);
  const installed = missing.filter((name) => !packages(browsers).includes(name));
  const there = browsers.filter((name) => packages([name]).length === 0);
  const source = installed.length > 0 ? ` (installed ${installed.join(", ")})` : "";
  return `${there.join(", ") || "no browser"} on this machine${source}`;
}

async function install(names) {
  const apt = (...args) =>
    exec("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...args], {
      timeout: 600_000,
      maxBuffer: 1 << 26,
      env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
    });
  try {
    await apt("update");
    // a machine that breaks down meanwhile is set up anew: no need to wait for its disk
    const fast = ["-o", "Dpkg::Options::=--force-unsafe-io"];
    await apt("install", "-y", "--no-install-recommends", ...fast, ...names);
  } catch (error) {
    const said = String(error.stderr).match(/^E: .*/gm) ?? [error.message];
    throw new Error(`apt-get could not install ${names.join(", ")}: ${said.join("; ")}`);
  }
}

async function hasApt() {
  return exec("apt-get", ["--version"]).then(
    () => true,
    () => false,
  );
}

async function main() {
  try {
    console.log(await provideBrowsers());
    for (const name of browsers) console.log(`${name.padEnd(9)} ${findBrowser(name).join(", ")}`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  void main();
