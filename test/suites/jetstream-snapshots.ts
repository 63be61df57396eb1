// Suite: snapshots and restores of streams.
import type { SnapshotInfo, SnapshotProgress } from "../../src/jetstream/index.ts";
import type { NatsErrorCode } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { begin, refuses } from "./jetstream-tools.ts";
import { atLeast, check, equal, gate, ok, PATIENT, rejects, within } from "./tools.ts";

async function read(source: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const reader = source.getReader();
  const chunks: Uint8Array[] = [];
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) {
    chunks.push(value.slice());
  }
  return chunks;
}

/** Bytes that don't compress. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

export const jetstreamSnapshots: Suite = {
  name: "jetstream snapshots",
  needs: ["jetstream"],
  cases: {
    "a snapshot restores the stream with its messages and consumers (C-SNAP-1, C-SNAP-2, C-SNAP-3)": async (
      harness,
    ) => {
      const { nc, jsm, name, store } = await begin(harness, { storage: "file" });
      await jsm.consumers.add(name, { durable_name: "c" });
      const payload = noise(50_000);
      await nc.request(`${name}.noise`, payload, PATIENT);
      for (let i = 0; i < 19; i++) await nc.request(`${name}.noise`, noise(50_000), PATIENT);
      await store(["last"]);
      const seen: SnapshotProgress[] = [];
      const snapshot = await jsm.streams.snapshot(name, {
        chunk_size: 65_536,
        onProgress: (progress) => seen.push(progress),
      });
      equal([snapshot.config.name, snapshot.state.messages], [name, 21]);
      const chunks = await read(snapshot.readable);
      const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      ok(chunks.length >= 15 && bytes >= 1_000_000, `${chunks.length} chunks, ${bytes} bytes`);
      equal(seen.at(-1), { chunks: chunks.length, bytes });
      await refuses(jsm.streams.restore(snapshot, chunks), 10130, "STREAM_EXISTS");

      await jsm.streams.delete(name);
      const progress: SnapshotProgress[] = [];
      // chunks of another size are as good
      const whole = new Blob(chunks as BlobPart[]).stream();
      const info = await jsm.streams.restore(snapshot, whole, { onProgress: (one) => progress.push(one) });
      equal([info.config.name, info.state.messages, info.state.last_seq], [name, 21, 21]);
      equal(progress.at(-1)?.bytes, bytes);
      equal((await jsm.streams.getMessage(name, { seq: 1 }))?.data, payload);
      equal((await jsm.streams.getMessage(name, { seq: 21 }))?.string(), "of last");
      equal(await jsm.consumers.names(name).next(), ["c"]);
    },

    "without its consumers, where that is wanted; a window only of servers that have it": async (harness) => {
      const { jsm, name, store } = await begin(harness, { storage: "file" });
      await jsm.consumers.add(name, { durable_name: "c" });
      await store(["a"]);
      const snapshot = await jsm.streams.snapshot(name, { no_consumers: true, jsck: true });
      const chunks = await read(snapshot.readable);
      await jsm.streams.delete(name);
      await jsm.streams.restore(snapshot, chunks);
      equal(await jsm.consumers.names(name).next(), []);
      const windowed = jsm.streams.snapshot(name, { window_size: 1 << 20 });
      if (atLeast(harness.version, "2.12")) ok((await read((await windowed).readable)).length > 0);
      else await rejects(windowed, "UNSUPPORTED");
    },

    "the reader sets the pace, and may leave": async (harness) => {
      const { nc, jsm, name } = await begin(harness, { storage: "file" });
      for (let i = 0; i < 20; i++) await nc.request(`${name}.noise`, noise(50_000), PATIENT);
      const seen: SnapshotProgress[] = [];
      const { readable } = await jsm.streams.snapshot(name, {
        onProgress: (progress) => seen.push(progress),
      });
      await nc.flush();
      equal(seen.length, 0, "nothing is asked for before it is read");
      const reader = readable.getReader();
      await reader.read();
      equal(seen.length, 1);
      await reader.cancel();
      await nc.flush();
      equal(seen.length, 1);
    },

    "a signal, a stream that is not there, a restore of what is no snapshot: each is an error": async (
      harness,
    ) => {
      const { jsm, name, store } = await begin(harness, { storage: "file" });
      await store(["a"]);
      const controller = new AbortController();
      const snapshot = await jsm.streams.snapshot(name, { signal: controller.signal });
      controller.abort(new Error("enough"));
      await rejects(read(snapshot.readable), "ABORTED");
      await rejects(jsm.streams.snapshot(`${name}-none`), "STREAM_NOT_FOUND");
      await jsm.streams.delete(name);
      await refuses(jsm.streams.restore(snapshot, [noise(1000)]), 10062);
      // an error of the source is the error of the restore
      const failing = new ReadableStream<Uint8Array>({
        pull(of) {
          of.error(new Error("mine"));
        },
      });
      let thrown: unknown;
      await jsm.streams.restore(snapshot, failing).catch((error: unknown) => (thrown = error));
      equal(String(thrown), "Error: mine");
      // and a source that gives nothing waits no longer than the signal
      let told: unknown;
      const ending = new AbortController();
      const asked = [gate(), gate()] as const;
      const never = new Promise<never>(() => {});
      const silent = new ReadableStream<Uint8Array>(
        { pull: () => (asked[0].open(), never), cancel: (reason) => void (told = [reason]) },
        { highWaterMark: 0 },
      );
      const slow = { [Symbol.asyncIterator]: () => ({ next: () => (asked[1].open(), never) }) };
      const restores = [silent, slow].map((source) =>
        rejects(jsm.streams.restore(snapshot, source, { signal: ending.signal }), "ABORTED"),
      );
      await Promise.all(asked.map(({ promise }) => promise));
      ending.abort();
      await Promise.all(restores);
      check((told as unknown[])[0], "ABORTED");
    },

    "a restore that does not even begin tells its source": async (harness) => {
      const { nc, jsm, name, store } = await begin(harness, { storage: "file" });
      await store(["a"]);
      const snapshot = await jsm.streams.snapshot(name);
      const refused = async (of: SnapshotInfo, code: NatsErrorCode): Promise<void> => {
        const cancelled = gate<unknown>();
        const source = new ReadableStream<Uint8Array>({ cancel: (reason) => cancelled.open(reason) });
        await rejects(jsm.streams.restore(of, source), code);
        check(await within(cancelled.promise, "the source was not told"), code);
      };
      await refused(snapshot, "STREAM_EXISTS");
      await refused({ ...snapshot, config: { ...snapshot.config, name: "a.b" } }, "INVALID_ARGUMENT");
      await nc.close();
      await refused(snapshot, "CLOSED");
    },

    "a stream is restored from bytes and from a blob; what gives no bytes is refused by what it is": async (
      harness,
    ) => {
      const { nc, jsm, name: first } = await begin(harness, { storage: "file" });
      const second = `${first}_2`;
      await jsm.streams.add({ name: second, subjects: [`${second}.>`], storage: "file" });
      // a stream is restored once: where the restored one is deleted too, a server of 2.15 may find some of it still there
      const taken = async (name: string): Promise<[SnapshotInfo, Blob]> => {
        await nc.request(`${name}.a`, "a", PATIENT);
        const snapshot = await jsm.streams.snapshot(name);
        const blob = new Blob((await read(snapshot.readable)) as BlobPart[]);
        await jsm.streams.delete(name);
        return [snapshot, blob];
      };
      const [snapshot, blob] = await taken(first);
      equal((await jsm.streams.restore(snapshot, blob)).state.messages, 1);
      const [other, more] = await taken(second);
      const whole = new Uint8Array(await more.arrayBuffer());
      equal((await jsm.streams.restore(other, whole)).state.messages, 1);
      await jsm.streams.delete(second);
      const wrong = [whole.buffer] as unknown as Uint8Array[];
      const { message } = await rejects(jsm.streams.restore(other, wrong), "INVALID_ARGUMENT");
      ok(message.includes(`the restore of stream '${second}' gives is ArrayBuffer: give bytes`), message);
    },
  },
};
