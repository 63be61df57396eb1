// Suite: pull consumers: next, fetch and consume.
import { type ConsumerMessages, jetstream, type JsMsg } from "../../src/jetstream/index.ts";
import type { Suite } from "./harness.ts";
import {
  allAcknowledged,
  consuming,
  filled,
  notices,
  pending,
  pullsWait,
  range,
  sequences,
} from "./jetstream-consuming.ts";
import { atLeast, equal, gate, Growing, ok, rejects, within } from "./tools.ts";

/** The error that a loop over the messages ends with. */
async function ending(messages: ConsumerMessages): Promise<unknown> {
  return sequences(messages).then(
    () => undefined,
    (error: unknown) => error,
  );
}

export const jetstreamFetch: Suite = {
  name: "jetstream fetch",
  needs: ["jetstream"],
  cases: {
    "next gives one message, and null when none comes within expires (C-ADR37-2, C-PULL-1)": async (
      harness,
    ) => {
      const { stream, consumer } = await consuming(harness, 1);
      equal((await consumer.next())?.seq, 1);
      equal(await consumer.next({ expires: 1000 }), null);
      const later = consumer.next();
      await stream.fill(1);
      equal((await later)?.seq, 2);
    },

    "fetch ends when it has all (C-ADR37-2, C-ADR37-4)": async (harness) => {
      const { consumer } = await consuming(harness, 25);
      equal(await sequences(await consumer.fetch({ max_messages: 10 })), range(1, 10));
      equal(await sequences(await consumer.fetch({ max_messages: 15 })), range(11, 25));
    },

    "fetch ends with what there is, when no more comes within expires (C-STAT-1)": async (harness) => {
      const { consumer } = await consuming(harness, 3);
      const messages = await consumer.fetch({ max_messages: 10, expires: 1000 });
      equal(await sequences(messages), [1, 2, 3]);
      equal(await messages.closed(), undefined);
      equal([messages.getReceived(), messages.getProcessed(), messages.getPending()], [3, 3, 0]);
    },

    "no_wait ends at once, with what there is or with nothing, on every server (C-PULL-3, trap 67)": async (
      harness,
    ) => {
      const { stream, consumer } = await consuming(harness, 3);
      equal(await sequences(await consumer.fetch({ no_wait: true })), [1, 2, 3]);
      equal(await sequences(await consumer.fetch({ no_wait: true })), []);
      equal(await consumer.next({ no_wait: true }), null);
      await stream.fill(1);
      // the consumer hears of it a moment after who published it
      let msg: JsMsg | null = null;
      for (const limit = performance.now() + 20_000; msg === null && performance.now() < limit; ) {
        msg = await consumer.next({ no_wait: true });
      }
      equal(msg?.seq, 4);
    },

    "no_wait with expires waits for the first message (C-PULL-4, trap 67)": async (harness) => {
      const { stream, consumer } = await consuming(harness, 0);
      const messages = sequences(await consumer.fetch({ max_messages: 5, no_wait: true, expires: 20_000 }));
      await stream.fill(1);
      equal(await within(messages, "it waits for more than the first"), [1]);
    },

    "expires is milliseconds, as are heartbeats (C-PULL-2, trap 68)": async (harness) => {
      const { consumer } = await consuming(harness, 0);
      const messages = await consumer.consume({ expires: 2000, idle_heartbeat: 500 });
      const log = notices(messages);
      const next = await log.until(({ type }) => type === "heartbeat", "no heartbeat came");
      equal(next, { type: "heartbeat", lastConsumerSequence: 0, lastStreamSequence: 0 });
      const second = await consumer.consume({ expires: 2000 });
      const asked = notices(second);
      const { options } = (await asked.until(
        ({ type }) => type === "next",
        "nothing was asked for again",
      )) as {
        options: unknown;
      };
      equal(options, { batch: 100, expires: 2_000_000_000, idle_heartbeat: 1_000_000_000 });
      second.stop();
      messages.stop();
      await rejects(consumer.fetch({ expires: 999 }), "INVALID_ARGUMENT");
      await rejects(consumer.fetch({ expires: 2000, idle_heartbeat: 1500 }), "INVALID_ARGUMENT");
    },

    "fetch by bytes takes no more than fit, and counts subject, reply, headers and payload (C-PULL-5, C-PULL-6)":
      async (harness) => {
        const { consumer } = await consuming(harness, 20);
        let bytes = 0;
        let count = 0;
        for await (const msg of await consumer.fetch({ max_bytes: 500, expires: 1000 })) {
          bytes += msg.size();
          count++;
          msg.ack();
        }
        ok(bytes <= 500 && count > 2 && count < 20, `${count} messages of ${bytes} bytes`);
        equal((await consumer.next())?.seq, count + 1);
      },

    "a message that is larger than max_bytes ends a fetch and a consume with an error (trap 66)": async (
      harness,
    ) => {
      const { consumer } = await consuming(harness, 1);
      await rejects(sequences(await consumer.fetch({ max_bytes: 10 })), "JETSTREAM_STATUS");
      const messages = await consumer.consume({ max_bytes: 10 });
      const error = await within(rejects(sequences(messages), "JETSTREAM_STATUS"), "it goes on pulling");
      ok(error.message.includes("409 Message Size Exceeds MaxBytes"), error.message);
    },

    "limits of the consumer refuse a fetch with an error; a consume keeps to them (C-STAT-1, trap 65)":
      async (harness) => {
        const { stream, consumer } = await consuming(harness, 30, { max_batch: 10, max_expires: 5e9 });
        const error = await rejects(
          sequences(await consumer.fetch({ max_messages: 20, expires: 5000, bind: true })),
          "JETSTREAM_STATUS",
        );
        ok(error.message.includes("409 Exceeded MaxRequestBatch of 10"), error.message);
        const late = await rejects(
          sequences(await consumer.fetch({ max_messages: 5, bind: true })),
          "JETSTREAM_STATUS",
        );
        ok(late.message.includes("409 Exceeded MaxRequestExpires of 5s"), late.message);
        // who does not know them learns of them
        const messages = await consumer.consume({ bind: true });
        const log = notices(messages);
        equal((await sequences(messages, 20)).length, 20);
        equal(log.all.filter(({ type }) => type === "exceeded_limits").length, 2);
        await stream.jsm.consumers.delete(stream.name, "c");
      },

    "too many waiting pulls end a fetch with an error, and a consume waits for its turn (C-PULL-9, trap 65)":
      async (harness) => {
        const { stream, consumer } = await consuming(harness, 0, { max_waiting: 1 });
        const first = consumer.next();
        await stream.nc.flush();
        const error = await rejects(consumer.next(), "JETSTREAM_STATUS");
        ok(error.message.includes("409 Exceeded MaxWaiting"), error.message);
        const messages = await consumer.consume({ expires: 1000, idle_heartbeat: 500 });
        await stream.fill(1);
        equal((await first)?.seq, 1);
        const second = sequences(messages, 1);
        await stream.fill(1);
        equal(await within(second, "its turn never comes"), [2]);
      },

    "a consumer or stream that is gone is a typed error, within a second or two (C-PULL-8, trap 64)": async (
      harness,
    ) => {
      const { stream, consumer } = await consuming(harness, 0);
      await stream.jsm.consumers.delete(stream.name, "c");
      await within(rejects(consumer.next(), "CONSUMER_NOT_FOUND"), "next hangs");
      await within(rejects(sequences(await consumer.fetch()), "CONSUMER_NOT_FOUND"), "fetch hangs");
      await within(rejects(sequences(await consumer.consume()), "CONSUMER_NOT_FOUND"), "consume hangs");
      await stream.jsm.streams.delete(stream.name);
      await within(rejects(consumer.next(), "STREAM_NOT_FOUND"), "next hangs");
      if (!atLeast(harness.version, "2.10")) return;
      // who may not ask for it is told as the server tells it
      await within(rejects(consumer.next({ bind: true }), "JETSTREAM_STATUS"), "next hangs");
    },

    "a consumer that is deleted under a fetch or a consume ends them with a typed error (trap 65)": async (
      harness,
    ) => {
      const { stream, consumer } = await consuming(harness, 0);
      const messages = await consumer.consume();
      const log = notices(messages);
      const fetched = await consumer.fetch();
      const ends = Promise.all([
        rejects(consumer.next(), "CONSUMER_NOT_FOUND"),
        rejects(sequences(fetched), "CONSUMER_NOT_FOUND"),
        rejects(sequences(messages), "CONSUMER_NOT_FOUND"),
      ]);
      await pullsWait(stream, 3);
      await stream.jsm.consumers.delete(stream.name, "c");
      const [error] = await within(ends, "a wait goes on");
      equal([error.stream, error.consumer], [stream.name, "c"]);
      ok(log.all.some(({ type }) => type === "consumer_deleted"));
      ok((await messages.closed()) instanceof Error);
    },

    "signal and timeout end a wait, and what the user gives is checked (C-ADR37-2)": async (harness) => {
      const { consumer } = await consuming(harness, 0);
      const abort = new AbortController();
      const waits = Promise.all([
        rejects(consumer.next({ signal: abort.signal }), "ABORTED"),
        consumer.fetch({ signal: abort.signal }).then((messages) => rejects(sequences(messages), "ABORTED")),
        consumer
          .consume({ signal: abort.signal })
          .then((messages) => rejects(sequences(messages), "ABORTED")),
      ]);
      await consumer.info();
      abort.abort(new Error("enough"));
      await within(waits, "a signal does not end it");
      await rejects(consumer.next({ signal: abort.signal }), "ABORTED");
      await rejects(consumer.next({ timeout: 50 }), "TIMEOUT");
      for (const options of [
        { max_messages: 0 },
        { max_messages: 1.5 },
        { max_bytes: -1 },
        { priority: 10, group: "g" },
        { min_pending: 5 },
        { group: "nobody" },
        { timeout: 0 },
        { timeout: Number.NaN },
        { expires: Infinity },
        { idle_heartbeat: Infinity },
      ]) {
        for (const call of [consumer.fetch(options), consumer.consume(options)]) {
          const { message } = await rejects(call, "INVALID_ARGUMENT");
          ok(message.includes(Object.keys(options)[0] as string), message);
        }
      }
      await rejects(consumer.consume({ max_messages: 10, threshold_messages: 11 }), "INVALID_ARGUMENT");
    },

    "a loop that is left unsubscribes, and the consumer goes on with what was not delivered (C-ADR37-8)":
      async (harness) => {
        const { stream, consumer } = await consuming(harness, 100, { ack_wait: 2e9 });
        equal(await sequences(await consumer.fetch({ max_messages: 20 }), 5), range(1, 5));
        const rest = await sequences(await consumer.fetch({ max_messages: 95, expires: 20_000 }));
        // what was dropped comes again after the ack wait
        equal(
          rest.sort((a, b) => a - b),
          range(6, 100),
        );
        await allAcknowledged(consumer);
        equal(stream.name, harness.prefix);
      },
  },
};

