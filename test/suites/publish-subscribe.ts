// Suite: publishing and subscribing: what is sent, who gets it, and how a subscription ends.
import { createInbox, json, type Msg, text } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { equal, Events, inbox, numbers, ok, PATIENT, rejects, texts, throws, within } from "./tools.ts";

export const publishSubscribe: Suite = {
  name: "publish and subscribe",
  cases: {
    "a message has its subject, sid, payload and size": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, `${prefix}.>`);
      nc.publish(`${prefix}.a.b`, "hello");
      const [msg] = await got.first(1);
      ok(msg);
      equal(msg.subject, `${prefix}.a.b`);
      equal(msg.sid, got.sub.getID());
      equal(msg.reply, undefined);
      equal(msg.headers, undefined);
      equal(msg.string(), "hello");
      equal(msg.size(), `${prefix}.a.b`.length + 5);
      equal(msg.respond("x"), false, "respond without a reply subject");
    },

    "payloads arrive as they were: empty, every byte, full UTF-8 (trap 47)": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      const every = Uint8Array.from({ length: 256 }, (_, i) => i);
      const speech = "grüße \u0000 日本 🎉 \r\nPUB x 1\r\n";
      nc.publish(prefix);
      nc.publish(prefix, "");
      nc.publish(prefix, every);
      nc.publish(prefix, every.subarray(10, 20));
      nc.publish(prefix, speech);
      const [none, empty, all, part, said] = await got.first(5);
      equal(none?.data, new Uint8Array(0));
      equal(empty?.data, new Uint8Array(0));
      equal(all?.data, every);
      equal(part?.data, every.slice(10, 20), "a view is sent as the view (trap 34)");
      equal(said?.string(), speech);
    },

    "data is a plain Uint8Array, whatever the size (trap 49)": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      const sizes = [1, 100, 70_000, 200_000];
      for (const size of sizes) nc.publish(prefix, new Uint8Array(size).fill(7));
      for (const [i, msg] of (await got.first(sizes.length)).entries()) {
        equal(Object.getPrototypeOf(msg.data) === Uint8Array.prototype, true);
        equal(msg.data.length, sizes[i]);
        ok(msg.data.every((byte) => byte === 7));
      }
    },

    "payloads are read as JSON, text or by a codec": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      nc.publish(prefix, json.encode({ a: [1, "ü"] }));
      nc.publish(prefix, "no json");
      const [first, second] = await got.first(2);
      equal(first?.json(), { a: [1, "ü"] });
      equal(first?.decode(json), { a: [1, "ü"] });
      equal(second?.decode(text), "no json");
      throws(() => second?.json(), "CODEC");
      throws(() => second?.decode(json), "CODEC");
    },

    "a message as large as the server takes goes through whole": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      const size = nc.info?.max_payload ?? 0;
      ok(size >= 65_536);
      const data = Uint8Array.from({ length: size }, (_, i) => (i * 7) & 255);
      nc.publish(prefix, data);
      nc.publish(prefix, "after");
      const [large, after] = await got.first(2);
      equal(large?.data.length, size);
      ok(
        large?.data.every((byte, i) => byte === ((i * 7) & 255)),
        "the bytes differ",
      );
      equal(after?.string(), "after");
    },

    "ten thousand messages arrive once each, in order": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const got = await inbox(b, prefix);
      for (let i = 0; i < 10_000; i++) a.publish(prefix, String(i));
      equal(texts(await got.first(10_000)), numbers(10_000));
      await b.flush();
      equal(got.all.length, 10_000);
    },

    "wildcards match one token or the rest (C-SUBJ-1)": async ({ connect, prefix }) => {
      const nc = await connect();
      const [one, rest, exact] = [
        await inbox(nc, `${prefix}.*.c`),
        await inbox(nc, `${prefix}.>`),
        await inbox(nc, `${prefix}.b.c`),
      ];
      for (const tail of ["b.c", "x.c", "b.c.d", "b", "x.y"]) nc.publish(`${prefix}.${tail}`, tail);
      nc.publish(prefix, "no token more");
      await nc.flush();
      equal(texts(one.all), ["b.c", "x.c"]);
      equal(texts(rest.all), ["b.c", "x.c", "b.c.d", "b", "x.y"]);
      equal(texts(exact.all), ["b.c"]);
    },

    "a star or an angle inside a token is an ordinary character": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, `${prefix}.f*o.>`);
      nc.publish(`${prefix}.f*o.a>b`, "literal");
      nc.publish(`${prefix}.fxo.a`, "other");
      await nc.flush();
      equal(
        got.all.map((msg) => msg.subject),
        [`${prefix}.f*o.a>b`],
      );
    },

    "subjects may be any UTF-8 (C-SUBJ-5)": async ({ connect, prefix }) => {
      const nc = await connect();
      const subject = `${prefix}.grüße.日本.🎉`;
      const got = await inbox(nc, subject);
      nc.publish(subject, "x", { reply: `${prefix}.antwort.ö` });
      const [msg] = await got.first(1);
      equal([msg?.subject, msg?.reply], [subject, `${prefix}.antwort.ö`]);
    },

    "malformed subjects are refused before anything is written (C-SUBJ-2, C-SUBJ-3, C-SUBJ-4, trap 42, trap 43)":
      async ({ connect, prefix }) => {
        const nc = await connect();
        const events = new Events(nc);
        for (const bad of ["", "a b", "a\tb", "a\r\nPING", "a..b", ".a", "a.", "a\u0000"]) {
          throws(() => nc.publish(bad), "INVALID_SUBJECT");
          throws(() => nc.subscribe(bad), "INVALID_SUBJECT");
          throws(() => nc.publish(prefix, "x", { reply: bad }), "INVALID_SUBJECT");
          await rejects(nc.request(bad), "INVALID_SUBJECT");
        }
        for (const wild of ["a.*", "a.>", "*", ">"]) throws(() => nc.publish(wild), "INVALID_SUBJECT");
        throws(() => nc.subscribe("a.>.b"), "INVALID_SUBJECT");
        await nc.flush();
        equal(events.types, []);
        equal(nc.stats().outMsgs, 0);
      },

    "arguments of a wrong type are refused with what to do (trap 48)": async ({ connect, prefix }) => {
      const nc = await connect();
      throws(() => nc.publish(prefix, { a: 1 } as never), "INVALID_ARGUMENT");
      throws(() => nc.publish(prefix, 7 as never), "INVALID_ARGUMENT");
      throws(() => nc.publish(7 as never), "INVALID_SUBJECT");
      throws(() => nc.subscribe(prefix, { callback: "x" as never }), "INVALID_ARGUMENT");
      throws(() => nc.publish(prefix, "x", { headers: { a: "b" } as never }), "INVALID_ARGUMENT");
      throws(() => nc.subscribe(prefix, { max: -1 }), "INVALID_ARGUMENT");
    },

    "reply subjects travel, and respond publishes to them": async ({ connect, prefix }) => {
      const nc = await connect();
      const reply = createInbox();
      const replies = await inbox(nc, reply);
      nc.subscribe(prefix, {
        callback: (_, msg) => {
          equal(msg.reply, reply);
          equal(msg.respond(`${msg.string()}!`), true);
        },
      });
      nc.publish(prefix, "a", { reply });
      equal(texts(await replies.first(1)), ["a!"]);
    },

    "publishMessage and respondMessage pass a message on": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, `${prefix}.in`);
      const [copies, answers] = [await inbox(nc, `${prefix}.in`), await inbox(nc, `${prefix}.reply`)];
      nc.publish(`${prefix}.in`, "x", { reply: `${prefix}.reply` });
      const [msg] = (await got.first(1)) as [Msg];
      equal(nc.respondMessage(msg), true);
      nc.publishMessage(msg);
      equal(texts(await answers.first(1)), ["x"]);
      const again = (await copies.first(2))[1];
      equal([again?.subject, again?.reply, again?.string()], [msg.subject, msg.reply, "x"]);
    },

    "every subscription of a subject gets its own copy": async ({ connect, prefix }) => {
      const nc = await connect();
      const all = await Promise.all(Array.from({ length: 20 }, () => inbox(nc, prefix)));
      nc.publish(prefix, "x");
      for (const got of all) equal(texts(await got.first(1)), ["x"]);
    },

    "an iterator yields the messages until it is left, and that unsubscribes (trap 54)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix);
      for (let i = 0; i < 10; i++) nc.publish(prefix, String(i));
      const got: string[] = [];
      for await (const msg of sub) {
        got.push(msg.string());
        if (got.length === 4) break;
      }
      equal(got, numbers(4));
      equal(sub.isClosed(), true);
      equal(await sub.closed, undefined);
      nc.publish(prefix, "late");
      await nc.flush();
      equal(sub.getPending(), 0);
    },

    "an iterator ends when the connection closes": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix);
      const ended = (async () => {
        for await (const _ of sub);
      })();
      await nc.close();
      await within(ended, "the loop still runs");
    },

    "a subscription is iterated once, or has a callback": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix);
      sub[Symbol.asyncIterator]();
      throws(() => sub[Symbol.asyncIterator](), "INVALID_OPERATION");
      const called = nc.subscribe(prefix, { callback: () => {} });
      throws(() => called[Symbol.asyncIterator](), "INVALID_OPERATION");
    },

    "max ends a subscription after so many messages (C-PROTO-10)": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix, { max: 3 });
      equal(got.sub.getMax(), 3);
      for (let i = 0; i < 10; i++) nc.publish(prefix, String(i));
      await nc.flush();
      equal(await within(got.sub.closed, "it is still open"), undefined);
      equal(texts(got.all), numbers(3));
      equal([got.sub.getReceived(), got.sub.getProcessed()], [3, 3]);
    },

    "max lets an iterator have all of them, then ends it": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix, { max: 3 });
      for (let i = 0; i < 5; i++) nc.publish(prefix, String(i));
      await nc.flush();
      equal(sub.isClosed(), true);
      const got: string[] = [];
      for await (const msg of sub) got.push(msg.string());
      equal(got, numbers(3));
    },

    "unsubscribe(max) counts from the beginning and lets what is on its way through (trap 55)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      for (let i = 0; i < 3; i++) nc.publish(prefix, String(i));
      await got.first(3);
      got.sub.unsubscribe(5);
      equal(got.sub.isClosed(), false);
      for (let i = 3; i < 9; i++) nc.publish(prefix, String(i));
      await within(got.sub.closed, "it is still open");
      await nc.flush();
      equal(texts(got.all), numbers(5));
      const other = await inbox(nc, prefix);
      nc.publish(prefix, "x");
      await other.first(1);
      other.sub.unsubscribe(1);
      equal(other.sub.isClosed(), true, "as many as that have come already");
    },

    "unsubscribe ends delivery at once (C-PROTO-11)": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const got = await inbox(b, prefix);
      a.publish(prefix, "0");
      await got.first(1);
      got.sub.unsubscribe();
      got.sub.unsubscribe();
      for (let i = 0; i < 100; i++) a.publish(prefix, "more");
      await a.flush();
      await b.flush();
      equal(got.all.length, 1);
      equal(got.sub.isClosed(), true);
    },

    "timeout ends a subscription that gets no first message (trap 57)": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix, { timeout: 20 });
      const error = await rejects(
        (async () => {
          for await (const _ of sub);
        })(),
        "TIMEOUT",
      );
      equal(error.subject, prefix);
      equal(await sub.closed, error);
      const errors: unknown[] = [];
      const called = nc.subscribe(prefix, { timeout: 20, callback: (failure) => void errors.push(failure) });
      equal(errors, [await called.closed]);
    },

    "the first message stops the timeout": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix, { timeout: 1500 });
      nc.publish(prefix, "x");
      const [iterator, other] = [
        sub[Symbol.asyncIterator](),
        nc.subscribe(`${prefix}.none`, { timeout: 1520 }),
      ];
      equal((await iterator.next()).value?.string(), "x");
      await other.closed;
      equal(sub.isClosed(), false);
    },

    "a callback that throws or rejects hurts its own message only (P1, trap 1, trap 2)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const events = new Events(nc);
      const seen: string[] = [];
      nc.subscribe(prefix, {
        callback: (_, msg) => {
          seen.push(msg.string());
          throw new Error("thrown");
        },
      });
      nc.subscribe(prefix, { callback: () => Promise.reject(new Error("rejected")) });
      const got = await inbox(nc, prefix);
      nc.publish(prefix, "0");
      nc.publish(prefix, "1");
      await nc.flush();
      equal(texts(await got.first(2)), ["0", "1"]);
      equal(seen, ["0", "1"]);
      await events.until("handlerError", 4);
      const errors = events.of("handlerError");
      equal(errors.map(({ error }) => (error as Error).message).sort(), [
        "rejected",
        "rejected",
        "thrown",
        "thrown",
      ]);
      ok(errors.every(({ subject, source }) => subject === prefix && source === "subscription"));
      equal(nc.state, "connected");
    },

    "readable and writableStream are web streams over the same queues": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix);
      const writer = nc.writableStream(prefix).getWriter();
      for (const text of numbers(50)) await writer.write(text);
      await writer.close();
      const reader = sub.readable.getReader();
      const got: string[] = [];
      while (got.length < 50) {
        const { value } = await reader.read();
        got.push(value?.string() ?? "the end");
      }
      equal(got, numbers(50));
      await reader.cancel();
      equal(sub.isClosed(), true);
    },

    "a thousand subscriptions on one connection get each their own": async ({ connect, prefix }) => {
      const nc = await connect();
      const got: string[] = [];
      for (const n of numbers(1000)) {
        nc.subscribe(`${prefix}.${n}`, { callback: (_, msg) => void got.push(msg.subject) });
      }
      for (const n of numbers(1000)) nc.publish(`${prefix}.${n}`);
      await nc.flush();
      equal(
        got,
        numbers(1000).map((n) => `${prefix}.${n}`),
      );
    },
  },
};

