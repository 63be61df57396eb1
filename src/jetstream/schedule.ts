// Schedule: messages that a stream publishes again later, or time and again (ADR-51), as headers.
import { InvalidArgumentError } from "../errors.ts";
import { goDuration } from "../lib/go-duration.ts";
import { validatePublishSubject } from "../protocol/subject.ts";
import type { Gated } from "./gates.ts";
import { ttlText } from "./ttl.ts";

/** The schedules that have a name. */
export type PredefinedSchedule =
  | "@yearly"
  | "@annually"
  | "@monthly"
  | "@weekly"
  | "@daily"
  | "@midnight"
  | "@hourly";

/** When a scheduled message is published. */
export type ScheduleSpecification =
  /** at that moment; or a specification in the text that the server reads, such as `@every 5m` */
  | Date
  | string
  | {
      /** once, at that moment: a date, or its text with a zone as in `2030-01-02T03:04:05Z` */
      at: Date | string;
    }
  | {
      /** again and again: milliseconds or a Go duration, one second or more. Server 2.14. */
      every: number | string;
    }
  | {
      /** six fields: second, minute, hour, day of the month, month, day of the week. Server 2.14. */
      cron: string;
    }
  | {
      /** one of those that have a name. Server 2.14. */
      predefined: PredefinedSchedule;
    };

/**
 * Makes a message a schedule: the stream keeps it, and publishes its payload and headers to `target` when it is time. One
 * subject has one schedule: the next one published there replaces it. The stream must have `allow_msg_schedules`.
 */
export interface ScheduleOptions {
  /** when it is published */
  specification: ScheduleSpecification;
  /** where it is published: a subject of the same stream, and not that of the schedule */
  target: string;
  /** a subject of the same stream whose last message is published in its place, if there is one. Server 2.14. */
  source?: string;
  /** how long each message it publishes is kept; as the `ttl` of a publish */
  ttl?: number | string;
  /** the zone that a `cron` or `predefined` schedule reads the clock in, as `Europe/Berlin`; default UTC. Server 2.14. */
  timezone?: string;
  /** `sub`: each message it publishes replaces those before it on the target. Server 2.14. */
  rollup?: "sub";
}

/** Ends a schedule with the publish of a message, atomically. */
export interface CancelScheduleOptions {
  /** the subject of the schedule; not that of this message */
  scheduleSubject: string;
}

const PREDEFINED = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/;
// six fields of what such fields are made of; the server knows the rest
const CRON = /^([\w*/,?-]+ +){5}[\w*/,?-]+$/;
// RFC 3339: without a zone it would mean another moment here than there
const MOMENT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function refuse(what: string, value: unknown, rule: string): never {
  const shown = value instanceof Date ? String(value) : JSON.stringify(value);
  throw new InvalidArgumentError(`${what} of the schedule is ${shown}: ${rule}`);
}

/** The text of a specification, checked. */
function textOf(specification: ScheduleSpecification): string {
  if (typeof specification === "string" || specification instanceof Date) {
    const [, at] = /^@at +(.*)$/.exec(String(specification)) ?? [];
    if (at !== undefined || specification instanceof Date)
      return textOf({ at: at ?? (specification as Date) });
    const [, every] = /^@every +(.*)$/.exec(specification) ?? [];
    if (every !== undefined) return textOf({ every });
    if (PREDEFINED.test(specification) || CRON.test(specification)) return specification;
  } else if ("at" in specification) {
    const { at } = specification;
    if (at instanceof Date ? !Number.isNaN(at.getTime()) : MOMENT.test(at) && !Number.isNaN(Date.parse(at))) {
      return `@at ${at instanceof Date ? at.toISOString() : at}`;
    }
    refuse("the moment", at, 'give a Date, or text with a zone as "2030-01-02T03:04:05Z"');
  } else if ("every" in specification) {
    const { every } = specification;
    const text = typeof every === "number" ? `${every}ms` : every;
    if ((goDuration(text) ?? 0) >= 1000) return `@every ${text}`;
    refuse("the interval", every, 'give milliseconds or a duration as "1h30m", one second or more');
  } else if ("cron" in specification) {
    if (CRON.test(specification.cron)) return specification.cron;
  } else if (PREDEFINED.test(specification.predefined)) {
    return specification.predefined;
  }
  refuse(
    "the specification",
    specification,
    "give a Date, { at }, { every }, { cron } with six fields from seconds on, or { predefined }",
  );
}

/** The headers of a schedule, and what a server needs for it. `subject` is that of the message. */
export function scheduleHeaders(subject: string, schedule: ScheduleOptions): [[string, string][], Gated] {
  const { target, source, ttl, timezone, rollup } = schedule;
  const text = textOf(schedule.specification);
  const fields: [string, string][] = [
    ["Nats-Schedule", text],
    ["Nats-Schedule-Target", target],
  ];
  validatePublishSubject(target, "target");
  if (target === subject)
    refuse("the target", target, "it must be another subject than that of the schedule");
  if (source !== undefined) {
    validatePublishSubject(source, "source");
    if (source === target || source === subject) {
      refuse("the source", source, "it must be another subject than the target and that of the schedule");
    }
    fields.push(["Nats-Schedule-Source", source]);
  }
  if (ttl !== undefined) fields.push(["Nats-Schedule-TTL", ttlText("the ttl of the schedule", ttl)]);
  if (timezone !== undefined) {
    if (timezone === "" || /^@(at|every) /.test(text)) {
      refuse(
        "the timezone",
        timezone,
        'give a name as "Europe/Berlin", with cron and predefined schedules only',
      );
    }
    fields.push(["Nats-Schedule-Time-Zone", timezone]);
  }
  if (rollup !== undefined) {
    if (rollup !== "sub") refuse("the rollup", rollup, 'there is only "sub"');
    fields.push(["Nats-Schedule-Rollup", rollup]);
  }
  const once = text.startsWith("@at ") && source === undefined && rollup === undefined;
  return [fields, once ? ["a message schedule", 2] : ["a schedule that is not just a moment", 4]];
}

/** The headers that end a schedule, and what a server needs for it. */
export function cancelHeaders(
  subject: string,
  { scheduleSubject }: CancelScheduleOptions,
): [[string, string][], Gated] {
  validatePublishSubject(scheduleSubject, "scheduleSubject");
  if (scheduleSubject === subject) {
    throw new InvalidArgumentError(
      `'${subject}' can't cancel itself: publish to another subject, or purge that of the schedule`,
    );
  }
  const fields: [string, string][] = [
    ["Nats-Scheduler", scheduleSubject],
    ["Nats-Schedule-Next", "purge"],
  ];
  return [fields, ["cancelSchedule", 4]];
}
