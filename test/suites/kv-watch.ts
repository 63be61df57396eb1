// Suite: watching buckets: what a watch begins with, when it has all there was, and what it survives (ADR-8).
import type { KvWatch, KvWatchEntry } from "../../src/kv/index.ts";
import { KvWatchInclude } from "../../src/kv/index.ts";
import type { Suite } from "./harness.ts";
import { withIntervals } from "./intervals.ts";
import { bucket, type Place, shown, texts } from "./kv-support.ts";
import { atLeast, check, equal, Growing, ok, rejects, within } from "./tools.ts";

// milliseconds without a heartbeat after which a watch asks for a new consumer
const MISSED = 10_000;

/** What comes of a watch from now on, as text. */
function follow(watch: KvWatch): Growing<string> & { ended: Promise<unknown> } {
  const log = new Growing<string>();
  const ended = (async () => {
    for await (const entry of watch) log.push(`${shown(entry)}${entry.isUpdate ? " new" : ""}`);
  })().catch((error: unknown) => error);
  return Object.assign(log, { ended });
}

/** Names of the consumers of the bucket. */
async function consumers({ jsm, name }: Place): Promise<string[]> {
  const names: string[] = [];
  for await (const one of jsm.consumers.names(`KV_${name}`)) names.push(one);
  return names;
}

/** Resolves when the bucket has no consumer left. */
async function noConsumers(place: Place): Promise<void> {
  for (const limit = performance.now() + 20_000; (await consumers(place)).length > 0; ) {
    ok(performance.now() < limit, "the consumer stays on the server");
  }
}

