// Suite: the server goes away and comes back.
import { type ConnectionOptions, headers, type Msg, type NatsConnection } from "../../src/names.ts";
import type { Harness, SuiteServer, Suite } from "./harness.ts";
import { check, Events, equal, gate, inbox, numbers, ok, rejects, texts, throws, within } from "./tools.ts";

const quick: ConnectionOptions = {
  reconnectTimeWait: 10,
  maxReconnectTimeWait: 50,
  reconnectJitter: 0,
  reconnectJitterTLS: 0,
};

/** A server of its own and one connection to it. */
async function one(
  { connect, serve }: Harness,
  options: ConnectionOptions = {},
): Promise<{ server: SuiteServer; nc: NatsConnection; events: Events }> {
  const server = await serve();
  const nc = await connect({ ...quick, servers: server.url, ...options });
  return { server, nc, events: new Events(nc) };
}

async function down(server: SuiteServer, events: Events): Promise<void> {
  const gone = events.until("disconnect", events.of("disconnect").length + 1);
  await server.stop();
  await gone;
}

async function up(server: SuiteServer, ...all: Events[]): Promise<void> {
  const back = all.map((events) => events.until("reconnect", events.of("reconnect").length + 1));
  await server.start();
  await Promise.all(back);
}

export const reconnect: Suite = {
  name: "reconnect",
  needs: ["own-server", "restart"],
  cases: {
    "the connection comes back, and says each step (P4, C-ADR40-10, C-ADR40-21)": async (harness) => {
      const { server, nc, events } = await one(harness);
      const address = nc.getServer();
      await down(server, events);
      equal([nc.state, nc.getServer(), nc.info], ["reconnecting", "", undefined]);
      await events.until("reconnecting", 2);
      await up(server, events);
      equal([nc.state, nc.getServer(), nc.stats().reconnects], ["connected", address, 1]);
      const [lost] = events.of("disconnect");
      equal([lost?.server, lost?.lost], [address, 0]);
      check(lost?.error, "CONNECTION");
      const attempts = events.of("reconnecting");
      equal(
        attempts.map(({ attempt }) => attempt),
        attempts.map((_, i) => i + 1),
      );
      equal(attempts[0]?.delay, 0, "the first attempt waits");
      ok(attempts.every(({ server: name, error }) => name === address && error !== undefined));
      equal(events.of("reconnect"), [{ type: "reconnect", server: address }]);
      equal(events.of("close"), []);
      await nc.flush();
    },

    "subscriptions live on, plain, queued and iterated (C-ADR40-14)": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const plain = await inbox(nc, `${prefix}.>`);
      const members = [
        await inbox(nc, `${prefix}.x`, { queue: "q" }),
        await inbox(nc, `${prefix}.x`, { queue: "q" }),
      ];
      const iterated = nc.subscribe(`${prefix}.x`);
      const iterator = iterated[Symbol.asyncIterator]();
      nc.publish(`${prefix}.x`, "before");
      await plain.first(1);
      equal((await iterator.next()).value?.string(), "before");
      await down(server, events);
      await up(server, events);
      nc.publish(`${prefix}.x`, "after");
      equal((await iterator.next()).value?.string(), "after");
      await nc.flush();
      equal(texts(plain.all), ["before", "after"]);
      equal(members.flatMap(({ all }) => texts(all)).length, 2);
    },

    "what is published meanwhile is sent afterwards, whole and in order (P3, C-ADR40-15)": async (
      harness,
    ) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const got = await inbox(nc, prefix);
      await down(server, events);
      const sent = headers();
      sent.set("a", "b");
      for (const n of numbers(1000)) {
        nc.publish(prefix, n, n === "7" ? { headers: sent, reply: "x" } : undefined);
      }
      ok(nc.pendingBytes > 0);
      await up(server, events);
      const all = await got.first(1000);
      equal(texts(all), numbers(1000));
      equal([all[7]?.headers?.get("a"), all[7]?.reply], ["b", "x"]);
      await nc.flush();
      equal([got.all.length, nc.pendingBytes, nc.stats().droppedOutbound], [1000, 0, 0]);
    },

    "a thousand subscriptions and a buffered publish to each (C-ADR40-14)": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const got: string[] = [];
      for (const n of numbers(1000)) {
        nc.subscribe(`${prefix}.${n}`, { callback: (_, msg) => void got.push(msg.string()) });
      }
      await nc.flush();
      await down(server, events);
      for (const n of numbers(1000)) nc.publish(`${prefix}.${n}`, n);
      await up(server, events);
      await nc.flush();
      equal(got, numbers(1000));
    },

    "counts go on where they were, and who unsubscribed meanwhile stays so (trap 36, C-PROTO-10)": async (
      harness,
    ) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const [counted, left, fresh] = [
        await inbox(nc, prefix, { max: 5 }),
        await inbox(nc, prefix),
        await inbox(nc, prefix),
      ];
      nc.publish(prefix, "0");
      nc.publish(prefix, "1");
      await counted.first(2);
      await down(server, events);
      left.sub.unsubscribe();
      fresh.sub.unsubscribe(3);
      const later = nc.subscribe(prefix, { max: 1 });
      await up(server, events);
      for (const n of numbers(8, 2)) nc.publish(prefix, n);
      await within(counted.sub.closed, "it is still open");
      await within(fresh.sub.closed, "it is still open");
      await within(later.closed, "it is still open");
      await nc.flush();
      equal(texts(counted.all), numbers(5));
      equal(texts(left.all), numbers(2));
      equal(texts(fresh.all), numbers(3));
    },

    "a request under way gets its reply after the reconnect (C-ADR40-17)": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const other = await harness.connect({ ...quick, servers: server.url });
      const others = new Events(other);
      const asked = await inbox(other, prefix);
      const replies = [
        nc.request(prefix, "a", { timeout: 20_000 }),
        nc.request(prefix, "b", { timeout: 20_000, noMux: true }),
      ];
      await asked.first(2);
      await Promise.all([down(server, events), others.until("disconnect")]);
      await up(server, events, others);
      await nc.flush();
      for (const msg of asked.all) msg.respond(`re: ${msg.string()}`);
      equal(texts(await Promise.all(replies)).sort(), ["re: a", "re: b"]);
    },

    "a request made meanwhile is sent after the reconnect": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      nc.subscribe(prefix, { callback: (_, msg) => void msg.respond(msg.data) });
      await nc.flush();
      await down(server, events);
      const replies = [
        nc.request(prefix, "a", { timeout: 20_000 }),
        nc.request(prefix, "b", { timeout: 20_000, noMux: true }),
      ];
      await up(server, events);
      equal(texts(await Promise.all(replies)), ["a", "b"]);
    },

    "a request that meets no connection in its time says so (C-REQ-6)": async (harness) => {
      const { server, nc, events } = await one(harness);
      await down(server, events);
      const error = await rejects(nc.request(harness.prefix, "", { timeout: 30 }), "TIMEOUT");
      equal((error as { reason?: string }).reason, "no connection");
      await rejects(nc.flush(), "DISCONNECTED");
      await rejects(nc.rtt(), "DISCONNECTED");
    },

    "whenDisconnected throw and drop: nothing is kept, and it is said (P3)": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness, { whenDisconnected: "throw" });
      const dropping = await harness.connect({ ...quick, servers: server.url, whenDisconnected: "drop" });
      const others = new Events(dropping);
      const got = await inbox(nc, prefix);
      await Promise.all([down(server, events), others.until("disconnect")]);
      throws(() => nc.publish(prefix, "no"), "DISCONNECTED");
      await rejects(nc.request(prefix), "DISCONNECTED");
      dropping.publish(prefix, "gone");
      dropping.publish(prefix, "gone");
      equal([dropping.pendingBytes, dropping.stats().droppedOutbound], [0, 2]);
      await up(server, events, others);
      // the server knows of the subscription again before the other connection publishes
      await nc.flush();
      dropping.publish(prefix, "after");
      equal(texts(await got.first(1)), ["after"]);
    },

    "maxPendingBytes bounds what is kept; what was taken arrives whole (C-ADR40-15, P5)": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness, { maxPendingBytes: 5000 });
      const got = await inbox(nc, prefix);
      await down(server, events);
      let taken = 0;
      throws(() => {
        for (;;) nc.publish(prefix, new Uint8Array(100).fill(taken++));
      }, "OUTBOUND_FULL");
      taken--;
      ok(taken > 25 && taken < 50, `${taken} were taken`);
      await up(server, events);
      equal(
        (await got.first(taken)).map((msg) => [msg.data.length, msg.data[0]]),
        numbers(taken).map((n) => [100, Number(n)]),
      );
      await nc.flush();
      equal(got.all.length, taken);
    },

    "reconnect: false closes with the reason (C-ADR40-13)": async (harness) => {
      const { server, nc, events } = await one(harness, { reconnect: false });
      const sub = nc.subscribe(harness.prefix);
      const pending = rejects(nc.request(harness.prefix, "", { timeout: 60_000 }), [
        "CLOSED",
        "NO_RESPONDERS",
        "CONNECTION",
      ]);
      await server.stop();
      check(await within(nc.closed(), "it is still open"), "CONNECTION");
      await Promise.all([events.ended, pending, sub.closed]);
      equal(events.types.slice(-2), ["disconnect", "close"]);
    },

    "maxReconnectAttempts ends it, with the last real error (C-ADR40-13, trap 24)": async (harness) => {
      const { server, nc, events } = await one(harness, { maxReconnectAttempts: 3 });
      await server.stop();
      const error = await within(nc.closed(), "it goes on");
      check(error, ["CONNECTION_REFUSED", "CONNECTION"]);
      await events.ended;
      equal(events.of("reconnecting").length, 3);
      equal(events.of("close")[0]?.error, error);
    },

    "close while there is no connection ends at once and says what was not sent (trap 13, P3)": async (
      harness,
    ) => {
      const { server, nc, events } = await one(harness, {
        reconnectTimeWait: 60_000,
        maxReconnectTimeWait: 60_000,
      });
      await down(server, events);
      await events.until("reconnecting", 2);
      for (const n of numbers(5)) nc.publish(harness.prefix, n);
      const pending = rejects(nc.request(harness.prefix, "", { timeout: 60_000 }), "CLOSED");
      await within(nc.close(), "close waits");
      await Promise.all([pending, events.ended]);
      equal(events.of("close"), [{ type: "close", unsent: 6 }]);
      equal(nc.stats().droppedOutbound, 6);
      equal(await nc.closed(), undefined);
    },

    "drain while there is no connection waits for one when something is unsent (trap 14)": async (
      harness,
    ) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      await down(server, events);
      for (const n of numbers(5)) nc.publish(prefix, n);
      const drained = nc.drain();
      equal(nc.state, "draining");
      await server.start();
      const late = await harness.connect({ ...quick, servers: server.url });
      await within(drained, "it still drains");
      await events.ended;
      equal(events.of("close"), [{ type: "close", unsent: 0 }]);
      await late.flush();
    },

    "drain while there is no connection ends closed after its timeout, and says what was lost (trap 14)":
      async (harness) => {
        const { server, nc, events } = await one(harness);
        await down(server, events);
        for (const n of numbers(5)) nc.publish(harness.prefix, n);
        await rejects(nc.drain({ timeout: 50 }), "TIMEOUT");
        await events.ended;
        equal([nc.state, events.of("close")[0]?.unsent, nc.stats().droppedOutbound], ["closed", 5, 5]);
      },

    "drain while there is no connection and nothing unsent is done at once (trap 14)": async (harness) => {
      const { server, nc, events } = await one(harness);
      nc.subscribe(harness.prefix);
      await down(server, events);
      await within(nc.drain(), "it still drains");
      equal(nc.state, "closed");
    },

    "drain that loses its connection on the way still hands over and closes": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const open = gate();
      let done = 0;
      nc.subscribe(prefix, {
        callback: async () => {
          await open.promise;
          done++;
        },
      });
      for (const n of numbers(10)) nc.publish(prefix, n);
      await nc.flush();
      const drained = nc.drain();
      await down(server, events);
      open.open();
      await within(drained, "it still drains");
      equal([done, nc.state], [10, "closed"]);
    },

    "reconnect() drops the link and dials at once, also twice and meanwhile (C-ADR40-18, trap 35)": async (
      harness,
    ) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness, {
        reconnectTimeWait: 60_000,
        maxReconnectTimeWait: 60_000,
      });
      const got = await inbox(nc, prefix);
      const id = nc.info?.client_id;
      await nc.reconnect();
      await nc.reconnect();
      nc.publish(prefix, "buffered");
      await events.until("reconnect");
      await nc.flush();
      ok(nc.info?.client_id !== id, "it is the same link");
      equal(texts(await got.first(1)), ["buffered"]);
      await down(server, events);
      await events.until("reconnecting", 2);
      await server.start();
      await nc.reconnect();
      await events.until("reconnect", events.of("reconnect").length + 1);
      await nc.flush();
    },

    "iterators of requestMany go on over a reconnect": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const other = await harness.connect({ ...quick, servers: server.url });
      const others = new Events(other);
      const asked = await inbox(other, prefix);
      const replies = await nc.requestMany(prefix, "", {
        strategy: "count",
        maxMessages: 2,
        maxWait: 60_000,
      });
      const iterator = replies[Symbol.asyncIterator]();
      const [msg] = (await asked.first(1)) as [Msg];
      msg.respond("1");
      equal((await iterator.next()).value?.string(), "1");
      await Promise.all([down(server, events), others.until("disconnect")]);
      await up(server, events, others);
      await nc.flush();
      msg.respond("2");
      equal((await iterator.next()).value?.string(), "2");
      equal((await iterator.next()).done, true);
    },

    "it comes back as often as it takes": async (harness) => {
      const { prefix } = harness;
      const { server, nc, events } = await one(harness);
      const got = await inbox(nc, prefix);
      for (const n of numbers(3)) {
        await down(server, events);
        nc.publish(prefix, n);
        await up(server, events);
        await nc.flush();
      }
      equal(texts(await got.first(3)), numbers(3));
      equal(nc.stats().reconnects, 3);
    },

    "setServers says where to go next; the link stays (C-ADR40-5)": async (harness) => {
      const { server, nc, events } = await one(harness);
      const next = await harness.serve();
      const id = nc.info?.server_id;
      nc.setServers([next.url]);
      await nc.flush();
      equal(nc.info?.server_id, id);
      await server.stop();
      await events.until("reconnect");
      equal(nc.getServer(), next.url.replace(/^.*\/\//, ""));
      throws(() => nc.setServers([]), "INVALID_ARGUMENT");
      throws(() => nc.setServers(["http://x"]), "INVALID_ARGUMENT");
    },

    "reconnectDelayHandler and reconnectToServer decide, and may fail (C-ADR40-6, P1)": async (harness) => {
      const next = await harness.serve();
      const delays: number[] = [];
      const { server, nc, events } = await one(harness, {
        reconnectDelayHandler: (attempt) => {
          delays.push(attempt);
          if (attempt === 1) throw new Error("handler");
          return 1;
        },
        reconnectToServer: (pool, info) => {
          ok(info === null || info.version === harness.version);
          const other = pool.find(({ listen }) => next.url.endsWith(listen));
          return delays.length < 3 || other === undefined ? null : { server: other, delay: 1 };
        },
      });
      nc.setServers([server.url, next.url]);
      const address = next.url.replace(/^.*\/\//, "");
      // as long as the handler leaves the choice, both are gone
      await next.stop();
      await server.stop();
      await events.until("reconnecting", 5);
      await next.start();
      await events.until("reconnect");
      equal(nc.getServer(), address);
      equal(
        events.of("handlerError").every(({ source }) => source === "reconnectDelayHandler"),
        true,
      );
      ok(events.of("handlerError").length > 0);
    },
  },
};
