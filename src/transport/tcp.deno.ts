// TCP and TLS on Deno's own sockets: `dialTcp`, handed to createConnect by the entry of Deno.
import dns from "node:dns";
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import { abortedError, checkTcpTarget, finishDial, serverOf, unsentError } from "./dial.ts";
import { connectFirst, type Sockets } from "./happy-eyeballs.ts";
import { readTlsFiles, type TlsOptions } from "./tls.ts";
import { CLIENT_CERT_HINT, tlsError, type TlsFault } from "./tls-error.ts";
import type { Dialer, DialTarget, Transport, TransportEvents } from "./transport.ts";

/** What one read takes at most. */
const READ_SIZE = 65_536;
/** How long close() waits for the peer. */
const CLOSE_LIMIT = 5000;

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
  return finishDial(new DenoTransport(await connectFirst(target, sockets), target, options), target);
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

class DenoTransport implements Transport {
  encrypted = false;
  buffered = 0;
  // a write that is done has left nothing behind
  readonly copies = true;
  readonly #target: DialTarget;
  readonly #options: TlsOptions;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #conn: TcpConn | TlsConn;
  #events: TransportEvents | undefined;
  /** what Deno has not taken yet, oldest first */
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
  /** something came from the peer since the last upgrade */
  #heard = false;

  constructor(conn: TcpConn, target: DialTarget, options: TlsOptions) {
    this.#conn = conn;
    this.#target = target;
    this.#options = options;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
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
    // that Deno has it, only a later turn tells
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
            : "in Deno it begins in the turn in which bytes came, before any are sent";
        reject(new NatsError("TLS", `cannot start TLS with ${server}: ${why}`, { server }));
        return;
      }
      this.#handshake = reject;
      this.#readOn?.();
      void this.#upgrade(this.#conn as TcpConn, server).then(resolve);
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

  /** Give Deno what waits, one piece at a time. */
  async #send(): Promise<void> {
    this.#writing = this.#spoke = true;
    this.#readOn?.();
    try {
      for (let [bytes] = this.#queue; bytes && !this.#closed; [bytes] = this.#queue) {
        const size = await this.#conn.write(bytes);
        if (this.#closed) return;
        this.buffered -= size;
        if (size < bytes.length) this.#queue[0] = bytes.subarray(size);
        else this.#queue.shift();
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
    this.#conn.closeWrite().catch(() => undefined);
  }

  async #read(): Promise<void> {
    const conn = this.#conn;
    let buffer = new Uint8Array(READ_SIZE);
    try {
      while (!this.#closed && !this.#handshake) {
        this.#reading = true;
        const size = await conn.read(buffer);
        this.#reading = false;
        if (this.#closed) return;
        if (size === null) return this.#end();
        if (this.#over) continue;
        this.#heard = true;
        // small pieces are copied, so that a message that is kept does not keep all of the buffer
        const small = size < READ_SIZE / 2;
        this.#events?.onData(small ? buffer.slice(0, size) : buffer.subarray(0, size));
        if (!small) buffer = new Uint8Array(READ_SIZE);
        if (!this.#spoke) await this.#turn();
      }
    } catch (cause) {
      this.#broke(cause as Error);
    }
  }

  /** Deno upgrades no connection on which a read waits: as long as nothing was written, there is a turn for startTls(). */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#readOn = resolve;
      setTimeout(resolve);
    });
  }

  /** Never rejects; when it fails the transport is over, and so startTls() has rejected. */
  async #upgrade(plain: TcpConn, server: string): Promise<void> {
    const { ca, servername } = this.#options;
    const hostname = servername ?? this.#target.tlsName ?? this.#target.hostname;
    try {
      const conn = await runtime().startTls(plain, { hostname, ...(ca !== undefined && { caCerts: [ca] }) });
      if (this.#closed) return conn.close();
      this.#conn = conn;
    } catch (cause) {
      this.#end(
        new InvalidArgumentError(
          `the tls options for ${server} cannot be used (${(cause as Error).message}): ` +
            "ca is a PEM text, and servername a host name",
          { server, cause },
        ),
      );
      return;
    }
    try {
      await (this.#conn as TlsConn).handshake();
    } catch (cause) {
      this.#broke(cause as Error);
    }
    if (this.#closed) return;
    this.#handshake = undefined;
    this.encrypted = this.#spoke = true;
    this.#heard = false;
    if (this.#queue.length > 0) void this.#send();
    if (this.#events) void this.#read();
  }

  /** Reading, writing or the handshake failed. */
  #broke(cause: Error): void {
    // after close(), once everything is sent, it does not matter how the peer ends it
    const over = this.#over && this.buffered === 0;
    // a peer that closes without a word of TLS has closed
    this.#end(over || cause.name === "UnexpectedEof" ? undefined : this.#errorOf(cause));
  }

  #errorOf(cause: Error): NatsError {
    const server = serverOf(this.#target);
    const { name, message, code = name } = cause as Error & { code?: string };
    // of all that is no error of the system
    if (name === "InvalidData") return tlsError(tlsFault(message), message, this.#target, cause);
    if (this.#handshake) {
      return new NatsError("TLS", `the TLS handshake with ${server} failed: ${message}`, { server, cause });
    }
    // TLS 1.3 refuses a client after the handshake, and the reset can overtake the alert that says why
    const hint =
      this.encrypted && !this.#heard
        ? `; if it demands a certificate of the client, ${CLIENT_CERT_HINT}`
        : "";
    return new ConnectionError(`the connection to ${server} broke: ${code}${hint}`, { server, cause });
  }

  #end(error?: Error): void {
    if (this.#closed) return;
    this.#closed = this.#over = true;
    this.#error = error;
    clearTimeout(this.#limit);
    this.#queue = [];
    try {
      this.#conn.close();
    } catch {
      // startTls has it, and closes what it makes of it
    }
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
