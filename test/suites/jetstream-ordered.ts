// Suite: ordered consumers, pulling and pushed to: every message once and in order, over whatever happens to their consumers.
import {
  type ConsumerMessages,
  jetstreamLite,
  type JetStreamPublishOptions,
  type JsMsg,
  type OrderedConsumerOptions,
} from "../../src/jetstream/index.ts";
import type { Case, Suite } from "./harness.ts";
import { type Pass, withIntervals } from "./intervals.ts";
import {
  type Filled,
  filled,
  notices,
  pullsWait,
  range,
  sequences,
  storeAll,
} from "./jetstream-consuming.ts";
import { atLeast, equal, ok, rejects, within } from "./tools.ts";

/** Begins to consume, by one of the two ways. */
type Begin = (stream: Filled, options?: OrderedConsumerOptions) => Promise<ConsumerMessages>;

const ways: Record<"pull" | "push", Begin> = {
  pull: async ({ js, name }, options) => (await js.consumers.get(name, options)).consume(),
  push: async ({ js, name }, options) => (await js.consumers.getPushConsumer(name, options)).consume(),
};

/** Two heartbeats are overdue: a push consumer that is gone says no more than that; one that is pulled from says it at once. */
type Silence = () => Promise<void>;

const silences: Record<keyof typeof ways, (pass: Pass) => Silence> = {
  pull: () => async () => {},
  push: (pass) => () => pass(10_000),
};

