// Session: the connection as the user has it. Survives its links. Holds the state and composes the rooms of a connection:
// Publishing (what goes out), Subscriptions and Requests (what comes in), Connector (the next link).
//
//   connecting --> connected <--> reconnecting        one writer of the state: #become()
//                      '--> draining <--'   from each of them --> closed
import {
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  type NatsError,
} from "../errors.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import { type Deferred, deferred, settle } from "../lib/deferred.ts";
import { Listeners } from "../lib/listeners.ts";
import { parseSemVer, type SemVer } from "../lib/semver.ts";
import { Waits } from "../lib/waits.ts";
import type { ServerInfo } from "../protocol/ops.ts";
import type { ServerError } from "../protocol/server-error.ts";
import { createInbox, validatePublishSubject } from "../protocol/subject.ts";
import type {
  ConnectionState,
  Context,
  Msg,
  NatsConnection,
  Payload,
  PublishOptions,
  QueuedIterator,
  RequestManyOptions,
  RequestOptions,
  Server,
  Stats,
  Status,
  Subscription,
  SubscriptionOptions,
  WaitOptions,
} from "./connection.ts";
import { Connector } from "./connector.ts";
import type { Link, LinkOwner } from "./link.ts";
import type { ResolvedOptions } from "./options.ts";
import { Publishing } from "./publishing.ts";
import { Requests, traced } from "./requests.ts";
import { MUX_SID, subLine, Subscriptions } from "./subscriptions.ts";

const DRAIN_TIMEOUT = 30000;

export class Session implements NatsConnection {
  readonly #options: ResolvedOptions;
  readonly #events: Listeners<Status> = new Listeners();
  readonly #publishing: Publishing;
  readonly #subscriptions: Subscriptions;
  readonly #requests: Requests;
  readonly #connector: Connector;
  readonly #closed: Deferred<undefined | Error> = deferred();
  // what ends with the connection, and what waits for the next link
  readonly #waits = new Waits();
  readonly #links = new Waits();
  #state: ConnectionState = "connecting";
  #closing: Promise<void> | undefined;
  readonly #unwatch: (() => void) | undefined;
  #reconnects = 0;

