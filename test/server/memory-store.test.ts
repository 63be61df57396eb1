// The memory store against a plain list of messages.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemoryStore } from "../../src/server/jetstream/memory-store.ts";
import type { Stored } from "../../src/server/jetstream/stored.ts";
import { subjectMatches } from "../../src/protocol/subject.ts";
import { draws } from "../fixtures/draws.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const plain = ({ seq, subject, header, data, time }: Stored): Stored => ({
  seq,
  subject,
  header,
  data,
  time,
});

class Model {
  messages: Stored[] = [];
  firstSeq = 0;
  lastSeq = 0;
  lastTime = 0;

  settle(): void {
    if (this.messages.length > 0) this.firstSeq = (this.messages[0] as Stored).seq;
  }

  remove(keep: (message: Stored) => boolean): Stored[] {
    const gone = this.messages.filter((message) => !keep(message));
    this.messages = this.messages.filter(keep);
    if (this.messages.length > 0) this.settle();
    else if (gone.length > 0) this.firstSeq = this.lastSeq + 1;
    return gone;
  }
}

const SUBJECTS = ["a", "a.b", "a.c", "a.b.c", "b.c", "é.c"];
const FILTERS = [
  [],
  [">"],
  ["a"],
  ["a.*"],
  ["a.>"],
  ["*.c"],
  ["a.b", "b.c"],
  ["a.*", "*.c"],
  ["nobody"],
  ["*", "é.>"],
];

const command = fc.oneof(
  { weight: 8, arbitrary: fc.record({ append: fc.constantFrom(...SUBJECTS), size: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ skip: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ remove: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ upTo: fc.nat(60) }) },
);

test("the memory store is what a list of messages would be", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const store = new MemoryStore("memory");
      const model = new Model();
      let time = 1000;
      for (const one of commands) {
        time += 1.5;
        if ("append" in one) {
          const data = bytes("x".repeat(one.size));
          const stored = store.append(one.append, bytes(""), data, time);
          model.lastSeq++;
          model.messages.push({ seq: model.lastSeq, subject: one.append, header: bytes(""), data, time });
          model.lastTime = time;
          model.settle();
          assert.deepEqual(plain(stored), model.messages.at(-1));
        } else if ("skip" in one) {
          for (let i = 0; i < one.skip; i++) {
            store.skip(time);
            model.lastSeq++;
            model.lastTime = time;
            if (model.messages.length === 0) model.firstSeq = model.lastSeq + 1;
          }
        } else if ("remove" in one) {
          assert.equal(store.remove(one.remove)?.seq, model.remove(({ seq }) => seq !== one.remove)[0]?.seq);
        } else {
          const gone: Stored[] = [];
          const count = store.removeUpTo(one.upTo, (message) => gone.push(message));
          model.lastSeq = Math.max(model.lastSeq, one.upTo);
          assert.deepEqual(
            gone.map(({ seq }) => seq),
            model.remove(({ seq }) => seq > one.upTo).map(({ seq }) => seq),
          );
          if (model.messages.length === 0) model.firstSeq = Math.max(model.firstSeq, one.upTo + 1);
          assert.equal(count, gone.length);
        }
        same(store, model);
      }
    }),
    draws(150),
  );
});

function same(store: MemoryStore, { messages, firstSeq, lastSeq, lastTime }: Model): void {
  assert.equal(store.messages, messages.length);
  assert.equal(store.firstSeq, firstSeq);
  assert.equal(store.lastSeq, lastSeq);
  assert.equal(store.lastTime, lastTime);
  assert.equal(store.firstTime, messages[0]?.time ?? 0);
  assert.equal(
    store.bytes,
    messages.reduce((sum, { subject, data }) => sum + 16 + bytes(subject).length + data.length, 0),
  );
  assert.equal(store.subjectCount, new Set(messages.map(({ subject }) => subject)).size);
  const gaps = Array.from({ length: lastSeq - firstSeq + 1 }, (_, i) => firstSeq + i);
  const has = new Set(messages.map(({ seq }) => seq));
  assert.deepEqual(store.deleted(), messages.length === 0 ? [] : gaps.filter((seq) => !has.has(seq)));
  for (const seq of [0, 1, firstSeq, lastSeq, lastSeq + 1]) {
    assert.equal(store.get(seq)?.seq, messages.find((message) => message.seq === seq)?.seq);
  }
  for (const filters of FILTERS) {
    const matching = messages.filter(
      ({ subject }) => filters.length === 0 || filters.some((filter) => subjectMatches(filter, subject)),
    );
    const seqs = matching.map(({ seq }) => seq);
    for (const at of [0, firstSeq + 3, Math.floor((firstSeq + lastSeq) / 2), lastSeq]) {
      assert.equal(
        store.next(filters, at)?.seq,
        seqs.find((seq) => seq >= at),
        `next of ${filters.join()} at ${at}`,
      );
      assert.equal(
        store.last(filters, at)?.seq,
        seqs.findLast((seq) => seq <= at),
        `last of ${filters.join()} at ${at}`,
      );
      assert.equal(store.count(filters, at), seqs.filter((seq) => seq >= at).length);
      const latest = new Map(
        matching.filter(({ seq }) => seq <= at).map(({ subject, seq }) => [subject, seq]),
      );
      assert.deepEqual(
        store.lastOfEach(filters, at),
        [...latest.values()].sort((a, b) => a - b),
      );
    }
    assert.equal(store.last(filters)?.seq, seqs.at(-1));
  }
  for (const subject of SUBJECTS) {
    assert.equal(store.countOf(subject), messages.filter((message) => message.subject === subject).length);
  }
  for (const time of [0, 1010, (messages[0]?.time ?? 0) + 7, lastTime, lastTime + 1]) {
    assert.equal(store.seqAt(time), messages.find((message) => message.time >= time)?.seq ?? lastSeq + 1);
  }
}

