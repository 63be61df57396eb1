// Servers: real servers as the cases of the suites wish for them; used by the starters that run beside them.
import { readFileSync } from "node:fs";
import type { Scope } from "../fixtures/cleanup.ts";
import {
  certPath,
  type RealServer,
  type ServerOptions,
  startServer,
  suiteOptions,
  type TransportName,
} from "../fixtures/real-server.ts";
import type { Certificates, ServerWishes, SuiteServer } from "./harness.ts";

/** The certificates of the servers' fixtures, as texts: a runtime may not be allowed to read files. */
export function certificates(): Certificates {
  const text = (name: string): string => readFileSync(certPath(name), "utf8");
  return {
    ca: text("ca.crt"),
    otherCa: text("other-ca.crt"),
    cert: text("client.crt"),
    key: text("client.key"),
  };
}

/** The server that all cases of a run share. */
export function startShared(t: Scope, transport: TransportName): Promise<RealServer> {
  return startServer(t, suiteOptions({ jetstream: true }, transport));
}

/** A server for one case, gone at the end of the scope. */
export async function startWished(
  t: Scope,
  transport: TransportName,
  wishes: ServerWishes = {},
): Promise<SuiteServer> {
  const server = await startServer(t, suiteOptions(optionsOf(wishes, transport), transport));
  return {
    url: server.urlFor(transport),
    stop: () => server.stop(),
    start: () => server.restart(),
  };
}

function optionsOf(wishes: ServerWishes, transport: TransportName): ServerOptions {
  const { maxPayload, maxConnections, maxSubscriptions, jetstream, tls, wrongName } = wishes;
  const wrong = { cert_file: certPath("wronghost.crt"), key_file: certPath("wronghost.key") };
  return {
    ...(jetstream && { jetstream }),
    ...(tls && (transport === "ws" ? { websocket: { tls: true } } : { tls })),
    config: {
      ...(maxPayload && { max_payload: maxPayload }),
      ...(maxConnections && { max_connections: maxConnections }),
      ...(maxSubscriptions && { max_subscriptions: maxSubscriptions }),
      ...(wrongName && { tls: wrong }),
      ...authorizationOf(wishes),
    },
  };
}

function authorizationOf({ users, token, nkeys }: ServerWishes): Record<string, unknown> {
  if (token !== undefined) return { authorization: { token } };
  if (!users && !nkeys) return {};
  return {
    authorization: {
      users: [
        ...(users ?? []).map(({ user, pass, publish, subscribe }) => ({
          user,
          password: pass,
          permissions: { ...(publish && { publish }), ...(subscribe && { subscribe }) },
        })),
        ...(nkeys ?? []).map((nkey) => ({ nkey })),
      ],
    },
  };
}
