// isonats/transport: the seam for transports of one's own, and the in-process pair.
export type { TlsOptions } from "./tls.ts";
export type {
  Dialer,
  DialTarget,
  Scheme,
  Transport,
  TransportEvents,
} from "./transport.ts";
export { type MemoryPairOptions, memoryPair } from "./memory.ts";
export { dialWebSocket, webSocketDialer } from "./websocket.ts";
export type { WebSocketFactory, WebSocketLike } from "./websocket-factory.ts";
