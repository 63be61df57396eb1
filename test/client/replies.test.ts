// Tests of src/client/replies.ts: when the replies to one request end (ADR-47).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MsgImpl } from "../../src/client/message.ts";
import { repliesTo } from "../../src/client/replies.ts";
import {
  isNatsError,
  type NatsErrorCode,
  NoRespondersError,
  type RequestManyOptions,
} from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { settled } from "./conversation.ts";

const code = (wanted: NatsErrorCode) => (error: unknown) => isNatsError(error) && error.code === wanted;
const publisher = { publish: () => {} };

function reply(data: string, headers = ""): MsgImpl {
  const bytes = Buffer.from(`s${headers}${data}`);
  return new MsgImpl(publisher, bytes, 1, 0, 1, 1, 1, 1, 1 + headers.length, bytes.length);
}

const nobody = () => reply("", "NATS/1.0 503\r\n\r\n");

function begin(options: Partial<RequestManyOptions> = {}) {
  const ends: number[] = [];
  const began = performance.now();
  const replies = repliesTo("q", options, () => ends.push(performance.now() - began));
  return { replies, ends };
}

async function texts(replies: AsyncIterable<MsgImpl>): Promise<string[]> {
  const seen: string[] = [];
  for await (const m of replies) seen.push(m.string());
  return seen;
}

describe("timer", () => {
  test("C-ADR47-2 C-ADR47-11: ends after maxWait, without an error when nothing came", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin({ maxWait: 20 });
    assert.deepEqual(await texts(replies), []);
    assert.equal(ends.length, 1);
    assert.ok((ends[0] as number) >= 19, `ended after ${ends[0]} ms`);
  });

  test("is the default, and counts messages only where maxMessages is given", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin({ maxWait: 20 });
    for (let i = 0; i < 5; i++) replies.push(reply(String(i)));
    assert.deepEqual(await texts(replies), ["0", "1", "2", "3", "4"]);
    assert.equal(ends.length, 1);
    const counted = begin({ maxWait: 5000, maxMessages: 2 });
    for (let i = 0; i < 5; i++) counted.replies.push(reply(String(i)));
    assert.deepEqual(await texts(counted.replies), ["0", "1"]);
  });

  test("for ever is for ever, not at once", async (t) => {
    trackLeaks(t);
    const { replies } = begin({ maxWait: Number.POSITIVE_INFINITY, maxMessages: 1 });
    const seen = texts(replies);
    // one that began later has its time over
    await texts(begin({ maxWait: 10 }).replies);
    replies.push(reply("late"));
    assert.deepEqual(await seen, ["late"]);
  });

  test("what came in time is still taken after it", async (t) => {
    trackLeaks(t);
    const { replies } = begin({ maxWait: 5 });
    replies.push(reply("1"));
    await texts(begin({ maxWait: 10 }).replies);
    replies.push(reply("too late"));
    assert.deepEqual(await texts(replies), ["1"]);
    assert.equal(replies.getReceived(), 1);
  });
});

describe("count", () => {
  test("C-ADR47-4: ends with the last one, and takes no more", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin({ strategy: "count", maxMessages: 2 });
    const seen = texts(replies);
    replies.push(reply("1"));
    await settled();
    assert.equal(ends.length, 0);
    replies.push(reply("2"));
    assert.equal(ends.length, 1);
    replies.push(reply("3"));
    assert.deepEqual(await seen, ["1", "2"]);
  });

  test("C-ADR47-2: ends after maxWait with fewer", async (t) => {
    trackLeaks(t);
    const { replies } = begin({ strategy: "count", maxMessages: 2, maxWait: 10 });
    replies.push(reply("1"));
    assert.deepEqual(await texts(replies), ["1"]);
  });
});

