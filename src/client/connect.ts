// Connect: makes the connect function of an entry from the transports that the entry has.
import type { Scheme } from "../transport/transport.ts";
import type { Dialer } from "../transport/transport.ts";
import { version } from "../version.ts";
import type { NatsConnection } from "./connection.ts";
import { type ConnectionOptions, type Runtime, resolveOptions, type NetworkWatch } from "./options.ts";
import { Session } from "./session.ts";

/** Opens a connection to a NATS server or cluster. */
export type Connect = (options?: ConnectionOptions) => Promise<NatsConnection>;

/** What {@link createConnect} may be told. */
export interface CreateConnectOptions {
  /** what an address without a scheme means; default `nats` where there is a dialer for it, else `wss` */
  bare?: Scheme;
  /** read `nats://`, `tls://`, `http://` and `https://` as WebSocket. Default false. */
  translate?: boolean;
  /** server when none is given; default `127.0.0.1`, with the port of the scheme */
  defaultServer?: string;
  /** tells of the network. In a browser `connect` has one; give one where something else knows, such as the app's own events. */
  watch?: NetworkWatch;
}

/**
 * Make a `connect` of transports of one's own: one dialer for each scheme that shall work.
 *
 * @example
 * const connect = createConnect({ ws: myDialer, wss: myDialer });
 */
export function createConnect(
  dialers: Partial<Record<Scheme, Dialer>>,
  options: CreateConnectOptions = {},
): Connect {
  const runtime: Runtime = {
    dialers,
    bare: options.bare ?? (dialers.nats === undefined ? "wss" : "nats"),
    translate: options.translate ?? false,
    defaultServer: options.defaultServer ?? "127.0.0.1",
    lang: "isonats",
    version,
    watch: options.watch,
  };
  return async (given = {}) => {
    const session = new Session(resolveOptions(given, runtime));
    await session.open();
    return session;
  };
}
