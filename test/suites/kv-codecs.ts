// Suite: buckets whose keys and values are turned into others on their way (ADR-54).
import { Base64KeyCodec, ChainKeyCodec, type KvPayloadCodec, PathKeyCodec } from "../../src/kv/index.ts";
import type { Suite } from "./harness.ts";
import { all, bucket, shown, texts } from "./kv-support.ts";
import { atLeast, check, equal, ok, rejects, throws, within } from "./tools.ts";

/** The bytes upside down; takes its time. */
const slow: KvPayloadCodec = {
  encode: async (value) => {
    await Promise.resolve();
    return (typeof value === "string" ? new TextEncoder().encode(value) : value).map((byte) => 255 - byte);
  },
  decode: async (data) => {
    await Promise.resolve();
    if (data[0] === 0) throw new Error("a byte that nobody wrote");
    return data.map((byte) => 255 - byte);
  },
};

export const kvCodecs: Suite = {
  name: "kv codecs",
  needs: ["jetstream"],
  cases: {
    "keys of any characters, by base64, everywhere that keys are (C-ADR54-1, C-ADR54-3, C-ADR54-4)": async (
      harness,
    ) => {
      const { kvm, name, jsm } = await bucket(harness, { history: 3 });
      const kv = await kvm.open(name, { codec: { key: Base64KeyCodec() } });
      await kv.put("Acme Inc.contact", "1");
      await kv.create("Acme Inc.ключ", "2");
      await kv.put("other", "3");
      equal(
        (await jsm.streams.getMessage(`KV_${name}`, { seq: 1 }))?.subject,
        `$KV.${name}.QWNtZSBJbmM.Y29udGFjdA`,
      );
      const entry = await kv.get("Acme Inc.contact");
      equal(
        [entry?.key, entry?.rawKey, entry?.string()],
        ["Acme Inc.contact", "QWNtZSBJbmM.Y29udGFjdA", "1"],
      );
      equal((await kv.get("Acme Inc.contact", { revision: 1 }))?.revision, 1);
      equal((await all(await kv.keys())).sort(), ["Acme Inc.contact", "Acme Inc.ключ", "other"]);
      equal((await all(await kv.keys("Acme Inc.*"))).sort(), ["Acme Inc.contact", "Acme Inc.ключ"]);
      equal(await texts(await kv.watch({ key: "*.ключ" }), 1), ["Acme Inc.ключ=2@2"]);
      equal(await texts(await kv.history({ key: "Acme Inc.contact" })), ["Acme Inc.contact=1@1"]);
      await kv.delete("Acme Inc.>");
      equal(await all(await kv.keys()), ["other"]);
      equal((await kv.purgeDeletes(0)).purged, 4);
      equal((await kv.status()).values, 1);
      equal(await kv.modify("a b", () => "x"), 6);
      for (const key of ["", "a..b", "a.", undefined as never])
        await rejects(kv.put(key, "x"), "INVALID_ARGUMENT");
    },

    "the filter of a source is turned as keys are (C-ADR54-1, C-ADR57-2)": async (harness) => {
      const codec = { key: Base64KeyCodec() };
      const { kvm, kv, name } = await bucket(harness, { codec });
      await kv.put("orders.Oslo 1", "1");
      await kv.put("bills.Oslo 1", "2");
      const sources = [{ name, filter_subject: "orders.*" }];
      const made = kvm.create(`${name}-orders`, { storage: "memory", codec, sources });
      if (!atLeast(harness.version, "2.10")) {
        await rejects(made, "UNSUPPORTED");
        return;
      }
      const orders = await made;
      equal(await texts(await orders.watch(), 1), ["orders.Oslo 1=1@1"]);
      equal(await all(await orders.keys()), ["orders.Oslo 1"]);
    },

    "paths, alone and in a chain (C-ADR54-2, C-ADR54-3)": async (harness) => {
      const { kvm, name } = await bucket(harness);
      const kv = await kvm.open(name, { codec: { key: PathKeyCodec() } });
      await kv.put("/etc/hosts", "1");
      equal((await kv.get("/etc/hosts"))?.rawKey, "_root_.etc.hosts");
      equal(await all(await kv.keys("/etc/*")), ["/etc/hosts"]);
      await kv.put("/etc/motd", "2");
      await kv.delete("/etc/*");
      equal(await all(await kv.keys()), []);
      await rejects(kv.put("/etc/my hosts", "1"), "INVALID_ARGUMENT");
      const chained = await kvm.open(name, {
        codec: { key: ChainKeyCodec(PathKeyCodec(), Base64KeyCodec()) },
      });
      await chained.put("/etc/my hosts", "2");
      equal((await chained.get("/etc/my hosts"))?.key, "/etc/my hosts");
    },

    "a codec of values may take its time: put, get, watch, history and modify wait for it (C-ADR54-1)":
      async (harness) => {
        const { kvm, kv: plain, name } = await bucket(harness, { history: 5 });
        const kv = await kvm.open(name, { codec: { value: slow } });
        await kv.put("a", "one");
        ok((await plain.get("a"))?.string() !== "one");
        equal((await kv.get("a"))?.string(), "one");
        await kv.update("a", "two", 1);
        await kv.create("b", '{"n":1}');
        equal((await kv.get("b"))?.json(), { n: 1 });
        await kv.modify("a", (entry) => `${entry?.string()}!`);
        await kv.delete("b");
        const expected = ["a=one@1", "a=two@2", 'b={"n":1}@3', "a=two!@4", "b DEL@5"];
        equal(await texts(await kv.history()), expected);
        equal(await texts(await kv.watch({ include: "history" }), 5), expected);
        const watch = await kv.watch();
        const seen: string[] = [];
        const following = (async () => {
          for await (const entry of watch) seen.push(shown(entry));
        })();
        await within(watch.synced, "it is not synced");
        equal(seen, ["a=two!@4", "b DEL@5"]);
        watch.stop();
        await following;
      },

    "what a codec throws is about one entry: the others come (C-ADR54-1)": async (harness) => {
      const { kvm, kv: plain, name } = await bucket(harness);
      const kv = await kvm.open(name, { codec: { value: slow } });
      await kv.put("a", "1");
      await plain.put("b", new Uint8Array([0, 1]));
      await kv.put("c", "3");
      const found: string[] = [];
      const watch = await kv.watch();
      for await (const entry of watch) {
        if (entry.key === "b")
          check(
            throws(() => entry.value, "CODEC"),
            "CODEC",
          );
        else found.push(entry.string());
        if (entry.key === "c") break;
      }
      equal(found, ["1", "3"]);
      const broken = await kv.get("b");
      const error = throws(() => broken?.string(), "CODEC");
      ok((error.cause as Error).message.includes("nobody wrote"));
      const refusing = await kvm.open(name, {
        codec: { value: { ...slow, encode: () => Promise.reject(new Error("mine")) } },
      });
      equal(await refusing.put("a", "x").catch((reason: Error) => reason.message), "mine");
      // a key that can't be read back ends the list of keys
      const other = await kvm.open(name, { codec: { key: Base64KeyCodec() } });
      await plain.put("x.y=z", "1");
      await rejects(all(await other.keys()), "CODEC");
    },
  },
};
