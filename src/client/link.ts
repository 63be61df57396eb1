// Link: one live transport with its decoder, its handshake and its pings. Dies once, with a reason. Made by client/connector.
//
//   INFO --(TLS?)--> TLS --> AUTH --> CONNECT + PING sent --> PONG: open --> dead
//     '----------------------^
import {
  ClosedConnectionError,
  ConnectionError,
  type NatsError,
  ProtocolError,
  isNatsError,
} from "../errors.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import { type Deferred, deferred, startTimer } from "../lib/deferred.ts";
import { Queue } from "../lib/queue.ts";
import { ClientRole, type ClientSink, type MsgSink } from "../protocol/client-role.ts";
import { Decoder } from "../protocol/decoder.ts";
import type { AuthFields, ConnectFields, ServerInfo } from "../protocol/ops.ts";
import type { Chunk, Outbox } from "../protocol/outbox.ts";
import { parseServerError, type ServerError } from "../protocol/server-error.ts";
import type { Transport, TransportEvents } from "../transport/transport.ts";
import type { ResolvedOptions } from "./options.ts";
import type { PoolServer } from "./pool.ts";
import { demandsTls, needsUpgrade } from "./upgrade.ts";

/** What a link tells its owner once it is open. */
export interface LinkOwner {
  onInfo(link: Link, info: ServerInfo): void;
  onServerError(link: Link, error: ServerError): void;
  onPing(pending: number): void;
  onStale(): void;
  /** it takes bytes again */
  onDrain(link: Link): void;
  /** the end, once; `lost` messages were given to it and are known not to have been sent whole */
  onClose(link: Link, error: NatsError, lost: number): void;
}

const WAITING_FOR_INFO = 0;
const UPGRADING = 1;
const GREETING = 2;
const OPEN = 3;
const CLOSING = 4;
const DEAD = 5;

const PONG = utf8Encoder.encode("PONG\r\n");
// milliseconds that a link which may be dead has for a sign of life; and while it has something to send, of which nothing goes
const CHECK = 5000;
const CHECK_SENDING = 10_000;
// a process that stood still has read nothing meanwhile: it loses one part of the time, not all of it
const CHECK_PARTS = 4;
// how much one batch gives the transport: what it has not sent when it breaks is lost
const BATCH = 1 << 20;

export class Link implements ClientSink, TransportEvents {
  readonly server: PoolServer;
  readonly openedAt: number = Date.now();
  info!: ServerInfo;
  /** the -ERR that came last */
  serverError: ServerError | undefined;
  readonly #transport: Transport;
  readonly #options: ResolvedOptions;
  readonly #decoder: Decoder;
  readonly #greeted: Deferred<void> = deferred();
  readonly #hello: Deferred<void> = deferred();
  // one for each PING in flight: the flush that waits for it, or undefined for a ping of the timer
  readonly #pings: Queue<Deferred<void> | undefined> = new Queue();
  #owner: LinkOwner | undefined;
  #outbox: Outbox | undefined;
  #reason: NatsError | undefined;
  #lostAtClose = 0;
  #stage = WAITING_FOR_INFO;
  #writable = true;
  #retired = false;
  #given: Chunk[] = [];
  // chunks written: in all, when the last PING was, and those that the server is known to have read
  #writes = 0;
  #writesAtPing = 0;
  #read = 0;
  #pingTimer: ReturnType<typeof setTimeout> | undefined;
  #pingsOut = 0;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  // chunks that came: in all, and when a check began
  #chunks = 0;
  #checked = 0;

  constructor(server: PoolServer, transport: Transport, options: ResolvedOptions, messages: MsgSink) {
    this.server = server;
    this.#transport = transport;
    this.#options = options;
    this.#decoder = new Decoder(new ClientRole(this, messages));
    // whoever waits for them sees the error; nobody has to
    this.#hello.catch(() => undefined);
    this.#greeted.catch(() => undefined);
  }

  // -- handshake -----------------------------------------------------------------------------------------------------

