// Support for the tests of what we ship: the sources and their imports, the package as npm packs it, programs to run.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, rename, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("../../", import.meta.url));

export interface PackageJson {
  version: string;
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  dependencies: Record<string, string>;
}

export const packageJson: PackageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What users import: `isonats`, `isonats/auth`, … */
export const subpaths: readonly string[] = Object.keys(packageJson.exports)
  .filter((key) => !key.endsWith(".json"))
  .map((key) => `isonats${key.slice(1)}`);

/** The files of a folder, as paths from it with `/`. */
export function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(ending))
    .sort();
}

export interface Ran {
  code: number;
  output: string;
}

/** Run a program of Node's in a folder; `output` is what it wrote to both streams. */
export function node(args: readonly string[], cwd: string = root): Promise<Ran> {
  return run(process.execPath, args, cwd);
}

export function run(command: string, args: readonly string[], cwd: string = root): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, NO_COLOR: "1" };
    execFile(command, args, { cwd, env, maxBuffer: 1 << 24 }, (error, out, err) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") resolve({ code, output: out + err });
      else reject(error as Error);
    });
  });
}

/** A folder for this process, gone when it exits. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-package-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Packed {
  tarball: string;
  /** paths inside of the package, in order */
  files: string[];
}

/** The package as `npm pack` makes it of the build. */
export async function pack(folder: string): Promise<Packed> {
  const { code, output } = await run("npm", [
    "pack",
    "--ignore-scripts",
    "--json",
    "--loglevel=error",
    `--pack-destination=${folder}`,
  ]);
  if (code !== 0) throw new Error(`npm pack failed:\n${output}`);
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf("["))) as [
    { filename: string; files: { path: string }[] },
  ];
  return { tarball: join(folder, filename), files: files.map(({ path }) => path).sort() };
}

/** A project in which the packed package and its dependencies are installed, and nothing else. */
export async function installed(): Promise<string> {
  const folder = temporaryFolder();
  const { tarball } = await pack(folder);
  const { code, output } = await run("tar", ["-xzf", tarball, "-C", folder]);
  if (code !== 0) throw new Error(`tar failed:\n${output}`);
  const modules = join(folder, "node_modules");
  await mkdir(modules);
  await rename(join(folder, "package"), join(modules, "isonats"));
  for (const name of Object.keys(packageJson.dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(modules, name));
  }
  return folder;
}
