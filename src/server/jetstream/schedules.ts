// Schedules: the messages of a stream that are to be published later, one for each subject. Owned by stream.
import { goTime } from "../go-text.ts";
import { withHeaders, withoutHeaders } from "../header-block.ts";
import { Alarm } from "./alarm.ts";
import { type Arrival, arrival } from "./arrival.ts";
import { DueHeap } from "./due-heap.ts";
import { NEXT, type Plan, planOf, PURGE, type Schedule, SCHEDULER } from "./schedule.ts";
import type { Stored } from "./stored.ts";
import type { Stream } from "./stream.ts";
import { TTL, ttlOf } from "./ttl.ts";

interface Waiting {
  readonly subject: string;
  readonly seq: number;
  readonly schedule: Schedule;
}

interface Due {
  readonly time: number;
  readonly waiting: Waiting;
}

// what a message that is published later does not have
const DROPPED = /^Nats-(Schedule|Expected-|Msg-Id$|TTL$|Rollup$)/;

export class Schedules {
  readonly #stream: Stream;
  /** by subject */
  readonly #waiting = new Map<string, Waiting>();
  readonly #heap = new DueHeap<Due>();
  readonly #alarm: Alarm;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#alarm = new Alarm(stream.clock, () => this.#run());
  }

  /** What a message asks for. @throws {Refusal} */
  plan(message: Arrival): Plan {
    return planOf(message, this.#stream);
  }

  /** Take up what the messages of before have asked for. */
  recall(): void {
    const { store, config } = this.#stream;
    if (config.allow_msg_schedules !== true) return;
    for (const seq of store.lastOfEach([])) {
      const at = store.get(seq) as Stored;
      this.#set(at, this.plan(arrival(at.subject, at.header, at.data)).schedule);
    }
  }

  /** A message was stored on its subject: what was scheduled there before is not any more. */
  stored(message: Stored, { schedule, cancels }: Plan): void {
    if (this.#stream.config.allow_msg_schedules !== true) return;
    this.#set(message, schedule);
    if (cancels !== undefined) this.#cancel(cancels);
  }

  #set({ subject, seq, time }: Stored, schedule: Schedule | undefined): void {
    this.#waiting.delete(subject);
    if (schedule === undefined) return;
    const waiting = { subject, seq, schedule };
    this.#waiting.set(subject, waiting);
    this.#heap.push({ time: schedule.next(time), waiting });
    this.#arm();
  }

  // The subject is a schedule no more, and its message goes.
  #cancel(subject: string): void {
    const waiting = this.#waiting.get(subject);
    if (waiting === undefined) return;
    this.#waiting.delete(subject);
    this.#stream.remove(waiting.seq);
  }

  #arm(): void {
    this.#alarm.set(this.#heap.first?.time ?? Infinity);
  }

  #run(): void {
    const now = this.#stream.clock.now();
    for (let due = this.#heap.take(now); due !== undefined; due = this.#heap.take(now)) {
      const { waiting } = due;
      if (this.#waiting.get(waiting.subject) !== waiting) continue;
      const message = this.#stream.store.get(waiting.seq);
      if (message === undefined) this.#waiting.delete(waiting.subject);
      else this.#publish(waiting, message, now);
    }
    this.#arm();
  }

  #publish(waiting: Waiting, message: Stored, now: number): void {
    const { subject, schedule } = waiting;
    const { source, target, ttl, rollup, repeats } = schedule;
    const from = source === "" ? message : (this.#stream.latest(source) ?? message);
    const time = repeats ? schedule.next(now) : Infinity;
    if (repeats) this.#heap.push({ time, waiting });
    const header = withHeaders(
      withoutHeaders(from.header, (name) => DROPPED.test(name)),
      [
        [SCHEDULER, subject],
        [NEXT, repeats ? goTime(time) : PURGE],
        ...(ttl === "" ? [] : [[TTL, ttl] as const]),
        ...(rollup ? [["Nats-Rollup", "sub"] as const] : []),
      ],
    );
    this.#stream.keep({
      subject: target,
      header,
      data: from.data,
      id: "",
      rollup: rollup ? "sub" : "",
      ttl: ttlOf(ttl) ?? 0,
    });
    if (!repeats) this.#cancel(subject);
  }

  stop(): void {
    this.#alarm.off();
  }
}
