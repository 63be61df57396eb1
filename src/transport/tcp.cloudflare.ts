// isonats/cloudflare: TCP and TLS on the sockets of Cloudflare Workers, which the user hands in; for createConnect.
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import { abortedError, checkTcpTarget, finishDial, serverOf, unsentError } from "./dial.ts";
import type { TlsOptions } from "./tls.ts";
import type { Dialer, DialTarget, Transport, TransportEvents } from "./transport.ts";

/** How long close() waits for the peer. */
const CLOSE_LIMIT = 5000;

/** The part of a socket of `cloudflare:sockets` that is used here. */
export interface WorkersSocket {
  readonly readable: ReadableStream;
  readonly writable: WritableStream;
  /** resolves when it is connected, and rejects when it can't be */
  readonly opened: Promise<unknown>;
  readonly closed: Promise<unknown>;
  /** ends both directions at once */
  close(): Promise<unknown>;
  /** the same connection under TLS; the plain socket is of no use then */
  startTls(options?: { expectedServerHostname?: string }): WorkersSocket;
}

/** The `connect` of `cloudflare:sockets`, as far as it is used here. */
export type WorkersConnect = (
  address: { hostname: string; port: number },
  options: { secureTransport: "starttls"; allowHalfOpen: boolean },
) => WorkersSocket;

/**
 * A dialer for `nats://` and `tls://` in a Cloudflare Worker, made of the `connect` of `cloudflare:sockets`.
 *
 * TLS begins after INFO, or before it with `tls: { handshakeFirst: true }`. Workers trust the public authorities and
 * know no other TLS option than a `servername`: any other rejects the dial with `UNSUPPORTED`.
 *
 * @throws {NatsError} The dialer: `CONNECTION`, `TLS`, `INVALID_ARGUMENT`, `UNSUPPORTED`, `ABORTED`
 * @experimental
 *
 * @example
 * // connectSocket is the `connect` of cloudflare:sockets
 * const dial = socketDialer(connectSocket);
 * const connect = createConnect({ nats: dial, tls: dial });
 */
export function socketDialer(connect: WorkersConnect): Dialer {
  return async (target: DialTarget): Promise<Transport> => {
    checkTcpTarget(target);
    checkTlsOptions(target);
    if (target.signal.aborted) throw abortedError(target);
    return finishDial(new WorkersTransport(await opened(connect, target), target), target);
  };
}

function checkTlsOptions(target: DialTarget): void {
  const { handshakeFirst, servername, ...others }: TlsOptions = target.tls ?? {};
  const option = Object.keys(others).find((name) => others[name] !== undefined);
  if (option === undefined) return;
  const server = serverOf(target);
  throw new NatsError(
    "UNSUPPORTED",
    `the sockets of Workers take no tls.${option}: leave it out, and give ${server} a certificate of a public authority`,
    { server },
  );
}

/** A socket that is connected. None is left behind when the signal fires. */
async function opened(connect: WorkersConnect, target: DialTarget): Promise<WorkersSocket> {
  const { hostname, port, signal } = target;
  const server = serverOf(target);
  let socket: WorkersSocket;
  try {
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    socket = connect({ hostname: host, port }, { secureTransport: "starttls", allowHalfOpen: false });
  } catch (cause) {
    throw new InvalidArgumentError(`cannot dial ${server}: ${(cause as Error).message}`, { server, cause });
  }
  const discard = (): void => void socket.close().catch(ignore);
  socket.closed.catch(ignore);
  signal.addEventListener("abort", discard);
  try {
    await Promise.race([socket.opened, socket.closed]);
  } catch (cause) {
    if (!signal.aborted) {
      throw new ConnectionError(`cannot connect to ${server}: ${(cause as Error).message}`, {
        server,
        cause,
      });
    }
  } finally {
    signal.removeEventListener("abort", discard);
  }
  if (signal.aborted) throw abortedError(target);
  return socket;
}

const ignore = (): undefined => undefined;

class WorkersTransport implements Transport {
  encrypted = false;
  buffered = 0;
  // a write that is done has left nothing behind
  readonly copies = true;
  readonly #target: DialTarget;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #socket: WorkersSocket;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #events: TransportEvents | undefined;
  /** what the runtime has not taken yet, oldest first */
  #queue: Uint8Array[] = [];
  #writing = false;
  #reading = false;
  /** ends the turn in which the reading waits for startTls() */
  #readOn: (() => void) | undefined;
  /** rejects startTls(), while it runs */
  #handshake: ((error: Error) => void) | undefined;
  #error: Error | undefined;
  #limit: ReturnType<typeof setTimeout> | undefined;
  /** nothing more is taken or delivered, but onClose */
  #over = false;
  /** the socket is closed */
  #closed = false;
  /** something was written in clear, or under TLS: it will not be started any more */
  #spoke = false;

  constructor(socket: WorkersSocket, target: DialTarget) {
    this.#target = target;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
  }

