// Suite: drain: an end that loses nothing.
import type { Suite } from "./harness.ts";
import {
  check,
  equal,
  Events,
  gate,
  inbox,
  numbers,
  ok,
  PATIENT,
  rejects,
  texts,
  throws,
  within,
} from "./tools.ts";

export const drain: Suite = {
  name: "drain",
  cases: {
    "a drained subscription hands over all that the server had sent, then ends": async ({
      connect,
      prefix,
    }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const got: string[] = [];
      const sub = b.subscribe(prefix, { callback: (_, msg) => void got.push(msg.string()) });
      await b.flush();
      for (const n of numbers(1000)) a.publish(prefix, n);
      await a.flush();
      const drained = sub.drain();
      equal(sub.isDraining(), true);
      await drained;
      equal(got, numbers(1000));
      equal([sub.isClosed(), sub.isDraining(), sub.getPending()], [true, false, 0]);
      equal(await sub.closed, undefined);
      a.publish(prefix, "late");
      await a.flush();
      await b.flush();
      equal(got.length, 1000);
      await within(sub.drain(), "a second drain is not the first");
      equal(b.state, "connected");
    },

    "a drained iterator yields the rest, and the loop ends": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix);
      for (const n of numbers(100)) nc.publish(prefix, n);
      const got: string[] = [];
      let drained: Promise<void> | undefined;
      for await (const msg of sub) {
        got.push(msg.string());
        if (got.length === 10) drained = sub.drain();
      }
      await drained;
      equal(got, numbers(100));
    },

    "drain of a subscription waits for async callbacks": async ({ connect, prefix }) => {
      const nc = await connect();
      const open = gate();
      let done = 0;
      const sub = nc.subscribe(prefix, {
        callback: async () => {
          await open.promise;
          done++;
        },
      });
      for (let i = 0; i < 3; i++) nc.publish(prefix);
      await nc.flush();
      let over = false;
      const drained = sub.drain().then(() => {
        over = true;
      });
      await nc.flush();
      equal([done, over], [0, false]);
      open.open();
      await drained;
      equal(done, 3);
    },

    "drain of a subscription that has ended is refused": async ({ connect, prefix }) => {
      const nc = await connect();
      const sub = nc.subscribe(prefix);
      sub.unsubscribe();
      await rejects(sub.drain(), "INVALID_OPERATION");
      const other = nc.subscribe(prefix);
      await nc.close();
      await rejects(other.drain(), ["INVALID_OPERATION", "CLOSED"]);
    },

    "drain of the connection handles what arrived, answers it, and closes (C-ADR40-20)": async ({
      connect,
      prefix,
    }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const replies = await inbox(a, `${prefix}.reply`);
      const sub = b.subscribe(prefix, {
        callback: async (_, msg) => {
          await Promise.resolve();
          msg.respond(msg.data);
        },
      });
      await b.flush();
      for (const n of numbers(500)) a.publish(prefix, n, { reply: `${prefix}.reply` });
      await a.flush();
      const events = new Events(b);
      const drained = b.drain();
      equal([b.state, b.isDraining()], ["draining", true]);
      await drained;
      equal(texts(await replies.first(500)), numbers(500));
      equal([b.state, b.isDraining(), sub.isClosed()], ["closed", false, true]);
      equal(await b.closed(), undefined);
      await events.ended;
      equal(events.of("close"), [{ type: "close", unsent: 0 }]);
      equal(events.of("handlerError"), []);
    },

    "while it drains, publishing goes on and all that begins is refused": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const got = await inbox(b, prefix);
      const drained = a.drain();
      a.publish(prefix, "still");
      throws(() => a.subscribe(prefix), "DRAINING");
      await rejects(a.request(prefix), "DRAINING");
      await rejects(a.requestMany(prefix), "DRAINING");
      await rejects(a.drain(), "DRAINING");
      await rejects(a.reconnect(), "DRAINING");
      await drained;
      equal(texts(await got.first(1)), ["still"]);
      throws(() => a.publish(prefix), "CLOSED");
      await rejects(a.drain(), "CLOSED");
    },

    "messages published just before drain arrive": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const got = await inbox(b, prefix);
      for (const n of numbers(5000)) a.publish(prefix, n);
      await a.drain();
      equal(texts(await got.first(5000)), numbers(5000));
    },

    "drain may be called in a callback, and waited for there": async ({ connect, prefix }) => {
      const nc = await connect();
      const got: string[] = [];
      nc.subscribe(prefix, {
        callback: async (_, msg) => {
          got.push(msg.string());
          if (msg.string() === "0") await nc.drain();
        },
      });
      for (const n of numbers(20)) nc.publish(prefix, n);
      equal(await within(nc.closed(), "it still drains"), undefined);
      equal(got, numbers(20));
    },

    "drain ends closed after its timeout, whatever a callback does (P2)": async ({ connect, prefix }) => {
      const nc = await connect();
      nc.subscribe(prefix, { callback: () => new Promise(() => {}) });
      nc.publish(prefix);
      await nc.flush();
      const error = await rejects(nc.drain({ timeout: 50 }), "TIMEOUT");
      equal(nc.state, "closed");
      check(error, "TIMEOUT");
      await nc.closed();
    },

    "a signal ends drain, and the connection is closed": async ({ connect, prefix }) => {
      const nc = await connect();
      const controller = new AbortController();
      nc.subscribe(prefix, { callback: () => new Promise(() => {}) });
      nc.publish(prefix);
      await nc.flush();
      const drained = rejects(nc.drain({ signal: controller.signal }), "ABORTED");
      controller.abort("enough");
      equal((await drained).cause, "enough");
      ok(nc.isClosed());
    },

    "a request under way is answered while the connection drains, or fails typed": async ({
      connect,
      prefix,
    }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      b.subscribe(prefix, { callback: (_, msg) => void msg.respond("yes") });
      await b.flush();
      const outcome = a.request(prefix, "", PATIENT).then(
        (msg) => msg.string(),
        (error: unknown) => check(error, ["CLOSED", "DRAINING"]).code,
      );
      await a.drain();
      ok(["yes", "CLOSED", "DRAINING"].includes(await within(outcome, "the request is still pending")));
    },
  },
};
