// Tests of scripts/browsers.mjs: where it looks for browsers, and what it says when there is none.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { findBrowser } from "../../scripts/browsers.mjs";

/** A folder with programs that do nothing, and an environment in which it is the PATH. */
function machine(t: TestContext, programs: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "isonats-browsers-"));
  for (const name of programs) {
    writeFileSync(join(folder, name), "#!/bin/sh\n");
    chmodSync(join(folder, name), 0o755);
  }
  writeFileSync(join(folder, "text"), "no program");
  const before = { ...process.env };
  for (const name of ["CHROMIUM", "FIREFOX", "MINIBROWSER", "XVFB"]) delete process.env[name];
  Object.assign(process.env, { PATH: folder });
  t.after(() => {
    Object.assign(process.env, before);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test("a browser is what the PATH has under one of its names, the first name first", (t) => {
  const folder = machine(t, ["firefox", "chromium-browser", "google-chrome"]);
  assert.deepEqual(findBrowser("firefox"), [join(folder, "firefox")]);
  assert.deepEqual(findBrowser("chromium"), [join(folder, "chromium-browser")]);
});

test("the environment wins, and must name a program", (t) => {
  const folder = machine(t, ["firefox", "other"]);
  process.env["FIREFOX"] = join(folder, "other");
  t.after(() => delete process.env["FIREFOX"]);
  assert.deepEqual(findBrowser("firefox"), [join(folder, "other")]);
  process.env["FIREFOX"] = join(folder, "text");
  assert.throws(() => findBrowser("firefox"), /FIREFOX must name a program, but '.*text' is none/);
});

test("what is missing is named, with the command that installs it", (t) => {
  machine(t, []);
  assert.throws(
    () => findBrowser("chromium"),
    /^Error: chromium or chromium-browser or google-chrome is not on the PATH, and CHROMIUM names no other; on Debian type apt-get install --no-install-recommends chromium$/,
  );
});

test("WebKit is a browser and a display", (t) => {
  const folder = machine(t, ["MiniBrowser", "Xvfb"]);
  assert.deepEqual(findBrowser("webkit"), [join(folder, "MiniBrowser"), join(folder, "Xvfb")]);
  rmSync(join(folder, "Xvfb"));
  assert.throws(() => findBrowser("webkit"), /Xvfb is not on the PATH.* --no-install-recommends xvfb$/);
});
