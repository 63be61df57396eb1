// Options: what connect() takes, and the same with everything decided. Nothing below asks for a default again.
import { type Authenticator, buildAuthenticator } from "../auth/authenticator.ts";
import { InvalidArgumentError } from "../errors.ts";
import { check, checkChoice } from "../lib/check.ts";
import { validateInboxPrefix } from "../protocol/subject.ts";
import type { AuthFields } from "../protocol/ops.ts";
import type { WebSocketFactory } from "../transport/websocket-factory.ts";
import type { TlsOptions } from "../transport/tls.ts";
import type { Dialer, Scheme } from "../transport/transport.ts";
import type { ReconnectToServerHandler, Server } from "./connection.ts";

/** Options of `connect()`. Durations are milliseconds. */
export interface ConnectionOptions {
  /**
   * addresses of servers, `[scheme://][user:pass@|token@]host[:port]`, as an array or separated by commas. The scheme picks the transport:
   * `nats://` (TCP, TLS when the server offers it), `tls://` (TCP, TLS required), `ws://`, `wss://`; one list may mix them.
   * Default `127.0.0.1:4222`.
   */
  servers?: string | string[];
  /** short for `servers: "127.0.0.1:<port>"` */
  port?: number;
  /** gives the credentials, at every dial; it may be async. Several are merged. */
  authenticator?: Authenticator | Authenticator[];
  /** user name; credentials in a server's address win over it */
  user?: string;
  /** password of `user` */
  pass?: string;
  /** token */
  token?: string;
  /** name of the connection, for the server's monitoring */
  name?: string;
  /** milliseconds that one dial may take, with its TLS and its handshake. Default 20 000. */
  timeout?: number;
  /** ends the first connection attempt, and with `waitOnFirstConnect` the waiting for it */
  signal?: AbortSignal;
  /** an object requires TLS; null refuses it; left out, TLS is used when the server requires or offers it */
  tls?: TlsOptions | null;
  /** replaces the transports that the runtime has */
  dialer?: Dialer;
  /** headers of the WebSocket handshake; Node, Bun and Deno */
  wsHeaders?: Record<string, string>;
  /** makes the WebSocket of a dial, in place of the runtime's own: for proxies, compression, tests */
  wsFactory?: WebSocketFactory;
  /** milliseconds between pings of the server. Default 120 000. */
  pingInterval?: number;
  /** unanswered pings after which the link is given up. Default 2. */
  maxPingOut?: number;
  /** reconnect when the link is lost. Default true; false closes the connection then. */
  reconnect?: boolean;
  /** failed attempts in a row after which a server is given up; -1, the default, is never */
  maxReconnectAttempts?: number;
  /** milliseconds before the second attempt in a row to one server; the wait doubles, with full jitter. Default 250. */
  reconnectTimeWait?: number;
  /** the longest wait between attempts to one server. Default 8000. */
  maxReconnectTimeWait?: number;
  /** milliseconds of random extra wait. Default 100. */
  reconnectJitter?: number;
  /** the same where TLS is asked for. Default 1000. */
  reconnectJitterTLS?: number;
  /** gives the milliseconds to wait before an attempt, in place of the above */
  reconnectDelayHandler?: (attempt: number, server: Server) => number;
  /** chooses the server of each dial */
  reconnectToServer?: ReconnectToServerHandler;
  /** go on trying when the first connection fails. Default false: each server is tried once. */
  waitOnFirstConnect?: boolean;
  /** go on after the same server refused the credentials twice in a row. Default false: the connection closes then. */
  ignoreAuthErrorAbort?: boolean;
  /** keep the order of the servers and of their addresses. Default false: shuffled. */
  noRandomize?: boolean;
  /** don't learn servers from the cluster. Default false. */
  ignoreClusterUpdates?: boolean;
  /** the server sends nothing back that this connection published. Default false. */
  noEcho?: boolean;
  /** the server checks published subjects. Default false. */
  pedantic?: boolean;
  /** the server acknowledges every operation; costs time, gives nothing. Default false. */
  verbose?: boolean;
  /** first tokens of the reply subjects. Default `_INBOX`. */
  inboxPrefix?: string;
  /** what `publish` does while there is no connection: keep (default), throw code `DISCONNECTED`, or drop and count */
  whenDisconnected?: "buffer" | "throw" | "drop";
  /** bytes kept while there is no connection; beyond, `publish` throws code `OUTBOUND_FULL`. Default 8 MiB. */
  maxPendingBytes?: number;
  /** bytes that may wait for the socket while there is a connection; beyond, `publish` throws `OUTBOUND_FULL`. Default 512 MiB. */
  maxOutboundBytes?: number;
  /** leave the stacks of the errors of requests as they are, without the functions that await them. Default false. */
  noAsyncTraces?: boolean;
}

