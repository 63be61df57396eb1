// Suite: the object store: what is put is what is got, and a bucket never keeps what is no object's.
import { headers, type NatsErrorCode } from "../../src/names.ts";
import { jetstream } from "../../src/jetstream/index.ts";
import {
  ObjectError,
  type ObjectStoreMeta,
  type ObjectStorePutOpts,
  type ObjectWatchInfo,
  Objm,
} from "../../src/obj/index.ts";
import type { Suite } from "./harness.ts";
import { bytes, chunksIn, got, metaSubject, read, setUp, streamOf, unused, writeRaw } from "./obj-support.ts";
import { atLeast, check, equal, gate, ok, PATIENT, rejects, within } from "./tools.ts";

const CHUNK = 131_072;
const EMPTY = "SHA-256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=";
// of "hello"
const HELLO = "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
const hello = new TextEncoder().encode("hello");

export const objBuckets: Suite = {
  name: "object store, buckets",
  needs: ["jetstream"],
  cases: {
    "trap 104: a bucket is the stream of ADR-20, with all that its options say (C-ADR20-21)": async (
      harness,
    ) => {
      const modern = atLeast(harness.version, "2.10");
      const { jsm, objm, stream, name } = await setUp(harness, {
        description: "of a test",
        ttl: 3_600_000,
        storage: "memory",
        replicas: 1,
        max_bytes: 1_000_000,
        ...(modern && { metadata: { owner: "me" }, compression: true }),
      });
      const { config } = await jsm.streams.info(stream);
      equal(config.subjects, [`$O.${name}.C.>`, `$O.${name}.M.>`]);
      equal([config.allow_rollup_hdrs, config.allow_direct, config.discard], [true, true, "new"]);
      equal([config.description, config.max_age, config.max_bytes], ["of a test", 3.6e12, 1_000_000]);
      equal([config.storage, config.num_replicas], ["memory", 1]);
      const status = await (await objm.open(name)).status();
      equal(
        [status.bucket, status.description, status.ttl, status.storage, status.replicas, status.sealed],
        [name, "of a test", 3_600_000, "memory", 1, false],
      );
      equal([status.backingStore, status.size], ["JetStream", 0]);
      equal(status.compression, modern);
      if (modern) equal(status.metadata, { owner: "me" }, "what the server adds is its own");
    },

    "create opens the bucket that is there, as it is": async (harness) => {
      const { objm, store, name } = await setUp(harness, { description: "first" });
      await store.put({ name: "a" }, hello);
      const again = await objm.create(name, { description: "second" });
      equal((await again.status()).description, "first");
      equal(await again.getBlob("a"), hello);
    },

    "open tells whether there is such a bucket, unless it shall not ask": async (harness) => {
      const { objm, name } = await setUp(harness);
      await rejects(objm.open(`${name}-none`), "STREAM_NOT_FOUND");
      await rejects(objm.open(`${name}-none`, { check: true }), "STREAM_NOT_FOUND");
      const store = await objm.open(`${name}-none`, false);
      await rejects(store.status(), "STREAM_NOT_FOUND");
      await rejects(
        store.put({ name: "a" }, hello),
        atLeast(harness.version, "2.10")
          ? "STREAM_NOT_FOUND"
          : ["STREAM_NOT_FOUND", "TIMEOUT", "NO_RESPONDERS"],
      );
    },

    "names of buckets that can't be are refused by value (C-ADR20-1)": async (harness) => {
      const { objm } = await setUp(harness);
      for (const name of ["", "a.b", "a b", "a*", "ä", "a/b"]) {
        const { message } = await rejects(objm.create(name), "INVALID_ARGUMENT");
        ok(message.includes(JSON.stringify(name)), message);
        await rejects(objm.open(name), "INVALID_ARGUMENT");
      }
      await rejects(objm.create("a", { ttl: -1 }), "INVALID_ARGUMENT");
    },

    "list finds all buckets and nothing else (C-ADR20-21)": async (harness) => {
      const { jsm, objm, name } = await setUp(harness);
      await objm.create(`${name}-2`, { storage: "memory" });
      await jsm.streams.add({ name: `${name}-s`, subjects: [`${name}.>`], storage: "memory" });
      const found: string[] = [];
      for await (const { bucket } of objm.list()) if (bucket.startsWith(name)) found.push(bucket);
      equal(found.sort(), [name, `${name}-2`]);
    },

    "a sealed bucket takes nothing any more (C-ADR20-19)": async (harness) => {
      const { store } = await setUp(harness);
      await store.put({ name: "a" }, hello);
      const { sealed, streamInfo } = await store.seal();
      equal([sealed, streamInfo.config.deny_delete, streamInfo.config.deny_purge], [true, true, true]);
      equal(await store.getBlob("a"), hello);
      const refused = await rejects(store.put({ name: "b" }, hello), "JETSTREAM_API");
      equal((refused as { apiErrorCode?: number }).apiErrorCode, 10109);
      await rejects(store.delete("a"), "JETSTREAM_API");
      equal((await store.status()).sealed, true);
    },

    "destroy removes the bucket with all that is in it": async (harness) => {
      const { store, objm, name } = await setUp(harness);
      await store.put({ name: "a" }, hello);
      equal(await store.destroy(), true);
      await rejects(objm.open(name), "STREAM_NOT_FOUND");
    },

    "a bucket can be had from a JetStream client, with its prefix (C-ADR20-22)": async (harness) => {
      const { nc, store, name } = await setUp(harness);
      await store.put({ name: "a" }, hello);
      const other = await new Objm(jetstream(nc, { apiPrefix: "$JS.API" })).open(name);
      equal(await other.getBlob("a"), hello);
      const elsewhere = new Objm(jetstream(nc, { domain: "none", timeout: 2000 }));
      await rejects(elsewhere.open(name), ["JETSTREAM_NOT_ENABLED", "TIMEOUT"]);
    },
  },
};

