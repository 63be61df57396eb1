// isonats/cloudflare: TCP and TLS on the sockets of Cloudflare Workers, which the user hands in; for createConnect.
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import { type AwaitedSocket, AwaitedTransport, type Circumstances } from "./awaited-transport.ts";
import { abortedError, checkTcpTarget, finishDial, serverOf } from "./dial.ts";
import type { TlsOptions } from "./tls.ts";
import type { Dialer, DialTarget, Transport } from "./transport.ts";

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
    const socket = new StreamSocket(await opened(connect, target), target);
    return finishDial(new AwaitedTransport(socket, target), target);
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

class StreamSocket implements AwaitedSocket {
  readonly runtime = "Workers";
  readonly #target: DialTarget;
  #socket: WorkersSocket;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(socket: WorkersSocket, target: DialTarget) {
    this.#target = target;
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
  }

  async read(): Promise<Uint8Array | undefined> {
    const { value, done } = await this.#reader.read();
    // some runtimes give Buffers, whose slice() and subarray() differ
    return done ? undefined : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#writer.write(bytes);
    return bytes.length;
  }

  shut(): Promise<void> {
    return this.#writer.close();
  }

  close(): void {
    this.#socket.close().catch(ignore);
  }

  async startTls(): Promise<void> {
    const { tls, tlsName } = this.#target;
    const name = tls?.servername ?? tlsName;
    this.#reader.releaseLock();
    this.#writer.releaseLock();
    // the name of the address is verified by itself
    const socket = this.#socket.startTls(name === undefined ? {} : { expectedServerHostname: name });
    socket.closed.catch(ignore);
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
    await socket.opened;
  }

  explain(cause: Error, { handshake }: Circumstances): NatsError {
    const server = serverOf(this.#target);
    const facts = { server, cause };
    if (!handshake) return new ConnectionError(`the connection to ${server} broke: ${cause.message}`, facts);
    return new NatsError(
      "TLS",
      `the TLS handshake with ${server} failed: ${cause.message} (Workers trust public authorities only)`,
      facts,
    );
  }
}
