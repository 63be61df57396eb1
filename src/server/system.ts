// System: what the server itself answers in every account.
import type { Account } from "./account.ts";
import { goJson, goTime } from "./go-text.ts";
import { internal } from "./internal.ts";
import { Message } from "./message.ts";
import type { Identity } from "./logins.ts";
import type { ResolvedServerOptions } from "./options.ts";
import { Peer } from "./peer.ts";
import type { PermissionOptions } from "./permissions.ts";

// what a server of this version says that it can or can't do yet
const FLAGS = {
  js_ack_fc_v2: false,
  js_api_reply_v2: false,
  js_raft_delete_range: true,
  js_snapshot_sources: false,
};

/** Facts of the server that answers carry. */
export interface ServerFacts {
  readonly name: string;
  readonly host: string;
  readonly id: string;
  readonly version: string;
}

/** What the server says of itself in its answers, and who it says somebody is. */
export class System {
  readonly #facts: ServerFacts;
  readonly #options: ResolvedServerOptions;
  #seq = 0;

  constructor(facts: ServerFacts, options: ResolvedServerOptions) {
    this.#facts = facts;
    this.#options = options;
  }

  /** the `server` of an answer */
  head(): object {
    const { name, host, id, version } = this.#facts;
    const { clock, jetstream } = this.#options;
    const domain = jetstream?.domain;
    return {
      name,
      host,
      id,
      ...(domain && { domain }),
      ver: version,
      feature_flags: FLAGS,
      jetstream: jetstream !== undefined,
      flags: jetstream === undefined ? 0 : 7,
      seq: ++this.#seq,
      time: goTime(clock.now()),
    };
  }

  /** Answer `$SYS.REQ.USER.INFO`: who the server takes the connection for. */
  answerUserInfo(account: Account): void {
    account.router.add(
      internal("$SYS.REQ.USER.INFO", ({ origin, reply }) => {
        if (reply === "" || !(origin instanceof Peer) || origin.identity === undefined) return;
        const server = this.head();
        const answer = Message.of(reply, goJson({ server, data: userInfo(origin.identity) }));
        // as from another thread: behind what the same input brings
        queueMicrotask(() => account.publish(answer));
      }),
    );
  }
}

function userInfo({ user, account: { name }, rights }: Identity): object {
  return {
    user,
    account: name,
    account_name: name,
    ...(rights && { permissions: wirePermissions(rights) }),
  };
}

function wirePermissions({ publish = {}, subscribe = {}, responses }: PermissionOptions): object {
  const { max = 1, expires = 120_000 } = typeof responses === "object" ? responses : {};
  return {
    publish,
    subscribe,
    ...(responses && { responses: { max, ttl: expires * 1e6 } }),
  };
}
