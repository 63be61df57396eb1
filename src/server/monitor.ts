// Monitor: what the system account is told of connections, and what it may ask and do. A part of what nats-server has.
//
//   $SYS.ACCOUNT.<account>.CONNECT, .DISCONNECT, .SERVER.CONNS      told
//   $SYS.REQ.SERVER.PING[.STATSZ|IDZ|CONNZ|HEALTHZ]                 asked, also of $SYS.REQ.SERVER.<id>
//   $SYS.REQ.SERVER.<id>.KICK, .LDM {"cid": 5}                      done
import { utf8Decoder } from "../lib/bytes.ts";
import { nuid } from "../lib/nuid.ts";
import type { Account } from "./account.ts";
import { goDurationText, goJson, goTime } from "./go-text.ts";
import { internal } from "./internal.ts";
import { Message } from "./message.ts";
import { type ClosedState, Peer, type Traffic } from "./peer.ts";
import type { Witness } from "./runtime.ts";
import type { System } from "./system.ts";

/** The server, as its monitor sees it. */
export interface Monitored {
  readonly id: string;
  readonly name: string;
  readonly now: () => number;
  readonly peers: () => Iterable<Peer>;
  readonly accounts: () => Iterable<Account>;
  /** who a connection is, for events */
  readonly clientOf: (peer: Peer) => Record<string, unknown>;
  readonly addressOf: (peer: Peer) => { clientIp: string };
}

type Answer = (asker: Account, body: string) => object | undefined;

const ADVISORY = "io.nats.server.advisory.v1";
const PAGE = 1024;

export class Monitor implements Witness {
  readonly #system: System;
  readonly #account: Account;
  readonly #server: Monitored;
  readonly #started: number;
  #total = 0;
  readonly #gone: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };

