// Runtime: what a server has by where it runs. The entries hand it in, so that a page does not load what it has no use for.
import type { Clock } from "../lib/clock.ts";
import type { Scheme } from "../transport/transport.ts";
import type { Account } from "./account.ts";
import type { Storage } from "./jetstream/storage.ts";
import type { StreamExtras } from "./jetstream/stream-extras.ts";
import type { Mappings } from "./mapping.ts";
import type { Monitored } from "./monitor.ts";
import type { AccountOptions, ServerOptions } from "./options.ts";
import type { ClosedState, Peer } from "./peer.ts";
import type { Server } from "./server.ts";
import type { System } from "./system.ts";

/** Where a server listens. */
export interface Listener {
  readonly scheme: Scheme;
  /** the address for `connect()` */
  readonly url: string;
  /** take no more */
  close(): Promise<void>;
}

/** Is told of connections. */
export interface Witness {
  /** it has logged in */
  connected(peer: Peer): void;
  /** it is over */
  disconnected(peer: Peer, reason: ClosedState): void;
}

export interface Runtime {
  /** Makes the listeners that the options ask for. */
  listen(server: Server, options: ServerOptions): Promise<Listener[]>;
  /** Where an account keeps its streams: under a folder, or in memory where there is none. */
  keep(storeDir: string | undefined, account: string, clock: Clock): Storage;
  /** undefined in a page that was not given them */
  readonly extras: Extras | undefined;
}

/** The parts of a server that only some pages have a use for. */
export interface Extras {
  /** What `mappings` of an account do. @throws {NatsError} INVALID_ARGUMENT */
  mapping(mappings: Mappings): (subject: string) => string;
  /** What `exports` and `imports` of accounts do. @internal */
  exchange(
    accounts: ReadonlyMap<string, Account>,
    wishes: ReadonlyMap<string, AccountOptions>,
    clock: Clock,
  ): void;
  /** Watches over the server for its system account. Without it nobody answers there. @internal */
  monitor(system: System, account: Account, server: Monitored): Witness;
  /** @internal */
  readonly streams: StreamExtras;
}
