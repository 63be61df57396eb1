// Types of a connection, its messages and subscriptions.
import type {
  ConnectionState,
  Msg,
  MsgHdrs,
  NatsConnection,
  Payload,
  Publisher,
  QueuedIterator,
  Stats,
  Status,
  Subscription,
} from "../../src/index.node.ts";
import { connect, createConnect, wsconnect } from "../../src/index.node.ts";
import { connect as browserConnect } from "../../src/index.ts";
import { type Equals, holds, some } from "./equals.ts";

// all ways to connect give the same type
holds<Equals<Awaited<ReturnType<typeof connect>>, NatsConnection>>();
holds<Equals<typeof connect, typeof wsconnect>>();
holds<Equals<typeof connect, typeof browserConnect>>();
holds<Equals<typeof connect, ReturnType<typeof createConnect>>>();

const nc = some<NatsConnection>();

// a connection stands for what asks for less, and anything of its shape stands for a connection
export const publisher: Publisher = nc;
export const disposable: AsyncDisposable = nc;
export const standIn: NatsConnection = { ...nc, publish: () => {} };

// what must not be assigned
// @ts-expect-error the state has one writer, and it is not the user
nc.state = "closed";
// @ts-expect-error the info is the server's
nc.info = undefined;
holds<Equals<ConnectionState, "connecting" | "connected" | "reconnecting" | "draining" | "closed">>();
holds<
  Equals<
    keyof Stats,
    | "droppedInbound"
    | "droppedOutbound"
    | "inBytes"
    | "inMsgs"
    | "outBytes"
    | "outMsgs"
    | "pendingBytes"
    | "reconnects"
  >
>();

// payloads
holds<Equals<Payload, Uint8Array | string>>();
nc.publish("subject");
nc.publish("subject", "text", { reply: "inbox" });
// @ts-expect-error a value needs a codec
nc.publish("subject", { id: 1 });
// @ts-expect-error headers are made by headers()
nc.publish("subject", "", { headers: { name: "value" } });
// @ts-expect-error publishing is synchronous
void nc.publish("subject").then();

// messages
const msg = some<Msg>();
holds<Equals<Msg["data"], Uint8Array>>();
holds<Equals<Msg["headers"], MsgHdrs | undefined>>();
holds<Equals<ReturnType<typeof msg.json>, unknown>>();
const order = msg.json<{ id: number }>();
holds<Equals<typeof order, { id: number }>>();
// @ts-expect-error a message is read only
msg.subject = "other";

// subscriptions
const sub = nc.subscribe("subject");
holds<Equals<typeof sub, Subscription>>();
export const iterable: AsyncIterable<Msg> = sub;
holds<Equals<Subscription["readable"], ReadableStream<Msg>>>();
nc.subscribe("subject", { callback: (error, message) => void (error?.code ?? message.subject) });
nc.subscribe("subject", { callback: async (_error, message) => void message.respond() });
// @ts-expect-error overflow is a closed set
nc.subscribe("subject", { limits: { overflow: "sometimes" } });
// @ts-expect-error exactOptionalPropertyTypes: leave it out
nc.subscribe("subject", { queue: undefined });

// requests and waits
holds<Equals<ReturnType<NatsConnection["request"]>, Promise<Msg>>>();
holds<Equals<ReturnType<NatsConnection["requestMany"]>, Promise<QueuedIterator<Msg>>>>();
const wait = { timeout: 1000, signal: some<AbortSignal>() };
void Promise.all([nc.flush(wait), nc.rtt(wait), nc.writable(wait), nc.drain(wait), sub.drain(wait)]);
void nc.request("subject", "", wait);
holds<Equals<Awaited<ReturnType<NatsConnection["closed"]>>, undefined | Error>>();

// events are told apart by their type, and every one has been thought of
export function seen(event: Status): unknown {
  switch (event.type) {
    case "disconnect":
      return event.error;
    case "reconnecting":
      return event.server + event.attempt + event.delay;
    case "close":
      return event.unsent;
    case "slowConsumer":
      return event.sub.dropped;
    case "handlerError":
      return event.source;
    case "error":
      return event.error.code;
    case "update":
      return event.added?.length;
    case "ping":
      return event.pendingPings;
    case "reconnect":
    case "ldm":
      return event.server;
    case "staleConnection":
    case "forceReconnect":
      return event.type;
    default:
      return event satisfies never;
  }
}