test("blocks without messages are left out, and what is behind them is found", () => {
  const store = new MemoryStore("file");
  for (let i = 0; i < 5000; i++) store.append(`s.${i % 7}`, bytes(""), bytes("x"), i);
  for (let seq = 500; seq < 4500; seq++) store.remove(seq);
  assert.equal(store.next([], 600)?.seq, 4500);
  assert.equal(store.last([], 4400)?.seq, 499);
  assert.equal(store.next(["s.*"], 600)?.seq, 4500);
  assert.equal(store.count([], 600), 501);
  assert.equal(store.seqAt(600), 4500);
  assert.equal(store.deleted().length, 4000);
  store.removeUpTo(1_000_000_000_000, () => {});
  assert.deepEqual(
    [store.firstSeq, store.lastSeq, store.messages],
    [1_000_000_000_001, 1_000_000_000_000, 0],
  );
  assert.equal(store.append("s", bytes(""), bytes(""), 1).seq, 1_000_000_000_001);
});

test("what a filter with thousands of subjects matches is found wherever it is, and what it doesn't is not", () => {
  const store = new MemoryStore("file");
  const names = [
    ...Array.from({ length: 6000 }, (_, i) => `cold.${i}.x`),
    ...Array.from({ length: 6000 }, (_, i) =>
      i === 4000 ? "cold.again.y" : `hot.${i}.${i % 2 ? "x" : "z"}`,
    ),
  ];
  for (const [i, name] of names.entries()) store.append(name, bytes(""), bytes(""), i);
  store.remove(3000);
  const filters = [["cold.>"], ["cold.*.*"], ["*.*.x"], ["*.*.y"], ["*.*.none"], ["*.*"], ["hot.>", "*.*.y"]];
  for (const filter of filters) {
    const seqs = names.flatMap((name, i) =>
      i !== 2999 && filter.some((one) => subjectMatches(one, name)) ? [i + 1] : [],
    );
    for (const at of [1, 2999, 5500, 6001, 9000, 10_001, 10_002, 12_000]) {
      const what = `${filter.join()} at ${at}`;
      assert.equal(
        store.next(filter, at)?.seq,
        seqs.find((seq) => seq >= at),
        what,
      );
      assert.equal(
        store.last(filter, at)?.seq,
        seqs.findLast((seq) => seq <= at),
        what,
      );
    }
  }
});

test("a file counts 30 bytes for a message, and 4 more where it has headers; memory 16", () => {
  const sizes = (accounting: "file" | "memory"): number[] => {
    const store = new MemoryStore(accounting);
    return [store.size("é", bytes(""), bytes("12345")), store.size("ab", bytes("hdr"), bytes("12345"))];
  };
  assert.deepEqual(sizes("file"), [37, 44]);
  assert.deepEqual(sizes("memory"), [23, 26]);
});

test("the first message has the sequence that was asked for", () => {
  const store = new MemoryStore("file", 100);
  assert.deepEqual([store.firstSeq, store.lastSeq], [100, 99]);
  assert.equal(store.append("a", bytes(""), bytes(""), 1).seq, 100);
});

test("subjects come sorted by their bytes, with their counts", () => {
  const store = new MemoryStore("file");
  for (const subject of ["s.b", "s.a", "s.é", "s.b", "s.\u{1f600}", "s.\uffee", "t"])
    store.append(subject, bytes(""), bytes(""), 1);
  assert.deepEqual(
    [...store.subjects("s.*")],
    [
      ["s.a", 1],
      ["s.b", 2],
      ["s.é", 1],
      ["s.\uffee", 1],
      ["s.\u{1f600}", 1],
    ],
  );
});
