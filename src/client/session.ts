// Session: the connection as the user has it. Survives its links: state, publishing, subscriptions, requests, drain, close.
//
//   connecting --> connected <--> reconnecting        one writer of the state: #become()
//                      '--> draining <--'   from each of them --> closed
import {
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  InvalidArgumentError,
  NatsError,
  type PermissionViolationError,
  RequestError,
  isNatsError,
} from "../errors.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import { aborted, type Deferred, deferred, type SettleOptions, settle } from "../lib/deferred.ts";
import { Listeners } from "../lib/listeners.ts";
import { compare, parseSemVer, type SemVer } from "../lib/semver.ts";
import { headers, type MsgHdrsImpl, toHeaders } from "../protocol/headers.ts";
import type { ServerInfo } from "../protocol/ops.ts";
import { Outbox } from "../protocol/outbox.ts";
import type { ServerError } from "../protocol/server-error.ts";
import {
  createInbox,
  validatePublishSubject,
  validateQueue,
  validateSubscribeSubject,
} from "../protocol/subject.ts";
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
import type { MsgImpl } from "./message.ts";
import type { ResolvedOptions } from "./options.ts";
import { ReplyIterator } from "./replies.ts";
import { Requests, requestError } from "./requests.ts";
import type { NatsSubscription, SubscriptionHost } from "./subscription.ts";
import { MUX_SID, Subscriptions, subLine } from "./subscriptions.ts";

// what has gathered in one turn is written at its end, or when it is this much
const FLUSH_AT = 524288;
// writable() waits until less than this is unsent
const LOW_WATER = 65536;
const DRAIN_TIMEOUT = 30000;

