// The dialers of the runtime that loads this: the tests of what they share don't ask which.
import type { Dialer } from "../../src/transport/transport.ts";
import type { webSocketDialer as WebSocketDialer } from "../../src/transport/websocket.ts";

export const isDeno: boolean = "Deno" in globalThis;

const tcp = isDeno
  ? await import("../../src/transport/tcp.deno.ts")
  : await import("../../src/transport/tcp.node.ts");
const websocket = isDeno
  ? await import("../../src/transport/websocket.deno.ts")
  : await import("../../src/transport/websocket.ts");

export const dialTcp: Dialer = tcp.dialTcp;
export const dialWebSocket: Dialer = websocket.dialWebSocket;
export const webSocketDialer: typeof WebSocketDialer = websocket.webSocketDialer;
