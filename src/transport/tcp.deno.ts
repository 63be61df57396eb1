// TCP and TLS on Deno's own sockets: `dialTcp`, handed to createConnect by the entry of Deno.
import dns from "node:dns";
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import { type AwaitedSocket, AwaitedTransport, type Circumstances } from "./awaited-transport.ts";
import { abortedError, checkTcpTarget, finishDial, serverOf } from "./dial.ts";
import { connectFirst, type Sockets } from "./happy-eyeballs.ts";
import { readTlsFiles, type TlsOptions } from "./tls.ts";
import { CLIENT_CERT_HINT, tlsError, type TlsFault } from "./tls-error.ts";
import type { Dialer, DialTarget, Transport } from "./transport.ts";

/** What one read takes at most. */
const READ_SIZE = 65_536;

/** The part of Deno that is used here. */
interface Deno {
  connect(options: { hostname: string; port: number; signal: AbortSignal }): Promise<TcpConn>;
  startTls(conn: TcpConn, options: { hostname: string; caCerts?: string[] }): Promise<TlsConn>;
  readTextFile(path: string): Promise<string>;
  permissions: { query(of: { name: "net" }): Promise<{ state: string }> };
}

interface Conn {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

interface TcpConn extends Conn {
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean): void;
}

interface TlsConn extends Conn {
  handshake(): Promise<unknown>;
}

const runtime = (): Deno => (globalThis as unknown as { Deno: Deno }).Deno;

/**
 * Dials `nats://` and `tls://` targets over TCP.
 *
 * A host name is resolved by the system (so `/etc/hosts` counts) at every dial; its addresses are shuffled unless
 * `noRandomize`, and each gets 250 ms before the next is tried beside it. Where the permission to use the network is for
 * certain hosts only, Deno resolves the name while it connects. Files named in the TLS options are read at every dial.
 *
 * @throws {NatsError} `CONNECTION_REFUSED`, `CONNECTION`, `TLS`, `INVALID_ARGUMENT`, `UNSUPPORTED`, `ABORTED`
 */
export const dialTcp: Dialer = async (target: DialTarget): Promise<Transport> => {
  if (needsNode(target.tls ?? {})) return (await import("./tcp.node.ts")).dialTcp(target);
  checkTcpTarget(target);
  const options = await readTlsFiles(target.tls ?? {}, (path) => runtime().readTextFile(path));
  if (target.signal.aborted) throw abortedError(target);
  const socket = new DenoSocket(await connectFirst(target, sockets), target, options);
  return finishDial(new AwaitedTransport(socket, target), target);
};

/** Whether the options are beyond Deno.startTls, such as a certificate of the client; node:tls in Deno knows them all. */
function needsNode({
  handshakeFirst,
  ca,
  caFile,
  servername,
  rejectUnauthorized = true,
  ...others
}: TlsOptions): boolean {
  return !rejectUnauthorized || Object.values(others).some((value) => value !== undefined);
}

const sockets: Sockets<TcpConn> = {
  lookup: async (hostname) => {
    if (/^[\d.]+$|:/.test(hostname)) return [hostname];
    // a permission for certain hosts knows them by their names
    const { state } = await runtime().permissions.query({ name: "net" });
    if (state !== "granted") return [];
    return new Promise((resolve) => {
      // not Deno.resolveDns: the names of a container network count
      dns.lookup(hostname, { all: true }, (error, found) =>
        resolve(error ? [] : found.map(({ address }) => address)),
      );
    });
  },

  open: async (hostname, port, signal) => {
    const conn = await runtime()
      .connect({ hostname, port, signal })
      .catch((error: Error & { code?: unknown }) => {
        // a name that can't be resolved: the only error with neither a code nor a class of its own
        if (error.name === "Error" && error.code === undefined) error.code = "ENOTFOUND";
        throw error;
      });
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
    return conn;
  },

  discard: (conn) => conn.close(),
};

/** What a text of rustls means. */
function tlsFault(text: string): TlsFault {
  if (/not valid for name|NotValidForName/.test(text)) return "name";
  if (/expired|not valid (yet|before)|NotValidYet/i.test(text)) return "time";
  if (/UnknownIssuer|CaUsedAsEndEntity/.test(text)) return "authority";
  if (/alert: (CertificateRequired|HandshakeFailure|BadCertificate)/.test(text))
    return "no-client-certificate";
  return /corrupt message/.test(text) ? "not-tls" : "other";
}

class DenoSocket implements AwaitedSocket {
  readonly runtime = "Deno";
  readonly #target: DialTarget;
  readonly #options: TlsOptions;
  #conn: TcpConn | TlsConn;
  #closed = false;
  #buffer = new Uint8Array(READ_SIZE);

  constructor(conn: TcpConn, target: DialTarget, options: TlsOptions) {
    this.#conn = conn;
    this.#target = target;
    this.#options = options;
  }

  async read(): Promise<Uint8Array | undefined> {
    const buffer = this.#buffer;
    const size = await this.#conn.read(buffer);
    if (size === null) return undefined;
    // small pieces are copied, so that a message that is kept does not keep all of the buffer
    if (size < READ_SIZE / 2) return buffer.slice(0, size);
    this.#buffer = new Uint8Array(READ_SIZE);
    return buffer.subarray(0, size);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  shut(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#closed = true;
    try {
      this.#conn.close();
    } catch {
      // startTls has it, and closes what it makes of it
    }
  }

  async startTls(): Promise<void> {
    const { ca, servername } = this.#options;
    const hostname = servername ?? this.#target.tlsName ?? this.#target.hostname;
    let conn: TlsConn;
    try {
      conn = await runtime().startTls(this.#conn as TcpConn, {
        hostname,
        ...(ca !== undefined && { caCerts: [ca] }),
      });
    } catch (cause) {
      const server = serverOf(this.#target);
      throw new InvalidArgumentError(
        `the tls options for ${server} cannot be used (${(cause as Error).message}): ` +
          "ca is a PEM text, and servername a host name",
        { server, cause },
      );
    }
    if (this.#closed) return conn.close();
    this.#conn = conn;
    await conn.handshake();
  }

  explain(cause: Error, { handshake, encrypted, heard }: Circumstances): NatsError | undefined {
    const server = serverOf(this.#target);
    const { name, message, code = name } = cause as Error & { code?: string };
    // a peer that closes without a word of TLS has closed
    if (name === "UnexpectedEof") return undefined;
    // of all that is no error of the system
    if (name === "InvalidData") return tlsError(tlsFault(message), message, this.#target, cause);
    if (handshake) {
      return new NatsError("TLS", `the TLS handshake with ${server} failed: ${message}`, { server, cause });
    }
    // TLS 1.3 refuses a client after the handshake, and the reset can overtake the alert that says why
    const hint =
      encrypted && !heard ? `; if it demands a certificate of the client, ${CLIENT_CERT_HINT}` : "";
    return new ConnectionError(`the connection to ${server} broke: ${code}${hint}`, { server, cause });
  }
}
