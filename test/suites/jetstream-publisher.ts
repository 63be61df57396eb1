// Suite: the publisher: many messages in flight, each with its own ack.
import {
  JetStreamApiError,
  jetstream,
  NoStreamError,
  OutcomeUnknownError,
  type PubAck,
  type PublisherOptions,
  WrongLastSequenceError,
} from "../../src/jetstream/index.ts";
import type { Msg, NatsConnection } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { setUp, stored } from "./jetstream-support.ts";
import { atLeast, equal, type Growing, inbox, numbers, ok, rejects, throws, within } from "./tools.ts";

/** A stream that nobody sees: it acknowledges what the case wants, when it wants. */
async function standIn(nc: NatsConnection, subject: string): Promise<Growing<Msg>> {
  return inbox(nc, subject);
}

const ack = (seq: number): string => JSON.stringify({ stream: "S", seq });

export const jetstreamPublisher: Suite = {
  name: "jetstream publisher",
  needs: ["jetstream"],
  cases: {
    "each message has its own ack, in the order of the publishes (C-PUB-8)": async (harness) => {
      const { js, jsm, name } = await setUp(harness);
      await using publisher = js.publisher({ maxInFlight: 10 });
      const acks: Promise<PubAck>[] = [];
      for (const text of numbers(100)) {
        await publisher.ready();
        ok(publisher.inFlight < 10 && publisher.waiting === 0);
        acks.push(publisher.publish(`${name}.a`, text));
      }
      equal(
        (await Promise.all(acks)).map(({ seq }) => seq),
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
      equal([publisher.inFlight, publisher.waiting], [0, 0]);
      const last = await stored(jsm, name, 100);
      equal([last.string(), last.header.get("Nats-Msg-Id").length], ["99", 22]);
    },

    "what is beyond the window waits, and what is beyond that is refused (C-PUB-8)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const sent = await standIn(nc, prefix);
      const publisher = jetstream(nc).publisher({ maxInFlight: 2, maxWaiting: 3 });
      const acks = numbers(5).map((text) => publisher.publish(prefix, text));
      equal([publisher.inFlight, publisher.waiting], [2, 3]);
      const full = await rejects(publisher.publish(prefix, "5"), "OUTBOUND_FULL");
      ok(full.message.includes("2 messages are in flight and 3 wait"), full.message);
      await rejects(publisher.ready({ timeout: 5 }), "TIMEOUT");
      await nc.flush();
      equal(sent.all.length, 2);
      for (const i of [0, 1, 2, 3, 4]) {
        (await sent.first(i + 1))[i]?.respond(ack(i + 1));
        equal((await acks[i])?.seq, i + 1);
      }
      await publisher.ready();
      await publisher.drain();
    },

    "an error is that of one message; the others go on (C-PUB-8)": async (harness) => {
      const { js, name } = await setUp(harness);
      await using publisher = js.publisher({ retries: 0 });
      const publishing = [
        publisher.publish(`${name}.a`, "1"),
        publisher.publish(`${name}.a`, "2", { expect: { lastSequence: 7 } }),
        publisher.publish(`none.${name}`, "3"),
        publisher.publish(`${name}.a b`, "4"),
        publisher.publish(`${name}.a`, "5"),
      ];
      const outcomes = await Promise.allSettled(publishing);
      equal(
        outcomes.map(({ status }) => status),
        ["fulfilled", "rejected", "rejected", "rejected", "fulfilled"],
      );
      const [, wrong, none, invalid] = outcomes.map((one) =>
        one.status === "rejected" ? one.reason : one.value,
      );
      ok(wrong instanceof WrongLastSequenceError && wrong.expected === 7 && wrong.actual === 1);
      ok(none instanceof NoStreamError && none.attempts === 1);
      equal((invalid as Error).message.startsWith("[INVALID_SUBJECT]"), true);
    },

    "who has no answer is tried again within the timeout, with the same id": async ({ connect, prefix }) => {
      const nc = await connect();
      await using publisher = jetstream(nc).publisher({ retryWait: 20, timeout: 10_000 });
      const publishing = publisher.publish(prefix, "late");
      await nc.flush();
      equal(publisher.inFlight, 1);
      const sent = await standIn(nc, prefix);
      const [msg] = await sent.first(1);
      msg?.respond(ack(9));
      equal((await publishing).seq, 9);
      equal(msg?.headers?.get("Nats-Msg-Id").length, 22);
    },

    "a server that is too busy is asked again, a refusal is not": async ({ connect, prefix }) => {
      const nc = await connect();
      const sent = await standIn(nc, prefix);
      await using publisher = jetstream(nc).publisher({ retryWait: 5, retries: 1 });
      const error = (err_code: number, code: number): string =>
        JSON.stringify({ error: { err_code, code, description: "no" }, stream: "S", seq: 0 });
      const publishing = publisher.publish(prefix, "x", { msgID: "mine" });
      const [first] = await sent.first(1);
      first?.respond(error(10167, 429));
      const [, second] = await sent.first(2);
      equal(second?.headers?.values("Nats-Msg-Id"), ["mine"]);
      // the last of its attempts
      second?.respond(error(10167, 429));
      const busy = await rejects(publishing, "JETSTREAM_API");
      ok(busy instanceof JetStreamApiError && busy.transient);
      const refused = publisher.publish(prefix, "y");
      (await sent.first(3))[2]?.respond(error(10077, 503));
      await rejects(refused, "JETSTREAM_API");
      await nc.flush();
      equal(sent.all.length, 3);
    },

    "an ack that is late is asked for again by the same message (trap 85)": async ({ connect, prefix }) => {
      const nc = await connect();
      const sent = await standIn(nc, prefix);
      await using publisher = jetstream(nc).publisher({ timeout: 10_000, ackWait: 20 });
      const publishing = publisher.publish(prefix, "x");
      const [first, second] = await sent.first(2);
      equal(first?.headers?.get("Nats-Msg-Id"), second?.headers?.get("Nats-Msg-Id"));
      second?.respond(ack(1));
      equal((await publishing).seq, 1);
      // where it could be stored twice, it is not sent twice
      const once = publisher.publish(prefix, "y", { expect: { lastSequence: 1 } });
      const again = publisher.publish(prefix, "z");
      await sent.until(
        () => sent.all.filter((msg) => msg.string() === "z").length === 2,
        "z is not sent again",
      );
      equal(sent.all.filter((msg) => msg.string() === "y").length, 1);
      for (const msg of sent.all.slice(2)) msg.respond(ack(2));
      await Promise.all([once, again]);
    },

    "no ack within the timeout says that the outcome is unknown, and by which id to ask": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const sent = await standIn(nc, prefix);
      await using publisher = jetstream(nc).publisher({ timeout: 300 });
      const error = await rejects(publisher.publish(prefix), "TIMEOUT");
      ok(error instanceof OutcomeUnknownError && error.subject === prefix);
      const [msg] = await sent.first(1);
      equal(error.msgID, msg?.headers?.get("Nats-Msg-Id"));
      // an ack that comes now is nobody's
      msg?.respond(ack(1));
      await nc.flush();
    },

    "a signal gives up one message; where it waits or was never sent, nothing is unknown": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const sent = await standIn(nc, prefix);
      await using publisher = jetstream(nc).publisher({ maxInFlight: 1 });
      const controllers = [new AbortController(), new AbortController(), new AbortController()];
      const [first, second, third] = controllers.map(({ signal }) =>
        publisher.publish(prefix, "", { signal }),
      );
      const never = publisher.publish(prefix, "", { signal: AbortSignal.abort() });
      await rejects(never, "ABORTED");
      controllers[1]?.abort();
      ok(!((await rejects(second as Promise<PubAck>, "ABORTED")) instanceof OutcomeUnknownError));
      controllers[0]?.abort();
      ok((await rejects(first as Promise<PubAck>, "ABORTED")) instanceof OutcomeUnknownError);
      // its place is taken by the third: the second is not sent any more
      const [, msg] = await sent.first(2);
      msg?.respond(ack(3));
      equal((await third)?.seq, 3);
      equal(sent.all.length, 2);
    },

    "drain takes no more, and waits for all that was taken, whatever comes of it": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const sent = await standIn(nc, prefix);
      const publisher = jetstream(nc).publisher({ maxInFlight: 1 });
      const acks = Promise.allSettled([publisher.publish(prefix, "1"), publisher.publish(prefix, "2")]);
      await rejects(publisher.drain({ timeout: 5 }), "TIMEOUT");
      await rejects(publisher.publish(prefix, "3"), "DRAINING");
      const drained = publisher.drain();
      (await sent.first(1))[0]?.respond(ack(1));
      (await sent.first(2))[1]?.respond('{"error":{"code":400,"err_code":10071,"description":"wrong"}}');
      await within(drained, "drain does not end");
      equal(
        (await acks).map(({ status }) => status),
        ["fulfilled", "rejected"],
      );
      await publisher.drain();
      await rejects(publisher.publish(prefix, "4"), "DRAINING");
      await publisher.ready();
    },

    "the end of the connection is the end of what is in flight": async ({ connect, prefix }) => {
      const nc = await connect();
      await standIn(nc, prefix);
      const js = jetstream(nc);
      const publisher = js.publisher({ maxInFlight: 1 });
      const first = rejects(publisher.publish(prefix, "1"), "CLOSED");
      const second = rejects(publisher.publish(prefix, "2"), "CLOSED");
      const room = publisher.ready();
      await nc.close();
      ok((await first) instanceof OutcomeUnknownError);
      ok(!((await second) instanceof OutcomeUnknownError));
      await room;
      await rejects(publisher.publish(prefix, "3"), "CLOSED");
      await publisher.drain();
      throws(() => js.publisher(), "CLOSED");
    },

    "options must be numbers that can be used": async ({ connect }) => {
      const js = jetstream(await connect());
      const bad: PublisherOptions[] = [
        { maxInFlight: 0 },
        { maxWaiting: -1 },
        { retries: -2 },
        { retryWait: -1 },
        { timeout: 0 },
        { maxInFlight: Number.NaN },
      ];
      for (const options of bad) throws(() => js.publisher(options), "INVALID_ARGUMENT");
    },

    "what the server lacks is refused in its turn, and the order is kept": async (harness) => {
      const modern = atLeast(harness.version, "2.11");
      const { js, jsm, name } = await setUp(harness, modern ? { allow_msg_ttl: true } : {});
      await using publisher = js.publisher();
      const outcomes = await Promise.allSettled([
        publisher.publish(`${name}.a`, "1"),
        publisher.publish(`${name}.a`, "2", { ttl: "1m" }),
        publisher.publish(`${name}.a`, "3"),
      ]);
      equal(
        outcomes.map((one) =>
          one.status === "rejected" ? (one.reason as { code: string }).code : one.value.seq,
        ),
        modern ? [1, 2, 3] : [1, "UNSUPPORTED", 2],
      );
      equal((await stored(jsm, name, modern ? 3 : 2)).string(), "3");
    },
  },
};