export const kvWatch: Suite = {
  name: "kv watch",
  needs: ["jetstream"],
  cases: {
    "a watch of an empty bucket is synced at once, stays, and tells what comes (C-ADR8-31, trap 93)": async (
      harness,
    ) => {
      const { kv } = await bucket(harness);
      const watch = await kv.watch();
      await within(watch.synced, "an empty bucket is not synced");
      const log = follow(watch);
      await kv.put("a", "1");
      // an entry that is followed by the next before it is sent is not sent
      await log.first(1);
      await kv.delete("a");
      equal(await log.first(2), ["a=1@1 new", "a DEL@2 new"]);
      watch.stop();
      equal(await log.ended, undefined);
      equal(await watch.closed(), undefined);
    },

    "it begins with the newest entry of each key, and is synced behind the last (C-ADR8-30, C-ADR8-31)":
      async (harness) => {
        const { kv } = await bucket(harness, { history: 5 });
        for (const [key, value] of [
          ["a", "1"],
          ["b", "2"],
          ["a", "3"],
          ["c", "4"],
        ] as const)
          await kv.put(key, value);
        await kv.delete("c");
        const watch = await kv.watch();
        const log = follow(watch);
        await within(watch.synced, "it is not synced");
        equal(log.all, ["b=2@2", "a=3@3", "c DEL@5"]);
        await kv.put("b", "6");
        equal((await log.first(4))[3], "b=6@6 new");
        watch.stop();
      },

    "synced before anybody reads, and before anything is there to read (C-ADR8-31, trap 93)": async (
      harness,
    ) => {
      const { kv } = await bucket(harness);
      await kv.put("a", "1");
      const watch = await kv.watch();
      await within(watch.synced, "it is not synced");
      equal(await texts(watch, 1), ["a=1@1"]);
      const none = await kv.watch({ key: "none.*" });
      await within(none.synced, "a filter that matches nothing is not synced");
      none.stop();
    },

    "whoever waits for synced while a loop reads finds all of it done, every time (C-ADR8-31)": async (
      harness,
    ) => {
      const { kv } = await bucket(harness);
      for (let count = 1; count <= 20; count++) {
        await kv.put(`k.${count}`, "x");
        const watch = await kv.watch();
        const seen = new Set<string>();
        const following = (async () => {
          for await (const { key } of watch) seen.add(key);
        })();
        await within(watch.synced, "it is not synced");
        equal(seen.size, count);
        watch.stop();
        await following;
      }
    },

    "with the history, with nothing, or from a revision on (C-ADR8-30)": async (harness) => {
      const { kv } = await bucket(harness, { history: 5 });
      for (let i = 1; i <= 4; i++) await kv.put(i % 2 ? "a" : "b", String(i));
      const begun = async (options: Parameters<typeof kv.watch>[0], count: number): Promise<string[]> => {
        const watch = await kv.watch(options);
        if (count === 0) await within(watch.synced, "it is not synced");
        return within(texts(watch, count), `${JSON.stringify(options)} gives too few`);
      };
      equal(await begun({}, 2), ["a=3@3", "b=4@4"]);
      equal(await begun({ include: KvWatchInclude.LastValue }, 2), ["a=3@3", "b=4@4"]);
      equal(await begun({ include: KvWatchInclude.AllHistory }, 4), ["a=1@1", "b=2@2", "a=3@3", "b=4@4"]);
      equal(await begun({ include: KvWatchInclude.UpdatesOnly }, 0), []);
      equal(await begun({ resumeFromRevision: 3 }, 2), ["a=3@3", "b=4@4"]);
      equal(await begun({ resumeFromRevision: 9 }, 0), []);
      const updates = await kv.watch({ include: "updates", key: "a" });
      const log = follow(updates);
      await kv.put("b", "5");
      await kv.put("a", "6");
      equal(await log.first(1), ["a=6@6 new"]);
      updates.stop();
      for (const resumeFromRevision of [0, -1, 1.5])
        await rejects(kv.watch({ resumeFromRevision }), "INVALID_ARGUMENT");
      await rejects(kv.watch({ include: "everything" as KvWatchInclude }), "INVALID_ARGUMENT");
    },

    "of one key, of a filter, of several (C-ADR8-28)": async (harness) => {
      const { kv } = await bucket(harness);
      for (const key of ["a.1", "a.2", "b.1", "c"]) await kv.put(key, "x");
      const keysOf = async (key: string | string[], count: number): Promise<string[]> =>
        (await within(texts(await kv.watch({ key }), count), `${String(key)} gives too few`)).map((one) =>
          one.slice(0, one.indexOf("=")),
        );
      equal(await keysOf("a.1", 1), ["a.1"]);
      equal(await keysOf("a.*", 2), ["a.1", "a.2"]);
      equal(await keysOf(["c"], 1), ["c"]);
      if (atLeast(harness.version, "2.10")) equal(await keysOf(["a.2", "b.>"], 2), ["a.2", "b.1"]);
      else await rejects(kv.watch({ key: ["a.2", "b.>"] }), "UNSUPPORTED");
    },

    "markers are left out when asked to, and count for synced (C-ADR8-32)": async (harness) => {
      const { kv } = await bucket(harness, { history: 3 });
      await kv.put("a", "1");
      await kv.put("b", "2");
      await kv.put("c", "3");
      await kv.delete("b");
      await kv.purge("c");
      const watch = await kv.watch({ ignoreDeletes: true });
      const log = follow(watch);
      await within(watch.synced, "it is not synced");
      equal(log.all, ["a=1@1"]);
      await kv.delete("a");
      await kv.put("a", "7");
      equal(await log.first(2), ["a=1@1", "a=7@7 new"]);
      watch.stop();
      await kv.purge(">");
      const nothing = await kv.watch({ ignoreDeletes: true });
      await within(nothing.synced, "only markers: it is not synced");
      nothing.stop();
    },

    "headers only: sizes and markers, no values (C-ADR8-30)": async (harness) => {
      const { kv } = await bucket(harness, { history: 3 });
      await kv.put("a", "four");
      await kv.delete("b");
      const found: [string, string, number, number][] = [];
      for await (const { key, operation, length, value } of await kv.watch({ headers_only: true })) {
        if (found.push([key, operation, length, value.length]) === 2) break;
      }
      equal(found, [
        ["a", "PUT", 4, 0],
        ["b", "DEL", 0, 0],
      ]);
    },

    "leaving the loop, stop and dispose take the consumer with them (C-ADR8-35)": async (harness) => {
      const place = await bucket(harness);
      const { kv } = place;
      await kv.put("a", "1");
      for await (const _ of await kv.watch()) break;
      await noConsumers(place);
      const watch = await kv.watch();
      equal((await consumers(place)).length, 1);
      watch.stop();
      await noConsumers(place);
      const disposed = await kv.watch();
      await disposed[Symbol.asyncDispose]();
      await noConsumers(place);
      await texts(await kv.history());
      await noConsumers(place);
      const abort = new AbortController();
      const log = follow(await kv.watch({ signal: abort.signal }));
      await log.first(1);
      abort.abort();
      ok(String(await within(log.ended, "the signal does not end it")).includes("ABORTED"));
      await noConsumers(place);
    },

    "a watch whose consumer is deleted goes on, without a gap or a duplicate (C-ADR8-34, C-ADR17-4)": (
      harness,
    ) =>
      withIntervals(async (pass) => {
        const place = await bucket(harness, { history: 10 });
        const { kv, jsm, name } = place;
        await kv.put("a", "1");
        const log = follow(await kv.watch());
        await log.first(1);
        for (const consumer of await consumers(place)) await jsm.consumers.delete(`KV_${name}`, consumer);
        for (let i = 2; i <= 6; i++) await kv.put("a", String(i));
        await pass(MISSED);
        await log.until((_, n) => n === 6, "not all come");
        equal(log.all, ["a=1@1", ...[2, 3, 4, 5, 6].map((n) => `a=${n}@${n} new`)]);
      }),

    "one that has seen nothing yet has all that was written while its consumer was gone (C-ADR8-34)": (
      harness,
    ) =>
      withIntervals(async (pass) => {
        const place = await bucket(harness, { history: 10 });
        const { kv, jsm, name } = place;
        const watch = await kv.watch();
        const log = follow(watch);
        await watch.synced;
        for (const consumer of await consumers(place)) await jsm.consumers.delete(`KV_${name}`, consumer);
        for (let i = 1; i <= 4; i++) await kv.put("a", String(i));
        await pass(MISSED);
        await log.until((_, n) => n === 4, "not all come");
        equal(
          log.all,
          [1, 2, 3, 4].map((n) => `a=${n}@${n} new`),
        );
        watch.stop();
      }),

    "a bucket that is gone ends it with an error (C-ADR8-35)": (harness) =>
      withIntervals(async (pass) => {
        const { kv } = await bucket(harness);
        const watch = await kv.watch();
        await watch.synced;
        const log = follow(watch);
        await kv.destroy();
        await pass(MISSED);
        const error = (await within(log.ended, "it goes on")) as { code?: string };
        equal(error.code, "STREAM_NOT_FOUND");
        equal(((await watch.closed()) as { code?: string }).code, "STREAM_NOT_FOUND");
        await rejects(kv.watch(), "STREAM_NOT_FOUND");
        await rejects(kv.keys(), "STREAM_NOT_FOUND");
      }),

    "synced does not hang where what was there has been removed meanwhile (C-ADR8-31, trap 91)": async (
      harness,
    ) => {
      const { kv, jsm, name } = await bucket(harness);
      const big = new Uint8Array(100_000);
      // more than the window of the flow control: the rest is on the server until somebody reads
      await Promise.all(Array.from({ length: 100 }, (_, i) => kv.put(`k.${100 + i}`, big)));
      const watch = await kv.watch();
      const entries = watch[Symbol.asyncIterator]();
      equal((await entries.next()).value?.key.slice(0, 2), "k.");
      await jsm.streams.purge(`KV_${name}`);
      const seen: (KvWatchEntry | undefined)[] = [];
      const reading = (async () => {
        for (let next = await entries.next(); next.done !== true; next = await entries.next())
          seen.push(next.value);
      })();
      await within(watch.synced, () => `after ${seen.length} it is not synced`);
      ok(seen.length < 99, `${seen.length} came: nothing was removed in time`);
      watch.stop();
      await reading;
      equal(await texts(await within(kv.history(), "the history does not end")), []);
    },

    "the end of the connection is that of its watches, lists and calls (C-ADR8-35)": async (harness) => {
      const { kv, nc } = await bucket(harness);
      const big = new Uint8Array(100_000);
      await Promise.all(Array.from({ length: 100 }, (_, i) => kv.put(`k.${i}`, big)));
      const [watch, unread] = [await kv.watch({ headers_only: true }), await kv.watch()];
      const log = follow(watch);
      await within(watch.synced, "it is not synced");
      const early = unread.synced;
      const ended = Promise.allSettled([early, kv.get("k.1"), kv.put("k.1", "x")]);
      await nc.close();
      equal(await within(log.ended, "the loop goes on"), undefined);
      equal(await within(watch.closed(), "it is not closed"), undefined);
      for (const one of await within(ended, "something waits")) {
        if (one.status === "rejected") check(one.reason, "CLOSED");
      }
      await rejects(early, "CLOSED");
      for (const call of [() => kv.get("a"), () => kv.put("a", "x"), () => kv.watch(), () => kv.keys()]) {
        await rejects(call(), "CLOSED");
      }
    },

    "a drain hands over what a watch has, and ends it (C-ADR8-35)": async (harness) => {
      const { kv, nc } = await bucket(harness);
      await kv.put("a", "1");
      const log = follow(await kv.watch());
      await log.first(1);
      await within(nc.drain(), "the drain goes on");
      equal(await within(log.ended, "the loop goes on"), undefined);
      equal(log.all, ["a=1@1"]);
    },

    "synced rejects when the watch ends before (C-ADR8-31)": async (harness) => {
      const { kv } = await bucket(harness);
      const big = new Uint8Array(100_000);
      await Promise.all(Array.from({ length: 100 }, (_, i) => kv.put(`k.${i}`, big)));
      const watch = await kv.watch();
      watch.stop();
      await rejects(within(watch.synced, "it does not settle"), "INVALID_OPERATION");
    },
  },
};
