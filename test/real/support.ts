// Support: connections for the tests against real servers, closed at the end of the test.
import { type ConnectionOptions, connect, type NatsConnection } from "../../src/index.node.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";

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

/** What `condition` gives once it is neither false nor undefined; asks again each time the server has answered. */
export async function eventually<T>(
  condition: () => Promise<T | false | undefined>,
  what: string,
  ms = 5000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}, not within ${ms} ms`);
  }
}
