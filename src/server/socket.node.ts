// Socket: the transport of an accepted TCP connection, plain or under TLS. Made by server/listen.node.
import type { Socket } from "node:net";
import { TLSSocket, type TlsOptions } from "node:tls";
import type { Transport, TransportEvents } from "../transport/transport.ts";

/** The type of the first record of a TLS handshake. */
const HANDSHAKE = 0x16;
/** How long close() waits for the client to take what is left. */
const CLOSE_LIMIT = 5000;

/** @internal */
export class SocketTransport implements Transport {
  #socket: Socket;
  readonly #tls: TlsOptions | undefined;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #events: TransportEvents | undefined;
  #held = false;

  /** `tls` is what `startTls()` goes on with */
  constructor(socket: Socket, tls?: TlsOptions) {
    this.#socket = socket;
    this.#tls = tls;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    socket.setNoDelay(true);
    this.#attach(socket);
  }

  get encrypted(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  #attach(socket: Socket): void {
    // what is wrong with a client that goes is its own affair: 'close' follows
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (socket !== this.#socket) return;
      this.#resolveGone();
      const events = this.#events;
      this.#events = undefined;
      events?.onClose();
    });
    socket.once("end", () => socket.destroy());
  }

  open(events: TransportEvents): void {
    this.#events = events;
    this.#socket.on("data", this.#onData);
  }

  #onData = (chunk: Uint8Array): void => {
    this.#events?.onData(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  };

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return false;
    socket.write(bytes, this.#onWritten);
    this.#held = socket.writableLength > 0;
    return !this.#held;
  }

  #onWritten = (): void => {
    if (!this.#held || this.#socket.destroyed || this.#socket.writableLength > 0) return;
    this.#held = false;
    this.#events?.onDrain();
  };

  /** The client begins the handshake; nothing in clear is read any more. A handshake that fails is the end of the socket. */
  startTls(): Promise<void> {
    this.#upgrade();
    return Promise.resolve();
  }

  /** As `startTls()`, if what comes first is the beginning of a handshake. */
  startTlsIfAsked(): void {
    const socket = this.#socket;
    socket.off("data", this.#onData);
    socket.once("data", (chunk: Uint8Array) => {
      if (chunk[0] !== HANDSHAKE) {
        socket.on("data", this.#onData);
        this.#onData(chunk);
        return;
      }
      socket.pause();
      socket.unshift(chunk);
      this.#upgrade();
    });
  }

  #upgrade(): void {
    const plain = this.#socket;
    plain.off("data", this.#onData).removeAllListeners("end");
    this.#socket = new TLSSocket(plain, { ...this.#tls, isServer: true });
    plain.once("close", () => this.#socket.destroy());
    this.#attach(this.#socket);
    this.#socket.on("data", this.#onData);
  }

  close(): Promise<void> {
    const socket = this.#socket;
    socket.off("data", this.#onData);
    // read on, or the system resets the link before all was sent
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), CLOSE_LIMIT);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
    return this.#gone;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
