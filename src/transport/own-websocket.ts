// Own WebSocket: ws:// and wss:// through the WebSocket that a browser has. It takes an address and nothing else.
import IsomorphicWebSocket from "isomorphic-ws";
import { NatsError } from "../errors.ts";
import { serverOf } from "./dial.ts";
import type { Dialer, DialTarget } from "./transport.ts";
import type { WebSocketLike } from "./websocket-factory.ts";
import { socketDialer } from "./websocket-transport.ts";

/** Dials `ws://` and `wss://` targets. @throws {NatsError} `CONNECTION`, `UNSUPPORTED`, `ABORTED` */
export const dialOwnWebSocket: Dialer = socketDialer(openOwnSocket);

/** @throws {NatsError} UNSUPPORTED where the target has headers or TLS options, or there is no WebSocket */
export function openOwnSocket(url: string, target: DialTarget): WebSocketLike {
  const Socket = IsomorphicWebSocket as unknown as (new (address: string) => WebSocketLike) | undefined;
  const { handshakeFirst, ...options } = (target.scheme === "wss" && target.tls) || {};
  const [excess] = [
    ...(target.wsHeaders ? ["wsHeaders"] : []),
    ...Object.keys(options).map((name) => `tls.${name}`),
  ];
  if (Socket && !excess) return new Socket(url);
  const text = Socket
    ? `the WebSocket of this runtime takes no options (${excess})`
    : "there is no WebSocket in this runtime: give a wsFactory";
  throw new NatsError("UNSUPPORTED", text, { server: serverOf(target) });
}
