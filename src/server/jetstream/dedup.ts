// Dedup: the message ids that a stream has seen within its duplicate window.

interface Seen {
  readonly seq: number;
  readonly time: number;
}

export class Dedup {
  /** milliseconds; 0: no ids are kept */
  window = 0;
  /** the oldest first */
  readonly #seen = new Map<string, Seen>();

  /** The sequence that the message with this id got; undefined where it is new. */
  find(id: string, now: number): number | undefined {
    for (const [old, { time }] of this.#seen) {
      if (time + this.window > now) break;
      this.#seen.delete(old);
    }
    return this.#seen.get(id)?.seq;
  }

  add(id: string, seq: number, time: number): void {
    if (this.window > 0) this.#seen.set(id, { seq, time });
  }
}
