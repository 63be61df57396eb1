// Harness: what a behaviour suite is made of, and what a starter gives it. Names no runtime: suites run in all of them.
//
//   suite = { name, needs?, cases: { "a fact": async (harness) => ... } }
//   starter: for each case a fresh Harness, then everything of the case is closed
//     node.test.ts      the sources, in the process of the test
//     test/runtimes     the built package, in any runtime
import type { ConnectionOptions, NatsConnection } from "../../src/names.ts";
import type { TransportName } from "../fixtures/real-server.ts";

/** What some suites need and some cells can't do; such a cell leaves the suite out and says so. */
export type Need =
  /** servers of a case's own, as wished */
  | "own-server"
  /** servers that stop and start again at the same address */
  | "restart"
  /** servers with JetStream; the shared one has it too */
  | "jetstream"
  /** a WebSocket that can be told which certificates to trust */
  | "trusting-websocket";

/** How a server of a case's own shall be. Plain data: it may have to travel to where servers are started. */
export interface ServerWishes {
  maxPayload?: number;
  maxConnections?: number;
  maxSubscriptions?: number;
  jetstream?: true;
  /** what it asks for; `required` where the transport is TLS. Over WebSocket any of them means `wss://`. */
  tls?: "required" | "available" | "first" | "verify";
  /** its certificate is for `example.test` alone; over TLS */
  wrongName?: true;
  /** the token that lets anybody in */
  token?: string;
  /** public nkeys of those who may log in */
  nkeys?: string[];
  /** who may log in; without it anybody may */
  users?: UserWish[];
}

/** A user, and what it may do; everything where nothing is said. */
export interface UserWish {
  user: string;
  pass: string;
  publish?: SubjectWish;
  subscribe?: SubjectWish;
}

export interface SubjectWish {
  allow?: string[];
  deny?: string[];
}

/** PEM texts. */
export interface Certificates {
  /** signed the certificates of the servers */
  readonly ca: string;
  /** signed none of them */
  readonly otherCa: string;
  /** a client's, for servers that verify them */
  readonly cert: string;
  readonly key: string;
}

/** A server that a case has for itself. */
export interface SuiteServer {
  readonly url: string;
  /** resolves when nobody listens at the address any more */
  stop(): Promise<void>;
  /** resolves when it takes connections again, at the same address */
  start(): Promise<void>;
}

/** What a case is given. */
export interface Harness {
  /** address of the server that all cases share */
  readonly url: string;
  /** full version of all servers, such as `2.15.1` */
  readonly version: string;
  /** names in subjects that no other case uses begin with it */
  readonly prefix: string;
  readonly certificates: Certificates;
  /** A connection to the shared server, unless the options name servers. Closed at the end of the case. */
  connect(options?: ConnectionOptions): Promise<NatsConnection>;
  /** A server of the case's own, gone at its end. */
  serve(wishes?: ServerWishes): Promise<SuiteServer>;
}

/** A case: passes by resolving. */
export type Case = (harness: Harness) => Promise<void>;

/** Cases that belong together; the titles are facts. */
export interface Suite {
  readonly name: string;
  readonly needs?: readonly Need[];
  /** the only transports that it is about; default: all */
  readonly over?: readonly TransportName[];
  readonly cases: Readonly<Record<string, Case>>;
}
