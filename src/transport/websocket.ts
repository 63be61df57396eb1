// WebSocket: ws:// and wss:// through isomorphic-ws (`ws` in Node and Bun, the global WebSocket in browsers).
import IsomorphicWebSocket from "isomorphic-ws";
import { NatsError } from "../errors.ts";
import { serverOf } from "./dial.ts";
import type { Dialer, DialTarget } from "./transport.ts";
import type { WebSocketFactory, WebSocketLike } from "./websocket-factory.ts";
import { socketDialer } from "./websocket-transport.ts";

/**
 * Dials `ws://` and `wss://` targets.
 *
 * In Node and Bun the `tls` options of the target that `tls.connect` knows are handed on (as PEM texts, no files), and so
 * are its `wsHeaders`; Deno knows `ca`, `cert` and `key` of them. Compression is not negotiated; a `factory` can.
 *
 * @throws {NatsError} `CONNECTION_REFUSED`, `CONNECTION`, `TLS`, `INVALID_ARGUMENT`, `UNSUPPORTED`, `ABORTED`
 */
export const dialWebSocket: Dialer = webSocketDialer();

/** A {@link dialWebSocket} that gets its sockets from a factory: for proxies, sub-protocols, or a WebSocket of one's own. */
export function webSocketDialer(factory?: WebSocketFactory): Dialer {
  return socketDialer(openSocket, factory);
}

function openSocket(url: string, target: DialTarget): WebSocketLike {
  const { scheme, tls, tlsName, wsHeaders } = target;
  const Socket = IsomorphicWebSocket as unknown as (new (...args: unknown[]) => WebSocketLike) | undefined;
  const { handshakeFirst, certFile, keyFile, caFile, ...options } = (scheme === "wss" && tls) || {};
  const unsupported = (text: string): NatsError =>
    new NatsError("UNSUPPORTED", text, { server: serverOf(target) });
  if (!Socket) throw unsupported("there is no WebSocket in this runtime: give a wsFactory");
  if (certFile || keyFile || caFile) {
    throw unsupported(
      "a WebSocket takes no files for TLS: give the PEM texts as tls.cert, tls.key and tls.ca",
    );
  }
  // the runtime's own WebSocket takes nothing but the address
  if ((Socket as unknown) === globalThis.WebSocket) {
    if (wsHeaders) throw unsupported("the WebSocket of this runtime takes no headers (wsHeaders)");
    const [option] = Object.keys(options);
    if (option) throw unsupported(`the WebSocket of this runtime takes no TLS options (tls.${option})`);
    return new Socket(url);
  }
  return new Socket(url, [], {
    perMessageDeflate: false,
    // Node gives up on one of several addresses after 250 ms: too early for a server that is far away
    autoSelectFamilyAttemptTimeout: 2000,
    rejectUnauthorized: true,
    ...(tlsName && { servername: tlsName }),
    ...options,
    ...(wsHeaders && { headers: wsHeaders }),
  });
}