export class Session implements NatsConnection {
  readonly #options: ResolvedOptions;
  readonly #connector: Connector;
  readonly #subscriptions: Subscriptions;
  readonly #requests: Requests;
  readonly #outbox: Outbox = new Outbox();
  readonly #events: Listeners<Status> = new Listeners();
  readonly #closed: Deferred<undefined | Error> = deferred();
  #state: ConnectionState = "connecting";
  #link: Link | undefined;
  #flushScheduled = false;
  #maxPayload = 0;
  #closing: Promise<void> | undefined;
  // drain has come to its last flush: no more publishing
  #sealed = false;
  readonly #unwatch: (() => void) | undefined;
  #linked: Deferred<void> | undefined;
  #writers: Deferred<void>[] = [];
  // whose callback is on the stack, unless it called drain
  #running: NatsSubscription | undefined;
  // ends what is waited for
  readonly #waits = new Set<(error: NatsError) => void>();
  #outMsgs = 0;
  #outBytes = 0;
  #reconnects = 0;
  #droppedOutbound = 0;
  #droppedInbound = 0;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#requests = new Requests(
      {
        subscribeInbox: (subject) => this.#control(subLine(subject, undefined, MUX_SID)),
        isConnected: () => this.#link !== undefined,
      },
      options.inboxPrefix,
    );
    this.#subscriptions = new Subscriptions(this, this.#requests.onReply.bind(this.#requests));
    this.#connector = new Connector(options, this.#subscriptions, {
      onAttempt: (status) => this.#events.emit(status),
      onHandlerError: (error, source) =>
        this.#events.emit({ type: "handlerError", error, subject: "", source }),
    });
    this.#unwatch = options.runtime.watch?.((event) => {
      if (event !== "shown") this.#link?.check();
      if (event === "back") this.#connector.anew();
      else if (event === "shown") this.#connector.hurry();
    });
  }

  /** The first connection. Rejects with the last real error, and nothing is left then. */
  async open(): Promise<void> {
    const { signal } = this.#options;
    const first = this.#connector.first();
    try {
      this.#linkUp(await settle(first, { ...(signal === undefined ? {} : { signal }), what: "connecting" }));
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

  // -- looks ---------------------------------------------------------------------------------------------------------

  get info(): ServerInfo | undefined {
    return this.#link?.info;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get pendingBytes(): number {
    return this.#outbox.bytes + (this.#link?.buffered ?? 0);
  }

  isClosed(): boolean {
    return this.#state === "closed";
  }

  isDraining(): boolean {
    return this.#state === "draining";
  }

  getServer(): string {
    return this.#link?.server.listen ?? "";
  }

  getServerVersion(): SemVer | undefined {
    const version = (this.#link?.info ?? this.#connector.info)?.version;
    return version === undefined ? undefined : parseSemVer(version);
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
    return {
      inBytes: this.#subscriptions.inBytes,
      outBytes: this.#outBytes,
      inMsgs: this.#subscriptions.inMsgs,
      outMsgs: this.#outMsgs,
      reconnects: this.#reconnects,
      pendingBytes: this.pendingBytes,
      droppedOutbound: this.#droppedOutbound,
      droppedInbound: this.#droppedInbound,
    };
  }

  // -- publishing ----------------------------------------------------------------------------------------------------

  publish(subject: string, payload?: Payload, options?: PublishOptions): void {
    if (this.#state !== "connected" && !this.#admits(subject, payload, options)) return;
    const outbox = this.#outbox;
    if (outbox.bytes > this.#options.maxOutboundBytes) throw this.#full(subject);
    if (options === undefined) outbox.message(subject, undefined, undefined, payload, this.#maxPayload);
    else outbox.message(subject, options.reply, this.#headersOf(options), payload, this.#maxPayload);
    this.#outMsgs++;
    this.#outBytes += outbox.lastSize;
    if (outbox.bytes >= FLUSH_AT) this.#link?.send();
    if (!this.#flushScheduled) this.#scheduleFlush();
  }

  // What the policy says while there is no connection. False: dropped.
  #admits(subject: string, payload: Payload | undefined, options: PublishOptions = {}): boolean {
    if (this.#state === "closed") throw new ClosedConnectionError({ subject });
    if (this.#sealed) throw new DrainingConnectionError({ subject });
    if (this.#link !== undefined) return true;
    const { whenDisconnected, maxPendingBytes } = this.#options;
    if (whenDisconnected === "throw") {
      throw new ConnectionError(
        `there is no connection to publish '${subject}' on`,
        { subject },
        "DISCONNECTED",
      );
    }
    if (whenDisconnected === "drop") {
      validatePublishSubject(subject);
      this.#droppedOutbound++;
      return false;
    }
    const { reply = "", headers: given } = options;
    const headerSize = given === undefined ? 0 : toHeaders(given).encodedLength();
    const size = subject.length + reply.length + headerSize + (payload?.length ?? 0);
    if (this.#outbox.bytes + size > maxPendingBytes) throw this.#full(subject);
    return true;
  }

  #full(subject: string): NatsError {
    const { bytes } = this.#outbox;
    const connected = this.#link !== undefined;
    return new NatsError(
      "OUTBOUND_FULL",
      `${bytes} bytes wait to be sent: '${subject}' was not taken. ${
        connected
          ? "Await nc.writable() between publishes, or raise maxOutboundBytes"
          : "There is no connection; wait for it, or raise maxPendingBytes"
      }`,
      { subject },
    );
  }

  #headersOf(options: PublishOptions): MsgHdrsImpl | undefined {
    const { headers: given, traceDestination, traceOnly } = options;
    if (given === undefined && traceDestination === undefined && traceOnly !== true) return undefined;
    let made = toHeaders(given ?? headers());
    const info = this.#link?.info ?? this.#connector.info;
    if (info?.headers !== true) throw new NatsError("UNSUPPORTED", "the server does not know headers");
    if (traceDestination !== undefined || traceOnly === true) {
      // never the caller's own object
      made = made.clone();
      if (traceDestination !== undefined) made.set("Nats-Trace-Dest", traceDestination);
      if (traceOnly === true) {
        // an older server delivers and stores it for real (C-ADR41-5)
        if (compare(parseSemVer(info.version), { major: 2, minor: 11, micro: 0 }) < 0) {
          throw new NatsError(
            "UNSUPPORTED",
            `traceOnly needs a server of 2.11 or later, this is ${info.version}`,
          );
        }
        made.set("Nats-Trace-Only", "true");
      }
    }
    return made;
  }

  publishMessage(msg: Msg): void {
    const { reply, headers } = msg;
    this.publish(msg.subject, msg.data, publishOptions(reply, headers));
  }

  respondMessage(msg: Msg): boolean {
    if (!msg.reply) return false;
    this.publish(msg.reply, msg.data, publishOptions(undefined, msg.headers));
    return true;
  }

  #scheduleFlush(): void {
    this.#flushScheduled = true;
    queueMicrotask(this.#flushNow);
  }

  #flushNow = (): void => {
    this.#flushScheduled = false;
    this.#link?.send();
    if (this.#writers.length > 0) this.#wakeWriters();
  };

  // A line to the server, if there is one: after a reconnect it is told of everything anyway.
  #control(line: string): void {
    if (this.#link === undefined) return;
    this.#outbox.control(line);
    if (!this.#flushScheduled) this.#scheduleFlush();
  }

  #wakeWriters(): void {
    if (this.pendingBytes > LOW_WATER) return;
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer.resolve();
  }

  writable(options: WaitOptions = {}): Promise<void> {
    if (this.#state === "closed") return Promise.reject(new ClosedConnectionError());
    if (this.pendingBytes <= LOW_WATER) return Promise.resolve();
    const writer = deferred<void>();
    this.#writers.push(writer);
    const finish = () => {
      this.#writers = this.#writers.filter((other) => other !== writer);
    };
    return settle(writer, { ...options, what: "waiting for room to publish", finish });
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
    if (this.#state === "closed") throw new ClosedConnectionError();
    const link = this.#link;
    if (link === undefined) {
      throw new ConnectionError("there is no connection to flush", {}, "DISCONNECTED");
    }
    const pong = link.ping();
    pong.catch(() => undefined);
    await settle(pong, { ...options, what: "the flush" });
  }

  async rtt(options: WaitOptions = {}): Promise<number> {
    const start = performance.now();
    await this.flush(options);
    return performance.now() - start;
  }

  // -- subscribing ---------------------------------------------------------------------------------------------------

  subscribe(subject: string, options: SubscriptionOptions = {}): Subscription {
    this.#checkOpen();
    validateSubscribeSubject(subject);
    const { queue, callback, limits } = options;
    if (queue !== undefined) validateQueue(queue);
    if (callback !== undefined && typeof callback !== "function") {
      throw new InvalidArgumentError(`callback is of type ${typeof callback}: give a function, or iterate`);
    }
    const { max, timeout, concurrency, slow } = options;
    const numbers = { max, timeout, concurrency, slow, messages: limits?.messages, bytes: limits?.bytes };
    for (const [name, value] of Object.entries(numbers)) {
      if (value !== undefined && (!(value > 0) || (name === "max" && !Number.isInteger(value)))) {
        throw new InvalidArgumentError(
          `${name} is ${String(value)}: give a number of 1 or more, or leave it out`,
        );
      }
    }
    if (!["drop-newest", "drop-oldest", "close", undefined].includes(limits?.overflow)) {
      throw new InvalidArgumentError(
        `overflow is '${String(limits?.overflow)}': give drop-newest, drop-oldest or close`,
      );
    }
    const sub = this.#subscriptions.add(this.#host, subject, options);
    this.#control(subLine(subject, queue, sub.sid));
    if (sub.max > 0) this.#control(`UNSUB ${sub.sid} ${sub.max}\r\n`);
    return sub;
  }

  readonly #host: SubscriptionHost = {
    unsubscribe: (sub, max) =>
      this.#control(max === undefined ? `UNSUB ${sub.sid}\r\n` : `UNSUB ${sub.sid} ${max}\r\n`),
    forget: (sub) => this.#subscriptions.remove(sub),
    flush: (options) => this.flush(options),
    wait: (promise, options) => this.#wait(promise, options),
    handlerFailed: (error, subject) =>
      this.#events.emit({ type: "handlerError", error, subject, source: "subscription" }),
    slow: (sub) =>
      this.#events.emit({ type: "slowConsumer", sub, pending: sub.getPending(), dropped: sub.dropped }),
    droppedInbound: (count) => {
      this.#droppedInbound += count;
    },
    entered: (sub) => {
      this.#running = sub;
    },
    left: () => {
      const excused = this.#running === undefined;
      this.#running = undefined;
      return excused;
    },
    excuse: (sub) => {
      if (this.#running === sub) this.#running = undefined;
    },
  };

  #checkOpen(): void {
    if (this.#state === "closed") throw new ClosedConnectionError();
    if (this.#state === "draining") throw new DrainingConnectionError();
  }

  // -- requests ------------------------------------------------------------------------------------------------------

  // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
  async request(subject: string, payload?: Payload, options: RequestOptions = {}): Promise<Msg> {
    this.#checkOpen();
    const trace = this.#options.noAsyncTraces ? undefined : new Error();
    if (options.noMux === true) return this.#requestAlone(subject, payload, options);
    if (options.reply !== undefined) {
      throw InvalidArgumentError.format(
        ["reply", "noMux"],
        "go together: without noMux the reply subject is ours",
      );
    }
    return this.#requests.one(subject, options, trace, (reply) =>
      this.#ask(subject, payload, options, reply),
    );
  }

  async #requestAlone(subject: string, payload: Payload | undefined, options: RequestOptions): Promise<Msg> {
    const { timeout = 1000, signal, reply } = options;
    const replies = await this.requestMany(
      subject,
      payload,
      {
        ...options,
        maxWait: timeout,
        strategy: "count",
        maxMessages: 1,
        noMux: true,
        ...(signal && { signal }),
      },
      reply,
    );
    try {
      for await (const msg of replies) return msg;
    } catch (error) {
      throw isNatsError(error) && error.code === "NO_RESPONDERS" && !(error instanceof RequestError)
        ? requestError(subject, error)
        : error;
    }
    throw this.#requests.timedOut(subject, timeout);
  }

  // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
  async requestMany(
    subject: string,
    payload?: Payload,
    options: Partial<RequestManyOptions> = {},
    reply: string = this.createInbox(),
  ): Promise<QueuedIterator<Msg>> {
    this.#checkOpen();
    const { signal } = options;
    if (signal?.aborted) throw aborted(signal, `the request to '${subject}'`);
    if (options.noMux !== true) {
      return this.#requests.many(subject, options, (inbox) => this.#ask(subject, payload, options, inbox));
    }
    const end = () => {
      this.#alone.delete(end);
      sub?.unsubscribe();
    };
    let sub: Subscription | undefined;
    const replies = new ReplyIterator(subject, options, end);
    const fail = (error: NatsError) => replies.stop(requestError(subject, error));
    try {
      sub = this.subscribe(reply, {
        callback: (error, msg) => (error === null ? replies.push(msg as MsgImpl) : fail(error)),
      });
      this.#alone.set(end, { subject, fail });
      this.#ask(subject, payload, options, reply);
    } catch (error) {
      replies.stop();
      end();
      throw error;
    }
    return replies;
  }

  createInbox(): string {
    return createInbox(this.#options.inboxPrefix);
  }

  // requests with a subscription of their own
  readonly #alone = new Map<() => void, { subject: string; fail: (error: NatsError) => void }>();

  #ask(subject: string, payload: Payload | undefined, options: PublishOptions, reply: string): void {
    const { headers, traceDestination, traceOnly } = options;
    if (headers === undefined && traceDestination === undefined && traceOnly === undefined) {
      this.publish(subject, payload, { reply });
    } else {
      this.publish(subject, payload, { ...options, reply });
    }
  }

  async context(options: WaitOptions = {}): Promise<Context> {
    const reply = await this.request("$SYS.REQ.USER.INFO", undefined, { timeout: 5000, ...options });
    return reply.json<Context>();
  }

  // -- links ---------------------------------------------------------------------------------------------------------

  #linkUp(link: Link): void {
    const again = this.#state !== "connecting";
    this.#link = link;
    this.#learn(link, link.info);
    // C-ADR40-14: first who listens to what, then what was published meanwhile
    const lines = [...this.#subscriptions.lines()];
    if (this.#requests.subscribed) lines.push(subLine(this.#requests.subject, undefined, MUX_SID));
    if (lines.length > 0) link.write(utf8Encoder.encode(lines.join("")));
    link.own(this.#owner, this.#outbox);
    if (this.#state !== "draining") this.#become("connected");
    link.send();
    if (again) {
      this.#reconnects++;
      this.#events.emit({ type: "reconnect", server: link.server.listen });
    }
    this.#linked?.resolve();
    this.#linked = undefined;
    this.#wakeWriters();
  }

  #learn(link: Link, info: ServerInfo): void {
    this.#maxPayload = info.max_payload;
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
    onDrain: (link) => {
      link.send();
      this.#wakeWriters();
    },
    onClose: (link, error, lost) => this.#linkDown(link, error, lost),
  };

  #serverError({ kind, error, sid }: ServerError): void {
    switch (kind) {
      case "permission-subscription":
        if (error.subject === this.#requests.subject) this.#requests.inboxFailed(error);
        else this.#subscriptions.fail(error, sid === undefined ? undefined : Number(sid));
        break;
      case "permission-publish":
        this.#requests.refused(error as PermissionViolationError);
        for (const { subject, fail } of [...this.#alone.values()]) if (subject === error.subject) fail(error);
        break;
      case "max-subscriptions":
        if (!this.#subscriptions.failLast(error)) this.#requests.inboxFailed(error);
        break;
      default:
    }
    this.#events.emit({ type: "error", error });
  }

  #linkDown(link: Link, error: NatsError, lost: number): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#droppedOutbound += lost;
    this.#outbox.restore([]);
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
    this.#events.emit({ type: "ldm", server: link.server.listen });
    this.#connector.avoid(link.server);
    if (this.#connector.pool.size < 2 || !this.#options.reconnect || this.#state !== "connected") return;
    const leave = () =>
      link.die(
        new ConnectionError(
          `${link.server.listen} is in lame duck mode`,
          { server: link.server.listen },
          "DISCONNECTED",
        ),
      );
    // Replies have a moment to come. Then the server reads what was sent so far, and gives to other members of queue groups
    // what it would give us; what is published from there on waits for the next link.
    void this.#requests.settled(500).then(() => {
      if (this.#link !== link || this.#state !== "connected") return;
      for (const sub of this.#subscriptions) this.#host.unsubscribe(sub);
      settle(link.retire(), { timeout: 2000 }).then(leave, leave);
    });
  }

  // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
  async reconnect(): Promise<void> {
    this.#checkOpen();
    this.#events.emit({ type: "forceReconnect" });
    const link = this.#link;
    link?.die(new ConnectionError("reconnect() was called", { server: link.server.listen }, "DISCONNECTED"));
    this.#connector.hurry();
  }

  // -- end -----------------------------------------------------------------------------------------------------------

  async drain(options: WaitOptions = {}): Promise<void> {
    this.#checkOpen();
    const { timeout = DRAIN_TIMEOUT, signal } = options;
    this.#become("draining");
    // who waits for the end in a callback is not waited for
    this.#running = undefined;
    try {
      await this.#wait(this.#drained(), {
        timeout,
        ...(signal && { signal }),
        what: "draining the connection",
      });
    } finally {
      await this.close();
    }
  }

  // What ends with the connection, if not before.
  #wait(promise: Promise<void>, options: SettleOptions): Promise<void> {
    let end: ((error: NatsError) => void) | undefined;
    const finish = () => end && this.#waits.delete(end);
    return settle<void>(
      (resolve, reject) => {
        end = reject;
        this.#waits.add(end);
        promise.then(resolve, reject);
      },
      { ...options, finish },
    );
  }

  async #drained(): Promise<void> {
    const subs = [...this.#subscriptions];
    for (const sub of subs) this.#host.unsubscribe(sub);
    // a round trip: what the server sent before it knew is here then. Without a link there is nothing to come.
    await this.flush().catch(() => undefined);
    for (const sub of subs) sub.finish();
    await Promise.all([...subs, ...this.#subscriptions.ending].map((sub) => sub.handedOver()));
    while (this.#state === "draining") {
      // what is kept from an outage wants a link
      if (this.#link === undefined && this.#outbox.messages > 0) await (this.#linked ??= deferred());
      this.#sealed = true;
      if (this.#link === undefined) return;
      try {
        await this.flush();
        return;
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
    const link = this.#link;
    this.#become("closed");
    const reason = new ClosedConnectionError();
    this.#connector.stop(reason);
    this.#requests.failAll(reason);
    for (const { fail } of [...this.#alone.values()]) fail(reason);
    for (const sub of [...this.#subscriptions]) sub.finish();
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer.reject(reason);
    for (const end of this.#waits) end(new ClosedConnectionError(error && { cause: error }));
    this.#linked?.resolve();
    let unsent = 0;
    if (link !== undefined) unsent = await link.close(reason);
    this.#link = undefined;
    this.#outbox.restore([]);
    unsent += this.#outbox.messages;
    this.#droppedOutbound += unsent;
    this.#outbox.take();
    this.#events.emit({ type: "close", unsent, ...(error === undefined ? {} : { error }) });
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

function publishOptions(reply: string | undefined, headers: Msg["headers"]): PublishOptions | undefined {
  if (reply === undefined && headers === undefined) return undefined;
  return { ...(reply === undefined ? {} : { reply }), ...(headers === undefined ? {} : { headers }) };
}
