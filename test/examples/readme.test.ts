// Every TypeScript block of README.md runs as a program of its own against a real server and prints what it says.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { startServer } from "../fixtures/real-server.ts";
import { missing, root, run, snippetsOf } from "./support.ts";

const server = await startServer({ after }, { jetstream: true });
const folder = mkdtempSync(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const snippets = snippetsOf("README.md");

test("README.md has nine snippets", () => assert.equal(snippets.length, 9));

for (const { where, code, expected } of snippets) {
  test(`${where} runs and prints what it says`, async () => {
    const file = join(folder, `${where.replace(/\W/g, "-")}.mts`);
    const here = JSON.stringify(server.address);
    writeFileSync(
      file,
      code.replaceAll('"127.0.0.1:4222"', here).replaceAll("connect()", `connect({ servers: ${here} })`),
    );
    const { code: exit, output } = await run(file);
    assert.equal(exit, 0, output);
    assert.ok(expected.length > 0, `${where} says nothing of what it prints`);
    assert.equal(missing(expected, output), undefined, output);
    await server.waitForConnections(0);
  });
}

const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => `docs/${name}`),
];

for (const page of pages) {
  test(`the links of ${page} lead somewhere`, () => {
    const text = readFileSync(join(root, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? join(root, page) : join(root, dirname(page), path);
      assert.ok(existsSync(file), `${page} links to ${target}, which is not there`);
      if (anchor !== undefined) {
        const anchors = [...readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
          heading
            .toLowerCase()
            .replace(/[^\w\- ]/g, "")
            .replaceAll(" ", "-"),
        );
        assert.ok(anchors.includes(anchor), `${target} has no such heading; it has ${anchors.join(", ")}`);
      }
    }
  });
}

test("docs/guide/errors.md explains every code", () => {
  const union = readFileSync(join(root, "src/errors.ts"), "utf8").split("export interface")[0] ?? "";
  const codes = [...union.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code as string);
  const page = readFileSync(join(root, "docs/guide/errors.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| `\w+` \| .+ \| .+ \|$/gm)].map(([, code]) => code);
  assert.ok(codes.length > 20);
  assert.deepEqual(new Set(rows), new Set(codes));
});
