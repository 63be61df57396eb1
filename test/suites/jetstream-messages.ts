// Suite: delivered messages, what they know of themselves, and their acknowledgements.
import { ackAckAll, type JsMsg } from "../../src/jetstream/index.ts";
import type { Suite } from "./harness.ts";
import { consuming } from "./jetstream-consuming.ts";
import { equal, ok, rejects, throws } from "./tools.ts";

/** A message that must come. */
async function some(next: Promise<JsMsg | null>): Promise<JsMsg> {
  const msg = await next;
  ok(msg !== null, "there is no message");
  return msg;
}

export const jetstreamMessages: Suite = {
  name: "jetstream messages",
  needs: ["jetstream"],
  cases: {
    "a message knows its stream, its consumer, its sequences and its time to the nanosecond (C-ADR15-1, C-ADR15-6)":
      async (harness) => {
        const {
          stream: { name },
          consumer,
        } = await consuming(harness, 3);
        const before = await some(consumer.next());
        const msg = await some(consumer.next());
        const { info } = msg;
        equal([info.stream, info.consumer, info.streamSequence, info.deliverySequence], [name, "c", 2, 2]);
        equal([info.deliveryCount, info.redelivered, info.pending, info.domain], [1, false, 1, ""]);
        equal(
          [msg.seq, msg.exactSeq, msg.redelivered, msg.subject, msg.string()],
          [2, 2n, false, `${name}.2`, "2"],
        );
        ok(msg.timestampNanos > before.timestampNanos, "nanoseconds tell two messages apart");
        equal(msg.time.getTime(), Number(msg.timestampNanos / 1_000_000n));
        equal(msg.timestamp.slice(0, 23), msg.time.toISOString().slice(0, 23));
        equal(msg.timestamp.slice(20, 29), String(msg.timestampNanos % 1_000_000_000n).padStart(9, "0"));
      },

    "ack and term end a message; nak brings it again, after its delay (C-ADR15-3)": async (harness) => {
      const { consumer } = await consuming(harness, 3);
      (await some(consumer.next())).ack();
      (await some(consumer.next())).term("no use");
      const third = await some(consumer.next());
      third.nak();
      const again = await some(consumer.next());
      equal([again.seq, again.info.deliveryCount, again.redelivered], [3, 2, true]);
      // to the server a delay that it can't read is none
      for (const delay of [-1, NaN, Infinity, Number.MAX_SAFE_INTEGER])
        throws(() => again.nak(delay), "INVALID_ARGUMENT");
      again.nak(1500);
      equal(await consumer.next({ no_wait: true }), null);
      const late = await some(consumer.next());
      equal([late.seq, late.info.deliveryCount], [3, 3]);
      equal(await late.ackAck(), true);
      equal((await consumer.info()).num_ack_pending, 0);
    },

    "ackAck is confirmed once; whatever follows a final acknowledgement does nothing (C-ADR15-4, C-ADR15-5, trap 71)":
      async (harness) => {
        const { consumer } = await consuming(harness, 2);
        const msg = await some(consumer.next());
        msg.working();
        msg.working();
        equal([msg.didAck, await msg.ackAck(), msg.didAck], [false, true, true]);
        equal(await msg.ackAck(), false);
        msg.nak();
        msg.working();
        const other = await some(consumer.next());
        equal([other.seq, other.redelivered], [2, false]);
        other.ack();
        equal(await other.ackAck(), false);
      },

    "a batch is acknowledged and confirmed at once": async (harness) => {
      const { consumer } = await consuming(harness, 10);
      const messages: JsMsg[] = [];
      for await (const msg of await consumer.fetch({ max_messages: 10 })) messages.push(msg);
      (messages[3] as JsMsg).ack();
      const results = await ackAckAll(messages);
      equal(results.filter(Boolean).length, 9);
      equal(results[3], false);
      const { num_ack_pending, ack_floor } = await consumer.info();
      equal([num_ack_pending, ack_floor.stream_seq], [0, 10]);
    },

    "an ackAck that nobody confirms fails after its own timeout, and can be tried again (trap 72)": async (
      harness,
    ) => {
      const {
        stream: { jsm, name },
        consumer,
      } = await consuming(harness, 1);
      const msg = await some(consumer.next());
      await jsm.consumers.delete(name, "c");
      await rejects(msg.ackAck({ timeout: 200 }), ["TIMEOUT", "NO_RESPONDERS"]);
      equal(msg.didAck, false);
      await rejects(msg.ackAck({ timeout: 200 }), ["TIMEOUT", "NO_RESPONDERS"]);
    },

    "without acknowledgements they do nothing, and ackAck waits for nobody (C-ADR15-5)": async (harness) => {
      const { consumer } = await consuming(harness, 2, { ack_policy: "none" });
      const msg = await some(consumer.next());
      msg.ack();
      msg.term();
      msg.working();
      equal([await msg.ackAck(), msg.didAck], [false, false]);
    },

    "next acknowledges and asks for more, which goes to a subject of the caller (C-ADR15-3)": async (
      harness,
    ) => {
      const {
        stream: { nc },
        consumer,
      } = await consuming(harness, 3);
      const inbox = nc.createInbox();
      const sub = nc.subscribe(inbox, { max: 2 });
      (await some(consumer.next())).next(inbox, { batch: 2, expires: 5000 });
      const texts: string[] = [];
      for await (const msg of sub) texts.push(msg.string());
      equal(texts, ["2", "3"]);
      equal((await consumer.info()).num_ack_pending, 2);
    },

    "headers only: the payload is empty and its size is told (C-CONS-10)": async (harness) => {
      const { consumer } = await consuming(harness, 1, { headers_only: true });
      const msg = await some(consumer.next());
      equal([msg.data.length, msg.headers?.get("Nats-Msg-Size")], [0, "1"]);
    },
  },
};
