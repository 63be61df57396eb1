// Suite: priority groups, in all policies.
import type { Suite } from "./harness.ts";
import { filled, notices, pullsWait, range, sequences } from "./jetstream-consuming.ts";
import { atLeast, equal, ok, rejects, within } from "./tools.ts";

export const jetstreamPriority: Suite = {
  name: "jetstream priority",
  needs: ["jetstream"],
  cases: {
    "overflow: a pull is served when as many messages wait as it says (C-ADR42-2, C-ADR42-3)": async (
      harness,
    ) => {
      if (!atLeast(harness.version, "2.11")) return refused(harness);
      const stream = await filled(harness, 5);
      const consumer = await stream.consumer({ priority_groups: ["g"], priority_policy: "overflow" });
      const over = consumer.next({ group: "g", min_pending: 10, expires: 20_000 });
      equal((await consumer.next({ group: "g" }))?.seq, 1);
      await stream.fill(10);
      equal((await within(over, "it is not served"))?.seq, 2);
      const acks = await consumer.fetch({ group: "g", min_ack_pending: 2, max_messages: 2 });
      equal(await sequences(acks), [3, 4]);
      await rejects(consumer.next({ group: "g", priority: 1 }), "INVALID_ARGUMENT");
      await rejects(consumer.next(), "INVALID_ARGUMENT");
      // who binds learns of it from the server
      const error = await rejects(consumer.next({ bind: true }), "JETSTREAM_STATUS");
      ok(error.message.includes("Priority Group missing"), error.message);
    },

    "pinned: one client has the messages, its pin is in every pull, and who loses it stands by (C-ADR42-4, C-ADR42-6)":
      async (harness) => {
        if (!atLeast(harness.version, "2.11")) return refused(harness);
        const stream = await filled(harness, 10);
        const first = await stream.consumer({ priority_groups: ["g"], priority_policy: "pinned_client" });
        const second = await stream.js.consumers.get(stream.name, "c");
        const mine = await first.consume({ group: "g", expires: 2000, max_messages: 4 });
        const log = notices(mine);
        const seen: number[] = [];
        const loop = (async () => {
          for await (const msg of mine) {
            seen.push(msg.seq);
            await msg.ackAck();
          }
        })();
        const pinned = await log.until(({ type }) => type === "consumer_pinned", "there is no pin");
        const theirs = await second.consume({ group: "g", expires: 2000 });
        for (const limit = performance.now() + 20_000; seen.length < 10; await stream.nc.flush()) {
          ok(performance.now() < limit, `${seen.length} came`);
        }
        equal(seen, range(1, 10));
        const { priority_groups: [group] = [] } = await first.info();
        ok(pinned.type === "consumer_pinned" && group?.pinned_client_id === pinned.id, "another has the pin");
        ok(
          log.all.some((one) => one.type === "next" && one.options.id === pinned.id),
          "the pin is in no pull",
        );
        // the other one is next
        const others = sequences(theirs, 1);
        await stream.jsm.consumers.unpin(stream.name, "c", "g");
        mine.stop();
        await stream.fill(1);
        equal(await within(others, "the other one is not served"), [11]);
        await loop;
      },

    "a pin that is lost is given up, and the pull goes on without it (C-ADR42-4)": async (harness) => {
      if (!atLeast(harness.version, "2.11")) return refused(harness);
      const stream = await filled(harness, 1);
      const consumer = await stream.consumer({ priority_groups: ["g"], priority_policy: "pinned_client" });
      const messages = await consumer.consume({ group: "g", expires: 1000, max_messages: 2 });
      const log = notices(messages);
      const all = sequences(messages, 3);
      await log.until(({ type }) => type === "consumer_pinned", "there is no pin");
      await stream.jsm.consumers.unpin(stream.name, "c", "g");
      // the server tells when there is a message
      await stream.fill(2);
      await log.until(({ type }) => type === "consumer_unpinned", "the loss is not noticed");
      equal(await within(all, "it does not go on"), [1, 2, 3]);
    },

    "prioritized: the lowest number is served first (C-ADR42-7)": async (harness) => {
      if (!atLeast(harness.version, "2.12")) return refused(harness);
      const stream = await filled(harness, 0);
      const consumer = await stream.consumer({ priority_groups: ["g"], priority_policy: "prioritized" });
      const late = consumer.next({ group: "g", priority: 5 });
      await pullsWait(stream, 1);
      const early = consumer.next({ group: "g", priority: 1 });
      await pullsWait(stream, 2);
      await stream.fill(1);
      equal((await within(early, "it is not served"))?.seq, 1);
      await stream.fill(1);
      equal((await late)?.seq, 2);
    },
  },
};

/** An older server has none, and says so before anything is made. */
async function refused(harness: Parameters<typeof filled>[0]): Promise<void> {
  const stream = await filled(harness, 0);
  const config = { priority_groups: ["g"], priority_policy: "overflow" } as const;
  await rejects(stream.consumer({ ...config, priority_groups: ["g"] }), "UNSUPPORTED");
}
