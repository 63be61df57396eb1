// Expiry: when messages of a stream are to go, by age or by a time of their own. Owned by stream; says nothing of how they go.
import type { Clock } from "../../lib/clock.ts";
import { Alarm } from "./alarm.ts";
import { DueHeap } from "./due-heap.ts";
import type { StoreReader } from "./store.ts";
import type { Stored } from "./stored.ts";
import { NEVER } from "./ttl.ts";

// no more often than this
const APART = 250;

interface Due {
  readonly time: number;
  readonly seq: number;
}

export class Expiry {
  /** milliseconds; 0: messages don't age */
  maxAge = 0;
  readonly #clock: Clock;
  readonly #store: StoreReader;
  readonly #expire: (message: Stored) => void;
  /** those with a time of their own */
  readonly #heap = new DueHeap<Due>();
  /** those that never go */
  readonly #kept = new Set<number>();
  readonly #alarm: Alarm;
  /** no message before this sequence can age */
  #ageless = 0;
  #last = 0;

  constructor(clock: Clock, store: StoreReader, expire: (message: Stored) => void) {
    this.#clock = clock;
    this.#store = store;
    this.#expire = expire;
    this.#alarm = new Alarm(clock, () => this.#run());
  }

  /** A message was stored. `ttl` 0: it has no time of its own. */
  add({ seq, time }: Stored, ttl: number): void {
    if (ttl === NEVER) this.#kept.add(seq);
    else if (ttl > 0) this.#heap.push({ time: time + ttl, seq });
    if (ttl > 0 || (this.maxAge > 0 && !this.#alarm.isSet)) this.arm();
  }

  removed(seq: number): void {
    this.#kept.delete(seq);
  }

  /** Wait for the next that is due. */
  arm(): void {
    const own = this.#heap.first?.time ?? Infinity;
    const oldest = this.maxAge > 0 ? this.#oldest() : undefined;
    const due = Math.max(this.#last + APART, Math.min(own, oldest ? oldest.time + this.maxAge : Infinity));
    this.#alarm.set(due);
  }

  stop(): void {
    this.#alarm.off();
  }

  // The first that can age. What is before it never will.
  #oldest(): Stored | undefined {
    let at = this.#store.next([], this.#ageless);
    while (at !== undefined && this.#kept.has(at.seq)) at = this.#store.next([], at.seq + 1);
    this.#ageless = at?.seq ?? this.#store.lastSeq + 1;
    return at;
  }

  #run(): void {
    const now = this.#clock.now();
    this.#last = now;
    for (let due = this.#heap.take(now); due !== undefined; due = this.#heap.take(now)) {
      const message = this.#store.get(due.seq);
      if (message !== undefined) this.#expire(message);
    }
    if (this.maxAge > 0) {
      let at = this.#oldest();
      while (at !== undefined && at.time + this.maxAge <= now) {
        this.#expire(at);
        at = this.#oldest();
      }
    }
    this.arm();
  }
}
