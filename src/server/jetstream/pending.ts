// Pending: the messages that a consumer sent and that are not acknowledged yet, with the times at which they are due again.
import { Queue } from "../../lib/queue.ts";

/** A message that was sent. */
export interface Sent {
  readonly seq: number;
  /** number of its first delivery */
  readonly delivery: number;
  /** when it was sent last */
  at: number;
  /** when it is to be sent again; Infinity while that is under way */
  due: number;
}

interface Deadline {
  readonly seq: number;
  readonly due: number;
}

// outdated deadlines that are kept before they are swept
const OUTDATED = 1024;

export class Pending {
  readonly #sent = new Map<number, Sent>();
  // in the order of first deliveries, which is that of sequences; some are gone by now
  readonly #order = new Queue<number>();
  // a heap, the next one first; some don't hold any more
  #deadlines: Deadline[] = [];

  get size(): number {
    return this.#sent.size;
  }

  get(seq: number): Sent | undefined {
    return this.#sent.get(seq);
  }

  has(seq: number): boolean {
    return this.#sent.has(seq);
  }

  /** The one with the lowest sequence. */
  first(): Sent | undefined {
    for (;;) {
      const seq = this.#order.peek();
      const sent = seq === undefined ? undefined : this.#sent.get(seq);
      if (seq === undefined || sent !== undefined) return sent;
      this.#order.shift();
    }
  }

  add(sent: Sent): void {
    this.#sent.set(sent.seq, sent);
    this.#order.push(sent.seq);
    this.#schedule(sent);
  }

  /** It is to be sent again at another time. */
  postpone(sent: Sent, due: number): void {
    sent.due = due;
    this.#schedule(sent);
  }

  delete(seq: number): void {
    this.#sent.delete(seq);
    if (this.#sent.size === 0 && this.#deadlines.length > OUTDATED) this.clear();
  }

  clear(): void {
    this.#sent.clear();
    this.#order.clear();
    this.#deadlines = [];
  }

  /** All of them, by sequence. */
  values(): IterableIterator<Sent> {
    return this.#sent.values();
  }

  /** When the next one is due; Infinity for never. */
  get nextDue(): number {
    for (;;) {
      const next = this.#deadlines[0];
      if (next === undefined) return Infinity;
      if (this.#sent.get(next.seq)?.due === next.due) return next.due;
      this.#pop();
    }
  }

  /** Those that are due, by sequence. They are under way from now on. */
  takeDue(now: number): Sent[] {
    const due: Sent[] = [];
    while (this.nextDue <= now) {
      const sent = this.#sent.get((this.#deadlines[0] as Deadline).seq) as Sent;
      sent.due = Infinity;
      due.push(sent);
    }
    return due.sort((a, b) => a.seq - b.seq);
  }

  #schedule({ seq, due }: Sent): void {
    if (due === Infinity) return;
    if (this.#deadlines.length > 2 * this.#sent.size + OUTDATED) this.#sweep();
    const heap = this.#deadlines;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Deadline;
      if (parent.due <= due) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = { seq, due };
  }

  // What is sorted is a heap.
  #sweep(): void {
    const live = this.#deadlines.filter(({ seq, due }) => this.#sent.get(seq)?.due === due);
    this.#deadlines = live.sort((a, b) => a.due - b.due);
  }

  #pop(): void {
    const heap = this.#deadlines;
    const last = heap.pop() as Deadline;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && (heap[below + 1] as Deadline).due < (heap[below] as Deadline).due) below++;
      const child = heap[below] as Deadline;
      if (child.due >= last.due) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}