  open(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed) queueMicrotask(this.#report);
    else void this.#read();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    this.buffered += bytes.length;
    this.#queue.push(bytes);
    if (!this.#handshake && !this.#writing) void this.#send();
    // that the runtime has it, only a later turn tells
    return false;
  }

  startTls(): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = serverOf(this.#target);
      if (this.#over || this.encrypted || this.#handshake || this.#spoke || this.#reading) {
        const why = this.#over
          ? "the connection is over"
          : this.encrypted || this.#handshake
            ? "the connection is under TLS already"
            : "in Workers it begins in the turn in which bytes came, before any are sent";
        reject(new NatsError("TLS", `cannot start TLS with ${server}: ${why}`, { server }));
        return;
      }
      this.#handshake = reject;
      this.#readOn?.();
      void this.#upgrade().then(resolve);
    });
  }

  close(settled = false): Promise<void> {
    if (this.#handshake || (settled && !this.encrypted)) this.destroy();
    if (!this.#over) {
      this.#over = true;
      this.#limit = setTimeout(() => {
        this.destroy(unsentError(serverOf(this.#target), this.buffered));
      }, CLOSE_LIMIT);
      (this.#limit as { unref?(): void }).unref?.();
      this.#readOn?.();
      if (!this.#writing) this.#shut();
      // read on until the peer closes as well: closing over unread bytes would reset the link and cut off ours
      if (!this.#events) void this.#read();
    }
    return this.#gone;
  }

  destroy(error?: Error): void {
    this.#end(error);
  }

  /** Give the runtime what waits, one piece at a time. */
  async #send(): Promise<void> {
    this.#writing = this.#spoke = true;
    this.#readOn?.();
    try {
      for (let [bytes] = this.#queue; bytes && !this.#closed; [bytes] = this.#queue) {
        await this.#writer.write(bytes);
        if (this.#closed) return;
        this.buffered -= bytes.length;
        this.#queue.shift();
      }
    } catch (cause) {
      this.#broke(cause as Error);
      return;
    }
    this.#writing = false;
    if (this.#over) this.#shut();
    else this.#events?.onDrain();
  }

  /** End our half. When that fails the reading ends as well. */
  #shut(): void {
    this.#writer.close().catch(ignore);
  }

  async #read(): Promise<void> {
    try {
      while (!this.#closed && !this.#handshake) {
        this.#reading = true;
        const { value, done } = await this.#reader.read();
        this.#reading = false;
        if (this.#closed) return;
        if (done) return this.#end();
        if (this.#over) continue;
        // some runtimes give Buffers, whose slice() and subarray() differ
        this.#events?.onData(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
        if (!this.#spoke) await this.#turn();
      }
    } catch (cause) {
      this.#broke(cause as Error);
    }
  }

  /** A stream that is being read cannot be upgraded: as long as nothing was written, there is a turn for startTls(). */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#readOn = resolve;
      setTimeout(resolve);
    });
  }

  /** Never rejects; when it fails the transport is over, and so startTls() has rejected. */
  async #upgrade(): Promise<void> {
    const { tls, tlsName } = this.#target;
    const name = tls?.servername ?? tlsName;
    try {
      this.#reader.releaseLock();
      this.#writer.releaseLock();
      // the name of the address is verified by itself
      const socket = this.#socket.startTls(name === undefined ? {} : { expectedServerHostname: name });
      socket.closed.catch(ignore);
      this.#socket = socket;
      this.#reader = socket.readable.getReader();
      this.#writer = socket.writable.getWriter();
      await socket.opened;
    } catch (cause) {
      this.#broke(cause as Error);
    }
    if (this.#closed) return;
    this.#handshake = undefined;
    this.encrypted = this.#spoke = true;
    if (this.#queue.length > 0) void this.#send();
    if (this.#events) void this.#read();
  }

  /** Reading, writing or the handshake failed. */
  #broke(cause: Error): void {
    const server = serverOf(this.#target);
    const facts = { server, cause };
    if (this.#handshake) {
      this.#end(
        new NatsError(
          "TLS",
          `the TLS handshake with ${server} failed: ${cause.message} (Workers trust public authorities only)`,
          facts,
        ),
      );
    } else {
      // after close(), once everything is sent, it does not matter how the peer ends it
      const settled = this.#over && this.buffered === 0;
      this.#end(
        settled
          ? undefined
          : new ConnectionError(`the connection to ${server} broke: ${cause.message}`, facts),
      );
    }
  }

  #end(error?: Error): void {
    if (this.#closed) return;
    this.#closed = this.#over = true;
    this.#error = error;
    clearTimeout(this.#limit);
    this.#queue = [];
    this.#socket.close().catch(ignore);
    this.#readOn?.();
    if (this.#handshake) {
      const server = serverOf(this.#target);
      this.#error ??= new NatsError("TLS", `${server} closed the connection during the TLS handshake`, {
        server,
      });
      this.#handshake(this.#error);
      this.#handshake = undefined;
    }
    this.#resolveGone();
    queueMicrotask(this.#report);
  }

  #report = (): void => {
    const events = this.#events;
    this.#events = undefined;
    events?.onClose(this.#error);
  };
}
