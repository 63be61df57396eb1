// Pull: one request for messages that waits at a consumer, and the line in which they wait.

/** A request, read. Times are milliseconds. */
export interface Pull {
  readonly inbox: string;
  /** messages that it still wants */
  left: number;
  /** bytes that it still takes; 0 for any number */
  bytes: number;
  /** it ends at that time; Infinity for never */
  readonly expires: number;
  readonly noWait: boolean;
  /** 0 for none */
  readonly heartbeat: number;
  /** when the next one is due; Infinity for never */
  beat: number;
  /** messages that it got */
  sent: number;
  readonly minPending: number;
  readonly minAckPending: number;
  /** it names its group; those that are no JSON don't, and get their turn without */
  readonly grouped: boolean;
  /** of the pinned client */
  id: string;
  /** what its messages say of that */
  pin?: string;
  /** lower ones first */
  readonly priority: number;
}

/** The requests of a consumer: served in turn, those of a lower priority first. */
export class Waiting {
  readonly #pulls: Pull[] = [];

  get length(): number {
    return this.#pulls.length;
  }

  [Symbol.iterator](): IterableIterator<Pull> {
    return this.#pulls.values();
  }

  /** how many messages they want together */
  get wanted(): number {
    let wanted = 0;
    for (const { left } of this.#pulls) wanted += left;
    return wanted;
  }

  add(pull: Pull): void {
    let at = this.#pulls.length;
    while (at > 0 && (this.#pulls[at - 1] as Pull).priority > pull.priority) at--;
    this.#pulls.splice(at, 0, pull);
  }

  remove(pull: Pull): void {
    const at = this.#pulls.indexOf(pull);
    if (at >= 0) this.#pulls.splice(at, 1);
  }

  /** The first one for which this is true; those for which it is `"over"` leave. */
  find(test: (pull: Pull) => boolean | "over"): Pull | undefined {
    for (let i = 0; i < this.#pulls.length; ) {
      const pull = this.#pulls[i] as Pull;
      const result = test(pull);
      if (result === true) return pull;
      if (result === "over") this.#pulls.splice(i, 1);
      else i++;
    }
    return undefined;
  }

  /** All leave. */
  clear(): Pull[] {
    return this.#pulls.splice(0);
  }

  /** When the next of them ends or wants a heartbeat; Infinity for never. */
  get nextEvent(): number {
    let next = Infinity;
    for (const { expires, beat } of this.#pulls) next = Math.min(next, expires, beat);
    return next;
  }
}
