// WebSocket: ws:// and wss:// through isomorphic-ws (`ws` in Node and Bun, the global WebSocket in browsers).
import IsomorphicWebSocket from "isomorphic-ws";
import { NatsError } from "../errors.ts";
import { serverOf } from "./dial.ts";
import { openOwnSocket } from "./own-websocket.ts";
import type { Dialer, DialTarget } from "./transport.ts";
import type { WebSocketFactory, WebSocketLike } from "./websocket-factory.ts";
import { explain } from "./websocket-error.ts";
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
  return socketDialer(openSocket, explain, factory);
}

function openSocket(url: string, target: DialTarget): WebSocketLike {
  const { scheme, tls, tlsName, wsHeaders } = target;
  const Socket = IsomorphicWebSocket as unknown as (new (...args: unknown[]) => WebSocketLike) | undefined;
  if (!Socket || (Socket as unknown) === globalThis.WebSocket) return openOwnSocket(url, target);
  const { handshakeFirst, certFile, keyFile, caFile, ...options } = (scheme === "wss" && tls) || {};
  if (certFile || keyFile || caFile) {
    throw new NatsError(
      "UNSUPPORTED",
      "a WebSocket takes no files for TLS: give the PEM texts as tls.cert, tls.key and tls.ca",
      { server: serverOf(target) },
    );
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