export const objObjects: Suite = {
  name: "object store, objects",
  needs: ["jetstream"],
  cases: {
    "an object is its chunks, then its info, as ADR-20 writes them (C-ADR20-2, C-ADR20-4)": async (
      harness,
    ) => {
      const { jsm, store, name, stream } = await setUp(harness);
      const data = bytes(2 * CHUNK + 5);
      const meta = { name: "a", description: "d", headers: headers(), metadata: { k: "v" } };
      meta.headers.append("X", "1");
      meta.headers.append("X", "2");
      const before = Date.now();
      const info = await store.put(meta, data);
      ok(Math.abs(Date.parse(info.mtime) - before) < 60_000, info.mtime);
      equal([info.size, info.chunks, info.revision, info.deleted], [data.length, 3, 4, false]);
      const sizes: number[] = [];
      for (const seq of [1, 2, 3]) {
        const chunk = await jsm.streams.getMessage(stream, { seq });
        equal(chunk?.subject, `$O.${name}.C.${info.nuid}`);
        sizes.push(chunk?.data.length ?? 0);
      }
      equal(sizes, [CHUNK, CHUNK, 5]);
      const stored = await jsm.streams.getMessage(stream, { seq: 4 });
      ok(stored);
      equal(stored.subject, metaSubject(name, "YQ=="));
      equal(stored.header.get("Nats-Rollup"), "sub");
      equal(stored.json(), {
        name: "a",
        description: "d",
        headers: { X: ["1", "2"] },
        metadata: { k: "v" },
        options: { max_chunk_size: CHUNK },
        bucket: name,
        nuid: info.nuid,
        size: data.length,
        chunks: 3,
        digest: info.digest,
      });
      const found = await store.info("a");
      equal([found?.revision, found?.digest, found?.headers?.values("X")], [4, info.digest, ["1", "2"]]);
      equal(found?.mtime, stored.time.toISOString());
      equal(await store.getBlob("a"), data);
    },

    "an object can be put from bytes, streams, iterables and blobs (C-ADR20-9, C-ADR20-15)": async (
      harness,
    ) => {
      const { store } = await setUp(harness);
      const data = bytes(5000);
      const pieces = [data.subarray(0, 1), data.subarray(1, 1), data.subarray(1, 3000), data.subarray(3000)];
      const sources = {
        bytes: data,
        "web stream": streamOf(pieces),
        "async iterable": (async function* () {
          yield* pieces;
        })(),
        iterable: pieces,
        blob: new Blob(pieces.map((piece) => piece.slice())),
      };
      let digest: string | undefined;
      for (const [name, source] of Object.entries(sources)) {
        const info = await store.put({ name, options: { max_chunk_size: 1024 } }, source);
        equal([info.size, info.chunks], [5000, 5], name);
        digest ??= info.digest;
        equal(info.digest, digest, name);
        equal(await store.getBlob(name), data, name);
        const result = await got(store.get(name));
        equal(
          (await read(result)).map(({ length }) => length),
          [1024, 1024, 1024, 1024, 904],
          name,
        );
        equal(await result.error, null);
      }
      await store.putBlob({ name: "blob" }, hello);
      equal(await store.getBlob("blob"), hello);
    },

    "an object without bytes has no chunks, and the digest of nothing (C-ADR20-7)": async (harness) => {
      const { store } = await setUp(harness);
      for (const source of [null, new Uint8Array(0), streamOf([])]) {
        const info = await store.put({ name: "empty" }, source);
        equal([info.size, info.chunks, info.digest], [0, 0, EMPTY]);
        equal(await store.getBlob("empty"), new Uint8Array(0));
        equal(await read(await got(store.get("empty"))), []);
      }
    },

    "what is no source of bytes is refused": async (harness) => {
      const { store, jsm, name } = await setUp(harness);
      for (const source of ["text", 5, {}, ["text"], streamOf(["text" as unknown as Uint8Array])]) {
        await rejects(store.put({ name: "a" }, source as Uint8Array), "INVALID_ARGUMENT");
      }
      equal(await store.info("a"), null);
      equal(await chunksIn(jsm, name), {});
    },

    "trap 101: a name may have any characters; its subject is its UTF-8 in base64 (C-ADR20-1)": async (
      harness,
    ) => {
      const { store, jsm, name: bucket } = await setUp(harness);
      const names: Record<string, string> = {
        a: "YQ==",
        "a.b.c": "YS5iLmM=",
        é: "w6k=",
        "日本 *>/.\n": "5pel5pysICo-Ly4K",
        "🙂": "8J-Zgg==",
        "~~~???": "fn5-Pz8_",
        " ": "IA==",
      };
      for (const [name, base64] of Object.entries(names)) {
        const info = await store.put({ name }, hello);
        equal([info.name, info.digest], [name, HELLO]);
        const subject = metaSubject(bucket, base64);
        const stored = await jsm.streams.getMessage(`OBJ_${bucket}`, { last_by_subj: subject });
        equal(stored?.json<{ name: string }>().name, name);
        equal(await store.getBlob(name), hello);
        equal((await store.info(name))?.name, name);
      }
    },

    "names that can't be are refused by value (C-ADR20-1)": async (harness) => {
      const { store } = await setUp(harness);
      for (const name of ["", "\ud800", "x".repeat(4000), undefined as unknown as string]) {
        await rejects(store.put({ name }, hello), "INVALID_ARGUMENT");
        await rejects(store.info(name), "INVALID_ARGUMENT");
        await rejects(store.delete(name), "INVALID_ARGUMENT");
      }
    },

    "put refuses links, and chunks that the server would not take (C-ADR20-4, C-ADR20-6)": async (
      harness,
    ) => {
      const { nc, store, jsm, name } = await setUp(harness);
      const options = { link: { bucket: name } };
      await rejects(store.put({ name: "a", options }, hello), "INVALID_ARGUMENT");
      for (const max_chunk_size of [0, -1, 1.5, Number.NaN]) {
        await rejects(store.put({ name: "a", options: { max_chunk_size } }, hello), "INVALID_ARGUMENT");
      }
      const max_chunk_size = nc.info?.max_payload ?? 0;
      await rejects(
        store.put({ name: "a", options: { max_chunk_size: max_chunk_size + 1 } }, hello),
        "MAX_PAYLOAD",
      );
      equal(await chunksIn(jsm, name), {});
      await store.put({ name: "a", options: { max_chunk_size } }, hello);
      await rejects(store.put({ name: "a" }, hello, { timeout: 0 }), "INVALID_ARGUMENT");
    },

    "trap 106: neither the meta nor the options of the caller are changed": async (harness) => {
      const { store } = await setUp(harness);
      const freeze = <T extends object>(value: T): T => Object.freeze(value);
      const given = { name: "a", options: freeze({ max_chunk_size: 1000 }), metadata: freeze({ a: "b" }) };
      const info = await store.put(freeze(given), bytes(2500), freeze({ timeout: 10_000 }));
      equal(info.chunks, 3);
      await store.update("a", freeze({ description: "d" }), freeze({ timeout: 5000 }));
      await got(store.get("a", freeze({ range: freeze({ offset: 1 }) })));
    },

    "a put in the place of an object removes the chunks of that one, and only then (C-ADR20-4)": async (
      harness,
    ) => {
      const { store, jsm, name } = await setUp(harness);
      const first = await store.put({ name: "a", options: { max_chunk_size: 1000 } }, bytes(5000));
      const other = await store.put({ name: "b" }, hello);
      const half = gate();
      const source = (async function* () {
        yield bytes(3000, 2);
        await half.promise;
        yield bytes(1000, 3);
      })();
      const putting = store.put({ name: "a", options: { max_chunk_size: 1000 } }, source);
      equal(await store.getBlob("a"), bytes(5000));
      half.open();
      const second = await putting;
      equal(await chunksIn(jsm, name), { [second.nuid]: 4, [other.nuid]: 1 });
      ok(first.nuid !== second.nuid && second.revision > first.revision);
    },

    "puts of one name at once leave the chunks of one of them": async (harness) => {
      const { store, jsm, name } = await setUp(harness);
      const infos = await Promise.all(
        [1, 2, 3, 4, 5].map((seed) =>
          store.put({ name: "a", options: { max_chunk_size: 500 } }, bytes(2000, seed)),
        ),
      );
      const info = await store.info("a");
      ok(info);
      equal(await chunksIn(jsm, name), { [info.nuid]: 4 });
      const winner = infos.findIndex(({ nuid }) => nuid === info.nuid);
      equal(await store.getBlob("a"), bytes(2000, winner + 1));
    },

    "a put with a previous revision goes through while that is the last (C-ADR20-8)": async (harness) => {
      const { store, jsm, name } = await setUp(harness);
      const first = await store.put({ name: "a" }, hello, { previousRevision: 0 });
      const conflict = await rejects(
        store.put({ name: "a" }, bytes(9), { previousRevision: 0 }),
        "WRONG_LAST_SEQUENCE",
      );
      equal((conflict as { expected?: number }).expected, 0);
      const { nuid } = await store.put({ name: "a" }, bytes(9), { previousRevision: first.revision });
      await rejects(
        store.put({ name: "a" }, hello, { previousRevision: first.revision }),
        "WRONG_LAST_SEQUENCE",
      );
      equal(await store.getBlob("a"), bytes(9));
      equal(await chunksIn(jsm, name), { [nuid]: 1 });
    },

    "trap 103: a source that fails leaves no chunks, and the object that was there (C-ADR20-5)": async (
      harness,
    ) => {
      const { store, jsm, name } = await setUp(harness);
      const { nuid } = await store.put({ name: "a" }, hello);
      const failure = new Error("the disk is gone");
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes(700_000);
        throw failure;
      };
      const iterator = pieces();
      const streamed = new ReadableStream<Uint8Array>({
        async pull(controller) {
          controller.enqueue((await iterator.next()).value as Uint8Array);
        },
      });
      for (const source of [pieces(), streamed]) {
        let thrown: unknown;
        await store.put({ name: "a", options: { max_chunk_size: 1000 } }, source).catch((error: unknown) => {
          thrown = error;
        });
        ok(thrown === failure, String(thrown));
        equal(await chunksIn(jsm, name), { [nuid]: 1 });
        equal(await store.getBlob("a"), hello);
      }
    },

    "trap 103: a put that is aborted leaves no chunks, and tells its source (C-ADR20-5)": async (harness) => {
      const { store, jsm, name } = await setUp(harness);
      const stop = new AbortController();
      const cancelled = gate<unknown>();
      let given = 0;
      const source = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(bytes(50_000));
          if (++given === 20) stop.abort("enough");
        },
        cancel: (reason) => cancelled.open(reason),
      });
      const options = { max_chunk_size: 1000 };
      const error = await rejects(
        store.put({ name: "a", options }, source, { signal: stop.signal }),
        "ABORTED",
      );
      equal(error.cause, "enough");
      check(await within(cancelled.promise, "the source was not told"), "ABORTED");
      equal(await chunksIn(jsm, name), {});
      equal(await store.info("a"), null);
      await rejects(store.put({ name: "a" }, hello, { signal: stop.signal }), "ABORTED");
      // also while the source has nothing
      const waiting = new AbortController();
      const silent = new ReadableStream<Uint8Array>({ pull: () => waiting.abort() }, { highWaterMark: 0 });
      await rejects(store.put({ name: "a" }, silent, { signal: waiting.signal }), "ABORTED");
    },

    "a put that does not even begin tells its source": async (harness) => {
      const { nc, store } = await setUp(harness);
      const put = async (code: NatsErrorCode, meta: ObjectStoreMeta, options?: ObjectStorePutOpts) => {
        const cancelled = gate<unknown>();
        const returned = gate<unknown>();
        const source = {
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise<never>(() => {}),
            return: async () => (returned.open(undefined), { done: true as const, value: undefined }),
          }),
        };
        const stream = new ReadableStream<Uint8Array>({ cancel: (reason) => cancelled.open(reason) });
        await Promise.all([stream, source].map((from) => rejects(store.put(meta, from, options), code)));
        check(await within(cancelled.promise, "the stream was not told"), code);
        await within(returned.promise, "the iterable was not told");
      };
      await put("INVALID_ARGUMENT", { name: "" });
      await put("INVALID_ARGUMENT", { name: "a" }, { timeout: 0 });
      for (const previousRevision of [-1, 1.5, Number.NaN]) {
        await put("INVALID_ARGUMENT", { name: "a" }, { previousRevision });
      }
      await put("INVALID_ARGUMENT", { name: "a", headers: { a: "b" } as never });
      await put("INVALID_ARGUMENT", { name: "a", options: { link: { bucket: "b" } } });
      await put("MAX_PAYLOAD", { name: "a", options: { max_chunk_size: 2 ** 30 } });
      await put("ABORTED", { name: "a" }, { signal: AbortSignal.abort() });
      const draining = nc.drain();
      await put("DRAINING", { name: "a" });
      await draining;
      await put("CLOSED", { name: "a" });
    },

    "a source that somebody else reads, and one that gives no bytes, are refused by what they are": async (
      harness,
    ) => {
      const { store } = await setUp(harness);
      const locked = streamOf([hello]);
      locked.getReader();
      const busy = await rejects(store.put({ name: "a" }, locked), "INVALID_ARGUMENT");
      ok(busy.message.includes("somebody else reads"), busy.message);
      const texts = ["hello"] as unknown as Uint8Array[];
      const { message } = await rejects(store.put({ name: "a" }, texts), "INVALID_ARGUMENT");
      ok(message.includes("what the source of an object gives is String: give bytes"), message);
    },

    "an object that does not fit leaves no chunks (C-ADR20-5)": async (harness) => {
      const { store, jsm, name } = await setUp(harness, { max_bytes: 100_000 });
      const { nuid } = await store.put({ name: "a" }, bytes(1000));
      const options = { max_chunk_size: 10_000 };
      const refused = await rejects(store.put({ name: "b", options }, bytes(200_000)), "JETSTREAM_API");
      equal((refused as { apiErrorCode?: number }).apiErrorCode, 10_077);
      equal(await chunksIn(jsm, name), { [nuid]: 1 });
      equal(await store.getBlob("a"), bytes(1000));
    },

    "a put takes no more of its source than it has room for (C-ADR20-9)": async (harness) => {
      const { store } = await setUp(harness);
      const chunk = bytes(CHUNK);
      let given = 0;
      let stored = 0;
      let most = 0;
      const source = (async function* () {
        for (; given < 300; given++) {
          most = Math.max(most, given - stored);
          yield chunk;
        }
      })();
      await store.put({ name: "a" }, source, { onProgress: (now) => void (stored = now.bytes / CHUNK) });
      equal(stored, 300);
      // 8 MiB, and the one that is being cut
      ok(most <= 65, `${most} chunks were under way`);
    },

    "progress tells of what is stored and of what is handed over, and of no more": async (harness) => {
      const { store } = await setUp(harness);
      const data = bytes(10_000);
      const options = { max_chunk_size: 1000 };
      const stored: number[] = [];
      await store.put({ name: "a", options }, data, {
        onProgress: ({ bytes: count, total }) => {
          equal(total, 10_000);
          stored.push(count);
        },
      });
      equal(stored.at(-1), 10_000);
      equal(
        [...stored].sort((a, b) => a - b),
        stored,
      );
      const read: number[] = [];
      await store.getBlob("a", { onProgress: ({ bytes: count }) => void read.push(count) });
      equal(
        read,
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((i) => i * 1000),
      );
      const stop = new Error("no more");
      const onProgress = (): never => {
        throw stop;
      };
      const calls: (() => Promise<unknown>)[] = [
        () => store.put({ name: "b" }, hello, { onProgress }),
        () => store.getBlob("a", { onProgress }),
      ];
      for (const call of calls) ok((await call().catch((error: unknown) => error)) === stop);
      equal(await store.info("b"), null);
    },

    "a part of an object is read from the chunk that has its beginning on": async (harness) => {
      const { store } = await setUp(harness);
      const data = bytes(10_500);
      const options = { max_chunk_size: 1000 };
      await store.put({ name: "before" }, hello);
      // two at once: their chunks lie between each other
      await Promise.all([
        store.put({ name: "a", options }, streamOf([data.subarray(0, 4000), data.subarray(4000)])),
        store.put({ name: "b", options }, bytes(20_000, 7)),
      ]);
      const ranges = [
        [0, undefined],
        [0, 1],
        [999, 2],
        [1000, 1000],
        [5500, 3000],
        [9999, undefined],
        [10_499, 100],
        [10_500, undefined],
        [500, 0],
        [0, 10_500],
      ] as const;
      for (const [offset, length] of ranges) {
        const range = { offset, ...(length !== undefined && { length }) };
        const expected = data.subarray(offset, length === undefined ? undefined : offset + length);
        equal(await store.getBlob("a", { range }), expected.slice(), JSON.stringify(range));
        const pieces = await read(await got(store.get("a", { range })));
        equal(
          pieces.reduce((sum, piece) => sum + piece.length, 0),
          expected.length,
          JSON.stringify(range),
        );
      }
      for (const range of [{ offset: -1 }, { offset: 10_501 }, { offset: 0.5 }, { offset: 0, length: -1 }]) {
        await rejects(store.getBlob("a", { range }), "INVALID_ARGUMENT");
      }
    },

    "a part of nothing, also behind the last of chunks that are full, is there at once": async (harness) => {
      const { nc, store } = await setUp(harness);
      await store.put({ name: "a", options: { max_chunk_size: 1000 } }, bytes(3000));
      for (const range of [{ offset: 3000 }, { offset: 3000, length: 1 }, { offset: 1500, length: 0 }]) {
        const { outMsgs } = nc.stats();
        equal(await store.getBlob("a", { range }), new Uint8Array(0), JSON.stringify(range));
        equal(nc.stats().outMsgs, outMsgs + 1, "chunks were asked for");
        const result = await got(store.get("a", { range }));
        equal(await read(result), []);
        equal(await result.error, null);
      }
    },

    "a part of an object whose chunks have any sizes is read all the same": async (harness) => {
      const { nc, store, name } = await setUp(harness);
      const data = bytes(1000);
      const chunks = [data.subarray(0, 10), data.subarray(10, 700), data.subarray(700)];
      await writeRaw(nc, name, "YQ==", { name: "a", nuid: "N", size: 1000, chunks: 3 }, chunks);
      equal(await store.getBlob("a", { range: { offset: 695, length: 10 } }), data.slice(695, 705));
    },

    "delete keeps a note of the object, and nothing else (C-ADR20-10, C-ADR20-16)": async (harness) => {
      const { store, jsm, name, stream } = await setUp(harness);
      await store.put({ name: "a", description: "d" }, bytes(1000));
      equal((await store.delete("a")).purged, 1);
      equal(await chunksIn(jsm, name), {});
      const info = await store.info("a");
      equal(
        [info?.deleted, info?.size, info?.chunks, info?.digest, info?.description],
        [true, 0, 0, "", "d"],
      );
      equal([await store.get("a"), await store.getBlob("a")], [null, null]);
      const subject = metaSubject(name, "YQ==");
      const stored = await jsm.streams.getMessage(stream, { last_by_subj: subject });
      equal(stored?.json<{ deleted: boolean }>().deleted, true);
      equal(await store.delete("a"), { success: true, purged: 0 });
      equal((await store.info("a"))?.revision, info?.revision);
      const missing = await rejects(store.delete("never"), "OBJECT_NOT_FOUND");
      ok(missing instanceof ObjectError);
      equal([missing.bucket, missing.object], [name, "never"]);
      await store.put({ name: "a" }, hello);
      equal(await store.getBlob("a"), hello);
    },

    "update changes what is said of an object, and its name (C-ADR20-17)": async (harness) => {
      const { store, jsm, name, stream } = await setUp(harness);
      const first = await store.put({ name: "a", description: "d", metadata: { k: "v" } }, hello);
      const updated = await store.update("a", { description: "e" });
      equal([updated.description, updated.metadata, updated.digest], ["e", { k: "v" }, first.digest]);
      ok(updated.revision > first.revision);
      await store.update("a", { metadata: {}, headers: headers() });
      const renamed = await store.update("a", { name: "b.c" });
      equal([renamed.name, renamed.nuid, renamed.chunks], ["b.c", first.nuid, 1]);
      equal(await store.info("a"), null);
      equal(await jsm.streams.getMessage(stream, { last_by_subj: metaSubject(name, "YQ==") }), null);
      equal(await store.getBlob("b.c"), hello);
      await store.put({ name: "d" }, hello);
      await rejects(store.update("d", { name: "b.c" }), "OBJECT_EXISTS");
      await store.delete("d");
      await rejects(store.update("d", { description: "x" }), "OBJECT_NOT_FOUND");
      await rejects(store.update("never", {}), "OBJECT_NOT_FOUND");
      await rejects(store.update("b.c", { headers: { a: "b" } as never }), "INVALID_ARGUMENT");
      await store.update("b.c", { name: "d" });
      equal(await store.getBlob("d"), hello);
    },

    "a change made meanwhile is not lost by an update": async (harness) => {
      const { store } = await setUp(harness);
      await store.put({ name: "a" }, hello);
      await Promise.all([
        store.update("a", { description: "d" }),
        store.update("a", { metadata: { k: "v" } }),
        store.put({ name: "other" }, hello),
      ]);
      const info = await store.info("a");
      equal([info?.description, info?.metadata], ["d", { k: "v" }]);
    },

    "a link leads to an object, of another bucket too (C-ADR20-11, C-ADR20-18)": async (harness) => {
      const { store, objm, name, jsm, stream } = await setUp(harness);
      const far = await objm.create(`${name}-far`, { storage: "memory" });
      const near = await store.put({ name: "near" }, hello);
      const distant = await far.put({ name: "distant" }, bytes(9));
      const link = await store.link("l", near);
      equal(
        [link.isLink(), link.size, link.chunks, link.options],
        [true, 0, 0, { link: { bucket: name, name: "near" } }],
      );
      const stored = await jsm.streams.getMessage(stream, { last_by_subj: metaSubject(name, "bA==") });
      equal(stored?.header.get("Nats-Rollup"), "sub");
      equal(await store.getBlob("l"), hello);
      equal((await got(store.get("l"))).info.name, "near");
      // a link may be replaced
      await store.link("l", distant);
      equal(await store.getBlob("l"), bytes(9));
      await rejects(store.link("m", link), "INVALID_ARGUMENT");
      await rejects(store.link("near", distant), "OBJECT_EXISTS");
      await far.delete("distant");
      equal(await store.get("l"), null);
      const deleted = await far.info("distant");
      ok(deleted);
      await rejects(store.link("m", deleted), "OBJECT_NOT_FOUND");
      await far.destroy();
      await rejects(store.get("l"), ["STREAM_NOT_FOUND", "TIMEOUT"]);
      await rejects(objm.open(`${name}-far`), "STREAM_NOT_FOUND");
      await store.delete("l");
      equal(await store.getBlob("near"), hello);
    },

    "a link to a bucket is no object (C-ADR20-11, C-ADR20-18)": async (harness) => {
      const { store, objm, name } = await setUp(harness);
      const far = await objm.create(`${name}-far`, { storage: "memory" });
      const link = await store.linkStore("l", far);
      equal([link.isLink(), link.options], [true, { link: { bucket: `${name}-far` } }]);
      await rejects(store.get("l"), "INVALID_OPERATION");
      await store.put({ name: "a" }, hello);
      await rejects(store.linkStore("a", far), "OBJECT_EXISTS");
      await store.linkStore("l", name);
      equal((await store.info("l"))?.options?.link, { bucket: name });
    },
  },
};

