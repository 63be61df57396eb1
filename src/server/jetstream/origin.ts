// Origin: a stream that another one copies from, as its mirror or as one of its sources. Owned by stream.
import type { Timer } from "../../lib/clock.ts";
import { base62 } from "../../lib/random.ts";
import type { StreamSource, StreamSourceInfo } from "../../protocol/jetstream/stream.ts";
import { fnv64 } from "../fnv64.ts";
import { withHeaders, withoutHeaders } from "../header-block.ts";
import { timeOf } from "../go-time.ts";
import { subjectTransform, type SubjectTransform } from "../subject-transform.ts";
import { asked, INCREMENT } from "./arrival.ts";
import { keepMirrored, keepSourced } from "./copied.ts";
import { COUNTED, counterPayload, counterValue } from "./counter.ts";
import { Refusal, refusal } from "./refusal.ts";
import type { ServedStream } from "./served.ts";
import type { Filters, Stored } from "./stored.ts";
import type { Stream } from "./stream.ts";
import type { Watcher } from "./watched.ts";

const SOURCE = "Nats-Stream-Source";
// between looks for an origin that is not there, and for room in a stream that is full
const RETRY = 500;
// messages that are copied at one go
const AT_ONCE = 256;

export class Origin implements Watcher {
  readonly name: string;
  readonly filters: Filters;
  readonly counts = false;
  readonly #into: Stream;
  readonly #config: StreamSource;
  readonly #mirror: boolean;
  readonly #transforms: readonly SubjectTransform[];
  #from: ServedStream | undefined;
  /** sequence of the last that was copied; 0 for none */
  #last = 0;
  /** the first that is not copied */
  #next = 0;
  /** when it was last heard of; 0 for never */
  #heard = 0;
  #missing = false;
  #pumping = false;
  #retry: Timer | undefined;
  #stopped = false;

  constructor(into: Stream, config: StreamSource, mirror: boolean) {
    const { name, filter_subject: filter, subject_transforms: rules = [] } = config;
    this.name = name;
    this.#into = into;
    this.#config = config;
    this.#mirror = mirror;
    this.filters = rules.length > 0 ? rules.map(({ src = ">" }) => src) : filter ? [filter] : [];
    this.#transforms = rules.map(({ src = "", dest }) =>
      dest === "" ? subjectTransform(src, src) : subjectTransform(src, dest),
    );
    this.#last = mirror ? into.store.lastSeq : this.#lastCopied();
    // what is told of a stream that is new does not know yet
    queueMicrotask(() => this.#attach());
  }

