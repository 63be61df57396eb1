// isonats/transport for Deno: the same, with its own WebSocket.
export type { TlsOptions } from "./tls.ts";
export type {
  Dialer,
  DialTarget,
  Scheme,
  Transport,
  TransportEvents,
} from "./transport.ts";
export { type MemoryPairOptions, memoryPair } from "./memory.ts";
export { dialWebSocket, webSocketDialer } from "./websocket.deno.ts";
export type { WebSocketFactory, WebSocketLike } from "./websocket-factory.ts";
