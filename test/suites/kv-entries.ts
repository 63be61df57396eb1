// Suite: entries of buckets: written, read, deleted, with expectations and TTLs (ADR-8, ADR-48).
import { WrongLastSequenceError } from "../../src/jetstream/index.ts";
import type { KV } from "../../src/kv/index.ts";
import { text } from "../../src/codec/index.ts";
import type { Suite } from "./harness.ts";
import { all, bucket, shown, texts } from "./kv-support.ts";
import { atLeast, check, equal, eventually, ok, rejects, within } from "./tools.ts";

/** The conflict that a write ends in. */
async function conflict(write: Promise<unknown>): Promise<WrongLastSequenceError> {
  const error = await rejects(write, "WRONG_LAST_SEQUENCE");
  ok(error instanceof WrongLastSequenceError);
  return error;
}

const sorted = async (keys: AsyncIterable<string>): Promise<string[]> => (await all(keys)).sort();

export const kvEntries: Suite = {
  name: "kv entries",
  needs: ["jetstream"],
  cases: {
    "what is put is got, with its revision and its time (C-ADR8-10, C-ADR8-20, C-ADR8-24)": async (
      harness,
    ) => {
      const { kv, jsm, name } = await bucket(harness, { history: 5 });
      const before = Date.now();
      equal(await kv.put("a.b", "one"), 1);
      equal(await kv.put("a.b", new Uint8Array([1, 2, 3])), 2);
      equal(await kv.put("c", JSON.stringify({ n: 1 })), 3);
      const entry = await kv.get("a.b");
      ok(entry !== null);
      equal([entry.bucket, entry.key, entry.rawKey, entry.revision], [name, "a.b", "a.b", 2]);
      equal([entry.operation, entry.reason, entry.length, entry.delta], ["PUT", undefined, 3, 0]);
      equal(entry.value, new Uint8Array([1, 2, 3]));
      const stored = await jsm.streams.getMessage(`KV_${name}`, { seq: 2 });
      equal([entry.createdNanos, entry.created], [stored?.timestampNanos, stored?.time]);
      ok(Math.abs(entry.created.getTime() - before) < 60_000, String(entry.created));
      equal((await kv.get("c"))?.json(), { n: 1 });
      equal((await kv.get("c"))?.decode(text), '{"n":1}');
      equal(await kv.get("none"), null);
      // a value has no headers of ours
      equal([...(stored?.header.keys() ?? [])], []);
      equal(stored?.subject, `$KV.${name}.a.b`);
      equal((await kv.get("a.b", { leader: true }))?.revision, 2);
      try {
        entry.json();
        ok(false, "it is not JSON");
      } catch (error) {
        check(error, "CODEC");
      }
    },

    "a revision is got under its own key only (C-ADR8-23, trap 97)": async (harness) => {
      const { kv } = await bucket(harness, { history: 3 });
      await kv.put("a", "1");
      await kv.put("b", "2");
      await kv.put("a", "3");
      for (const leader of [false, true]) {
        equal((await kv.get("a", { revision: 1, leader }))?.string(), "1");
        equal((await kv.get("a", { revision: 3, leader }))?.string(), "3");
        equal(await kv.get("a", { revision: 2, leader }), null);
        equal(await kv.get("a", { revision: 9, leader }), null);
      }
      for (const revision of [0, -1, 1.5, NaN]) await rejects(kv.get("a", { revision }), "INVALID_ARGUMENT");
    },

    "expectations hold: put, update, delete and purge by revision, 0 included (C-ADR8-12, C-ADR8-16, C-ADR8-17)":
      async (harness) => {
        const { kv } = await bucket(harness, { history: 5 });
        equal(await kv.put("a", "1", { previousSeq: 0 }), 1);
        const late = await conflict(kv.put("a", "2", { previousSeq: 0 }));
        equal([late.expected, late.actual, late.apiErrorCode], [0, 1, 10071]);
        equal(await kv.update("a", "2", 1), 2);
        equal([(await conflict(kv.update("a", "3", 1))).actual], [2]);
        for (const version of [0, -1, NaN]) await rejects(kv.update("a", "x", version), "INVALID_ARGUMENT");
        await conflict(kv.delete("a", { previousSeq: 1 }));
        await conflict(kv.delete("a", { previousSeq: 0 }));
        await conflict(kv.purge("a", { previousSeq: 1 }));
        equal((await kv.get("a"))?.string(), "2");
        await kv.delete("a", { previousSeq: 2 });
        equal(await kv.get("a"), null);
        await kv.purge("a", { previousSeq: 3 });
        equal(await texts(await kv.history()), ["a PURGE@4"]);
        await kv.delete("none", { previousSeq: 0 });
        for (const previousSeq of [-1, 0.5, NaN]) {
          await rejects(kv.put("a", "x", { previousSeq }), "INVALID_ARGUMENT");
        }
      },

    "a deleted key is null, and its marker is there for who asks (C-ADR8-16, C-ADR8-22)": async (harness) => {
      const { kv, jsm, name } = await bucket(harness, { history: 5 });
      await kv.put("a", "1");
      await kv.delete("a");
      for (const leader of [false, true]) equal(await kv.get("a", { leader }), null);
      equal(await kv.get("a", { revision: 2 }), null);
      const marker = await kv.get("a", { deleted: true });
      equal([marker?.operation, marker?.revision, marker?.length], ["DEL", 2, 0]);
      const raw = await jsm.streams.getMessage(`KV_${name}`, { seq: 2 });
      equal(
        [raw?.header.get("KV-Operation"), [...(raw?.header.keys() ?? [])], raw?.data.length],
        ["DEL", ["KV-Operation"], 0],
      );
      equal(await texts(await kv.history({ key: "a" })), ["a=1@1", "a DEL@2"]);
      await kv.purge("a");
      const purged = await jsm.streams.getMessage(`KV_${name}`, { seq: 3 });
      equal(
        [purged?.header.get("KV-Operation"), purged?.header.get("Nats-Rollup"), purged?.data.length],
        ["PURGE", "sub", 0],
      );
      equal(await texts(await kv.history({ key: "a" })), ["a PURGE@3"]);
      // deleting what is not there writes a marker
      await kv.delete("none");
      equal((await kv.get("none", { deleted: true }))?.operation, "DEL");
    },

    "create sets what has no value: new, deleted or purged (C-ADR8-13, trap 95)": async (harness) => {
      const { kv } = await bucket(harness, { history: 2 });
      equal(await kv.create("a", "1"), 1);
      const exists = await conflict(kv.create("a", "2"));
      equal([exists.expected, exists.actual], [0, 1]);
      await kv.delete("a");
      equal(await kv.create("a", "3"), 3);
      await kv.purge("a");
      equal(await kv.create("a", "4"), 5);
      equal((await kv.get("a"))?.string(), "4");
      // one of many
      const racing = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => kv.create("b", String(i))),
      );
      const won = racing.filter(({ status }) => status === "fulfilled");
      equal(won.length, 1);
      for (const one of racing) if (one.status === "rejected") check(one.reason, "WRONG_LAST_SEQUENCE");
      // and of many over a marker
      await kv.delete("b");
      const again = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => kv.create("b", String(i))));
      equal(again.filter(({ status }) => status === "fulfilled").length, 1);
    },

    "a filter deletes and purges all keys that it matches, and expects nothing of them (C-ADR8-16)": async (
      harness,
    ) => {
      const { kv } = await bucket(harness, { history: 3 });
      for (let i = 0; i < 150; i++) void kv.put(`a.${i}`, "x");
      await kv.put("b.1", "x");
      await kv.put("b.2", "x");
      await kv.put("c", "x");
      await kv.delete("a.*");
      equal(await sorted(await kv.keys()), ["b.1", "b.2", "c"]);
      equal((await kv.get("a.149", { deleted: true }))?.operation, "DEL");
      await kv.purge("b.>");
      equal((await kv.get("b.1", { deleted: true }))?.operation, "PURGE");
      await rejects(kv.delete("*", { previousSeq: 1 }), "INVALID_ARGUMENT");
      await rejects(kv.purge(">", { previousSeq: 0 }), "INVALID_ARGUMENT");
      equal(await sorted(await kv.keys()), ["c"]);
    },

    "keys: each that has a value, once, also filtered (C-ADR8-27, C-ADR8-28, trap 92)": async (harness) => {
      const { kv } = await bucket(harness, { history: 3 });
      equal(await all(await kv.keys()), []);
      for (const key of ["a.1", "a.2", "b.1", "c", "a.1", "a.1"]) await kv.put(key, "x");
      await kv.delete("a.2");
      equal(await sorted(await kv.keys()), ["a.1", "b.1", "c"]);
      equal(await sorted(await kv.keys("a.*")), ["a.1"]);
      equal(await sorted(await kv.keys("c")), ["c"]);
      equal(await sorted(await kv.keys("none.>")), []);
      if (atLeast(harness.version, "2.10"))
        equal(await sorted(await kv.keys(["a.>", "c", "z"])), ["a.1", "c"]);
      else await rejects(kv.keys(["a.>", "c"]), "UNSUPPORTED");
      await kv.purge(">");
      equal(await all(await kv.keys()), []);
    },

    "keys of a bucket with history are all there, while the first ones change (C-ADR8-27, C-ADR8-31)": async (
      harness,
    ) => {
      const { kv } = await bucket(harness, { history: 3 });
      const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
      for (const key of keys) await kv.put(key, "");
      const expected = [...keys].sort();
      // a server that comes to one which was replaced before it was sent waits, which it does not every time
      for (let round = 0; round < 10; round++) {
        const puts = keys.slice(0, 10).flatMap((key) => [1, 2, 3].map((n) => kv.put(key, `${round} ${n}`)));
        const [found] = await Promise.all([within(kv.keys().then(sorted), "the keys do not end"), ...puts]);
        equal(found, expected);
      }
    },

    "keys stay right while others write: none twice, none missing (C-ADR8-27, C-ADR8-33, trap 92)": async (
      harness,
    ) => {
      const { kv } = await bucket(harness, { history: 3 });
      const expected = Array.from({ length: 300 }, (_, i) => `k.${1000 + i}`);
      await Promise.all(expected.map((key) => kv.put(key, "x")));
      let writing = true;
      const writer = (async () => {
        for (let i = 0; writing; i++) {
          await Promise.all([0, 7, 113, 299].map((n) => kv.put(expected[(i + n) % 300] as string, "y")));
        }
      })();
      for (let round = 0; round < 5; round++) {
        equal(await sorted(await within(kv.keys(), "keys do not begin")), expected);
      }
      writing = false;
      await writer;
    },

    "history has all that is kept, the oldest first, and ends (C-ADR8-26, trap 91)": async (harness) => {
      const { kv } = await bucket(harness, { history: 3 });
      equal(await texts(await within(kv.history(), "it does not end")), []);
      for (let i = 1; i <= 5; i++) await kv.put("a.1", String(i));
      await kv.put("b", "6");
      await kv.delete("a.1");
      equal(await texts(await kv.history()), ["a.1=4@4", "a.1=5@5", "b=6@6", "a.1 DEL@7"]);
      equal(await texts(await kv.history({ key: "a.*" })), ["a.1=4@4", "a.1=5@5", "a.1 DEL@7"]);
      const bare = await all(await kv.history({ key: "b", headers_only: true }));
      equal(
        bare.map(({ length, value }) => [length, value.length]),
        [[1, 0]],
      );
      equal(await texts(await kv.history({ key: "none" })), []);
      await kv.purge("b");
      equal(await texts(await kv.history({ key: "b" })), ["b PURGE@8"]);
    },

    "a connection that ends before all keys have come is an error of those who read them; stop is none":
      async (harness) => {
        const { nc, kv } = await bucket(harness);
        // more than comes at once with the answer that it begins with
        const count = 1000;
        const pad = "x".repeat(1000);
        await Promise.all(Array.from({ length: count }, (_, i) => kv.put(`${i}.${pad}`, "")));
        const stopped = await kv.keys();
        stopped.stop();
        equal(await all(stopped), []);
        const keys = await kv.keys();
        const closed = nc.close();
        let found = 0;
        const read = async (): Promise<void> => {
          for await (const _ of keys) found++;
        };
        const failure = await read().catch((error: unknown) => error);
        if (found < count) check(failure, "CLOSED");
        await closed;
      },

    "modify changes a value by what it is, whoever else does (C-ADR8-12)": async (harness) => {
      const { kv } = await bucket(harness, { history: 3 });
      const other = (await bucket(harness, { history: 3 })).kv;
      const add = (to: KV): Promise<number> =>
        to.modify("n", (entry) => String(Number(entry?.string() ?? 0) + 1));
      equal(await add(kv), 1);
      await Promise.all(Array.from({ length: 20 }, (_, i) => add(i % 2 ? kv : other)));
      equal((await kv.get("n", { leader: true }))?.string(), "21");
      // left as it is
      equal(await kv.modify("n", () => undefined), 21);
      equal(await kv.modify("none", () => undefined), 0);
      equal(await kv.modify("none", () => null), 0);
      equal(await kv.get("none", { deleted: true }), null);
      // deleted, and set again
      equal(await kv.modify("n", async () => Promise.resolve(null)), 0);
      equal(await kv.modify("n", (entry) => (entry === null ? "new" : "old")), 23);
      equal((await kv.get("n"))?.string(), "new");
      // what it throws is thrown, and nothing is written
      const mine = new Error("mine");
      equal(
        await kv
          .modify("n", () => {
            throw mine;
          })
          .catch((error: unknown) => error),
        mine,
      );
      equal((await kv.get("n"))?.revision, 23);
      // others are always faster
      const beaten = kv.modify(
        "n",
        async () => {
          await other.put("n", "theirs");
          return "mine";
        },
        { timeout: 300 },
      );
      // or the last attempt took what was left of the time
      await rejects(beaten, ["WRONG_LAST_SEQUENCE", "TIMEOUT"]);
      const abort = new AbortController();
      const ended = kv.modify(
        "n",
        async () => {
          await other.put("n", "theirs");
          abort.abort();
          return "mine";
        },
        { signal: abort.signal },
      );
      await rejects(ended, ["ABORTED", "WRONG_LAST_SEQUENCE"]);
    },

    "what can't be a key is refused before anything is sent (C-ADR8-2, C-ADR54-4, trap 94)": async (
      harness,
    ) => {
      const { kv, info, kvm } = await bucket(harness);
      const { state } = await info();
      for (const key of [
        "",
        ".",
        ".a",
        "a.",
        "a..b",
        "a b",
        "ä",
        "a*",
        "a>b",
        "a\n",
        5 as never,
        undefined as never,
      ]) {
        await rejects(kv.put(key, "x"), "INVALID_ARGUMENT");
        await rejects(kv.get(key), "INVALID_ARGUMENT");
        await rejects(kv.create(key, "x"), "INVALID_ARGUMENT");
        await rejects(kv.delete(key), "INVALID_ARGUMENT");
        await rejects(kv.purge(key), "INVALID_ARGUMENT");
        await rejects(
          kv.modify(key, () => "x"),
          "INVALID_ARGUMENT",
        );
        if (key === undefined) continue;
        await rejects(kv.watch({ key }), "INVALID_ARGUMENT");
        await rejects(kv.keys(key), "INVALID_ARGUMENT");
        await rejects(kv.history({ key }), "INVALID_ARGUMENT");
      }
      await rejects(kv.watch({ key: [] }), "INVALID_ARGUMENT");
      // the server would close the connection of one that does not fit into a line
      const long = "k".repeat(3501);
      for (const call of [kv.put(long, "x"), kv.get(long), kv.keys(long)]) {
        const { message } = await rejects(call, "INVALID_ARGUMENT");
        ok(message.includes("is 3501: give 3500 characters at most"), message);
      }
      for (const key of ["*", ">", "a.*"]) await rejects(kv.put(key, "x"), "INVALID_ARGUMENT");
      for (const key of [">.a", "a.>.b", "a.*b"]) await rejects(kv.watch({ key }), "INVALID_ARGUMENT");
      for (const name of ["", "a.b", "a b", "a*", ">"]) await rejects(kvm.open(name), "INVALID_ARGUMENT");
      equal((await info()).state.last_seq, state.last_seq);
      for (const key of ["a/b", "a=b", "-", "_x", "A.1.z"]) await kv.put(key, key);
      await kv.put(long.slice(1), "x");
      equal((await kv.get(long.slice(1)))?.string(), "x");
      equal((await sorted(await kv.keys())).length, 6);
    },

    "a revision, a timeout or a size that is none is refused by its name and value": async (harness) => {
      const { kv, kvm } = await bucket(harness);
      await kv.put("a", "x");
      const timeouts = [0, -1, Number.NaN];
      for (const timeout of timeouts) {
        for (const call of [
          kv.put("a", "x", { timeout }),
          kv.create("b", "x", { timeout }),
          kv.modify("a", () => "x", { timeout }),
        ]) {
          const { message } = await rejects(call, "INVALID_ARGUMENT");
          ok(message.includes(`timeout is ${timeout}: give milliseconds, more than 0`), message);
        }
      }
      for (const version of [0, -1, 1.5, Number.NaN]) {
        const { message } = await rejects(kv.update("a", "x", version), "INVALID_ARGUMENT");
        ok(message.includes(`version is ${version}: give`), message);
      }
      for (const options of [{ max_bytes: Number.NaN }, { maxValueSize: 1.5 }, { maxValueSize: -2 }]) {
        const [[field, value] = []] = Object.entries(options);
        const { message } = await rejects(kvm.create(`${harness.prefix}-x`, options), "INVALID_ARGUMENT");
        ok(message.includes(`${field} is ${value}: give a whole number, -1 or more`), message);
      }
    },

    "a key has a TTL of its own, and leaves a marker that says why (C-ADR8-14, C-ADR8-21, C-ADR8-36, C-ADR48-3, C-ADR48-5)":
      async (harness) => {
        const { kv } = await bucket(harness);
        if (!atLeast(harness.version, "2.11")) {
          const refused = await rejects(kv.create("a", "x", { ttl: 1000 }), "UNSUPPORTED");
          ok(refused.message.includes("2.11"), refused.message);
          await rejects(kv.purge("a", { ttl: 1000 }), "UNSUPPORTED");
          return;
        }
        // the bucket keeps no TTLs
        await rejects(kv.create("a", "x", { ttl: 1000 }), "JETSTREAM_API");
        const { kv: own } = await bucket(
          { ...harness, prefix: `${harness.prefix}_ttl` },
          { markerTTL: 1000 },
        );
        const watch = await own.watch();
        const seen: string[] = [];
        const reading = (async () => {
          for await (const entry of watch) {
            seen.push(`${shown(entry)} ${entry.reason ?? ""}`.trim());
            if (seen.length === 2) break;
          }
        })();
        equal(await own.create("a", "x", "1s"), 1);
        await within(reading, "no marker comes");
        equal(seen, ["a=x@1", "a PURGE@2 MaxAge"]);
        await eventually(
          async () => ((await own.get("a", { deleted: true })) === null ? true : undefined),
          "the marker stays",
        );
        equal(await own.create("a", "again", { ttl: 60_000 }), 3);
        const stored = await own.get("a");
        equal([stored?.operation, stored?.headers?.get("Nats-TTL")], ["PUT", "60"]);
        await own.purge("a", { ttl: 30_000 });
        equal((await own.get("a", { deleted: true }))?.headers?.get("Nats-TTL"), "30");
        for (const ttl of [0, 500, -1, NaN, "1 hour"])
          await rejects(own.create("b", "x", { ttl }), "INVALID_ARGUMENT");
      },

    "put and delete have no TTL (C-ADR8-11, C-ADR8-16, trap 96)": async (harness) => {
      const { kv } = await bucket(harness);
      await rejects(kv.put("a", "x", { ttl: 1000 } as never), "INVALID_ARGUMENT");
      await rejects(kv.update("a", "x", 1, { ttl: 1000 } as never), "INVALID_ARGUMENT");
      await rejects(kv.delete("a", { ttl: 1000 } as never), "INVALID_ARGUMENT");
    },

    "purgeDeletes removes markers, and never a value (C-ADR8-18)": async (harness) => {
      const { kv } = await bucket(harness, { history: 5 });
      for (const key of ["a", "b", "c", "d"]) {
        await kv.put(key, "1");
        await kv.put(key, "2");
      }
      await kv.delete("a");
      await kv.delete("b");
      await kv.put("b", "again");
      await kv.purge("c");
      // young ones keep their marker, and nothing behind it
      equal(await kv.purgeDeletes(), { purged: 2 });
      equal(await kv.purgeDeletes(Number.NaN), { purged: 0 }, "what is no age removes no marker");
      equal(await texts(await kv.history({ key: "a" })), ["a DEL@9"]);
      equal(await kv.purgeDeletes(0), { purged: 2 });
      equal(await texts(await kv.history()), ["b=1@3", "b=2@4", "d=1@7", "d=2@8", "b DEL@10", "b=again@11"]);
      equal(await kv.purgeDeletes(0), { purged: 0 });
    },

    "a full bucket refuses what is put (C-ADR8-19)": async (harness) => {
      const { kv } = await bucket(harness, { max_bytes: 600, maxValueSize: 300 });
      const error = await rejects(kv.put("a", new Uint8Array(400)), "JETSTREAM_API");
      equal((error as WrongLastSequenceError).apiErrorCode, 10054);
      await kv.put("a", new Uint8Array(250));
      await kv.put("b", new Uint8Array(250));
      const full = await rejects(kv.put("c", new Uint8Array(250)), "JETSTREAM_API");
      equal((full as WrongLastSequenceError).apiErrorCode, 10077);
    },

    "calls end with their signal and their timeout (C-ADR8-10)": async (harness) => {
      const { kv } = await bucket(harness);
      const signal = AbortSignal.abort();
      const calls = [
        () => kv.get("a", { signal }),
        () => kv.put("a", "x", { signal }),
        () => kv.create("a", "x", { signal }),
        () => kv.watch({ signal }),
        () => kv.keys(undefined, { signal }),
        () => kv.history({ signal }),
        () => kv.status({ signal }),
      ];
      for (const call of calls) {
        await rejects(call(), "ABORTED");
      }
      equal(await kv.get("a"), null);
    },
  },
};
