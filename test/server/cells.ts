// Cells: the behaviour suites on the embedded server, in process or over one of its listeners. Used by the test of each.
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type ConnectionOptions, connect } from "../../src/index.node.ts";
import { ConnectionError } from "../../src/errors.ts";
import type { ServerOptions } from "../../src/server/index.ts";
import { NatsServer } from "../../src/server/index.node.ts";
import type { Dialer } from "../../src/transport/transport.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { candidatePort, releasePorts } from "../fixtures/ports.ts";
import { certPath } from "../fixtures/real-server.ts";
import type { ServerWishes, SuiteServer } from "../suites/harness.ts";
import { casesOver } from "../suites/index.ts";
import { certificates } from "../suites/servers.ts";

/** Cases that the embedded server is not meant to pass, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "jetstream streams: sequences beyond 2^53 are exact (C-ADR1-4)":
    "sequences of the embedded server are numbers, which are exact up to 2^53",
};

type Cell = "memory" | "tcp" | "tls" | "ws";

const pems = certificates();

function optionsOf({
  maxPayload,
  maxConnections,
  maxSubscriptions,
  users,
  nkeys,
  token,
  jetstream,
}: ServerWishes): ServerOptions {
  return {
    ...(jetstream && { jetstream }),
    ...(maxPayload && { maxPayload }),
    ...(maxConnections && { maxConnections }),
    ...(maxSubscriptions && { maxSubscriptions }),
    ...(token && { token }),
    ...((users || nkeys) && {
      users: [
        ...(users ?? []).map(({ user, pass, publish, subscribe }) => ({
          user,
          password: pass,
          permissions: { ...(publish && { publish }), ...(subscribe && { subscribe }) },
        })),
        ...(nkeys ?? []).map((nkey) => ({ nkey })),
      ],
    }),
  };
}

/** What listens where, in a network that is this process alone. */
const network = new Map<number, NatsServer>();
let lastPort = 0;

const dial: Dialer = (target) => {
  const address = `${target.hostname}:${target.port}`;
  const server = network.get(target.port);
  if (server !== undefined) return server.dialer()(target);
  return Promise.reject(
    new ConnectionError(`nothing listens at ${address}`, { server: address }, "CONNECTION_REFUSED"),
  );
};

/** Start, stop and start again at the same address. */
async function serve(t: Scope, cell: Cell, wishes: ServerWishes = {}): Promise<SuiteServer> {
  const port = cell === "memory" ? ++lastPort : candidatePort();
  const name = wishes.wrongName ? "wronghost" : "server";
  const tls = {
    cert: readFileSync(certPath(`${name}.crt`), "utf8"),
    key: readFileSync(certPath(`${name}.key`), "utf8"),
    ...(wishes.tls === "verify" && { ca: pems.ca }),
    handshakeFirst: wishes.tls === "first",
    allowPlain: wishes.tls === "available",
  };
  const options: ServerOptions = {
    ...optionsOf(wishes),
    ...((cell === "tcp" || cell === "tls") && { port }),
    ...(cell === "tls" && { tls }),
    ...(cell === "ws" && { websocket: { port, ...(wishes.tls && { tls }) } }),
  };
  let server: NatsServer;
  const start = async (): Promise<void> => {
    server = await NatsServer.start(options);
    if (cell === "memory") network.set(port, server);
  };
  const stop = async (): Promise<void> => {
    network.delete(port);
    await server.stop();
  };
  await start();
  atEnd(t, async () => {
    await stop();
    if (cell !== "memory") releasePorts([port]);
  });
  const scheme = cell === "ws" ? (wishes.tls ? "wss" : "ws") : "nats";
  return { url: `${scheme}://127.0.0.1:${port}`, stop, start };
}

/** Every case of the suites, on a server of its own. */
export function suitesOn(cell: Cell): void {
  const all = casesOver(cell === "memory" ? "tcp" : cell);
  for (const [index, { name, needs, run }] of all.entries()) {
    const skip = LEFT_OUT[name];
    test(name, { ...(skip && { skip }) }, async (t) => {
      trackLeaks(t);
      const { url } = await serve(t, cell, needs.includes("jetstream") ? { jetstream: true } : {});
      await run({
        url,
        version: "2.15.1",
        prefix: `case${index + 1}`,
        certificates: pems,
        connect: async (options: ConnectionOptions = {}) => {
          const nc = await connect({
            servers: url,
            ...(cell === "memory" && { dialer: dial }),
            ...(cell === "tls" && { tls: { ca: pems.ca } }),
            ...options,
          });
          atEnd(t, () => nc.close());
          return nc;
        },
        serve: (wishes) => serve(t, cell, wishes),
      });
    });
  }
}
