// The TCP transport in Bun: the tests of Node, run by Bun, whose sockets upgrade, fail and hold back in ways of their own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../package/support.ts";
import { runtimes } from "../runtimes/cells.mjs";

/** The program, or why this machine doesn't have it. */
function bun(): { program: string; skip?: never } | { program?: never; skip: string } {
  try {
    const [program = ""] = runtimes.find(({ name }) => name === "bun")?.command() ?? [];
    return { program };
  } catch (error) {
    return { skip: (error as Error).message };
  }
}

const { program = "", skip } = bun();

for (const file of ["tcp.test.ts", "tcp.node.test.ts"]) {
  test(`${file} passes in Bun`, { skip }, async () => {
    const { code, output } = await run(program, ["test", "--timeout=60000", `./test/transport/${file}`]);
    assert.equal(code, 0, output);
    assert.match(output, /^ *0 fail\nRan [1-9]\d* tests across 1 file\./m);
  });
}
