// WebSocket factory: what the user may give in place of the runtime's WebSocket.
import type { DialTarget } from "./transport.ts";

/** The part of a WebSocket that is used here: the global one of any runtime and `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: string;
  onopen: unknown;
  onmessage: unknown;
  onerror: unknown;
  onclose: unknown;
  send(data: never): void;
  close(code?: number, reason?: string): void;
  /** ends the socket at once (`ws` has it) */
  terminate?(): void;
}

/** Makes the WebSocket of a dial. It may be connecting or open; `encrypted` says whether it is under TLS. */
export type WebSocketFactory = (
  url: string,
  target: DialTarget,
) => Promise<{ socket: WebSocketLike; encrypted: boolean }>;
