// TCP and TLS on node:net and node:tls, for Node and Bun: `dialTcp`, handed to createConnect by the entry of these runtimes.
import { X509Certificate } from "node:crypto";
import dns from "node:dns";
import { readFile } from "node:fs/promises";
import net from "node:net";
import tls from "node:tls";
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import { abortedError, checkTcpTarget, finishDial, serverOf, unsentError } from "./dial.ts";
import { connectFirst, type Sockets } from "./happy-eyeballs.ts";
import { readTlsFiles } from "./tls.ts";
import { CLIENT_CERT_HINT, tlsError, type TlsFault } from "./tls-error.ts";
import type { Dialer, DialTarget, Transport, TransportEvents } from "./transport.ts";

/** How long close() waits for the peer. */
const CLOSE_LIMIT = 5000;
/** Silence before the system probes whether the peer is still there. */
const KEEP_ALIVE_DELAY = 30_000;

/**
 * Dials `nats://` and `tls://` targets over TCP.
 *
 * A host name is resolved by the system (so `/etc/hosts` counts) at every dial; its addresses are shuffled unless
 * `noRandomize`, and each gets 250 ms before the next is tried beside it. Files named in the TLS options are read at
 * every dial, so that renewed certificates are picked up.
 *
 * @throws {NatsError} `CONNECTION_REFUSED`, `CONNECTION`, `TLS`, `INVALID_ARGUMENT`, `UNSUPPORTED`, `ABORTED`
 */
export const dialTcp: Dialer = async (target: DialTarget): Promise<Transport> => {
  checkTcpTarget(target);
  const { handshakeFirst, ...options } = await readTlsFiles(target.tls ?? {}, (path) =>
    readFile(path, "utf8"),
  );
  if (target.signal.aborted) throw abortedError(target);
  const socket = await connectFirst(target, sockets);
  return finishDial(new TcpTransport(socket, target, options as tls.ConnectionOptions), target);
};

const sockets: Sockets<net.Socket> = {
  // dns.lookup, not dns.resolve: /etc/hosts and the names of a container network count
  lookup: (hostname) =>
    new Promise((resolve) => {
      if (net.isIP(hostname) > 0) resolve([hostname]);
      else {
        dns.lookup(hostname, { all: true }, (error, found) =>
          resolve(error ? [] : found.map(({ address }) => address)),
        );
      }
    }),

  open: (host, port, signal) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({
        host,
        port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_DELAY,
      });
      const giveUp = (): void => void socket.destroy();
      signal.addEventListener("abort", giveUp);
      socket.on("error", reject);
      socket.once("connect", () => {
        signal.removeEventListener("abort", giveUp);
        resolve(socket);
      });
    }),

  discard: (socket) => void socket.destroy(),
};

/** What the codes of OpenSSL mean; undefined when it is not about TLS. */
function tlsFault({ code = "" }: NodeJS.ErrnoException, certified: boolean): TlsFault | undefined {
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "name";
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return "time";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "authority";
  }
  if (/CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT_BAD_CERTIFICATE/.test(code) && !certified) {
    return "no-client-certificate";
  }
  if (/ALERT_.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) return "client-certificate";
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code)) return "not-tls";
  return /SSL|TLS|CERT|EPROTO|CRL|SIGNATURE/.test(code) ? "other" : undefined;
}

/** The runtime's own check, plus OpenSSL's where that fails: Node 22.23 matches no IPv6 address with any certificate. */
function checkIPv6(host: string, cert: tls.PeerCertificate): Error | undefined {
  const error = tls.checkServerIdentity(host, cert);
  return error && new X509Certificate(cert.raw).checkIP(host) ? undefined : error;
}

class TcpTransport implements Transport {
  encrypted = false;
  readonly #target: DialTarget;
  readonly #options: tls.ConnectionOptions;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #socket: net.Socket;
  #events: TransportEvents | undefined;
  /** rejects startTls(), while it runs */
  #handshake: ((error: Error) => void) | undefined;
  #error: Error | undefined;
  /** write() returned false, onDrain is owed */
  #held = false;
  /** what the system had not taken when we last knew: a socket that is destroyed forgets it */
  #left = 0;
  /** nothing more is taken or delivered, but onClose */
  #over = false;
  /** the socket said 'close' */
  #closed = false;
  /** something came from the peer since the last upgrade */
  #heard = false;

  constructor(socket: net.Socket, target: DialTarget, options: tls.ConnectionOptions) {
    this.#target = target;
    this.#options = options;
    this.#socket = socket;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.#attach(socket);
  }

  get buffered(): number {
    return this.#socket.destroyed ? this.#left : this.#socket.writableLength;
  }

  // Without TLS, true from write() means that the system has it.
  get copies(): boolean {
    return !this.encrypted;
  }

