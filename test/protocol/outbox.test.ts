import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNatsError } from "../../src/errors.ts";
import { MsgHdrsImpl } from "../../src/protocol/headers.ts";
import { type Chunk, Outbox } from "../../src/protocol/outbox.ts";
import { type Op, recorder } from "./recorder.ts";
import { draws } from "../fixtures/draws.ts";

function textOf(chunks: readonly Chunk[]): string {
  return Buffer.concat(chunks.map(({ bytes }) => bytes)).toString();
}

function opsOf(chunks: readonly Chunk[]): Op[] {
  const { decoder, ops, idle } = recorder("server", { maxControlLine: 1 << 20 });
  for (const { bytes } of chunks) decoder.push(bytes);
  assert.equal(idle(), true, "whole operations only");
  return ops;
}

test("C-PROTO-4 writes upper-case operations, single blanks and CRLF", () => {
  const outbox = new Outbox();
  outbox.message("a.b", undefined, undefined, undefined, 0);
  outbox.message("a.b", undefined, undefined, "hello", 0);
  outbox.message("a.b", "r.1", undefined, Uint8Array.of(104, 105), 0);
  const headers = new MsgHdrsImpl();
  headers.set("Name", "v1");
  outbox.message("a.b", "r.2", headers, "hi", 0);
  outbox.control("SUB a.* 1\r\n");
  assert.equal(
    textOf(outbox.take()),
    "PUB a.b 0\r\n\r\nPUB a.b 5\r\nhello\r\nPUB a.b r.1 2\r\nhi\r\n" +
      "HPUB a.b r.2 22 24\r\nNATS/1.0\r\nName: v1\r\n\r\nhi\r\nSUB a.* 1\r\n",
  );
});

test("what is written is what a server reads: any subjects, headers and payloads", () => {
  const token = fc.stringMatching(/^[a-zA-Z0-9_$/é日🚀-]{1,12}$/u);
  const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
  const header = fc.tuple(fc.stringMatching(/^[!-9;-~]{1,12}$/), fc.stringMatching(/^[ -~é日🚀]{0,20}$/u));
  const payload = fc.oneof(fc.string({ unit: "grapheme", maxLength: 80 }), fc.uint8Array({ maxLength: 300 }));
  const message = fc.record({
    subject,
    reply: fc.option(subject, { nil: undefined }),
    headers: fc.option(fc.array(header, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    payload,
  });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 60 }), (messages) => {
      const outbox = new Outbox();
      const expected: Op[] = [];
      for (const each of messages) {
        const headers = each.headers && new MsgHdrsImpl();
        for (const [name, value] of each.headers ?? []) headers?.append(name, value);
        outbox.message(each.subject, each.reply, headers, each.payload, 0);
        const block = headers === undefined ? "" : Buffer.from(headers.encode()).toString();
        const body = Buffer.from(each.payload as string);
        const total = Buffer.byteLength(block) + body.length;
        const sizes = headers === undefined ? `${total}` : `${Buffer.byteLength(block)} ${total}`;
        expected.push(["pub", each.subject, each.reply ?? "", block, body.toString(), sizes]);
        assert.equal(outbox.lastSize, total);
      }
      assert.equal(outbox.messages, messages.length);
      const { bytes } = outbox;
      const chunks = outbox.take();
      assert.equal(
        bytes,
        chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0),
      );
      assert.deepEqual(opsOf(chunks), expected);
      assert.equal(outbox.bytes, 0);
    }),
    draws(200),
  );
});

const REFUSED: unknown[] = [
  "",
  "a b",
  "a..b",
  ".a",
  "a.",
  "a.*",
  "a.>",
  ">",
  "a\r\nPUB x 0",
  "a\tb",
  "a\u0000",
  7,
  null,
  undefined,
];

for (const subject of REFUSED) {
  test(`C-SUBJ-2 C-SUBJ-3 refuses the subject ${JSON.stringify(subject)} and keeps what it had`, () => {
    const outbox = new Outbox();
    outbox.message("before", undefined, undefined, "1", 0);
    assert.throws(
      () => outbox.message(subject as string, undefined, undefined, "x", 0),
      (error) => isNatsError(error) && error.code === "INVALID_SUBJECT",
    );
    if (subject !== undefined) {
      assert.throws(
        () => outbox.message("a", subject as string, undefined, "x", 0),
        (error) => isNatsError(error) && error.code === "INVALID_SUBJECT",
      );
    }
    outbox.message("after", undefined, undefined, "2", 0);
    assert.equal(outbox.messages, 2);
    assert.equal(textOf(outbox.take()), "PUB before 1\r\n1\r\nPUB after 1\r\n2\r\n");
  });
}

test("a star or an arrow inside a longer token is a character like any other", () => {
  const outbox = new Outbox();
  outbox.message("a*b.c>", undefined, undefined, undefined, 0);
  assert.equal(textOf(outbox.take()), "PUB a*b.c> 0\r\n\r\n");
});

test("trap 48: a payload of another type is refused with its type and the cure", () => {
  const outbox = new Outbox();
  for (const [payload, kind] of [
    [{ a: 1 }, "Object"],
    [12, "Number"],
    [null, "null"],
    [new ArrayBuffer(3), "ArrayBuffer"],
  ] as const) {
    assert.throws(
      () => outbox.message("a", undefined, undefined, payload as never, 0),
      (error) => isNatsError(error) && error.code === "INVALID_ARGUMENT" && error.message.includes(kind),
    );
  }
  assert.equal(outbox.bytes, 0);
});

