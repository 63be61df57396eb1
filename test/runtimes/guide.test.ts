// The table of docs/guide/runtimes.md says of each runtime what the cells say.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../package/support.ts";
import { runtimes } from "./cells.mjs";

/** `name: TCP TLS WebSocket`, in the order of the first table. */
function documented(): string[] {
  const page = readFileSync(join(root, "docs/guide/runtimes.md"), "utf8");
  const table = page.slice(page.indexOf("| runs in |")).split("\n\n")[0] ?? "";
  const rows = table
    .split("\n")
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.flatMap(([, names = "", ...cells]) =>
    names.split(", ").map((name) => `${name.toLowerCase()}: ${cells.slice(0, 3).join(" ")}`),
  );
}

test("the guide names every runtime of the matrix, with the transports that it has, and no other", () => {
  const tested = runtimes.map(({ name, transports: { tcp, tls, ws } }) => {
    const cells = [tcp, tls, ws].map((offered) => (offered === true ? "yes" : "no"));
    return `${name}: ${cells.join(" ")}`;
  });
  // the oldest Node is in the matrix where it runs the tests
  const all = new Set([...tested, "node 20: yes yes yes"]);
  assert.deepEqual(documented().sort(), [...all].sort());
});
