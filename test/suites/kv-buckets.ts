// Suite: buckets: made, opened, changed, listed, mirrored; and what their streams are (ADR-8, ADR-57).
import { Bucket, BucketNotFoundError, defaultBucketOpts, Kvm, type KvOptions } from "../../src/kv/index.ts";
import { jetstream } from "../../src/jetstream/index.ts";
import type { Suite } from "./harness.ts";
import { all, bucket, texts } from "./kv-support.ts";
import { atLeast, equal, eventually, ok, PATIENT, rejects } from "./tools.ts";

export const kvBuckets: Suite = {
  name: "kv buckets",
  needs: ["jetstream"],
  cases: {
    "a bucket is a stream as ADR-8 says (C-ADR8-1, C-ADR8-7)": async (harness) => {
      const { kv, info, name, kvm } = await bucket(harness, { storage: "file" });
      const { config } = await info();
      const expected = {
        name: `KV_${name}`,
        subjects: [`$KV.${name}.>`],
        retention: "limits",
        storage: "file",
        discard: "new",
        num_replicas: 1,
        max_msgs_per_subject: 1,
        max_msgs: -1,
        max_bytes: -1,
        max_msg_size: -1,
        max_consumers: -1,
        max_age: 0,
        allow_rollup_hdrs: true,
        deny_delete: true,
        allow_direct: true,
        duplicate_window: 120e9,
      };
      for (const [field, value] of Object.entries(expected)) {
        equal((config as unknown as Record<string, unknown>)[field], value, field);
      }
      ok(kv instanceof Bucket);
      equal(kv.bucket, name);
      await kvm.create(`${name}_2`, defaultBucketOpts());
    },

    "every option reaches the stream, and the status tells it (C-ADR8-7, C-ADR35-1, trap 104)": async (
      harness,
    ) => {
      const modern = atLeast(harness.version, "2.10");
      const options: KvOptions = {
        description: "what it is for",
        history: 7,
        ttl: 3_600_000,
        max_bytes: 1_000_000,
        maxValueSize: 1000,
        storage: "memory",
        replicas: 1,
        placement: { tags: [] },
        republish: { src: ">", dest: `${harness.prefix}.again.>` },
        ...(modern && { compression: false, metadata: { owner: "me" } }),
      };
      const { kv, info } = await bucket(harness, options);
      const { config } = await info();
      equal(
        [
          config.description,
          config.max_msgs_per_subject,
          config.max_age,
          config.max_bytes,
          config.max_msg_size,
        ],
        ["what it is for", 7, 3600e9, 1_000_000, 1000],
      );
      equal(config.republish?.dest, `${harness.prefix}.again.>`);
      await kv.put("a", "1");
      await kv.put("a", "2");
      await kv.delete("b");
      const { streamInfo, republish: _, size, ...status } = await kv.status();
      equal(status.values, 3);
      equal(status.keys, 2);
      ok(size > 0 && streamInfo.config.name === config.name, `size ${size}`);
      equal(
        [
          status.history,
          status.ttl,
          status.max_bytes,
          status.maxValueSize,
          status.storage,
          status.replicas,
          status.description,
        ],
        [7, 3_600_000, 1_000_000, 1000, "memory", 1, "what it is for"],
      );
      equal(
        [status.compression, status.markerTTL, status.metadata],
        [false, 0, modern ? { owner: "me" } : undefined],
      );
    },

    "what is published again has the key and the value (C-ADR28-1)": async (harness) => {
      const { kv, nc, name } = await bucket(harness, {
        republish: { src: ">", dest: `${harness.prefix}.again.>` },
      });
      const heard = nc.subscribe(`${harness.prefix}.again.>`, { max: 1 });
      await nc.flush();
      await kv.put("a.b", "1");
      for await (const msg of heard)
        equal([msg.subject, msg.string()], [`${name}.again.$KV.${name}.a.b`, "1"]);
    },

    "what a server is too old for is refused by name (C-ADR48-1, C-ADR35-1, C-ADR33-1, trap 96)": async (
      harness,
    ) => {
      const { kvm, name } = await bucket(harness);
      const tries: [string, KvOptions, string][] = [
        ["compression", { compression: true }, "2.10"],
        ["metadata", { metadata: { a: "b" } }, "2.10"],
        ["sources", { sources: [{ name: "x" }] }, "2.10"],
        ["markerTTL", { markerTTL: 2000 }, "2.11"],
      ];
      for (const [what, options, since] of tries) {
        const made = kvm.create(`${name}_${what}`, {
          ...options,
          storage: what === "compression" ? "file" : "memory",
        });
        if (atLeast(harness.version, since)) {
          const { compression, markerTTL, metadata } = await (await made).status();
          if (what === "compression") equal(compression, true);
          if (what === "markerTTL") equal(markerTTL, 2000);
          if (what === "metadata") equal(metadata?.["a"], "b");
        } else {
          const error = await rejects(made, "UNSUPPORTED");
          ok(error.message.includes(since), error.message);
          await rejects(kvm.open(`${name}_${what}`), "STREAM_NOT_FOUND");
        }
      }
    },

    "options that can't be are refused (C-ADR8-2, C-ADR48-1)": async (harness) => {
      const { kvm, name } = await bucket(harness);
      for (const history of [0, 65, 1.5, NaN])
        await rejects(kvm.create(`${name}_x`, { history }), "INVALID_ARGUMENT");
      for (const ttl of [-1, NaN, 0.5]) await rejects(kvm.create(`${name}_x`, { ttl }), "INVALID_ARGUMENT");
      for (const markerTTL of [-1, 999])
        await rejects(kvm.create(`${name}_x`, { markerTTL }), "INVALID_ARGUMENT");
      await rejects(kvm.open(`${name}_x`), "STREAM_NOT_FOUND");
    },

    "create is content with a bucket that is as it says, and with no other (C-ADR8-3)": async (harness) => {
      const { kvm, name, kv } = await bucket(harness, { history: 5, ttl: 60_000 });
      await kv.put("a", "1");
      const again = await kvm.create(name, { history: 5, storage: "memory" });
      equal((await again.get("a"))?.string(), "1");
      equal((await (await kvm.create(name)).get("a"))?.string(), "1");
      await rejects(kvm.create(name, { history: 6 }), "STREAM_EXISTS");
      await rejects(kvm.create(name, { ttl: 0 }), "STREAM_EXISTS");
      await rejects(kvm.create(name, { description: "other" }), "STREAM_EXISTS");
      equal((await kv.status()).history, 5);
      const mirror = { mirror: { name, domain: "elsewhere" }, compression: false, placement: { tags: [] } };
      for (let i = 0; i < 2; i++) await kvm.create(`${name}_m`, { ...mirror, storage: "memory" });
      await rejects(kvm.create(`${name}_m`, { mirror: { name, domain: "nowhere" } }), "STREAM_EXISTS");
    },

    "open finds what is there, and tells what is not (C-ADR8-3, C-ADR8-4)": async (harness) => {
      const { kvm, name, kv, jsm, nc } = await bucket(harness);
      await kv.put("a", "1");
      equal((await (await kvm.open(name)).get("a"))?.string(), "1");
      equal((await (await new Kvm(jetstream(nc)).open(name)).get("a"))?.string(), "1");
      const error = await rejects(kvm.open(`${name}_none`), "STREAM_NOT_FOUND");
      ok(error instanceof BucketNotFoundError && error.bucket === `${name}_none`);
      await jsm.streams.add({ name: `KV_${name}_plain`, subjects: [`${name}.plain`], storage: "memory" });
      await rejects(kvm.open(`${name}_plain`), "INVALID_OPERATION");
      await rejects(kvm.update(`${name}_plain`, { history: 3 }), "INVALID_OPERATION");
      const names = await all(kvm.names());
      ok(names.includes(name), names.join());
      equal(
        (await all(kvm.list())).some(({ bucket: one }) => one === `${name}_plain`),
        false,
      );
      await kv.destroy();
      const calls = [
        () => kv.status(),
        () => kv.destroy(),
        () => kvm.open(name),
        () => kvm.delete(name),
        () => kvm.update(name, {}),
      ];
      for (const call of calls) {
        ok((await rejects(call(), "STREAM_NOT_FOUND")) instanceof BucketNotFoundError);
      }
      await rejects(kv.put("a", "x", PATIENT), "NO_RESPONDERS");
    },

    "update changes what it names and keeps the rest; createOrUpdate makes or changes (C-ADR8-3, C-ADR8-5, C-ADR48-2)":
      async (harness) => {
        const { kvm, jsm, name, info } = await bucket(harness, { history: 3, description: "old" });
        await jsm.streams.update(`KV_${name}`, { duplicate_window: 30e9 });
        const kv = await kvm.update(name, { history: 10, ttl: 60_000 });
        await kv.put("a", "1");
        const { config } = await info();
        equal(
          [
            config.max_msgs_per_subject,
            config.max_age,
            config.description,
            config.duplicate_window,
            config.allow_direct,
          ],
          [10, 60e9, "old", 30e9, true],
        );
        await kvm.createOrUpdate(name, { description: "new" });
        equal((await info()).config.description, "new");
        equal((await info()).config.max_msgs_per_subject, 10);
        const other = await kvm.createOrUpdate(`${name}_2`, { history: 4, storage: "memory" });
        equal((await other.status()).history, 4);
        if (atLeast(harness.version, "2.11")) {
          equal((await (await kvm.update(name, { markerTTL: 5000 })).status()).markerTTL, 5000);
          await kv.create("b", "1", { ttl: 60_000 });
        }
      },

    "a list has all buckets, mirrors too, and nothing else (C-ADR8-6)": async (harness) => {
      const { kvm, name, jsm } = await bucket(harness);
      await kvm.create(`${name}_m`, { mirror: { name }, storage: "memory" });
      // pages of none of them
      for (let i = 0; i < 3; i++) {
        await jsm.streams.add({ name: `A_${name}_${i}`, subjects: [`${name}.${i}`], storage: "memory" });
      }
      const mine = (found: string[]): string[] => found.filter((one) => one.startsWith(name)).sort();
      equal(mine(await all(kvm.names())), [name, `${name}_m`]);
      const statuses = await all(kvm.list());
      equal(mine(statuses.map(({ bucket: one }) => one)), [name, `${name}_m`]);
      equal(statuses.find(({ bucket: one }) => one === `${name}_m`)?.mirror?.name, `KV_${name}`);
      equal(await kvm.delete(`${name}_m`), true);
      equal(mine(await all(kvm.names())), [name]);
    },

    "bindOnly asks nobody, and reads from the leader where it has to (C-ADR8-3, trap 99)": async (
      harness,
    ) => {
      const { kv, kvm, name, nc } = await bucket(harness);
      await kv.put("a", "1");
      const asked: string[] = [];
      nc.subscribe("$JS.API.STREAM.>", { callback: (_, { subject }) => void asked.push(subject) });
      await nc.flush();
      const bound = await kvm.open(name, { bindOnly: true });
      const leader = await kvm.open(name, { bindOnly: true, allow_direct: false });
      equal((await bound.get("a"))?.string(), "1");
      await bound.put("a", "2");
      equal(asked, []);
      equal((await leader.get("a"))?.string(), "2");
      await nc.flush();
      equal(asked, [`$JS.API.STREAM.MSG.GET.KV_${name}`]);
      const none = await kvm.open(`${name}_none`, { bindOnly: true });
      await rejects(none.get("a", { timeout: 1000 }), ["NO_RESPONDERS", "TIMEOUT"]);
      await rejects(none.watch(), "STREAM_NOT_FOUND");
    },

    "a bucket of a stream with another name (C-ADR8-3)": async (harness) => {
      const { kvm, name, jsm } = await bucket(harness);
      const kv = await kvm.create(`${name}_s`, { streamName: `${name}_stream`, storage: "memory" });
      await kv.put("a", "1");
      equal((await jsm.streams.info(`${name}_stream`)).state.messages, 1);
      equal(await texts(await (await kvm.open(`${name}_s`, { streamName: `${name}_stream` })).history()), [
        "a=1@1",
      ]);
    },

    "a mirror reads what its origin has, and writes there (C-ADR57-1, C-ADR57-5, trap 98)": async (
      harness,
    ) => {
      const { kv, kvm, name, jsm } = await bucket(harness, { history: 3 });
      await kv.put("a", "1");
      const made = await kvm.create(`${name}_m`, { mirror: { name }, history: 3, storage: "memory" });
      const { config } = await jsm.streams.info(`KV_${name}_m`);
      equal([config.mirror?.name, config.mirror_direct, config.subjects ?? []], [`KV_${name}`, true, []]);
      const blind = await kvm.open(`${name}_m`, { bindOnly: true, mirror: { name } });
      for (const mirror of [made, await kvm.open(`${name}_m`), blind]) {
        const entry = await eventually(
          async () => (await mirror.get("a")) ?? undefined,
          "the mirror stays empty",
        );
        equal([entry.key, entry.bucket], ["a", `${name}_m`]);
        equal(await texts(await mirror.history({ key: "a" })), ["a=1@1"]);
        equal(await all(await mirror.keys()), ["a"]);
      }
      equal(await made.put("b", "2"), 2);
      await eventually(async () => (await made.get("b")) ?? undefined, "it does not come to the mirror");
      // the mirror answers for its origin too
      equal((await kv.get("b"))?.string(), "2");
      const watch = await made.watch({ key: "b" });
      equal(await texts(watch, 1), ["b=2@2"]);
    },

    "sources bring the keys of other buckets, under the name of this one (C-ADR57-2, C-ADR57-3, C-ADR57-4, C-ADR57-6, trap 98)":
      async (harness) => {
        const { kv, kvm, name, jsm } = await bucket(harness);
        if (!atLeast(harness.version, "2.10")) {
          await rejects(kvm.create(`${name}_s`, { sources: [{ name }] }), "UNSUPPORTED");
          return;
        }
        const other = await kvm.create(`${name}_o`, { storage: "memory" });
        await kv.put("a", "1");
        await other.put("new.x.1", "2");
        await other.put("old.x", "3");
        const sources = [{ name }, { name: `KV_${name}_o`, filter_subject: "new.*.1" }];
        const sum = await kvm.create(`${name}_s`, { sources, storage: "memory" });
        const { config } = await jsm.streams.info(`KV_${name}_s`);
        equal(
          config.sources?.map((source) => [source.name, source.subject_transforms]),
          [
            [`KV_${name}`, [{ src: `$KV.${name}.>`, dest: `$KV.${name}_s.>` }]],
            [`KV_${name}_o`, [{ src: `$KV.${name}_o.new.*.1`, dest: `$KV.${name}_s.new.{{wildcard(1)}}.1` }]],
          ],
        );
        // what the caller gave is as it was
        equal(sources[0], { name });
        await eventually(
          async () => ((await all(await sum.keys())).length === 2 ? true : undefined),
          "not all keys come",
        );
        equal((await all(await sum.keys())).sort(), ["a", "new.x.1"]);
        const entry = await sum.get("a");
        equal([entry?.string(), entry?.operation, entry?.bucket], ["1", "PUT", `${name}_s`]);
        ok(entry?.headers?.has("Nats-Stream-Source"));
        // its own
        await sum.put("b", "4");
        equal((await sum.get("b"))?.string(), "4");
        const given = [{ src: `$KV.${name}.>`, dest: `$KV.${name}_t.copy.>` }];
        const taken = await kvm.create(`${name}_t`, {
          sources: [{ name: `KV_${name}`, subject_transforms: given }],
          storage: "memory",
        });
        await eventually(async () => (await taken.get("copy.a")) ?? undefined, "it does not come");
        // and again, as it is
        await kvm.create(`${name}_s`, { sources });
      },
  },
};
