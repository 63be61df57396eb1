// Cells: the runtimes in which the built package goes through the suites, and what a cell can't do and why.
// Read by scripts/test.mjs, which runs each cell and prints the reasons, and by the starters.
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { browsers, findBrowser } from "../../scripts/browsers.mjs";
import { nodeProgram, nodes } from "../../scripts/nodes.mjs";

/** The one that runs the tests. */
const thisNode = `node ${process.versions.node.split(".")[0]}`;

const nodeArgs = ["--enable-source-maps"];

const sockets = { tcp: true, tls: true, ws: true };
const page = { tcp: "a page has no TCP", tls: "a page has no TCP", ws: true };

/** The program at a path in node_modules. */
function installed(path) {
  const file = fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  // until its install script has run there is none, or a text that says so
  if (size > 1_000_000) return file;
  throw new Error(
    `npm has installed no ${path} on this machine; with ignore-scripts, 'npm rebuild' makes it`,
  );
}

/**
 * One row each:
 *   name        of the runtime
 *   starter     the test file that runs a cell of it, in test/runtimes
 *   command()   the program; throws the reason where this machine doesn't have it
 *   transports  `true`, or why not
 *   lacks       cases that it leaves out: by `need`, or by the `name` of one case; in one transport or in all; and why
 */
export const runtimes = [
  {
    name: thisNode,
    starter: "process.test.ts",
    command: () => [process.execPath, ...nodeArgs],
    transports: sockets,
    lacks: [],
  },
  ...nodes
    .map((name) => ({
      name: name.replace("-", " "),
      starter: "process.test.ts",
      command: () => [nodeProgram(name), ...nodeArgs],
      transports: sockets,
      lacks: [],
    }))
    .filter(({ name }) => name !== thisNode),
  {
    name: "bun",
    starter: "process.test.ts",
    command: () => [installed("bun/bin/bun.exe")],
    transports: sockets,
    lacks: [],
  },
  {
    name: "deno",
    starter: "process.test.ts",
    // this permission is enough
    command: () => [installed("deno/deno"), "run", "--no-prompt", "--node-modules-dir=manual", "--allow-net"],
    transports: sockets,
    lacks: [],
  },
  ...browsers.flatMap((name) =>
    [name, `${name} worker`].map((row) => ({
      name: row,
      starter: "browser.test.ts",
      command: () => findBrowser(name),
      transports: page,
      lacks:
        name === "webkit"
          ? [{ need: "trusting-websocket", why: "it trusts the authorities of the system alone" }]
          : [
              {
                name: "secure websocket: a certificate of a stranger is refused (C-WS-2)",
                why: "a page can't say whom its WebSocket trusts; the browser was told to trust the servers",
              },
            ],
    })),
  ),
];

/** The row of this name; without one, the first of a starter. */
export function runtimeOf(starter, name) {
  const row = runtimes.find((one) => one.starter === starter && (name === undefined || one.name === name));
  if (row) return row;
  throw new Error(`'${name}' is no runtime of ${starter}; see test/runtimes/cells.mjs`);
}
