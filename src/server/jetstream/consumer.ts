// Consumer: sends the messages of a stream to who wants them, keeps book of what was acknowledged, and sends the rest again.
//
//   stream --stored()--> wake --> #run: next message --> side (push or pull) chooses who gets it --> #sent: pending until its ack
//                                    ^                                                                          |
//                                    '------------------ again: refused, or silent for too long <---------------'
//
// All that it does of its own accord happens in #run, in a microtask, and in #tick, when time has passed.
import { Empty, utf8Decoder } from "../../lib/bytes.ts";
import type { ConsumerInfo, SequenceInfo } from "../../protocol/jetstream/consumer.ts";
import type { Subscriber } from "../account.ts";
import { goNanos, goTime, NO_TIME } from "../go-text.ts";
import { timeOf } from "../go-time.ts";
import { internal } from "../internal.ts";
import { subjectCovers, subjectsCollide } from "../subjects.ts";
import { Message } from "../message.ts";
import { parseAck } from "./ack.ts";
import { Alarm } from "./alarm.ts";
import { ConsumerAdvisories, type Delivery } from "./consumer-advisories.ts";
import { filtersOf, type ServedConfig } from "./consumer-config.ts";
import { Cursor, type CursorState } from "./cursor.ts";
import { withHeaders } from "../header-block.ts";
import type { Home } from "./home.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import { Pace } from "./pace.ts";
import type { Sent } from "./pending.ts";
import { PullSide } from "./pull-side.ts";
import { PushSide } from "./push-side.ts";
import type { ServedConsumer, ServedStream } from "./served.ts";
import { msOf, type Position, type Serving, type Side } from "./serving.ts";
import type { Filters, Stored } from "./stored.ts";
import type { Watcher } from "./watched.ts";

// bytes that are sent in a row before others have their turn
const TURN = 1 << 20;
// the largest message, where the stream has no limit
const LARGEST = 1 << 20;

/** How far a consumer is, to be kept. */
export interface ConsumerState extends LedgerState, CursorState {}

/** A message that can be sent, and how often it will have been sent then. */
interface Next {
  readonly message: Stored;
  readonly deliveries: number;
}

export class Consumer implements ServedConsumer, Serving {
  readonly home: Home;
  readonly name: string;
  readonly created: number;
  readonly counts: boolean;
  readonly #stream: ServedStream;
  readonly #side: Side;
  readonly #alarm: Alarm;
  readonly #subscriptions: readonly Subscriber[];
  readonly #cursor: Cursor;
  readonly #ledger: Ledger;
  readonly #advisories: ConsumerAdvisories;
  readonly #pace = new Pace();
  #config: ServedConfig;
  #filters: Filters = [];
  #used: number;
  #heldUntil = Infinity;
  #woken = false;
  #paused: boolean;
  #ended = false;

