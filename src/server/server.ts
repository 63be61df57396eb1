// Server: accounts and connections, and what happens to all of them at once. Listens on nothing by itself.
import type { Timer } from "../lib/clock.ts";
import { shuffle } from "../lib/random.ts";
import { Turns } from "../lib/turns.ts";
import type { ServerInfo } from "../protocol/ops.ts";
import { memoryPair } from "../transport/memory.ts";
import type { Dialer, Transport } from "../transport/transport.ts";
import { ConnectionError, NatsError } from "../errors.ts";
import { Account } from "./account.ts";
import { goJson, goTime } from "./go-text.ts";
import { curveKey, nonce, serverId } from "./identity-key.ts";
import { enableJetStream } from "./jetstream/enable.ts";
import type { JetStream } from "./jetstream/jetstream.ts";
import { memoryStorage } from "./jetstream/storage.ts";
import { lacking } from "./lacking.ts";
import { Logins } from "./logins.ts";
import type { Origin } from "./message.ts";
import {
  type ResolvedJetStreamOptions,
  type ResolvedServerOptions,
  resolveServerOptions,
  type ServerOptions,
} from "./options.ts";
import { type ClosedState, Peer } from "./peer.ts";
import type { PeerHost } from "./peer-host.ts";
import type { Extras, Listener, Runtime } from "./runtime.ts";
import { System } from "./system.ts";
import { API_LEVEL, VERSION } from "./version.ts";

const DEFAULT_ACCOUNT = "$G";
const SYSTEM_ACCOUNT = "$SYS";

/** What INFO says of the address of a connection. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  readonly clientIp: string;
  readonly tls?: {
    readonly tls_required?: boolean;
    readonly tls_verify?: boolean;
    readonly tls_available?: boolean;
  };
  /** Told why the connection is about to be closed. @internal */
  readonly ended?: (state: ClosedState) => void;
}

const IN_PROCESS: PeerAddress = { host: "127.0.0.1", port: 0, clientIp: "127.0.0.1" };

/** What a server may be told to do to its connections, for tests of what must survive. */
export interface Faults {
  /** break all connections at once, without a word */
  dropConnections(): void;
  /** read nothing and write nothing, as if the machine hung; what comes meanwhile is read after `resume()` */
  pause(): void;
  resume(): void;
  /** what connections of `dialer()` that are made from now on take for each way, in milliseconds */
  latency(ms: number): void;
  /** refuse the next `count` connections */
  refuseNext(count: number): void;
  /** tell all clients that the server will go, take no new ones, and close those that stay */
  lameDuck(): void;
  /** as a process that ends and is started again: connections break; JetStream's memory is kept */
  restart(): void;
}

export class Server {
  /** the name INFO gives */
  readonly name: string;
  readonly id: string = serverId();
  readonly #options: ResolvedServerOptions;
  readonly #runtime: Runtime;
  readonly #jetstreams: JetStream[] = [];
  readonly #xkey = curveKey();
  readonly #accounts = new Map<string, Account>();
  readonly #logins: Logins;
  readonly #peers = new Set<Peer>();
  readonly #system: System;
  readonly #host: PeerHost;
  readonly #addresses = new WeakMap<Peer, PeerAddress>();
  readonly #turns = new Turns();
  #flushes: (() => void)[] = [];
  #nextId = 5;
  #latency = 0;
  #refused = 0;
  #ducks: Timer[] = [];
  #listeners: readonly Listener[] = [];
  #state: "running" | "lame duck" | "stopped" = "running";

