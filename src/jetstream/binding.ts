// Binding: the consumer on the server that a flow is fed by: one that has a name and stays, or the one that an ordered consumer
// makes for itself, again and again.
import type { Msg } from "../client/connection.ts";
import { readText } from "../lib/bytes.ts";
import type { CreateConsumerRequest } from "../protocol/jetstream/api.ts";
import type { ConsumerConfig, ConsumerInfo } from "../protocol/jetstream/consumer.ts";
import { SequenceReader } from "./ack-subject.ts";
import type { Api, ApiOptions } from "./api.ts";
import { putConsumer } from "./consumer-create.ts";
import { type Gated, isModern, requireLevel } from "./gates.ts";
import { namesOf } from "./names.ts";

/** A consumer that others made. */
export class NamedBinding {
  readonly ordered = false;
  readonly stream: string;
  readonly name: string;
  /** the server may be asked for it */
  readonly askable: boolean;
  readonly #api: Api;

  constructor(api: Api, stream: string, name: string, askable: boolean) {
    this.#api = api;
    this.stream = stream;
    this.name = name;
    this.askable = askable;
  }

  /**
   * Is it there?
   * @throws {@link NatsError} CONSUMER_NOT_FOUND, STREAM_NOT_FOUND, and those of a call
   */
  async check(options?: ApiOptions): Promise<void> {
    if (this.askable) await this.#api.call("CONSUMER.INFO", [this.stream, this.name], undefined, options);
  }
}

/** How the consumers of an ordered one shall be. */
export interface OrderedSetup {
  /** what the names begin with */
  readonly prefix: string;
  /** where to begin, which subjects, and how; as on the wire */
  readonly config: ConsumerConfig;
  /** begin the next one where the first one did, rather than behind the last message? */
  readonly anew?: (() => boolean) | undefined;
}

/** The consumers that an ordered consumer makes: each goes on behind the last message of the one before (ADR-17). */
export class OrderedBinding {
  readonly ordered = true;
  /** it is made anew, rather than asked for */
  readonly askable = false;
  readonly stream: string;
  /** of the one that is used now; `""` when a new one is needed */
  name = "";
  info: ConsumerInfo | undefined;
  /** what the server said with the message accepted last; `delivery` is 0 while the present consumer has sent none */
  readonly accepted: SequenceReader = new SequenceReader();
  readonly #api: Api;
  readonly #setup: OrderedSetup;
  #serial = 0;
  // deliveries of the present consumer
  #deliveries = 0;
  // behind which sequence of the stream to go on; undefined while nothing has been seen
  #last: number | undefined;

  constructor(api: Api, stream: string, setup: OrderedSetup) {
    this.#api = api;
    this.stream = stream;
    this.#setup = setup;
  }

  /**
   * Make the next one; it delivers to `deliver_subject`, where there is one.
   * @throws {@link NatsError} STREAM_NOT_FOUND, CONSUMER_EXISTS, UNSUPPORTED, and those of a call
   */
  async create(deliver_subject: string | undefined, options?: ApiOptions): Promise<void> {
    this.remove();
    const name = `${this.#setup.prefix}_${++this.#serial}`;
    const config: ConsumerConfig = { ...this.#config(), name };
    if (deliver_subject !== undefined) config.deliver_subject = deliver_subject;
    // a push consumer may deliver before its creation is confirmed
    this.#deliveries = 0;
    this.accepted.reset();
    const api = this.#api;
    const names = namesOf(this.stream, name);
    const gated: Gated[] = config.filter_subjects === undefined ? [] : [["filter_subjects", 0]];
    await requireLevel(api, gated, options);
    const request: CreateConsumerRequest = { stream_name: this.stream, config };
    // one of that name that somebody else has would be changed otherwise; older servers know no actions
    if (isModern(api)) request.action = "create";
    const info = await putConsumer(api, names, request, gated, options);
    this.info = info;
    this.name = name;
    // what begins at the end must not begin at a later end when it is made again, nor what found nothing yet leave out what came
    const { deliver_policy } = this.#setup.config;
    const atEnd = deliver_policy === "new" || deliver_policy === "last" || info.num_pending === 0;
    if (this.#last === undefined && atEnd) this.#last = info.delivered.stream_seq;
  }

  // C-ADR17-4: once something was seen, only the sequence counts
  #config(): ConsumerConfig {
    const { config, anew } = this.#setup;
    if (this.#last === undefined || anew?.() === true) return config;
    const { opt_start_time: _, ...rest } = config;
    return { ...rest, deliver_policy: "by_start_sequence", opt_start_seq: this.#last + 1 };
  }

  /** Is the present one there? @throws {@link NatsError} as {@link NamedBinding.check} */
  async check(options?: ApiOptions): Promise<void> {
    await this.#api.call("CONSUMER.INFO", [this.stream, this.name], undefined, options);
  }

  /** Is this the next delivery? It counts as seen then. */
  accepts(msg: Msg): boolean {
    const sequences = this.accepted;
    const { read } = sequences;
    if (!(msg.readReply ? msg.readReply(read) : readText(msg.reply, read))) return false;
    if (sequences.delivery !== this.#deliveries + 1) return false;
    this.#deliveries++;
    this.#last = sequences.stream;
    return true;
  }

  /** True when the server has delivered more than what came. */
  missed(deliveries: number): boolean {
    return deliveries > this.#deliveries;
  }

  /** Go on behind this message; undefined for where it was at the beginning. */
  rewind(last: number | undefined): void {
    this.#last = last;
    this.remove();
  }

  /** where {@link OrderedBinding.rewind} leads back to */
  get position(): number | undefined {
    return this.#last;
  }

  /** Give up the one that is used now; without waiting, as it ends by itself too. */
  remove(): void {
    const { name } = this;
    if (name === "") return;
    this.name = "";
    this.#api.call("CONSUMER.DELETE", [this.stream, name]).catch(() => undefined);
  }
}

export type Binding = NamedBinding | OrderedBinding;

/** What goes on, for the messages of errors. */
export function whatOf({ stream, name }: Binding): string {
  // an ordered one has none before it begins
  return `consuming from ${name === "" ? "" : `'${name}' of `}stream '${stream}'`;
}

/** What an error says of it. */
export function factsOf({ stream, name }: Binding): { stream: string; consumer: string } {
  return { stream, consumer: name };
}
