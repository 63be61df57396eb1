import assert from "node:assert/strict";
import { test } from "node:test";
import { exactSequence, parseAckSubject, SequenceReader } from "../../src/jetstream/ack-subject.ts";
import { utf8Encoder } from "../../src/lib/bytes.ts";
import { failing } from "../traps/support.ts";

const V1 = "$JS.ACK.orders.worker.3.17.42.1795445854845825788.5";
const V2 = "$JS.ACK.hub.NUmM6cRx.orders.worker.3.17.42.1795445854845825788.5";

/** As it is in the middle of what came. */
function read(reader: SequenceReader, subject: string): boolean {
  const bytes = utf8Encoder.encode(`MSG x 1 ${subject} 5`);
  return reader.read(bytes, 8, 8 + subject.length);
}

test("trap 89: an ack subject of 9, 11 and 12 tokens says the same of the delivery (C-ADR15-1)", () => {
  const delivery = {
    domain: "",
    stream: "orders",
    consumer: "worker",
    deliveryCount: 3,
    redelivered: true,
    streamSequence: 17,
    deliverySequence: 42,
    timestampNanos: 1795445854845825788n,
    pending: 5,
  };
  assert.deepEqual(parseAckSubject(V1), delivery);
  const long = { ...delivery, domain: "hub", account_hash: "NUmM6cRx" };
  assert.deepEqual(parseAckSubject(V2), long);
  assert.deepEqual(parseAckSubject(`${V2}.more.and.more`), long);
  assert.equal(parseAckSubject(V2.replace(".hub.", "._.")).domain, "");
});

test("what is no ack subject is refused: 8 and 10 tokens, and other subjects (C-ADR15-1)", () => {
  for (const subject of [
    "",
    "orders.new",
    "$JS.ACK.s.c.1.1.1.1",
    "$JS.ACK.d.s.c.1.1.1.1.0",
    "$JS.FC.s.c.1.2.3.4.5",
  ]) {
    assert.throws(() => parseAckSubject(subject), failing("INVALID_OPERATION", "no ack subject"));
    assert.throws(() => exactSequence(subject), failing("INVALID_OPERATION"));
    assert.equal(read(new SequenceReader(), subject), false, subject);
  }
});

test("a sequence that a number would round is exact as a bigint", () => {
  const subject = V1.replace(".17.", ".9007199254740993.");
  assert.equal(exactSequence(subject), 9007199254740993n);
  assert.equal(exactSequence(V2), 17n);
});

test("the reader of sequences reads both forms, of one consumer after the other", () => {
  const reader = new SequenceReader();
  for (const subject of [V1, V2, V1]) {
    reader.reset();
    assert.equal(read(reader, subject), true);
    assert.deepEqual([reader.stream, reader.delivery], [17, 42]);
    assert.equal(read(reader, ""), false);
    assert.equal(read(reader, subject.replace(".17.42.", ".1800000.43.")), true);
    assert.deepEqual([reader.stream, reader.delivery], [1800000, 43]);
  }
});