export const jetstreamPublisherCut: Suite = {
  name: "jetstream publisher, link broken",
  needs: ["jetstream"],
  cases: {
    "what was in flight is sent again with its id, and stored once (trap 85)": async (harness) => {
      const { nc, js, jsm, name } = await setUp(harness);
      await using publisher = js.publisher({ maxInFlight: 1000 });
      const acks = numbers(500).map((text) => publisher.publish(`${name}.a`, text));
      await nc.reconnect();
      const more = numbers(500, 500).map((text) => publisher.publish(`${name}.a`, text));
      const all = await Promise.all([...acks, ...more]);
      // no two messages have the ack of the same one
      equal(new Set(all.map(({ seq }) => seq)).size, 1000);
      equal((await jsm.streams.info(name)).state.messages, 1000);
      for (const i of [0, 250, 499, 999])
        equal((await stored(jsm, name, all[i]?.seq ?? 0)).string(), String(i));
    },

    "what may not be sent again is reported as unknown at once (trap 85)": async ({ connect, prefix }) => {
      const nc = await connect({ reconnectTimeWait: 10 });
      const other = await connect();
      const sent = await standIn(other, prefix);
      const js = jetstream(nc);
      await using plain = js.publisher({ retries: 0 });
      await using publisher = js.publisher({ retries: 1 });
      const outcomes = [
        plain.publish(prefix, "no id"),
        publisher.publish(prefix, "condition", { expect: { lastSequence: 1 } }),
        publisher.publish(prefix, "condition", { expect: { lastSubjectSequence: 0 } }),
      ].map((publishing) => rejects(publishing, "DISCONNECTED"));
      const again = publisher.publish(prefix, "again", { expect: { streamName: "S" } });
      await sent.first(4);
      await nc.reconnect();
      for (const error of await Promise.all(outcomes)) ok(error instanceof OutcomeUnknownError);
      // the fourth came twice
      const [, , , first, second] = await sent.first(5);
      equal(first?.headers?.get("Nats-Msg-Id"), second?.headers?.get("Nats-Msg-Id"));
      // whatever the second is answered: the first may be stored
      second?.respond('{"error":{"code":400,"err_code":10060,"description":"other"}}');
      const error = await rejects(again, "JETSTREAM_API");
      ok(error instanceof OutcomeUnknownError && error.cause instanceof JetStreamApiError);
    },
  },
};