  constructor(options: ResolvedOptions) {
    const emit = (status: Status): void => this.#events.emit(status);
    const publishing = new Publishing(options);
    this.#options = options;
    this.#publishing = publishing;
    this.#requests = new Requests(this, publishing, options.inboxPrefix);
    this.#subscriptions = new Subscriptions(this, this.#requests, {
      control: (line) => publishing.control(line),
      flush: (of) => this.flush(of),
      wait: (promise, of) => this.#waits.add(of, promise),
      emit,
    });
    this.#connector = new Connector(options, this.#subscriptions, emit);
    this.#unwatch = options.runtime.watch?.((event) => {
      if (event !== "shown") publishing.link?.check();
      if (event === "back") this.#connector.anew();
      else if (event === "shown") this.#connector.hurry();
    });
  }

  /** The first connection. Rejects with the last real error, and nothing is left then. */
  async open(): Promise<void> {
    const first = this.#connector.first();
    try {
      this.#linkUp(await settle(first, { signal: this.#options.signal, what: "connecting" }));
    } catch (error) {
      // the dial under way ends too, and a link that came up in this moment
      this.#connector.stop();
      first.then(
        (link) => link.die(new ClosedConnectionError()),
        () => undefined,
      );
      this.#become("closed");
      this.#events.close();
      this.#closed.resolve(error as NatsError);
      throw error;
    }
  }

  #become(state: ConnectionState): void {
    if (this.#state !== "closed") this.#state = state;
    if (state === "closed") this.#unwatch?.();
  }

  #checkOpen(): void {
    this.#checkNotClosed();
    if (this.#state === "draining") throw new DrainingConnectionError();
  }

  #checkNotClosed(): void {
    if (this.#state === "closed") throw new ClosedConnectionError();
  }

  // -- looks ---------------------------------------------------------------------------------------------------------

  get info(): ServerInfo | undefined {
    return this.#publishing.link?.info;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get pendingBytes(): number {
    return this.#publishing.pendingBytes;
  }

  isClosed(): boolean {
    return this.#state === "closed";
  }

  isDraining(): boolean {
    return this.#state === "draining";
  }

  getServer(): string {
    return this.#publishing.link?.server.listen ?? "";
  }

  getServerVersion(): SemVer | undefined {
    const { info } = this.#publishing;
    return info && parseSemVer(info.version);
  }

  getServers(): readonly Server[] {
    return Object.freeze([...this.#connector.pool.servers]);
  }

  setServers(servers: string[]): void {
    this.#checkOpen();
    this.#connector.pool.set(servers);
  }

  status(): AsyncIterable<Status> {
    return this.#events.listen();
  }

  stats(): Stats {
    const { inBytes, inMsgs, dropped: droppedInbound } = this.#subscriptions;
    const { bytes: outBytes, messages: outMsgs, pendingBytes, dropped: droppedOutbound } = this.#publishing;
    const reconnects = this.#reconnects;
    return { inBytes, outBytes, inMsgs, outMsgs, reconnects, pendingBytes, droppedOutbound, droppedInbound };
  }

  // -- publishing ----------------------------------------------------------------------------------------------------

  publish(subject: string, payload?: Payload, options?: PublishOptions): void {
    this.#publishing.publish(subject, payload, options);
  }

  publishMessage(msg: Msg): void {
    this.publish(msg.subject, msg.data, { reply: msg.reply, headers: msg.headers });
  }

  respondMessage(msg: Msg): boolean {
    if (!msg.reply) return false;
    this.publish(msg.reply, msg.data, { headers: msg.headers });
    return true;
  }

  // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
  async writable(options: WaitOptions = {}): Promise<void> {
    this.#checkNotClosed();
    return this.#publishing.writable(options);
  }

  writableStream(subject: string, options?: PublishOptions): WritableStream<Payload> {
    validatePublishSubject(subject);
    return new WritableStream<Payload>({
      write: (payload) => {
        this.publish(subject, payload, options);
        return this.writable();
      },
      close: () => this.flush(),
    });
  }

  async flush(options: WaitOptions = {}): Promise<void> {
    this.#checkNotClosed();
    const { link } = this.#publishing;
    if (link === undefined) {
      throw new ConnectionError("there is no connection to flush", {}, "DISCONNECTED");
    }
    await settle(link.ping(), { ...options, what: "the flush" });
  }

  async rtt(options: WaitOptions = {}): Promise<number> {
    const start = performance.now();
    await this.flush(options);
    return performance.now() - start;
  }

  // -- subscriptions and requests ------------------------------------------------------------------------------------

  subscribe(subject: string, options: SubscriptionOptions = {}): Subscription {
    this.#checkOpen();
    return this.#subscriptions.add(subject, options);
  }

  async request(subject: string, payload?: Payload, options: RequestOptions = {}): Promise<Msg> {
    this.#checkOpen();
    const answer = this.#requests.one(subject, options, (reply) =>
      this.#ask(subject, payload, options, reply),
    );
    if (this.#options.noAsyncTraces) return answer;
    try {
      return await answer;
    } catch (error) {
      throw traced(error as Error);
    }
  }

  // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
  async requestMany(
    subject: string,
    payload?: Payload,
    options: Partial<RequestManyOptions> = {},
  ): Promise<QueuedIterator<Msg>> {
    this.#checkOpen();
    return this.#requests.many(subject, options, (reply) => this.#ask(subject, payload, options, reply));
  }

  createInbox(): string {
    return createInbox(this.#options.inboxPrefix);
  }

  #ask(subject: string, payload: Payload | undefined, options: PublishOptions, reply: string): void {
    const { headers, traceDestination, traceOnly } = options;
    this.publish(subject, payload, { reply, headers, traceDestination, traceOnly });
  }

  async context({ timeout = 5000, signal }: WaitOptions = {}): Promise<Context> {
    const reply = await this.request("$SYS.REQ.USER.INFO", undefined, { timeout, signal });
    return reply.json<Context>();
  }

  // -- links ---------------------------------------------------------------------------------------------------------

  #linkUp(link: Link): void {
    const again = this.#state !== "connecting";
    const publishing = this.#publishing;
    publishing.link = link;
    this.#learn(link, link.info);
    // C-ADR40-14: first who listens to what, then what was published meanwhile
    const lines = this.#subscriptions.lines();
    if (this.#requests.subscribed) lines.push(subLine(this.#requests.subject, MUX_SID));
    if (lines.length > 0) link.write(utf8Encoder.encode(lines.join("")));
    link.own(this.#owner, publishing.outbox);
    if (this.#state !== "draining") this.#become("connected");
    publishing.send();
    if (again) {
      this.#reconnects++;
      this.#events.emit({ type: "reconnect", server: link.server.listen });
    }
    this.#links.resolve();
  }

  #learn(link: Link, info: ServerInfo): void {
    this.#publishing.info = info;
    this.#connector.info = info;
    if (this.#options.ignoreClusterUpdates) return;
    const { added, deleted } = this.#connector.pool.update(info, link.server);
    if (added.length + deleted.length > 0) this.#events.emit({ type: "update", added, deleted });
  }

  readonly #owner: LinkOwner = {
    onInfo: (link, info) => {
      this.#learn(link, info);
      if (info.ldm === true) this.#lameDuck(link);
    },
    onServerError: (_, error) => this.#serverError(error),
    onPing: (pendingPings) => this.#events.emit({ type: "ping", pendingPings }),
    onStale: () => this.#events.emit({ type: "staleConnection" }),
    onDrain: () => this.#publishing.send(),
    onClose: (link, error, lost) => this.#linkDown(link, error, lost),
  };

  #serverError({ error, refused, sid }: ServerError): void {
    if (refused === "publish") this.#requests.refused(error);
    else if (refused === "subscription") {
      if (error.subject === this.#requests.subject) this.#requests.inboxFailed(error);
      else this.#subscriptions.fail(error, sid);
    } else if (error.code === "MAX_SUBSCRIPTIONS" && !this.#subscriptions.failLast(error)) {
      this.#requests.inboxFailed(error);
    }
    this.#events.emit({ type: "error", error });
  }

  #linkDown(link: Link, error: NatsError, lost: number): void {
    if (this.#publishing.link !== link) return;
    this.#publishing.unlink(lost);
    this.#connector.left(link);
    this.#events.emit({ type: "disconnect", server: link.server.listen, error, lost });
    if (this.#state === "closed") return;
    if (!this.#options.reconnect) {
      void this.#close(error);
      return;
    }
    if (this.#state !== "draining") this.#become("reconnecting");
    this.#connector.again(error).then(
      (next) => {
        // closed in the moment the link came up
        if (this.#state === "closed") next.die(new ClosedConnectionError());
        else this.#linkUp(next);
      },
      (reason: NatsError) => this.#close(reason),
    );
  }

  // ADR-5: leave for another server, if there is one, when what is under way is done.
  #lameDuck(link: Link): void {
    const { server } = link;
    this.#events.emit({ type: "ldm", server: server.listen });
    this.#connector.avoid(server);
    if (this.#connector.pool.servers.length < 2 || !this.#options.reconnect || this.#state !== "connected")
      return;
    const leave = () => link.die(server.failure("is in lame duck mode", "DISCONNECTED"));
    // Replies have a moment to come. Then the server reads what was sent so far, and gives to other members of queue groups
    // what it would give us; what is published from there on waits for the next link.
    void this.#requests.settled(500).then(() => {
      if (this.#publishing.link !== link || this.#state !== "connected") return;
      this.#subscriptions.unsubscribe();
      settle(link.retire(), { timeout: 2000 }).then(leave, leave);
    });
  }

  doubt(ms: number): void {
    this.#publishing.link?.check(ms);
  }

  // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
  async reconnect(): Promise<void> {
    this.#checkOpen();
    this.#events.emit({ type: "forceReconnect" });
    const { link } = this.#publishing;
    link?.die(link.server.failure("is left: reconnect() was called", "DISCONNECTED"));
    this.#connector.hurry();
  }

  // -- end -----------------------------------------------------------------------------------------------------------

  async drain(options: WaitOptions = {}): Promise<void> {
    this.#checkOpen();
    const { timeout = DRAIN_TIMEOUT, signal } = options;
    this.#become("draining");
    // who waits for the end in a callback is not waited for
    this.#subscriptions.running = undefined;
    try {
      await this.#waits.add({ timeout, signal, what: "draining the connection" }, this.#drained());
    } finally {
      await this.close();
    }
  }

  // Resolves when what arrived is handed over and what was published is sent. From then on, publish is refused.
  async #drained(): Promise<void> {
    const subscriptions = this.#subscriptions;
    const publishing = this.#publishing;
    const subs = [...subscriptions];
    subscriptions.unsubscribe();
    // a round trip: what the server sent before it knew is here then. Without a link there is nothing to come.
    await this.flush().catch(() => undefined);
    for (const sub of subs) sub.finish();
    await Promise.all([...subs, ...subscriptions.ending].map((sub) => sub.handedOver()));
    while (this.#state === "draining") {
      // what is kept from an outage wants a link
      if (publishing.link === undefined && publishing.outbox.messages > 0) await this.#links.add({});
      publishing.refuse(DrainingConnectionError);
      if (publishing.link === undefined) return;
      try {
        return await this.flush();
      } catch {
        // the link broke: what is whole goes over the next one
      }
    }
  }

  close(): Promise<void> {
    return this.#close(undefined);
  }

  #close(error: Error | undefined): Promise<void> {
    this.#closing ??= this.#end(error);
    return this.#closing;
  }

  async #end(error: Error | undefined): Promise<void> {
    const { link } = this.#publishing;
    this.#become("closed");
    const reason = new ClosedConnectionError(error && { cause: error });
    this.#publishing.refuse(ClosedConnectionError);
    this.#connector.stop(reason);
    this.#requests.failAll(reason);
    for (const sub of [...this.#subscriptions]) sub.finish();
    this.#waits.reject(reason);
    this.#links.resolve();
    const unsent = this.#publishing.end((await link?.close(reason)) ?? 0);
    this.#events.emit({ type: "close", unsent, ...(error && { error }) });
    this.#events.close();
    this.#closed.resolve(error);
  }

  closed(): Promise<undefined | Error> {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "closed" || this.#state === "draining") await this.#closed;
    else await this.drain();
  }
}
