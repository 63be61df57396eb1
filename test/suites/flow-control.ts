// Suite: flow control: bounded queues in both directions, and what happens when they are full.
import type { Suite } from "./harness.ts";
import { check, Events, equal, gate, inbox, numbers, ok, rejects, texts, throws, within } from "./tools.ts";

export const flowControl: Suite = {
  name: "flow control",
  cases: {
    "writable resolves at once while little waits": async ({ connect }) => {
      const nc = await connect();
      equal(nc.pendingBytes, 0);
      await nc.writable();
      await nc.writable({ timeout: 1 });
    },

    "pendingBytes says what is not sent, and writable waits until it is": async ({ connect, prefix }) => {
      const nc = await connect();
      const payload = new Uint8Array(32_768);
      for (let i = 0; i < 40; i++) nc.publish(prefix, payload);
      ok(nc.pendingBytes > 65_536, `only ${nc.pendingBytes} bytes are pending`);
      equal(nc.stats().pendingBytes, nc.pendingBytes);
      await within(nc.writable(), "it never becomes writable");
      ok(nc.pendingBytes <= 65_536);
      await nc.flush();
      // the answer to a ping of the server may be on its way: under TLS a write is never over at once
      ok(nc.pendingBytes <= "PONG\r\n".length, `${nc.pendingBytes} bytes are pending`);
    },

    "a signal ends writable": async ({ connect, prefix }) => {
      const nc = await connect();
      for (let i = 0; i < 40; i++) nc.publish(prefix, new Uint8Array(32_768));
      await rejects(nc.writable({ signal: AbortSignal.abort("no") }), "ABORTED");
      await nc.flush();
    },

    "publish throws OUTBOUND_FULL beyond maxOutboundBytes, and what was taken arrives (P5)": async ({
      connect,
      prefix,
    }) => {
      const [a, b] = await Promise.all([connect({ maxOutboundBytes: 10_000 }), connect()]);
      const got = await inbox(b, prefix);
      let taken = 0;
      const error = throws(() => {
        for (;;) {
          a.publish(prefix, new Uint8Array(1000));
          taken++;
        }
      }, "OUTBOUND_FULL");
      equal(error.subject, prefix);
      ok(taken >= 9 && taken <= 11, `${taken} were taken`);
      await a.flush();
      a.publish(prefix, "again");
      equal((await got.first(taken + 1)).at(-1)?.string(), "again");
      equal(a.stats().outMsgs, taken + 1);
    },

    "a full queue drops the newest, counts them, and says so once an episode (P3)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const events = new Events(nc);
      const sub = nc.subscribe(prefix, { limits: { messages: 10 } });
      for (const n of numbers(25)) nc.publish(prefix, n);
      await nc.flush();
      equal([sub.getPending(), sub.dropped, sub.getReceived()], [10, 15, 25]);
      equal(nc.stats().droppedInbound, 15);
      const first = await events.until("slowConsumer");
      equal([first.sub === sub, first.pending, first.dropped], [true, 10, 1]);
      const iterator = sub[Symbol.asyncIterator]();
      for (const n of numbers(10)) equal((await iterator.next()).value?.string(), n);
      // recovered: the next episode is reported anew
      for (const n of numbers(12)) nc.publish(prefix, n);
      await nc.flush();
      equal(sub.dropped, 17);
      await events.until("slowConsumer", 2);
      equal(events.of("slowConsumer").length, 2);
    },

    "drop-oldest keeps the newest": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix, { limits: { messages: 5, overflow: "drop-oldest" } });
      for (const n of numbers(20)) nc.publish(prefix, n);
      await nc.flush();
      equal(sub.dropped, 15);
      sub.unsubscribe(20);
      const got: string[] = [];
      for await (const msg of sub) got.push(msg.string());
      equal(got, numbers(5, 15));
    },

    "close ends the subscription with SLOW_CONSUMER": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix, { limits: { messages: 5, overflow: "close" } });
      const other = await inbox(nc, prefix);
      for (const n of numbers(20)) nc.publish(prefix, n);
      await nc.flush();
      equal(check(await sub.closed, "SLOW_CONSUMER").subject, prefix);
      await rejects(
        (async () => {
          for await (const _ of sub);
        })(),
        "SLOW_CONSUMER",
      );
      equal(texts(other.all), numbers(20));
    },

    "bytes bound a queue too": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix, { limits: { bytes: 10_000 } });
      for (let i = 0; i < 20; i++) nc.publish(prefix, new Uint8Array(1000 - prefix.length));
      await nc.flush();
      equal([sub.getPending(), sub.dropped], [10, 10]);
    },

    "slow says when a queue has grown so far, before anything is dropped": async ({ connect, prefix }) => {
      const nc = await connect();
      const events = new Events(nc);
      const sub = nc.subscribe(prefix, { slow: 5 });
      for (const n of numbers(8)) nc.publish(prefix, n);
      await nc.flush();
      const event = await events.until("slowConsumer");
      equal([event.pending, event.dropped, sub.dropped], [5, 0, 0]);
      equal(events.of("slowConsumer").length, 1);
    },

    "one slow subscription holds up no other (C-ADR40-23)": async ({ connect, prefix }) => {
      const nc = await connect();
      const stuck = nc.subscribe(prefix);
      const got = await inbox(nc, prefix);
      for (const n of numbers(5000)) nc.publish(prefix, n);
      equal(texts(await got.first(5000)), numbers(5000));
      equal(stuck.getPending(), 5000);
    },

    "concurrency bounds the async callbacks that run, and all get their turn": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      const [three, done] = [gate(), gate()];
      let running = 0;
      let most = 0;
      const got: string[] = [];
      nc.subscribe(prefix, {
        concurrency: 3,
        callback: async (_, msg) => {
          most = Math.max(most, ++running);
          if (running === 3) three.open();
          await three.promise;
          await new Promise((resolve) => setTimeout(resolve, 1));
          running--;
          if (got.push(msg.string()) === 30) done.open();
        },
      });
      for (const n of numbers(30)) nc.publish(prefix, n);
      await within(done.promise, "not all were called");
      equal(most, 3);
      equal(
        got.sort((a, b) => Number(a) - Number(b)),
        numbers(30),
      );
    },

    "concurrency 1 keeps the order": async ({ connect, prefix }) => {
      const nc = await connect();
      const done = gate();
      const got: string[] = [];
      nc.subscribe(prefix, {
        concurrency: 1,
        callback: async (_, msg) => {
          await Promise.resolve();
          if (got.push(msg.string()) === 50) done.open();
        },
      });
      for (const n of numbers(50)) nc.publish(prefix, n);
      await within(done.promise, "not all were called");
      equal(got, numbers(50));
    },
  },
};
