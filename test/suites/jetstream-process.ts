// Suite: consumer.process: handlers, and what is done around them.
import type { JsMsg, ProcessOptions } from "../../src/jetstream/index.ts";
import { headers, type NatsErrorCode } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { allAcknowledged, consuming, filled, range, sequences, storeAll } from "./jetstream-consuming.ts";
import { equal, Events, eventually, gate, Growing, ok, rejects, within } from "./tools.ts";

export const jetstreamProcess: Suite = {
  name: "jetstream process",
  needs: ["jetstream"],
  cases: {
    "a message is acknowledged when its handler has resolved, one at a time": async (harness) => {
      const { consumer } = await consuming(harness, 20);
      const seen = new Growing<number>();
      let running = 0;
      const processing = await consumer.process(async (msg) => {
        equal(++running, 1);
        equal(msg.didAck, false);
        await consumer.info(true);
        running--;
        seen.push(msg.seq);
      });
      equal(await seen.first(20), range(1, 20));
      await allAcknowledged(consumer);
      equal(processing.figures, { done: 20, retried: 0, dead: 0 });
      await processing.close();
      equal(await within(processing.closed(), "it does not end"), undefined);
    },

    "concurrency bounds how many run; those of one key run one after the other": async (harness) => {
      const stream = await filled(harness, 0);
      await storeAll(
        stream.nc,
        range(0, 59).map((i) => [`${stream.name}.${"abcdef"[i % 6]}`, String(i)]),
      );
      const consumer = await stream.consumer();
      const byKey = new Map<string, number[]>();
      const busy = new Set<string>();
      const seen = new Growing<number>();
      let most = 0;
      const processing = await consumer.process(
        async (msg) => {
          ok(!busy.has(msg.subject), `two of ${msg.subject} run at once`);
          busy.add(msg.subject);
          most = Math.max(most, busy.size);
          // longer for some
          for (let i = 0; i < (msg.seq % 3) + 1; i++) await stream.nc.flush();
          byKey.set(msg.subject, [...(byKey.get(msg.subject) ?? []), msg.seq]);
          busy.delete(msg.subject);
          seen.push(msg.seq);
        },
        { concurrency: 3, orderBy: (msg) => msg.subject },
      );
      await seen.first(60);
      ok(most > 1 && most <= 3, `${most} ran at once`);
      for (const found of byKey.values())
        equal(
          found,
          [...found].sort((a, b) => a - b),
        );
      await processing.close();
    },

    "a handler that fails gets the message again after the backoff; then it is a dead letter, with its headers":
      async (harness) => {
        const stream = await filled(harness, 0);
        const { nc, jsm, name } = stream;
        await jsm.streams.add({ name: `${name}-dead`, subjects: [`dead.${name}`], storage: "memory" });
        const given = headers();
        given.append("Trace", "t1");
        given.append("Trace", "t2");
        given.set("Nats-Msg-Id", "once");
        await storeAll(nc, [
          [`${name}.bad`, "poison", { headers: given }],
          [`${name}.good`, "food"],
        ]);
        const reported = new Growing<string>();
        void (async () => {
          for await (const status of nc.status())
            if (status.type === "handlerError") reported.push(String(status.error));
        })();
        const consumer = await stream.consumer();
        const counts: number[] = [];
        const processing = await consumer.process(
          (msg) => {
            if (msg.string() === "food") return;
            counts.push(msg.info.deliveryCount);
            throw new Error(`no\ngood ${msg.info.deliveryCount}`);
          },
          { retry: { attempts: 3, backoff: (attempt) => attempt * 20 }, deadLetter: `dead.${name}` },
        );
        equal(await reported.first(3), ["Error: no\ngood 1", "Error: no\ngood 2", "Error: no\ngood 3"]);
        equal(counts, [1, 2, 3]);
        await allAcknowledged(consumer);
        equal(processing.figures, { done: 1, retried: 2, dead: 1 });
        const dead = await jsm.streams.getMessage(`${name}-dead`, { seq: 1 });
        equal(dead?.string(), "poison");
        const found = dead?.header;
        equal(found?.values("Trace"), ["t1", "t2"]);
        equal(found?.get("Dead-Letter-Subject"), `${name}.bad`);
        equal(found?.get("Dead-Letter-Stream"), name);
        equal(found?.get("Dead-Letter-Consumer"), "c");
        equal([found?.get("Dead-Letter-Sequence"), found?.get("Dead-Letter-Deliveries")], ["1", "3"]);
        equal(found?.get("Dead-Letter-Error"), "no good 3");
        processing.stop();
        await jsm.streams.delete(`${name}-dead`);
      },

    "a dead letter that no stream stores is not given up: the message comes again": async (harness) => {
      const { consumer, stream } = await consuming(harness, 1);
      const seen = new Growing<number>();
      const processing = await consumer.process(
        (msg) => {
          seen.push(msg.info.deliveryCount);
          throw new Error("no");
        },
        { retry: { attempts: 1, backoff: [10] }, deadLetter: `nowhere.${stream.name}` },
      );
      equal(await seen.first(2), [1, 2]);
      equal(processing.figures.dead, 0);
      processing.stop();
    },

    "a message that takes longer than the ack wait is delivered once": async (harness) => {
      const { consumer } = await consuming(harness, 2, { ack_wait: 1e9 });
      const counts = new Growing<number>();
      const long = gate();
      const processing = await consumer.process(
        async (msg: JsMsg) => {
          if (msg.seq === 1) await long.promise;
          counts.push(msg.info.deliveryCount);
        },
        { concurrency: 2 },
      );
      await counts.first(1);
      // several times the ack wait, as the server counts it
      const since = Date.now();
      while (Date.now() - since < 2500) await consumer.info();
      long.open();
      equal(await counts.first(2), [1, 1]);
      await allAcknowledged(consumer);
      processing.stop();
    },

    "a signal ends it, and those that run hear of it; what is not done comes to others": async (harness) => {
      const { consumer } = await consuming(harness, 3, { ack_wait: 500e6 });
      const abort = new AbortController();
      const heard = gate<boolean>();
      const processing = await consumer.process(
        (msg, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              heard.open(msg.seq === 1);
              reject(new Error("stopped"));
            });
            abort.abort(new Error("enough"));
          }),
        { signal: abort.signal, retry: { backoff: [1] } },
      );
      equal(await within(heard.promise, "the handler does not hear of it"), true);
      ok(String(await within(processing.closed(), "it does not end")).includes("ABORTED"));
      equal((await sequences(await consumer.fetch({ max_messages: 3 }))).sort(), [1, 2, 3]);
    },

    "stop begins no other handler; what had not begun comes to others": async (harness) => {
      const { consumer, stream } = await consuming(harness, 3, { ack_wait: 500e6 });
      const { nc } = stream;
      const begun = gate();
      const work = gate();
      const seen: number[] = [];
      const processing = await consumer.process(
        (msg) => {
          seen.push(msg.seq);
          begun.open();
          return work.promise;
        },
        { orderBy: () => "one", max_messages: 3 },
      );
      await within(begun.promise, "nothing begins");
      const here = async (): Promise<true | undefined> => {
        await nc.flush();
        return processing.health.outstanding.messages === 0 ? true : undefined;
      };
      await eventually(here, "the others do not come");
      processing.stop();
      work.open();
      equal(await within(processing.closed(), "it does not end"), undefined);
      equal([seen, processing.figures.done], [[1], 1]);
      equal((await sequences(await consumer.fetch({ max_messages: 2 }))).sort(), [2, 3]);
    },

    "a key or a dead letter subject that can't be told fails the message, as its handler does": async (
      harness,
    ) => {
      const { consumer, stream } = await consuming(harness, 1);
      const events = new Events(stream.nc);
      const told = gate<number>();
      let subjects = 0;
      const processing = await consumer.process(() => undefined, {
        orderBy: () => {
          throw new Error("no key");
        },
        retry: { attempts: 2, backoff: [1] },
        deadLetter: (msg) => {
          if (subjects++ === 0) throw new Error("no subject");
          told.open(msg.info.deliveryCount);
          return `${harness.prefix}.dead`;
        },
      });
      equal(await within(told.promise, "it does not come again"), 3);
      processing.stop();
      await processing.closed();
      await events.until("handlerError", 2);
      const errors = events.of("handlerError").map(({ error }) => String(error));
      equal(errors.slice(0, 2), ["Error: no key", "Error: no subject"]);
    },

    "a dead letter says what can be said of an error whose text has no UTF-8 form": async (harness) => {
      const { consumer, stream } = await consuming(harness, 1);
      const dead = stream.nc.subscribe(`${stream.name}.dead`, { max: 1 });
      const processing = await consumer.process(
        (msg) => {
          // the 500 characters that are kept end within the pair
          if (msg.subject !== dead.getSubject()) throw new Error(`\ud800${"x".repeat(498)}😀`);
        },
        { retry: { attempts: 1 }, deadLetter: dead.getSubject() },
      );
      for await (const { headers } of dead) {
        equal(headers?.get("Dead-Letter-Error"), `\ufffd${"x".repeat(498)}\ufffd`);
      }
      processing.stop();
      await processing.closed();
    },

    "it wants explicit acknowledgements": async (harness) => {
      const stream = await filled(harness, 1);
      const none = await stream.consumer({ ack_policy: "none" });
      await rejects(
        none.process(() => undefined),
        "INVALID_OPERATION",
      );
      const ordered = await stream.js.consumers.get(stream.name);
      await rejects(
        ordered.process(() => undefined),
        "INVALID_OPERATION",
      );
      const explicit = await stream.consumer({ name: "e" });
      await rejects(
        explicit.process(() => undefined, { concurrency: 0 }),
        "INVALID_ARGUMENT",
      );
      const wrong: [ProcessOptions, NatsErrorCode][] = [
        [{ concurrency: 1.5 }, "INVALID_ARGUMENT"],
        [{ concurrency: Infinity }, "INVALID_ARGUMENT"],
        [{ keepAlive: -1 }, "INVALID_ARGUMENT"],
        [{ retry: { backoff: [1000, Number.NaN] } }, "INVALID_ARGUMENT"],
        [{ retry: { backoff: [Infinity] } }, "INVALID_ARGUMENT"],
        [{ deadLetter: "dead letters" }, "INVALID_SUBJECT"],
        [{ deadLetter: "" }, "INVALID_SUBJECT"],
      ];
      for (const [options, code] of wrong) {
        await rejects(
          explicit.process(() => undefined, options),
          code,
        );
      }
      await rejects(
        explicit.process(() => undefined, { retry: { attempts: 0 } }),
        "INVALID_ARGUMENT",
      );
    },
  },
};
