import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isNatsError } from "../../src/errors.ts";
import { DecodeError } from "../../src/protocol/decoder.ts";
import { type Op, recorder } from "./recorder.ts";
import { draws } from "../fixtures/draws.ts";

interface Transcript {
  name: string;
  role: "client" | "server";
  wire: string;
  ops: Op[];
}

const transcripts = JSON.parse(
  readFileSync(new URL("../vectors/transcripts.json", import.meta.url), "utf8"),
) as Transcript[];

function wireOf(transcript: Transcript): Buffer {
  // the one transcript with non-ASCII text has its size in characters: make it bytes
  return Buffer.from(
    transcript.wire.replace(
      / 10\r\n(äöü 🚀)/u,
      (_, body: string) => ` ${Buffer.byteLength(body)}\r\n${body}`,
    ),
  );
}

for (const transcript of transcripts) {
  const wire = wireOf(transcript);

  test(`C-PROTO-1 C-PROTO-3 C-PROTO-4 C-PROTO-6 reads ${transcript.name}`, () => {
    const { decoder, ops, idle } = recorder(transcript.role);
    decoder.push(wire);
    assert.deepEqual(ops, transcript.ops);
    assert.equal(idle(), true);
  });

  test(`C-PROTO-2 reads ${transcript.name}, cut at every point`, () => {
    for (let cut = 0; cut <= wire.length; cut++) {
      const { decoder, ops, idle } = recorder(transcript.role);
      decoder.push(wire.subarray(0, cut));
      decoder.push(wire.subarray(cut));
      assert.deepEqual(ops, transcript.ops, `cut at ${cut}`);
      assert.equal(idle(), true);
    }
  });

  test(`C-PROTO-2 C-WS-4 reads ${transcript.name}, byte by byte with empty chunks between`, () => {
    const { decoder, ops } = recorder(transcript.role);
    for (let i = 0; i < wire.length; i++) {
      decoder.push(new Uint8Array(0));
      decoder.push(Uint8Array.of(wire[i] as number));
    }
    assert.deepEqual(ops, transcript.ops);
  });

  test(`reads ${transcript.name}, in any pieces`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(wire.length), { maxLength: 12 }), (cuts) => {
        const { decoder, ops } = recorder(transcript.role);
        let from = 0;
        for (const cut of [...cuts, wire.length].sort((a, b) => a - b)) {
          decoder.push(wire.subarray(from, cut));
          from = cut;
        }
        assert.deepEqual(ops, transcript.ops);
      }),
      draws(200),
    );
  });
}

const MALFORMED: [role: "client" | "server", wire: string, why: RegExp][] = [
  ["client", "HELLO\r\n", /not a protocol line/],
  ["client", "GARBAGE without an end", /not a protocol line/],
  ["client", "\u0000\u0001\u0002", /not a protocol line/],
  ["client", "\r\n", /not a protocol line/],
  ["client", "MSG a 1\r\n", /not a protocol line/],
  ["client", "MSG a 1 r x 5\r\n", /not a protocol line/],
  ["client", "MSG a 1 5x\r\nhello\r\n", /is not a size/],
  ["client", "MSG a 1 -5\r\nhello\r\n", /is not a size/],
  ["client", "MSG a 1 1234567890\r\n", /is not a size/],
  ["client", "HMSG a 1 12 5\r\nhello\r\n", /header of 12 bytes in a message of 5/],
  ["client", "HMSG a 1 5\r\nhello\r\n", /not a protocol line/],
  ["client", "MSG a 1 5\r\nhelloX\r\n", /not followed by CRLF/],
  ["client", "MSG a 1 5\r\nhello\n\n", /not followed by CRLF/],
  ["client", "PUB a 5\r\nhello\r\n", /not a protocol line/],
  ["client", "SUB a 1\r\n", /not a protocol line/],
  ["client", "CONNECT {}\r\n", /not a protocol line/],
  ["client", "PI\rNG\r\n", /not a protocol line/],
  ["server", "MSG a 1 5\r\nhello\r\n", /not a protocol line/],
  ["server", "HMSG a 1 5 5\r\nhello\r\n", /not a protocol line/],
  ["server", "INFO {\r\n", /other arguments than it takes/],
  ["server", "PUB a b c d e f g 1\r\n", /other arguments than it takes/],
  ["server", "PUB a\r\n", /other arguments than it takes/],
  ["server", "PUB a b c 1\r\nx\r\n", /other arguments than it takes/],
  ["server", "HPUB a 20 5\r\n", /header of 20 bytes in a message of 5/],
  ["server", "SUB a\r\n", /other arguments than it takes/],
  ["server", "SUB a b c d\r\n", /other arguments than it takes/],
  ["server", "UNSUB\r\n", /not a protocol line/],
  ["server", "-ERR 'x'\r\n", /other arguments than it takes/],
];

