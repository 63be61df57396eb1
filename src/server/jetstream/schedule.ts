// Schedule: what a message with `Nats-Schedule` asks for: to be published later, or again and again. Used by draft and schedules.
import { subjectMatches } from "../../protocol/subject.ts";
import { goDuration } from "../../lib/go-duration.ts";
import { readTime, timeOf } from "../go-time.ts";
import { isPublishSubject } from "../subjects.ts";
import type { Arrival } from "./arrival.ts";
import { cron, offsetOf } from "./cron.ts";
import type { View } from "./draft.ts";
import { refuseExtra } from "./extra-refusal.ts";
import { refuse } from "./refusal.ts";
import { ttlOf } from "./ttl.ts";

/** the schedule that a message came from */
export const SCHEDULER = "Nats-Scheduler";
/** when that is next; `purge`: never, it goes */
export const NEXT = "Nats-Schedule-Next";
export const PURGE = "purge";

export interface Schedule {
  readonly target: string;
  /** the subject whose last message is taken in place of its own; `""` for none */
  readonly source: string;
  /** of what is published; as the header says it */
  readonly ttl: string;
  readonly rollup: boolean;
  /** does it happen more than once? */
  readonly repeats: boolean;
  /** when it is due, after this time */
  next(after: number): number;
}

/** What a message asks for. */
export interface Plan {
  /** when it is to be published, where that is later */
  readonly schedule?: Schedule | undefined;
  /** the subject whose schedule ends with it */
  readonly cancels?: string | undefined;
}

/** What a message asks of a stream that has schedules. @throws {Refusal} */
export function planOf(arrival: Arrival, view: View): Plan {
  const { asks } = arrival;
  const schedule = scheduleOf(arrival, view);
  return { schedule, ...(asks.get(NEXT) === PURGE && { cancels: asks.get(SCHEDULER) }) };
}

// Undefined where it is none.
function scheduleOf({ asks, subject }: Arrival, { config }: View): Schedule | undefined {
  const ask = (name: string): string => asks.get(name) ?? "";
  const pattern = ask("Nats-Schedule");
  const zone = asks.get("Nats-Schedule-Time-Zone");
  if (zone !== undefined) checkZone(zone);
  const [by, next] = [ask(SCHEDULER), ask(NEXT)];
  // of the end of another one
  const wrong = by === "" ? next !== "" : next !== PURGE || by === subject;
  if (pattern === "") {
    if (wrong) refuseExtra(10212);
    return undefined;
  }
  const timing = timingOf(pattern, zone);
  const ttl = ask("Nats-Schedule-TTL");
  if (ttl !== "" && ttlOf(ttl) === undefined) refuseExtra(10191);
  const rollup = ask("Nats-Schedule-Rollup");
  if (rollup !== "" && rollup !== "sub") refuseExtra(10192);
  if (ttl !== "" && config.allow_msg_ttl !== true) refuse(10166);
  const target = ask("Nats-Schedule-Target");
  if (!isPublishSubject(target) || target === subject) refuseExtra(10190);
  const source = ask("Nats-Schedule-Source");
  if (source !== "" && (!isPublishSubject(source) || source === target || source === subject))
    refuseExtra(10203);
  const outside = (name: string): boolean =>
    !(config.subjects ?? []).some((one) => subjectMatches(one, name));
  if (outside(target)) refuseExtra(10190);
  if (source !== "" && outside(source)) refuseExtra(10203);
  if (!/^(sub)?$/i.test(ask("Nats-Rollup"))) refuseExtra(10192);
  if (wrong) refuseExtra(10212);
  return { ...timing, target, source, ttl, rollup: rollup !== "" };
}

function timingOf(pattern: string, zone: string | undefined): Pick<Schedule, "next" | "repeats"> {
  const [word = "", rest = ""] = pattern.split(/ (.*)/);
  if (word === "@at" || word === "@every") {
    if (zone !== undefined) refuseExtra(10189);
    return word === "@at" ? at(rest) : every(rest);
  }
  const next = cron(pattern, zone ?? "");
  if (next?.(0) === undefined) return refuseExtra(10189);
  return { repeats: true, next: (after) => next(after) ?? Infinity };
}

function at(text: string): Pick<Schedule, "next" | "repeats"> {
  try {
    const time = timeOf(readTime(text));
    return { repeats: false, next: () => time };
  } catch {
    return refuseExtra(10189);
  }
}

function every(text: string): Pick<Schedule, "next" | "repeats"> {
  const ms = goDuration(text) ?? 0;
  if (ms < 1000) refuseExtra(10189);
  // on whole seconds
  return { repeats: true, next: (after) => Math.round(after / 1000) * 1000 + ms };
}

function checkZone(zone: string): void {
  // in lower case there is none, whatever a runtime finds
  if (!/^[A-Z]/.test(zone)) refuseExtra(10223);
  try {
    offsetOf(zone);
  } catch {
    refuseExtra(10223);
  }
}
