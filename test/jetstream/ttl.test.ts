import assert from "node:assert/strict";
import { test } from "node:test";
import { ttlText } from "../../src/jetstream/ttl.ts";
import { failing } from "../traps/support.ts";

test("milliseconds become whole seconds, and never fewer than were asked for (C-ADR43-2)", () => {
  for (const [ms, text] of [
    [1000, "1"],
    [1001, "2"],
    [1999.5, "2"],
    [60_000, "60"],
    [Number.MAX_SAFE_INTEGER, "9007199254741"],
  ] as const) {
    assert.equal(ttlText("ttl", ms), text);
  }
});

test("a text goes as it is: seconds, a Go duration, or never", () => {
  for (const text of ["1", "3600", "1s", "1h30m", "1500ms", "1.5s", "never"]) {
    assert.equal(ttlText("ttl", text), text);
  }
});

test("less than a second and what is no time are refused, with the name of the option and the value", () => {
  for (const ttl of [0, 1, 999, -1000, Number.NaN, Infinity, -Infinity]) {
    assert.throws(() => ttlText("msgTTL", ttl), failing("INVALID_ARGUMENT", "msgTTL is"));
  }
  for (const ttl of ["", "0", "-1", "999ms", "0.5s", "soon", "1 h", "1.5", "Never", "1d", "1s\r\nX: y"]) {
    assert.throws(() => ttlText("ttl", ttl), failing("INVALID_ARGUMENT", `ttl is ${JSON.stringify(ttl)}`));
  }
});