function both(
  title: string,
  run: (begin: Begin, harness: Parameters<Case>[0], silence: Silence) => Promise<void>,
): Record<string, Case> {
  const [what, ids = ""] = title.split(/ (?=\()/);
  return Object.fromEntries(
    (["pull", "push"] as const).map((way) => [
      `${way}: ${what} ${ids}`.trim(),
      (harness) => withIntervals((pass) => run(ways[way], harness, silences[way](pass))),
    ]),
  );
}

/** Names of the consumers of the stream. */
async function consumersOf({ jsm, name }: Filled): Promise<string[]> {
  const names: string[] = [];
  for await (const one of jsm.consumers.names(name)) names.push(one);
  return names;
}

/** Resolves when a pull has come to the consumer: only those that wait there are told of its end. */
async function asked(stream: Filled, consumer: string): Promise<void> {
  const { config } = await stream.jsm.consumers.info(stream.name, consumer);
  if (config.deliver_subject === undefined) await pullsWait(stream, 1, consumer);
}

export const jetstreamOrdered: Suite = {
  name: "jetstream ordered",
  needs: ["jetstream"],
  cases: {
    ...both(
      "all messages come in order, those that are there and those that follow (C-ADR17-2)",
      async (begin, harness) => {
        const stream = await filled(harness, 300);
        const all = sequences(await begin(stream), 500);
        await stream.fill(200);
        equal(await within(all, "not all come"), range(1, 500));
      },
    ),

    ...both(
      "a consumer that is deleted meanwhile is made anew, without a gap or a duplicate (C-ADR17-3, C-ADR17-5, trap 73)",
      async (begin, harness, silence) => {
        const stream = await filled(harness, 10);
        const messages = await begin(stream, { name_prefix: "mine" });
        const found: number[] = [];
        for await (const msg of messages) {
          found.push(msg.seq);
          if (msg.seq === 10 || msg.seq === 20) {
            const [name = ""] = await consumersOf(stream);
            ok(name.startsWith("mine_"), name);
            await stream.jsm.consumers.delete(stream.name, name);
            await stream.fill(10);
            await silence();
          }
          if (msg.seq === 30) break;
        }
        equal(found, range(1, 30));
        ok(messages.health.resets >= 2, `${messages.health.resets} resets`);
        // it takes its last consumer with it
        for (const limit = performance.now() + 20_000; (await consumersOf(stream)).length > 0; ) {
          ok(performance.now() < limit, "the consumer stays on the server");
        }
      },
    ),

    ...both(
      "a stream that is gone ends the loop with a typed error (C-ADR17-5, trap 74)",
      async (begin, harness, silence) => {
        const stream = await filled(harness, 3);
        const messages = await begin(stream);
        const log: number[] = [];
        const ended = (async () => {
          for await (const msg of messages) {
            log.push(msg.seq);
            if (msg.seq !== 3) continue;
            await stream.jsm.streams.delete(stream.name);
            await silence();
          }
        })();
        await within(rejects(ended, "STREAM_NOT_FOUND"), "the loop goes on");
        equal(log, [1, 2, 3]);
        await rejects(begin(stream), "STREAM_NOT_FOUND");
      },
    ),

    ...both("filters, and where it begins (C-ADR17-1, C-ADR17-4, trap 75)", async (begin, harness) => {
      const stream = await filled(harness, 0);
      const { nc, name } = stream;
      await storeAll(
        nc,
        Array.from("abcabd", (letter) => [`${name}.${letter}`]),
      );
      const begun = async (options: OrderedConsumerOptions, count: number): Promise<number[]> =>
        within(
          sequences(await begin(stream, options), count),
          () => `${JSON.stringify(options)} gives too few`,
        );
      equal(await begun({ filter_subjects: `${name}.a` }, 2), [1, 4]);
      if (atLeast(harness.version, "2.10")) {
        equal(await begun({ filter_subjects: [`${name}.a`, `${name}.c`] }, 3), [1, 3, 4]);
      }
      equal(await begun({ deliver_policy: "last_per_subject" }, 4), [3, 4, 5, 6]);
      equal(await begun({ deliver_policy: "last" }, 1), [6]);
      equal(await begun({ opt_start_seq: 4 }, 3), [4, 5, 6]);
      const fifth = await (await stream.js.consumers.get(name, { opt_start_seq: 5 })).next();
      equal(await begun({ opt_start_time: fifth?.timestamp ?? "" }, 2), [5, 6]);
      const fresh = await begin(stream, { deliver_policy: "new" });
      const next = sequences(fresh, 1);
      nc.publish(`${name}.e`);
      equal(await within(next, "nothing new comes"), [7]);
    }),

    ...both(
      "one that begins at the end does not skip what comes while it is made anew (C-ADR17-3, trap 78)",
      async (begin, harness, silence) => {
        const stream = await filled(harness, 5);
        const messages = await begin(stream, { deliver_policy: "new" });
        const log = notices(messages);
        const [name = ""] = await consumersOf(stream);
        await asked(stream, name);
        await stream.jsm.consumers.delete(stream.name, name);
        await stream.fill(3);
        await silence();
        // nobody has iterated yet
        await log.until(({ type }) => type === "ordered_consumer_recreated", "it is not made anew");
        equal(await within(sequences(messages, 3), "they do not come"), [6, 7, 8]);
      },
    ),

    "next and fetch go on behind what was handed over (C-ADR17-3, trap 77)": async (harness) => {
      const stream = await filled(harness, 20);
      const consumer = await stream.js.consumers.get(stream.name);
      equal((await consumer.next())?.seq, 1);
      equal((await consumer.next())?.seq, 2);
      equal(await sequences(await consumer.fetch({ max_messages: 5 })), range(3, 7));
      // left early: the rest was on its way
      equal(await sequences(await consumer.fetch({ max_messages: 10 }), 3), [8, 9, 10]);
      equal(await sequences(await consumer.fetch({ max_messages: 10 })), range(11, 20));
      equal(await consumer.next({ expires: 1000 }), null);
      equal(await consumer.next({ no_wait: true }), null);
      await stream.fill(2);
      equal((await consumer.next())?.seq, 21);
      const [name = ""] = await consumersOf(stream);
      await stream.jsm.consumers.delete(stream.name, name);
      equal((await within(consumer.next(), "it is not made anew", 35_000))?.seq, 22);
      equal((await consumer.info()).config.ack_policy, "none");
      equal(await consumer.delete(), true);
    },

    "it does one thing at a time, and is what it has to be (C-ADR17-1, C-ADR17-6)": async (harness) => {
      const stream = await filled(harness, 1);
      const { consumers } = stream.js;
      const consumer = await consumers.get(stream.name);
      const waiting = consumer.next();
      await rejects(consumer.next(), "INVALID_OPERATION");
      equal((await waiting)?.seq, 1);
      await rejects(consumer.consume({ group: "g" }), "INVALID_ARGUMENT");
      for (const options of [
        { durable_name: "d" },
        { ack_policy: "explicit" },
        { max_deliver: 2 },
        { num_replicas: 3 },
      ]) {
        await rejects(consumers.get(stream.name, options as never), "INVALID_ARGUMENT");
      }
      await rejects(consumers.get("nobody"), "STREAM_NOT_FOUND");
      await rejects(consumers.get("no.name"), "INVALID_ARGUMENT");
    },

    "a slow loop does not collect what comes: flow control is answered when it has been handed over (C-FC-1, trap 69, trap 81)":
      async (harness) => {
        const stream = await filled(harness, 0);
        const payload = new Uint8Array(20_000);
        await storeAll(stream.nc, Array(600).fill([`${stream.name}.big`, payload]));
        const messages = await ways.push(stream);
        let most = 0;
        const found: number[] = [];
        for await (const msg of messages) {
          found.push(msg.seq);
          if (found.length < 20) await stream.jsm.streams.info(stream.name);
          most = Math.max(most, messages.getPending());
          if (found.length === 600) break;
        }
        equal(found, range(1, 600));
        // 12 MB are sent; the window begins with 2 MiB
        ok(most < 400, `${most} messages of 20 kB were here`);
      },
  },
};

export const jetstreamPush: Suite = {
  name: "jetstream push",
  needs: ["jetstream"],
  cases: {
    "a push consumer delivers, and its messages are acknowledged (C-ADR15-7, C-CONS-8)": async (harness) => {
      const stream = await filled(harness, 50);
      const deliver_subject = stream.nc.createInbox();
      await stream.jsm.consumers.add(stream.name, {
        durable_name: "p",
        deliver_subject,
        ack_policy: "explicit",
        idle_heartbeat: 5000e6,
        flow_control: true,
      });
      const consumer = await stream.js.consumers.getPushConsumer(stream.name, "p");
      equal([consumer.isPullConsumer(), consumer.isPushConsumer()], [false, true]);
      const messages = await consumer.consume();
      const log = notices(messages);
      const all = sequences(messages, 60);
      await stream.fill(10);
      equal(await within(all, "not all come"), range(1, 60));
      for (const limit = performance.now() + 20_000; (await consumer.info()).num_ack_pending > 0; ) {
        ok(performance.now() < limit, "acknowledgements are missing");
      }
      ok(log.all.every(({ type }) => type !== "heartbeats_missed"));
      equal(await consumer.delete(), true);
      await rejects(stream.js.consumers.getPushConsumer(stream.name, "p"), "CONSUMER_NOT_FOUND");
    },

    "a consumer that is deleted is noticed by its silence, and ends the loop with a typed error (C-ADR9-2)":
      async (harness) => {
        const stream = await filled(harness, 0);
        await stream.jsm.consumers.add(stream.name, {
          durable_name: "p",
          deliver_subject: stream.nc.createInbox(),
          ack_policy: "explicit",
          idle_heartbeat: 200e6,
        });
        const messages = await (await stream.js.consumers.getPushConsumer(stream.name, "p")).consume();
        const log = notices(messages);
        await log.until(({ type }) => type === "heartbeat", "no heartbeat comes");
        await stream.jsm.consumers.delete(stream.name, "p");
        const error = await within(rejects(sequences(messages), "CONSUMER_NOT_FOUND"), "the loop goes on");
        equal(error.consumer, "p");
        ok(log.all.some(({ type }) => type === "heartbeats_missed"));
      },

    "members of a deliver group share the messages; without a group a second one is refused (C-ADR15-7, C-ADR15-8)":
      async (harness) => {
        const stream = await filled(harness, 0);
        const { jsm, js, nc, name } = stream;
        const add = (durable_name: string, deliver_group?: string) =>
          jsm.consumers.add(name, {
            durable_name,
            deliver_subject: nc.createInbox(),
            ack_policy: "explicit",
            ...(deliver_group && { deliver_group }),
          });
        await add("g", "team");
        const seen: JsMsg[][] = [[], []];
        const members = seen.map(async (own) => {
          const member = await js.consumers.getPushConsumer(name, "g");
          return member.consume({
            callback: (msg) => {
              own.push(msg);
              msg.ack();
            },
          });
        });
        await Promise.all(members);
        await nc.flush();
        await stream.fill(200);
        const total = (): number => seen.reduce((sum, own) => sum + own.length, 0);
        for (const limit = performance.now() + 20_000; total() < 200; await nc.flush()) {
          ok(performance.now() < limit, `${total()} came`);
        }
        equal(total(), 200);
        ok(
          seen.every((own) => own.length > 0),
          "one has none",
        );
        await add("alone");
        const first = await js.consumers.getPushConsumer(name, "alone");
        await first.consume({ callback: () => undefined });
        await nc.flush();
        await rejects(first.consume(), "INVALID_OPERATION");
        const second = await js.consumers.getPushConsumer(name, "alone");
        for (const limit = performance.now() + 20_000; !(await second.info()).push_bound; )
          ok(performance.now() < limit);
        await rejects(second.consume(), "INVALID_OPERATION");
      },

    "a stream gives its consumers: by their names, ordered, and pushed to": async (harness) => {
      const stream = await filled(harness, 2);
      await stream.consumer();
      const found = await stream.js.streams.get(stream.name);
      equal((await (await found.getConsumer("c")).next())?.seq, 1);
      equal((await (await found.getConsumer({ opt_start_seq: 2 })).next())?.seq, 2);
      equal(await sequences(await (await found.getPushConsumer()).consume(), 2), [1, 2]);
      await rejects(found.getPushConsumer("c"), "INVALID_OPERATION");
    },

    "the lite client publishes, and pulls by name and in order; a schedule it refuses by name": async (
      harness,
    ) => {
      const stream = await filled(harness, 2);
      await stream.consumer();
      const { nc, name } = stream;
      const js = jetstreamLite(nc, { timeout: 4000 });
      equal([js.apiPrefix, js.getOptions()], ["$JS.API", { timeout: 4000 }]);
      equal((await js.publish(`${name}.x`, "third", { msgID: "3" })).seq, 3);
      const named = await js.consumers.get(name, "c");
      const msg = await named.next();
      equal([msg?.seq, await msg?.ackAck()], [1, true]);
      equal((await js.consumers.getConsumerFromInfo(await named.info(true)).next())?.seq, 2);
      const ordered = await js.consumers.get(name, { opt_start_seq: 2 });
      equal(await sequences(await ordered.fetch({ max_messages: 2 }), 2), [2, 3]);
      await rejects(js.consumers.get(`${name}-none`), "STREAM_NOT_FOUND");
      const scheduled: JetStreamPublishOptions = {
        schedule: { specification: "@every 5m", target: `${name}.y` },
      };
      await rejects(js.publish(`${name}.x`, "", scheduled), "UNSUPPORTED");
    },

    "a bound one asks the API for nothing": async (harness) => {
      const stream = await filled(harness, 3);
      const deliver_subject = stream.nc.createInbox();
      await stream.jsm.consumers.add(stream.name, {
        durable_name: "b",
        deliver_subject,
        ack_policy: "explicit",
      });
      const consumer = await stream.js.consumers.getBoundPushConsumer({ deliver_subject });
      const before = stream.nc.stats().outMsgs;
      const messages = await consumer.consume();
      equal(stream.nc.stats().outMsgs, before);
      equal(await within(sequences(messages, 3), "nothing comes"), [1, 2, 3]);
      await rejects(consumer.info(), "INVALID_OPERATION");
      await rejects(consumer.delete(), "INVALID_OPERATION");
      await rejects(stream.js.consumers.getBoundPushConsumer({ deliver_subject: "a b" }), "INVALID_SUBJECT");
    },
  },
};