  /** @internal use `NatsServer.start()` */
  constructor(given: ServerOptions, runtime: Runtime) {
    const options = resolveServerOptions(given, this.id);
    const { clock } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.name = options.name;
    this.#system = new System(
      { name: this.name, host: IN_PROCESS.host, id: this.id, version: VERSION },
      options,
    );
    const nobody = this.#account(DEFAULT_ACCOUNT);
    const system = this.#account(SYSTEM_ACCOUNT);
    this.#logins = new Logins(nobody, given);
    for (const user of options.users) this.#logins.add(user, nobody);
    const wishes = new Map(Object.entries(options.accounts));
    for (const [name, { users = [], mappings }] of wishes) {
      const account = this.#account(name);
      if (mappings) account.mapped = this.#extras("mappings").mapping(mappings);
      for (const user of users) this.#logins.add(user, account);
    }
    if ([...wishes.values()].some(({ exports, imports }) => exports ?? imports)) {
      this.#extras("exports and imports").exchange(this.#accounts, wishes, clock);
    }
    this.#logins.check();
    if (options.jetstream !== undefined) this.#enable(options.jetstream);
    const witness = runtime.extras?.monitor(this.#system, system, {
      id: this.id,
      name: this.name,
      now: () => clock.now(),
      peers: () => this.#peers,
      accounts: () => this.#accounts.values(),
      clientOf: (peer) => this.#clientOf(peer),
      addressOf: (peer) => this.#addresses.get(peer) ?? IN_PROCESS,
    });
    this.#host = {
      limits: options,
      clock,
      loginRequired: this.#logins.announced,
      info: (peer, more) => this.#info(peer, more),
      login: (peer) => this.#logins.identify(peer.options, peer.nonce),
      isSystem: ({ name }) => name === SYSTEM_ACCOUNT,
      schedule: (flush) => this.#schedule(flush),
      arrived: (peer) => witness?.connected(peer),
      forget: (peer, state) => {
        this.#peers.delete(peer);
        witness?.disconnected(peer, state);
        this.#addresses.get(peer)?.ended?.(state);
      },
    };
  }

  // What needs them says so where there are none.
  #extras(what: string): Extras {
    const { extras } = this.#runtime;
    if (extras === undefined) throw new NatsError("UNSUPPORTED", lacking(what));
    return extras;
  }

  #enable({ storeDir, maxMemory, maxStorage, domain }: ResolvedJetStreamOptions): void {
    const { clock, accounts } = this.#options;
    const openBatches = { atomic: { open: 0 }, fast: { open: 0 } };
    for (const [name, account] of this.#accounts) {
      const enabled = name === DEFAULT_ACCOUNT || accounts[name]?.jetstream === true;
      const storage = enabled ? this.#runtime.keep(storeDir, name, clock) : memoryStorage;
      const clientOf = (origin: Origin): object | undefined =>
        origin instanceof Peer ? this.#clientOf(origin) : undefined;
      const around = {
        enabled,
        clock,
        serverName: this.name,
        domain,
        storage,
        openBatches,
        extras: this.#runtime.extras?.streams,
        maxMemory,
        maxStorage,
        clientOf,
      };
      try {
        this.#jetstreams.push(enableJetStream(account, around, name === SYSTEM_ACCOUNT));
      } catch (error) {
        // what there is of the others goes
        void Promise.allSettled([storage.close(), ...this.#jetstreams.map((js) => js.shutDown())]);
        throw error;
      }
    }
  }

  // What audits say of who called.
  #clientOf(origin: Peer): Record<string, unknown> {
    const { options, identity, opened, rtt, id } = origin;
    const { name, lang, version } = options;
    const text = { user: identity?.user ?? options.user, name, lang, ver: version };
    const said = Object.entries(text).filter(([, value]) => value);
    return {
      start: goTime(opened),
      host: (this.#addresses.get(origin) ?? IN_PROCESS).clientIp,
      id,
      acc: identity?.account.name ?? DEFAULT_ACCOUNT,
      ...Object.fromEntries(said),
      ...(rtt > 0 && { rtt }),
      server: this.name,
      kind: "Client",
      client_type: "nats",
    };
  }

  /** Begin to listen where the options say. @internal */
  async listen(options: ServerOptions): Promise<void> {
    try {
      this.#listeners = await this.#runtime.listen(this, options);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** the address for `connect()`, when it listens on TCP */
  get url(): string | undefined {
    return this.#listeners.find(({ scheme }) => scheme === "nats" || scheme === "tls")?.url;
  }

  /** the address for `connect()` over WebSocket, when it listens there */
  get websocketUrl(): string | undefined {
    return this.#listeners.find(({ scheme }) => scheme === "ws" || scheme === "wss")?.url;
  }

  #account(name: string): Account {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new Account(name);
      this.#accounts.set(name, account);
      this.#system.answerUserInfo(account);
    }
    return account;
  }

  /** what INFO says to everybody: the same for all, but for what concerns one connection */
  get info(): Omit<ServerInfo, "client_id"> {
    const { hostname, port } = new URL(this.url ?? "nats://127.0.0.1:0");
    return this.#describe({ host: hostname, port: Number(port) }, {}, {});
  }

  #info(peer: Peer, more: object): string {
    const address = this.#addresses.get(peer) ?? IN_PROCESS;
    const { nonce } = peer;
    const client = {
      client_id: peer.id,
      client_ip: address.clientIp,
      ...(nonce !== undefined && { nonce }),
    };
    return goJson(this.#describe(address, client, more));
  }

  #describe<C extends object>({ host, port, tls }: Omit<PeerAddress, "clientIp">, client: C, more: object) {
    return {
      server_id: this.id,
      server_name: this.name,
      version: VERSION,
      proto: 1,
      go: "isonats",
      host,
      port,
      headers: true,
      // who got in by default is told that others have to log in
      ...(this.#logins.required &&
        (this.#logins.announced || "connect_info" in more) && { auth_required: true }),
      ...tls,
      max_payload: this.#options.maxPayload,
      ...(this.#options.jetstream && { jetstream: true }),
      ...client,
      ...(this.#state === "lame duck" && { ldm: true }),
      ...more,
      api_lvl: API_LEVEL,
      xkey: this.#xkey,
    };
  }

  // All that one chunk of input causes is written in one go.
  #schedule(flush: () => void): void {
    if (this.#flushes.push(flush) > 1) return;
    this.#turns.soon(() => {
      const flushes = this.#flushes;
      this.#flushes = [];
      for (const one of flushes) one();
    });
  }

  /** how many are connected */
  get connections(): number {
    return this.#peers.size;
  }

  // Is the next connection to be refused? Those of `refuseNext` are counted.
  #refuses(): boolean {
    if (this.#refused > 0) {
      this.#refused--;
      return true;
    }
    return this.#state !== "running";
  }

  /** Serve a connection; `greeted` is called when INFO has been written to it. */
  accept(transport: Transport, address: PeerAddress = IN_PROCESS, greeted?: () => void): void {
    if (this.#refuses()) {
      transport.destroy();
      return;
    }
    const peer = new Peer(
      this.#host,
      transport,
      this.#nextId++,
      this.#logins.wantsNonce ? nonce() : undefined,
    );
    this.#addresses.set(peer, address);
    this.#peers.add(peer);
    peer.open();
    if (greeted !== undefined) {
      peer.flush();
      greeted();
    }
    if (this.#peers.size > this.#options.maxConnections) peer.refuse();
  }

  /** What `connect({ dialer })` takes to connect in process. */
  dialer(): Dialer {
    // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
    return async ({ hostname, port }) => {
      const server = `${hostname}:${port}`;
      if (this.#refuses()) {
        throw new ConnectionError(
          `connection refused: the embedded server ${this.name} takes none`,
          { server },
          "CONNECTION_REFUSED",
        );
      }
      const [here, there] = memoryPair({
        latency: this.#latency,
        highWaterMark: 1 << 20,
        setTimeout: (callback, ms) => this.#options.clock.after(ms, callback),
      });
      this.accept(there);
      return here;
    };
  }

  /** Close all connections. Nothing is served any more. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancelDucks();
    const closed = this.#listeners.map((listener) => listener.close());
    this.#listeners = [];
    // those who wait are told before their connections close
    await Promise.all(this.#jetstreams.map((js) => js.shutDown()));
    const gone = [...this.#peers].map((peer) => peer.close("Server Shutdown"));
    await Promise.all([...closed, ...gone]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #cancelDucks(): void {
    for (const timer of this.#ducks) timer.cancel();
    this.#ducks = [];
  }

  readonly faults: Faults = {
    dropConnections: () => {
      for (const peer of [...this.#peers]) peer.cut();
    },
    pause: () => {
      for (const peer of this.#peers) peer.pause();
    },
    resume: () => {
      for (const peer of this.#peers) peer.resume();
    },
    latency: (ms) => {
      this.#latency = ms;
    },
    refuseNext: (count) => {
      this.#refused = count;
    },
    lameDuck: () => this.#lameDuck(),
    restart: () => {
      this.#cancelDucks();
      this.faults.dropConnections();
      for (const js of this.#jetstreams) js.forgetRequests();
      this.#state = "running";
    },
  };

  #lameDuck(): void {
    const { clock, lameDuckGracePeriod, lameDuckDuration } = this.#options;
    this.#state = "lame duck";
    const peers = shuffle([...this.#peers]);
    for (const peer of peers) peer.lameDuck();
    this.#ducks = peers.map((peer, i) =>
      clock.after(lameDuckGracePeriod + (lameDuckDuration * i) / peers.length, () => {
        void peer.close("Server Shutdown");
      }),
    );
  }
}