for (const [role, wire, why] of MALFORMED) {
  test(`C-PROTO-5 C-PROTO-7 C-PROTO-9 the ${role} role refuses ${JSON.stringify(wire)}`, () => {
    for (let cut = 0; cut < wire.length; cut++) {
      const { decoder } = recorder(role);
      const read = () => {
        decoder.push(Buffer.from(wire.slice(0, cut)));
        decoder.push(Buffer.from(wire.slice(cut)));
      };
      assert.throws(read, (error) => error instanceof DecodeError && why.test(error.message));
      // dead for good
      assert.throws(() => decoder.push(Buffer.from("PING\r\n")), DecodeError);
    }
  });
}

test("trap 41: an absurd size is refused before a byte of it is stored", () => {
  const { decoder } = recorder("client", { maxPayload: 1024 });
  assert.throws(
    () => decoder.push(Buffer.from("MSG a 1 999999999\r\n")),
    (error) => {
      assert.ok(error instanceof DecodeError);
      assert.equal(error.code, "MAX_PAYLOAD");
      assert.equal(error.limit, "payload");
      return true;
    },
  );
});

test("trap 41: a size within the limit takes memory as its bytes come, not ahead", () => {
  const { decoder } = recorder("client", { maxPayload: 999_999_999 });
  const before = process.memoryUsage().arrayBuffers;
  decoder.push(Buffer.from("MSG a 1 999999999\r\n"));
  const { arrayBuffers } = process.memoryUsage();
  assert.ok(arrayBuffers - before < 4 << 20, `${arrayBuffers - before} bytes`);
});

test("a control line over the limit is refused, also when its end never comes", () => {
  for (const end of ["", "\r\n"]) {
    const { decoder } = recorder("server");
    const line = Buffer.from(`PUB ${"a".repeat(5000)} 1${end}`);
    assert.throws(
      () => decoder.push(line),
      (error) => error instanceof DecodeError && error.limit === "control line",
    );
    const pieces = recorder("server").decoder;
    assert.throws(() => {
      for (const byte of line) pieces.push(Uint8Array.of(byte));
    }, DecodeError);
  }
});

test("C-LIM-2 a control line of 4096 bytes of arguments passes the server role", () => {
  const { decoder, ops } = recorder("server");
  const subject = "a".repeat(4094);
  decoder.push(Buffer.from(`PUB ${subject} 1\r\nx\r\n`));
  assert.deepEqual(ops, [["pub", subject, "", "", "x", "1"]]);
});

test("a payload of several megabytes in small chunks arrives whole", () => {
  const { decoder, ops } = recorder("client");
  const payload = Buffer.alloc(5 << 20, "abcdefghij");
  const wire = Buffer.concat([
    Buffer.from(`MSG a 1 ${payload.length}\r\n`),
    payload,
    Buffer.from("\r\nPING\r\n"),
  ]);
  for (let at = 0; at < wire.length; at += 60_001) decoder.push(wire.subarray(at, at + 60_001));
  assert.equal(ops.length, 2);
  assert.equal(ops[0]?.[5], payload.toString());
  assert.deepEqual(ops[1], ["ping"]);
});

test("an error of the sink ends the stream and is what push throws", () => {
  const { decoder, ops } = recorder("client");
  const failure = new Error("sink");
  ops.push = () => {
    throw failure;
  };
  assert.throws(() => decoder.push(Buffer.from("PING\r\nPING\r\n")), failure);
});

test("garbage gives only typed errors, and never hangs on to more than the limits", () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .constantFrom(
        "MSG a 1 3\r\nabc\r\n",
        "HMSG a 1 12 14\r\n",
        "PING\r\n",
        "INFO {",
        "-ERR '",
        "MSG ",
        "\r\n",
        "+OK\r",
      )
      .map((line) => Uint8Array.from(Buffer.from(line))),
  );
  for (const role of ["client", "server"] as const) {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), (chunks) => {
        const { decoder } = recorder(role, { maxControlLine: 256, maxPayload: 4096 });
        try {
          for (const bytes of chunks) decoder.push(bytes);
        } catch (error) {
          assert.ok(isNatsError(error), String(error));
        }
      }),
      draws(500),
    );
  }
});
