// Pending: against a plain list, whatever is sent, postponed, acknowledged and due, in any order.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pending } from "../../src/server/jetstream/pending.ts";
import { draws } from "../fixtures/draws.ts";

interface Entry {
  seq: number;
  due: number;
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("send" as const), by: fc.nat(50) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("postpone" as const), by: fc.nat(50), pick: fc.nat() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("ack" as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), by: fc.nat(30) }) },
);

test("it knows what is open, which is the first, and what is due when", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const pending = new Pending();
      const open: Entry[] = [];
      let now = 0;
      let seq = 0;
      for (const one of steps) {
        const entry = "pick" in one ? open[one.pick % Math.max(1, open.length)] : undefined;
        if (one.do === "send") {
          seq++;
          pending.add({ seq, delivery: seq, at: now, due: now + one.by });
          open.push({ seq, due: now + one.by });
        } else if (one.do === "postpone" && entry !== undefined) {
          const sent = pending.get(entry.seq);
          assert.ok(sent);
          entry.due = now + one.by;
          pending.postpone(sent, entry.due);
        } else if (one.do === "ack" && entry !== undefined) {
          pending.delete(entry.seq);
          open.splice(open.indexOf(entry), 1);
        } else if (one.do === "pass") {
          now += one.by;
          const due = open.filter((other) => other.due <= now);
          assert.deepEqual(
            pending.takeDue(now).map((sent) => sent.seq),
            due.map((other) => other.seq),
          );
          for (const other of due) other.due = Infinity;
        }
        assert.equal(pending.size, open.length);
        assert.equal(pending.first()?.seq, open[0]?.seq);
        assert.equal(pending.nextDue, Math.min(Infinity, ...open.map(({ due }) => due)));
        assert.deepEqual(
          [...pending.values()].map((sent) => sent.seq),
          open.map((other) => other.seq),
        );
      }
    }),
    draws(200),
  );
});

test("deadlines that don't hold any more are not kept for ever", () => {
  const pending = new Pending();
  for (let seq = 1; seq <= 100_000; seq++) {
    pending.add({ seq, delivery: seq, at: seq, due: seq + 30_000 });
    if (seq > 10) pending.delete(seq - 10);
  }
  assert.equal(pending.size, 10);
  assert.equal(pending.first()?.seq, 99_991);
  assert.equal(pending.nextDue, 129_991);
});
