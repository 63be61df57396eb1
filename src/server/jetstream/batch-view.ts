// Batch view: a stream as it would be with the part of an atomic batch that was checked already.
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import { type Draft, expectSeq, type View } from "./draft.ts";
import { refuseExtra } from "./extra-refusal.ts";
import type { Schedules } from "./schedules.ts";
import type { Store } from "./store.ts";
import type { Counter } from "./stream-extras.ts";

export class BatchView implements View {
  readonly drafts: Draft[] = [];
  bytes: number;
  readonly #stream: View;

  constructor(stream: View) {
    this.#stream = stream;
    this.bytes = stream.bytes;
  }

  add(draft: Draft): void {
    this.drafts.push(draft);
    this.bytes += this.store.size(draft.subject, draft.header, draft.data);
  }

  get config(): StreamConfig {
    return this.#stream.config;
  }

  get store(): Store {
    return this.#stream.store;
  }

  get schedules(): Schedules | undefined {
    return this.#stream.schedules;
  }

  get counter(): Counter | undefined {
    return this.#stream.counter;
  }

  get messages(): number {
    return this.#stream.messages + this.drafts.length;
  }

  get full(): boolean {
    return this.#stream.full;
  }

  get lastSeq(): number {
    return this.#stream.lastSeq + this.drafts.length;
  }

  get lastId(): string {
    return this.#stream.lastId;
  }

  lastOf(filter: string): number {
    // one with wildcards is looked up in the stream alone
    if (this.has(filter)) refuseExtra(10164);
    return this.#stream.lastOf(filter);
  }

  expectLast(text: string): void {
    expectSeq(text, this.lastSeq);
    // it is right, and comes too late
    if (this.drafts.length > 0) refuseExtra(10164);
  }

  latest(subject: string): Pick<Draft, "header" | "data"> | undefined {
    return this.drafts.findLast((draft) => draft.subject === subject) ?? this.#stream.latest(subject);
  }

  countOf(subject: string): number {
    const more = this.drafts.filter((draft) => draft.subject === subject);
    return this.#stream.countOf(subject) + more.length;
  }

  seqOfId(id: string): number | undefined {
    return this.drafts.some((draft) => draft.id === id) ? 0 : this.#stream.seqOfId(id);
  }

  /** Was something written to this subject already? */
  has(subject: string): boolean {
    return this.drafts.some((draft) => draft.subject === subject);
  }
}
