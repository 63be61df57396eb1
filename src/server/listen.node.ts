// Listen: takes connections from the network, over TCP, TLS and WebSocket, and hands them to a server.
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { ConnectionError } from "../errors.ts";
import type { DialTarget } from "../transport/transport.ts";
import { webSocketDialer } from "../transport/websocket.ts";
import type { ListenTlsOptions } from "./options.ts";
import type { ClosedState } from "./peer.ts";
import type { Listener, Runtime } from "./runtime.ts";
import type { PeerAddress, Server } from "./server.ts";
import { SocketTransport } from "./socket.node.ts";

interface ListenOptions {
  host: string;
  /** 0 for any free one */
  port: number;
  tls?: ListenTlsOptions | undefined;
}

function tlsOptions({ cert, key, ca }: ListenTlsOptions): TlsOptions {
  return { cert, key, ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }) };
}

/** Listen wherever the options say. */
export const listen: Runtime["listen"] = async (server, { host = "127.0.0.1", port, tls, websocket }) => {
  const listeners: Listener[] = [];
  try {
    if (port !== undefined) listeners.push(await listenTcp(server, { host, port, tls }));
    if (websocket) {
      const given = websocket === true ? {} : websocket;
      listeners.push(await listenWebSocket(server, { host, port: 0, ...given }));
    }
    return listeners;
  } catch (error) {
    for (const listener of listeners) await listener.close();
    throw error;
  }
};

async function listening(
  listener: NetServer,
  scheme: Listener["scheme"],
  { host, port }: ListenOptions,
): Promise<Listener> {
  await new Promise<void>((resolve, reject) => {
    listener.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new ConnectionError(
          `the embedded server can't listen at ${host}:${port} (${cause.code}): choose another port`,
          {
            server: `${host}:${port}`,
            cause,
          },
        ),
      ),
    );
    listener.listen(port, host, resolve);
  });
  // a server that is forgotten keeps no process alive
  listener.unref();
  return {
    scheme,
    url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${(listener.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  };
}

function addressOf(socket: Socket, tls: ListenTlsOptions | undefined, host: string): PeerAddress {
  return {
    host,
    port: socket.localPort ?? 0,
    clientIp: socket.remoteAddress ?? "",
    ...(tls && {
      tls: {
        ...(tls.allowPlain !== true && { tls_required: true }),
        ...(tls.ca !== undefined && { tls_verify: true }),
        ...(tls.allowPlain === true && { tls_available: true }),
      },
    }),
  };
}

/** Take TCP connections, under TLS where it is given. */
function listenTcp(server: Server, options: ListenOptions): Promise<Listener> {
  const { tls, host } = options;
  const accept = (socket: Socket): void => {
    const transport = new SocketTransport(socket, tls && tlsOptions(tls));
    // the handshake follows INFO
    const upgrade = (): void => {
      if (tls?.allowPlain) transport.startTlsIfAsked();
      else void transport.startTls();
    };
    const later = tls !== undefined && !transport.encrypted;
    server.accept(transport, addressOf(socket, tls, host), later ? upgrade : undefined);
  };
  return listening(
    tls?.handshakeFirst ? createTlsServer(tlsOptions(tls), accept) : createServer(accept),
    tls === undefined ? "nats" : "tls",
    options,
  );
}

// the close codes of what is told; other ends have that of an unexpected condition
const CLOSE_CODES: Partial<Record<ClosedState, number>> = {
  "Client Closed": 1000,
  "Server Shutdown": 1001,
  "Authentication Timeout": 1008,
  "Authentication Failure": 1008,
  "Maximum Connections Exceeded": 1008,
  "Maximum Control Line Exceeded": 1008,
  "Maximum Message Payload Exceeded": 1009,
};

// The transport closes the socket when all is written: then with the code and the words for this end. What can't be read
// is answered by nothing.
function end(socket: WebSocket, state: ClosedState): void {
  const close = socket.close.bind(socket);
  socket.close = () => {
    if (state === "Parse Error" || state === "Protocol Violation") socket.terminate();
    else close(CLOSE_CODES[state] ?? 1011, state);
  };
}

/** Take WebSocket connections. */
function listenWebSocket(server: Server, options: ListenOptions): Promise<Listener> {
  const { tls, host } = options;
  const http = tls === undefined ? createHttpServer() : createHttpsServer(tlsOptions(tls));
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on("connection", (socket: WebSocket, request) => {
    const address = {
      ...addressOf(request.socket, tls, host),
      ended: (state: ClosedState) => end(socket, state),
    };
    const dial = webSocketDialer(() => Promise.resolve({ socket, encrypted: tls !== undefined }));
    const target: DialTarget = {
      scheme: tls === undefined ? "ws" : "wss",
      hostname: address.clientIp,
      port: address.port,
      path: "",
      handshakeFirst: false,
      noRandomize: true,
      signal: new AbortController().signal,
    };
    dial(target).then(
      (transport) => server.accept(transport, address),
      // it went before it was there
      () => undefined,
    );
  });
  return listening(http, tls === undefined ? "ws" : "wss", options);
}
