// Suites: TLS, upgraded after INFO and before it, over TCP; and under a WebSocket.
import type { ConnectionOptions, NatsConnection, TlsOptions } from "../../src/names.ts";
import type { Harness, Suite } from "./harness.ts";
import { atLeast, Events, equal, inbox, ok, rejects, texts } from "./tools.ts";

const MiB = 1 << 20;

/** Bytes of which no two pieces are alike, so that one that is lost, doubled or out of place shows. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = seed + 1; i < length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** Both directions at once, with messages of many TLS records, among small ones. */
async function exchange(nc: NatsConnection, subject: string): Promise<void> {
  const got = await inbox(nc, subject);
  const sent = [MiB, 1, 16_384, 16_385, 0, MiB - 1, 100].map(pattern);
  for (const bytes of sent) nc.publish(subject, bytes);
  const received = await got.first(sent.length, 20_000);
  for (const [index, bytes] of sent.entries()) {
    const { data } = received[index] as { data: Uint8Array };
    equal(data.length, bytes.length);
    ok(
      data.every((byte, at) => byte === bytes[at]),
      `message ${index} is not what was sent`,
    );
  }
}

function hostOf(url: string): string {
  return url.replace(/^.*\/\//, "");
}

export const tls: Suite = {
  name: "tls",
  needs: ["own-server"],
  over: ["tls"],
  cases: {
    "a server that requires TLS gets it, by either scheme, by name and by address (C-TLS-9)": async ({
      connect,
      url,
    }) => {
      const host = hostOf(url);
      const port = host.slice(host.lastIndexOf(":"));
      for (const servers of [`tls://${host}`, `nats://${host}`, `nats://localhost${port}`, host]) {
        const nc = await connect({ servers });
        equal(nc.info?.tls_required, true);
        await nc.flush();
      }
    },

    "upgraded after INFO, large and small messages arrive whole, also after a reconnect": async ({
      connect,
      prefix,
    }) => {
      const nc = await connect();
      await exchange(nc, `${prefix}.a`);
      const events = new Events(nc);
      await nc.reconnect();
      await events.until("reconnect");
      await exchange(nc, `${prefix}.b`);
    },

    "many connections upgrade at once": async ({ connect, prefix }) => {
      const all = await Promise.all(Array.from({ length: 20 }, () => connect()));
      const boxes = await Promise.all(all.map((nc) => inbox(nc, prefix)));
      all[0]?.publish(prefix, "to all");
      for (const box of boxes) equal(texts(await box.first(1)), ["to all"]);
    },

    "TLS before INFO: large and small messages arrive whole, also after a reconnect (C-TLS-3)": async (
      harness,
    ) => {
      const { connect, serve, prefix, certificates, version } = harness;
      if (!atLeast(version, "2.10")) return;
      const { url } = await serve({ tls: "first" });
      const nc = await connect({ servers: url, tls: { ca: certificates.ca, handshakeFirst: true } });
      await exchange(nc, `${prefix}.a`);
      const events = new Events(nc);
      await nc.reconnect();
      await events.until("reconnect");
      await exchange(nc, `${prefix}.b`);
    },

    "who waits for INFO where TLS comes first runs into its timeout": async (harness) => {
      const { connect, serve, version } = harness;
      if (!atLeast(version, "2.10")) return;
      const { url } = await serve({ tls: "first" });
      await rejects(connect({ servers: url, timeout: 200 }), "TIMEOUT");
    },

    "TLS first to a server that is not set so says what to leave out": async (harness) => {
      const error = await rejects(withTls(harness, { handshakeFirst: true }), "TLS");
      ok(error.message.includes("leave out tls.handshakeFirst"), error.message);
    },

    "a certificate of a stranger is refused, with the cure (C-TLS-7)": async (harness) => {
      const error = await rejects(withTls(harness, { ca: harness.certificates.otherCa }), "TLS");
      equal(error.server, hostOf(harness.url));
      ok(error.message.includes("tls.ca"), error.message);
    },

    "a certificate for another name is refused, with the cure, unless servername is that (C-TLS-4)": async (
      harness,
    ) => {
      const { url } = await harness.serve({ wrongName: true });
      const error = await rejects(withTls(harness, {}, { servers: url }), "TLS");
      ok(error.message.includes("tls.servername"), error.message);
      await withTls(harness, { servername: "example.test" }, { servers: url });
    },

    "a handshake that fails is that server's failure: the next one is tried (C-TLS-7)": async ({
      connect,
      serve,
      url,
    }) => {
      const wrong = await serve({ wrongName: true });
      const nc = await connect({ servers: [wrong.url, url], noRandomize: true });
      equal(nc.getServer(), hostOf(url));
    },

    "mutual TLS: with certificate and key; without them the error says what is missing (C-TLS-6, C-TLS-8)":
      async (harness) => {
        const { cert, key } = harness.certificates;
        const { url } = await harness.serve({ tls: "verify" });
        const nc = await withTls(harness, { cert, key }, { servers: url });
        equal(nc.info?.tls_verify, true);
        const error = await rejects(withTls(harness, {}, { servers: url }), ["TLS", "CONNECTION"]);
        ok(error.message.includes("set tls.cert"), error.message);
      },

    "a server that offers TLS gets it, unless tls is null (trap 29)": async ({ connect, serve }) => {
      const { url } = await serve({ tls: "available" });
      const servers = `nats://${hostOf(url)}`;
      await connect({ servers });
      await connect({ servers, tls: null });
      // it is offered, so the certificate counts
      await rejects(connect({ servers, tls: {} }), "TLS");
    },

    "TLS that is refused by the option ends the dial (C-TLS-2)": async ({ connect, url }) => {
      const error = await rejects(connect({ servers: `nats://${hostOf(url)}`, tls: null }), "TLS");
      ok(error.message.includes("requires TLS"), error.message);
    },
  },
};

/** A connection to the shared server that trusts the authority, unless the options say otherwise. */
function withTls(
  { connect, certificates }: Harness,
  options: TlsOptions,
  rest: ConnectionOptions = {},
): Promise<NatsConnection> {
  return connect({ ...rest, tls: { ca: certificates.ca, ...options } });
}

/** TLS under a WebSocket, as far as the runtime's WebSocket can be told whom to trust. */
export const secureWebSocket: Suite = {
  name: "secure websocket",
  needs: ["own-server", "trusting-websocket"],
  over: ["ws"],
  cases: {
    "large and small messages arrive whole, also after a reconnect (C-WS-2)": async (harness) => {
      const { url } = await harness.serve({ tls: "required" });
      ok(url.startsWith("wss://"));
      const nc = await withTls(harness, {}, { servers: url });
      await exchange(nc, "a");
      const events = new Events(nc);
      await nc.reconnect();
      await events.until("reconnect");
      await exchange(nc, "b");
    },

    "a certificate of a stranger is refused (C-WS-2)": async (harness) => {
      const { url } = await harness.serve({ tls: "required" });
      const error = await rejects(
        withTls(harness, { ca: harness.certificates.otherCa }, { servers: url }),
        "TLS",
      );
      equal(error.server, hostOf(url));
    },
  },
};