  open(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed) queueMicrotask(this.#report);
    else this.#socket.on("data", this.#onData);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    const socket = this.#socket;
    // dead, and 'close' has not come yet
    if (socket.destroyed) {
      this.#left += bytes.length;
      return false;
    }
    socket.write(bytes, this.#onWritten);
    this.#left = socket.writableLength;
    if (this.#left === 0) return true;
    this.#held = true;
    return false;
  }

  startTls(): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = serverOf(this.#target);
      if (this.#over || this.encrypted || this.#handshake) {
        const state = this.#over ? "over" : "under TLS already";
        reject(
          new NatsError("TLS", `cannot start TLS with ${server}: the connection is ${state}`, { server }),
        );
        return;
      }
      const plain = this.#socket;
      // the name to verify: the certificate is checked against an IP too, but SNI must be a name
      const host = this.#options.servername ?? this.#target.tlsName ?? this.#target.hostname;
      const options: tls.ConnectionOptions = {
        rejectUnauthorized: true,
        ...this.#options,
        socket: plain,
        host,
      };
      if (net.isIPv6(host)) options.checkServerIdentity ??= checkIPv6;
      if (net.isIP(host)) delete options.servername;
      else options.servername = host;
      // first: a runtime may go on to give the plain socket's listeners what belongs to TLS
      this.#detach(plain);
      this.#handshake = reject;
      try {
        const socket = tls.connect(options, () => {
          this.#handshake = undefined;
          this.encrypted = true;
          resolve();
        });
        this.#socket = socket;
        this.#heard = false;
      } catch (cause) {
        this.destroy(
          new InvalidArgumentError(
            `the tls options for ${server} cannot be used (${(cause as Error).message}): ` +
              "cert, key and ca are PEM texts, and key belongs to cert",
            { server, cause },
          ),
        );
      }
      this.#attach(this.#socket);
    });
  }

  close(settled = false): Promise<void> {
    if (this.#handshake || (settled && !this.encrypted)) this.destroy();
    if (!this.#over) {
      this.#over = true;
      const socket = this.#socket;
      const timer = setTimeout(() => {
        this.destroy(unsentError(serverOf(this.#target), socket.writableLength));
      }, CLOSE_LIMIT);
      timer.unref();
      socket.once("close", () => clearTimeout(timer));
      socket.end();
      // read on until the peer closes as well: closing over unread bytes would reset the link and cut off ours
      socket.resume();
    }
    return this.#gone;
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#over = true;
    this.#error ??= error;
    this.#socket.destroy();
  }

  #attach(socket: net.Socket): void {
    socket.on("error", this.#onError).on("end", this.#onEnd).on("close", this.#onGone);
    if (this.#events) socket.on("data", this.#onData);
  }

  #detach(socket: net.Socket): void {
    // 'error' stays: without a listener it would end the process
    socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onGone);
  }

  #onData = (chunk: Uint8Array): void => {
    if (this.#over) return;
    this.#heard = true;
    // never a Buffer: its slice() and subarray() differ, and the arrays reach the user
    this.#events?.onData(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  };

  // one function for all writes, which costs nothing; its calls tell when the system has taken everything
  #onWritten = (): void => {
    // also called for all that a socket that breaks has not sent
    if (this.#socket.destroyed) return;
    this.#left = this.#socket.writableLength;
    if (!this.#held || this.#over || this.#left > 0) return;
    this.#held = false;
    this.#events?.onDrain();
  };

  #onError = (cause: NodeJS.ErrnoException): void => {
    // after close(), once everything is sent, it does not matter how the peer ends it
    if (this.#error || (this.#over && this.#socket.writableFinished)) return;
    const server = serverOf(this.#target);
    const certified = Boolean(this.#options.cert || this.#options.pfx);
    const fault = tlsFault(cause, certified);
    if (fault) {
      const detail = fault === "name" || fault === "other" ? cause.message : `${cause.code}`;
      this.#error = tlsError(fault, detail, this.#target, cause);
      return;
    }
    const reset = cause.code === "ECONNRESET" || cause.code === "EPIPE";
    if (this.#handshake) {
      this.#error = new NatsError("TLS", `the TLS handshake with ${server} failed: ${cause.message}`, {
        server,
        cause,
      });
      return;
    }
    // TLS 1.3 refuses a client after the handshake, and the reset can overtake the alert that says why
    const hint =
      reset && this.encrypted && !this.#heard && !certified
        ? `; if it demands a certificate of the client, ${CLIENT_CERT_HINT}`
        : "";
    this.#error = new ConnectionError(
      `the connection to ${server} broke: ${cause.code ?? cause.message}${hint}`,
      {
        server,
        cause,
      },
    );
  };

  /** The peer ended its half. It takes nothing any more, so neither wait for it to read the rest. */
  #onEnd = (): void => {
    this.#socket.destroy();
  };

  #onGone = (): void => {
    this.#closed = this.#over = true;
    if (this.#handshake) {
      const server = serverOf(this.#target);
      this.#error ??= new NatsError("TLS", `${server} closed the connection during the TLS handshake`, {
        server,
      });
      this.#handshake(this.#error);
      this.#handshake = undefined;
    }
    this.#resolveGone();
    this.#report();
  };

  #report = (): void => {
    const events = this.#events;
    this.#events = undefined;
    events?.onClose(this.#error);
  };
}
