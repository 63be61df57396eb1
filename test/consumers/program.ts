// A consumer: what a user's program may say, compiled against the packed declarations by each TypeScript we support.
import {
  type Auth,
  type Authenticator,
  type Codec,
  connect,
  type ConnectionOptions,
  createConnect,
  credsAuthenticator,
  deferred,
  type Dialer,
  headers,
  isNatsError,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  type NatsErrorCode,
  nkeys,
  NoRespondersError,
  type ServerInfo,
  type Status,
  type Subscription,
} from "isonats";
import { jwtAuthenticator, nkeyAuthenticator, parseCreds } from "isonats/auth";
import { jsonCodec, type StandardSchema, text, validated } from "isonats/codec";
import { PermissionViolationError, TimeoutError } from "isonats/errors";
import { memoryPair, type Transport } from "isonats/transport";

interface Order {
  id: number;
}

const authenticator: Authenticator = async (nonce?: string): Promise<Auth> => {
  void nonce;
  return { user: "me", pass: "secret" };
};

const options: ConnectionOptions = {
  servers: ["127.0.0.1:4222", "wss://example.com"],
  authenticator: [authenticator, nkeyAuthenticator(new Uint8Array(32)), jwtAuthenticator("e.y.J")],
  tls: { handshakeFirst: true },
  reconnectDelayHandler: (attempt) => attempt * 100,
  whenDisconnected: "throw",
};

export async function main(signal: AbortSignal): Promise<string> {
  const nc: NatsConnection = await connect({ ...options, signal });
  const fields: MsgHdrs = headers();
  fields.append("Name", "value");
  nc.publish("subject", "text", { headers: fields });
  nc.publish("subject", new Uint8Array(1));

  const sub: Subscription = nc.subscribe("orders.*", { queue: "q", limits: { overflow: "close" } });
  for await (const msg of sub) {
    const order: Order = msg.json<Order>();
    const same: Order = msg.decode(jsonCodec<Order>());
    msg.respond(text.encode(`${order.id} ${same.id}`));
  }
  nc.subscribe("orders.*", {
    callback: async (error, msg) => {
      if (error === null) await handle(msg);
    },
  });

  for await (const msg of await nc.requestMany("who", "", { strategy: "stall", stall: 20 }))
    void msg.headers?.get("Name");

  for await (const event of nc.status()) describe(event);
  const info: ServerInfo | undefined = nc.info;
  await nc.drain({ timeout: 1000, signal });
  const why: void | Error = await nc.closed();
  return `${info?.version} ${why}`;
}

async function handle(msg: Msg): Promise<void> {
  await deferred<void>();
  void msg.data.byteLength;
}

function describe(event: Status): string {
  switch (event.type) {
    case "reconnecting":
      return `${event.server} in ${event.delay} ms`;
    case "disconnect":
      return event.error?.code ?? event.server;
    case "slowConsumer":
      return event.sub.getSubject();
    default:
      return event.type;
  }
}

export function explain(error: unknown): string | undefined {
  if (error instanceof NoRespondersError) return error.subject;
  if (error instanceof TimeoutError) return error.reason;
  if (error instanceof PermissionViolationError) return error.operation;
  if (error instanceof NatsError || isNatsError(error)) {
    const code: NatsErrorCode = error.code;
    return code;
  }
  return undefined;
}

declare const schema: StandardSchema<unknown, Order>;
export const orders: Codec<Order> = validated(jsonCodec<Order>(), schema);

const dialer: Dialer = async (target): Promise<Transport> => {
  void target.hostname;
  return memoryPair()[0];
};
export const connectMine: (options?: ConnectionOptions) => Promise<NatsConnection> = createConnect({
  nats: dialer,
});

export const keys: string = nkeys.createUser().getPublicKey();
export const creds: Authenticator = credsAuthenticator(text.encode("file"));
export const seed: unknown = parseCreds("file");
