// TCP and TLS on node:net and node:tls, for Node and Bun: `dialTcp`, handed to createConnect by the entry of these runtimes.
import { X509Certificate } from "node:crypto";
import dns from "node:dns";
import { readFile } from "node:fs/promises";
import net from "node:net";
import tls from "node:tls";
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import { abortedError, serverOf, unsentError } from "./dial.ts";
import type { TlsOptions } from "./tls.ts";
import type { Dialer, DialTarget, Transport, TransportEvents } from "./transport.ts";

/** How long one address may take before the next is tried beside it, RFC 8305's connection attempt delay. */
const ATTEMPT_DELAY = 250;
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
  if (target.scheme !== "nats" && target.scheme !== "tls") {
    throw new NatsError(
      "UNSUPPORTED",
      `${target.scheme}://${serverOf(target)} is a WebSocket address; the TCP transport takes nats:// and tls://`,
      { server: serverOf(target) },
    );
  }
  if (!Number.isInteger(target.port) || target.port < 1 || target.port > 65535) {
    throw new InvalidArgumentError(`${serverOf(target)} has no port between 1 and 65535`);
  }
  const options = await readTlsOptions(target.tls ?? {});
  if (target.signal.aborted) throw abortedError(target);
  const transport = await connect(target, options);
  if (target.handshakeFirst) {
    const abort = (): void => transport.destroy(abortedError(target));
    target.signal.addEventListener("abort", abort);
    try {
      await transport.startTls();
    } finally {
      target.signal.removeEventListener("abort", abort);
    }
  }
  if (target.signal.aborted) {
    transport.destroy();
    throw abortedError(target);
  }
  return transport;
};

/** The user's options without ours, with the files read. */
async function readTlsOptions(options: TlsOptions): Promise<tls.ConnectionOptions> {
  const { handshakeFirst, certFile, keyFile, caFile, ...read } = options;
  const files = { cert: certFile, key: keyFile, ca: caFile };
  for (const name of ["cert", "key", "ca"] as const) {
    const path = files[name];
    if (path === undefined) continue;
    if (read[name] !== undefined) {
      throw InvalidArgumentError.format([`tls.${name}`, `tls.${name}File`], "are mutually exclusive");
    }
    try {
      read[name] = await readFile(path, "utf8");
    } catch (cause) {
      throw new InvalidArgumentError(
        `tls.${name}File: cannot read '${path}' (${(cause as NodeJS.ErrnoException).code}); ` +
          `check the path and its permissions, or give the PEM text as tls.${name}`,
        { cause },
      );
    }
  }
  return read as tls.ConnectionOptions;
}

function shuffle(list: string[]): string[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j] as string, list[i] as string];
  }
  return list;
}

/** Resolve the name, then try its addresses, staggered, until the first one connects; the others are destroyed. */
function connect(target: DialTarget, options: tls.ConnectionOptions): Promise<TcpTransport> {
  const { hostname, port, signal } = target;
  return new Promise((resolve, reject) => {
    const attempts = new Set<net.Socket>();
    const failures: Error[] = [];
    let addresses: string[] = [];
    let timer: NodeJS.Timeout | undefined;
    let settled = false;

    const settle = (winner?: net.Socket): void => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      for (const socket of attempts) if (socket !== winner) socket.destroy();
    };
    const abort = (): void => {
      settle();
      reject(abortedError(target));
    };
    const next = (): void => {
      clearTimeout(timer);
      const host = addresses.shift();
      if (host === undefined) {
        if (attempts.size > 0) return;
        settle();
        reject(dialError(failures, target));
        return;
      }
      const failed = (error: Error): void => {
        if (settled) return;
        failures.push(error);
        attempts.delete(socket);
        next();
      };
      const socket = net.connect({
        host,
        port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_DELAY,
      });
      attempts.add(socket);
      socket.on("error", failed);
      socket.once("connect", () => {
        if (settled) return;
        settle(socket);
        socket.off("error", failed);
        resolve(new TcpTransport(socket, target, options));
      });
      if (addresses.length > 0) timer = setTimeout(next, ATTEMPT_DELAY);
    };
    const begin = (found: string[]): void => {
      if (settled) return;
      addresses = target.noRandomize ? found : shuffle(found);
      next();
    };

    signal.addEventListener("abort", abort);
    if (net.isIP(hostname) > 0) {
      begin([hostname]);
    } else {
      // dns.lookup, not dns.resolve: /etc/hosts and the names of a container network count. Where it fails the
      // socket is given the name itself, and its error is the one to report.
      dns.lookup(hostname, { all: true }, (error, found) =>
        begin(error || found.length === 0 ? [hostname] : found.map(({ address }) => address)),
      );
    }
  });
}

/** What to say of a dial all of whose addresses failed. */
function dialError(failures: Error[], target: DialTarget): NatsError {
  const server = serverOf(target);
  const codes = failures.map((error) => (error as NodeJS.ErrnoException).code ?? error.message);
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures, codes.join(", "));
  const facts = { server, cause };
  if (codes.includes("ECONNREFUSED")) {
    return new ConnectionError(
      `connection refused: nothing listens at ${server}`,
      facts,
      "CONNECTION_REFUSED",
    );
  }
  const code = codes[0] as string;
  return new ConnectionError(
    code === "ENOTFOUND" || code === "EAI_AGAIN"
      ? `the host name '${target.hostname}' cannot be resolved (${code}): check its spelling and the DNS`
      : `cannot connect to ${server}: ${[...new Set(codes)].join(", ")}`,
    facts,
  );
}

const CLIENT_CERT_HINT = "set tls.cert (or certFile) and tls.key (or keyFile)";

/** What to say of a TLS handshake that failed, or of an alert after it; undefined when it is not about TLS. */
function tlsError(
  cause: NodeJS.ErrnoException,
  target: DialTarget,
  options: tls.ConnectionOptions,
): NatsError | undefined {
  const server = serverOf(target);
  const code = cause.code ?? "";
  const fail = (text: string): NatsError => new NatsError("TLS", text, { server, cause });
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return fail(
        `the certificate of ${server} is for another name (${cause.message}): ` +
          "use a name of the certificate in the address, or set tls.servername",
      );
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return fail(`the certificate of ${server} is out of its time (${code}): renew it, or check the clock`);
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return fail(
        `the certificate of ${server} is not signed by an authority that is trusted here (${code}): ` +
          "set tls.ca or tls.caFile to the authority that signed it",
      );
  }
  if (
    /CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT_BAD_CERTIFICATE/.test(code) &&
    !options.cert &&
    !options.pfx
  ) {
    return fail(`${server} demands a certificate of the client: ${CLIENT_CERT_HINT}`);
  }
  if (/ALERT_.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) {
    return fail(`${server} does not accept the certificate of the client (${code}): check tls.cert`);
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code)) {
    return fail(
      `${server} does not answer in TLS: ` +
        (target.handshakeFirst
          ? "its handshake_first is off, so leave out tls.handshakeFirst"
          : "is this the client port of a NATS server, and does it take more connections?"),
    );
  }
  return /SSL|TLS|CERT|EPROTO|CRL|SIGNATURE/.test(code)
    ? fail(`TLS with ${server} failed: ${cause.message}`)
    : undefined;
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
    this.#error = tlsError(cause, this.#target, this.#options);
    if (this.#error) return;
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
      reset && this.encrypted && !this.#heard && !this.#options.cert && !this.#options.pfx
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
