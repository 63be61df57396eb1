// Suite: messages that a stream publishes later.
import {
  JetStreamApiError,
  type PredefinedSchedule,
  type ScheduleOptions,
  type ScheduleSpecification,
} from "../../src/jetstream/index.ts";
import { headers } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { setUp, stored } from "./jetstream-support.ts";
import { atLeast, equal, eventually, inbox, ok, rejects } from "./tools.ts";

const schedules = { allow_msg_schedules: true, allow_msg_ttl: true };

export const jetstreamSchedules: Suite = {
  name: "jetstream schedules",
  needs: ["jetstream"],
  cases: {
    "a message is published at its time, with its own headers, and the schedule is gone (C-ADR51-1, C-ADR51-4)":
      async (harness) => {
        if (!atLeast(harness.version, "2.12")) return;
        const { js, jsm, name } = await setUp(harness, schedules);
        const mine = headers();
        mine.set("Mine", "1");
        const schedule: ScheduleOptions = {
          specification: new Date(Date.now() - 1000),
          target: `${name}.target`,
          ttl: "1m",
        };
        await js.publish(`${name}.schedule`, "payload", { schedule, headers: mine, msgID: "id" });
        const made = await eventually(
          async () => (await jsm.streams.getMessage(name, { seq: 2 })) ?? undefined,
          "nothing is published",
        );
        equal([made.subject, made.string()], [`${name}.target`, "payload"]);
        const got = made.header;
        equal(
          ["Mine", "Nats-Msg-Id", "Nats-Schedule", "Nats-TTL", "Nats-Scheduler", "Nats-Schedule-Next"].map(
            (key) => got.get(key),
          ),
          ["1", "", "", "1m", `${name}.schedule`, "purge"],
        );
        equal((await jsm.streams.info(name)).state.messages, 1);
      },

    "each kind of schedule is sent as the server reads it (C-ADR51-3, C-ADR51-6, C-ADR51-7)": async (
      harness,
    ) => {
      if (!atLeast(harness.version, "2.14")) return;
      const { js, jsm, name } = await setUp(harness, schedules);
      const at = "2130-01-02T03:04:05.678Z";
      const predefined = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
      const rows: [ScheduleSpecification, string][] = [
        [new Date(at), `@at ${at}`],
        [{ at: new Date(at) }, `@at ${at}`],
        [{ at: "2130-01-02T03:04:05+02:00" }, "@at 2130-01-02T03:04:05+02:00"],
        [`@at ${at}`, `@at ${at}`],
        [{ every: 90_000 }, "@every 90000ms"],
        [{ every: "1h30m" }, "@every 1h30m"],
        ["@every 5m", "@every 5m"],
        [{ cron: "0 30 7 * * MON-FRI" }, "0 30 7 * * MON-FRI"],
        ["*/5 * * 1,15 */2 ?", "*/5 * * 1,15 */2 ?"],
        ...predefined.map((one): [ScheduleSpecification, string] => [
          { predefined: one as PredefinedSchedule },
          one,
        ]),
        ["@daily", "@daily"],
      ];
      for (const [specification, text] of rows) {
        const { seq } = await js.publish(`${name}.schedule`, "", {
          schedule: { specification, target: `${name}.target` },
        });
        const { header } = await stored(jsm, name, seq);
        equal(header.get("Nats-Schedule"), text);
        // one subject has one schedule
        equal(header.get("Nats-Rollup"), "sub");
        equal((await jsm.streams.info(name)).state.messages, 1);
      }
    },

    "source, time zone, rollup and TTL go along, since 2.14 (C-ADR51-3, C-ADR51-6)": async (harness) => {
      if (!atLeast(harness.version, "2.14")) return;
      const { js, jsm, name } = await setUp(harness, schedules);
      const schedule: ScheduleOptions = {
        specification: { cron: "0 0 7 * * *" },
        target: `${name}.target`,
        source: `${name}.source`,
        timezone: "Europe/Berlin",
        rollup: "sub",
        ttl: 60_000,
      };
      await js.publish(`${name}.schedule`, "", { schedule });
      const { header } = await stored(jsm, name, 1);
      equal(
        ["Target", "Source", "Time-Zone", "Rollup", "TTL"].map((key) => header.get(`Nats-Schedule-${key}`)),
        [`${name}.target`, `${name}.source`, "Europe/Berlin", "sub", "60"],
      );
    },

    "a message ends a schedule in the same step (C-ADR51-5)": async (harness) => {
      if (!atLeast(harness.version, "2.14")) return;
      const { js, jsm, name } = await setUp(harness, schedules);
      const schedule = { specification: { every: "1h" }, target: `${name}.target` };
      const { seq } = await js.publish(`${name}.schedule`, "", { schedule });
      const cancelSchedule = { scheduleSubject: `${name}.schedule` };
      // only if it is still the one
      const expect = { lastSubjectSequenceSubject: `${name}.schedule`, lastSubjectSequence: seq };
      await js.publish(`${name}.note`, "cancelled", { cancelSchedule, expect });
      const { state } = await jsm.streams.info(name, { subjects_filter: ">" });
      equal(state.subjects, { [`${name}.note`]: 1 });
      await rejects(js.publish(`${name}.note`, "again", { cancelSchedule, expect }), "WRONG_LAST_SEQUENCE");
      await rejects(js.publish(`${name}.schedule`, "", { cancelSchedule }), "INVALID_ARGUMENT");
      await rejects(js.publish(`${name}.note`, "", { cancelSchedule, schedule }), "INVALID_ARGUMENT");
      const wild = { cancelSchedule: { scheduleSubject: `${name}.*` } };
      await rejects(js.publish(`${name}.note`, "", wild), "INVALID_SUBJECT");
    },

    "what no server takes is refused before it is sent (C-ADR51-3, C-ADR51-7)": async (harness) => {
      const { nc, js, name } = await setUp(harness);
      const sent = await inbox(nc, `${name}.>`);
      const target = `${name}.target`;
      const bad: ScheduleSpecification[] = [
        "",
        "soon",
        "* * * * *",
        "* * * * * * *",
        "@at tomorrow",
        "@at 2130-01-02T03:04:05",
        "@every 500ms",
        "@every day",
        "@fortnightly",
        new Date(Number.NaN),
        { at: "2130-01-02" },
        { every: 999 },
        { every: Infinity },
        { every: "1h30" },
        { cron: "0 30 7 * *" },
        { predefined: "@often" as PredefinedSchedule },
      ];
      for (const specification of bad) {
        const schedule = { specification, target };
        const error = await rejects(js.publish(`${name}.s`, "", { schedule }), "INVALID_ARGUMENT");
        ok(error.message.includes(" of the schedule is "), error.message);
      }
      const good = { specification: "@daily", target };
      const refused: [Partial<ScheduleOptions>, "INVALID_ARGUMENT" | "INVALID_SUBJECT"][] = [
        [{ target: `${name}.s` }, "INVALID_ARGUMENT"],
        [{ target: `${name}.*` }, "INVALID_SUBJECT"],
        [{ target: "" }, "INVALID_SUBJECT"],
        [{ source: target }, "INVALID_ARGUMENT"],
        [{ source: `${name}.s` }, "INVALID_ARGUMENT"],
        [{ source: `${name}.>` }, "INVALID_SUBJECT"],
        [{ ttl: 999 }, "INVALID_ARGUMENT"],
        [{ timezone: "" }, "INVALID_ARGUMENT"],
        [{ timezone: "UTC", specification: { every: "1m" } }, "INVALID_ARGUMENT"],
        [{ timezone: "UTC", specification: new Date() }, "INVALID_ARGUMENT"],
        [{ rollup: "all" as "sub" }, "INVALID_ARGUMENT"],
      ];
      for (const [change, code] of refused) {
        await rejects(js.publish(`${name}.s`, "", { schedule: { ...good, ...change } }), code);
      }
      await nc.flush();
      equal(sent.all.length, 0);
    },

    "a stream without schedules, and another stream's target, are refused (C-ADR51-2, C-ADR51-3)": async (
      harness,
    ) => {
      if (!atLeast(harness.version, "2.12")) return;
      const { js, jsm, name } = await setUp(harness, schedules);
      equal((await jsm.streams.info(name)).config.allow_rollup_hdrs, true);
      const specification = new Date(Date.now() + 3_600_000);
      const refused = async (subject: string, target: string, code: number) => {
        const error = await rejects(
          js.publish(subject, "", { schedule: { specification, target } }),
          "JETSTREAM_API",
        );
        ok(error instanceof JetStreamApiError);
        equal(error.apiErrorCode, code);
      };
      await refused(`${name}.s`, `other.${name}`, 10190);
      const plain = `${name}-plain`;
      await jsm.streams.add({ name: plain, subjects: [`${plain}.>`], storage: "memory" });
      await refused(`${plain}.s`, `${plain}.t`, 10188);
    },

    "a server that does not know a schedule is not given it (C-ADR51-6)": async (harness) => {
      const { nc, js, name } = await setUp(harness);
      const sent = await inbox(nc, `${name}.>`);
      const target = `${name}.target`;
      const lacks = async (schedule: ScheduleOptions, needs: string) => {
        const error = await rejects(js.publish(`${name}.s`, "", { schedule }), "UNSUPPORTED");
        ok(error.message.includes(`needs nats-server ${needs}`), error.message);
      };
      if (!atLeast(harness.version, "2.12")) await lacks({ specification: new Date(), target }, "2.12");
      if (!atLeast(harness.version, "2.14")) {
        await lacks({ specification: { every: "1h" }, target }, "2.14");
        await lacks({ specification: new Date(), target, source: `${name}.source` }, "2.14");
        const cancelSchedule = { scheduleSubject: `${name}.s` };
        await rejects(js.publish(`${name}.note`, "", { cancelSchedule }), "UNSUPPORTED");
      }
      await nc.flush();
      equal(sent.all.length, 0);
    },
  },
};
