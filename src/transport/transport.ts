// Transport: the seam between bytes and protocol. Implemented by tcp.node, websocket, memory; driven by client/link.
import type { TlsOptions } from "./tls.ts";
import type { WebSocketFactory } from "./websocket-factory.ts";

/** The four schemes a server address may have. */
export type Scheme = "nats" | "tls" | "ws" | "wss";

/** Where a {@link Dialer} shall connect to. */
export interface DialTarget {
  readonly scheme: Scheme;
  /** host name or IP literal; IPv6 without brackets */
  readonly hostname: string;
  readonly port: number;
  /** path and query of a WebSocket address, starting with `/`; `""` where there is none */
  readonly path: string;
  /** the host name to verify the certificate against, when `hostname` is an IP that stands for it */
  readonly tlsName?: string | undefined;
  /** the user's TLS options; absent or null where there are none */
  readonly tls?: TlsOptions | null | undefined;
  /** begin TLS before reading anything (`tls: { handshakeFirst: true }`) */
  readonly handshakeFirst: boolean;
  /** keep the order of the addresses that the resolver gave, rather than shuffling them */
  readonly noRandomize: boolean;
  /** headers of the WebSocket upgrade request. Node, Bun and Deno: elsewhere the dial rejects with `UNSUPPORTED`. */
  readonly wsHeaders?: Readonly<Record<string, string>> | undefined;
  /** makes the WebSocket, in place of the runtime's own */
  readonly wsFactory?: WebSocketFactory | undefined;
  /** ends the dial: its deadline, or close() of the connection. A socket that completes later is discarded. */
  readonly signal: AbortSignal;
}

/** What a transport tells its owner. None of these may throw. */
export interface TransportEvents {
  /** bytes from the peer, in any pieces; the array belongs to the receiver from now on */
  onData(bytes: Uint8Array): void;
  /** the transport takes bytes again after `write` returned false, or has nearly nothing left of much */
  onDrain(): void;
  /** the end, called exactly once, never before `open`; with the error when it was not an orderly end */
  onClose(error?: Error): void;
}

/**
 * One live, connected byte stream. It knows no protocol.
 *
 * Bytes that arrive before `open` are kept for it.
 */
export interface Transport {
  /** begin to deliver events */
  open(events: TransportEvents): void;
  /**
   * Take bytes, which must not be changed afterwards. False means: hold back until `onDrain`.
   * Writing after the end (or after `close` or `destroy`) is ignored and gives false.
   */
  write(bytes: Uint8Array): boolean;
  /** true where what was written may be changed as soon as `write` returned true, for it or for what followed it */
  readonly copies?: boolean;
  /** bytes written but not yet taken by the operating system (as far as the runtime tells) */
  readonly buffered: number;
  /** true once the bytes travel under TLS */
  readonly encrypted: boolean;
  /**
   * The largest piece that travels at once, where the transport cares (a WebSocket message). Larger writes are split
   * by the transport; an owner whose server takes less (INFO `max_payload`) lowers it.
   */
  maxWrite?: number;
  /**
   * Upgrade to TLS in place. Absent where the transport can't.
   *
   * Rejects with a {@link NatsError}: `TLS`, `INVALID_ARGUMENT` for TLS options that can't be used, or what `destroy`
   * was given. The transport is over then, and `onClose` comes with the same error.
   */
  startTls?(): Promise<void>;
  /**
   * Orderly end: what was written is sent first, nothing more is delivered but `onClose`. Resolves when the transport is
   * gone: after 5 seconds at the latest, then `onClose` says how much a peer that stopped reading never took.
   *
   * `settled`: the peer is known to have read everything, so there is no need to wait for it.
   */
  close(settled?: boolean): Promise<void>;
  /** immediate end: the socket is destroyed at once and nothing more is sent or delivered but `onClose(error)` */
  destroy(error?: Error): void;
}

/**
 * Opens a {@link Transport} to a target. Rejects with a {@link NatsError}: `CONNECTION_REFUSED`, `CONNECTION`, `TLS`,
 * `UNSUPPORTED`, `INVALID_ARGUMENT` for options that can't be used, or `ABORTED` when the signal of the target ended it
 * (no socket is left behind then).
 */
export type Dialer = (target: DialTarget) => Promise<Transport>;