  /** `account` is the system account */
  constructor(system: System, account: Account, server: Monitored) {
    this.#system = system;
    this.#account = account;
    this.#server = server;
    this.#started = server.now();
    const kinds: Record<string, Answer> = {
      STATSZ: () => this.#wrapped("statsz", this.#stats()),
      IDZ: () => ({ name: server.name, host: "127.0.0.1", id: server.id }),
      CONNZ: () =>
        this.#wrapped(
          "data",
          this.#connections(() => true),
        ),
      HEALTHZ: () => this.#wrapped("data", { status: "ok", status_code: 200 }),
    };
    for (const [kind, answer] of Object.entries(kinds)) {
      this.#answer(account, `$SYS.REQ.SERVER.PING.${kind}`, answer);
      this.#answer(account, `$SYS.REQ.SERVER.${server.id}.${kind}`, answer);
    }
    this.#answer(account, "$SYS.REQ.SERVER.PING", () => this.#wrapped("statsz", this.#stats()));
    this.#answer(account, `$SYS.REQ.SERVER.${server.id}.KICK`, (_, body) =>
      this.#with(body, (peer) => void peer.close("Kicked")),
    );
    this.#answer(account, `$SYS.REQ.SERVER.${server.id}.LDM`, (_, body) =>
      this.#with(body, (peer) => peer.lameDuck()),
    );
    for (const one of server.accounts()) {
      this.#answer(one, "$SYS.REQ.ACCOUNT.PING.CONNZ", (asker) =>
        this.#wrapped(
          "data",
          this.#connections((peer) => peer.account === asker),
        ),
      );
      this.#answer(one, "$SYS.REQ.ACCOUNT.PING.STATZ", (asker) =>
        this.#wrapped("data", {
          server_id: server.id,
          now: goTime(server.now()),
          account_statz: [this.#accountStats(asker)],
        }),
      );
    }
  }

  /** Somebody has logged in. */
  connected(peer: Peer): void {
    this.#total++;
    const { account } = peer;
    if (account === undefined || account === this.#account) return;
    this.#counted(account);
    this.#advise("client_connect", [`$SYS.ACCOUNT.${account.name}.CONNECT`], {
      client: this.#client(peer, account, []),
    });
  }

  /** A connection is over. */
  disconnected(peer: Peer, reason: ClosedState): void {
    for (const name of ["inMsgs", "inBytes", "outMsgs", "outBytes"] as const)
      this.#gone[name] += peer.traffic[name];
    const { account } = peer;
    if (account === this.#account) return;
    if (account !== undefined) this.#counted(account);
    const subject = `$SYS.ACCOUNT.${account?.name ?? "$G"}.DISCONNECT`;
    const refused = `$SYS.SERVER.${this.#server.id}.CLIENT.AUTH.ERR`;
    const { sent, received } = sums([peer]);
    this.#advise("client_disconnect", reason.startsWith("Authentication") ? [refused, subject] : [subject], {
      client: this.#client(peer, account, [
        ["rtt", peer.rtt],
        ["stop", goTime(this.#server.now())],
      ]),
      sent,
      received,
      reason,
    });
  }

  #client(peer: Peer, account: Account | undefined, more: readonly (readonly [string, unknown])[]): object {
    // an audit says of whose server it is; these events say it beside
    const { rtt: _rtt, server: _server, kind, client_type, ...client } = this.#server.clientOf(peer);
    return {
      ...client,
      ...Object.fromEntries(more.filter(([, value]) => value !== 0)),
      name_tag: account?.name ?? "$G",
      kind,
      client_type,
    };
  }

  #counted(account: Account): void {
    const { name } = account;
    this.#advise(
      "account_connections",
      [`$SYS.SERVER.ACCOUNT.${name}.CONNS`, `$SYS.ACCOUNT.${name}.SERVER.CONNS`],
      this.#accountStats(account),
    );
  }

  #advise(type: string, subjects: readonly string[], body: object): void {
    const head = { type: `${ADVISORY}.${type}`, id: nuid.next(), timestamp: goTime(this.#server.now()) };
    for (const subject of subjects) {
      const event = Message.of(subject, goJson({ ...head, server: this.#system.head(), ...body }));
      queueMicrotask(() => this.#account.publish(event));
    }
  }

  #answer(account: Account, subject: string, answer: Answer): void {
    account.router.add(
      internal(subject, ({ reply, data }) => {
        const body = answer(account, utf8Decoder.decode(data));
        if (reply === "" || body === undefined) return;
        const message = Message.of(reply, goJson(body));
        queueMicrotask(() => account.publish(message));
      }),
    );
  }

  #wrapped(name: string, body: object): object {
    return { server: this.#system.head(), [name]: body };
  }

  // `{"cid": 5}`
  #with(body: string, act: (peer: Peer) => void): object {
    const cid = Number(/"cid"\s*:\s*(\d+)/.exec(body)?.[1]);
    for (const peer of this.#server.peers()) if (peer.id === cid) act(peer);
    return { server: this.#system.head() };
  }

  #stats(): object {
    const peers = [...this.#server.peers()];
    const { sent, received } = sums([...peers, { traffic: this.#gone }]);
    const accounts = [...this.#server.accounts()];
    return {
      start: goTime(this.#started),
      mem: 0,
      cores: 1,
      cpu: 0,
      connections: peers.length,
      total_connections: this.#total,
      active_accounts: new Set(peers.map(({ account }) => account)).size,
      subscriptions: accounts.reduce((sum, { router }) => sum + router.size, 0),
      sent,
      sent_to_clients: sent,
      received,
      received_from_clients: received,
      slow_consumers: 0,
      active_servers: 1,
    };
  }

  #accountStats(account: Account): object {
    const peers = [...this.#server.peers()].filter((peer) => peer.account === account);
    const none = { msgs: 0, bytes: 0 };
    const others = { gateways: none, routes: none, leafs: none };
    const { sent, received } = sums(peers);
    return {
      acc: account.name,
      name: account.name,
      conns: peers.length,
      leafnodes: 0,
      total_conns: peers.length,
      num_subscriptions: account.router.size,
      sent: { ...sent, ...others },
      received: { ...received, ...others },
      slow_consumers: 0,
    };
  }

  #connections(shown: (peer: Peer) => boolean): object {
    const now = this.#server.now();
    const all = [...this.#server.peers()].filter(shown);
    const connections = all.slice(0, PAGE).map((peer) => {
      const { name, lang, version } = peer.options;
      const { inMsgs, outMsgs, inBytes, outBytes } = peer.traffic;
      return {
        cid: peer.id,
        kind: "Client",
        type: "nats",
        ip: this.#server.addressOf(peer).clientIp,
        port: 0,
        start: goTime(peer.opened),
        last_activity: goTime(peer.lastActivity),
        rtt: goDurationText(peer.rtt / 1e6),
        uptime: seconds(now - peer.opened),
        idle: seconds(now - peer.lastActivity),
        pending_bytes: 0,
        in_msgs: inMsgs,
        out_msgs: outMsgs,
        in_bytes: inBytes,
        out_bytes: outBytes,
        subscriptions: peer.subscriptions,
        ...(name !== "" && { name }),
        ...(lang !== "" && { lang }),
        ...(version !== "" && { version }),
      };
    });
    return {
      server_id: this.#server.id,
      now: goTime(now),
      num_connections: connections.length,
      total: all.length,
      offset: 0,
      limit: PAGE,
      connections,
    };
  }
}

interface Sum {
  readonly msgs: number;
  readonly bytes: number;
}

function sums(of: readonly { traffic: Traffic }[]): { sent: Sum; received: Sum } {
  const sum = (name: keyof Traffic): number => of.reduce((all, { traffic }) => all + traffic[name], 0);
  return {
    sent: { msgs: sum("outMsgs"), bytes: sum("outBytes") },
    received: { msgs: sum("inMsgs"), bytes: sum("inBytes") },
  };
}

// whole seconds, as in 1m5s
function seconds(ms: number): string {
  return goDurationText(Math.floor(ms / 1000) * 1000);
}
