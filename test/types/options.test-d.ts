// Types of what connect() takes: options, authenticators, dialers.
import {
  type Authenticator,
  type Connect,
  connect,
  type ConnectionOptions,
  createConnect,
  credsAuthenticator,
  type Dialer,
  type Scheme,
  type Server,
  tokenAuthenticator,
  type Transport,
} from "../../src/index.node.ts";
import { memoryPair } from "../../src/transport/index.ts";
import { type Equals, holds, some } from "./equals.ts";

void connect();
void connect({});
void connect({ servers: "a,b", tls: null, maxReconnectAttempts: -1 });
void connect({ servers: ["nats://a", "wss://b"], signal: some<AbortSignal>() });
// every option may be left out
holds<Equals<Partial<ConnectionOptions>, ConnectionOptions>>();

// @ts-expect-error a port is no server
void connect({ servers: 4222 });
// @ts-expect-error the policy is a closed set
void connect({ whenDisconnected: "wait" });
// @ts-expect-error a slip in a name is found
void connect({ maxReconnectAttempt: 3 });
// @ts-expect-error exactOptionalPropertyTypes: leave it out
void connect({ name: undefined });

// authenticators: plain or async, one or several, of any of the familiar forms
export const authenticators: Authenticator[] = [
  () => undefined,
  () => ({ auth_token: "t" }),
  async () => ({ user: "u", pass: "p" }),
  (nonce) => ({ nkey: "U", sig: nonce ?? "" }),
  tokenAuthenticator(async () => "t"),
  credsAuthenticator(() => new Uint8Array()),
];
void connect({ authenticator: authenticators });
// @ts-expect-error a number is no credential
export const noAuthenticator: Authenticator = () => 1;

// handlers
void connect({ reconnectDelayHandler: (attempt, server) => attempt * server.reconnects });
void connect({
  reconnectToServer: (pool, info) => (info === null ? null : { server: pool[0] as Server, delay: 5 }),
});
// @ts-expect-error the delay is a number of milliseconds
void connect({ reconnectDelayHandler: () => "soon" });

// transports of one's own
const dialer: Dialer = async () => memoryPair()[0];
holds<Equals<Awaited<ReturnType<Dialer>>, Transport>>();
holds<Equals<Scheme, "nats" | "tls" | "ws" | "wss">>();
export const mine: Connect = createConnect({ nats: dialer }, { bare: "nats" });
void connect({ dialer });
// @ts-expect-error there is no such scheme
createConnect({ http: dialer });
