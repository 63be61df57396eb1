// Support of the trap tests: clients that end with their test, what they report, and proof that no rejection got away.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  connect,
  type Connect,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
  NatsError,
  type NatsErrorCode,
  type Status,
  type Subscription,
} from "../../src/index.node.ts";
import { atEnd, within } from "../fixtures/cleanup.ts";

/** Waits that keep a test short. */
const QUICK: ConnectionOptions = { reconnectTimeWait: 10, maxReconnectTimeWait: 40, reconnectJitter: 0 };

/** A client that is closed at the end of the test. */
export async function connectTo(
  t: TestContext,
  servers: string | string[],
  options: ConnectionOptions = {},
  open: Connect = connect,
): Promise<NatsConnection> {
  const nc = await open({ ...QUICK, servers, ...options });
  atEnd(t, () => nc.close());
  return nc;
}

type Of<K extends Status["type"]> = Extract<Status, { type: K }>;

/** All that a client reports from now on. */
export class Watch {
  readonly all: Status[] = [];
  /** resolves when the loop over the status has ended */
  readonly ended: Promise<void>;
  #look: () => void = () => {};

  constructor(nc: NatsConnection) {
    const events = nc.status();
    this.ended = (async () => {
      for await (const event of events) {
        this.all.push(event);
        this.#look();
      }
    })();
  }

  of<K extends Status["type"]>(type: K): Of<K>[] {
    return this.all.filter((event): event is Of<K> => event.type === type);
  }

  /** The `nth` event of this type, once it is there. */
  async until<K extends Status["type"]>(type: K, nth = 1): Promise<Of<K>> {
    const came = new Promise<void>((resolve) => {
      this.#look = () => this.of(type).length >= nth && resolve();
      this.#look();
    });
    await within(came, () => `no ${type} number ${nth}, but ${JSON.stringify(this.all)}`);
    return this.of(type)[nth - 1] as Of<K>;
  }
}

/** The texts of what a subscription gets from now on. */
export function collect(sub: Subscription): {
  readonly texts: string[];
  /** resolves when so many are there */
  atLeast(count: number): Promise<void>;
} {
  const texts: string[] = [];
  let look = (): void => {};
  void (async () => {
    for await (const msg of sub) {
      texts.push(msg.string());
      look();
    }
  })().catch(() => undefined);
  return {
    texts,
    atLeast: (count) =>
      within(
        new Promise<void>((resolve) => {
          look = () => texts.length >= count && resolve();
          look();
        }),
        () => `${texts.length} messages came, not ${count}`,
      ),
  };
}

/** The next message of a subscription that is iterated. */
export async function next(messages: AsyncIterator<Msg>): Promise<Msg> {
  const { value, done } = await within(messages.next(), "no message comes");
  assert.notEqual(done, true, "the subscription has ended");
  return value as Msg;
}

/** A check for `assert.rejects` and `assert.throws`. */
export function failing(code: NatsErrorCode, ...parts: (string | RegExp)[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof NatsError, `${String(error)} is no NatsError`);
    assert.equal(error.code, code, error.message);
    for (const part of parts) {
      if (typeof part === "string") assert.ok(error.message.includes(part), error.message);
      else assert.match(error.message, part);
    }
    return true;
  };
}

/** Fails the test when a promise rejects and nobody listens. Call it first. */
export function noUnhandled(t: TestContext): void {
  const found: unknown[] = [];
  const note = (reason: unknown): void => void found.push(reason);
  process.on("unhandledRejection", note);
  atEnd(t, async () => {
    // they are reported when the microtasks of a turn are done
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    process.off("unhandledRejection", note);
    assert.deepEqual(found, [], "rejections nobody listens to");
  });
}

/** Turn by turn of the event loop, until the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!(await condition())) {
    assert.ok(performance.now() < limit, `waited 20 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