  /** Is among those of the stream from now on, until it is deleted. `state`: of one from before, which goes on. */
  constructor(
    home: Home,
    stream: ServedStream,
    name: string,
    config: ServedConfig,
    created: number,
    state?: ConsumerState,
  ) {
    this.home = home;
    this.name = name;
    this.created = created;
    this.#stream = stream;
    this.#config = config;
    this.counts = config.direct !== true && config.sourcing !== true;
    this.#filters = filtersOf(config);
    this.#cursor = new Cursor(stream.store, config, this.#filters);
    this.#advisories = new ConsumerAdvisories(home, stream.name, name);
    this.#ledger = new Ledger(this.#cursor.nextSeq);
    if (state !== undefined) {
      this.#cursor.restore(state);
      this.#ledger.restore(state, (deliveries) => this.#wait(deliveries));
    }
    this.#used = home.clock.now();
    this.#paused = this.paused;
    this.#alarm = new Alarm(home.clock, () => this.#tick());
    this.#side = config.deliver_subject ? new PushSide(this) : new PullSide(this);
    this.#subscriptions = this.#subscribe();
    for (const subscription of this.#subscriptions) home.account.router.add(subscription);
    stream.watch(this);
    stream.consumers.set(name, this);
    if (state === undefined) {
      this.#advisories.created();
      if (this.#paused) this.#minuteThePause();
    }
    this.#tick();
    this.#save();
  }

  #subscribe(): Subscriber[] {
    const { streamName, name } = this;
    const next = internal(`$JS.API.CONSUMER.MSG.NEXT.${streamName}.${name}`, ({ reply, data, header }) => {
      if (reply !== "") this.#request(reply, data, header);
    });
    if (this.#config.ack_policy === "none") return [next];
    return [next, internal(`$JS.ACK.${streamName}.${name}.*.*.*.*.*`, (message) => this.#acked(message))];
  }

  get config(): ServedConfig {
    return this.#config;
  }

  get streamName(): string {
    return this.#stream.name;
  }

  get filters(): Filters {
    return this.#filters;
  }

  get delivered(): Readonly<Position> {
    return this.#ledger.delivered;
  }

  get paused(): boolean {
    return this.#pauseEnds(this.home.clock.now()) !== Infinity;
  }

  get unsent(): number {
    return this.#cursor.unsent;
  }

  get again(): number {
    return this.#ledger.again.size;
  }

  get ackPending(): number {
    return this.#ledger.pending.size;
  }

  // --- time

  // Behind what is answered to what woke it.
  wake(): void {
    if (this.#woken || this.#ended) return;
    this.#woken = true;
    queueMicrotask(() => queueMicrotask(() => this.#run()));
  }

  used(): void {
    this.#used = this.home.clock.now();
  }

  wakeAt(time: number): void {
    if (!this.#ended) this.#alarm.at(time);
  }

  #tick(): void {
    if (this.#ended) return;
    const now = this.home.clock.now();
    const { pending, again } = this.#ledger;
    for (const { seq } of pending.takeDue(now)) {
      // with several deliveries it is noticed when it would be sent again
      if (this.#config.max_deliver !== 1 || !this.#isExhausted(seq)) again.push(seq);
      this.wake();
    }
    if (this.#paused && this.#pauseEnds(now) === Infinity) {
      this.#minuteThePause();
      this.wake();
    }
    if (this.#heldUntil <= now) {
      this.#heldUntil = Infinity;
      this.wake();
    }
    const next = Math.min(
      this.#heldUntil,
      this.#side.tick(now),
      this.#pauseEnds(now),
      this.#idleEnds(now),
      pending.nextDue,
    );
    this.wakeAt(next);
  }

  #idleEnds(now: number): number {
    const threshold = msOf(this.#config.inactive_threshold);
    if (threshold === 0) return Infinity;
    if (this.#side.inUse()) this.#used = now;
    if (now >= this.#used + threshold) {
      this.delete();
      return Infinity;
    }
    return this.#used + threshold;
  }

  // --- what the stream tells

  stored({ seq }: Stored): void {
    // it begins behind the end
    if (seq < this.#cursor.nextSeq) return;
    this.#cursor.unsent++;
    if (this.#side.ready()) this.wake();
  }

  removed(message: Stored, why: Parameters<Watcher["removed"]>[1]): void {
    const { seq } = message;
    this.#cursor.removed(seq);
    const sent = this.#ledger.pending.get(seq);
    if (sent !== undefined && why !== "purged" && why !== "settled") {
      const { delivery } = sent;
      const deliveries = this.#ledger.deliveriesOf(seq);
      this.#ack(seq, delivery);
      this.#advisories.terminated({ seq, delivery, deliveries }, "Unacknowledged message was deleted");
    }
  }

  purged(firstSeq: number, filter: string): void {
    const { store } = this.#stream;
    // of more than what was purged some is left
    const wider =
      filter !== "" &&
      !(this.#filters.length > 0 && this.#filters.every((one) => subjectCovers(filter, one)));
    if (wider && !this.#filters.some((one) => subjectsCollide(filter, one)) && this.#filters.length > 0)
      return;
    const first = wider ? store.firstSeq : firstSeq;
    this.#cursor.purge(first);
    const isGone = (seq: number): boolean => store.get(seq) === undefined;
    this.#ledger.purge(first, this.#cursor.nextSeq, isGone, this.home.clock.now());
    this.#save();
  }

  wants({ seq }: Stored): boolean {
    const { floor, pending } = this.#ledger;
    if (this.#ledger.wasSentAgain(seq)) return true;
    if (seq <= floor.seq) return false;
    return this.#config.ack_policy !== "explicit" || seq >= this.#cursor.nextSeq || pending.has(seq);
  }

  streamDeleted(): void {
    this.#end("409 Consumer Deleted");
    this.#advisories.deleted();
  }

  shutDown(): void {
    this.#end("409 Server Shutdown");
  }

  // --- sending

  #run(): void {
    this.#woken = false;
    if (this.#ended || this.paused) return;
    for (let sent = 0; this.#side.ready() && !this.#ended; ) {
      const next = this.#next();
      if (next === undefined) {
        if (this.unsent > 0 || this.#isFull()) return;
        this.#pace.caughtUp();
        this.#side.atEnd();
        return;
      }
      const size = this.#send(next);
      if (size === 0) return;
      sent += size;
      // the event loop turns meanwhile, and what was sent is written; a clock may stand still
      if (sent >= TURN) return void setTimeout(() => this.wake(), 0);
    }
  }

  #next(): Next | undefined {
    const { again } = this.#ledger;
    for (let seq = again.first(); seq !== undefined; seq = again.first()) {
      const message = this.#stream.store.get(seq);
      if (message !== undefined && !this.#isExhausted(seq)) {
        return { message, deliveries: this.#ledger.deliveriesOf(seq) + 1 };
      }
      again.delete(seq);
    }
    const message = this.#isFull() ? undefined : this.#cursor.peek();
    return message && { message, deliveries: 1 };
  }

  // May no more be open?
  #isFull(): boolean {
    const { max_ack_pending = 0 } = this.#config;
    return max_ack_pending > 0 && this.ackPending >= max_ack_pending;
  }

  // The bytes that it came to; 0 when nobody wants it now.
  #send({ message, deliveries }: Next): number {
    const { subject, seq, time } = message;
    const { again, delivered } = this.#ledger;
    const delivery = delivered.delivery + 1;
    const unsent = deliveries > 1 ? this.unsent : this.unsent - 1;
    const reply = `$JS.ACK.${this.streamName}.${this.name}.${deliveries}.${seq}.${delivery}.${goNanos(time)}.${unsent}`;
    let { header, data } = message;
    const size = subject.length + reply.length + header.length + data.length;
    if (this.#isEarly(message, size)) return 0;
    const target = this.#side.choose(size);
    if (target === undefined) {
      // others that are to be sent again have their turn first
      if (deliveries > 1) {
        again.delete(seq);
        again.push(seq);
      }
      return 0;
    }
    if (this.#config.headers_only === true) {
      header = withHeaders(header, [["Nats-Msg-Size", data.length]]);
      data = Empty;
    }
    if (target.pin !== undefined) header = withHeaders(header, [["Nats-Pin-Id", target.pin]]);
    const sizes = header.length > 0 ? `${header.length} ${header.length + data.length}` : `${data.length}`;
    this.#sent(seq, deliveries);
    this.home.account.publish(new Message(subject, reply, header, data, sizes, undefined), target.inbox);
    this.#side.sent(target, size);
    if (this.#config.ack_policy === "none") this.#stream.settled(seq);
    this.#save();
    return size;
  }

  // Has it to wait for its rate, or for the pause there was before it?
  #isEarly(message: Stored, size: number): boolean {
    const { rate_limit_bps = 0, replay_policy } = this.#config;
    const replay = replay_policy === "original";
    if (rate_limit_bps === 0 && !replay) return false;
    const { max_msg_size = -1 } = this.#stream.config;
    const burst = max_msg_size > 0 ? max_msg_size : LARGEST;
    const now = this.home.clock.now();
    const due = this.#pace.due(message, size, now, rate_limit_bps / 8000, burst, replay);
    if (due > now) this.#heldUntil = due;
    this.wakeAt(this.#heldUntil);
    return due > now;
  }

  // Keep book of it.
  #sent(seq: number, deliveries: number): void {
    const now = this.home.clock.now();
    const due = this.#config.ack_policy === "none" ? undefined : now + this.#wait(deliveries);
    this.#ledger.sent(seq, deliveries, now, due);
    if (deliveries === 1) this.#cursor.pass(seq);
    if (due !== undefined) this.wakeAt(due);
  }

  // Milliseconds until it is sent again, after so many deliveries.
  #wait(deliveries: number): number {
    const { backoff = [], ack_wait } = this.#config;
    // with flow control as acknowledgement there is no waiting
    return msOf(backoff[Math.min(deliveries, backoff.length) - 1] ?? ack_wait) || Infinity;
  }

  // Was it sent as often as may be? Then that is the end of it here; in the stream it stays.
  #isExhausted(seq: number): boolean {
    const { max_deliver = -1 } = this.#config;
    const deliveries = this.#ledger.deliveriesOf(seq);
    if (max_deliver < 1 || deliveries < max_deliver) return false;
    this.#advisories.exhausted(seq, deliveries);
    this.#ledger.pending.delete(seq);
    this.#ledger.delivered.active = this.home.clock.now();
    this.#save();
    return true;
  }

  // --- acknowledgements

  #acked({ subject, data, reply, header }: Message): void {
    const [, , , , count, stream, consumer] = subject.split(".");
    const of: Delivery = { seq: Number(stream), delivery: Number(consumer), deliveries: Number(count) };
    const { seq, delivery } = of;
    this.used();
    // of one that was not sent yet, or of none
    const early = !(seq < this.#cursor.nextSeq);
    const said = parseAck(data);
    switch (said.kind) {
      case "ack":
      case "next":
        this.#sample(of);
        if (!early) this.#ack(seq, delivery);
        break;
      case "nak":
        this.#nak(of, said.delay);
        break;
      case "progress":
        this.#progress(seq);
        break;
      case "term":
        if (!early) this.#ack(seq, delivery);
        this.#advisories.terminated(of, said.reason);
        break;
      case "none":
    }
    if (reply === "") return;
    if (said.kind === "next") this.#side.request(reply, said.request, header);
    else if (!early || (said.kind !== "ack" && said.kind !== "term")) this.home.send(Message.of(reply));
  }

  #progress(seq: number): void {
    const sent = this.#ledger.pending.get(seq);
    if (sent !== undefined) this.#postpone(sent, this.#wait(this.#ledger.deliveriesOf(seq)));
  }

  #postpone(sent: Sent, delay: number): void {
    const due = this.home.clock.now() + delay;
    this.#ledger.pending.postpone(sent, due);
    this.wakeAt(due);
  }

  #ack(seq: number, delivery: number): void {
    const full = this.#isFull();
    if (this.#config.ack_policy === "explicit") {
      this.#ledger.ack(seq);
      this.#stream.settled(seq);
    } else this.#ackAll(seq, delivery);
    this.#ledger.floor.active = this.home.clock.now();
    this.#save();
    if (full) this.wake();
  }

  #ackAll(seq: number, delivery: number): void {
    const { store, config } = this.#stream;
    const before = this.#ledger.floor.seq;
    if (!this.#ledger.ackThrough(seq, delivery) || config.retention === "limits") return;
    for (let at = Math.max(before + 1, store.firstSeq); at <= seq; at++) this.#stream.settled(at);
  }

  ackThrough(seq: number, delivery: number): void {
    if (seq < this.#cursor.nextSeq) this.#ack(seq, delivery);
  }

  #nak(of: Delivery, delay: number | undefined): void {
    const { seq, delivery } = of;
    const { again, delivered, floor, pending } = this.#ledger;
    if (!(delivery > floor.delivery && delivery <= delivered.delivery + 1)) return;
    const sent = pending.get(seq);
    if (sent === undefined) return;
    this.#advisories.naked(of);
    if (delay === undefined) {
      sent.due = Infinity;
      again.push(seq);
      this.wake();
    } else {
      again.delete(seq);
      this.#postpone(sent, delay);
    }
  }

  #request(inbox: string, data: Uint8Array, header: Uint8Array): void {
    this.used();
    this.#side.request(inbox, utf8Decoder.decode(data), header);
  }

  // --- what is done to it

  /** Take another configuration, which is complete and allowed. */
  update(config: ServedConfig): void {
    const before = this.#config;
    this.#config = config;
    this.#filters = filtersOf(config);
    this.#cursor.filter(this.#filters);
    this.#stream.watch(this);
    this.#side.reconfigure();
    if (before.ack_wait !== config.ack_wait || String(before.backoff) !== String(config.backoff)) {
      const { pending } = this.#ledger;
      for (const sent of pending.values()) {
        const due = sent.at + this.#wait(this.#ledger.deliveriesOf(sent.seq));
        if (sent.due !== Infinity) pending.postpone(sent, due);
      }
    }
    this.#save();
    if (this.#paused) this.#minuteThePause();
    this.#tick();
    this.wake();
  }

  /** Take a configuration with another `pause_until`: send nothing until then. Where that ends a pause, it goes on with what comes next. */
  pause(config: ServedConfig): void {
    const before = this.#config.pause_until;
    this.#config = config;
    this.#save();
    if (config.pause_until !== before) this.#minuteThePause();
    this.#tick();
  }

  // When the pause ends, which is in the future; Infinity where it is not paused.
  #pauseEnds(now: number): number {
    const { pause_until = "" } = this.#config;
    const until = pause_until === "" ? 0 : timeOf(pause_until);
    return until > now ? until : Infinity;
  }

  #minuteThePause(): void {
    this.#paused = this.paused;
    const { pause_until = NO_TIME } = this.#config;
    this.#advisories.paused(this.#paused, pause_until);
  }

  /** Begin again at a sequence, as if nothing had been sent. */
  reset(seq: number): void {
    this.#cursor.seek(seq);
    this.#ledger.reset(seq);
    this.#save();
    this.wake();
  }

  /** the sequence up to which all is acknowledged */
  get floor(): number {
    return this.#ledger.floor.seq;
  }

  /** Nobody is pinned any more. False when it has no such group. */
  unpin(group: string): boolean {
    if (!(this.#side instanceof PullSide) || this.#config.priority_groups?.includes(group) !== true)
      return false;
    this.#side.unpin("admin");
    return true;
  }

  forgetRequests(): void {
    if (this.#side instanceof PullSide) this.#side.forget();
  }

  /** does somebody listen to where it sends? */
  get bound(): boolean {
    return this.#side instanceof PushSide && this.#side.inUse();
  }

  delete(): void {
    if (this.#ended) return;
    this.#end("409 Consumer Deleted");
    this.#stream.consumers.delete(this.name);
    this.#stream.unwatch(this);
    this.home.storage.removeConsumer(this.streamName, this.name);
    this.#advisories.deleted();
  }

  #end(status: string): void {
    this.#ended = true;
    this.#alarm.off();
    this.#side.end(status);
    for (const subscription of this.#subscriptions) this.home.account.router.remove(subscription);
  }

  // --- what it tells

  /** What it is and how far it is, in the order of the wire. */
  info(): ConsumerInfo {
    const now = this.home.clock.now();
    const pauseEnds = this.#pauseEnds(now);
    const { push_bound, priority_groups } = this.#side.info();
    return {
      stream_name: this.streamName,
      name: this.name,
      created: goTime(this.created),
      config: this.#config,
      delivered: wirePosition(this.delivered),
      ack_floor: wirePosition(this.#ledger.floor),
      num_ack_pending: this.ackPending,
      num_redelivered: this.#ledger.sentAgain,
      num_waiting: this.#side.waiting(),
      num_pending: this.unsent,
      ...(push_bound && { push_bound }),
      ...(pauseEnds !== Infinity && { paused: true, pause_remaining: Math.round((pauseEnds - now) * 1e6) }),
      ts: goTime(now),
      ...(priority_groups && { priority_groups }),
    };
  }

  #save(): void {
    this.home.storage.saveConsumer(this.streamName, this, this.state);
  }

  readonly state = (): ConsumerState => ({ ...this.#ledger.state, ...this.#cursor.state });

  #sample(of: Delivery): void {
    const { sample_freq = "" } = this.#config;
    const sent = this.#ledger.pending.get(of.seq);
    if (sample_freq === "" || sent === undefined) return;
    if (Math.random() * 100 >= Number.parseInt(sample_freq, 10)) return;
    this.#advisories.acknowledged(of, this.home.clock.now() - sent.at);
  }
}

function wirePosition({ delivery, seq, active }: Position): SequenceInfo {
  return {
    consumer_seq: delivery,
    stream_seq: seq,
    ...(active > 0 && { last_active: goTime(active) }),
  };
}
