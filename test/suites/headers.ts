// Suite: headers on their way through a server.
import { createInbox, headers, Match } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { atLeast, equal, inbox, ok, throws } from "./tools.ts";

export const messageHeaders: Suite = {
  name: "headers",
  cases: {
    "names keep their case and values their order (C-ADR4-4, C-ADR4-6)": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      const sent = headers();
      sent.append("X-one", "1");
      sent.append("x-ONE", "other");
      sent.append("X-one", "2, and 3");
      sent.set("Empty", "");
      nc.publish(prefix, "payload", { headers: sent });
      const [msg] = await got.first(1);
      ok(msg?.headers);
      equal(msg.string(), "payload");
      equal(msg.headers.keys(), ["X-one", "x-ONE", "Empty"]);
      equal(msg.headers.values("X-one"), ["1", "2, and 3"]);
      equal(msg.headers.get("X-one"), "1");
      equal(msg.headers.last("X-one"), "2, and 3");
      equal(msg.headers.get("x-one"), "");
      equal(msg.headers.get("x-one", Match.IgnoreCase), "1");
      equal(msg.headers.has("Empty"), true);
      equal(msg.headers.code, 0);
      equal(sent.keys(), ["X-one", "x-ONE", "Empty"], "the caller's own object was changed");
    },

    "values may be any text of one line, in UTF-8 (C-ADR4-3, trap 47)": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      const sent = headers();
      sent.set("a", "grüße 日本 🎉");
      sent.set("b", 'colon: "quotes"\tand tab');
      nc.publish(prefix, undefined, { headers: sent });
      const [msg] = await got.first(1);
      equal(msg?.headers?.get("a"), "grüße 日本 🎉");
      equal(msg?.headers?.get("b"), 'colon: "quotes"\tand tab');
      equal(msg?.data.length, 0);
    },

    "malformed names and values are refused when they are set": async () => {
      const sent = headers();
      for (const name of ["", "a b", "a:b", "a\r\n", "ä"])
        throws(() => sent.set(name, "x"), "INVALID_HEADER");
      for (const value of ["a\r\nb", "a\nb"]) throws(() => sent.set("a", value), "INVALID_HEADER");
      equal(sent.keys(), []);
    },

    "messages with and without headers mix": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      const sent = headers();
      for (let i = 0; i < 100; i++) {
        sent.set("n", String(i));
        nc.publish(prefix, String(i), i % 2 === 0 ? {} : { headers: sent });
      }
      for (const [i, msg] of (await got.first(100)).entries()) {
        equal([msg.string(), msg.headers?.get("n")], [String(i), i % 2 === 0 ? undefined : String(i)]);
      }
    },

    "a large block and a large payload go through together": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      const sent = headers();
      for (let i = 0; i < 500; i++) sent.append(`name-${i}`, "v".repeat(100));
      const data = new Uint8Array(300_000).fill(3);
      nc.publish(prefix, data, { headers: sent });
      const [msg] = await got.first(1);
      equal(msg?.headers?.keys().length, 500);
      equal(msg?.headers?.get("name-499"), "v".repeat(100));
      equal(msg?.data.length, data.length);
    },

    "status lines go through like any other: code, description and further headers (C-ADR4-2, trap 46)":
      async ({ connect, prefix }) => {
        const nc = await connect();
        const got = await inbox(nc, prefix);
        const sent = headers(404, "No Messages here");
        sent.set("more", "x");
        nc.publish(prefix, undefined, { headers: sent });
        const [msg] = await got.first(1);
        equal(
          [msg?.headers?.code, msg?.headers?.description, msg?.headers?.status, msg?.headers?.hasError],
          [404, "No Messages here", "404 No Messages here", true],
        );
        equal(msg?.headers?.get("more"), "x");
      },

    "the message of no responders is a 503, with the subject since 2.12 (C-REQ-1)": async ({
      connect,
      prefix,
      version,
    }) => {
      const nc = await connect();
      const reply = createInbox();
      const got = await inbox(nc, reply);
      nc.publish(prefix, "x", { reply });
      const [msg] = await got.first(1);
      equal([msg?.headers?.code, msg?.data.length, msg?.subject], [503, 0, reply]);
      equal(msg?.headers?.get("Nats-Subject"), atLeast(version, "2.12") ? prefix : "");
    },
  },
};
