// Publisher: many publishes under way at once, each with its ack; what js.publisher gives.
//
//   publish --> waiting [oldest ... newest] --> in flight, at most maxInFlight, by token --> ack or error
//                                                  ^    |
//                 again: nobody answered, the      |    |    all acks come to one inbox: <inbox>.<token>
//                 server was busy, the link broke  '----'
/// <reference lib="esnext.disposable" preserve="true" />
import type { Msg, NatsConnection, Payload, Subscription, WaitOptions } from "../client/connection.ts";
import { ClosedConnectionError, ConnectionError, NatsError, TimeoutError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { type Deferred, deferred, onAbort, settle, startTimer } from "../lib/deferred.ts";
import { Nuid } from "../lib/nuid.ts";
import { Queue } from "../lib/queue.ts";
import type { Api } from "./api.ts";
import { JetStreamApiError } from "./api-error.ts";
import { assertLevel } from "./gates.ts";
import type { LinkListener } from "./link-watch.ts";
import { isRepeatable, mayRepeat, type Outgoing, settleOutgoing } from "./outgoing.ts";
import { prepare } from "./prepare.ts";
import { isNoResponders, NoStreamError, type PubAck, readPubAck } from "./pub-ack.ts";
import {
  expectedSequence,
  type JetStreamMessageOptions,
  type Prepared,
  withFields,
} from "./publish-options.ts";

/** Options of {@link JetStreamClient.publisher}. */
export interface PublisherOptions {
  /** how many messages may be without their ack at once; default 256 */
  maxInFlight?: number;
  /** how many messages may wait for their turn beyond these; default 65 536. One more is refused, code OUTBOUND_FULL. */
  maxWaiting?: number;
  /**
   * How often to publish a message again: when nobody answers, when the server was too busy, when the link broke before the ack
   * came, and when the ack is late. Default -1: for as long as the timeout leaves time. With 0 messages get no id, and what was in flight in a link
   * that broke is reported as an {@link OutcomeUnknownError}.
   */
  retries?: number;
  /** milliseconds before a message is published again; default 250. After a broken link it is when there is a new one. */
  retryWait?: number;
  /** milliseconds after which an ack is late; default: half of the `timeout`. It gets lost when the leader of the stream does. */
  ackWait?: number;
  /** milliseconds from the first time a message is sent, with its retries; default: the `timeout` of the {@link JetStreamOptions} */
  timeout?: number;
}

/** Options of one publish of a {@link JetStreamPublisher}. */
export interface PublisherMessageOptions extends JetStreamMessageOptions {
  /** ends the wait for the ack; code ABORTED */
  signal?: AbortSignal;
}

/**
 * Publishes with a bounded number of messages in flight. They are sent in the order of the calls; what is sent again may be
 * stored after what was published later.
 */
export interface JetStreamPublisher extends AsyncDisposable {
  /** messages that were sent and have no ack yet */
  readonly inFlight: number;
  /** messages that wait for their turn */
  readonly waiting: number;
  /**
   * Publish a message; resolves with its ack. Each settles by itself: handle the rejection of every one. Bytes must not change
   * before it does. An error that says nothing else leaves the message not stored.
   *
   * @throws {NatsError} as {@link JetStreamClient.publish}, and OUTBOUND_FULL, DRAINING, CLOSED
   */
  publish(subject: string, payload?: Payload, options?: PublisherMessageOptions): Promise<PubAck>;
  /**
   * Resolves when the next message can be sent at once.
   * @throws {NatsError} TIMEOUT, ABORTED
   */
  ready(options?: WaitOptions): Promise<void>;
  /**
   * Take no more messages, and resolve when all that were taken have settled, whatever came of them. No default timeout; when
   * it runs out, they go on.
   * @throws {NatsError} TIMEOUT, ABORTED
   */
  drain(options?: WaitOptions): Promise<void>;
}

/** The publisher behind js.publisher. */
export class Publisher implements JetStreamPublisher, LinkListener {
  readonly #api: Api;
  readonly #nc: NatsConnection;
  readonly #options: Required<PublisherOptions>;
  readonly #ids = new Nuid();
  readonly #inbox: string;
  readonly #sub: Subscription;
  // by token
  readonly #inFlight = new Map<number, Outgoing>();
  readonly #waiting = new Queue<Outgoing>();
  #nextToken = 1;
  // one for all deadlines and late acks
  #timer: ReturnType<typeof setTimeout> | undefined;
  // one for all that was refused for now
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  // the API level of the server, while it is known; asked for when a message needs one
  #level: number | undefined;
  #asking = false;
  #pumping = false;
  #room: Deferred<void> | undefined;
  #drained: Deferred<void> | undefined;
  #closed: NatsError | undefined;

  /** @throws {NatsError} INVALID_ARGUMENT, CLOSED, DRAINING */
  constructor(api: Api, options: PublisherOptions = {}) {
    const { maxInFlight = 256, maxWaiting = 65_536, retries = -1, retryWait = 250 } = options;
    const { timeout = api.options.timeout } = options;
    const { ackWait = timeout / 2 } = options;
    const least = { maxInFlight: 1, maxWaiting: 0, retries: -1, retryWait: 0, timeout: 1, ackWait: 1 };
    this.#options = { maxInFlight, maxWaiting, retries, retryWait, timeout, ackWait };
    for (const [name, value] of Object.entries(this.#options) as [keyof typeof least, number][]) {
      check(value >= least[name], name, value, `a number of ${least[name]} or more`);
    }
    this.#api = api;
    this.#nc = api.nc;
    this.#inbox = `${this.#nc.createInbox()}.`;
    this.#sub = this.#nc.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => (error === null ? this.#onReply(msg) : undefined),
    });
    void this.#sub.closed.then((error) => this.#close(error));
    api.links.add(this);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get #full(): boolean {
    return this.#inFlight.size >= this.#options.maxInFlight || this.#waiting.length > 0;
  }

  publish(subject: string, payload?: Payload, options: PublisherMessageOptions = {}): Promise<PubAck> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      let { headers, gates } = this.#admit(subject, payload, options);
      let msgID = headers?.get("Nats-Msg-Id") || undefined;
      if (msgID === undefined && this.#options.retries !== 0) {
        msgID = this.#ids.next();
        headers = withFields(headers, [["Nats-Msg-Id", msgID]]);
      }
      const entry: Outgoing = {
        subject,
        payload,
        headers,
        gates,
        msgID,
        expect: options.expect,
        resolve,
        reject,
        deafen: undefined,
        state: "waiting",
        open: false,
        token: 0,
        attempts: 0,
        sentAt: 0,
        deadline: 0,
      };
      entry.deafen =
        signal && onAbort(signal, `the publish to '${subject}'`, (error) => this.#fail(entry, error));
      if (this.#full || gates.length > 0) {
        this.#waiting.push(entry);
        this.#pump();
      } else {
        this.#begin(entry);
      }
    });
  }

  #admit(subject: string, payload: Payload | undefined, options: PublisherMessageOptions): Prepared {
    if (this.#drained !== undefined) {
      throw new NatsError("DRAINING", `the publisher was drained: '${subject}' was not taken`, { subject });
    }
    if (this.#closed !== undefined) throw new ClosedConnectionError({ subject, cause: this.#closed });
    if (this.#full && this.#waiting.length >= this.#options.maxWaiting) {
      throw new NatsError(
        "OUTBOUND_FULL",
        `${this.#inFlight.size} messages are in flight and ${this.#waiting.length} wait: '${subject}' was not taken. ` +
          "Await ready() before each publish",
        { subject },
      );
    }
    return prepare(subject, payload, options);
  }

  // -- sending -------------------------------------------------------------------------------------------------------

  // Begin with what waits, as far as there is room.
  #pump(): void {
    // a message that can't be sent fails, and that makes room
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#inFlight.size < this.#options.maxInFlight) {
      const entry = this.#waiting.peek();
      if (entry === undefined) break;
      if (entry.state === "waiting") {
        if (entry.gates.length > 0 && this.#level === undefined) {
          this.#askLevel(entry);
          break;
        }
        this.#begin(entry);
      }
      this.#waiting.shift();
    }
    this.#pumping = false;
    if (!this.#full) {
      this.#room?.resolve();
      this.#room = undefined;
    }
    if (this.#drained !== undefined && this.#inFlight.size + this.#waiting.length === 0) {
      this.#close(undefined);
    }
  }

  // What is behind it waits too: messages keep their order.
  #askLevel(entry: Outgoing): void {
    if (this.#asking) return;
    this.#asking = true;
    const known = (level?: number): void => {
      this.#asking = false;
      this.#level = level;
      this.#pump();
    };
    this.#api.level({ timeout: this.#options.timeout }).then(known, (error: unknown) => {
      this.#fail(entry, error);
      known();
    });
  }

  #begin(entry: Outgoing): void {
    try {
      assertLevel(this.#api, entry.gates, this.#level ?? 0);
    } catch (error) {
      return this.#fail(entry, error);
    }
    entry.token = this.#nextToken++;
    entry.deadline = performance.now() + this.#options.timeout;
    this.#inFlight.set(entry.token, entry);
    this.#timer ??= this.#lookAfter(Math.min(this.#options.timeout, this.#options.ackWait));
    this.#send(entry);
  }

  #send(entry: Outgoing): void {
    const { subject, payload, headers } = entry;
    const reply = this.#inbox + entry.token;
    try {
      this.#nc.publish(subject, payload, headers === undefined ? { reply } : { reply, headers });
      entry.state = "sent";
      entry.sentAt = performance.now();
      entry.attempts++;
    } catch (error) {
      this.#fail(entry, error);
    }
  }

  #resend(state: Outgoing["state"]): void {
    for (const entry of [...this.#inFlight.values()]) if (entry.state === state) this.#send(entry);
  }

  // -- what comes of it ----------------------------------------------------------------------------------------------

  #onReply(msg: Msg): void {
    const entry = this.#inFlight.get(Number(msg.subject.slice(this.#inbox.length)));
    // there is none for the second ack of what was sent twice, and for one that is late
    if (entry === undefined) return;
    const { subject } = entry;
    let ack: PubAck;
    try {
      if (isNoResponders(msg)) throw new NoStreamError(subject, entry.attempts);
      ack = readPubAck(msg, subject, expectedSequence(entry));
    } catch (error) {
      entry.state = "refused";
      const again = error instanceof NoStreamError || (error instanceof JetStreamApiError && error.transient);
      if (again && this.#mayRetry(entry)) this.#retryTimer ??= this.#retryAfter(this.#options.retryWait);
      else this.#fail(entry, error);
      return;
    }
    this.#settle(entry, ack);
  }

  #mayRetry(entry: Outgoing): boolean {
    const { retries, retryWait } = this.#options;
    return mayRepeat(entry, retries) && entry.deadline - performance.now() > retryWait;
  }

  #retryAfter(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#retryTimer = undefined;
      this.#resend("refused");
    }, ms);
  }

  // Acks that were on their way are lost. A message that is whole goes with the next link, and once more: it is stored once.
  onDisconnect(): void {
    this.#level = undefined;
    for (const entry of [...this.#inFlight.values()]) {
      if (entry.state !== "sent") continue;
      entry.state = "cut";
      entry.open = true;
      if (!isRepeatable(entry, this.#options.retries)) {
        this.#fail(entry, new ConnectionError("the link broke before its ack came", {}, "DISCONNECTED"));
      }
    }
  }

  onReconnect(): void {
    this.#resend("cut");
  }

  #lookAfter(ms: number): ReturnType<typeof setTimeout> {
    return startTimer(() => this.#look(), Math.max(ms, 10));
  }

  // Who is late? An ack can get lost without the link: with the leader that should have sent it.
  #look(): void {
    this.#timer = undefined;
    const { timeout, ackWait, retries } = this.#options;
    const linked = this.#nc.info !== undefined;
    const now = performance.now();
    let next = Infinity;
    for (const entry of [...this.#inFlight.values()]) {
      const { subject, deadline, state, sentAt } = entry;
      if (deadline <= now) {
        const missing = linked ? "no reply" : "no connection";
        this.#fail(entry, new TimeoutError(`no ack came within ${timeout} ms`, { subject }, missing));
        continue;
      }
      if (linked && state === "sent" && sentAt + ackWait <= now && isRepeatable(entry, retries)) {
        entry.open = true;
        this.#send(entry);
      }
      next = Math.min(next, deadline, now + ackWait);
    }
    if (next < Infinity) this.#timer ??= this.#lookAfter(next - now);
  }

  #fail(entry: Outgoing, error: unknown): void {
    this.#settle(entry, undefined, error);
  }

  #settle(entry: Outgoing, ack: PubAck | undefined, error?: unknown): void {
    if (!settleOutgoing(entry, ack, error)) return;
    this.#inFlight.delete(entry.token);
    this.#pump();
  }

  // -- end -----------------------------------------------------------------------------------------------------------

  ready(options: WaitOptions = {}): Promise<void> {
    if (!this.#full || this.#closed !== undefined) return Promise.resolve();
    return settle((this.#room ??= deferred()), { ...options, what: "waiting for room to publish" });
  }

  drain(options: WaitOptions = {}): Promise<void> {
    if (this.#closed !== undefined) return Promise.resolve();
    this.#drained ??= deferred();
    const drained = settle(this.#drained, { ...options, what: "draining the publisher" });
    this.#pump();
    return drained;
  }

  // All have settled, or the subscription has ended: the connection has, or the server does not allow it.
  #close(error: Error | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = (error as NatsError | undefined) ?? new ClosedConnectionError();
    const left = [...this.#inFlight.values()];
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift())
      left.push(entry);
    for (const entry of left) this.#fail(entry, this.#closed);
    this.#sub.unsubscribe();
    this.#api.links.remove(this);
    clearTimeout(this.#timer);
    clearTimeout(this.#retryTimer);
    this.#room?.resolve();
    this.#drained?.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }
}
