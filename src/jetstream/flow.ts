// Flow: keeps messages of a consumer coming, whatever happens to the link, the servers and the consumer. The one recovery of
// the package: behind consume, fetch and next, ordered and push consumers, and what is built of these.
//
//                     subscribed, asked                disconnect
//        starting ─────────────────────► flowing ────────────────────► offline
//                                         │    ▲                          │
//   pulls lost, nobody serves it, silence │    │ it is there, or          │ reconnect
//   of two heartbeats, a gap in the order │    │ made anew; asked again   │
//                                         ▼    │                          │
//                                       recovering ◄──────────────────────┘
//                                         │
//   gone, refused, closed, left, complete ▼   (from every state)
//                                       ended ── what is here is handed over, then the error is thrown
//
//   recovering    wait (none at first, then longer each time, until something comes)
//                 ordered: new inbox, new consumer behind the last message
//                 else, where it may be gone: ask the server for it
//
// What a status means is in jetstream/status-table. `#become` is the only writer of the state, and each new state makes what
// was begun in the one before void (`#turn`).
import type { Msg, NatsConnection, Subscription, WaitOptions } from "../client/connection.ts";
import {
  ClosedConnectionError,
  isNatsError,
  type NatsError,
  type PermissionViolationError,
  TimeoutError,
} from "../errors.ts";
import { backoff } from "../lib/backoff.ts";
import { aborted, type Deferred, deferred, delay, type Delay, LONGEST_TIMER } from "../lib/deferred.ts";
import { Listeners } from "../lib/listeners.ts";
import { createInbox } from "../protocol/subject.ts";
import type { ConsumerInfo } from "../protocol/jetstream/consumer.ts";
import type { Api } from "./api.ts";
import { ConsumerNotFoundError, JetStreamApiError, JetStreamStatusError } from "./api-error.ts";
import type { Binding } from "./binding.ts";
import type { ConsumerHealth, ConsumerNotification } from "./consuming.ts";
import { type Delivery, Intake, type IntakeHost } from "./intake.ts";
import type { LinkListener } from "./link-watch.ts";
import type { Pulls } from "./pulls.ts";
import { type Reaction, readStatus, type StatusKind } from "./status-table.ts";

/** Where what comes goes to. */
export interface Sink<T> {
  /** Hand it over when it is its turn; what is returned is for the subscription, to wait for. */
  put(item: T): Promise<unknown> | undefined;
  /** Do it when all that is here now has been handed over. */
  mark(marker: () => void): void;
  /** This is all: the flow ends when all has been handed over. */
  finish(): void;
}

/** What a flow is of. */
export interface FlowSetup<T extends Delivery> {
  readonly binding: Binding;
  /** puts what is to be handed over for a message, if anything is; returns what `put` does */
  readonly take: (msg: Msg, sink: Sink<T>) => Promise<unknown> | undefined;
  /** of an ordered one: it has a new consumer, whose first messages may have come before */
  readonly onConsumer?: ((info: ConsumerInfo, sink: Sink<T>) => void) | undefined;
  /** of an ordered one that is pushed to: all that the server has for it now has come */
  readonly onIdle?: ((sink: Sink<T>) => void) | undefined;
  /** of a pull consumer */
  readonly pulls?: Pulls | undefined;
  /** of a push consumer that has a name: where it delivers to */
  readonly deliver?: { readonly subject: string; readonly queue: string | undefined } | undefined;
  /** prefix of the inboxes */
  readonly inboxPrefix?: string | undefined;
  /** milliseconds; 0 for none */
  readonly heartbeat: number;
  /** wait for what is gone, rather than end */
  readonly patient?: boolean | undefined;
  readonly callback?: ((item: T) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** milliseconds for all of it; then it ends with code `TIMEOUT` */
  readonly timeout?: number | undefined;
}

type Timer = ReturnType<typeof setTimeout>;

// milliseconds before each attempt to go on, until something comes again
const WAITS = [0, 100, 250, 500, 1000, 2000, 4000];
// attempts without a word of whether it is there, after which one that can't be asked for counts as gone
const BLIND_ATTEMPTS = 7;
// what shows that it is served
const ALIVE: readonly StatusKind[] = ["heartbeat", "flow-control", "over", "too-large"];
// milliseconds that a fetch waits for the server beyond what the server was told
const MARGIN = 1000;

export class Flow<T extends Delivery> implements Sink<T>, LinkListener, IntakeHost {
  readonly #nc: NatsConnection;
  readonly #api: Api;
  readonly #setup: FlowSetup<T>;
  readonly #binding: Binding;
  readonly #pulls: Pulls | undefined;
  readonly #intake: Intake<T>;
  readonly #events = new Listeners<ConsumerNotification>();
  readonly #backoff = backoff(WAITS);
  #state: ConsumerHealth["state"] = "starting";
  #turn = 0;
  #sub: Subscription | undefined;
  #inbox = "";
  #error: Error | undefined;
  #closed: Deferred<undefined | Error> | undefined;
  #done = false;
  // what ended while nothing came
  #failures = 0;
  // it may be gone: ask before going on
  #suspect = false;
  #pause: Delay | undefined;
  #heartbeats: ReturnType<typeof setInterval> | undefined;
  // half heartbeats without a word
  #silent = 0;
  // a word came since the last request for messages
  #heard = false;
  #probe: Timer | undefined;
  #deadline: Timer | undefined;
  #deadlineAt = Number.POSITIVE_INFINITY;
  #overall: Timer | undefined;
  #stalled = "";
  #lastMessage = 0;
  #lastHeartbeat = 0;
  #resets = 0;
  // where an ordered consumer was when this began
  readonly #origin: number | undefined;

