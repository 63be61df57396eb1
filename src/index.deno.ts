// isonats for Deno: connect() over TCP, TLS and WebSocket.
import { type Connect, createConnect } from "./client/connect.ts";
import { dialTcp } from "./transport/tcp.deno.ts";
import { dialWebSocket } from "./transport/websocket.deno.ts";

export * from "./names.ts";

/** Connect over TCP (`nats://`, `tls://` or a bare host) or WebSocket (`ws://`, `wss://`). */
export const connect: Connect = /* @__PURE__ */ createConnect({
  nats: dialTcp,
  tls: dialTcp,
  ws: dialWebSocket,
  wss: dialWebSocket,
});

/** As {@link connect} over WebSocket only: a bare host means `wss://`, `nats://` is read as `ws://`, `tls://` as `wss://`. */
export const wsconnect: Connect = /* @__PURE__ */ createConnect(
  { ws: dialWebSocket, wss: dialWebSocket },
  { translate: true },
);
