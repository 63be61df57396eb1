// Tests of src/codec/validated.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "../../src/codec/json.ts";
import { msgpack } from "../../src/codec/msgpack.ts";
import {
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
  validated,
  ValidationError,
} from "../../src/codec/validated.ts";
import { NatsError } from "../../src/errors.ts";

function schema<I, O = I>(
  validate: (value: unknown) => StandardResult<O> | Promise<StandardResult<O>>,
): StandardSchema<I, O> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

interface Order {
  id: number;
}

const order = schema<Order>((value) =>
  typeof (value as Order | null)?.id === "number"
    ? { value: value as Order }
    : { issues: [{ message: "id must be a number", path: ["order", { key: "id" }] }, { message: "bad" }] },
);

test("what fits the schema goes out and comes in, with its type", () => {
  for (const inner of [json, msgpack]) {
    const codec = validated(inner, order);
    const back: Order = codec.decode(codec.encode({ id: 7 }));
    assert.deepEqual(back, { id: 7 });
    assert.equal(codec.contentType, inner.contentType);
    // @ts-expect-error -- the schema gives the type of the codec
    assert.throws(() => codec.encode({ id: "7" }), ValidationError);
  }
});

test("what does not fit is a ValidationError with all issues, on both ways", () => {
  const codec = validated(json, order);
  const check = (error: unknown): boolean => {
    assert.ok(error instanceof ValidationError && error instanceof NatsError);
    assert.equal(error.code, "CODEC");
    assert.equal(error.name, "ValidationError");
    assert.equal(error.issues.length, 2);
    assert.equal((error.issues[0] as StandardIssue).message, "id must be a number");
    assert.match(error.message, /'order\.id'/);
    return true;
  };
  assert.throws(() => codec.encode({ id: "hunter2" } as never), check);
  assert.throws(() => codec.decode(json.encode({ id: "hunter2" })), check);
  assert.throws(
    () => codec.decode(json.encode({ id: "hunter2" })),
    (error: Error) => !error.message.includes("hunter2"),
  );
});

test("issues without a path are told too", () => {
  const codec = validated(
    json,
    schema(() => ({ issues: [{ message: "no" }] })),
  );
  assert.throws(() => codec.encode(1), { code: "CODEC", issues: [{ message: "no" }] });
});

test("a transform happens once, at the receiver", () => {
  const plusOne = schema<number>((value) => ({ value: (value as number) + 1 }));
  const codec = validated(json, plusOne);
  assert.deepEqual(codec.encode(1), json.encode(1));
  assert.equal(codec.decode(json.encode(1)), 2);
});

test("an asynchronous schema is a CODEC error that says so, and its rejection harms nobody", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  const codec = validated(
    json,
    schema(async () => Promise.reject(new Error("late"))),
  );
  for (const run of [() => codec.encode(1), () => codec.decode(json.encode(1))]) {
    assert.throws(run, { code: "CODEC", message: /asynchronous/ });
  }
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

test("a schema or a codec that throws is a CODEC error with its cause", () => {
  const own = new Error("mine");
  const fail = (): never => {
    throw own;
  };
  const broken = validated(json, schema(fail));
  assert.throws(() => broken.encode(1), { code: "CODEC", cause: own });
  const foreign = validated(
    { encode: fail, decode: fail },
    schema<number>((value) => ({ value: value as number })),
  );
  assert.throws(() => foreign.encode(1), { code: "CODEC", cause: own });
  assert.throws(() => foreign.decode(new Uint8Array(1)), { code: "CODEC", cause: own });
  assert.equal("contentType" in foreign, false);
  const nothing = validated(
    json,
    schema(() => undefined as never),
  );
  assert.throws(() => nothing.encode(1), { code: "CODEC" });
});