export const objReading: Suite = {
  name: "object store, reading",
  needs: ["jetstream"],
  cases: {
    "what other clients wrote is read: fields left out or added, digests in any form (C-ADR20-3)": async (
      harness,
    ) => {
      const { nc, store, name } = await setUp(harness);
      const hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
      const forms = [
        HELLO,
        HELLO.replace("=", "\0").replaceAll("=", "").replace("\0", "="),
        `SHA-256=${HELLO.slice(8).replaceAll("-", "+").replaceAll("_", "/")}`,
        `sha-256=${HELLO.slice(8)}`,
        `SHA-256=${hex}`,
        undefined,
        "",
      ];
      const rests = [{}, { options: null, mtime: "0001-01-01T00:00:00Z" }, { options: {}, future: [1] }];
      for (const [i, digest] of forms.entries()) {
        const rest = rests[i % rests.length];
        await writeRaw(nc, name, "YQ==", { name: "a", nuid: `N${i}`, size: 5, chunks: 1, digest, ...rest }, [
          hello,
        ]);
        equal(await store.getBlob("a"), hello, String(digest));
        const info = await store.info("a");
        ok(Date.parse(info?.mtime ?? "") > Date.parse("2020-01-01"), info?.mtime);
        equal([info?.deleted, info?.isLink()], [false, false]);
      }
      // not even the number of chunks
      await writeRaw(nc, name, "YQ==", { name: "a", nuid: "M", size: 10 }, [hello, hello]);
      equal((await store.getBlob("a"))?.length, 10);
      await nc.request(metaSubject(name, "Yg=="), "no JSON", PATIENT);
      await rejects(store.info("b"), "CODEC");
    },

    "trap 100: bytes that are not those of the info fail the read, before the last of them (C-ADR20-12)":
      async (harness) => {
        const { nc, store, name } = await setUp(harness);
        const info = { name: "a", nuid: "N", size: 10, chunks: 2 };
        const two = [hello, bytes(5)];
        const wrong = [
          [{ ...info, digest: HELLO }, two],
          [{ ...info, digest: "SHA-256=none" }, two],
          [{ ...info, size: 11 }, two],
          [{ ...info, size: 9 }, two],
        ] as const;
        for (const [i, [meta, chunks]] of wrong.entries()) {
          await writeRaw(nc, name, "YQ==", { ...meta, nuid: `N${i}` }, chunks);
          const mismatch = await rejects(store.getBlob("a"), "OBJECT_MISMATCH");
          ok(mismatch instanceof ObjectError && mismatch.object === "a");
          const result = await got(store.get("a"));
          const reader = result.data.getReader();
          equal((await reader.read()).value, hello);
          await rejects(reader.read(), "OBJECT_MISMATCH");
          check(await result.error, "OBJECT_MISMATCH");
        }
      },

    "trap 102: an object whose chunks are missing fails the read, wherever they are (C-ADR20-12, C-ADR20-23)":
      async (harness) => {
        const { jsm, store, stream } = await setUp(harness);
        for (const lost of [1, 2, 3, 4, 5]) {
          const { nuid, revision } = await store.put(
            { name: "a", options: { max_chunk_size: 10 } },
            bytes(50),
          );
          await jsm.streams.deleteMessage(stream, revision - 6 + lost);
          await rejects(store.getBlob("a"), "OBJECT_INCOMPLETE");
          ok(nuid !== "");
        }
        await jsm.streams.purge(stream, { filter: "$O.*.C.>" });
        const result = await got(store.get("a"));
        await rejects(read(result), "OBJECT_INCOMPLETE");
        check(await result.error, "OBJECT_INCOMPLETE");
      },

    "an object that is replaced or deleted while it is read fails the read (C-ADR20-13)": async (harness) => {
      const { store } = await setUp(harness);
      const options = { max_chunk_size: 100_000 };
      for (const end of [() => store.put({ name: "a", options }, hello), () => store.delete("a")]) {
        await store.put({ name: "a", options }, bytes(20_000_000));
        const result = await got(store.get("a"));
        const reader = result.data.getReader();
        equal((await reader.read()).value?.length, 100_000);
        await end();
        await rejects(
          (async () => {
            for (let next = await reader.read(); !next.done; next = await reader.read());
            throw new Error("all of it came");
          })(),
          "OBJECT_INCOMPLETE",
        );
      }
    },

    "a reader that cancels leaves no consumer and no subscription (C-ADR20-14)": async (harness) => {
      const { jsm, store, stream } = await setUp(harness);
      await store.put({ name: "a", options: { max_chunk_size: 1000 } }, bytes(100_000));
      const unread = await got(store.get("a"));
      const result = await got(store.get("a"));
      const reader = result.data.getReader();
      await reader.read();
      await reader.cancel();
      equal(await result.error, null);
      await unread.data.cancel();
      await unused(jsm, stream);
      await store.getBlob("a");
      await unused(jsm, stream);
    },

    "a signal ends a read at any time": async (harness) => {
      const { store } = await setUp(harness);
      await store.put({ name: "a", options: { max_chunk_size: 1000 } }, bytes(100_000));
      const aborted = AbortSignal.abort("before");
      await rejects(store.get("a", { signal: aborted }), "ABORTED");
      await rejects(store.getBlob("a", { signal: aborted }), "ABORTED");
      for (const reads of [0, 1, 5]) {
        const stop = new AbortController();
        const result = await got(store.get("a", { signal: stop.signal }));
        const reader = result.data.getReader();
        for (let i = 0; i < reads; i++) await reader.read();
        stop.abort("now");
        const error = await rejects(reader.read(), "ABORTED");
        equal(error.cause, "now");
        check(await result.error, "ABORTED");
      }
      const stop = new AbortController();
      const onProgress = (): void => stop.abort();
      await rejects(store.getBlob("a", { signal: stop.signal, onProgress }), "ABORTED");
    },

    "the end of the connection ends reads and puts, and results that nobody reads": async (harness) => {
      const { store, name } = await setUp(harness);
      const nc = await harness.connect();
      const other = await new Objm(nc).open(name);
      // more than the server sends before it is told to go on
      await store.put({ name: "a", options: { max_chunk_size: 500_000 } }, bytes(40_000_000));
      const unread = await got(other.get("a"));
      const { error } = unread;
      const reading = (await got(other.get("a"))).data.getReader();
      await reading.read();
      const putting = other.put({ name: "b" }, new ReadableStream<Uint8Array>());
      const rejected = rejects(putting, "CLOSED");
      await nc.close();
      check(await within(error, "the error of an unread result"), "CLOSED");
      await within(rejected, "the put");
      await rejects(
        (async () => {
          for (let next = await reading.read(); !next.done; next = await reading.read());
          throw new Error("all of it came");
        })(),
        "CLOSED",
      );
    },

    "pieces of a stream may be given away: no other message is in their memory": async (harness) => {
      const { store } = await setUp(harness);
      const data = bytes(3000);
      await store.put({ name: "a", options: { max_chunk_size: 1000 } }, data);
      for (const piece of await read(await got(store.get("a")))) {
        equal([piece.byteOffset, piece.buffer.byteLength], [0, 1000]);
      }
    },
  },
};