test("C-LIM-1 a message over max_payload is refused, header and payload counted together", () => {
  const outbox = new Outbox();
  const headers = new MsgHdrsImpl();
  headers.set("A", "b");
  const block = headers.encode().length;
  outbox.message("a", undefined, headers, new Uint8Array(100 - block), 100);
  assert.throws(
    () => outbox.message("a", undefined, headers, new Uint8Array(101 - block), 100),
    (error) => isNatsError(error) && error.code === "MAX_PAYLOAD" && error.subject === "a",
  );
  assert.equal(outbox.messages, 1);
});

test("payloads are copied: the caller may change them after the call", () => {
  const outbox = new Outbox();
  const payload = new Uint8Array(200).fill(97);
  outbox.message("a", undefined, undefined, payload, 0);
  payload.fill(98);
  assert.match(textOf(outbox.take()), /^PUB a 200\r\na{200}\r\n$/);
});

test("what was taken is never written to again", () => {
  const outbox = new Outbox();
  outbox.message("a", undefined, undefined, "1", 0);
  const [first] = outbox.take();
  const copy = first?.bytes.slice();
  for (let i = 0; i < 1000; i++) outbox.message("b", undefined, undefined, "22222222", 0);
  assert.deepEqual(first?.bytes, copy);
});

test("takeSome gives whole chunks of about the size asked for, in order, and keeps count", () => {
  const outbox = new Outbox();
  for (let i = 0; i < 2000; i++)
    outbox.message("a", undefined, undefined, new Uint8Array(100).fill(48 + (i % 10)), 0);
  const all: Chunk[] = [];
  let rounds = 0;
  while (outbox.bytes > 0) {
    const before = outbox.bytes;
    const some = outbox.takeSome(20_000);
    assert.ok(some.length > 0);
    assert.equal(
      before - outbox.bytes,
      some.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
    all.push(...some);
    rounds++;
  }
  assert.ok(rounds > 3, `${rounds}`);
  assert.equal(outbox.messages, 0);
  assert.equal(
    all.reduce((sum, { messages }) => sum + messages, 0),
    2000,
  );
  assert.deepEqual(
    opsOf(all).map((op) => (op[4] as string)[0]),
    Array.from({ length: 2000 }, (_, i) => `${i % 10}`),
  );
});

test("C-ADR40-16 restore puts unsent messages in front and forgets control operations", () => {
  const outbox = new Outbox();
  outbox.control("SUB a 1\r\n");
  outbox.message("m", undefined, undefined, "1", 0);
  outbox.control("PING\r\n");
  outbox.message("m", undefined, undefined, "2", 0);
  const taken = outbox.take();
  outbox.control("UNSUB 1\r\n");
  outbox.message("m", undefined, undefined, "3", 0);
  outbox.control("PING\r\n");
  outbox.restore(taken);
  assert.equal(outbox.messages, 3);
  outbox.message("m", undefined, undefined, "4", 0);
  const chunks = outbox.take();
  assert.equal(textOf(chunks), ["1", "2", "3", "4"].map((body) => `PUB m 1\r\n${body}\r\n`).join(""));
});

test("restore of nothing but control operations leaves nothing", () => {
  const outbox = new Outbox();
  outbox.control("PING\r\n");
  outbox.restore([]);
  assert.equal(outbox.bytes, 0);
  assert.deepEqual(outbox.take(), []);
});

test("memory is written again only when the link says that what was in it is gone", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant("message" as const), size: fc.nat(40_000) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("message" as const), size: fc.nat(1_500_000) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("control" as const), size: fc.nat(30) }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant("take" as const), size: fc.nat(2_000_000) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("gone" as const), size: fc.constant(0) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const outbox = new Outbox();
      const given: { chunk: Chunk; copy: Buffer }[] = [];
      const intact = () => {
        for (const { chunk, copy } of given)
          assert.ok(copy.equals(chunk.bytes), "what was taken has changed");
      };
      steps.forEach(({ op, size }, i) => {
        if (op === "message") {
          outbox.message("m", undefined, undefined, new Uint8Array(size).fill(i), 0);
        } else if (op === "control") {
          outbox.control(`${"x".repeat(size)}\r\n`);
        } else if (op === "take") {
          for (const chunk of outbox.takeSome(size)) given.push({ chunk, copy: Buffer.from(chunk.bytes) });
        } else {
          intact();
          outbox.reuse(given.splice(0).map(({ chunk }) => chunk));
          outbox.rewind();
        }
      });
      intact();
    }),
    draws(60),
  );
});

test("a link that takes everything at once gets the same memory again and again", () => {
  const outbox = new Outbox();
  const buffers = new Set<ArrayBufferLike>();
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 20; i++) outbox.message("m", undefined, undefined, new Uint8Array(128), 0);
    const chunks = outbox.take();
    for (const { bytes } of chunks) buffers.add(bytes.buffer);
    outbox.reuse(chunks);
    outbox.rewind();
  }
  assert.equal(buffers.size, 1);
  outbox.message("m", undefined, undefined, new Uint8Array(4_000_000), 0);
  outbox.take();
  outbox.rewind();
  outbox.message("m", undefined, undefined, "small", 0);
  const [chunk] = outbox.take();
  assert.ok(
    (chunk as Chunk).bytes.buffer.byteLength < 1_000_000,
    "what one large message needed is not kept",
  );
});

test("nothing is written over while something waits", () => {
  const outbox = new Outbox();
  outbox.message("m", undefined, undefined, "first", 0);
  outbox.rewind();
  outbox.message("m", undefined, undefined, "second", 0);
  assert.equal(textOf(outbox.take()), "PUB m 5\r\nfirst\r\nPUB m 6\r\nsecond\r\n");
});