export const jetstreamConsume: Suite = {
  name: "jetstream consume",
  needs: ["jetstream"],
  cases: {
    "consume gives all messages, those that are there and those that come (C-ADR37-3, C-ADR37-5)": async (
      harness,
    ) => {
      const { stream, consumer } = await consuming(harness, 350);
      const messages = await consumer.consume();
      const all = sequences(messages, 500);
      await stream.fill(150);
      equal(await within(all, "not all come"), range(1, 500));
      await messages.close();
      await allAcknowledged(consumer);
    },

    "a callback gets them too; a promise it returns bounds how many are here (C-ADR37-3, trap 70)": async (
      harness,
    ) => {
      const { consumer } = await consuming(harness, 60);
      const done = gate();
      let running = 0;
      let most = 0;
      let seen = 0;
      const messages = await consumer.consume({
        max_messages: 4,
        callback: async (msg) => {
          most = Math.max(most, ++running);
          await msg.ackAck();
          running--;
          if (++seen === 60) done.open();
        },
      });
      await within(done.promise, () => `${seen} came`);
      ok(most <= 4, `${most} ran at once`);
      await messages.close();
      equal(await within(messages.closed(), "a callback is waited for"), undefined);
    },

    "what a callback throws is reported, and the next message comes all the same": async (harness) => {
      const { stream, consumer } = await consuming(harness, 3);
      const errors = new Growing<unknown>();
      void (async () => {
        for await (const status of stream.nc.status())
          if (status.type === "handlerError") errors.push(status.error);
      })();
      const seen = new Growing<number>();
      await consumer.consume({
        callback: (msg) => {
          seen.push(msg.seq);
          if (msg.seq === 1) throw new Error("one");
          if (msg.seq === 2) return Promise.reject(new Error("two"));
          return undefined;
        },
      });
      equal(await seen.first(3), [1, 2, 3]);
      equal((await errors.first(2)).map(String), ["Error: one", "Error: two"]);
    },

    "max_messages 1: one message is here at a time, and the next is asked for when it is done with (C-ADR37-3, trap 70)":
      async (harness) => {
        const { consumer } = await consuming(harness, 5);
        const messages = await consumer.consume({ max_messages: 1 });
        const found: number[] = [];
        for await (const msg of messages) {
          found.push(msg.seq);
          equal([messages.getPending(), messages.health.outstanding.messages], [0, 0]);
          equal((await consumer.info()).num_ack_pending, 1);
          await msg.ackAck();
          if (found.length === 5) break;
        }
        equal(found, range(1, 5));
      },

    "a slow loop holds no more than was asked for, by count and by bytes (C-ADR37-4, C-ADR37-5, trap 70)":
      async (harness) => {
        const { stream, consumer } = await consuming(harness, 1000, { max_ack_pending: -1 });
        for (const options of [
          { max_messages: 20 },
          { max_bytes: 2000 },
          { max_messages: 20, max_bytes: 2000 },
        ]) {
          const messages = await consumer.consume(options);
          let most = 0;
          let count = 0;
          for await (const msg of messages) {
            msg.ack();
            most = Math.max(most, messages.getPending() + 1);
            // the server sends what it may
            if (++count === 1) await pending(stream, messages, 5);
            else if (count % 10 === 0) await stream.nc.flush();
            if (count === 100) break;
          }
          ok(most <= 40 && most > 5, `${most} were here with ${JSON.stringify(options)}`);
          if ("max_messages" in options) ok(most <= 20, `${most} were here`);
        }
      },

    "thresholds say when more is asked for (C-ADR37-5)": async (harness) => {
      const { consumer } = await consuming(harness, 100);
      const messages = await consumer.consume({ max_messages: 10, threshold_messages: 2 });
      const log = notices(messages);
      equal((await sequences(messages, 40)).length, 40);
      const batches = log.all.flatMap((one) => (one.type === "next" ? [one.options.batch] : []));
      equal(batches, [8, 8, 8, 8]);
    },

    "close hands over what is here; stop drops it (C-ADR37-8, trap 80)": async (harness) => {
      const { stream, consumer } = await consuming(harness, 20);
      const messages = await consumer.consume({ max_messages: 5 });
      const found: number[] = [];
      for await (const msg of messages) {
        if (found.length === 0) await pending(stream, messages, 4);
        msg.ack();
        found.push(msg.seq);
        // in the loop itself: it does not wait for the loop
        if (found.length === 1) equal(await within(messages.close(), "close waits for the loop"), undefined);
      }
      equal(found, range(1, 5));
      equal(await messages.closed(), undefined);
      const stopped = await consumer.consume({ max_messages: 5 });
      const failure = new Error("enough");
      const error = (async () => {
        for await (const msg of stopped) if (msg.seq > 0) stopped.stop(failure);
      })();
      equal(await error.catch((reason: unknown) => reason), failure);
      equal(await stopped.closed(), failure);
      equal(stopped.health.state, "ended");
    },

    "close settles when nobody iterates (C-ADR37-8)": async (harness) => {
      const { consumer } = await consuming(harness, 3);
      const messages = await consumer.consume();
      equal(await within(messages.close(), "close waits for a loop"), undefined);
      equal(await within(messages.closed(), "closed waits for a loop"), undefined);
    },

    "the messages are iterated once, or go to a callback": async (harness) => {
      const { consumer } = await consuming(harness, 1);
      const messages = await consumer.consume();
      messages[Symbol.asyncIterator]();
      const error = await rejects(sequences(messages), "INVALID_OPERATION");
      ok(error.message.includes("already"), error.message);
      const called = await consumer.consume({ callback: () => undefined });
      await rejects(sequences(called), "INVALID_OPERATION");
      messages.stop();
      called.stop();
    },

    "a drain of the connection hands over what is here, and its acknowledgements arrive (trap 62)": async (
      harness,
    ) => {
      const { stream, consumer } = await consuming(harness, 10);
      const nc = await harness.connect();
      const other = await jetstream(nc).consumers.get(stream.name, "c");
      const messages = await other.consume();
      const found: JsMsg[] = [];
      let drained: Promise<void> | undefined;
      for await (const msg of messages) {
        if (drained === undefined) await pending(stream, messages, 9);
        found.push(msg);
        drained ??= nc.drain();
        msg.ack();
      }
      await within(drained ?? Promise.reject(new Error("no message")), "the drain hangs");
      equal(found.length, 10);
      await allAcknowledged(consumer);
    },

    "a close of the connection ends every loop (trap 62)": async (harness) => {
      const { stream } = await consuming(harness, 0);
      const nc = await harness.connect();
      const consumer = await jetstream(nc).consumers.get(stream.name, "c");
      const messages = await consumer.consume();
      const ends = Promise.all([
        ending(messages),
        ending(await consumer.fetch()),
        rejects(consumer.next(), "CLOSED"),
      ]);
      await consumer.info();
      await nc.close();
      const [consumed, fetched] = await within(ends, "a loop goes on");
      equal(consumed, undefined);
      ok(String(fetched).includes("CLOSED"));
      await rejects(consumer.consume(), "CLOSED");
    },

    "a consume that is told to be patient goes on when the consumer is back (trap 63)": async (harness) => {
      const { stream, consumer } = await consuming(harness, 0);
      await stream.fill(3);
      equal((await sequences(await consumer.fetch({ max_messages: 3 }))).length, 3);
      for (const patience of [{ onMissing: "retry" }, { abort_on_missing_resource: false }] as const) {
        const messages = await consumer.consume({ ...patience, expires: 1000 });
        const log = notices(messages);
        const all = sequences(messages, 3);
        await stream.nc.flush();
        await stream.jsm.consumers.delete(stream.name, "c");
        await log.until(({ type }) => type === "consumer_not_found", "it does not look for it");
        await stream.consumer();
        equal(await within(all, "it does not go on"), [1, 2, 3]);
        await allAcknowledged(consumer);
      }
      await rejects(consumer.consume({ onMissing: "ignore" as never }), "INVALID_ARGUMENT");
    },

    "getConsumerFromInfo asks for nothing, and a push consumer is none to pull from (C-ADR37-1)": async (
      harness,
    ) => {
      const stream = await filled(harness, 1);
      const info = await stream.jsm.consumers.add(stream.name, { name: "d", inactive_threshold: 60e9 });
      const before = stream.nc.stats().outMsgs;
      const consumer = stream.js.consumers.getConsumerFromInfo(info);
      equal(stream.nc.stats().outMsgs, before);
      equal([consumer.isPullConsumer(), consumer.isPushConsumer()], [true, false]);
      equal((await consumer.info(true)).name, "d");
      equal((await consumer.next())?.seq, 1);
      equal(await consumer.delete(), true);
      await rejects(consumer.info(), "CONSUMER_NOT_FOUND");
      await stream.jsm.consumers.add(stream.name, { name: "p", deliver_subject: stream.nc.createInbox() });
      await rejects(stream.js.consumers.get(stream.name, "p"), "INVALID_OPERATION");
      await rejects(stream.js.consumers.get(stream.name, "nobody"), "CONSUMER_NOT_FOUND");
    },

    "health tells what was asked for, what came, and that the server is there (C-ADR37-9)": async (
      harness,
    ) => {
      const { stream, consumer } = await consuming(harness, 0);
      const messages = await consumer.consume({ expires: 1000, idle_heartbeat: 500, max_messages: 50 });
      const log = notices(messages);
      const { state, lastMessage, lastHeartbeat, outstanding, resets } = messages.health;
      equal([state, lastMessage, lastHeartbeat, resets], ["flowing", 0, 0, 0]);
      equal(outstanding, { messages: 50, bytes: 0 });
      await log.until(({ type }) => type === "heartbeat", "no heartbeat came");
      ok(Date.now() - messages.health.lastHeartbeat < 60_000);
      const some = sequences(messages, 3);
      await stream.fill(3);
      equal(await some, [1, 2, 3]);
      ok(Date.now() - messages.health.lastMessage < 60_000);
      equal([messages.health.state, messages.health.outstanding.messages], ["ended", 0]);
    },
  },
};
