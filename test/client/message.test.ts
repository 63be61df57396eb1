// Tests of src/client/message.ts: one message over the bytes it came in.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MsgImpl } from "../../src/client/message.ts";
import type { Payload, PublishOptions } from "../../src/client/connection.ts";
import { Empty, isNatsError, json, text } from "../../src/index.node.ts";

type Published = [subject: string, payload: Payload | undefined, options: PublishOptions | undefined];

/** A message that stands somewhere inside a larger chunk, as on the wire. */
function make(
  subject: string,
  {
    reply = "",
    headers = "",
    data = "",
  }: { reply?: string; headers?: string; data?: string | Uint8Array } = {},
) {
  const published: Published[] = [];
  const publisher = {
    publish: (to: string, payload?: Payload, options?: PublishOptions) => {
      published.push([to, payload, options]);
    },
  };
  const parts = ["junk", subject, " ", reply, "?", headers, data, "junk"].map((part) =>
    Buffer.from(part as string),
  );
  const at = (index: number) => parts.slice(0, index).reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.concat(parts);
  const msg = new MsgImpl(publisher, bytes, 7, at(1), at(2), at(3), at(4), at(5), at(6), at(7));
  return { msg, published, bytes };
}

describe("looks", () => {
  test("subject, reply, headers and data are those of the bytes", () => {
    const { msg } = make("a.b", { reply: "r.1", headers: "NATS/1.0\r\nA: b\r\n\r\n", data: "hello" });
    assert.equal(msg.subject, "a.b");
    assert.equal(msg.sid, 7);
    assert.equal(msg.reply, "r.1");
    assert.equal(msg.headers?.get("A"), "b");
    assert.equal(msg.headers, msg.headers);
    assert.equal(msg.string(), "hello");
    assert.equal(msg.size(), 3 + 3 + "NATS/1.0\r\nA: b\r\n\r\n".length + 5);
  });

  test("what is not there is undefined; the payload is never", () => {
    const { msg } = make("a");
    assert.equal(msg.reply, undefined);
    assert.equal(msg.headers, undefined);
    assert.deepEqual(msg.data, Empty);
    assert.equal(msg.string(), "");
    assert.equal(msg.size(), 1);
  });

  test("data is a plain Uint8Array over the same bytes, also where these are a Buffer", () => {
    const { msg, bytes } = make("a", { data: "abc" });
    assert.equal(Object.getPrototypeOf(msg.data), Uint8Array.prototype);
    assert.equal(msg.data, msg.data);
    assert.equal(msg.data.buffer, bytes.buffer);
  });

  test("subjects, and payloads, are UTF-8; a payload that is not is read leniently as text", () => {
    const { msg } = make("grüße.🦉", { data: Uint8Array.of(0x68, 0xff, 0x69) });
    assert.equal(msg.subject, "grüße.🦉");
    assert.equal(msg.string(), "h\ufffdi");
    assert.throws(
      () => msg.decode(text),
      (error) => isNatsError(error) && error.code === "CODEC",
    );
  });

  test("inspected it shows no payload", async () => {
    const { inspect } = await import("node:util");
    const { msg } = make("a", { data: "a secret", headers: "NATS/1.0\r\nToken: secret\r\n\r\n" });
    void msg.data;
    void msg.headers;
    assert.equal(inspect(msg, { depth: 9, showHidden: true }).includes("secret"), false);
  });
});

describe("decoding", () => {
  test("json() parses, with a reviver if given", () => {
    const { msg } = make("a", { data: '{"n":1}' });
    assert.deepEqual(msg.json(), { n: 1 });
    assert.deepEqual(
      msg.json((key, value: unknown) => (key === "n" ? 2 : value)),
      { n: 2 },
    );
  });

  test("json() of what is none fails with CODEC, the subject and the cause", () => {
    const { msg } = make("a.b", { data: "{" });
    assert.throws(
      () => msg.json(),
      (error) =>
        isNatsError(error) &&
        error.code === "CODEC" &&
        error.subject === "a.b" &&
        error.cause instanceof SyntaxError,
    );
  });

  test("decode() uses the codec; what a codec of the user throws is the user's", () => {
    const { msg } = make("a", { data: '["x"]' });
    assert.deepEqual(msg.decode(json), ["x"]);
    const mine = new RangeError("mine");
    const codec = {
      encode: () => Empty,
      decode: () => {
        throw mine;
      },
    };
    assert.throws(
      () => msg.decode(codec),
      (error) => error === mine,
    );
  });
});

describe("responding", () => {
  test("publishes to the reply subject and says so", () => {
    const { msg, published } = make("a", { reply: "r" });
    assert.equal(msg.respond("yes", { reply: "more" }), true);
    assert.equal(msg.respond(), true);
    assert.deepEqual(published, [
      ["r", "yes", { reply: "more" }],
      ["r", undefined, undefined],
    ]);
  });

  test("without a reply subject nothing is published", () => {
    const { msg, published } = make("a");
    assert.equal(msg.respond("yes"), false);
    assert.deepEqual(published, []);
  });
});

describe("C-REQ-1: nobody was there to answer", () => {
  const cases: [string, { headers?: string; data?: string }, boolean][] = [
    ["503 as of 2.9", { headers: "NATS/1.0 503\r\n\r\n" }, true],
    ["503 as of 2.12", { headers: "NATS/1.0 503\r\nNats-Subject: a\r\n\r\n" }, true],
    ["503 with a text", { headers: "NATS/1.0 503 No Responders\r\n\r\n" }, true],
    ["503 with a payload", { headers: "NATS/1.0 503\r\n\r\n", data: "x" }, false],
    ["another status", { headers: "NATS/1.0 404 No Messages\r\n\r\n" }, false],
    ["403", { headers: "NATS/1.0 403\r\n\r\n" }, false],
    ["513", { headers: "NATS/1.0 513\r\n\r\n" }, false],
    ["504", { headers: "NATS/1.0 504\r\n\r\n" }, false],
    ["a header that says 503", { headers: "NATS/1.0\r\n503: 503\r\n\r\n" }, false],
    ["no headers", {}, false],
    ["a payload that looks like it", { data: "NATS/1.0 503\r\n\r\n" }, false],
  ];
  for (const [name, parts, expected] of cases) {
    test(`${name}: ${expected}`, () => assert.equal(make("a", parts).msg.isNoResponders, expected));
  }
});
