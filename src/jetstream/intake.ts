// Intake: what has arrived of a consumer, on its way to one iterator or callback. Made by jetstream/flow, which fills it.
//
//   put --> callback runs now
//       --> waiting next() of the iterator
//       --> queue [message, message, flow-control answer, message] --> next()
//
// It holds no more than the flow has asked for: what is in the queue, in the loop of the user, or in a callback that runs
// counts as asked for until it is done with.
import { InvalidOperationError } from "../errors.ts";
import { type Deferred, deferred } from "../lib/deferred.ts";
import { Queue } from "../lib/queue.ts";

/** What is handed over: a message, as a {@link Flow} is told to make it. */
export interface Delivery {
  /** its sequence in the stream */
  readonly seq: number;
  /** bytes of it */
  size(): number;
}

/** Something to do when all before it has been handed over. */
export type Marker = () => void;

/** What an intake tells its flow. */
export interface IntakeHost {
  /** a message is done with: there is room */
  room(): void;
  /** the user has left the loop */
  stop(): void;
  /** all has been handed over, after the end */
  settle(): void;
}

type Next<T> = IteratorResult<T, undefined>;
type Callback<T> = (item: T) => unknown;

export class Intake<T extends Delivery> {
  /** messages that are here: queued, in the loop, or in callbacks */
  held = 0;
  /** bytes of these, where `counts` was asked for */
  heldBytes = 0;
  /** of these, how many are queued */
  queued = 0;
  received = 0;
  processed = 0;
  /** the message handed over last */
  last: T | undefined;
  readonly #host: IntakeHost;
  readonly #callback: Callback<T> | undefined;
  // count bytes too: only who pulls by bytes needs it
  readonly #counts: boolean;
  readonly #items = new Queue<T | Marker>();
  #waiter: { resolve(next: Next<T>): void; reject(error: unknown): void } | undefined;
  #iterating = false;
  // the bytes of the message in the loop; -1 for none
  #inLoop = -1;
  #ended = false;
  #error: Error | undefined;
  // what the subscription waits for when the connection drains
  #episode: Deferred<void> | undefined;

  constructor(host: IntakeHost, callback: Callback<T> | undefined, counts: boolean) {
    this.#host = host;
    this.#callback = callback;
    this.#counts = counts;
  }

  /** True when nothing is here that a loop or a callback will still be done with. */
  get idle(): boolean {
    if (this.#callback !== undefined) return this.held === 0;
    return !this.#iterating || (this.queued === 0 && this.#inLoop < 0);
  }

  /**
   * Take a message. Where a promise is returned, it resolves when it and those after it are done with, and never rejects but
   * with what the callback did.
   */
  put(msg: T): Promise<unknown> | undefined {
    this.received++;
    this.held++;
    const size = this.#counts ? msg.size() : 0;
    this.heldBytes += size;
    if (this.#callback !== undefined) return this.#call(this.#callback, msg, size);
    if (this.#waiter !== undefined) {
      const waiter = this.#waiter;
      this.#waiter = undefined;
      this.#handOver(msg, size);
      waiter.resolve({ value: msg, done: false });
    } else {
      this.queued++;
      this.#items.push(msg);
    }
    return this.#iterating && this.#episode === undefined ? (this.#episode = deferred()) : undefined;
  }

  /** Do it when all that is here now has been handed over, and callbacks have run. */
  mark(marker: Marker): void {
    if (this.#items.length === 0 && (this.#callback === undefined || this.held === 0)) marker();
    else this.#items.push(marker);
  }

  #call(callback: Callback<T>, msg: T, size: number): Promise<unknown> | undefined {
    this.processed++;
    this.last = msg;
    let result: unknown;
    try {
      result = callback(msg);
    } catch (error) {
      this.#called(size);
      // the subscription reports it
      throw error;
    }
    if (typeof (result as PromiseLike<unknown> | undefined)?.then !== "function") {
      this.#called(size);
      return undefined;
    }
    return Promise.resolve(result).finally(() => this.#called(size));
  }

  #called(size: number): void {
    this.#release(size);
    if (this.held > 0) return;
    this.#runMarkers();
    if (this.#ended) this.#host.settle();
  }

  #handOver(msg: T, size: number): void {
    this.processed++;
    this.last = msg;
    this.#inLoop = size;
  }

  // One message less is here.
  #release(size: number): void {
    this.held--;
    this.heldBytes -= size;
    if (!this.#ended) this.#host.room();
  }

  #runMarkers(): void {
    for (let item = this.#items.peek(); typeof item === "function"; item = this.#items.peek()) {
      this.#items.shift();
      item();
    }
  }

  iterate(): AsyncIterator<T, undefined> {
    if (this.#callback !== undefined) {
      throw new InvalidOperationError("the messages go to a callback: they can't be iterated too");
    }
    if (this.#iterating) throw new InvalidOperationError("the messages are being iterated already");
    this.#iterating = true;
    return {
      next: () => this.next(),
      return: () => {
        this.#host.stop();
        return Promise.resolve({ value: undefined, done: true });
      },
      throw: (error: unknown) => {
        this.#host.stop();
        return Promise.reject(error as Error);
      },
    };
  }

  /** The next message of an iteration. */
  next(): Promise<Next<T>> {
    // who comes for the next is done with the one before
    if (this.#inLoop >= 0) {
      const size = this.#inLoop;
      this.#inLoop = -1;
      this.#release(size);
    }
    const item = this.#items.shift() as T | undefined;
    if (item !== undefined) {
      this.queued--;
      this.#handOver(item, this.#counts ? item.size() : 0);
      this.#runMarkers();
      return Promise.resolve({ value: item, done: false });
    }
    this.#settle();
    if (this.#ended) {
      const error = this.#error;
      this.#error = undefined;
      this.#host.settle();
      return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    if (this.#waiter !== undefined) {
      return Promise.reject(new InvalidOperationError("next() was called before the one before it settled"));
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** No more will come. What is here is handed over, unless `drop`; then the error is thrown. */
  end(error: Error | undefined, drop: boolean): void {
    if (drop) {
      this.#items.clear();
      this.held -= this.queued;
      this.queued = 0;
      // who left the loop does not come for the next
      this.#inLoop = -1;
      this.#settle();
    }
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    if (this.#waiter === undefined) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#error = undefined;
    if (error === undefined) waiter.resolve({ value: undefined, done: true });
    else waiter.reject(error);
  }

  #settle(): void {
    this.#episode?.resolve();
    this.#episode = undefined;
  }
}
