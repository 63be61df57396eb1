// Semver: reading and ordering versions of servers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "../../src/errors.ts";
import { compare, parseSemVer } from "../../src/lib/semver.ts";

test("reads a version, with or without pre-release and build", () => {
  for (const text of ["2.10.27", "v2.10.27", "2.10.27-beta+x", "2.10.27-RC.1", "2.10.27+linux"]) {
    assert.deepEqual(parseSemVer(text), { major: 2, minor: 10, micro: 27 }, text);
  }
});

test("refuses what is no version, by name", () => {
  for (const text of ["", "2", "2.10", "a.b.c", "2.10.x", "2.10.27.1", undefined as never]) {
    assert.throws(
      () => parseSemVer(text),
      (e) => e instanceof InvalidArgumentError && e.message.includes(`'${text}'`),
    );
  }
});

test("compares number by number, and a pre-release counts as its release", () => {
  const versions = ["1.99.99", "2.9.10", "2.10.0", "2.10.2", "2.10.10", "3.0.0"].map(parseSemVer);
  for (const [i, a] of versions.entries()) {
    for (const [j, b] of versions.entries()) assert.equal(compare(a, b), Math.sign(i - j));
  }
  assert.equal(compare(parseSemVer("2.12.0-beta.1"), parseSemVer("2.12.0")), 0);
});
