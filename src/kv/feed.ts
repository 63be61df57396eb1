// Feed: the entries of a bucket as the server sends them: what watch, history and keys are made of. It knows when what was there
// at the beginning has come.
//
//   consumer made ──► initial entries ──► last of them ──► updates
//                                            │
//                        handed over: synced │ or, of a finite feed, the end
import type { QueuedIterator } from "../client/connection.ts";
import { InvalidOperationError } from "../errors.ts";
import { type Deferred, deferred } from "../lib/deferred.ts";
import { nuid } from "../lib/nuid.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import type { Api } from "../jetstream/api.ts";
import { OrderedBinding } from "../jetstream/binding.ts";
import { Flow, type Sink } from "../jetstream/flow.ts";
import { pushedConfig } from "../jetstream/ordered-config.ts";
import { Entry, type EntryOwner } from "./entry.ts";

/** What a feed is of. */
export interface FeedSetup<T> {
  readonly stream: string;
  readonly owner: EntryOwner;
  /** which messages */
  readonly config: ConsumerConfig;
  /** ends with what was there at the beginning */
  readonly finite: boolean;
  /** which entries are handed over; default: all */
  readonly admits?: ((entry: Entry) => boolean) | undefined;
  /** what is handed over of an entry; default: itself */
  readonly map?: ((entry: Entry) => T | Promise<T>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** milliseconds that it may take to begin */
  readonly timeout?: number | undefined;
}

// milliseconds; an end that nobody counts down to is found out by the silence of one
const HEARTBEAT = 5000;
const FINITE_HEARTBEAT = 1000;

/** Entries, or what is made of them, for one iterator. */
export class Feed<T> implements QueuedIterator<T>, AsyncDisposable {
  readonly #setup: FeedSetup<T>;
  readonly #binding: OrderedBinding;
  readonly #heartbeat: number;
  readonly #synced: Deferred<void> = deferred();
  // entries that were there when the consumer was made
  #initial = Infinity;
  // they have come
  #complete = false;
  // somebody reads
  #read = false;
  #flow!: Flow<Entry>;

  /** A feed that is under way. @throws {NatsError} STREAM_NOT_FOUND, UNSUPPORTED, and those of a call */
  static async start<T>(api: Api, setup: FeedSetup<T>): Promise<Feed<T>> {
    const feed = new Feed(api, setup);
    await feed.#begin(api);
    return feed;
  }

  private constructor(api: Api, setup: FeedSetup<T>) {
    this.#setup = setup;
    // nobody needs to wait for it
    this.#synced.catch(() => undefined);
    this.#heartbeat = setup.finite ? FINITE_HEARTBEAT : HEARTBEAT;
    const config = { ...setup.config, ...pushedConfig(this.#heartbeat) };
    this.#binding = new OrderedBinding(api, setup.stream, { prefix: nuid.next(), config });
  }

  async #begin(api: Api): Promise<void> {
    const { owner, admits, signal, timeout, config } = this.#setup;
    const binding = this.#binding;
    const flow = await Flow.start<Entry>(api, {
      binding,
      heartbeat: this.#heartbeat,
      inboxPrefix: api.options.watcherPrefix,
      signal,
      timeout,
      take: (msg, sink) => {
        const { stream, delivery, pending } = binding.accepted;
        const entry = new Entry(owner, msg, stream, pending, this.#complete);
        const waits = admits === undefined || admits(entry) ? sink.put(entry) : undefined;
        if (!this.#complete) this.#count(sink, delivery, pending);
        return waits;
      },
      onConsumer: ({ num_pending }, sink) => {
        this.#initial = config.deliver_policy === "new" ? 0 : num_pending;
        this.#count(sink, binding.accepted.delivery, undefined);
      },
      // what was there has been removed before it was sent
      onIdle: (sink) => this.#count(sink, 0, 0),
    });
    this.#flow = flow;
    void flow.closed().then((error) => {
      this.#synced.reject(error ?? new InvalidOperationError("the watch ended before it had all there was"));
    });
  }

  // C-ADR8-31: nothing is left, or as many came as there were at the beginning: what is written meanwhile comes too.
  #count(sink: Sink<Entry>, delivery: number, pending: number | undefined): void {
    // the first may come before it is known how many there are
    const known = this.#binding.name !== "";
    if (this.#complete || (pending !== 0 && !(known && delivery >= this.#initial))) return;
    this.#complete = true;
    if (this.#setup.finite) sink.finish();
    else if (!this.#read) this.#synced.resolve();
    // whoever waits comes after the loop that takes the last one
    else sink.mark(() => queueMicrotask(() => this.#synced.resolve()));
  }

  get synced(): Promise<void> {
    return this.#synced;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const entries = this.#flow[Symbol.asyncIterator]();
    this.#read = true;
    const { map } = this.#setup;
    if (map === undefined) return entries as AsyncIterator<T, undefined>;
    const leave = async (): Promise<IteratorResult<T, undefined>> => {
      await entries.return?.();
      return { value: undefined, done: true };
    };
    return {
      next: async () => {
        const found = await entries.next();
        if (found.done === true) return found;
        try {
          return { value: await map(found.value), done: false };
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
    return this.#flow[Symbol.asyncDispose]();
  }
}
