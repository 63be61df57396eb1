// Pull side: how a consumer sends to those who ask for messages: whose turn it is, what they are told, and when they have waited enough.
import { nuid } from "../../lib/nuid.ts";
import { goTime, NO_TIME } from "../go-text.ts";
import { isBeyondLevel } from "../version.ts";
import { type Pull, Waiting } from "./pull.ts";
import { readPull } from "./pull-request.ts";
import { msOf, type Serving, type Side, status, type Target } from "./serving.ts";

// requests that end are told how much they would still have taken
const unfilled = ({ left, bytes }: Pick<Pull, "left" | "bytes">): Record<string, number> => ({
  "Nats-Pending-Messages": left,
  "Nats-Pending-Bytes": bytes,
});

interface Pin {
  readonly id: string;
  readonly since: number;
  asked: number;
}

// that of nobody
const NOBODY: Readonly<Pin> = { id: "", since: 0, asked: 0 };

export class PullSide implements Side {
  readonly #consumer: Serving;
  readonly #waiting = new Waiting();
  // the one that has it all to itself
  #pin: Pin = NOBODY;

  constructor(consumer: Serving) {
    this.#consumer = consumer;
  }

  #tell(pull: Pull, line: string, fields: Readonly<Record<string, string | number>> = {}): void {
    this.#consumer.home.account.publish(status(pull.inbox, line, fields));
  }

  ready(): boolean {
    return this.#waiting.length > 0;
  }

  waiting(): number {
    this.#dropOver(this.#consumer.home.clock.now());
    return this.#waiting.length;
  }

  inUse(): boolean {
    return this.waiting() + this.#consumer.ackPending > 0;
  }

  request(inbox: string, body: string, header: Uint8Array): void {
    const { home, config } = this.#consumer;
    const refuse = (line: string): void => home.send(status(inbox, line));
    if (isBeyondLevel(header)) return refuse("412 Required Api Level");
    const now = home.clock.now();
    const pull = readPull(inbox, body, config, this.#pin.id, now);
    if (typeof pull === "string") return refuse(pull);
    if (pull.id !== "" && pull.id === this.#pin.id) this.#pin.asked = now;
    if (pull.noWait) {
      const there = this.#consumer.paused ? 0 : this.#consumer.unsent + this.#consumer.again;
      if (there === 0 && pull.expires === Infinity) return refuse("404 No Messages");
      if (there > 0 && there < this.#wanted(now)) return refuse("408 Requests Pending");
    }
    if (this.#waiting.length >= (config.max_waiting ?? 0)) {
      this.#dropOver(now);
      if (this.#waiting.length >= (config.max_waiting ?? 0)) {
        if (pull.heartbeat === 0) refuse("409 Exceeded MaxWaiting");
        return;
      }
    }
    this.#waiting.add(pull);
    this.#consumer.wakeAt(Math.min(pull.expires, pull.beat));
    this.#consumer.wake();
  }

  #wanted(now: number): number {
    this.#dropOver(now);
    return this.#waiting.wanted;
  }

  // Those whose time has come, and those whose inbox is gone, leave.
  #dropOver(now: number): void {
    this.#waiting.find((pull) => (this.#isOver(pull, now) ? "over" : false));
  }

  #isOver(pull: Pull, now: number): boolean {
    if (pull.expires <= now) this.#tell(pull, "408 Request Timeout", unfilled(pull));
    else if (this.#consumer.home.account.router.hasInterest(pull.inbox)) return false;
    return true;
  }

  choose(size: number): Pull | undefined {
    const now = this.#consumer.home.clock.now();
    return this.#waiting.find((pull) => {
      if (this.#isOver(pull, now)) return "over";
      const turn = this.#hasTurn(pull);
      if (turn !== true || pull.bytes === 0 || size <= pull.bytes) return turn;
      this.#tell(pull, "409 Message Size Exceeds MaxBytes", unfilled(pull));
      return "over";
    });
  }

  // As the policy of its group has it.
  #hasTurn(pull: Pull): boolean | "over" {
    const { config, unsent, ackPending } = this.#consumer;
    if (config.priority_policy === "overflow") {
      const { minPending, minAckPending } = pull;
      if (minPending + minAckPending === 0) return true;
      return (minPending > 0 && unsent >= minPending) || (minAckPending > 0 && ackPending >= minAckPending);
    }
    if (config.priority_policy !== "pinned_client") return true;
    pull.pin = this.#pin.id;
    if (this.#pin.id !== "") return pull.id === this.#pin.id;
    if (!pull.grouped) return true;
    if (pull.id !== "") {
      this.#tell(pull, "423 Nats-Wrong-Pin-Id", unfilled(pull));
      return "over";
    }
    this.#pinTo(pull);
    return true;
  }

  #pinTo(pull: Pull): void {
    const now = this.#consumer.home.clock.now();
    this.#pin = { id: nuid.next(), since: now, asked: now };
    pull.id = pull.pin = this.#pin.id;
    this.#advise("PINNED", "pinned", { pinned_id: this.#pin.id });
    this.#consumer.wakeAt(this.#pinEnds());
  }

  #pinEnds(): number {
    const { priority_timeout } = this.#consumer.config;
    return this.#pin.id === "" ? Infinity : this.#pin.asked + msOf(priority_timeout);
  }

  #advise(subject: string, type: string, more: object): void {
    const { home, streamName, name, config } = this.#consumer;
    home.advise(`ADVISORY.CONSUMER.${subject}.${streamName}.${name}`, `advisory.v1.consumer_group_${type}`, {
      account: home.account.name,
      stream: streamName,
      consumer: name,
      group: config.priority_groups?.[0],
      ...more,
    });
  }

  /** Nobody is pinned any more. */
  unpin(reason: "admin" | "timeout"): void {
    this.#pin = NOBODY;
    this.#advise("UNPINNED", "unpinned", { reason });
    this.#consumer.wake();
  }

  sent(target: Target, size: number): void {
    const pull = target as Pull;
    this.#waiting.remove(pull);
    pull.left--;
    pull.sent++;
    if (pull.heartbeat > 0) pull.beat = this.#consumer.home.clock.now() + pull.heartbeat;
    if (pull.bytes > 0) {
      pull.bytes -= size;
      // what has no bytes left is over without a word
      if (pull.bytes === 0) return;
      if (pull.left <= 0) this.#tell(pull, "409 Batch Completed", unfilled(pull));
    }
    if (pull.left > 0) this.#waiting.add(pull);
  }

  atEnd(): void {
    this.#waiting.find((pull) => {
      if (!pull.noWait || (pull.sent === 0 && pull.expires !== Infinity)) return false;
      this.#tell(pull, "404 No Messages");
      return "over";
    });
  }

  tick(now: number): number {
    this.#dropOver(now);
    const { delivered } = this.#consumer;
    for (const pull of this.#waiting) {
      if (pull.beat > now) continue;
      pull.beat = now + pull.heartbeat;
      this.#tell(pull, "100 Idle Heartbeat", {
        "Nats-Last-Consumer": delivered.delivery,
        "Nats-Last-Stream": delivered.seq,
      });
    }
    if (this.#pinEnds() <= now) this.unpin("timeout");
    return Math.min(this.#waiting.nextEvent, this.#pinEnds());
  }

  info(): ReturnType<Side["info"]> {
    const { config } = this.#consumer;
    const [group] = config.priority_groups ?? [];
    if (group === undefined) return {};
    const { id, since } = this.#pin;
    const pinned = id === "" ? { pinned_ts: NO_TIME } : { pinned_client_id: id, pinned_ts: goTime(since) };
    return { priority_groups: [{ group, ...pinned }] };
  }

  reconfigure(): void {
    if (this.#consumer.config.priority_policy !== "pinned_client") this.#pin = NOBODY;
  }

  /** Nobody waits any more, and nobody is pinned. */
  forget(): void {
    this.#waiting.clear();
    this.#pin = NOBODY;
  }

  end(line: string): void {
    const fields = line.includes("Shutdown") ? unfilled({ left: 0, bytes: 0 }) : {};
    for (const pull of this.#waiting.clear()) this.#tell(pull, line, fields);
  }
}