/** A connection that does not hear itself. */
export const noEcho: Suite = {
  name: "no echo",
  cases: {
    "noEcho keeps a connection from hearing itself, and nobody else (C-PROTO-12)": async ({
      connect,
      prefix,
    }) => {
      const [silent, other] = await Promise.all([connect({ noEcho: true }), connect()]);
      const [own, others] = [await inbox(silent, prefix), await inbox(other, prefix)];
      silent.publish(prefix, "from silent");
      other.publish(prefix, "from other");
      equal(texts(await own.first(1)), ["from other"]);
      equal(texts(await others.first(2)).sort(), ["from other", "from silent"]);
      await silent.flush();
      equal(own.all.length, 1);
    },

    "with noEcho an own responder does not count, another's does (C-REQ-5)": async ({ connect, prefix }) => {
      const [silent, other] = await Promise.all([connect({ noEcho: true }), connect()]);
      silent.subscribe(prefix, { callback: (_, msg) => void msg.respond("own") });
      await rejects(silent.request(prefix, "", PATIENT), "NO_RESPONDERS");
      other.subscribe(prefix, { callback: (_, msg) => void msg.respond("other") });
      await other.flush();
      equal((await silent.request(prefix, "", PATIENT)).string(), "other");
    },

    "without it a connection hears itself": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      nc.publish(prefix, "x");
      equal(texts(await got.first(1)), ["x"]);
    },
  },
};
