// Load: publishers that number what they send, and readers that see what came of it: order, doubles, gaps.
import assert from "node:assert/strict";
import type { NatsConnection } from "../../src/index.node.ts";
import { Growing } from "../suites/tools.ts";
import { moment } from "./support.ts";

/** Publishes `0`, `1`, ... to a subject, `each` in a millisecond, until it is told to stop. */
export class Writer {
  /** how many were published */
  sent = 0;
  readonly #nc: NatsConnection;
  readonly #subject: string;
  #running = true;
  readonly #done: Promise<void>;

  constructor(nc: NatsConnection, subject: string, each = 10) {
    this.#nc = nc;
    this.#subject = subject;
    this.#done = this.#run(each);
  }

  async #run(each: number): Promise<void> {
    while (this.#running) {
      for (let i = 0; i < each; i++) this.#nc.publish(this.#subject, String(this.sent++));
      await moment(1);
    }
  }

  /** Resolves with the number of the last, when the server has all that was published. */
  async stop(): Promise<number> {
    this.#running = false;
    await this.#done;
    await this.#nc.flush();
    return this.sent;
  }
}

/** Reads the numbers of writers. Of a plain subscription, a double or a wrong order is an error; a group may mix them. */
export class Reader {
  readonly numbers = new Map<string, Growing<number>>();
  readonly errors: string[] = [];

  constructor(nc: NatsConnection, subject: string, queue?: string) {
    nc.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, msg) => {
        if (error !== null) return void this.errors.push(error.message);
        const all = this.of(msg.subject);
        const number = Number(msg.string());
        const last = all.all.at(-1) ?? -1;
        if (number <= last && queue === undefined)
          this.errors.push(`${msg.subject}: ${number} after ${last}`);
        all.push(number);
      },
    });
  }

  of(subject: string): Growing<number> {
    let all = this.numbers.get(subject);
    if (all === undefined) this.numbers.set(subject, (all = new Growing()));
    return all;
  }

  /** Resolves when the message with this number, or a later one, has come. */
  async reached(subject: string, number: number): Promise<void> {
    await this.of(subject).until((n) => n >= number, `${subject} did not get as far as ${number}`);
  }
}

/** The ranges of numbers below `count` that are missing, as `[first, last]`. */
export function gaps(numbers: readonly number[], count: number): [first: number, last: number][] {
  const missing: [number, number][] = [];
  let next = 0;
  for (const number of [...numbers, count]) {
    if (number > next) missing.push([next, number - 1]);
    next = number + 1;
  }
  return missing;
}

/** Requests, some at once, until it is told to stop; what each came to is kept. */
export class Asker {
  answered = 0;
  /** codes of those that failed */
  readonly failures = new Map<string, number>();
  readonly #nc: NatsConnection;
  readonly #subject: string;
  #running = true;
  #streak = 0;
  readonly #done: Promise<unknown>;
  readonly #answers = new Growing<number>();

  constructor(nc: NatsConnection, subject: string, atOnce = 8) {
    this.#nc = nc;
    this.#subject = subject;
    this.#done = Promise.all(Array.from({ length: atOnce }, (_, i) => this.#run(i)));
  }

  async #run(lane: number): Promise<void> {
    let n = 0;
    while (this.#running) {
      const text = `${lane}.${n++}`;
      try {
        const reply = await this.#nc.request(this.#subject, text, { timeout: 2000 });
        assert.equal(reply.string(), text, "the reply is somebody else's");
        this.answered++;
        this.#answers.push(++this.#streak);
      } catch (error) {
        this.#streak = 0;
        const { code = String(error) } = error as { code?: string };
        this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      }
      // a turn for the others
      await moment(1);
    }
  }

  /** Resolves when from now on so many in a row have been answered. */
  async healthy(count = 100): Promise<void> {
    this.#streak = 0;
    await this.#answers.until((n) => n >= count && this.#streak >= count, `no ${count} answers in a row`);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }
}
