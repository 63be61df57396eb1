// Starter for Node: runs every suite against real servers of one version, over one transport.
import { after, test } from "node:test";
import { type ConnectionOptions, connect, type NatsConnection } from "../../src/index.node.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { certPath, startServer, suiteOptions, suiteTransport } from "../fixtures/real-server.ts";
import type { Harness, ServerWishes, SuiteServer } from "./harness.ts";
import { suites } from "./index.ts";

const transport = suiteTransport();

/** The configuration for what a case wishes. */
function configOf(wishes: ServerWishes): Record<string, unknown> {
  const { maxPayload, maxConnections, maxSubscriptions, users } = wishes;
  return {
    ...(maxPayload && { max_payload: maxPayload }),
    ...(maxConnections && { max_connections: maxConnections }),
    ...(maxSubscriptions && { max_subscriptions: maxSubscriptions }),
    ...(users && {
      authorization: {
        users: users.map(({ user, pass, publish, subscribe }) => ({
          user,
          password: pass,
          permissions: { ...(publish && { publish }), ...(subscribe && { subscribe }) },
        })),
      },
    }),
  };
}

async function dial(t: Scope, options: ConnectionOptions): Promise<NatsConnection> {
  const tls = transport === "tls" ? { tls: { caFile: certPath("ca.crt") } } : {};
  const nc = await connect({ ...tls, ...options });
  atEnd(t, () => nc.close());
  return nc;
}

async function serve(t: Scope, wishes: ServerWishes = {}): Promise<SuiteServer> {
  const server = await startServer(t, suiteOptions({ config: configOf(wishes) }));
  return {
    url: server.urlFor(transport),
    stop: () => server.stop(),
    start: () => server.restart(),
  };
}

const shared = await startServer({ after }, suiteOptions());
let cases = 0;

for (const { name, cases: all } of suites) {
  for (const [title, run] of Object.entries(all)) {
    test(`${name}: ${title}`, async (t) => {
      trackLeaks(t);
      const url = shared.urlFor(transport);
      // after the connections of the case: the server has none left, so no subscription either
      atEnd(t, () => shared.waitForConnections(0));
      const harness: Harness = {
        url,
        version: shared.version,
        prefix: `case${++cases}`,
        connect: (options = {}) => dial(t, { servers: url, ...options }),
        serve: (wishes) => serve(t, wishes),
      };
      await run(harness);
    });
  }
}
