// Suite: the limits of a server: what is refused, and that the connection lives on.
import { headers } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { check, Events, equal, inbox, ok, rejects, texts, throws } from "./tools.ts";

export const limits: Suite = {
  name: "limits",
  needs: ["own-server"],
  cases: {
    "a message above max_payload is refused here, headers counted (C-LIM-1)": async ({
      connect,
      serve,
      prefix,
    }) => {
      const server = await serve({ maxPayload: 2048 });
      const nc = await connect({ servers: server.url });
      equal(nc.info?.max_payload, 2048);
      const events = new Events(nc);
      const got = await inbox(nc, prefix);
      const error = throws(() => nc.publish(prefix, new Uint8Array(2049)), "MAX_PAYLOAD");
      equal(error.subject, prefix);
      throws(() => nc.publish(prefix, "ü".repeat(1025)), "MAX_PAYLOAD");
      await rejects(nc.request(prefix, new Uint8Array(2049)), "MAX_PAYLOAD");
      await rejects(nc.requestMany(prefix, new Uint8Array(2049)), "MAX_PAYLOAD");
      const sent = headers();
      sent.set("a", "b");
      const block = sent.toString().length;
      throws(() => nc.publish(prefix, new Uint8Array(2049 - block), { headers: sent }), "MAX_PAYLOAD");
      nc.publish(prefix, new Uint8Array(2048));
      nc.publish(prefix, new Uint8Array(2048 - block), { headers: sent });
      equal(
        (await got.first(2)).map((msg) => msg.data.length),
        [2048, 2048 - block],
      );
      equal(events.types, []);
    },

    "a response above max_payload is refused like any publish, and reported (P1)": async ({
      connect,
      serve,
      prefix,
    }) => {
      const server = await serve({ maxPayload: 1024 });
      const nc = await connect({ servers: server.url });
      const events = new Events(nc);
      nc.subscribe(prefix, {
        callback: (_, msg) => {
          msg.respond(new Uint8Array(1025));
        },
      });
      await rejects(nc.request(prefix, "", { timeout: 50 }), "TIMEOUT");
      check((await events.until("handlerError")).error, "MAX_PAYLOAD");
      equal(nc.state, "connected");
    },

    "a subscription too many ends, the others and the connection go on (trap 19)": async ({
      connect,
      serve,
      prefix,
    }) => {
      const server = await serve({ maxSubscriptions: 3 });
      const nc = await connect({ servers: server.url });
      const events = new Events(nc);
      const got = [await inbox(nc, prefix), await inbox(nc, prefix), await inbox(nc, prefix)];
      const many = nc.subscribe(prefix);
      check(await many.closed, "MAX_SUBSCRIPTIONS");
      check((await events.until("error")).error, "MAX_SUBSCRIPTIONS");
      nc.publish(prefix, "x");
      for (const one of got) equal(texts(await one.first(1)), ["x"]);
      got[0]?.sub.unsubscribe();
      equal((await inbox(nc, prefix)).sub.isClosed(), false, "there is room for one again");
      equal(nc.state, "connected");
    },

    "a connection too many is refused with MAX_CONNECTIONS": async ({ connect, serve }) => {
      const server = await serve({ maxConnections: 1 });
      const nc = await connect({ servers: server.url });
      // before TLS the server says it in clear: that is read, unless the handshake has begun
      const inClear = server.url.startsWith("tls:");
      const error = await rejects(
        connect({ servers: server.url }),
        inClear ? ["MAX_CONNECTIONS", "TLS"] : "MAX_CONNECTIONS",
      );
      const text = error.code === "TLS" ? "does it take more connections" : "maximum connections exceeded";
      ok(error.message.toLowerCase().includes(text.toLowerCase()), error.message);
      await nc.flush();
    },
  },
};
