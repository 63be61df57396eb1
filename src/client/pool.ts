// Pool: the servers a connection knows, in their order, with what became of each. Used by client/connector.
import { ConnectionError, InvalidArgumentError, type NatsErrorCode } from "../errors.ts";
import { shuffle } from "../lib/random.ts";
import type { ServerInfo } from "../protocol/ops.ts";
import { type Address, familyOf, hostPort, parseAddress, redacted } from "./address.ts";
import type { Server } from "./connection.ts";
import type { ResolvedOptions } from "./options.ts";

/** One server of the pool, with what the connector writes down of it. */
export class PoolServer implements Server {
  readonly hostname: string;
  readonly port: number;
  readonly listen: string;
  readonly src: string;
  gossiped: boolean;
  tlsName = "";
  /** failed dials in a row */
  reconnects = 0;
  /** links in a row that broke soon after they were made; they count for the wait, not as failures */
  flaps = 0;
  /** refusals of the credentials in a row */
  authErrors = 0;
  lastConnect = 0;
  /** not to be dialled before this time, as of Date.now() */
  due = 0;
  didConnect = false;
  // not a field: nobody shall print the credentials
  readonly #address: Address;

  constructor(src: string, address: Address, gossiped: boolean) {
    this.#address = address;
    this.hostname = address.hostname;
    this.port = address.port;
    this.listen = hostPort(address.hostname, address.port);
    this.src = redacted(src);
    this.gossiped = gossiped;
  }

  /** Something befell the link to this server, or the dial: the text follows its address. */
  failure(text: string, code?: NatsErrorCode, cause?: unknown): ConnectionError {
    return new ConnectionError(`${this.listen} ${text}`, { server: this.listen, cause }, code);
  }

  get address(): Address {
    return this.#address;
  }

  /** what makes two entries the same server */
  get key(): string {
    const { scheme, path } = this.#address;
    return `${familyOf(scheme)}//${this.listen}${path}`;
  }
}

/** Ordered; the next server to dial is first, the one dialled last is last. */
export class Pool {
  /** in the order in which they will be dialled */
  servers: PoolServer[] = [];
  readonly #options: ResolvedOptions;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.set(options.servers);
  }

  /** Replace all by servers the user names; what is known of those that stay is kept. */
  set(list: readonly string[]): void {
    const { bare, translate } = this.#options.runtime;
    const known = new Map(this.servers.map((server) => [server.key, server]));
    const next = new Map<string, PoolServer>();
    for (const src of list) {
      const fresh = new PoolServer(src, parseAddress(src, bare, translate), false);
      const { user, token } = fresh.address;
      const old = user === undefined && token === undefined ? known.get(fresh.key) : undefined;
      const server = old ?? fresh;
      server.gossiped = false;
      if (!next.has(server.key)) next.set(server.key, server);
    }
    if (next.size === 0) throw new InvalidArgumentError("the list of servers is empty: name at least one");
    this.servers = [...next.values()];
    if (!this.#options.noRandomize) shuffle(this.servers);
  }

  /** The server is about to be dialled: it becomes the last. */
  rotate(server: PoolServer): void {
    if (!this.servers.includes(server)) return;
    this.servers = this.servers.filter((other) => other !== server);
    this.servers.push(server);
  }

  remove(server: PoolServer): void {
    this.servers = this.servers.filter((other) => other !== server);
  }

  /**
   * Merge what the cluster says (C-ADR40-3): adds new servers, drops gossiped ones it no longer names, never those the user gave nor
   * the current one. The new ones speak the transport of the current link, with the credentials of its address.
   */
  update(info: ServerInfo, current: PoolServer): { added: string[]; deleted: string[] } {
    const { scheme } = current.address;
    const family = familyOf(scheme);
    const said = new Map<string, PoolServer>();
    for (const url of info.connect_urls ?? []) {
      try {
        // who has a login at one server of a cluster has it at all of them
        const address = { ...current.address, ...parseAddress(url, scheme) };
        const server = new PoolServer(url, address, true);
        server.tlsName = tlsNameFor(address.hostname, current);
        said.set(server.key, server);
      } catch {
        // an address we can't read is one we can't dial
      }
    }
    const deleted: string[] = [];
    // no connect_urls at all says nothing about the cluster
    if (info.connect_urls !== undefined) {
      this.servers = this.servers.filter((server) => {
        const gone =
          server.gossiped &&
          server !== current &&
          familyOf(server.address.scheme) === family &&
          !said.has(server.key);
        if (gone) deleted.push(server.listen);
        return !gone;
      });
    }
    const fresh = [...said.values()].filter((server) => !this.servers.some((other) => same(other, server)));
    if (!this.#options.noRandomize) shuffle(fresh);
    // before the current one, which is last
    this.servers.splice(Math.max(0, this.servers.length - 1), 0, ...fresh);
    return { added: fresh.map((server) => server.listen), deleted };
  }
}

function same(a: PoolServer, b: PoolServer): boolean {
  return a.listen === b.listen && familyOf(a.address.scheme) === familyOf(b.address.scheme);
}

// C-TLS-5: an IP that the cluster told us of is verified against the name the user gave
function tlsNameFor(hostname: string, current: PoolServer): string {
  const isIp = (host: string): boolean => /:|^\d+(\.\d+){3}$/.test(host);
  const name = current.tlsName || current.hostname;
  return isIp(hostname) && !isIp(name) ? name : "";
}
