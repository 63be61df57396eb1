// Tests of src/lib/json.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../../src/lib/json.ts";

test("parses as JSON.parse does, with a reviver too", () => {
  assert.deepEqual(parseJson('{"a":[1,null,"x"]}'), { a: [1, null, "x"] });
  assert.deepEqual(
    parseJson("[1,2]", (_, value: unknown) => (typeof value === "number" ? value * 2 : value)),
    [2, 4],
  );
});

test("its errors are SyntaxErrors that say what is wrong and show nothing of the text", () => {
  for (const text of [
    "",
    "secret",
    '{"secret":}',
    '["secret", secret]',
    "'secret'",
    '"secret',
    `{"a":"${"secret".repeat(50)}`,
    "{secret",
  ]) {
    assert.throws(
      () => parseJson(text),
      (error) => {
        assert.ok(error instanceof SyntaxError);
        assert.ok(error.message.length > 5, `'${error.message}'`);
        assert.equal(/secret/.test(String(error.stack)), false, error.stack ?? "");
        return true;
      },
      text,
    );
  }
});

test("what a reviver throws is thrown on", () => {
  const mine = new RangeError("mine");
  assert.throws(
    () =>
      parseJson("1", () => {
        throw mine;
      }),
    (error) => error === mine,
  );
});
