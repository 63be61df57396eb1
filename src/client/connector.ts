// Connector: dials one server after the other until a link is open. Owns the pool, the waits and the count of failures.
import {
  ClosedConnectionError,
  ConnectionError,
  InvalidOperationError,
  NatsError,
  TimeoutError,
  isNatsError,
} from "../errors.ts";
import { type Delay, delay, settle, startTimer } from "../lib/deferred.ts";
import type { MsgSink } from "../protocol/client-role.ts";
import type { ServerInfo } from "../protocol/ops.ts";
import { isPassing } from "../protocol/server-error.ts";
import type { Transport } from "../transport/transport.ts";
import type { HandlerErrorStatus, Status } from "./connection.ts";
import { Link } from "./link.ts";
import type { ResolvedOptions } from "./options.ts";
import { Pool, type PoolServer } from "./pool.ts";

export class Connector {
  readonly pool: Pool;
  /** INFO of the server connected last */
  info: ServerInfo | undefined;
  readonly #options: ResolvedOptions;
  readonly #messages: MsgSink;
  readonly #emit: (status: Status) => void;
  #dial: AbortController | undefined;
  // the dial that shall begin anew
  #anew: AbortController | undefined;
  #wait: Delay | undefined;
  #stopped: NatsError | undefined;

  /** Links give their messages to `messages`; `emit` tells what happens between them. */
  constructor(options: ResolvedOptions, messages: MsgSink, emit: (status: Status) => void) {
    this.#options = options;
    this.#messages = messages;
    this.#emit = emit;
    this.pool = new Pool(options);
  }

  /** The first connection: each server once, unless `waitOnFirstConnect`. Rejects with the last real error. */
  async first(): Promise<Link> {
    if (this.#options.waitOnFirstConnect) return this.again(undefined);
    let last: NatsError | undefined;
    for (const server of [...this.pool.servers]) {
      try {
        return await this.#open(server);
      } catch (error) {
        this.#check();
        last = weightier(last, this.#failed(server, error));
      }
    }
    throw last ?? new ConnectionError("there is no server to connect to");
  }

  /** Until a link is open. Rejects only when no server is left to try, the login is refused for good, or it was stopped. */
  async again(reason: NatsError | undefined): Promise<Link> {
    let last = reason;
    let atOnce = 0;
    for (let attempt = 1; ; attempt++) {
      this.#check();
      const [server, wait] = this.#choose();
      this.#emit({
        type: "reconnecting",
        server: server.listen,
        attempt,
        delay: Math.round(wait),
        ...(last === undefined ? {} : { error: last }),
      });
      // an event handler may have closed the connection
      this.#check();
      // waits of nothing, one after the other, shall not keep everything else from its turn
      if (wait > 0 || ++atOnce > 2 * this.pool.servers.length) {
        atOnce = 0;
        this.#wait = delay(wait);
        await this.#wait;
        this.#wait = undefined;
        this.#check();
      }
      try {
        return await this.#open(server);
      } catch (error) {
        this.#check();
        const failure = this.#failed(server, error);
        last = weightier(last, failure);
        // C-AUTH-6
        if (server.authErrors >= 2 && !this.#options.ignoreAuthErrorAbort) throw failure;
        const { maxReconnectAttempts: most } = this.#options;
        if (most >= 0 && server.reconnects >= most) this.pool.remove(server);
        if (this.pool.servers.length === 0) throw last;
      }
    }
  }

  /** End all dialling: what runs rejects with the error. */
  stop(error: NatsError = new ClosedConnectionError()): void {
    this.#stopped = error;
    this.#dial?.abort(error);
    this.#wait?.cancel();
  }

  /** Dial now what would be dialled after a wait. */
  hurry(): void {
    this.#wait?.cancel();
  }

  /** There is another network: a dial over the old one begins anew, and failures there count no more. */
  anew(): void {
    for (const server of this.pool.servers) server.reconnects = 0;
    this.#anew = this.#dial;
    this.#dial?.abort(new ConnectionError("the network changed"));
    this.hurry();
  }

  /** A link ended. One that did not live long makes the next wait longer. */
  left(link: Link): void {
    const { server } = link;
    const lived = Date.now() - link.openedAt;
    server.flaps = lived < Math.max(1000, this.#options.reconnectTimeWait) ? server.flaps + 1 : 0;
    // the first attempt is made at once
    server.due = server.flaps > 1 ? Date.now() + this.#backoff(server, server.flaps - 1) : 0;
  }

  /** Prefer any other server for a while. */
  avoid(server: PoolServer): void {
    server.due = Date.now() + this.#options.maxReconnectTimeWait;
  }

  #check(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
  }

  async #open(server: PoolServer): Promise<Link> {
    const { timeout } = this.#options;
    const { listen } = server;
    this.pool.rotate(server);
    server.lastConnect = Date.now();
    const controller = new AbortController();
    const { signal } = controller;
    this.#dial = controller;
    const tooLong = (): void => {
      const text = `connecting to ${listen} took longer than ${timeout} ms`;
      controller.abort(new TimeoutError(text, { server: listen }, "no connection"));
    };
    const timer = startTimer(tooLong, timeout);
    try {
      const link = new Link(server, await this.#reach(server, signal), this.#options, this.#messages);
      await link.greet(signal);
      server.reconnects = server.authErrors = server.due = 0;
      server.didConnect = true;
      this.info = link.info;
      return link;
    } catch (error) {
      this.#check();
      if (this.#anew === controller) return await this.#open(server);
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      this.#dial = undefined;
    }
  }

  // A transport to the server. One that comes after the signal is discarded.
  #reach(server: PoolServer, signal: AbortSignal): Promise<Transport> {
    const { tls, noRandomize, wsHeaders, wsFactory, runtime } = this.#options;
    const tlsName = server.tlsName || undefined;
    const { scheme, hostname, port, path } = server.address;
    const dialer = runtime.dialers[scheme];
    if (dialer === undefined) {
      const known = Object.keys(runtime.dialers).join(" and ");
      throw server.failure(
        `can't be dialled here, as '${server.src}': this runtime has ${known}`,
        "UNSUPPORTED",
      );
    }
    const handshakeFirst = tls?.handshakeFirst === true;
    const dial = dialer({
      ...{ scheme, hostname, port, path, handshakeFirst, noRandomize, signal },
      ...{ tlsName, tls, wsHeaders, wsFactory },
    });
    const discard = (): void => {
      dial.then(
        (late) => late.destroy(),
        () => undefined,
      );
    };
    signal.addEventListener("abort", discard);
    return settle(dial, { signal });
  }

  #failed(server: PoolServer, error: unknown): NatsError {
    const failure = isNatsError(error) ? error : server.failure("could not be dialled", undefined, error);
    server.reconnects++;
    const { code } = failure;
    if (code === "AUTHENTICATOR" || code === "INVALID_KEY")
      this.#handlerFailed(failure.cause ?? failure, "authenticator");
    const expired = code === "AUTHENTICATION_EXPIRED";
    const refused = expired || (code === "AUTHORIZATION" && !isPassing(failure));
    if (!refused) server.authErrors = 0;
    // whoever renews credentials may be on the way of doing so
    else if (!(expired && this.#options.renewable)) server.authErrors++;
    server.due = Date.now() + this.#wanted(server);
    return failure;
  }

  #wanted(server: PoolServer): number {
    const { reconnectDelayHandler: handler } = this.#options;
    if (handler !== undefined) {
      try {
        const wait = this.#answer(handler(server.reconnects, server), "reconnectDelayHandler");
        if (wait >= 0) return wait;
        throw new InvalidOperationError(`reconnectDelayHandler gave ${String(wait)}: give milliseconds`);
      } catch (error) {
        this.#handlerFailed(error, "reconnectDelayHandler");
      }
    }
    return this.#backoff(server, server.reconnects + server.flaps);
  }

  #handlerFailed(error: unknown, source: HandlerErrorStatus["source"]): void {
    this.#emit({ type: "handlerError", error, subject: "", source });
  }

