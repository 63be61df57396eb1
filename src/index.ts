// isonats for browsers and every runtime without sockets of its own: connect() over WebSocket.
import { type Connect, createConnect } from "./client/connect.ts";
import { watchPage } from "./client/page.browser.ts";
import { dialOwnWebSocket } from "./transport/own-websocket.ts";

export * from "./names.ts";

/** Connect over WebSocket: `ws://` and `wss://`; a bare host means `wss://`. */
export const connect: Connect = /* @__PURE__ */ createConnect(
  { ws: dialOwnWebSocket, wss: dialOwnWebSocket },
  { watch: watchPage },
);

/** As {@link connect}; `nats://` and `http://` are read as `ws://`, `tls://` and `https://` as `wss://`. */
export const wsconnect: Connect = /* @__PURE__ */ createConnect(
  { ws: dialOwnWebSocket, wss: dialOwnWebSocket },
  { translate: true, watch: watchPage },
);
