// Ledger: what a consumer has sent, how far it is acknowledged, and what is to be sent again.
import { Line } from "./line.ts";
import { Pending } from "./pending.ts";
import type { Position } from "./serving.ts";

/** What is kept of it. */
export interface LedgerState {
  readonly delivered: Position;
  readonly floor: Position;
  readonly pending: readonly (readonly [seq: number, delivery: number, at: number])[];
  readonly deliveries: readonly (readonly [seq: number, count: number])[];
}

export class Ledger {
  /** the last delivery */
  readonly delivered: Position;
  /** all up to here is acknowledged */
  readonly floor: Position;
  /** what is not acknowledged */
  readonly pending: Pending = new Pending();
  /** what is to be sent again */
  readonly again: Line = new Line();
  // deliveries of those that were sent more than once
  readonly #deliveries = new Map<number, number>();

  /** `seq`: the first that will be sent */
  constructor(seq: number) {
    this.delivered = { delivery: 0, seq: seq - 1, active: 0 };
    this.floor = { ...this.delivered };
  }

  deliveriesOf(seq: number): number {
    return this.#deliveries.get(seq) ?? 1;
  }

  wasSentAgain(seq: number): boolean {
    return this.#deliveries.has(seq);
  }

  /** how many were sent more than once */
  get sentAgain(): number {
    return this.#deliveries.size;
  }

  /** It was sent, for the first time or again. `due`: when it is to be sent again; undefined where nothing is acknowledged. */
  sent(seq: number, deliveries: number, now: number, due: number | undefined): void {
    const { delivered } = this;
    delivered.delivery++;
    delivered.active = now;
    if (deliveries > 1) {
      this.again.delete(seq);
      this.#deliveries.set(seq, deliveries);
    } else delivered.seq = seq;
    if (due === undefined) {
      this.floor.delivery = delivered.delivery;
      this.floor.seq = seq;
      return;
    }
    const sent = this.pending.get(seq);
    if (sent === undefined) this.pending.add({ seq, delivery: delivered.delivery, at: now, due });
    else {
      sent.at = now;
      this.pending.postpone(sent, due);
    }
  }

  /** This one is acknowledged. */
  ack(seq: number): void {
    const { floor, pending } = this;
    const sent = pending.get(seq);
    this.forget(seq);
    // after a purge some are open below the floor
    if (sent === undefined || sent.delivery <= floor.delivery) return;
    const next = pending.first();
    if (next === undefined) this.#floorToDelivered();
    else if (sent.delivery === floor.delivery + 1) {
      // up to where the next one is open
      floor.delivery = next.seq > seq ? next.delivery - 1 : sent.delivery;
      floor.seq = next.seq > seq ? next.seq - 1 : seq;
    }
  }

  /** This one and all before it are acknowledged. False when they were already. */
  ackThrough(seq: number, delivery: number): boolean {
    const { floor, pending } = this;
    if (delivery <= floor.delivery || seq <= floor.seq) return false;
    floor.delivery = delivery;
    floor.seq = seq;
    for (let sent = pending.first(); sent !== undefined && sent.seq <= seq; sent = pending.first()) {
      this.forget(sent.seq);
    }
    return true;
  }

  /** It is not waited for any more. */
  forget(seq: number): void {
    this.pending.delete(seq);
    this.#deliveries.delete(seq);
    this.again.delete(seq);
  }

  /** Nothing is left before `first`, and of the rest what `isGone` says. `next`: the first sequence that was not looked at. */
  purge(first: number, next: number, isGone: (seq: number) => boolean, now: number): void {
    const { delivered, floor, pending } = this;
    delivered.seq = next - 1;
    let lowest = first;
    for (const { seq, delivery } of pending.values()) {
      if (!isGone(seq)) continue;
      lowest = Infinity;
      floor.delivery = Math.max(floor.delivery, delivery);
      floor.active = now;
      this.forget(seq);
    }
    // where some are gone, up to the next that is open
    lowest = Math.min(lowest, Math.max(first, pending.first()?.seq ?? 0));
    floor.seq = Math.max(floor.seq, lowest - 1);
    if (pending.size === 0) this.#floorToDelivered();
  }

  #floorToDelivered(): void {
    this.floor.delivery = this.delivered.delivery;
    this.floor.seq = this.delivered.seq;
  }

  /** As if nothing had been sent, with this one as the first. */
  reset(seq: number): void {
    this.pending.clear();
    this.again.clear();
    this.#deliveries.clear();
    Object.assign(this.delivered, { delivery: 0, seq: seq - 1, active: 0 });
    Object.assign(this.floor, this.delivered);
  }

  get state(): LedgerState {
    return {
      delivered: { ...this.delivered },
      floor: { ...this.floor },
      pending: [...this.pending.values()].map(({ seq, delivery, at }) => [seq, delivery, at]),
      deliveries: [...this.#deliveries],
    };
  }

  /** Go on where it was. `wait`: milliseconds until a message is sent again after so many deliveries. */
  restore(
    { delivered, floor, pending, deliveries }: LedgerState,
    wait: (deliveries: number) => number,
  ): void {
    Object.assign(this.delivered, delivered);
    Object.assign(this.floor, floor);
    for (const [seq, count] of deliveries) this.#deliveries.set(seq, count);
    for (const [seq, delivery, at] of pending) {
      this.pending.add({ seq, delivery, at, due: at + wait(this.deliveriesOf(seq)) });
    }
  }
}
