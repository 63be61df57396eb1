// Suite: requests with one reply, and with many (ADR-47).
import {
  createInbox,
  headers,
  type Msg,
  type NatsConnection,
  NoRespondersError,
  type QueuedIterator,
  RequestError,
  TimeoutError,
} from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { equal, gate, inbox, numbers, ok, PATIENT, rejects, texts, throws, within } from "./tools.ts";

/** Answer each request with what `answers` makes of it. */
async function answer(
  nc: NatsConnection,
  subject: string,
  answers: (msg: Msg) => void = (msg) => void msg.respond(msg.data),
): Promise<void> {
  nc.subscribe(subject, { callback: (error, msg) => (error === null ? answers(msg) : undefined) });
  await nc.flush();
}

export const requests: Suite = {
  name: "requests",
  cases: {
    "a request gets its reply, with headers both ways": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      await answer(b, prefix, (msg) => {
        const reply = headers();
        reply.set("asked", msg.headers?.get("ask") ?? "nothing");
        msg.respond(`re: ${msg.string()}`, { headers: reply });
      });
      const ask = headers();
      ask.set("ask", "me");
      const reply = await a.request(prefix, "hello", { ...PATIENT, headers: ask });
      equal([reply.string(), reply.headers?.get("asked")], ["re: hello", "me"]);
    },

    "a thousand requests at once get each their own reply (C-REQ-3)": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      await answer(b, prefix);
      const replies = await Promise.all(numbers(1000).map((n) => a.request(prefix, n, PATIENT)));
      equal(texts(replies), numbers(1000));
    },

    "replies may come in any order": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const held: Msg[] = [];
      await answer(b, prefix, (msg) => {
        held.push(msg);
        if (held.length === 10) for (const one of held.reverse()) one.respond(one.data);
      });
      const order: string[] = [];
      await Promise.all(
        numbers(10).map(async (n) => {
          const reply = await a.request(prefix, n, PATIENT);
          equal(reply.string(), n);
          order.push(n);
        }),
      );
      equal(order, numbers(10).reverse());
    },

    "nobody there is NO_RESPONDERS, at once (C-REQ-1, C-REQ-6)": async ({ connect, prefix }) => {
      const nc = await connect();
      for (const noMux of [false, true]) {
        const error = await rejects(nc.request(prefix, "x", { ...PATIENT, noMux }), "NO_RESPONDERS");
        ok(error instanceof RequestError);
        equal(error.isNoResponders(), true);
        equal(error.subject, prefix);
        ok(error.cause instanceof NoRespondersError);
      }
    },

    "nobody answering is TIMEOUT, and a late reply is dropped (C-REQ-4, C-REQ-6)": async ({
      connect,
      prefix,
    }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const held = gate<Msg>();
      await answer(b, prefix, held.open);
      for (const noMux of [false, true]) {
        const error = await rejects(a.request(prefix, "x", { timeout: 30, noMux }), "TIMEOUT");
        ok(error instanceof TimeoutError);
        equal([error.reason, error.subject], ["no reply", prefix]);
      }
      (await held.promise).respond("late");
      await b.flush();
      await a.flush();
      equal(a.state, "connected");
    },

    "a 503 with a payload is a reply like any other (trap 52)": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, (msg) => void msg.respond("busy", { headers: headers(503, "Busy") }));
      const reply = await nc.request(prefix, "", PATIENT);
      equal([reply.string(), reply.headers?.status], ["busy", "503 Busy"]);
    },

    "noMux uses a subscription of its own: payload, headers and reply subject arrive (trap 50)": async ({
      connect,
      prefix,
    }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const asked: Msg[] = [];
      await answer(b, prefix, (msg) => {
        asked.push(msg);
        msg.respond(msg.data);
      });
      const ask = headers();
      ask.set("x", "y");
      const reply = createInbox();
      equal((await a.request(prefix, "p", { ...PATIENT, noMux: true, headers: ask, reply })).string(), "p");
      equal([asked[0]?.reply, asked[0]?.headers?.get("x"), asked[0]?.string()], [reply, "y", "p"]);
      await rejects(a.request(prefix, "p", { reply }), "INVALID_ARGUMENT");
    },

    "a signal ends a request with its reason, before and while it runs": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, () => {});
      for (const noMux of [false, true]) {
        equal(
          (await rejects(nc.request(prefix, "", { signal: AbortSignal.abort("no"), noMux }), "ABORTED"))
            .cause,
          "no",
        );
        const controller = new AbortController();
        const pending = nc.request(prefix, "", { signal: controller.signal, timeout: 5000, noMux });
        await nc.flush();
        controller.abort("later");
        equal((await rejects(pending, "ABORTED")).cause, "later");
      }
    },

    "what is wrong with a request is a rejection, never a throw (trap 51)": async ({ connect, prefix }) => {
      const nc = await connect();
      await rejects(nc.request("a b"), "INVALID_SUBJECT");
      await rejects(nc.request(prefix, {} as never), "INVALID_ARGUMENT");
      await rejects(nc.request(prefix, "", { timeout: -1 }), "INVALID_ARGUMENT");
      await rejects(nc.requestMany("a b"), "INVALID_SUBJECT");
      await rejects(nc.requestMany(prefix, "", { strategy: "count" }), "INVALID_ARGUMENT");
      await rejects(nc.requestMany(prefix, "", { strategy: "x" as never }), "INVALID_ARGUMENT");
    },

    "a request may be made in a callback, also to oneself": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, `${prefix}.inner`, (msg) => void msg.respond(`inner ${msg.string()}`));
      nc.subscribe(`${prefix}.outer`, {
        callback: async (_, msg) => {
          const reply = await nc.request(`${prefix}.inner`, msg.data, PATIENT);
          msg.respond(`outer ${reply.string()}`);
        },
      });
      equal((await nc.request(`${prefix}.outer`, "x", PATIENT)).string(), "outer inner x");
    },

    "inboxPrefix is what replies go to": async ({ connect, prefix }) => {
      const nc = await connect({ inboxPrefix: `${prefix}.inbox` });
      const replies: (string | undefined)[] = [];
      await answer(nc, prefix, (msg) => {
        replies.push(msg.reply);
        msg.respond();
      });
      await nc.request(prefix, "", PATIENT);
      await nc.request(prefix, "", { ...PATIENT, noMux: true });
      const many = await nc.requestMany(prefix, "", { strategy: "count", maxMessages: 1, maxWait: 60_000 });
      for await (const _ of many);
      const own = [nc.createInbox(), nc.createInbox()];
      equal(new Set(own).size, 2);
      replies.push(...own);
      equal(replies.length, 5);
      for (const reply of replies) ok(reply?.startsWith(`${prefix}.inbox.`), `the reply subject is ${reply}`);
    },

    "close rejects what is pending with CLOSED (C-ADR40-19, trap 16, trap 53)": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      await answer(nc, prefix, () => {});
      const pending = [
        rejects(nc.request(prefix, "", { timeout: 60_000 }), "CLOSED"),
        rejects(nc.request(prefix, "", { timeout: 60_000, noMux: true }), "CLOSED"),
        rejects(all(await nc.requestMany(prefix, "", { maxWait: 60_000 })), "CLOSED"),
      ];
      await nc.flush();
      await nc.close();
      await within(Promise.all(pending), "a request is still pending");
    },
  },
};