  is(config: StreamSource): boolean {
    return JSON.stringify(config) === JSON.stringify(this.#config);
  }

  info(): StreamSourceInfo {
    const { name, external, filter_subject, subject_transforms } = this.#config;
    // the origin of a mirror was not looked for yet
    const fresh = this.#mirror && this.#heard === 0 && !this.#missing;
    return {
      name,
      ...(external && { external }),
      lag: this.#from?.store.count(this.filters, this.#next) ?? 0,
      ...(!this.#mirror && this.#last > 0 && { seq: this.#last }),
      active: this.#heard === 0 ? -1 : Math.round((this.#into.clock.now() - this.#heard) * 1e6),
      ...(this.#missing && { error: refusal(10059).wire }),
      ...(filter_subject && !fresh && { filter_subject }),
      ...(subject_transforms && { subject_transforms }),
    };
  }

  #attach(): void {
    if (this.#stopped) return;
    const from = this.#config.external ? undefined : this.#into.home.streams.get(this.name);
    this.#missing = from === undefined && this.#heard === 0;
    if (from === undefined || from === this.#into) {
      this.#again(() => this.#attach());
      return;
    }
    const { opt_start_seq: seq = 0, opt_start_time: time } = this.#config;
    const start = time === undefined ? seq : from.store.seqAt(timeOf(time));
    this.#from = from;
    this.#next = Math.max(this.#last + 1, start);
    this.#heard = this.#into.clock.now();
    from.watch(this);
    this.#pump();
  }

  #again(what: () => void): void {
    this.#retry = this.#into.clock.after(RETRY, what);
  }

  stored(): void {
    this.#pump();
  }

  removed(): void {}

  purged(): void {}

  wants(): boolean {
    return false;
  }

  streamDeleted(): void {
    this.#from = undefined;
    // another one of that name begins anew
    if (!this.#mirror) this.#last = 0;
    this.#again(() => this.#attach());
  }

  shutDown(): void {
    this.stop();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#from?.unwatch(this);
    this.#from = undefined;
  }

  // Copy what is there, behind what goes on now.
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      if (this.#from !== undefined && !this.#stopped) this.#copy(this.#from);
    });
  }

  #copy(from: ServedStream): void {
    this.#heard = this.#into.clock.now();
    for (let i = 0; i < AT_ONCE; i++) {
      const message = from.store.next(this.filters, this.#next);
      if (message === undefined) {
        if (this.#mirror && this.#last > 0) this.#into.levelled();
        return;
      }
      try {
        if (this.#mirror) keepMirrored(this.#into, message, this.#subject(message.subject));
        else this.#take(message, from);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.#again(() => this.#pump());
        return;
      }
      this.#last = message.seq;
      this.#next = message.seq + 1;
    }
    this.#pump();
  }

  #subject(subject: string): string {
    for (const transform of this.#transforms) {
      const other = transform(subject);
      if (other !== undefined) return other;
    }
    return subject;
  }

  #take(message: Stored, from: ServedStream): void {
    const subject = this.#subject(message.subject);
    const { dests, sources } = this.#marks();
    const mark = `${from.name} ${message.seq} ${sources} ${dests} ${message.subject} ${identity(from)}`;
    const others = withoutHeaders(message.header, (name) => name === SOURCE || name === COUNTED);
    let header = withHeaders(others, [[SOURCE, mark]]);
    let { data } = message;
    if (this.#into.config.allow_msg_counter === true) {
      const counted = this.#count(subject, message, from.name, others, mark);
      if (counted !== undefined) [header, data] = counted;
    }
    keepSourced(this.#into, subject, header, data);
  }

  // What is added to a counter is how much the counter of the origin has changed.
  #count(
    subject: string,
    { subject: origin, data }: Stored,
    name: string,
    others: Uint8Array,
    mark: string,
  ): [header: Uint8Array, data: Uint8Array] | undefined {
    const value = counterValue(data);
    if (value === undefined) return undefined;
    const latest = this.#into.latest(subject);
    const known = latest && asked(latest.header).get(COUNTED);
    const counts = (known === undefined ? {} : JSON.parse(known)) as Record<string, Record<string, string>>;
    const by = value - BigInt(counts[name]?.[origin] ?? 0);
    const sum = (latest === undefined ? 0n : (counterValue(latest.data) ?? 0n)) + by;
    const all = { ...counts, [name]: { ...counts[name], [origin]: `${value}` } };
    const same = asked(others).get(INCREMENT) === `${by}`;
    const rest = same ? others : withoutHeaders(others, (one) => one === INCREMENT);
    const header = withHeaders(rest, [
      ...(same ? [] : [[INCREMENT, `${by}`] as const]),
      [SOURCE, mark],
      [COUNTED, JSON.stringify(all)],
    ]);
    return [header, counterPayload(sum)];
  }

  #marks(): { sources: string; dests: string } {
    const rules = this.#config.subject_transforms ?? [];
    return {
      sources: this.filters.length === 0 ? ">" : this.filters.join("\f"),
      dests: rules.length === 0 ? ">" : rules.map(({ dest }) => (dest === "" ? ">" : dest)).join("\f"),
    };
  }

  // The sequence of the last message that came from there.
  #lastCopied(): number {
    const { store } = this.#into;
    const { dests, sources } = this.#marks();
    for (let at = store.last([]); at !== undefined; at = store.last([], at.seq - 1)) {
      const [name, seq, filters, to] = (asked(at.header).get(SOURCE) ?? "").split(" ");
      if (name === this.name && filters === sources && to === dests) return Number(seq);
    }
    return 0;
  }
}

// Eight characters for a stream: another one of the same name has others.
function identity({ name, created }: ServedStream): string {
  let hash = fnv64(`${name} ${created}`);
  let text = "";
  for (; text.length < 8; hash /= 62n) text += String.fromCharCode(base62(Number(hash % 62n)));
  return text;
}
