// Peer host: what a connection needs of its server.
import type { Clock } from "../lib/clock.ts";
import type { Account } from "./account.ts";
import type { Identity } from "./logins.ts";
import type { ClosedState, Peer } from "./peer.ts";

/** Limits of a server, all decided. Times are milliseconds, sizes bytes. */
export interface Limits {
  readonly maxPayload: number;
  readonly maxControlLine: number;
  readonly maxConnections: number;
  /** of one connection; 0 for no limit */
  readonly maxSubscriptions: number;
  readonly maxPending: number;
  readonly writeDeadline: number;
  readonly loginTimeout: number;
  readonly pingInterval: number;
  readonly maxPingsOut: number;
}

export interface PeerHost {
  readonly limits: Limits;
  readonly clock: Clock;
  /** nobody gets in without credentials */
  readonly loginRequired: boolean;
  /** the JSON of INFO, with `more` for this connection */
  info(peer: Peer, more: object): string;
  /** who the options of the peer say it is; undefined when that is wrong */
  login(peer: Peer): Identity | undefined;
  isSystem(account: Account): boolean;
  /** call once all that has come in has been worked off */
  schedule(flush: () => void): void;
  /** it has logged in */
  arrived(peer: Peer): void;
  /** it is over, and closed when what was written to it is gone */
  forget(peer: Peer, state: ClosedState): void;
}