describe("stall", () => {
  test("C-ADR47-3: the first reply may take all of maxWait, the next ones stall each", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin({ strategy: "stall", stall: 20, maxWait: 5000 });
    const iterator = replies[Symbol.asyncIterator]();
    const first = iterator.next();
    // longer than the stall
    await texts(begin({ maxWait: 40 }).replies);
    assert.equal(ends.length, 0);
    replies.push(reply("1"));
    assert.equal((await first).value?.string(), "1");
    const second = iterator.next();
    replies.push(reply("2"));
    await second;
    const began = performance.now();
    assert.equal((await iterator.next()).done, true);
    const took = performance.now() - began;
    assert.ok(took >= 18 && took < 4000, `ended ${took} ms after the last`);
  });

  test("C-ADR47-3: a stall never extends the total", async (t) => {
    trackLeaks(t);
    const order: string[] = [];
    const total = begin({ maxWait: 600 });
    const { replies } = begin({ strategy: "stall", stall: 500, maxWait: 600 });
    const after = begin({ maxWait: 750 });
    const seen = texts(replies).then((all) => order.push("stalled") && all);
    const ends = [total, after].map((one, i) => texts(one.replies).then(() => order.push(String(i))));
    replies.push(reply("1"));
    // the stall that begins here would end beyond the total
    await texts(begin({ maxWait: 300 }).replies);
    replies.push(reply("2"));
    assert.deepEqual(await seen, ["1", "2"]);
    await Promise.all(ends);
    assert.deepEqual(order, ["0", "stalled", "1"]);
  });

  test("C-ADR47-3: a stall below 1 ms or as long as the total is none", async (t) => {
    trackLeaks(t);
    for (const stall of [0.5, 0, -1, 30, 100]) {
      const { replies, ends } = begin({ strategy: "stall", stall, maxWait: 30 });
      const seen = texts(replies);
      replies.push(reply("1"));
      await seen;
      assert.ok((ends[0] as number) >= 29, `stall ${stall}: ended after ${ends[0]} ms`);
    }
  });

  test("C-ADR47-8: time spent in the consumer's own code doesn't count", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin({ strategy: "stall", stall: 10, maxWait: 5000 });
    const iterator = replies[Symbol.asyncIterator]();
    replies.push(reply("1"));
    await iterator.next();
    // the consumer is busy for longer than the stall
    await texts(begin({ maxWait: 30 }).replies);
    assert.equal(ends.length, 0);
    replies.push(reply("2"));
    assert.equal((await iterator.next()).value?.string(), "2");
    assert.equal((await iterator.next()).done, true);
  });
});

describe("sentinel", () => {
  test("C-ADR47-5: ends with an empty payload, which is given too", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin({ strategy: "sentinel" });
    for (const data of ["1", "2", "", "3"]) replies.push(reply(data));
    assert.equal(ends.length, 1);
    assert.deepEqual(await texts(replies), ["1", "2", ""]);
  });

  test("C-ADR47-5: headers alone make no payload", async (t) => {
    trackLeaks(t);
    const { replies } = begin({ strategy: "sentinel" });
    replies.push(reply("", "NATS/1.0\r\nEnd: yes\r\n\r\n"));
    const seen: MsgImpl[] = [];
    for await (const m of replies) seen.push(m as MsgImpl);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.headers?.get("End"), "yes");
  });

  test("C-ADR47-2: ends after maxWait without one", async (t) => {
    trackLeaks(t);
    const { replies } = begin({ strategy: "sentinel", maxWait: 10 });
    replies.push(reply("1"));
    assert.deepEqual(await texts(replies), ["1"]);
  });

  test("an empty payload is nothing special to the other strategies", async (t) => {
    trackLeaks(t);
    const { replies } = begin({ strategy: "count", maxMessages: 2 });
    replies.push(reply(""));
    replies.push(reply("1"));
    assert.deepEqual(await texts(replies), ["", "1"]);
  });
});

test("C-ADR47-10: maxMessages and maxWait hold for each strategy", async (t) => {
  trackLeaks(t);
  for (const strategy of ["timer", "count", "stall", "sentinel"] as const) {
    const { replies } = begin({ strategy, maxMessages: 2, stall: 1000, maxWait: 4000 });
    for (const data of ["1", "2", "3"]) replies.push(reply(data));
    assert.deepEqual(await texts(replies), ["1", "2"], strategy);
  }
});

describe("nobody answers", () => {
  test("C-ADR47-6: before any reply it is NO_RESPONDERS, thrown by the iteration", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin();
    replies.push(nobody());
    assert.equal(ends.length, 1);
    await assert.rejects(
      texts(replies),
      (error) => error instanceof NoRespondersError && error.subject === "q",
    );
  });

  test("C-ADR47-6: after a reply it is the end, and never data", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin();
    replies.push(reply("1"));
    replies.push(nobody());
    assert.equal(ends.length, 1);
    assert.deepEqual(await texts(replies), ["1"]);
  });
});

