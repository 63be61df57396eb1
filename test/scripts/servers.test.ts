// Tests of scripts/servers.mjs and debian.mjs: how it reads apt sources, and what it says when a server can't be had.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseDeb822, parseOneLine } from "../../scripts/debian.mjs";
import { minors, resolveMinor } from "../../scripts/servers.mjs";

const script = fileURLToPath(new URL("../../scripts/servers.mjs", import.meta.url));

test("apt sources of one line each are read, with and without options", () => {
  const sources = parseOneLine(
    [
      "# deb http://old.example/debian bookworm main",
      "deb http://mirror.example/debian bookworm main contrib # ours",
      "  deb [ arch=amd64 check-valid-until=no ] http://frozen.example/debian trixie main",
      "deb-src http://mirror.example/debian bookworm main",
      "deb http://vendor.example/apt ./",
    ].join("\n"),
  );
  assert.deepEqual(sources, [
    {
      uri: "http://mirror.example/debian",
      suites: ["bookworm"],
      components: ["main", "contrib"],
      checkValidUntil: true,
    },
    { uri: "http://frozen.example/debian", suites: ["trixie"], components: ["main"], checkValidUntil: false },
    { uri: "http://vendor.example/apt", suites: ["./"], components: [], checkValidUntil: true },
  ]);
});

test("apt sources in stanzas are read, with comments, continued lines and those switched off", () => {
  const sources = parseDeb822(
    [
      "Types: deb deb-src",
      "# URIs: http://old.example/debian",
      "URIs: http://a.example/debian",
      " http://b.example/debian",
      "suites: trixie trixie-updates",
      "Components: main",
      "Signed-By:",
      " -----BEGIN PGP PUBLIC KEY BLOCK-----",
      " .",
      " abc: def",
      "",
      "Enabled: no",
      "Types: deb",
      "URIs: http://off.example/debian",
      "Suites: trixie",
      "Components: main",
      "",
      "Types: deb-src",
      "URIs: http://src.example/debian",
      "Suites: trixie",
      "Components: main",
    ].join("\n"),
  );
  const facts = { suites: ["trixie", "trixie-updates"], components: ["main"], checkValidUntil: true };
  assert.deepEqual(sources, [
    { uri: "http://a.example/debian", ...facts },
    { uri: "http://b.example/debian", ...facts },
  ]);
});

test("latest is the newest of the matrix, and an unknown version is refused", () => {
  assert.equal(resolveMinor("latest"), minors[0]);
  assert.equal(resolveMinor("2.9"), "2.9");
  assert.throws(() => resolveMinor("1.4"), /'1\.4' is not in the matrix; use 2\.15, 2\.10, 2\.9 or latest/);
});

test("a variable that names no nats-server of that version is an error, not a hint", async () => {
  const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
    execFile(
      process.execPath,
      [script, "2.10"],
      { env: { ...process.env, NATS_SERVER_2_10: process.execPath } },
      (error, _out, text) => resolve({ code: error?.code, text }),
    );
  });
  assert.equal(code, 1);
  assert.match(text, /NATS_SERVER_2_10 must name a nats-server 2\.10, but '.*' is \d/);
});