/** What only the entry that created `connect` knows. */
export interface Runtime {
  /** how to dial each scheme */
  readonly dialers: Partial<Record<Scheme, Dialer>>;
  /** what an address without a scheme means */
  readonly bare: Scheme;
  /** read `nats://` and `http://` as WebSocket */
  readonly translate: boolean;
  /** server when none is given */
  readonly defaultServer: string;
  /** the CONNECT fields `lang` and `version` */
  readonly lang: string;
  readonly version: string;
  /** tells of the network, from `connect()` to the end of the connection */
  readonly watch?: NetworkWatch | undefined;
}

/**
 * What may befall the network under a connection:
 *
 * - `lost`: there may be none any more. The link is asked for a sign of life, and dropped when none comes in 5 seconds.
 * - `back`: there may be one again, or another one, also after a sleep. As with `lost`; what waits to be dialled is dialled now,
 *   and a dial that began before begins anew.
 * - `shown`: somebody looks. What waits to be dialled is dialled now.
 */
export type NetworkEvent = "lost" | "back" | "shown";

/** Begins to call `tell`; the function it returns ends that. */
export type NetworkWatch = (tell: (event: NetworkEvent) => void) => () => void;

/** The options that are numbers: what they are when left out, and the least they may be. */
const NUMBERS = {
  timeout: [20000, 1],
  pingInterval: [120000, 1],
  maxPingOut: [2, 1],
  maxReconnectAttempts: [-1, -1],
  reconnectTimeWait: [250, 0],
  maxReconnectTimeWait: [8000, 0],
  reconnectJitter: [100, 0],
  reconnectJitterTLS: [1000, 0],
  maxPendingBytes: [8388608, 0],
  maxOutboundBytes: [536870912, 1],
} as const;

/** Others that mean something when left out; all further switches are off then. */
const DEFAULTS = {
  reconnect: true,
  noRandomize: false,
  pedantic: false,
  verbose: false,
  inboxPrefix: "_INBOX",
  whenDisconnected: "buffer",
} as const;

type Defaults = keyof typeof NUMBERS | keyof typeof DEFAULTS;

/** Options with everything decided: those without a default may be undefined. */
export type ResolvedOptions = Readonly<
  Omit<ConnectionOptions, Defaults | "servers"> & Required<Pick<ConnectionOptions, Defaults>>
> & {
  readonly servers: string[];
  readonly authenticate: (nonce?: string) => Promise<AuthFields>;
  /** the user gave an authenticator: an expired login is worth another try */
  readonly renewable: boolean;
  readonly runtime: Runtime;
};

/** @throws {NatsError} INVALID_ARGUMENT, INVALID_SUBJECT */
export function resolveOptions(given: ConnectionOptions, runtime: Runtime): ResolvedOptions {
  const options = given ?? {};
  const { authenticator, tls, dialer } = options;
  const resolved: Record<string, unknown> = { ...DEFAULTS };
  // those that are inherited too
  for (const name in options) resolved[name] = options[name as keyof ConnectionOptions] ?? resolved[name];
  for (const [name, [fallback, least]] of Object.entries(NUMBERS)) {
    const value = options[name as keyof typeof NUMBERS] ?? fallback;
    check(typeof value === "number" && value >= least, name, value, `a number of ${least} or more`);
    resolved[name] = value;
  }
  const all: ResolvedOptions = {
    ...(resolved as ResolvedOptions),
    // null is not left out
    ...(tls === null && { tls }),
    servers: serverList(options, runtime),
    authenticate: buildAuthenticator(options),
    renewable: authenticator !== undefined,
    runtime: dialer
      ? { ...runtime, dialers: { nats: dialer, tls: dialer, ws: dialer, wss: dialer } }
      : runtime,
  };
  checkChoice("whenDisconnected", all.whenDisconnected, "buffer, throw or drop");
  validateInboxPrefix(all.inboxPrefix);
  return all;
}

function serverList({ servers, port }: ConnectionOptions, { defaultServer }: Runtime): string[] {
  if (port !== undefined) {
    if (servers !== undefined) {
      throw InvalidArgumentError.format(["servers", "port"], "exclude each other: give one of them");
    }
    const fits = Number.isInteger(port) && port > 0 && port < 65536;
    check(fits, "port", port, "a whole number from 1 to 65535");
    return [`127.0.0.1:${port}`];
  }
  const list = [servers ?? []]
    .flat()
    .flatMap((entry) => String(entry).split(","))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return list.length === 0 ? [defaultServer] : list;
}
