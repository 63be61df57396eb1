// Suite: queue groups: of all members, one gets each message.
import type { Msg } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { equal, Events, gate, type Growing, inbox, numbers, ok, PATIENT, texts, throws } from "./tools.ts";

/** Texts that several got together, in the order of the numbers. */
function together(...members: Growing<Msg>[]): string[] {
  return members.flatMap(({ all }) => texts(all)).sort((a, b) => Number(a) - Number(b));
}

export const queueGroups: Suite = {
  name: "queue groups",
  cases: {
    "one member gets each message, and each member some of them (C-SUBJ-6)": async ({ connect, prefix }) => {
      const [a, b, c] = await Promise.all([connect(), connect(), connect()]);
      const members = [
        await inbox(a, prefix, { queue: "q" }),
        await inbox(a, prefix, { queue: "q" }),
        await inbox(b, prefix, { queue: "q" }),
      ];
      for (const n of numbers(600)) c.publish(prefix, n);
      await c.flush();
      await Promise.all([a.flush(), b.flush()]);
      equal(together(...members), numbers(600));
      for (const { all } of members) ok(all.length > 50, `a member got ${all.length} of 600`);
    },

    "plain subscriptions and other groups get their own copies": async ({ connect, prefix }) => {
      const nc = await connect();
      const [plain, other] = [await inbox(nc, prefix), await inbox(nc, prefix, { queue: "other" })];
      const members = [await inbox(nc, prefix, { queue: "q" }), await inbox(nc, prefix, { queue: "q" })];
      for (const n of numbers(100)) nc.publish(prefix, n);
      await nc.flush();
      equal(texts(plain.all), numbers(100));
      equal(texts(other.all), numbers(100));
      equal(together(...members), numbers(100));
    },

    "members may subscribe with a wildcard": async ({ connect, prefix }) => {
      const nc = await connect();
      const members = [
        await inbox(nc, `${prefix}.>`, { queue: "q" }),
        await inbox(nc, `${prefix}.>`, { queue: "q" }),
      ];
      for (const n of numbers(50)) nc.publish(`${prefix}.${n}`, n);
      await nc.flush();
      equal(together(...members), numbers(50));
    },

    "messages go to those that are left when a member leaves": async ({ connect, prefix }) => {
      const nc = await connect();
      const [stays, leaves] = [
        await inbox(nc, prefix, { queue: "q" }),
        await inbox(nc, prefix, { queue: "q" }),
      ];
      leaves.sub.unsubscribe();
      await nc.flush();
      for (const n of numbers(20)) nc.publish(prefix, n);
      await nc.flush();
      equal(texts(stays.all), numbers(20));
    },

    "a member that drains hands over to the others, and no message is lost": async ({ connect, prefix }) => {
      const [a, b, c] = await Promise.all([connect(), connect(), connect()]);
      const stays = await inbox(a, prefix, { queue: "q" });
      const enough = gate();
      const mine: string[] = [];
      const leaves = b.subscribe(prefix, {
        queue: "q",
        callback: async (_, msg) => {
          await Promise.resolve();
          mine.push(msg.string());
          if (mine.length === 20) enough.open();
        },
      });
      await b.flush();
      for (const n of numbers(500)) c.publish(prefix, n);
      await c.flush();
      await enough.promise;
      await leaves.drain();
      const count = mine.length;
      for (const n of numbers(500, 500)) c.publish(prefix, n);
      await c.flush();
      await a.flush();
      equal(mine.length, count, "it got more after drain");
      equal(
        [...mine, ...texts(stays.all)].sort((x, y) => Number(x) - Number(y)),
        numbers(1000),
      );
    },

    "a request to a group is answered once": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      let calls = 0;
      for (let i = 0; i < 3; i++) {
        a.subscribe(prefix, {
          queue: "q",
          callback: (_, msg) => {
            calls++;
            msg.respond(msg.data);
          },
        });
      }
      await a.flush();
      const answers = await Promise.all(numbers(30).map((n) => b.request(prefix, n, PATIENT)));
      equal(texts(answers), numbers(30));
      equal(calls, 30);
    },

    "malformed group names are refused before anything is written (C-SUBJ-2)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const events = new Events(nc);
      for (const bad of ["", "a b", "a\tb", "a\r\nPING"]) {
        throws(() => nc.subscribe(prefix, { queue: bad }), "INVALID_SUBJECT");
      }
      await nc.flush();
      equal(events.types, []);
    },

    "the group name of the system is refused, for that subscription only (C-SUBJ-6, C-ERR-2)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const [plain, refused] = [await inbox(nc, prefix), nc.subscribe(prefix, { queue: "_sys_" })];
      const error = await refused.closed;
      ok(error && "code" in error);
      equal([error.code, (error as { queue?: string }).queue], ["PERMISSION_VIOLATION", "_sys_"]);
      nc.publish(prefix, "x");
      equal(texts(await plain.first(1)), ["x"]);
    },
  },
};
