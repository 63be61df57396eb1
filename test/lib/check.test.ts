// Check: the form of the message.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "../../src/errors.ts";
import { check, checkChoice } from "../../src/lib/check.ts";

test("what is refused is named, with its value and what to give", () => {
  check(true, "max", 1, "1 or more");
  checkChoice("overflow", "b", "a, b or c");
  assert.throws(
    () => check(false, "max", 0, "1 or more"),
    (error) => error instanceof InvalidArgumentError && error.message.endsWith("max is 0: give 1 or more"),
  );
  for (const choice of ["d", "", "a, b", undefined]) {
    assert.throws(
      () => checkChoice("overflow", choice as string, "a, b or c"),
      (error) =>
        error instanceof InvalidArgumentError &&
        error.message.endsWith(`overflow is '${choice}': give a, b or c`),
    );
  }
});