/** The next info of a watch. */
async function next(infos: AsyncIterator<ObjectWatchInfo, undefined>): Promise<ObjectWatchInfo> {
  const { value } = await within(infos.next(), "no info came");
  ok(value, "the watch has ended");
  return value;
}

export const objWatching: Suite = {
  name: "object store, watching",
  needs: ["jetstream"],
  cases: {
    "list has every object once, and deleted ones when asked (C-ADR20-20)": async (harness) => {
      const { store } = await setUp(harness);
      equal(await store.list(), []);
      for (const name of ["b", "a", "c.d", "é"]) await store.put({ name }, hello);
      await store.put({ name: "b" }, bytes(9));
      await store.delete("a");
      const infos = await store.list();
      equal(
        infos.map(({ name }) => name),
        ["c.d", "é", "b"],
      );
      const b = await store.info("b");
      equal(
        [infos[2]?.size, infos[2]?.revision, infos[2]?.mtime, infos[2]?.isLink()],
        [9, b?.revision, b?.mtime, false],
      );
      ok(!("isUpdate" in (infos[2] ?? {})));
      equal(
        (await store.list({ includeDeletes: true })).map(({ deleted }) => deleted),
        [false, false, false, true],
      );
    },

    "list of many objects has all of them, while they are changed": async (harness) => {
      const { store } = await setUp(harness);
      const names = Array.from({ length: 300 }, (_, i) => `o${i}`);
      for (let i = 0; i < names.length; i += 50) {
        await Promise.all(names.slice(i, i + 50).map((name) => store.put({ name }, null)));
      }
      const sorted = [...names].sort();
      // a server that comes to one which was replaced before it was sent waits, which it does not every time
      for (let round = 0; round < 10; round++) {
        const description = `changed ${round}`;
        const [infos] = await Promise.all([
          store.list(),
          ...names.slice(0, 20).map((name) => store.update(name, { description })),
        ]);
        equal(infos.map(({ name }) => name).sort(), sorted);
      }
    },

    "a watch tells of what changes from now on, as infos (C-ADR20-20)": async (harness) => {
      const { store, name } = await setUp(harness);
      await store.put({ name: "before" }, hello);
      const watch = await store.watch();
      await within(watch.synced, "there was nothing to wait for");
      const infos = watch[Symbol.asyncIterator]();
      const put = await store.put({ name: "a", headers: headers() }, hello);
      const seen = await next(infos);
      equal(
        [seen.name, seen.bucket, seen.revision, seen.digest, seen.deleted, seen.isUpdate],
        ["a", name, put.revision, HELLO, false, true],
      );
      await store.update("a", { description: "d" });
      equal((await next(infos)).description, "d");
      await store.delete("a");
      equal((await next(infos)).deleted, true);
      const link = await store.link("l", put);
      equal([(await next(infos)).isLink(), link.isLink()], [true, true]);
      watch.stop();
      equal((await infos.next()).done, true);
      equal(await watch.closed(), undefined);
    },

    "a watch with history begins with what is there, and tells when it has it (C-ADR20-20)": async (
      harness,
    ) => {
      const { store } = await setUp(harness);
      const empty = await store.watch({ includeHistory: true });
      await within(empty.synced, "an empty bucket is synced at once");
      empty.stop();
      for (const name of ["a", "b", "a"]) await store.put({ name }, hello);
      await store.put({ name: "c" }, hello);
      await store.delete("c");
      const watch = await store.watch({ includeHistory: true, ignoreDeletes: true });
      const infos = watch[Symbol.asyncIterator]();
      const first = [await next(infos), await next(infos)];
      equal(
        first.map(({ name, isUpdate }) => [name, isUpdate]),
        [
          ["b", false],
          ["a", false],
        ],
      );
      await within(watch.synced, "all that was there was handed over");
      await store.delete("b");
      await store.put({ name: "d" }, null);
      const { name, isUpdate } = await next(infos);
      equal([name, isUpdate], ["d", true]);
      await watch[Symbol.asyncDispose]();
    },

    "a watch ends with its signal, its loop, its bucket and its connection": async (harness) => {
      const { jsm, store, name, stream } = await setUp(harness);
      const stop = new AbortController();
      const aborted = await store.watch({ signal: stop.signal });
      const waiting = aborted[Symbol.asyncIterator]().next();
      stop.abort();
      await rejects(waiting, "ABORTED");
      check(await aborted.closed(), "ABORTED");
      await rejects(store.watch({ signal: stop.signal }), "ABORTED");
      await rejects(store.list({ signal: stop.signal }), "ABORTED");

      const left = await store.watch({ includeHistory: true });
      await store.put({ name: "a" }, hello);
      for await (const info of left) {
        equal(info.name, "a");
        break;
      }
      await unused(jsm, stream);

      const nc = await harness.connect();
      const other = await new Objm(nc).open(name);
      const closed = await other.watch();
      const last = closed[Symbol.asyncIterator]().next();
      await nc.close();
      equal((await within(last, "the end of the watch")).done, true);
      await rejects(other.list(), "CLOSED");
    },

    "an info that is none fails the loop that comes to it": async (harness) => {
      const { nc, store, name } = await setUp(harness);
      await store.put({ name: "a" }, hello);
      await nc.request(metaSubject(name, "Yg=="), "no JSON", PATIENT);
      await rejects(store.list(), "CODEC");
      const infos = (await store.watch({ includeHistory: true }))[Symbol.asyncIterator]();
      equal((await next(infos)).name, "a");
      await rejects(infos.next(), "CODEC");
    },
  },
};
