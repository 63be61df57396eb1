// Cursor: where a consumer is in its stream, and how many messages are ahead of it.
import type { ConsumerConfig } from "../../protocol/jetstream/consumer.ts";
import { timeOf } from "../go-time.ts";
import type { StoreReader } from "./store.ts";
import type { Filters, Stored } from "./stored.ts";

/** What is kept of it. */
export interface CursorState {
  readonly nextSeq: number;
  readonly picked: readonly number[];
  readonly resume: number;
}

export class Cursor {
  readonly #store: StoreReader;
  #filters: Filters;
  // the last of each subject, to be sent before what is stored at and behind #resume; the next one last
  #picked: number[] = [];
  #resume: number;
  /** the first sequence that was not looked at */
  nextSeq: number;
  /** messages that were not sent yet */
  unsent: number;

  /** Begin where the deliver policy says, in the stream as it is. */
  constructor(store: StoreReader, config: ConsumerConfig, filters: Filters) {
    this.#store = store;
    this.#filters = filters;
    this.nextSeq = this.#resume = startOf(config, store, filters);
    if (config.deliver_policy === "last_per_subject") {
      this.#picked = store.lastOfEach(filters).reverse();
      this.nextSeq = this.#picked.at(-1) ?? this.nextSeq;
      this.#resume = Math.max(this.nextSeq, store.lastSeq + 1);
    }
    this.unsent = this.#count();
  }

  #count(): number {
    return this.#picked.length + this.#store.count(this.#filters, this.#from);
  }

  get #from(): number {
    return Math.max(this.#resume, this.nextSeq);
  }

  /** The message that is next; undefined at the end of the stream. */
  peek(): Stored | undefined {
    for (let seq = this.#picked.at(-1); seq !== undefined; seq = this.#picked.at(-1)) {
      const message = this.#store.get(seq);
      if (message !== undefined) return message;
      this.#picked.pop();
    }
    const message = this.unsent > 0 ? this.#store.next(this.#filters, this.#from) : undefined;
    // all there is was looked at
    if (message === undefined) this.nextSeq = Math.max(this.#from, this.#store.lastSeq + 1);
    return message;
  }

  /** It was sent. */
  pass(seq: number): void {
    this.unsent--;
    if (this.#picked.at(-1) === seq) this.#picked.pop();
    this.nextSeq = seq + 1;
  }

  /** One that matches is gone. */
  removed(seq: number): void {
    if (seq >= this.#resume ? seq >= this.nextSeq : this.#picked.includes(seq)) this.unsent--;
  }

  /** Nothing is left before `first`. */
  purge(first: number): void {
    this.nextSeq = Math.max(this.nextSeq, first);
    this.#picked = this.#picked.filter((seq) => this.#store.get(seq) !== undefined);
    this.unsent = this.#count();
  }

  /** Go on with other messages. */
  filter(filters: Filters): void {
    this.#filters = filters;
    this.unsent = this.#count();
  }

  /** Go on at this sequence. */
  seek(seq: number): void {
    this.#picked = [];
    this.nextSeq = this.#resume = seq;
    this.unsent = this.#count();
  }

  get state(): CursorState {
    return { nextSeq: this.nextSeq, picked: [...this.#picked], resume: this.#resume };
  }

  restore({ nextSeq, picked, resume }: CursorState): void {
    this.nextSeq = nextSeq;
    this.#picked = [...picked];
    this.#resume = resume;
    this.unsent = this.#count();
  }
}

function startOf(config: ConsumerConfig, store: StoreReader, filters: Filters): number {
  const first = Math.max(1, store.firstSeq);
  switch (config.deliver_policy) {
    case "last":
      return store.last(filters)?.seq ?? first;
    case "new":
      return Math.max(first, store.lastSeq + 1);
    case "by_start_sequence":
      return Math.max(first, config.opt_start_seq ?? 0);
    case "by_start_time":
      return store.seqAt(timeOf(config.opt_start_time ?? ""));
    case "last_per_subject":
      return Math.max(first, store.lastSeq);
    default:
      return first;
  }
}