describe("the end", () => {
  test("C-ADR47-7: leaving the loop releases at once", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin({ maxWait: 5000 });
    replies.push(reply("1"));
    // oxlint-disable-next-line no-unreachable-loop -- the test is about leaving it
    for await (const m of replies) {
      assert.equal(m.string(), "1");
      break;
    }
    assert.equal(ends.length, 1);
  });

  test("stop(error) is thrown ahead of what is queued, once", async (t) => {
    trackLeaks(t);
    const { replies, ends } = begin();
    replies.push(reply("1"));
    const mine = new Error("mine");
    replies.stop(mine);
    replies.stop(new Error("too late"));
    assert.equal(ends.length, 1);
    const iterator = replies[Symbol.asyncIterator]();
    await assert.rejects(iterator.next(), (error) => error === mine);
    assert.equal((await iterator.next()).value?.string(), "1");
    assert.equal((await iterator.next()).done, true);
  });

  test("a waiting next() ends by stop(), with and without an error", async (t) => {
    trackLeaks(t);
    const ended = begin();
    const next = ended.replies[Symbol.asyncIterator]().next();
    ended.replies.stop();
    assert.equal((await next).done, true);
    const failed = begin();
    const other = failed.replies[Symbol.asyncIterator]().next();
    failed.replies.stop(new Error("mine"));
    await assert.rejects(other, /mine/);
  });

  test("the signal ends it with ABORTED and its reason, and keeps no listener", async (t) => {
    trackLeaks(t);
    const controller = new AbortController();
    const { replies, ends } = begin({ signal: controller.signal });
    const seen = texts(replies);
    controller.abort("enough");
    await assert.rejects(seen, (error) => code("ABORTED")(error) && (error as Error).cause === "enough");
    assert.equal(ends.length, 1);
    const added: unknown[] = [];
    const signal = new AbortController().signal;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...of: Parameters<typeof addEventListener>) => {
      added.push(of[1]);
      addEventListener.apply(signal, of);
    };
    signal.removeEventListener = (...of: Parameters<typeof removeEventListener>) => {
      added.splice(added.indexOf(of[1]), 1);
      removeEventListener.apply(signal, of);
    };
    const other = begin({ signal, strategy: "count", maxMessages: 1 });
    assert.equal(added.length, 1);
    other.replies.push(reply("1"));
    assert.equal(added.length, 0);
  });

  test("one iteration, and one next() at a time", async (t) => {
    trackLeaks(t);
    const { replies } = begin();
    const iterator = replies[Symbol.asyncIterator]();
    assert.throws(() => replies[Symbol.asyncIterator](), code("INVALID_OPERATION"));
    const first = iterator.next();
    await assert.rejects(iterator.next(), code("INVALID_OPERATION"));
    replies.stop();
    await first;
  });

  test("counts what came, what waits and what was taken", async (t) => {
    trackLeaks(t);
    const { replies } = begin();
    for (let i = 0; i < 3; i++) replies.push(reply("x"));
    await replies[Symbol.asyncIterator]().next();
    assert.deepEqual([replies.getReceived(), replies.getPending(), replies.getProcessed()], [3, 2, 1]);
    replies.stop();
  });
});

test("replies that nobody takes are bounded: beyond 64 MiB it ends with SLOW_CONSUMER", async (t) => {
  trackLeaks(t);
  const { replies, ends } = begin();
  const large = reply("x".repeat(1 << 20));
  for (let i = 0; i < 66; i++) replies.push(large);
  assert.equal(ends.length, 1);
  assert.equal(replies.getPending(), 0);
  await assert.rejects(texts(replies), code("SLOW_CONSUMER"));
});

test("replies that are taken count no more: any number of them may pass", async (t) => {
  trackLeaks(t);
  const { replies, ends } = begin();
  const iterator = replies[Symbol.asyncIterator]();
  const large = reply("x".repeat(1 << 20));
  for (let i = 0; i < 200; i++) {
    replies.push(large);
    assert.equal((await iterator.next()).done, false);
  }
  assert.equal(ends.length, 0);
  await iterator.return?.();
});

test("options that can't be used are refused with a text that names them", () => {
  for (const [options, message] of [
    [{ strategy: "jitter" }, /strategy is 'jitter'/],
    [{ maxWait: 0 }, /maxWait is 0/],
    [{ maxWait: Number.NaN }, /maxWait is NaN/],
    [{ strategy: "count" }, /'count' needs 1 or more/],
    [{ strategy: "count", maxMessages: 0 }, /maxMessages is 0/],
  ] as [Record<string, unknown>, RegExp][]) {
    assert.throws(
      () => begin(options as Partial<RequestManyOptions>),
      (error) => code("INVALID_ARGUMENT")(error) && message.test((error as Error).message),
    );
  }
});
