// Feed: what a bucket has and gets, as the server sends it: behind watches, lists and histories. It knows when what was there at the
// beginning has come.
//
//   consumer made ──► what was there ──► the last of it ──► updates
//                                            │
//                        handed over: synced │ or, of a finite feed, the end
import type { Msg, QueuedIterator } from "../client/connection.ts";
import { ClosedConnectionError, InvalidOperationError } from "../errors.ts";
import { readText } from "../lib/bytes.ts";
import { type Deferred, deferred } from "../lib/deferred.ts";
import { Distinct } from "../lib/distinct.ts";
import { nuid } from "../lib/nuid.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import type { Api } from "./api.ts";
import { OrderedBinding } from "./binding.ts";
import { Flow } from "./flow.ts";
import type { Sink } from "./flow-setup.ts";
import type { Delivery } from "./intake.ts";
import { pushedConfig } from "./ordered-config.ts";

/** Where a message is. */
export interface Position {
  /** its sequence in the stream */
  readonly sequence: number;
  /** how many there were behind it when it was sent */
  readonly pending: number;
  /** it was not there at the beginning */
  readonly isUpdate: boolean;
}

/** What a feed is of: `S` is what is made of messages, `T` what is handed over of that. */
export interface FeedSetup<S extends Delivery, T> {
  readonly stream: string;
  /** which messages */
  readonly config: ConsumerConfig;
  /** ends with what was there at the beginning */
  readonly finite: boolean;
  /** makes what is kept of a message until it is its turn; nothing to leave it out */
  readonly make: (msg: Msg, position: Position) => S | undefined;
  /** makes what is handed over; default: what was kept */
  readonly map?: ((item: S) => T | Promise<T>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** milliseconds that it may take to begin */
  readonly timeout?: number | undefined;
}

// milliseconds
const HEARTBEAT = 5000;
const FINITE_HEARTBEAT = 1000;
// milliseconds in which nothing came but what had come before, until what the server has left is believed
const REPETITION = 1000;
// new consumers that have nothing new, until it is believed that no more comes
const PATIENCE = 3;

/** What comes, for one iterator. */
export class Feed<S extends Delivery, T = S> implements QueuedIterator<T>, AsyncDisposable {
  readonly #setup: FeedSetup<S, T>;
  readonly #binding: OrderedBinding;
  readonly #heartbeat: number;
  // what was there at the beginning is here; it has been handed over
  readonly #arrived: Deferred<void> = deferred();
  readonly #handedOver: Deferred<void> = deferred();
  // how many were there when the consumer was made
  #initial = Infinity;
  // the sequence of the last message
  #last = 0;
  // the last messages of subjects are wanted
  readonly #ofSubjects: boolean;
  // those that came from the present consumer: one that was replaced comes again
  readonly #subjects = new Distinct();
  // since when only of subjects came that had come before, of `performance.now()`; 0 where the last one was another
  #repeating = 0;
  // how often the server was idle since something new came
  #idle = 0;
  // they have come
  #complete = false;
  // items that have gone through `map`, and how many of them there were at the beginning
  #mapped = 0;
  #lastOne = Infinity;
  // somebody reads
  #read = false;
  // nobody wants the rest
  #stopped = false;
  #flow!: Flow<S>;

  /** A feed that is under way. @throws {NatsError} STREAM_NOT_FOUND, UNSUPPORTED, and those of a call */
  static async start<S extends Delivery, T = S>(api: Api, setup: FeedSetup<S, T>): Promise<Feed<S, T>> {
    const feed = new Feed(api, setup);
    await feed.#begin(api);
    return feed;
  }