  /**
   * A flow that is under way.
   * @throws {@link NatsError} ABORTED, CLOSED, DRAINING, and of an ordered one those of its creation
   */
  static async start<T extends Delivery>(api: Api, setup: FlowSetup<T>): Promise<Flow<T>> {
    const flow = new Flow(api, setup);
    await flow.#begin();
    return flow;
  }

  private constructor(api: Api, setup: FlowSetup<T>) {
    this.#api = api;
    this.#nc = api.nc;
    this.#setup = setup;
    this.#binding = setup.binding;
    this.#pulls = setup.pulls;
    this.#intake = new Intake(this, setup.callback, setup.pulls?.counts === true);
    this.#origin = setup.binding.ordered ? setup.binding.position : undefined;
  }

  // -- the beginning -------------------------------------------------------------------------------------------------

  async #begin(): Promise<void> {
    const { signal, timeout } = this.#setup;
    if (signal?.aborted === true) throw aborted(signal, this.#what());
    try {
      if (this.#binding.ordered)
        await this.#makeConsumer({ ...(timeout && { timeout }), ...(signal && { signal }) });
      else this.#subscribe();
    } catch (error) {
      this.#end(undefined, true);
      throw error;
    }
    if (this.#is("ended")) return;
    this.#api.links.add(this);
    signal?.addEventListener("abort", this.#onAbort);
    const { plan } = this.#pulls ?? {};
    if (plan?.once === true) {
      const wait = plan.expires > 0 ? plan.expires : this.#api.options.timeout;
      this.#deadlineAt = performance.now() + wait;
      this.#deadline = setTimeout(() => void this.#tooLate(), Math.min(wait + MARGIN, LONGEST_TIMER));
      if (timeout !== undefined) {
        const late = () =>
          this.#fail(new TimeoutError(`${this.#what()} took longer than ${timeout} ms`, this.#facts()));
        this.#overall = setTimeout(late, Math.min(timeout, LONGEST_TIMER));
      }
    }
    this.#flow();
  }

  // Listen where the server shall send to.
  #subscribe(): void {
    this.#sub?.unsubscribe();
    const { deliver, inboxPrefix } = this.#setup;
    this.#inbox =
      deliver?.subject ?? (inboxPrefix === undefined ? this.#nc.createInbox() : createInbox(inboxPrefix));
    // a pull has its number in its reply subject
    const subject = this.#pulls === undefined ? this.#inbox : `${this.#inbox}.*`;
    const sub = this.#nc.subscribe(subject, {
      callback: this.#onMessage,
      ...(deliver?.queue !== undefined && { queue: deliver.queue }),
    });
    this.#sub = sub;
    void sub.closed.then((error) => {
      // the connection ended, or the server refused the subscription
      if (this.#sub !== sub || this.#is("ended")) return;
      const cut = this.#pulls?.plan.once === true && !this.#pulls.complete;
      this.#end(error ?? (cut ? new ClosedConnectionError() : undefined), false);
    });
  }

  // A new inbox and a new consumer: what is on its way to the old inbox is of no interest (traps 73, 76).
  async #makeConsumer(options: WaitOptions): Promise<void> {
    const { binding } = this.#setup;
    if (!binding.ordered) return;
    if (this.#pulls !== undefined && binding.name !== "" && this.#sub === undefined) {
      // a fetch goes on with the consumer of the one before
      return this.#subscribe();
    }
    this.#subscribe();
    await binding.create(this.#pulls === undefined ? this.#inbox : undefined, options);
    // a push consumer delivers before its creation is confirmed, and that may have been all that was wanted
    if (this.#is("ended")) this.#leave(false);
    else if (binding.info !== undefined) this.#setup.onConsumer?.(binding.info, this);
  }

  #flow(): void {
    if (this.#is("ended")) return;
    if (this.#nc.state === "reconnecting") return this.onDisconnect();
    this.#become("flowing");
    this.#heard = false;
    this.#silent = 0;
    const { heartbeat } = this.#setup;
    if (heartbeat > 0)
      this.#heartbeats = setInterval(() => this.#onTick(), Math.min(heartbeat / 2, LONGEST_TIMER));
    // servers before 2.10 don't answer pulls of consumers that are not there (C-PULL-8)
    const version = this.#nc.getServerVersion();
    if (this.#pulls !== undefined && version?.major === 2 && version.minor < 10) {
      this.#probe = setTimeout(() => {
        if (!this.#heard) void this.#look();
      }, MARGIN);
    }
    this.#ask();
  }

  #become(state: ConsumerHealth["state"]): void {
    this.#state = state;
    this.#turn++;
    this.#pause?.cancel();
    this.#pause = undefined;
    clearInterval(this.#heartbeats);
    clearTimeout(this.#probe);
  }

  #is(state: ConsumerHealth["state"]): boolean {
    return this.#state === state;
  }

  // -- asking --------------------------------------------------------------------------------------------------------

  #ask(): void {
    const pulls = this.#pulls;
    if (pulls === undefined || this.#state !== "flowing" || this.#nc.state !== "connected") return;
    const { expires, once, noWait } = pulls.plan;
    // the rest of a fetch; a pull of no time at all would wait for ever
    const left =
      once && !(noWait && expires === 0) ? Math.max(1, this.#deadlineAt - performance.now()) : expires;
    const options = pulls.next(this.#intake.held, this.#intake.heldBytes, left);
    if (options === undefined) return;
    const subject = this.#pullSubject();
    try {
      this.#nc.publish(subject, JSON.stringify(options), { reply: `${this.#inbox}.${pulls.id}` });
    } catch (error) {
      // no room to send, or no connection any more
      pulls.over(pulls.id, undefined, undefined);
      if (isNatsError(error) && error.code === "OUTBOUND_FULL") this.#recover(false);
      return;
    }
    if (this.#events.size > 0) this.#events.emit({ type: "next", options });
  }

  #pullSubject(): string {
    return this.#api.subject("CONSUMER.MSG.NEXT", this.#binding.stream, this.#binding.name);
  }

  // -- what comes ----------------------------------------------------------------------------------------------------

  #onMessage = (error: NatsError | null, msg: Msg): Promise<unknown> | undefined => {
    // `closed` of the subscription tells of errors
    if (error !== null) return undefined;
    this.#silent = 0;
    this.#heard = true;
    if (msg.statusCode !== 0) {
      this.#onStatus(msg);
      return undefined;
    }
    const binding = this.#binding;
    if (binding.ordered && !binding.accepts(msg)) {
      this.#recover(false);
      return undefined;
    }
    this.#failures = 0;
    this.#lastMessage = Date.now();
    const pulls = this.#pulls;
    if (pulls === undefined) return this.#setup.take(msg, this);
    pulls.took(pulls.counts ? msg.size() : 0);
    if (pulls.plan.group !== undefined) this.#readPin(pulls, msg);
    const waits = this.#setup.take(msg, this);
    if (pulls.complete) this.#end(undefined, false);
    return waits;
  };

  #readPin(pulls: Pulls, msg: Msg): void {
    const id = msg.headers?.get("Nats-Pin-Id") ?? "";
    if (pulls.pinned(id)) this.#events.emit({ type: "consumer_pinned", id });
  }

  #onStatus(msg: Msg): void {
    const headers = msg.headers as NonNullable<Msg["headers"]>;
    const { code, description } = headers;
    const pulls = this.#pulls;
    const id = pulls === undefined ? 0 : Number(msg.subject.slice(this.#inbox.length + 1));
    if (pulls !== undefined && !pulls.isCurrent(id)) return;
    const rule = readStatus(code, description);
    if (ALIVE.includes(rule.kind)) this.#failures = 0;
    switch (rule.kind) {
      case "heartbeat":
        return this.#onHeartbeat(headers);
      case "flow-control":
        this.#events.emit({ type: "flow_control" });
        return this.#answerLater(msg.reply ?? "");
      case "absent":
        this.#events.emit({ type: "no_responders", code });
        break;
      case "deleted":
        this.#events.emit({ type: "consumer_deleted", code, description });
        break;
      case "limit":
      case "busy":
        this.#events.emit({ type: "exceeded_limits", code, description });
        break;
      case "unpinned":
        pulls?.unpinned();
        this.#events.emit({ type: "consumer_unpinned" });
        break;
      default:
        this.#events.emit({ type: "debug", code, description });
    }
    const messagesLeft = numberIn(headers, "Nats-Pending-Messages");
    const bytesLeft = numberIn(headers, "Nats-Pending-Bytes");
    if (rule.kind !== "unknown" || messagesLeft !== undefined) pulls?.over(id, messagesLeft, bytesLeft);
    if (messagesLeft) this.#events.emit({ type: "discard", messagesLeft, bytesLeft: bytesLeft ?? 0 });
    const status = () => new JetStreamStatusError(code, description, this.#facts());
    if (rule.kind === "too-large" && pulls?.makeRoom(bytesLeft) === false) return this.#fail(status());
    this.#react(pulls?.plan.once === true ? rule.once : rule.always, rule.kind, description, status);
  }

  #react(reaction: Reaction, kind: StatusKind, description: string, status: () => NatsError): void {
    const pulls = this.#pulls;
    // an ordered consumer makes itself a new one of whatever is the matter with this one
    const lost = kind === "lost" || kind === "absent" || kind === "deleted";
    if (this.#binding.ordered && lost) return this.#recover(false);
    switch (reaction) {
      case "note":
        return;
      case "end":
        return this.#end(undefined, false);
      case "again":
        return this.#ask();
      case "later":
        // what the refusal says of the limit helps at once
        if (kind === "limit" && pulls !== undefined) {
          return pulls.limit(description) ? this.#ask() : this.#fail(status());
        }
        return this.#recover(false);
      case "check":
        if (this.#askable()) return this.#recover(true);
        if (pulls?.plan.once === true || this.#failures >= BLIND_ATTEMPTS) return this.#fail(status());
        return this.#recover(false);
      case "error":
        if (kind !== "deleted") return this.#fail(status());
        if (this.#setup.patient === true) return this.#recover(this.#askable());
        return this.#fail(this.#gone(description));
      default:
        reaction satisfies never;
    }
  }

  #askable(): boolean {
    return !this.#binding.ordered && this.#binding.askable;
  }

  #onHeartbeat(headers: NonNullable<Msg["headers"]>): void {
    this.#lastHeartbeat = Date.now();
    const lastConsumerSequence = numberIn(headers, "Nats-Last-Consumer") ?? 0;
    if (this.#events.size > 0) {
      const lastStreamSequence = numberIn(headers, "Nats-Last-Stream") ?? 0;
      this.#events.emit({ type: "heartbeat", lastConsumerSequence, lastStreamSequence });
    }
    const stalled = headers.get("Nats-Consumer-Stalled");
    if (stalled !== "") this.#answerLater(stalled);
    // C-FC-4: what is missing was lost on the way
    if (!this.#binding.ordered) return;
    if (this.#binding.missed(lastConsumerSequence)) this.#recover(false);
    // it would send what it has, unless it waits for an answer
    else if (stalled === "") this.#setup.onIdle?.(this);
  }

  // Flow control: answered once, when all before it has been handed over (C-FC-1, C-FC-2, trap 81).
  #answerLater(subject: string): void {
    if (subject === "" || subject === this.#stalled) return;
    this.#stalled = subject;
    this.#intake.mark(() => {
      if (this.#state !== "ended" && this.#nc.state === "connected") this.#nc.publish(subject);
    });
  }

  #onTick(): void {
    const pulls = this.#pulls;
    // nobody speaks where nothing was asked for
    if (pulls !== undefined && pulls.messages === 0) this.#silent = 0;
    // one heartbeat is overdue: by the second it is known whether the link is to blame
    else if (++this.#silent === 3) this.#doubtLink();
    else if (this.#silent >= 4) {
      this.#events.emit({ type: "heartbeats_missed", count: 2 });
      this.#recover(this.#askable());
    }
  }

  // The connection finds out whether the link is dead, and then drops it.
  #doubtLink(): void {
    this.#nc.doubt?.(Math.max(2000, Math.min(this.#setup.heartbeat / 2, 5000)));
  }

  // -- recovery ------------------------------------------------------------------------------------------------------

  onDisconnect(): void {
    if (this.#is("ended")) return;
    this.#pulls?.void();
    this.#become("offline");
  }

  onReconnect(): void {
    if (!this.#is("offline")) return;
    this.#failures = 0;
    // a push consumer that is gone would only be silent
    this.#suspect ||= this.#pulls === undefined && this.#askable();
    this.#reset();
  }

  onRefused(error: PermissionViolationError): void {
    if (this.#pulls !== undefined && error.subject === this.#pullSubject()) this.#fail(error);
  }

  #recover(suspect: boolean): void {
    this.#suspect ||= suspect;
    // the recovery under way, or the next link, sees to it
    if (this.#is("flowing") || this.#is("starting")) this.#reset();
  }

  #reset(): void {
    this.#resets++;
    this.#events.emit({ type: "reset", name: this.#binding.name });
    void this.#goOn();
  }

  async #goOn(): Promise<void> {
    this.#pulls?.void();
    this.#become("recovering");
    const turn = this.#turn;
    const binding = this.#binding;
    for (;;) {
      const wait = this.#backoff.backoff(this.#failures++);
      if (wait > 0) await (this.#pause = delay(wait));
      if (turn !== this.#turn) return;
      try {
        if (binding.ordered) {
          await this.#makeConsumer({});
          if (turn !== this.#turn) return;
          this.#events.emit({ type: "ordered_consumer_recreated", name: binding.name });
        } else if (this.#suspect) {
          await binding.check();
        }
        break;
      } catch (error) {
        if (turn !== this.#turn) return;
        if (!this.#passes(error)) return this.#fail(error as NatsError);
      }
    }
    if (turn !== this.#turn) return;
    this.#suspect = false;
    this.#flow();
  }

  // Will it be better in a while?
  #passes(error: unknown): boolean {
    if (!isNatsError(error)) return false;
    const { stream, name } = this.#binding;
    const count = this.#failures;
    switch (error.code) {
      case "CONSUMER_NOT_FOUND":
        this.#events.emit({ type: "consumer_not_found", name, stream, count });
        return this.#setup.patient === true;
      case "STREAM_NOT_FOUND":
        this.#events.emit({ type: "stream_not_found", name: stream, consumerCreateFails: count });
        return this.#setup.patient === true;
      case "PERMISSION_VIOLATION":
        // who may not look pulls all the same
        this.#suspect = false;
        return !this.#binding.ordered;
      // the name is taken: the next one has another
      case "CONSUMER_EXISTS":
      case "DISCONNECTED":
        return true;
      case "TIMEOUT":
        this.#doubtLink();
        return true;
      case "JETSTREAM_NOT_ENABLED":
        // nobody answered, as while a cluster has no leader; when the server says so, it stays so
        return !(error instanceof JetStreamApiError);
      default:
        return error instanceof JetStreamApiError && error.transient;
    }
  }

  // Asks whether it is there, without giving up what was asked for. Resolves to the error when nobody answers.
  async #look(): Promise<NatsError | undefined> {
    const binding = this.#binding;
    const turn = this.#turn;
    try {
      await binding.check();
    } catch (error) {
      if (turn !== this.#turn) return undefined;
      if (error instanceof TimeoutError) return error;
      if (binding.ordered) this.#recover(false);
      else if (!this.#passes(error)) this.#fail(error as NatsError);
    }
    return undefined;
  }

  // -- the end -------------------------------------------------------------------------------------------------------

  // The server did not end a fetch in time.
  async #tooLate(): Promise<void> {
    this.#doubtLink();
    let error: NatsError | undefined;
    if (this.#pulls?.received === 0) {
      if (!this.#heard && !this.#is("offline")) error = await this.#look();
      if (this.#is("offline")) {
        const text = `${this.#what()}: there was no connection within ${this.#pulls.plan.expires} ms`;
        error = new TimeoutError(text, this.#facts(), "no connection");
      }
    }
    this.#end(error, false);
  }

  #onAbort = (): void => this.#fail(aborted(this.#setup.signal as AbortSignal, this.#what()));

  #what(): string {
    const { stream, name } = this.#binding;
    return `consuming from '${name}' of stream '${stream}'`;
  }

  #facts(): { stream: string; consumer: string } {
    return { stream: this.#binding.stream, consumer: this.#binding.name };
  }

  #gone(description: string): NatsError {
    return new ConsumerNotFoundError({ code: 404, err_code: 10014, description }, this.#facts());
  }

  #fail(error: Error): void {
    this.#end(error, false);
  }

  // What is here is handed over before the error is thrown, unless it is dropped.
  #end(error: Error | undefined, drop: boolean): void {
    const dropped = drop && this.#intake.queued > 0;
    this.#intake.end(error, drop);
    if (!this.#is("ended")) {
      this.#become("ended");
      this.#error = error;
      clearTimeout(this.#deadline);
      clearTimeout(this.#overall);
      this.#api.links.remove(this);
      this.#setup.signal?.removeEventListener("abort", this.#onAbort);
      this.#sub?.unsubscribe();
    }
    this.#leave(dropped);
    this.#pulls?.void();
    this.#settle();
  }

  // An ordered consumer is used again by the next fetch, if nothing that it delivered is lost.
  #leave(dropped: boolean): void {
    const binding = this.#binding;
    if (!binding.ordered) return;
    if (dropped) binding.rewind(this.#intake.last?.seq ?? this.#origin);
    else if (this.#pulls?.plan.once !== true || this.#pulls.messages > 0) binding.remove();
  }

  #settle(): void {
    if (this.#done || !this.#intake.idle) return;
    this.#done = true;
    this.#events.close();
    this.#closed?.resolve(this.#error);
  }

  // -- the intake ----------------------------------------------------------------------------------------------------

  onRoom(): void {
    if (this.#pulls !== undefined && !this.#pulls.plan.once) this.#ask();
  }

  onLeft(): void {
    this.stop();
  }

  onDone(): void {
    this.#settle();
  }

  // -- what `take` may do ------------------------------------------------------------------------------------------

  put(item: T): Promise<unknown> | undefined {
    return this.#intake.put(item);
  }

  mark(marker: () => void): void {
    this.#intake.mark(marker);
  }

  finish(): void {
    this.#end(undefined, false);
  }

  // -- for the user --------------------------------------------------------------------------------------------------

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this.#intake.iterate();
  }

  async close(): Promise<undefined | Error> {
    this.#end(undefined, false);
    if (this.#nc.state === "connected") await this.#nc.flush().catch(() => undefined);
    return this.#error;
  }

  closed(): Promise<undefined | Error> {
    if (this.#closed === undefined) {
      this.#closed = deferred();
      if (this.#done) this.#closed.resolve(this.#error);
    }
    return this.#closed;
  }

  stop(error?: Error): void {
    this.#end(error, true);
  }

  status(): AsyncIterable<ConsumerNotification> {
    return this.#events.listen();
  }

  /** true when it has ended and all is handed over */
  get isDone(): boolean {
    return this.#done;
  }

  get health(): ConsumerHealth {
    const { messages = 0, bytes = 0 } = this.#pulls ?? {};
    return {
      state: this.#state,
      lastMessage: this.#lastMessage,
      lastHeartbeat: this.#lastHeartbeat,
      outstanding: { messages, bytes },
      resets: this.#resets,
    };
  }

  getProcessed(): number {
    return this.#intake.processed;
  }

  getPending(): number {
    return this.#intake.queued;
  }

  getReceived(): number {
    return this.#intake.received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.close();
  }
}

function numberIn(headers: NonNullable<Msg["headers"]>, name: string): number | undefined {
  const value = headers.get(name);
  return value === "" ? undefined : Number(value);
}
