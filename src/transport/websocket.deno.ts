// WebSocket in Deno: ws:// and wss:// through its own WebSocket, which takes headers and an HTTP client with TLS options.
//
// Not through `ws` as in Node: that asks for the environment when it is loaded, and here --allow-net is enough.
import { InvalidArgumentError, NatsError } from "../errors.ts";
import { serverOf } from "./dial.ts";
import type { Dialer, DialTarget } from "./transport.ts";
import type { WebSocketFactory, WebSocketLike } from "./websocket-factory.ts";
import { explain } from "./websocket-error.ts";
import { socketDialer } from "./websocket-transport.ts";

/** The part of Deno that is used here. */
interface DenoGlobals {
  Deno: {
    createHttpClient(options: { caCerts?: string[]; cert?: string; key?: string }): { close(): void };
  };
  WebSocket: new (url: string, options: { headers?: object; client?: object }) => WebSocketLike;
}

/** {@link dialWebSocket} of Deno: of the `tls` options it knows `ca`, `cert` and `key`. */
export const dialWebSocket: Dialer = webSocketDialer();

/** A {@link dialWebSocket} that gets its sockets from a factory: for proxies, sub-protocols, or a WebSocket of one's own. */
export function webSocketDialer(factory?: WebSocketFactory): Dialer {
  return socketDialer(openSocket, explain, factory);
}

function openSocket(url: string, target: DialTarget): WebSocketLike {
  const { Deno, WebSocket } = globalThis as unknown as DenoGlobals;
  const { scheme, tls, wsHeaders } = target;
  const {
    ca,
    cert,
    key,
    handshakeFirst,
    rejectUnauthorized = true,
    ...others
  } = (scheme === "wss" && tls) || {};
  const server = serverOf(target);
  if (!rejectUnauthorized) {
    throw new NatsError(
      "UNSUPPORTED",
      "the WebSocket of Deno verifies every certificate: set tls.ca in place of tls.rejectUnauthorized, " +
        "or start Deno with --unsafely-ignore-certificate-errors",
      { server },
    );
  }
  const [option] = Object.keys(others);
  if (option !== undefined) {
    throw new NatsError(
      "UNSUPPORTED",
      `the WebSocket of Deno takes no tls.${option}: it knows the PEM texts tls.ca, tls.cert and tls.key`,
      { server },
    );
  }
  const unusable = (what: string, cause: unknown): NatsError =>
    new InvalidArgumentError(`cannot dial ${server}: ${what} (${(cause as Error).message})`, {
      server,
      cause,
    });
  let client: { close(): void } | undefined;
  try {
    if (ca || cert || key) {
      client = Deno.createHttpClient({
        ...(ca && { caCerts: [ca] }),
        ...(cert && { cert }),
        ...(key && { key }),
      });
    }
  } catch (cause) {
    throw unusable("cert, key and ca of the tls options are PEM texts, and key belongs to cert", cause);
  }
  try {
    return new WebSocket(url, { ...(wsHeaders && { headers: wsHeaders }), ...(client && { client }) });
  } catch (cause) {
    throw unusable("the address or a header is malformed", cause);
  } finally {
    // the socket has taken what it needs of it
    client?.close();
  }
}
