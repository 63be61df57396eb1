// WebSocket server: greets each client as a nats-server does and notes the address it asked for. For the trap tests.
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";

/** A server for WebSocket clients that only knows INFO, PING and PONG. */
export interface GreetingServer {
  readonly address: string;
  /** path and query that each client so far asked for */
  readonly urls: readonly string[];
  /** send an INFO with these fields to all clients */
  say(fields: Record<string, unknown>): void;
  /** end all connections */
  drop(): void;
  stop(): Promise<void>;
}

export async function serveWebSocket(t: Scope): Promise<GreetingServer> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const urls: string[] = [];
  const info = (fields: Record<string, unknown> = {}): string =>
    `INFO ${JSON.stringify({ server_id: "G", version: "2.15.1", proto: 1, headers: true, max_payload: 65_536, ...fields })}\r\n`;
  server.on("connection", (socket: WebSocket, request) => {
    urls.push(request.url ?? "");
    socket.on("message", (data: Buffer) => {
      const pings = data.toString().match(/PING\r\n/g) ?? [];
      if (pings.length > 0) socket.send("PONG\r\n".repeat(pings.length));
    });
    socket.send(info());
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const drop = (): void => {
    for (const socket of server.clients) socket.terminate();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= new Promise((resolve) => {
      server.close(() => resolve());
      drop();
    }));
  atEnd(t, stop);
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    urls,
    say: (fields) => {
      for (const socket of server.clients) socket.send(info(fields));
    },
    drop,
    stop,
  };
}
