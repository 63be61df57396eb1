// Tools: checks and waits for the suites, in terms every runtime has.
import {
  isNatsError,
  type Msg,
  type NatsConnection,
  type NatsError,
  type NatsErrorCode,
  type Status,
  type Subscription,
} from "../../src/names.ts";

// -- checks ----------------------------------------------------------------------------------------------------------

export function ok(value: unknown, message = "a condition does not hold"): asserts value {
  if (!value) throw new Error(message);
}

/** Equal in all that counts: arrays, bytes and plain objects by what is in them, anything else by `Object.is`. */
export function equal(actual: unknown, expected: unknown, message = "not equal"): void {
  if (!alike(actual, expected)) {
    throw new Error(`${message}: got ${show(actual)}, expected ${show(expected)}`);
  }
}

function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [mine, theirs] = [Object.entries(a), new Map(Object.entries(b))];
  return (
    mine.length === theirs.size &&
    mine.every(([key, value]) => theirs.has(key) && alike(value, theirs.get(key)))
  );
}

function show(value: unknown): string {
  if (value instanceof Error) return String(value);
  const text = value instanceof Uint8Array ? `bytes ${Array.from(value).join(" ")}` : JSON.stringify(value);
  return text === undefined ? String(value) : text.length > 400 ? `${text.slice(0, 400)}...` : text;
}

/** The {@link NatsError} of this code that the promise rejects with. */
export async function rejects(
  promise: PromiseLike<unknown>,
  code: NatsErrorCode | readonly NatsErrorCode[],
): Promise<NatsError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return check(error, code);
  }
  throw new Error(`resolved to ${show(value)}, expected it to reject with ${code}`);
}

/** The {@link NatsError} of this code that the call throws. */
export function throws(call: () => unknown, code: NatsErrorCode | readonly NatsErrorCode[]): NatsError {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    return check(error, code);
  }
  throw new Error(`returned ${show(value)}, expected it to throw ${code}`);
}

/** It is a {@link NatsError} of this code. */
export function check(error: unknown, code: NatsErrorCode | readonly NatsErrorCode[]): NatsError {
  if (!isNatsError(error))
    throw new Error(`expected a NatsError ${code}, got ${String(error)}`, { cause: error });
  if (![code].flat().includes(error.code)) {
    throw new Error(`expected code ${code}, got ${error.message}`, { cause: error });
  }
  ok(
    error.message.startsWith(`[${error.code}] `),
    `the message does not begin with its code: ${error.message}`,
  );
  return error;
}

/** True when the version is at least `minor`: `atLeast("2.10.27", "2.10")`. */
export function atLeast(version: string, minor: string): boolean {
  const [a = 0, b = 0] = version.split(".").map(Number);
  const [x = 0, y = 0] = minor.split(".").map(Number);
  return a !== x ? a > x : b >= y;
}

/** Options of a request that is answered: the second that it has by itself is short where a server must wait for its turn. */
export const PATIENT = { timeout: 20_000 } as const;

// -- waits -----------------------------------------------------------------------------------------------------------

/** The outcome of the promise, or a failure with this sentence. */
export async function within<T>(
  promise: PromiseLike<T>,
  what: string | (() => string),
  ms = 20_000,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(typeof what === "string" ? what : what())), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the clock has gone on since it was called: those of some runtimes do so once in a millisecond. */
export async function tick(): Promise<void> {
  for (const start = performance.now(); performance.now() === start; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What the question is answered with, once it is not undefined; asked again each time the server has answered. */
export async function eventually<T>(
  question: () => Promise<T | undefined>,
  what: string,
  ms = 20_000,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await question();
    if (answer !== undefined) return answer;
    ok(performance.now() < end, `${what}, not within ${ms} ms`);
  }
}

/** A promise and what settles it. */
export interface Gate<T> {
  readonly promise: Promise<T>;
  open(value: T): void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** A list that grows, and can be waited for. */
export class Growing<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  push(item: T): void {
    this.all.push(item);
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves with the item that makes `found` true, of those that are there or come, the `count`th of them. */
  async until(found: (item: T, count: number) => boolean, what: string, ms?: number): Promise<T> {
    const done = gate<T>();
    let seen = 0;
    const look = (): void => {
      while (seen < this.all.length) {
        const item = this.all[seen++] as T;
        if (found(item, seen)) return done.open(item);
      }
    };
    this.#waiting.add(look);
    look();
    try {
      const late = (): string => `${what}; there are ${this.all.length}: ${show(this.all)}`;
      return await within(done.promise, late, ms);
    } finally {
      this.#waiting.delete(look);
    }
  }

  /** Resolves with the first `count` items, once there are so many. */
  async first(count: number, ms = 20_000): Promise<T[]> {
    if (count > 0) {
      await this.until((_, n) => n === count, `fewer than ${count} came`, ms).catch(() => {
        throw new Error(`only ${this.all.length} of ${count} came within ${ms} ms`);
      });
    }
    return this.all.slice(0, count);
  }
}

/** The events of one type. */
export type EventOf<T extends Status["type"]> = Extract<Status, { type: T }>;

/** All that a connection tells from now on. */
export class Events {
  readonly #log = new Growing<Status>();
  /** resolves when the iteration of the status has ended */
  readonly ended: Promise<void>;

  constructor(nc: NatsConnection) {
    this.ended = this.#read(nc.status());
  }

  async #read(status: AsyncIterable<Status>): Promise<void> {
    for await (const event of status) this.#log.push(event);
  }

  get types(): string[] {
    return this.#log.all.map(({ type }) => type);
  }

  of<T extends Status["type"]>(type: T): EventOf<T>[] {
    return this.#log.all.filter((event): event is EventOf<T> => event.type === type);
  }

  /** The event of this type, number `count` of them since the beginning. */
  async until<T extends Status["type"]>(type: T, count = 1, ms?: number): Promise<EventOf<T>> {
    let seen = 0;
    const event = await this.#log.until(
      (one) => one.type === type && ++seen === count,
      `no event '${type}' number ${count}`,
      ms,
    );
    return event as EventOf<T>;
  }
}

/** Subscribe with a callback that keeps every message. The subscription is live at the server when it resolves. */
export async function inbox(
  nc: NatsConnection,
  subject: string,
  options: { queue?: string; max?: number } = {},
): Promise<Growing<Msg> & { sub: Subscription }> {
  const messages = new Growing<Msg>();
  const sub = nc.subscribe(subject, {
    ...options,
    callback: (error, msg) => {
      if (error === null) messages.push(msg);
    },
  });
  await nc.flush();
  return Object.assign(messages, { sub });
}

/** The texts of messages. */
export function texts(messages: readonly Msg[]): string[] {
  return messages.map((msg) => msg.string());
}

/** `0` to `count - 1` as texts: what a publisher sends to see what arrives. */
export function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => String(from + i));
}
