// Stream: takes messages in, keeps what its configuration says, and tells its consumers. Owned by jetstream.
import { Empty } from "../../lib/bytes.ts";
import type { Clock } from "../../lib/clock.ts";
import type { StreamConfig, StreamSourceInfo } from "../../protocol/jetstream/stream.ts";
import type { Account, Subscriber } from "../account.ts";
import { goDurationText, goJson } from "../go-text.ts";
import { Message } from "../message.ts";
import { internal } from "../internal.ts";
import { type Arrival, arrival, asked, BATCH_ID, FAST } from "./arrival.ts";
import type { AtomicBatches } from "./atomic-batches.ts";
import { Dedup } from "./dedup.ts";
import { directGet } from "./direct-get.ts";
import { checkRoom, checkSize, type Draft, drafted, Duplicate, type View } from "./draft.ts";
import { Expiry } from "./expiry.ts";
import type { FastBatches } from "./fast-batches.ts";
import { withHeaders } from "../header-block.ts";
import type { Home } from "./home.ts";
import { Refusal, refuse } from "./refusal.ts";
import type { Origin } from "./origin.ts";
import { type Republisher, republisher } from "./republish.ts";
import type { Schedules } from "./schedules.ts";
import type { Counter } from "./stream-extras.ts";
import type { ServedConsumer, ServedStream } from "./served.ts";
import type { Store } from "./store.ts";
import type { Filters, Stored } from "./stored.ts";
import { type SubjectTransform, subjectTransform } from "../subject-transform.ts";
import { TTL, ttlOf } from "./ttl.ts";
import type { Watcher } from "./watched.ts";
import { Watchers } from "./watchers.ts";

/** why a message is no message of its subject, but the end of one */
const MARKER = "Nats-Marker-Reason";

type Why = Parameters<Watcher["removed"]>[1];

export class Stream implements ServedStream, View {
  readonly name: string;
  readonly home: Home;
  readonly store: Store;
  readonly created: number;
  readonly consumers: Map<string, ServedConsumer> = new Map();
  readonly schedules: Schedules | undefined;
  readonly counter: Counter | undefined;
  #config: StreamConfig;
  readonly #watchers = new Watchers();
  readonly #dedup = new Dedup();
  readonly #expiry: Expiry;
  readonly #atomic: AtomicBatches | undefined;
  readonly #fast: FastBatches | undefined;
  #origins: readonly Origin[] = [];
  #subscriptions: Subscriber[] = [];
  #transform: SubjectTransform | undefined;
  #republisher: Republisher | undefined;
  #lastId = "";
  #isLevel = false;

  constructor(home: Home, config: StreamConfig, created: number, store: Store) {
    this.home = home;
    this.name = config.name;
    this.created = created;
    this.store = store;
    this.#config = config;
    this.schedules = home.extras?.schedules(this);
    this.counter = home.extras?.counter;
    this.#atomic = home.extras?.atomic(this);
    this.#fast = home.extras?.fast(this);
    this.#expiry = new Expiry(home.clock, store, (message) => this.#expire(message));
    this.#configure();
    this.#recall();
    this.#limitAll();
    this.#follow();
  }

  get account(): Account {
    return this.home.account;
  }

  get clock(): Clock {
    return this.home.clock;
  }

  get config(): StreamConfig {
    return this.#config;
  }

  update(config: StreamConfig): void {
    const { retention, mirror_direct } = this.#config;
    // one that begins to answer for its origin does so at once
    if (config.mirror_direct === true && mirror_direct !== true) this.#isLevel = true;
    this.#config = config;
    this.#unsubscribe();
    this.#configure();
    this.#limitAll();
    this.#follow();
    if (config.allow_atomic !== true) this.#atomic?.stop();
    if (config.allow_batched !== true) this.#fast?.stop();
    if (retention === "limits" && config.retention === "interest") this.#dropSettled();
  }