  private constructor(api: Api, setup: FeedSetup<S, T>) {
    this.#setup = setup;
    // nobody needs to wait for them
    this.#arrived.catch(() => undefined);
    this.#handedOver.catch(() => undefined);
    this.#heartbeat = setup.finite ? FINITE_HEARTBEAT : HEARTBEAT;
    const config = { ...setup.config, ...pushedConfig(this.#heartbeat) };
    this.#ofSubjects = config.deliver_policy === "last_per_subject";
    // behind the last message there are older ones of the subjects too
    const anew = (): boolean => this.#ofSubjects && !this.#complete;
    this.#binding = new OrderedBinding(api, setup.stream, { prefix: nuid.next(), config, anew });
  }

  async #begin(api: Api): Promise<void> {
    const { make, signal, timeout, config } = this.#setup;
    const binding = this.#binding;
    const flow = await Flow.start<S>(api, {
      binding,
      heartbeat: this.#heartbeat,
      inboxPrefix: api.options.watcherPrefix,
      signal,
      timeout,
      take: (msg, sink) => {
        const { stream: sequence, delivery, pending } = binding.accepted;
        // one that begins anew has some again
        const isNew = sequence > this.#last;
        if (isNew) [this.#last, this.#idle] = [sequence, 0];
        const item = isNew ? make(msg, { sequence, pending, isUpdate: this.#complete }) : undefined;
        const waits = item && sink.put(item);
        if (!this.#complete)
          this.#count(sink, !this.#ofSubjects || this.#meet(msg, delivery) ? pending : undefined);
        return waits;
      },
      onConsumer: ({ num_pending }, sink) => {
        this.#initial = config.deliver_policy === "new" ? 0 : num_pending;
        this.#count(sink, undefined);
      },
      // Less than there was: some of it was removed, or replaced, before it was sent. At one that was the last of its subject the
      // server waits then, and goes on by one when it is idle. A new consumer knows what there is now.
      onIdle: (sink) => {
        if (this.#complete || binding.name === "") return;
        if (++this.#idle > PATIENCE) this.#count(sink, 0);
        else sink.recover(false);
      },
    });
    this.#flow = flow;
    void flow.closed().then((error) => {
      const closed = api.nc.isClosed() ? new ClosedConnectionError() : undefined;
      const early = new InvalidOperationError("it ended before all that was there had come");
      this.#arrived.reject(error ?? closed ?? early);
      this.#handedOver.reject(error ?? closed ?? early);
    });
  }

  // The subject of a message came. True when they have repeated themselves for a while: what was there at the beginning has passed
  // then, and there were fewer than was said, as the server counts in what is written while it makes the consumer.
  #meet(msg: Msg, delivery: number): boolean {
    const subjects = this.#subjects;
    if (delivery === 1) subjects.clear();
    const before = subjects.size;
    if (msg.readSubject) msg.readSubject(subjects.add);
    else readText(msg.subject, subjects.add);
    if (subjects.size > before) {
      this.#repeating = 0;
      return false;
    }
    const now = performance.now();
    this.#repeating ||= now;
    return now - this.#repeating > REPETITION;
  }

  // how many of those that there were at the beginning have come from the present consumer, or what stands for them
  get #came(): number {
    const { delivery } = this.#binding.accepted;
    return this.#ofSubjects && delivery > 0 ? this.#subjects.size : delivery;
  }

  // C-ADR8-31: nothing is left, or as many came as there were at the beginning: what is written meanwhile comes too. Of the last
  // messages of subjects nothing is left too early: those that were replaced before they were sent come behind the others.
  #count(sink: Sink<S>, pending: number | undefined): void {
    // the first may come before it is known how many there are
    const known = this.#binding.name !== "";
    if (this.#complete || (pending !== 0 && !(known && this.#came >= this.#initial))) return;
    this.#complete = true;
    this.#subjects.clear();
    this.#arrived.resolve();
    if (this.#setup.finite) {
      this.#handedOver.resolve();
      sink.finish();
    } else sink.mark(() => this.#synchronise());
  }

  // The last of what was there has left the flow; it may still be on its way through `map`.
  #synchronise(): void {
    this.#lastOne = this.#flow?.getProcessed() ?? 0;
    if (this.#setup.map === undefined || this.#mapped >= this.#lastOne) this.#settle();
  }

  // Whoever waits comes after the loop that takes the last one.
  #settle(): void {
    queueMicrotask(() => this.#handedOver.resolve());
  }

  /** Who asks before anybody reads would wait for itself: it need only be here then. */
  get synced(): Promise<void> {
    return this.#read ? this.#handedOver : this.#arrived;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const items = this.#flow[Symbol.asyncIterator]();
    this.#read = true;
    const { map, finite } = this.#setup;
    if (map === undefined && !finite) return items as unknown as AsyncIterator<T, undefined>;
    const leave = async (): Promise<IteratorResult<T, undefined>> => {
      await items.return?.();
      return { value: undefined, done: true };
    };
    return {
      next: async () => {
        const found = await items.next();
        if (found.done === true) {
          // the connection may have ended it: who reads must not take a part for all that there is
          if (finite && !this.#stopped) await this.#arrived;
          return found;
        }
        try {
          const value = map === undefined ? (found.value as unknown as T) : await map(found.value);
          if (++this.#mapped === this.#lastOne) this.#settle();
          return { value, done: false };
        } catch (error) {
          // a loop that is thrown at does not say that it leaves
          await leave();
          throw error;
        }
      },
      return: leave,
    };
  }

  stop(error?: Error): void {
    this.#stopped = true;
    this.#flow.stop(error);
  }

  closed(): Promise<undefined | Error> {
    return this.#flow.closed();
  }

  getProcessed(): number {
    return this.#flow.getProcessed();
  }

  getPending(): number {
    return this.#flow.getPending();
  }

  getReceived(): number {
    return this.#flow.getReceived();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    return this.#flow[Symbol.asyncDispose]();
  }
}
