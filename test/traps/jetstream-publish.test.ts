// Traps 83 to 85 and 106: what clients have got wrong about publishing to streams.
import assert from "node:assert/strict";
import { test } from "node:test";
import { headers, type NatsConnection, NoRespondersError, type NatsError } from "../../src/index.node.ts";
import {
  jetstream,
  type JetStreamManager,
  jetstreamManager,
  NoStreamError,
  OutcomeUnknownError,
} from "../../src/jetstream/index.ts";
import { type Scope, within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";
import { connectTo, failing, noUnhandled, until } from "./support.ts";

async function streamOn(nc: NatsConnection): Promise<JetStreamManager> {
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "S", subjects: ["s.>"], storage: "memory" });
  return jsm;
}

const served = (t: Scope): Promise<RealServer> => startServer(t, { jetstream: true });

/** A connection on which requests come to nothing in this way; `asked` has the timeout of each. */
function failingConnection(fail: () => NatsError): { nc: NatsConnection; asked: number[] } {
  const asked: number[] = [];
  const request = (_subject: string, _payload: unknown, { timeout = 0 } = {}): Promise<never> => {
    asked.push(timeout);
    return Promise.reject(fail());
  };
  return { nc: { request } as unknown as NatsConnection, asked };
}

test("trap 83: retries of a publish share one deadline: each is given what is left of it", async () => {
  const { nc, asked } = failingConnection(() => new NoRespondersError("s.a"));
  const publishing = jetstream(nc).publish("s.a", "", { retries: -1, retryWait: 200, timeout: 1000 });
  await assert.rejects(publishing, failing("NO_RESPONDERS"));
  assert.ok(asked.length >= 2 && asked.length <= 8, `${asked.length} attempts`);
  for (const [i, left] of asked.entries())
    assert.ok(left <= 1000 - i * 199 && left > 0, `${asked.join(", ")}`);
});

test("trap 83: only that nobody answers is tried again, every other error is the caller's at once", async (t) => {
  trackLeaks(t);
  const server = await served(t);
  const nc = await connectTo(t, server.url);
  const jsm = await streamOn(nc);
  const js = jsm.jetstream();
  let published = 0;
  nc.subscribe("s.>", { callback: () => void published++ });
  await nc.flush();
  const options = { retries: 5, retryWait: 1 };
  await assert.rejects(
    js.publish("s.a", "", { ...options, expect: { streamName: "other" } }),
    failing("JETSTREAM_API"),
  );
  await assert.rejects(
    js.publish("s.a", "", { ...options, expect: { lastSequence: 5 } }),
    failing("WRONG_LAST_SEQUENCE"),
  );
  await nc.flush();
  assert.equal(published, 2);
  await assert.rejects(
    js.publish("none", "", options),
    (error) => error instanceof NoStreamError && error.attempts === 6,
  );
  await nc.close();
});

test("trap 84: an expected sequence of 0 is sent", async (t) => {
  trackLeaks(t);
  const server = await served(t);
  const nc = await connectTo(t, server.url);
  const js = (await streamOn(nc)).jetstream();
  await js.publish("s.a", "", { expect: { lastSequence: 0 } });
  await assert.rejects(
    js.publish("s.a", "", { expect: { lastSequence: 0 } }),
    failing("WRONG_LAST_SEQUENCE"),
  );
  await js.publish("s.b", "", { expect: { lastSubjectSequence: 0 } });
  await assert.rejects(
    js.publish("s.b", "", { expect: { lastSubjectSequence: 0n } }),
    failing("WRONG_LAST_SEQUENCE"),
  );
  await nc.close();
});

test("trap 85: a publisher is done after reconnects, whether its messages went through or not", async (t) => {
  noUnhandled(t);
  trackLeaks(t);
  const server = await served(t);
  const proxy = await startProxy(t, server);
  const nc = await connectTo(t, proxy.url);
  const jsm = await streamOn(await connectTo(t, server.url));
  const publisher = jetstream(nc).publisher({ maxInFlight: 64 });
  // the acks don't come back, and then the link breaks: what was stored and what was not, nobody knows
  proxy.pause("received");
  const acks = Array.from({ length: 64 }, (_, i) => publisher.publish("s.a", String(i)));
  await until(async () => (await jsm.streams.info("S")).state.messages === 64, "the stream has them");
  proxy.cut();
  proxy.resume();
  const more = Array.from({ length: 64 }, (_, i) => publisher.publish("s.a", String(64 + i)));
  await within(publisher.drain(), "the publisher is not done");
  const all = await Promise.all([...acks, ...more]);
  assert.equal(new Set(all.map(({ seq }) => seq)).size, 128, "two messages have the same ack");
  assert.equal((await jsm.streams.info("S")).state.messages, 128, "one is stored twice");
  assert.ok(all.slice(0, 64).every(({ duplicate }) => duplicate));
});

test("trap 85: a publisher is done when its retries have failed", async (t) => {
  noUnhandled(t);
  trackLeaks(t);
  const server = await served(t);
  const nc = await connectTo(t, server.url);
  const publisher = jetstream(nc).publisher({ retries: 2, retryWait: 5, maxInFlight: 4 });
  const failed = Array.from({ length: 20 }, () => publisher.publish("none").catch((error: unknown) => error));
  await within(publisher.drain(), "the publisher is not done");
  for (const error of await Promise.all(failed))
    assert.ok(error instanceof NoStreamError && error.attempts === 3);
  const late = jetstream(nc).publisher({ timeout: 20 });
  nc.subscribe("silent");
  const unknown = late.publish("silent").catch((error: unknown) => error);
  await within(late.drain(), "the publisher is not done");
  assert.ok((await unknown) instanceof OutcomeUnknownError);
  await nc.close();
});

test("trap 106: what the caller gave to a publish is as it was", async (t) => {
  trackLeaks(t);
  const server = await served(t);
  const nc = await connectTo(t, server.url);
  const js = (await streamOn(nc)).jetstream();
  const given = headers();
  given.set("Mine", "1");
  const expect = Object.freeze({ lastSequence: 0, streamName: "S" });
  const options = Object.freeze({ headers: given, msgID: "a", expect });
  await js.publish("s.a", "", options);
  await using publisher = js.publisher();
  await publisher.publish("s.a", "", Object.freeze({ headers: given }));
  // a retry puts an id on the message
  await assert.rejects(js.publish("none", "", { headers: given, retryWait: 1 }), failing("NO_RESPONDERS"));
  assert.equal(String(given), "NATS/1.0\r\nMine: 1\r\n\r\n");
});