  // These handlers are synchronous; one that is not may reject all the same.
  #answer<T>(given: T, source: HandlerErrorStatus["source"]): T {
    if (given instanceof Promise) given.catch((error: unknown) => this.#handlerFailed(error, source));
    return given;
  }

  // doubles with every failure, with full jitter
  #backoff(server: PoolServer, failures: number): number {
    const { reconnectTimeWait, maxReconnectTimeWait, reconnectJitter, reconnectJitterTLS, tls } =
      this.#options;
    const window = Math.min(maxReconnectTimeWait, reconnectTimeWait * 2 ** Math.min(failures - 1, 30));
    const { scheme } = server.address;
    const jitter = tls != null || scheme === "tls" || scheme === "wss" ? reconnectJitterTLS : reconnectJitter;
    return Math.random() * Math.max(window, Math.min(jitter, maxReconnectTimeWait));
  }

  // The server to dial next and the milliseconds to wait before.
  #choose(): [PoolServer, number] {
    const { servers } = this.pool;
    const now = Date.now();
    let chosen = servers[0] as PoolServer;
    for (const server of servers) {
      if (server.due <= now) {
        chosen = server;
        break;
      }
      if (server.due < chosen.due) chosen = server;
    }
    const { reconnectToServer: handler } = this.#options;
    if (handler !== undefined) {
      try {
        const given = handler(Object.freeze([...servers]), this.info ?? null);
        const answer = this.#answer(given, "reconnectToServer");
        if (answer !== null && answer !== undefined) {
          const { server, delay: wait = 0 } = "server" in answer ? answer : { server: answer };
          const known = servers.find((other) => other === server);
          if (known === undefined)
            throw new InvalidOperationError("reconnectToServer gave a server that is not of the pool");
          if (!(wait >= 0))
            throw new InvalidOperationError(
              `reconnectToServer gave the delay ${String(wait)}: give milliseconds`,
            );
          return [known, wait];
        }
      } catch (error) {
        this.#handlerFailed(error, "reconnectToServer");
      }
    }
    return [chosen, Math.max(0, chosen.due - now)];
  }
}

const FOLLOW_UPS = ["CONNECTION", "CONNECTION_REFUSED", "TIMEOUT", "DISCONNECTED"];

// "connection refused" after "login expired" is no news: the reason stays what it was
function weightier(before: NatsError | undefined, now: NatsError): NatsError {
  return before !== undefined && FOLLOW_UPS.includes(now.code) && !FOLLOW_UPS.includes(before.code)
    ? before
    : now;
}
