// Push side: how a consumer sends to its deliver subject: while somebody listens, not faster than flow control and the rate allow.
import { randomId } from "../../lib/random.ts";
import { headerValue } from "../header-block.ts";
import { internal } from "../internal.ts";
import { msOf, type Serving, type Side, status, type Target } from "./serving.ts";

// bytes that may be under way without an answer: at first, and at most
const FIRST_WINDOW = 2 << 20;
const LARGEST_WINDOW = 32 << 20;

export class PushSide implements Side, Target {
  readonly #consumer: Serving;
  #unwatch: () => void = () => {};
  inbox = "";
  #bound = false;
  #beat = Infinity;
  // flow control: bytes that may be under way, those that are, the subject of the question and the bytes that an answer to it confirms
  #window = FIRST_WINDOW;
  #underWay = 0;
  #question = "";
  #asked = 0;
  readonly #answers;

  constructor(consumer: Serving) {
    this.#consumer = consumer;
    const { home, streamName, name, config } = consumer;
    this.#answers = internal(`$JS.FC.${streamName}.${name}.*`, ({ subject, header }) =>
      this.#answered(subject, header),
    );
    if (config.flow_control) home.account.router.add(this.#answers);
    this.reconfigure();
  }

  reconfigure(): void {
    const { home, config } = this.#consumer;
    this.#unwatch();
    this.inbox = config.deliver_subject as string;
    this.#unwatch = home.account.router.watch(this.inbox, () => this.#listenersChanged());
    this.#listenersChanged();
  }

  #listenersChanged(): void {
    const { home, config } = this.#consumer;
    // a wildcard over it is nobody's wish for this consumer
    const bound = home.account.router.hasListener(this.inbox, config.deliver_group ?? "");
    if (bound === this.#bound) return;
    this.#bound = bound;
    this.#consumer.used();
    const now = home.clock.now();
    this.#beat = bound && config.idle_heartbeat ? now + msOf(config.idle_heartbeat) : Infinity;
    this.#consumer.wakeAt(bound ? this.#beat : now + msOf(config.inactive_threshold));
    this.#consumer.wake();
  }

  ready(): boolean {
    return this.#bound && !(this.#consumer.config.flow_control && this.#underWay > this.#window);
  }

  choose(): Target {
    return this;
  }

  sent(_target: Target, size: number): void {
    const { config, home } = this.#consumer;
    if (config.idle_heartbeat) this.#beat = home.clock.now() + msOf(config.idle_heartbeat);
    if (!config.flow_control) return;
    this.#underWay += size;
    if (this.#question === "" && (this.#underWay > this.#window / 2 || this.#isFull())) this.#ask();
  }

  // With ack policy flow_control nothing but an answer makes room.
  #isFull(): boolean {
    const { config, ackPending } = this.#consumer;
    return config.ack_policy === "flow_control" && ackPending >= (config.max_ack_pending ?? 0);
  }

  #ask(): void {
    const { streamName, name, home } = this.#consumer;
    this.#question = `$JS.FC.${streamName}.${name}.${randomId(4)}`;
    this.#asked = this.#underWay;
    home.account.publish(status(this.inbox, "100 FlowControl Request", {}, this.#question));
  }

  // With ack policy flow_control the answer says what was taken.
  #answered(subject: string, header: Uint8Array): void {
    if (subject !== this.#question) return;
    const seq = headerValue(header, "Nats-Last-Stream");
    const delivery = headerValue(header, "Nats-Last-Consumer");
    if (this.#consumer.config.ack_policy === "flow_control" && seq !== undefined && delivery !== undefined) {
      this.#consumer.ackThrough(Number(seq), Number(delivery));
    }
    this.#window = Math.min(2 * this.#window, LARGEST_WINDOW);
    this.#underWay = Math.max(0, this.#underWay - this.#asked);
    this.#question = "";
    this.#consumer.wake();
  }

  atEnd(): void {}

  request(inbox: string): void {
    this.#consumer.home.send(status(inbox, "409 Consumer is push based"));
  }

  tick(now: number): number {
    const { config, delivered, home } = this.#consumer;
    if (this.#beat > now) return this.#beat;
    this.#beat = now + msOf(config.idle_heartbeat);
    home.account.publish(
      status(this.inbox, "100 Idle Heartbeat", {
        "Nats-Last-Consumer": delivered.delivery,
        "Nats-Last-Stream": delivered.seq,
        ...(this.#question !== "" && { "Nats-Consumer-Stalled": this.#question }),
      }),
    );
    if (config.ack_policy === "flow_control" && this.#consumer.ackPending > 0 && this.#question === "")
      this.#ask();
    return this.#beat;
  }

  inUse(): boolean {
    return this.#bound;
  }

  waiting(): number {
    return 0;
  }

  info(): ReturnType<Side["info"]> {
    return this.#bound ? { push_bound: true } : {};
  }

  end(): void {
    this.#unwatch();
    this.#consumer.home.account.router.remove(this.#answers);
  }
}
