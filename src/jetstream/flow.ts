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
// What a pull consumer is asked for, and what its statuses mean, is in jetstream/puller. `#become` is the only writer of the state, and each new state makes what
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
import type { Api } from "./api.ts";
import { JetStreamApiError } from "./api-error.ts";
import { type Binding, whatOf } from "./binding.ts";
import type { ConsumerHealth, ConsumerNotification } from "./consuming.ts";
import type { FlowSetup, Sink } from "./flow-setup.ts";
import { type Delivery, Intake, type IntakeHost } from "./intake.ts";
import type { LinkListener } from "./link-watch.ts";
import type { Puller, PullHost } from "./puller.ts";
import { numberIn } from "./status-table.ts";

// milliseconds before each attempt to go on, until something comes again
const WAITS = [0, 100, 250, 500, 1000, 2000, 4000];
export class Flow<T extends Delivery> implements Sink<T>, LinkListener, IntakeHost, PullHost {
  readonly api: Api;
  readonly binding: Binding;
  /** wait for what is gone, rather than end */
  readonly patient: boolean;
  state: ConsumerHealth["state"] = "starting";
  /** where messages come to */
  inbox = "";
  /** it has ended, and all is handed over */
  isDone = false;
  /** a word came since it flows */
  heard = false;
  /** what ended while nothing came */
  failures = 0;
  readonly #nc: NatsConnection;
  readonly #setup: FlowSetup<T>;
  readonly #puller: Puller | undefined;
  readonly #intake: Intake<T>;
  readonly #events = new Listeners<ConsumerNotification>();
  readonly #backoff = backoff(WAITS);
  #turn = 0;
  #sub: Subscription | undefined;
  #error: Error | undefined;
  readonly #closed: Deferred<undefined | Error> = deferred();
  // it may be gone: ask before going on
  #suspect = false;
  #pause: Delay | undefined;
  #heartbeats: ReturnType<typeof setInterval> | undefined;
  // half heartbeats without a word
  #silent = 0;
  #stalled = "";
  #lastMessage = 0;
  // that is of this turn
  #timed = false;
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
    this.api = api;
    this.binding = setup.binding;
    this.patient = setup.patient === true;
    this.#nc = api.nc;
    this.#setup = setup;
    this.#puller = setup.pull?.(this);
    this.#intake = new Intake(this, setup.callback, this.#puller?.pulls.counts === true);
    this.#origin = setup.binding.ordered ? setup.binding.position : undefined;
  }

  // -- the beginning -------------------------------------------------------------------------------------------------

  async #begin(): Promise<void> {
    const { signal, timeout } = this.#setup;
    if (signal?.aborted === true) throw aborted(signal, whatOf(this.binding));
    try {
      if (this.binding.ordered) await this.#makeConsumer({ timeout: timeout || undefined, signal });
      else this.#subscribe();
    } catch (error) {
      this.#end(undefined, true);
      throw error;
    }
    if (this.#is("ended")) return;
    this.api.links.add(this);
    signal?.addEventListener("abort", this.#onAbort);
    this.#puller?.begin(timeout);
    this.#flow();
  }

  // Listen where the server shall send to.
  #subscribe(): void {
    this.#sub?.unsubscribe();
    const { deliver, inboxPrefix } = this.#setup;
    this.inbox =
      deliver?.subject ?? (inboxPrefix === undefined ? this.#nc.createInbox() : createInbox(inboxPrefix));
    // a pull has its number in its reply subject
    const subject = this.#puller === undefined ? this.inbox : `${this.inbox}.*`;
    const sub = this.#nc.subscribe(subject, {
      callback: this.#onMessage,
      ...(deliver?.queue !== undefined && { queue: deliver.queue }),
    });
    this.#sub = sub;
    void sub.closed.then((error) => {
      // the connection ended, or the server refused the subscription
      if (this.#sub !== sub || this.#is("ended")) return;
      const { pulls } = this.#puller ?? {};
      const cut = pulls?.plan.once === true && !pulls.complete;
      this.#end(error ?? (cut ? new ClosedConnectionError() : undefined), false);
    });
  }

  // A new inbox and a new consumer: what is on its way to the old inbox is of no interest (traps 73, 76).
  async #makeConsumer(options: WaitOptions): Promise<void> {
    const { binding } = this.#setup;
    if (!binding.ordered) return;
    if (this.#puller !== undefined && binding.name !== "" && this.#sub === undefined) {
      // a fetch goes on with the consumer of the one before
      return this.#subscribe();
    }
    this.#subscribe();
    await binding.create(this.#puller === undefined ? this.inbox : undefined, options);
    // a push consumer delivers before its creation is confirmed, and that may have been all that was wanted
    if (this.#is("ended")) this.#leave(false);
    else if (binding.info !== undefined) this.#setup.onConsumer?.(binding.info, this);
  }

  #flow(): void {
    if (this.#is("ended")) return;
    if (this.#nc.state === "reconnecting") return this.onDisconnect();
    this.#become("flowing");
    this.heard = false;
    this.#silent = 0;
    const { heartbeat } = this.#setup;
    if (heartbeat > 0)
      this.#heartbeats = setInterval(() => this.#onTick(), Math.min(heartbeat / 2, LONGEST_TIMER));
    this.#puller?.start();
  }

  #become(state: ConsumerHealth["state"]): void {
    this.state = state;
    this.#turn++;
    this.#pause?.cancel();
    this.#pause = undefined;
    clearInterval(this.#heartbeats);
    this.#puller?.pause();
  }

  #is(state: ConsumerHealth["state"]): boolean {
    return this.state === state;
  }

  // -- what comes ----------------------------------------------------------------------------------------------------

  #onMessage = (error: NatsError | null, msg: Msg): Promise<unknown> | undefined => {
    // `closed` of the subscription tells of errors
    if (error !== null) return undefined;
    this.#silent = 0;
    this.heard = true;
    if (msg.statusCode !== 0) {
      this.#onStatus(msg);
      return undefined;
    }
    const { binding } = this;
    if (binding.ordered && !binding.accepts(msg)) {
      this.recover(false);
      return undefined;
    }
    this.failures = 0;
    if (!this.#timed) this.#time();
    const puller = this.#puller;
    puller?.took(msg);
    const waits = this.#setup.take(msg, this);
    if (puller?.pulls.complete === true) this.finish();
    return waits;
  };

  // One time for all that comes in one go: asking for it costs more than the rest of what is done here.
  #time(): void {
    this.#timed = true;
    this.#lastMessage = Date.now();
    queueMicrotask(() => (this.#timed = false));
  }

  #onStatus(msg: Msg): void {
    const headers = msg.headers as NonNullable<Msg["headers"]>;
    const { code, description } = headers;
    const id = this.#puller?.numberOf(msg.subject);
    if (id === 0) return;
    // C-STAT-1: by number, and by the beginning of the text whatever its case
    if (code === 100 && /^idle heartbeat/i.test(description)) {
      this.failures = 0;
      this.#onHeartbeat(headers);
    } else if (code === 100 && /^flowcontrol request/i.test(description)) {
      this.failures = 0;
      this.emit({ type: "flow_control" });
      this.#answerLater(msg.reply ?? "");
    } else if (id === undefined) {
      this.emit({ type: "debug", code, description });
    } else {
      this.#puller?.onStatus(id, headers);
    }
  }

  #onHeartbeat(headers: NonNullable<Msg["headers"]>): void {
    this.#lastHeartbeat = Date.now();
    const lastConsumerSequence = numberIn(headers, "Nats-Last-Consumer") ?? 0;
    const lastStreamSequence = numberIn(headers, "Nats-Last-Stream") ?? 0;
    this.emit({ type: "heartbeat", lastConsumerSequence, lastStreamSequence });
    const stalled = headers.get("Nats-Consumer-Stalled");
    if (stalled !== "") this.#answerLater(stalled);
    // C-FC-4: what is missing was lost on the way
    if (!this.binding.ordered) return;
    if (this.binding.missed(lastConsumerSequence)) this.recover(false);
    // it would send what it has, unless it waits for an answer
    else if (stalled === "") this.#setup.onIdle?.(this);
  }

  // Flow control: answered once, when all before it has been handed over (C-FC-1, C-FC-2, trap 81).
  #answerLater(subject: string): void {
    if (subject === "" || subject === this.#stalled) return;
    this.#stalled = subject;
    this.#intake.mark(() => {
      if (this.state !== "ended" && this.#nc.state === "connected") this.#nc.publish(subject);
    });
  }

  #onTick(): void {
    // nobody speaks where nothing was asked for
    if (this.#puller?.pulls.messages === 0) this.#silent = 0;
    // one heartbeat is overdue: by the second it is known whether the link is to blame
    else if (++this.#silent === 3) this.doubtLink();
    else if (this.#silent >= 4) {
      this.emit({ type: "heartbeats_missed", count: 2 });
      this.recover(this.binding.askable);
    }
  }

  // The connection finds out whether the link is dead, and then drops it.
  doubtLink(): void {
    this.#nc.doubt?.(Math.max(2000, Math.min(this.#setup.heartbeat / 2, 5000)));
  }

  // -- recovery ------------------------------------------------------------------------------------------------------

  onDisconnect(): void {
    if (this.#is("ended")) return;
    this.#puller?.pulls.void();
    this.#become("offline");
  }

  onReconnect(): void {
    if (!this.#is("offline")) return;
    this.failures = 0;
    // a push consumer that is gone would only be silent
    this.#suspect ||= this.#puller === undefined && this.binding.askable;
    this.#reset();
  }

  onRefused(error: PermissionViolationError): void {
    if (error.subject === this.#puller?.subject) this.finish(error);
  }

  recover(suspect: boolean): void {
    this.#suspect ||= suspect;
    // the recovery under way, or the next link, sees to it
    if (this.#is("flowing") || this.#is("starting")) this.#reset();
  }

  #reset(): void {
    this.#resets++;
    this.emit({ type: "reset", name: this.binding.name });
    void this.#goOn();
  }

  async #goOn(): Promise<void> {
    this.#puller?.pulls.void();
    this.#become("recovering");
    const turn = this.#turn;
    const { binding } = this;
    for (;;) {
      const wait = this.#backoff.backoff(this.failures++);
      if (wait > 0) await (this.#pause = delay(wait));
      if (turn !== this.#turn) return;
      try {
        if (binding.ordered) {
          await this.#makeConsumer({});
          if (turn !== this.#turn) return;
          this.emit({ type: "ordered_consumer_recreated", name: binding.name });
        } else if (this.#suspect) {
          await binding.check();
        }
        break;
      } catch (error) {
        if (turn !== this.#turn) return;
        if (!this.#passes(error)) return this.finish(error as NatsError);
      }
    }
    if (turn !== this.#turn) return;
    this.#suspect = false;
    this.#flow();
  }

  // Will it be better in a while?
  #passes(error: unknown): boolean {
    if (!isNatsError(error)) return false;
    const { stream, name } = this.binding;
    const count = this.failures;
    switch (error.code) {
      case "CONSUMER_NOT_FOUND":
        this.emit({ type: "consumer_not_found", name, stream, count });
        return this.patient;
      case "STREAM_NOT_FOUND":
        this.emit({ type: "stream_not_found", name: stream, consumerCreateFails: count });
        return this.patient;
      case "PERMISSION_VIOLATION":
        // who may not look pulls all the same
        this.#suspect = false;
        return !this.binding.ordered;
      // the name is taken: the next one has another
      case "CONSUMER_EXISTS":
      case "DISCONNECTED":
        return true;
      case "TIMEOUT":
        this.doubtLink();
        return true;
      case "JETSTREAM_NOT_ENABLED":
        // nobody answered, as while a cluster has no leader; when the server says so, it stays so
        return !(error instanceof JetStreamApiError);
      default:
        return error instanceof JetStreamApiError && error.transient;
    }
  }

  // Asks whether it is there, without giving up what was asked for. Resolves to the error when nobody answers.
  async look(): Promise<NatsError | undefined> {
    const { binding } = this;
    const turn = this.#turn;
    try {
      await binding.check();
    } catch (error) {
      if (turn !== this.#turn) return undefined;
      if (error instanceof TimeoutError) return error;
      if (binding.ordered) this.recover(false);
      else if (!this.#passes(error)) this.finish(error as NatsError);
    }
    return undefined;
  }

  // -- the end -------------------------------------------------------------------------------------------------------

  #onAbort = (): void => this.finish(aborted(this.#setup.signal as AbortSignal, whatOf(this.binding)));

  // What is here is handed over before the error is thrown, unless it is dropped.
  #end(error: Error | undefined, drop: boolean): void {
    const dropped = drop && this.#intake.queued > 0;
    this.#intake.end(error, drop);
    if (!this.#is("ended")) {
      this.#become("ended");
      this.#error = error;
      this.#puller?.end();
      this.api.links.remove(this);
      this.#setup.signal?.removeEventListener("abort", this.#onAbort);
      this.#sub?.unsubscribe();
    }
    this.#leave(dropped);
    this.#puller?.pulls.void();
    this.settle();
  }

  // An ordered consumer is used again by the next fetch, if nothing that it delivered is lost.
  #leave(dropped: boolean): void {
    const { binding } = this;
    const { pulls } = this.#puller ?? {};
    if (!binding.ordered) return;
    if (dropped) binding.rewind(this.#intake.last?.seq ?? this.#origin);
    else if (!(pulls?.plan.once === true && pulls.messages === 0)) binding.remove();
  }

  settle(): void {
    if (this.isDone || !this.#intake.idle) return;
    this.isDone = true;
    this.#events.close();
    this.#closed.resolve(this.#error);
  }

  // -- what its intake and its puller see ----------------------------------------------------------------------------

  room(): void {
    this.#puller?.room();
  }

  get held(): number {
    return this.#intake.held;
  }

  get heldBytes(): number {
    return this.#intake.heldBytes;
  }

  emit(event: ConsumerNotification): void {
    this.#events.emit(event);
  }

  // -- what `take` may do ------------------------------------------------------------------------------------------

  put(item: T): Promise<unknown> | undefined {
    return this.#intake.put(item);
  }

  mark(marker: () => void): void {
    this.#intake.mark(marker);
  }

  finish(error?: Error): void {
    this.#end(error, false);
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
    return this.#closed;
  }

  stop(error?: Error): void {
    this.#end(error, true);
  }

  status(): AsyncIterable<ConsumerNotification> {
    return this.#events.listen();
  }

  get health(): ConsumerHealth {
    const { messages = 0, bytes = 0 } = this.#puller?.pulls ?? {};
    return {
      state: this.state,
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
