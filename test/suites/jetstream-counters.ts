// Suite: the counters of a stream.
import { type CounterEntry, counters } from "../../src/jetstream/index.ts";
import type { Suite } from "./harness.ts";
import { setUp } from "./jetstream-support.ts";
import { atLeast, equal, eventually, ok, rejects } from "./tools.ts";

export const jetstreamCounters: Suite = {
  name: "jetstream counters",
  needs: ["jetstream"],
  cases: {
    "a counter is added to and read, alone or with others (C-ADR49-2, C-ADR49-5)": async (harness) => {
      if (!atLeast(harness.version, "2.12")) return;
      const { js, jsm, name } = await setUp(harness, { allow_msg_counter: true, allow_direct: true });
      const all = await counters(js, name);
      equal(await all.get(`${name}.a`), null);
      equal(await all.add(`${name}.a`, 5), 5n);
      equal(await all.add(`${name}.a`, -2n, { msgID: "once" }), 3n);
      const large = 2n ** 80n;
      equal(await all.add(`${name}.b`, large), large);
      equal(await all.get(`${name}.a`), { subject: `${name}.a`, value: 3n, increment: -2n, sources: {} });
      const found: CounterEntry[] = [];
      for await (const one of all.getMultiple([`${name}.*`])) found.push(one);
      equal(
        found.map(({ subject, value }) => [subject, value]),
        [
          [`${name}.a`, 3n],
          [`${name}.b`, large],
        ],
      );
      await js.publish(`${name}.c`, "", { increment: 1 });
      await jsm.streams.purge(name, { filter: `${name}.a` });
      equal(await all.get(`${name}.a`), null);
      equal(await all.add(`${name}.a`, 1), 1n);
    },

    "a stream that sources counters tells where they come from (C-ADR49-4, C-ADR49-5)": async (harness) => {
      if (!atLeast(harness.version, "2.12")) return;
      const { js, jsm, name } = await setUp(harness, { allow_msg_counter: true, allow_direct: true });
      const sum = `${name}-sum`;
      await jsm.streams.add({
        name: sum,
        storage: "memory",
        allow_msg_counter: true,
        allow_direct: true,
        sources: [{ name }],
      });
      await (await counters(js, name)).add(`${name}.a`, 4);
      const sums = await counters(js, sum);
      const entry = await eventually(
        async () => (await sums.get(`${name}.a`)) ?? undefined,
        "it is not sourced",
      );
      equal([entry.value, entry.sources], [4n, { [name]: { [`${name}.a`]: 4n } }]);
    },

    "a stream without counters, or that can't be read directly, is said so (C-ADR49-1)": async (harness) => {
      const { js, jsm, name } = await setUp(harness);
      ok((await rejects(counters(js, name), "UNSUPPORTED")).message.includes("has no allow_msg_counter"));
      await rejects(counters(js, `${name}-none`), "STREAM_NOT_FOUND");
      if (!atLeast(harness.version, "2.12")) return;
      const hidden = `${name}-hidden`;
      await jsm.streams.add({ name: hidden, subjects: [hidden], storage: "memory", allow_msg_counter: true });
      ok((await rejects(counters(js, hidden), "UNSUPPORTED")).message.includes("has no allow_direct"));
      const mixed = {
        name: `${name}-mixed`,
        subjects: ["mixed"],
        allow_msg_counter: true,
        allow_msg_ttl: true,
      };
      await rejects(jsm.streams.add(mixed), "JETSTREAM_API");
    },
  },
};