  #configure(): void {
    const {
      duplicate_window = 0,
      max_age = 0,
      subjects = [],
      subject_transform: rule,
      republish,
    } = this.#config;
    this.#dedup.window = duplicate_window / 1e6;
    this.#expiry.maxAge = max_age / 1e6;
    this.#transform = rule && rule.dest !== "" ? subjectTransform(rule.src ?? "", rule.dest) : undefined;
    this.#republisher = republish && republisher(this.name, republish);
    this.#subscriptions = subjects.map((subject) => internal(subject, (message) => this.#take(message)));
    if (this.#config.allow_direct === true) this.#subscriptions.push(...directGet(this, this.name));
    for (const subscription of this.#subscriptions) this.account.router.add(subscription);
    if (this.#isLevel) this.#answerForOrigin();
  }

  /** A mirror has all that its origin has: from now on it may answer for it. */
  levelled(): void {
    if (this.#isLevel) return;
    this.#isLevel = true;
    this.#answerForOrigin();
  }

  #answerForOrigin(): void {
    const { mirror, mirror_direct } = this.#config;
    if (mirror === undefined || mirror_direct !== true) return;
    const more = directGet(this, mirror.name);
    this.#subscriptions.push(...more);
    for (const subscription of more) this.account.router.add(subscription);
  }

  #unsubscribe(): void {
    for (const subscription of this.#subscriptions) this.account.router.remove(subscription);
    this.#subscriptions = [];
  }

  // What is to be known of messages from before.
  #recall(): void {
    const { store, clock } = this;
    const since = clock.now() - this.#dedup.window;
    const from = this.#config.allow_msg_ttl === true ? 0 : store.seqAt(since);
    for (let at = store.next([], from); at !== undefined; at = store.next([], at.seq + 1)) {
      const asks = asked(at.header);
      const id = asks.get("Nats-Msg-Id") ?? "";
      if (id !== "" && at.time > since) this.#dedup.add(id, at.seq, at.time);
      this.#expiry.add(at, ttlOf(asks.get(TTL) ?? "") ?? 0);
    }
    this.schedules?.recall();
    this.#lastId = asked(store.last([])?.header ?? Empty).get("Nats-Msg-Id") ?? "";
  }

  // --- what is published

  #take({ subject, header, data, reply }: Message): void {
    try {
      if (this.#config.sealed === true) refuse(10109);
      const arrived = arrival(this.#transform?.(subject) ?? subject, header, data);
      if (reply.endsWith(FAST)) (this.#fast ?? refuse(10205)).take(arrived, reply);
      else if ((arrived.asks.get(BATCH_ID) ?? "") === "") this.answer(reply, this.publish(arrived));
      else {
        checkSize(arrived, this);
        this.answer(reply, (this.#atomic ?? refuse(10174)).take(arrived));
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.answer(reply, goJson({ error: error.wire, stream: this.name, seq: 0 }));
    }
  }

  /** Tell a publisher. */
  answer(reply: string, text: string): void {
    if (reply !== "" && this.#config.no_ack !== true) this.home.send(Message.of(reply, text));
  }

  /** Take a message in. Its acknowledgement. @throws {Refusal} */
  publish(arrived: Arrival): string {
    const draft = drafted(arrived, this);
    if (draft instanceof Duplicate) return this.ack(draft.seq, ',"duplicate": true');
    if (this.keeps(draft.subject)) checkRoom(draft, this);
    return this.ack(this.keep(draft), draft.value === undefined ? "" : `,"val":"${draft.value}"`);
  }

  /** Would a message of this subject be stored, or only counted because nobody wants it? */
  keeps(subject: string): boolean {
    return this.#config.retention !== "interest" || this.#watchers.interested(subject);
  }

  /** The JSON of an acknowledgement. `more` begins with a comma. */
  ack(seq: number, more = ""): string {
    const { domain } = this.home;
    return `{"stream":"${this.name}"${domain === "" ? "" : `,"domain":"${domain}"`},"seq":${seq}${more}}`;
  }

  get messages(): number {
    return this.store.messages;
  }

  get bytes(): number {
    return this.store.bytes;
  }

  get full(): boolean {
    return this.home.full(this.#config.storage ?? "file");
  }

  get lastSeq(): number {
    return this.store.lastSeq;
  }

  get lastId(): string {
    return this.#lastId;
  }

  lastOf(filter: string): number {
    return this.store.last([filter])?.seq ?? 0;
  }

  latest(subject: string): Stored | undefined {
    return this.store.last([subject]);
  }

  countOf(subject: string): number {
    return this.store.countOf(subject);
  }

  seqOfId(id: string): number | undefined {
    return this.#dedup.find(id, this.clock.now());
  }

  /** Keep what was checked. Its sequence. */
  keep(draft: Draft, now: number = this.clock.now()): number {
    const { store } = this;
    const { subject, header, data, id, rollup, ttl } = draft;
    if (!this.keeps(subject)) {
      store.skip(now);
      this.#remember(id, store.lastSeq, now);
      if (rollup === "all") this.purge("", 0, 0);
      return store.lastSeq;
    }
    const before = this.#republisher && this.lastOf(subject);
    const stored = store.append(subject, header, data, now);
    this.#remember(id, stored.seq, now);
    this.#expiry.add(stored, ttl);
    // before they hear what goes for it, which may be itself
    for (const { watcher } of this.#watchers.of(subject)) watcher.stored(stored);
    this.#limit(subject);
    if (rollup !== "") this.purge(rollup === "sub" ? subject : "", 0, 1);
    this.schedules?.stored(stored, draft);
    const again = before === undefined ? undefined : this.#republisher?.(stored, before);
    if (again !== undefined) this.home.send(again);
    return stored.seq;
  }

  #remember(id: string, seq: number, now: number): void {
    this.#lastId = id;
    if (id !== "") this.#dedup.add(id, seq, now);
  }

  // --- limits

  // A message of this subject was stored.
  #limit(subject: string): void {
    const { max_msgs_per_subject: perSubject = -1 } = this.#config;
    if (perSubject > 0) while (this.store.countOf(subject) > perSubject) this.#removeFirst([subject]);
    this.#limitStream();
  }

  #limitStream(): void {
    const { max_msgs = -1, max_bytes = -1, discard } = this.#config;
    const { store } = this;
    // what is there stays, and nothing is added
    if (discard === "new") return;
    while ((max_msgs > 0 && store.messages > max_msgs) || (max_bytes > 0 && store.bytes > max_bytes))
      this.#removeFirst([]);
  }

  // The limits are new, or the messages.
  #limitAll(): void {
    const { max_msgs_per_subject: perSubject = -1 } = this.#config;
    if (perSubject > 0) {
      for (const [subject, count] of this.store.subjects(">")) {
        for (let over = count - perSubject; over > 0; over--) this.#removeFirst([subject]);
      }
    }
    this.#limitStream();
    this.#expiry.arm();
  }

  #removeFirst(filters: Filters): void {
    const first = this.store.next(filters, 0);
    if (first !== undefined) this.#remove(first.seq, "limits");
  }

  #remove(seq: number, why: Why): boolean {
    const message = this.store.remove(seq);
    if (message !== undefined) this.#gone(message, why);
    return message !== undefined;
  }

  #gone(message: Stored, why: Why): void {
    this.#expiry.removed(message.seq);
    for (const { watcher } of this.#watchers.of(message.subject)) watcher.removed(message, why);
  }

  // A message has lived its time. The last of its subject may leave a marker, which leaves none.
  #expire(message: Stored): void {
    const { subject, header } = message;
    const marker = (this.#config.subject_delete_marker_ttl ?? 0) / 1e6;
    const marked = marker > 0 && !asked(header).has(MARKER) && this.store.countOf(subject) === 1;
    this.#remove(message.seq, "limits");
    if (!marked) return;
    const ttl = goDurationText(marker);
    const block = withHeaders(Empty, [
      [MARKER, "MaxAge"],
      [TTL, ttl],
      ["Nats-Rollup", "sub"],
    ]);
    this.keep({ subject, header: block, data: Empty, id: "", rollup: "", ttl: marker });
  }

  // --- what is taken out

  remove(seq: number): boolean {
    return this.#remove(seq, "deleted");
  }

  purge(filter: string, seq: number, keep: number): number {
    const { store } = this;
    const filters = filter === "" || filter === ">" ? [] : [filter];
    const gone = (message: Stored) => this.#gone(message, "purged");
    let purged = 0;
    if (filters.length === 0 && keep === 0) {
      if (seq !== 1) purged = store.removeUpTo(seq === 0 ? store.lastSeq : seq - 1, gone);
    } else {
      let left = keep === 0 ? Infinity : store.count(filters, 0) - keep;
      const before = seq === 0 ? Infinity : seq;
      for (let at = store.next(filters, 0); at !== undefined && at.seq < before && left > 0; left--) {
        purged += this.#remove(at.seq, "purged") ? 1 : 0;
        at = store.next(filters, at.seq + 1);
      }
    }
    const first = filters.length === 0 ? store.firstSeq : (store.next(filters, 0)?.seq ?? store.lastSeq + 1);
    for (const watcher of this.#watchers) watcher.purged(first, filter);
    return purged;
  }

  // --- consumers

  watch(watcher: Watcher): void {
    const before = this.#watchers.add(watcher);
    if (before !== undefined && watcher.counts && this.#config.retention === "interest") {
      this.#dropUnwanted(before);
    }
  }

  unwatch(watcher: Watcher): void {
    if (this.#watchers.remove(watcher) && watcher.counts && this.#config.retention === "interest") {
      this.#dropUnwanted(watcher.filters);
    }
  }

  settled(seq: number): void {
    const { retention } = this.#config;
    if (retention === "limits") return;
    const message = this.store.get(seq);
    if (message === undefined) return;
    if (retention === "workqueue" || !this.#watchers.wanted(message)) this.#remove(seq, "settled");
  }

  // It begins to keep what somebody wants. What no consumer was ever to have stays, where there are consumers.
  #dropSettled(): void {
    const counting = [...this.#watchers].filter(({ counts }) => counts);
    for (const { filters } of counting.length > 0 ? counting : [{ filters: [] }]) this.#dropUnwanted(filters);
  }

  // Those that match and that nobody wants go.
  #dropUnwanted(filters: Filters): void {
    const { store } = this;
    for (let at = store.next(filters, 0); at !== undefined; at = store.next(filters, at.seq + 1)) {
      if (!this.#watchers.wanted(at)) this.#remove(at.seq, "settled");
    }
  }

  origins(): { mirror?: StreamSourceInfo; sources?: StreamSourceInfo[] } {
    const infos = this.#origins.map((origin) => origin.info());
    const [mirror] = infos;
    if (mirror === undefined) return {};
    return this.#config.mirror === undefined ? { sources: infos } : { mirror };
  }

  // Those that are configured: what was copied from before goes on where it is.
  #follow(): void {
    const { mirror, sources = [] } = this.#config;
    const wanted = mirror === undefined ? sources : [mirror];
    const before = this.#origins;
    this.#origins = wanted.flatMap(
      (config) =>
        before.find((one) => one.is(config)) ??
        this.home.extras?.origin(this, config, mirror !== undefined) ??
        [],
    );
    for (const one of before) if (!this.#origins.includes(one)) one.stop();
  }

  // --- the end

  delete(): void {
    this.#stop();
    for (const watcher of this.#watchers) watcher.streamDeleted();
    void this.store.destroy();
  }

  async shutDown(): Promise<void> {
    this.#stop();
    for (const watcher of this.#watchers) watcher.shutDown();
    await this.store.close();
  }

  #stop(): void {
    this.#unsubscribe();
    for (const origin of this.#origins) origin.stop();
    this.#atomic?.stop();
    this.#fast?.stop();
    this.schedules?.stop();
    this.#expiry.stop();
  }
}
