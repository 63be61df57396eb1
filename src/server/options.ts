// Options: what a server is started with, and the same with everything decided.
import { InvalidArgumentError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { ExportOptions, ImportOptions } from "./exchange.ts";
import type { UserOptions, VerifyNkey } from "./logins.ts";
import type { Mappings } from "./mapping.ts";
import type { Limits } from "./peer-host.ts";
import type { Extras } from "./runtime.ts";

/** An account: a subject space of its own, with its users. */
export interface AccountOptions {
  readonly users?: readonly UserOptions[];
  /** it has JetStream, where the server has. Default false. */
  readonly jetstream?: boolean;
  /** subjects that are given to what is published here, before anybody sees it */
  readonly mappings?: Mappings;
  /** what other accounts may have */
  readonly exports?: readonly ExportOptions[];
  /** what it has of other accounts */
  readonly imports?: readonly ImportOptions[];
}

/** JetStream of a server. Sizes are bytes. */
export interface JetStreamOptions {
  /** a folder for streams; it stays when the server ends, and they are there again when it starts. Not in a browser. Default: memory. */
  storeDir?: string;
  /** bytes that streams in memory may have in an account, and reserve by `max_bytes`; beyond, publishes are refused (10023). Default: no limit. */
  maxMemory?: number;
  /** the same of streams in files. Default: no limit. */
  maxStorage?: number;
  /** name of its domain: its API is found under `$JS.<domain>.API` too */
  domain?: string;
}

/** TLS of a listener. */
export interface ListenTlsOptions {
  /** PEM texts of the certificate and its key */
  cert: string;
  key: string;
  /** PEM text of the authority that signs the certificates of clients; they must have one then */
  ca?: string;
  /** TLS before INFO. Default false: INFO comes in clear, and then the handshake. Not for WebSocket, where TLS is always first. */
  handshakeFirst?: boolean;
  /** take clients without TLS too. Default false. TCP only. */
  allowPlain?: boolean;
}

/** Options of `NatsServer.start()`. Durations are milliseconds, sizes bytes. */
export interface ServerOptions {
  /** where it listens; default `127.0.0.1` */
  host?: string;
  /** TCP port; 0 for any free one. Without `port` and `websocket` it listens on nothing, and works in any runtime. */
  port?: number;
  /** TLS of the TCP port */
  tls?: ListenTlsOptions;
  /** a WebSocket port beside: `true` for any free one */
  websocket?: boolean | { host?: string; port?: number; tls?: ListenTlsOptions };
  /** streams, consumers, and what stands on them, for the default account and those accounts that want it. Default false. */
  jetstream?: boolean | JetStreamOptions;
  /** name of the server; default: its id */
  name?: string;
  /** who may log in, to the default account; default: anybody */
  users?: readonly UserOptions[];
  /** what everybody must know, in place of users */
  token?: string;
  /** the user that those are who give no credentials */
  noAuthUser?: string;
  /** verifies the logins of users with an `nkey`. Default: what it takes is there on Node, Bun and Deno; in a page there is none. */
  verifyNkey?: VerifyNkey;
  /** those of `isonats/server/extras`, for a page that wants what is in them. On Node, Bun and Deno they are there. */
  extras?: Extras;
  /** accounts by name; `$G` is the default one, of who is in no other, and `$SYS` the system account */
  accounts?: Readonly<Record<string, AccountOptions>>;
  /** bytes of headers and payload that one message may have. Default 1 MiB. */
  maxPayload?: number;
  /** bytes of the arguments of one operation. Default 4096. */
  maxControlLine?: number;
  /** default 65 536 */
  maxConnections?: number;
  /** subscriptions of one connection; default 0, no limit */
  maxSubscriptions?: number;
  /** bytes that may wait for a connection that reads slowly; beyond, it is cut. Default 64 MiB. */
  maxPending?: number;
  /** how long a write may wait for a connection that reads slowly. Default 10 000. */
  writeDeadline?: number;
  /** how long a login may take. Default 2000. */
  loginTimeout?: number;
  /** between pings of a silent connection. Default 120 000. */
  pingInterval?: number;
  /** unanswered pings after which a connection is given up. Default 2. */
  maxPingsOut?: number;
  /** how long lame duck mode waits before it closes the first connection. Default 10 000. */
  lameDuckGracePeriod?: number;
  /** over how long it closes them all. Default 120 000. */
  lameDuckDuration?: number;
  /** where the time comes from; a test may give one that it moves */
  clock?: Clock;
}

/** JetStream with everything decided. */
export interface ResolvedJetStreamOptions {
  readonly storeDir: string | undefined;
  readonly maxMemory: number;
  readonly maxStorage: number;
  readonly domain: string;
}

/** Options with everything decided. */
export interface ResolvedServerOptions extends Limits {
  readonly name: string;
  readonly users: readonly UserOptions[];
  readonly accounts: Readonly<Record<string, AccountOptions>>;
  readonly jetstream: ResolvedJetStreamOptions | undefined;
  readonly lameDuckGracePeriod: number;
  readonly lameDuckDuration: number;
  readonly clock: Clock;
}

/** Decide everything. @throws {NatsError} INVALID_ARGUMENT */
export function resolveServerOptions(options: ServerOptions, id: string): ResolvedServerOptions {
  const number = (
    name: keyof Limits | "lameDuckGracePeriod" | "lameDuckDuration",
    fallback: number,
    least = 1,
  ) => {
    const value = options[name] ?? fallback;
    check(value >= least, name, value, `a number of ${least} or more`);
    return value;
  };
  const maxPayload = number("maxPayload", 1 << 20);
  const maxPending = number("maxPending", 1 << 26);
  if (maxPending < maxPayload) {
    throw new InvalidArgumentError(
      `maxPending is ${maxPending}, less than one message may have (maxPayload ${maxPayload}): raise it`,
    );
  }
  return {
    name: options.name ?? id,
    users: options.users ?? [],
    accounts: options.accounts ?? {},
    jetstream: options.jetstream ? jetstreamOf(options.jetstream) : undefined,
    maxPayload,
    maxControlLine: number("maxControlLine", 4096),
    maxConnections: number("maxConnections", 65_536),
    maxSubscriptions: number("maxSubscriptions", 0, 0),
    maxPending,
    writeDeadline: number("writeDeadline", 10_000),
    loginTimeout: number("loginTimeout", 2000),
    pingInterval: number("pingInterval", 120_000),
    maxPingsOut: number("maxPingsOut", 2, 0),
    lameDuckGracePeriod: number("lameDuckGracePeriod", 10_000, 0),
    lameDuckDuration: number("lameDuckDuration", 120_000, 0),
    clock: options.clock ?? systemClock,
  };
}

function jetstreamOf(given: true | JetStreamOptions): ResolvedJetStreamOptions {
  const { storeDir, maxMemory = Infinity, maxStorage = Infinity, domain = "" } = given === true ? {} : given;
  check(maxMemory >= 0, "maxMemory", maxMemory, "a number of 0 or more");
  check(maxStorage >= 0, "maxStorage", maxStorage, "a number of 0 or more");
  check(!/[\s.*>]/.test(domain), "domain", domain, "one token of a subject");
  return { storeDir, maxMemory, maxStorage, domain };
}
