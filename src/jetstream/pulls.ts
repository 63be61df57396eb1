// Pulls: what one consuming has asked a pull consumer for, and what of it is still to come. Pure accounting, without I/O.
//
//   plan.messages = |  in hand  |  queued  |  outstanding  |  room  |        the same for bytes
//                    \_______ held _______/                  when outstanding + held <= threshold: pull for the room
//
// A pull has a number, which is the last token of its reply subject: a status tells by it whose it is. After `void()` the
// statuses of earlier ones mean nothing any more.
import { goDuration } from "../lib/go-duration.ts";
import { nanos } from "../lib/nanos.ts";
import type { PullRequest } from "./consuming.ts";

/** How to pull; everything decided. Durations are milliseconds. */
export interface PullPlan {
  /** one after the other until `messages` are here (fetch), rather than without an end (consume) */
  readonly once: boolean;
  readonly messages: number;
  /** 0: not counted */
  readonly bytes: number;
  readonly thresholdMessages: number;
  readonly thresholdBytes: number;
  /** 0: none */
  readonly expires: number;
  readonly noWait: boolean;
  /** 0: none */
  readonly heartbeat: number;
  readonly group: string | undefined;
  /** fields of the group's policy, as on the wire */
  readonly priority: Pick<PullRequest, "min_pending" | "min_ack_pending" | "priority">;
}

/** What the consumer allows of one pull. */
export interface PullLimits {
  batch: number;
  bytes: number;
  /** milliseconds */
  expires: number;
}

/** The pins of a consumer, by priority group. They outlive a consuming. */
export type Pins = Map<string, string>;

export class Pulls {
  readonly plan: PullPlan;
  /** number of the last pull */
  id = 0;
  /** asked for, and not here yet */
  messages = 0;
  bytes = 0;
  /** of all messages of this consuming */
  received = 0;
  receivedBytes = 0;
  readonly #limits: PullLimits;
  readonly #pins: Pins;
  // statuses of pulls before it are of no interest
  #firstId = 1;
  #last = { messages: 0, bytes: 0 };
  // the next message needs all the bytes there are
  #wantsAll = false;

  constructor(plan: PullPlan, limits: PullLimits, pins: Pins) {
    this.plan = plan;
    this.#limits = { ...limits };
    this.#pins = pins;
  }

  /** true when bytes are counted */
  get counts(): boolean {
    return this.plan.bytes > 0;
  }

  /** true when all is here that was asked for */
  get complete(): boolean {
    const { once, messages, bytes } = this.plan;
    return once && (this.received >= messages || (bytes > 0 && this.receivedBytes >= bytes));
  }

  /** Is so little left that a consume asks for more? `held` messages and bytes are here and not done with. */
  isLow(held: number, heldBytes: number): boolean {
    const { once, thresholdMessages, thresholdBytes } = this.plan;
    if (once) return false;
    return (
      this.messages + held <= thresholdMessages || (this.counts && this.bytes + heldBytes <= thresholdBytes)
    );
  }

  /**
   * The next pull, if there is room for one: `held` messages and bytes are here and not done with, `expires` is what remains
   * of a fetch.
   */
  next(held: number, heldBytes: number, expires: number): PullRequest | undefined {
    const { plan } = this;
    const counts = plan.bytes > 0;
    let batch: number;
    let bytes = 0;
    if (plan.once) {
      if (this.messages > 0) return undefined;
      batch = plan.messages - this.received;
      bytes = plan.bytes - this.receivedBytes;
    } else {
      const here = this.messages + held;
      if (!this.isLow(held, heldBytes) || (this.#wantsAll && here > 0)) return undefined;
      batch = plan.messages - here;
      bytes = plan.bytes - this.bytes - heldBytes;
    }
    batch = Math.min(batch, this.#limits.batch);
    bytes = Math.min(bytes, this.#limits.bytes);
    if (batch <= 0 || (counts && bytes <= 0)) return undefined;
    this.#wantsAll = false;
    this.id++;
    this.#last = { messages: batch, bytes: counts ? bytes : 0 };
    this.messages += batch;
    this.bytes += this.#last.bytes;
    return this.#request(batch, this.#last.bytes, Math.min(expires, this.#limits.expires));
  }

  #request(batch: number, bytes: number, expires: number): PullRequest {
    const { noWait, heartbeat, group, priority } = this.plan;
    const request: PullRequest = { batch };
    if (bytes > 0) request.max_bytes = bytes;
    if (expires > 0) request.expires = Math.round(nanos(expires));
    if (noWait) request.no_wait = true;
    // C-PULL-2: twice the heartbeat must fit
    if (heartbeat > 0) request.idle_heartbeat = Math.round(nanos(Math.min(heartbeat, expires / 2)));
    if (group === undefined) return request;
    const id = this.#pins.get(group);
    return { ...request, group, ...priority, ...(id !== undefined && { id }) };
  }

  /** A message of `size` bytes came. */
  took(size: number): void {
    this.received++;
    this.receivedBytes += size;
    if (this.messages > 0) this.messages--;
    if (this.bytes > 0) this.bytes = Math.max(0, this.bytes - size);
    // the bytes of pulls that are filled are left over
    if (this.messages === 0) this.bytes = 0;
  }

  /** Is a status of pull `id` of interest? */
  isCurrent(id: number): boolean {
    return id >= this.#firstId;
  }

  /** Pull `id` is over: as much is missing, or, when the server does not say, all of it. */
  over(id: number, messages: number | undefined, bytes: number | undefined): void {
    if (messages === undefined) {
      // only a pull that was refused says nothing, and that is the last one
      if (id !== this.id) return;
      ({ messages, bytes } = this.#last);
    }
    this.messages = Math.max(0, this.messages - messages);
    this.bytes = this.messages === 0 ? 0 : Math.max(0, this.bytes - (bytes ?? 0));
  }

  /** All pulls are lost. */
  void(): void {
    this.messages = 0;
    this.bytes = 0;
    this.#firstId = this.id + 1;
  }

  /**
   * The next message did not fit into the `left` bytes of a pull. False when it never will: there are no more (trap 66).
   * Else the next pull waits until it can have all of them.
   */
  makeRoom(left = 0): boolean {
    if (left >= Math.min(this.plan.bytes, this.#limits.bytes)) return false;
    this.#wantsAll = true;
    return true;
  }

  /** A limit of the consumer, as its refusal says: `Exceeded MaxRequestBatch of 10`. False when that is no help. */
  limit(text: string): boolean {
    const [, what, value = ""] = /MaxRequest(Batch|MaxBytes|Expires) of (\S+)$/i.exec(text) ?? [];
    const limits = this.#limits;
    const key = what === "Batch" ? "batch" : what === "Expires" ? "expires" : "bytes";
    const most = key === "expires" ? (goDuration(value) ?? 0) : Number(value);
    if (!(most > 0) || most >= limits[key]) return false;
    limits[key] = most;
    return true;
  }

  /** The pin that came with a message, if it is another one. */
  pinned(id: string): boolean {
    const { group } = this.plan;
    if (group === undefined || id === "" || this.#pins.get(group) === id) return false;
    this.#pins.set(group, id);
    return true;
  }

  unpinned(): void {
    if (this.plan.group !== undefined) this.#pins.delete(this.plan.group);
  }
}