async function all(replies: QueuedIterator<Msg>): Promise<string[]> {
  const got: string[] = [];
  for await (const msg of replies) got.push(msg.string());
  return got;
}

/** Answers `count` times, then with an empty message where `end` says so. */
function several(count: number, end = false): (msg: Msg) => void {
  return (msg) => {
    for (const n of numbers(count)) msg.respond(n);
    if (end) msg.respond();
  };
}

export const requestMany: Suite = {
  name: "requestMany",
  cases: {
    "timer takes all that comes in its time": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(5));
      const start = performance.now();
      const asked = [false, true].map(async (noMux) => {
        const replies = await nc.requestMany(prefix, "", { strategy: "timer", maxWait: 1000, noMux });
        equal(await all(replies), numbers(5));
        ok(performance.now() - start >= 995, "it ended early");
      });
      await Promise.all(asked);
    },

    "count ends with so many replies, without waiting": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(9));
      for (const noMux of [false, true]) {
        const replies = await nc.requestMany(prefix, "", {
          strategy: "count",
          maxMessages: 4,
          maxWait: 60_000,
          noMux,
        });
        equal(await all(replies), numbers(4));
        equal([replies.getReceived(), replies.getProcessed(), replies.getPending()], [4, 4, 0]);
      }
    },

    "maxMessages ends every strategy": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(9));
      for (const strategy of ["timer", "stall", "sentinel"] as const) {
        equal(
          await all(
            await nc.requestMany(prefix, "", { strategy, maxMessages: 3, maxWait: 60_000, stall: 50_000 }),
          ),
          numbers(3),
        );
      }
    },

    "count ends after maxWait when fewer come": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(2));
      equal(
        await all(await nc.requestMany(prefix, "", { strategy: "count", maxMessages: 3, maxWait: 1000 })),
        numbers(2),
      );
    },

    "stall ends when no further reply comes in time": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(3));
      const asked = [false, true].map(async (noMux) => {
        const options = { strategy: "stall", stall: 300, maxWait: 60_000, noMux } as const;
        const replies = await nc.requestMany(prefix, "", options);
        equal(await within(all(replies), "the stall does not end it"), numbers(3));
      });
      await Promise.all(asked);
    },

    "sentinel ends with an empty reply, which is yielded too": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(3, true));
      for (const noMux of [false, true]) {
        const replies = await nc.requestMany(prefix, "", { strategy: "sentinel", maxWait: 60_000, noMux });
        equal(await within(all(replies), "the sentinel does not end it"), [...numbers(3), ""]);
      }
    },

    "nobody there is thrown by the iteration, at once": async ({ connect, prefix }) => {
      const nc = await connect();
      for (const noMux of [false, true]) {
        const replies = await nc.requestMany(prefix, "", { maxWait: 60_000, noMux });
        await rejects(within(all(replies), "it waits"), "NO_RESPONDERS");
      }
    },

    "replies of several responders come together": async ({ connect, prefix }) => {
      const many = await Promise.all(numbers(5).map(() => connect()));
      await Promise.all(many.map((nc, i) => answer(nc, prefix, (msg) => void msg.respond(String(i)))));
      const replies = await (await connect()).requestMany(prefix, "", {
        strategy: "count",
        maxMessages: 5,
        maxWait: 60_000,
      });
      equal((await all(replies)).sort(), numbers(5));
    },

    "break and stop end it, an error given to stop is thrown": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(5));
      for (const noMux of [false, true]) {
        const left = await nc.requestMany(prefix, "", { maxWait: 60_000, noMux });
        for await (const msg of left) if (msg.string() === "1") break;
        const stopped = await nc.requestMany(prefix, "", { maxWait: 60_000, noMux });
        stopped.stop(new Error("mine"));
        let thrown: unknown;
        await all(stopped).catch((error: unknown) => {
          thrown = error;
        });
        equal((thrown as Error).message, "mine");
      }
    },

    "a signal ends it": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, () => {});
      for (const noMux of [false, true]) {
        await rejects(nc.requestMany(prefix, "", { signal: AbortSignal.abort("no"), noMux }), "ABORTED");
        const controller = new AbortController();
        const replies = await nc.requestMany(prefix, "", {
          signal: controller.signal,
          maxWait: 60_000,
          noMux,
        });
        const ended = rejects(all(replies), "ABORTED");
        controller.abort("later");
        equal((await ended).cause, "later");
      }
    },

    "replies are iterated once": async ({ connect, prefix }) => {
      const nc = await connect();
      await answer(nc, prefix, several(1));
      const replies = await nc.requestMany(prefix, "", {
        strategy: "count",
        maxMessages: 1,
        maxWait: 60_000,
      });
      equal(await all(replies), ["0"]);
      throws(() => replies[Symbol.asyncIterator](), "INVALID_OPERATION");
    },

    "a reply that comes after the end is nobody's": async ({ connect, prefix }) => {
      const nc = await connect();
      const asked = await inbox(nc, prefix);
      const replies = await nc.requestMany(prefix, "", { maxWait: 20 });
      equal(await all(replies), []);
      asked.all[0]?.respond("late");
      await nc.flush();
      equal(replies.getReceived(), 0);
    },
  },
};