  /**
   * INFO, TLS, CONNECT, PONG. Rejects with the reason, and the link is dead then.
   * @throws {NatsError}
   */
  async greet(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.die(signal.reason as NatsError);
    signal.addEventListener("abort", onAbort);
    try {
      if (signal.aborted) throw signal.reason;
      this.#transport.open(this);
      await this.#hello;
      if (this.#stage === UPGRADING) {
        await Promise.race([this.#transport.startTls?.(), this.#greeted]);
        if (this.#stage !== UPGRADING) throw this.#deathReason();
        this.#stage = GREETING;
      }
      // an authenticator that never answers ends with the dial, as such a TLS handshake does
      const auth = (await Promise.race([this.#authenticate(), this.#greeted])) as AuthFields;
      if (this.#stage !== GREETING) throw this.#deathReason();
      this.#transport.write(
        utf8Encoder.encode(`CONNECT ${JSON.stringify(this.#connectFields(auth))}\r\nPING\r\n`),
      );
      await this.#greeted;
    } catch (error) {
      this.die(isNatsError(error) ? error : new ConnectionError("the handshake failed", { cause: error }));
      throw signal.aborted ? signal.reason : this.#deathReason();
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #deathReason(): NatsError {
    return this.#reason ?? new ClosedConnectionError();
  }

  // credentials of the address win (C-CONN-7)
  async #authenticate(): Promise<AuthFields> {
    const { user, pass, token } = this.server.address;
    if (user !== undefined) return { user, pass: pass ?? "" };
    if (token !== undefined) return { auth_token: token };
    return this.#options.authenticate(this.info.nonce);
  }

  #connectFields(auth: AuthFields): ConnectFields {
    const { name, noEcho, pedantic, verbose, runtime } = this.#options;
    const headers = this.info.headers === true;
    return {
      verbose,
      pedantic,
      tls_required: demandsTls(this.server, this.#options.tls),
      name,
      lang: runtime.lang,
      version: runtime.version,
      protocol: 1,
      echo: this.info.proto >= 1 ? !noEcho : undefined,
      headers,
      no_responders: headers,
      ...auth,
    };
  }

  // What decides about all that follows.
  #firstInfo(info: ServerInfo): void {
    this.info = info;
    const { server } = this;
    const transport = this.#transport;
    if (this.#options.noEcho && info.proto < 1) {
      throw server.failure("does not know 'noEcho': leave the option out", "UNSUPPORTED");
    }
    if (transport.maxWrite !== undefined && info.max_payload > 0) {
      transport.maxWrite = Math.min(transport.maxWrite, info.max_payload);
    }
    this.#stage = needsUpgrade(server, transport, this.#options.tls, info) ? UPGRADING : GREETING;
    this.#hello.resolve();
  }

  /** From now on the owner hears of everything, and what is in `outbox` is sent; begins to ping. */
  own(owner: LinkOwner, outbox: Outbox): void {
    this.#owner = owner;
    this.#outbox = outbox;
    // it may have died in the moment it came up
    if (this.#stage === DEAD) return queueMicrotask(() => owner.onClose(this, this.#deathReason(), 0));
    this.#schedulePing(this.#options.pingInterval);
  }

  // -- output --------------------------------------------------------------------------------------------------------

  get buffered(): number {
    return this.#transport.buffered;
  }

  /** true when it takes a batch */
  get writable(): boolean {
    return this.#writable && this.#stage === OPEN && !this.#retired;
  }

  /** Give the transport what waits, as far as it takes it. */
  send(): void {
    const outbox = this.#outbox as Outbox;
    while (this.writable && outbox.bytes > 0) this.#give(outbox.takeSome(BATCH));
    if (this.#writable && this.#transport.copies === true) outbox.rewind();
  }

  /** Write lines ahead of all that waits. */
  write(bytes: Uint8Array): void {
    this.#give([{ bytes, messages: 0, controls: [] }]);
  }

  #give(chunks: Chunk[]): void {
    for (const chunk of chunks) {
      this.#writes++;
      this.#given.push(chunk);
      if (this.#transport.write(chunk.bytes)) this.#gone();
      else this.#writable = false;
    }
  }

  // The transport takes more: it has nothing left of what it was given, or only the end of it.
  #gone(): void {
    if (this.#transport.copies === true) this.#outbox?.reuse(this.#given);
    let from = this.#given.length;
    for (let left = this.#transport.buffered; left > 0 && from > 0; from--) {
      left -= (this.#given[from - 1] as Chunk).bytes.length;
    }
    this.#given = this.#given.slice(from);
    this.#writable = true;
  }

  /** A round trip behind all that waits; rejects when the link dies first. PONGs come in the order of the PINGs. */
  ping(): Promise<void> {
    const pong = deferred<void>();
    this.#ping(pong);
    return pong;
  }

  #ping(pong: Deferred<void> | undefined): void {
    this.#outbox?.control("PING\r\n");
    this.#pings.push(pong);
    this.send();
    this.#writesAtPing = this.#outbox?.bytes === 0 ? this.#writes : -1;
  }

  /** Take all that waits, and nothing more; resolves when the server has read it. */
  retire(): Promise<void> {
    const pong = this.ping();
    this.#give((this.#outbox as Outbox).take());
    this.#retired = true;
    return pong;
  }

  // -- input ---------------------------------------------------------------------------------------------------------

  onData(bytes: Uint8Array): void {
    this.#chunks++;
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      this.die(isNatsError(error) ? error : new ProtocolError("reading failed", { cause: error }));
    }
  }

  onInfo(json: string): void {
    this.#notWhileUpgrading();
    const info = parseInfo(json);
    if (this.#stage === WAITING_FOR_INFO) this.#firstInfo(info);
    else if (this.#stage < CLOSING) {
      this.info = info;
      this.#owner?.onInfo(this, info);
    }
  }

  onErr(text: string): void {
    const error = parseServerError(text);
    // a server that is full says so in clear
    if (error.error.code !== "MAX_CONNECTIONS") this.#notWhileUpgrading();
    if (this.#stage >= CLOSING) return;
    this.serverError = error;
    if (this.#owner !== undefined) this.#owner.onServerError(this, error);
    // before the handshake is over, an error is the end of it (C-CONN-1)
    else this.die(error.error);
  }

  onPing(): void {
    this.#notWhileUpgrading();
    // never the first thing to be said: that is CONNECT
    if (this.#stage === OPEN || this.#stage === GREETING) this.#transport.write(PONG);
  }

  onPong(): void {
    this.#notWhileUpgrading();
    this.#pingsOut = 0;
    if (this.#stage === GREETING) {
      this.#stage = OPEN;
      this.#greeted.resolve();
      return;
    }
    this.#pings.shift()?.resolve();
    if (this.#pings.length === 0) this.#read = this.#writesAtPing;
  }

  #notWhileUpgrading(): void {
    if (this.#stage === UPGRADING) {
      throw new ProtocolError(`${this.server.listen} sent more than INFO before TLS`, {
        server: this.server.listen,
      });
    }
  }

  onDrain(): void {
    this.#gone();
    this.#owner?.onDrain(this);
  }

  onClose(error?: Error): void {
    if (this.#stage === CLOSING) {
      // no error: all was sent
      if (error !== undefined) this.#lostAtClose = unsent(this.#given, this.#transport.buffered);
      return;
    }
    this.die(isNatsError(error) ? error : this.server.failure("closed the connection", undefined, error));
  }

  // -- liveness ------------------------------------------------------------------------------------------------------

  #schedulePing(delay: number): void {
    this.#pingTimer = startTimer(() => this.#tick(), delay);
  }

  // One ping an interval. When as many as may be are unanswered, the last gets one second more, then the link is stale.
  #tick(): void {
    const { pingInterval, maxPingOut } = this.#options;
    if (this.#pingsOut >= maxPingOut) return this.#stale();
    this.#pingsOut++;
    this.#ping(undefined);
    this.#owner?.onPing(this.#pingsOut);
    this.#schedulePing(this.#pingsOut >= maxPingOut ? Math.min(pingInterval, 1000) : pingInterval);
  }

  #stale(): void {
    this.#owner?.onStale();
    this.die(this.server.failure("does not answer pings", "STALE_CONNECTION"));
  }

  /** It may be dead: it is, unless something comes within `ms` milliseconds. What it still has to send may take longer. */
  check(ms: number = Math.min(this.#options.pingInterval, CHECK)): void {
    if (this.#stage !== OPEN) return;
    // one that is under way, and has heard nothing, is over sooner
    if (this.#checkTimer !== undefined && this.#chunks === this.#checked) return;
    clearTimeout(this.#checkTimer);
    this.#checked = this.#chunks;
    this.#ping(undefined);
    const part = ms / CHECK_PARTS;
    let { buffered } = this;
    let writes = this.#writes;
    // milliseconds in which nothing came, and nothing went where there was something
    let quiet = 0;
    const look = (): void => {
      this.#checkTimer = undefined;
      if (this.#chunks > this.#checked) return;
      const went = this.buffered < buffered || this.#writes > writes;
      ({ buffered } = this);
      writes = this.#writes;
      quiet = buffered > 0 && went ? 0 : quiet + part;
      if (quiet >= (buffered > 0 ? Math.max(ms, CHECK_SENDING) : ms)) this.#stale();
      else this.#checkTimer = setTimeout(look, part);
    };
    this.#checkTimer = setTimeout(look, part);
  }

  // -- end -----------------------------------------------------------------------------------------------------------

  /** Orderly: all that waits is given to the transport, which sends it and closes. Resolves to the messages that were not sent. */
  async close(reason: NatsError): Promise<number> {
    if (this.#stage === DEAD) return 0;
    if (this.#outbox !== undefined) this.#give(this.#outbox.take());
    this.#stage = CLOSING;
    this.#stopTimers();
    await this.#transport.close(this.#read === this.#writes);
    this.#settle(reason);
    return this.#lostAtClose;
  }

  /** At once: the socket is destroyed. */
  die(error: NatsError): void {
    if (this.#stage >= CLOSING) return;
    const wasOpen = this.#stage === OPEN;
    const lost = unsent(this.#given, this.#transport.buffered);
    // C-ERR-7: what the server said before it closed is the reason
    const reason = this.serverError?.fatal === true ? this.serverError.error : error;
    this.#settle(reason);
    this.#transport.destroy();
    if (wasOpen) this.#owner?.onClose(this, reason, lost);
  }

  #stopTimers(): void {
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#checkTimer);
  }

  #settle(reason: NatsError): void {
    this.#stage = DEAD;
    this.#reason = reason;
    this.#stopTimers();
    this.#given = [];
    this.#hello.reject(reason);
    this.#greeted.reject(reason);
    const lost =
      reason.code === "CLOSED"
        ? reason
        : this.server.failure("was lost before it answered", "DISCONNECTED", reason);
    while (this.#pings.length > 0) this.#pings.shift()?.reject(lost);
  }
}

// Messages of the chunks that were not taken whole, when `left` bytes at the end of them were not.
function unsent(given: readonly Chunk[], left: number): number {
  let messages = 0;
  for (let i = given.length - 1; i >= 0 && left > 0; i--) {
    const chunk = given[i] as Chunk;
    messages += chunk.messages;
    left -= chunk.bytes.length;
  }
  return messages;
}

function parseInfo(json: string): ServerInfo {
  let info: unknown;
  let cause: unknown;
  try {
    info = JSON.parse(json);
  } catch (error) {
    cause = error;
  }
  if (typeof info === "object" && info !== null) return info as ServerInfo;
  throw new ProtocolError("INFO of the server is not a JSON object", { cause });
}
