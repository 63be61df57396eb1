// Nodes: installs the other versions of Node, in which the built package is tested, from the lock file in test/runtimes/node.
//
// Not among the devDependencies: each of these packages brings a program `node`, which npm scripts would then run.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const folder = new URL("../test/runtimes/node/", import.meta.url);

function read(path) {
  const file = new URL(path, folder);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The names under which they are installed, such as `node-22`. */
export const nodes = Object.keys(read("package.json").optionalDependencies);

/** The program of one of them; throws the reason where there is none. */
export function nodeProgram(name) {
  const file = new URL(`node_modules/${name}/bin/node`, folder);
  if (existsSync(file)) return fileURLToPath(file);
  throw new Error(`npm has no ${name} for ${process.platform} on ${process.arch}`);
}

/** Install what the lock file says, unless it is there. Resolves with a sentence for people. */
export async function provideNodes() {
  const { packages } = read("package-lock.json");
  const wanted = nodes.map((name) => packages[`node_modules/${name}`].version);
  const there = () => nodes.map((name) => read(`node_modules/${name}/package.json`)?.version);
  let source = "node_modules";
  if (process.platform === "linux" && process.arch === "x64" && String(there()) !== String(wanted)) {
    await promisify(execFile)("npm", ["ci", "--silent"], { cwd: folder });
    source = "npm";
  }
  return `node ${there().filter(Boolean).join(", ") || "of this process alone"} from ${source}`;
}
