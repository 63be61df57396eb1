import assert from "node:assert/strict";
import { test } from "node:test";
import { cancelHeaders, scheduleHeaders, type ScheduleOptions } from "../../src/jetstream/schedule.ts";
import { failing } from "../traps/support.ts";

const SUBJECT = "plans.one";

/** The headers of a schedule, by their names, and the API level that it needs. */
function made(options: Partial<ScheduleOptions>): { fields: Record<string, string>; level: number } {
  const specification = options.specification ?? "@hourly";
  const [fields, [, level]] = scheduleHeaders(SUBJECT, { target: "jobs.one", ...options, specification });
  return { fields: Object.fromEntries(fields), level };
}

function text(specification: ScheduleOptions["specification"]): string | undefined {
  return made({ specification }).fields["Nats-Schedule"];
}

const wrong = (options: object, ...parts: string[]): void =>
  assert.throws(() => made(options as Partial<ScheduleOptions>), failing("INVALID_ARGUMENT", ...parts));

test("a moment is a date, or a text with its zone", () => {
  const moment = "2030-01-02T03:04:05.006Z";
  const date = new Date(moment);
  for (const one of [date, { at: date }, { at: moment }, `@at ${moment}`]) {
    assert.equal(text(one), `@at ${moment}`);
  }
  assert.equal(text({ at: "2030-01-02T03:04:05+01:00" }), "@at 2030-01-02T03:04:05+01:00");
  assert.equal(text("@at  2030-01-02T03:04:05Z"), "@at 2030-01-02T03:04:05Z");
});

test("a text without a zone, and what is no moment, are refused: they would mean another one there", () => {
  for (const at of ["2030-01-02T03:04:05", "2030-01-02", "tomorrow", "", "2030-13-02T03:04:05Z"]) {
    wrong({ specification: { at } }, "the moment", JSON.stringify(at));
    wrong({ specification: `@at ${at}` }, "schedule");
  }
  wrong({ specification: new Date(Number.NaN) }, "the moment", "Invalid Date");
});

test("an interval is milliseconds or a Go duration, one second or more", () => {
  assert.equal(text({ every: 1500 }), "@every 1500ms");
  assert.equal(text({ every: "1h30m" }), "@every 1h30m");
  assert.equal(text("@every 5m"), "@every 5m");
  for (const every of [0, 999, -1, Number.NaN, Infinity, "999ms", "soon", ""]) {
    wrong({ specification: { every } }, "the interval");
  }
  wrong({ specification: "@every 5" }, "the interval");
});

test("a cron has six fields, and the schedules that have a name have no others (C-ADR51-7)", () => {
  for (const cron of ["0 30 14 * * *", "*/5 * * * * MON-FRI", "0  0 1,15 * ? JAN"]) {
    assert.equal(text({ cron }), cron);
    assert.equal(text(cron), cron);
  }
  for (const predefined of [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
  ]) {
    assert.equal(text({ predefined } as { predefined: "@daily" }), predefined);
    assert.equal(text(predefined), predefined);
  }
  for (const specification of [
    ...["", "* * * * *", "0 30 14 * * * 2030", "0 30 14 * * \n", "@often", "@reboot"],
    ...[{ cron: "* * * * *" }, { cron: "@hourly" }, { predefined: "hourly" }],
  ]) {
    wrong({ specification }, "the specification", "six fields");
  }
});

test("what is asked for beyond a moment goes into headers of its own", () => {
  const { fields, level } = made({
    ...{ specification: { cron: "0 0 8 * * *" }, source: "facts.last", ttl: 1500 },
    ...{ timezone: "Europe/Berlin", rollup: "sub" },
  });
  assert.deepEqual(fields, {
    "Nats-Schedule": "0 0 8 * * *",
    "Nats-Schedule-Target": "jobs.one",
    "Nats-Schedule-Source": "facts.last",
    "Nats-Schedule-TTL": "2",
    "Nats-Schedule-Time-Zone": "Europe/Berlin",
    "Nats-Schedule-Rollup": "sub",
  });
  assert.equal(level, 4);
});

test("a plain moment needs server 2.12, everything else 2.14 (C-ADR51-6)", () => {
  const specification = new Date("2030-01-02T03:04:05Z");
  assert.equal(made({ specification }).level, 2);
  assert.equal(made({ specification, ttl: "never" }).level, 2);
  assert.equal(made({ specification, source: "facts.last" }).level, 4);
  assert.equal(made({ specification, rollup: "sub" }).level, 4);
  assert.equal(made({ specification: { every: 1000 } }).level, 4);
  assert.equal(made({ specification: "@daily" }).level, 4);
});

test("subjects that are one where they must be two, and options that don't go together, are refused", () => {
  wrong({ target: SUBJECT }, "the target", SUBJECT);
  wrong({ source: SUBJECT }, "the source");
  wrong({ source: "jobs.one" }, "the source");
  wrong({ ttl: 10 }, "the ttl of the schedule");
  wrong({ rollup: "all" }, "the rollup", '"all"');
  wrong({ timezone: "" }, "the timezone");
  for (const specification of [new Date(), { every: 1000 }]) {
    wrong({ specification, timezone: "Europe/Berlin" }, "the timezone", "Europe/Berlin");
  }
  for (const options of [{ target: "jobs.*" }, { target: "" }, { source: "facts.>" }, { source: "a b" }]) {
    assert.throws(() => made(options), failing("INVALID_SUBJECT"));
  }
});

test("a schedule is cancelled from another subject than its own", () => {
  const [fields, [, level]] = cancelHeaders("jobs.one", { scheduleSubject: SUBJECT });
  assert.deepEqual(Object.fromEntries(fields), { "Nats-Scheduler": SUBJECT, "Nats-Schedule-Next": "purge" });
  assert.equal(level, 4);
  assert.throws(
    () => cancelHeaders(SUBJECT, { scheduleSubject: SUBJECT }),
    failing("INVALID_ARGUMENT", SUBJECT),
  );
  assert.throws(() => cancelHeaders("jobs.one", { scheduleSubject: "plans.*" }), failing("INVALID_SUBJECT"));
});
