// Support: connections for the tests against real servers, closed at the end of the test.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type NatsConnection } from "../../src/index.node.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { candidatePort, releasePorts } from "../fixtures/ports.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";

/** Reconnects as quickly as a test wants it. */
export const quick: ConnectionOptions = {
  reconnectTimeWait: 10,
  maxReconnectTimeWait: 50,
  reconnectJitter: 0,
  reconnectJitterTLS: 0,
};

/** A connection that is closed at the end of the test. */
export async function dial(t: Scope, options: ConnectionOptions): Promise<NatsConnection> {
  const nc = await connect({ ...quick, ...options });
  atEnd(t, () => nc.close());
  return nc;
}

/** A server of the domain `leaf`, behind which is one of the domain `hub`; each keeps its streams in files of its own. */
export async function startLeaf(t: Scope): Promise<RealServer> {
  const store = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-store-"));
  atEnd(t, () => rm(store, { recursive: true, force: true }));
  const port = candidatePort();
  atEnd(t, () => releasePorts([port]));
  await startServer(t, {
    name: "hub",
    config: `jetstream { domain: hub, store_dir: "${join(store, "hub")}" }
      leafnodes { host: "127.0.0.1", port: ${port} }`,
  });
  return startServer(t, {
    name: "leaf",
    config: `jetstream { domain: leaf, store_dir: "${join(store, "leaf")}" }
      leafnodes { reconnect: 1, remotes: [{ url: "nats://127.0.0.1:${port}" }] }`,
  });
}

/** What `condition` gives once it is neither false nor undefined; asks again a moment after each answer. */
export async function eventually<T>(
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  what: string | (() => string),
  ms = 60_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > deadline)
      throw new Error(`${typeof what === "string" ? what : what()}, not within ${ms} ms`);
    await moment();
  }
}

/** For those who ask again: servers on a busy machine get nothing done while they do nothing but answer. */
export const moment = (ms = 10): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
