// Bun: the tests of the TCP transport, run by Bun: it upgrades sockets to TLS, reports errors and holds back in ways of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../package/support.ts";
import { runtimes } from "../runtimes/cells.mjs";

test("every test of the TCP transport passes in Bun", async (t) => {
  let command: readonly string[];
  try {
    command = runtimes.find(({ name }) => name === "bun")?.command() ?? [];
  } catch (error) {
    t.skip((error as Error).message);
    return;
  }
  const [program = ""] = command;
  const { code, output } = await run(program, ["test", "./test/transport/tcp.node.test.ts"]);
  assert.equal(code, 0, output);
  assert.match(output, /^ *[1-9]\d+ pass$/m);
  assert.match(output, /^ *0 fail$/m);
});
