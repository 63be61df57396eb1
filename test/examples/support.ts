// Support: runs programs of the examples and of the docs in a process of their own, as a reader would.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "../fixtures/cleanup.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** How a program ended. `output` is what it wrote to both streams. */
export interface Ran {
  code: number | null;
  output: string;
}

export interface RunOptions {
  /** of its command line */
  args?: readonly string[];
  /** added to the environment */
  env?: Record<string, string>;
  /** what `isonats` stands for in the program: the sources (default), or what the build made */
  of?: "sources" | "build";
  /** called with all the output so far, whenever there is more */
  onOutput?: (output: string) => void;
}

/** Run a program to its end; it is killed, and the run rejects, after a minute. */
export async function run(
  file: string,
  { args = [], env, of = "sources", onOutput }: RunOptions = {},
): Promise<Ran> {
  const child = spawn(
    process.execPath,
    [...(of === "sources" ? ["--import", "tsx"] : []), "--unhandled-rejections=strict", file, ...args],
    {
      cwd: root,
      env: {
        ...process.env,
        NODE_TEST_CONTEXT: undefined,
        TSX_TSCONFIG_PATH: join(here, "sources.tsconfig.json"),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      onOutput?.(output);
    });
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  try {
    return { code: await within(ended, () => `${file} did not end; it wrote:\n${output}`, 60_000), output };
  } finally {
    child.kill("SIGKILL");
  }
}

/** A piece of code in a page of the docs. */
export interface Snippet {
  /** `page:line` of its fence */
  where: string;
  code: string;
  /** why it can't be run, where the comment before it says so: `<!-- not run: why -->` */
  notRun?: string;
  /** what it must print, in this order: its comments of the form `//=> text` */
  expected: string[];
}

/** The TypeScript blocks of a page, by its path from the root. */
export function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(root, page), "utf8");
  const found: Snippet[] = [];
  for (const match of text.matchAll(/(?:<!-- not run: (.*) -->\n+)?^```ts\n([\s\S]*?)^```$/gm)) {
    const [block, notRun, code = ""] = match;
    const line = text.slice(0, match.index + block.indexOf("```ts")).split("\n").length;
    found.push({
      where: `${page}:${line}`,
      code,
      ...(notRun === undefined ? {} : { notRun }),
      expected: [...code.matchAll(/\/\/=> (.*)$/gm)].map(([, output]) => (output as string).trim()),
    });
  }
  return found;
}

/** The part of `expected` that `output` does not have in this order; undefined when all is there. */
export function missing(expected: readonly string[], output: string): string | undefined {
  let at = 0;
  for (const text of expected) {
    const found = output.indexOf(text, at);
    if (found < 0) return text;
    at = found + text.length;
  }
  return undefined;
}

/** Why the build can't stand for these sources; undefined when it can. */
export function staleBuild(): string | undefined {
  const built = statSync(join(root, "dist/index.node.js"), { throwIfNoEntry: false });
  if (built === undefined) return "there is no build: npm run build";
  const newer = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).find(
    (name) => name.endsWith(".ts") && statSync(join(root, "src", name)).mtimeMs > built.mtimeMs,
  );
  return newer === undefined ? undefined : `the build is older than src/${newer}: npm run build`;
}
