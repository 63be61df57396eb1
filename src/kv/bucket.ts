// Bucket: reads and writes one bucket. Made by kv/kvm.
import type { Payload, QueuedIterator, WaitOptions } from "../client/connection.ts";
import { isNatsError } from "../errors.ts";
import { backoff } from "../lib/backoff.ts";
import { check, checkWhole } from "../lib/check.ts";
import { pause } from "../lib/deferred.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import type { Api } from "../jetstream/api.ts";
import { WrongLastSequenceError } from "../jetstream/api-error.ts";
import { directGet } from "../jetstream/direct-get.ts";
import { requireLevel } from "../jetstream/gates.ts";
import { Feed, type FeedSetup } from "../jetstream/feed.ts";
import { getMessage } from "../jetstream/message-get.ts";
import { orderedBase } from "../jetstream/ordered-config.ts";
import { readPubAck } from "../jetstream/pub-ack.ts";
import { ask } from "../jetstream/publish.ts";
import { sequenceText, withFields } from "../jetstream/publish-options.ts";
import { ttlText } from "../jetstream/ttl.ts";
import { ofBucket } from "./bucket-error.ts";
import { encodeFilter, encodeKey, type KvCodecs } from "./codecs.ts";
import { type Place, statusOf } from "./config.ts";
import { Entry, type EntryOwner } from "./entry.ts";
import { isFilter, validateFilter, validateKey } from "./key.ts";
import type {
  KV,
  KvChange,
  KvCreateOptions,
  KvDeleteOptions,
  KvEntry,
  KvGetOptions,
  KvPurgeOptions,
  KvPurgeResult,
  KvPutOptions,
  KvStatus,
  KvWatch,
  KvWatchOptions,
} from "./kv-types.ts";

type Field = [name: string, value: string];

/** Which entries a feed has, and what becomes of them. */
interface FeedOptions<T>
  extends Partial<Pick<FeedSetup<Entry, T>, "finite" | "map">>,
    Pick<ConsumerConfig, "deliver_policy" | "opt_start_seq"> {
  /** default: all */
  admits?: ((entry: Entry) => boolean) | undefined;
}

// calls under way at once, where one call of the user is about many keys
const AT_ONCE = 64;
// milliseconds before a change is tried again
const WAITS = [0, 2, 5, 10, 20, 50, 100];
// nanoseconds after which the server forgets the consumer of one that is gone
const INACTIVE = 30e9;

/** A bucket. */
export class Bucket implements KV {
  readonly #api: Api;
  readonly #place: Place;
  readonly #owner: EntryOwner;

  /** @internal */
  constructor(api: Api, bucket: string, place: Place, { key, value }: Partial<KvCodecs> = {}) {
    this.#api = api;
    this.#place = place;
    this.#owner = { bucket, prefix: place.prefix, keyCodec: key, valueCodec: value };
  }

  get bucket(): string {
    return this.#owner.bucket;
  }

  // -- writing -------------------------------------------------------------------------------------------------------

  async put(key: string, value: Payload, options: KvPutOptions = {}): Promise<number> {
    // C-ADR8-11: when it expired, an older value would be the newest
    refuseTtl("put", options);
    const rawKey = this.#rawKey(key);
    return this.#write(rawKey, await this.#encode(value), [], options);
  }

  async create(
    key: string,
    value: Payload,
    options: KvCreateOptions | number | string = {},
  ): Promise<number> {
    const { ttl, ...wait } = typeof options === "object" ? options : { ttl: options };
    const rawKey = this.#rawKey(key);
    const left = this.#deadline(wait);
    const fields = await this.#ttlFields(ttl, left());
    const data = await this.#encode(value);
    try {
      return await this.#write(rawKey, data, fields, { ...left(), previousSeq: 0 });
    } catch (error) {
      if (!(error instanceof WrongLastSequenceError)) throw error;
      // C-ADR8-13: a marker is a message of the key too
      const last = await this.#newest(rawKey, left());
      if (last?.operation === "PUT") throw error;
      return this.#write(rawKey, data, fields, { ...left(), previousSeq: last?.revision ?? 0 });
    }
  }

  async update(
    key: string,
    value: Payload,
    version: number,
    options: WaitOptions | number = {},
  ): Promise<number> {
    check(Number.isSafeInteger(version) && version > 0, "version", version, "the revision that the key has");
    const wait = typeof options === "number" ? { timeout: options } : options;
    return this.put(key, value, { ...wait, previousSeq: version });
  }

  async delete(key: string, options: KvDeleteOptions = {}): Promise<void> {
    refuseTtl("delete", options);
    await this.#mark(key, [["KV-Operation", "DEL"]], options);
  }

  async purge(key: string, { ttl, ...options }: KvPurgeOptions = {}): Promise<void> {
    const fields: Field[] = [
      ["KV-Operation", "PURGE"],
      ["Nats-Rollup", "sub"],
      ...(await this.#ttlFields(ttl, options)),
    ];
    await this.#mark(key, fields, options);
  }

  async modify(key: string, change: KvChange, options: WaitOptions = {}): Promise<number> {
    const rawKey = this.#rawKey(key);
    const left = this.#deadline(options);
    const waits = backoff(WAITS);
    for (let attempt = 0; ; attempt++) {
      // another writer was faster: a replica may not know of it yet
      const last = await (attempt === 0 ? this.#last(rawKey, false, left()) : this.#newest(rawKey, left()));
      const present = last?.operation === "PUT" ? await last.decoded() : null;
      const value = await change(present);
      const put = { ...left(), previousSeq: last?.revision ?? 0 };
      try {
        if (value === undefined || (value === null && present === null)) return present?.revision ?? 0;
        if (value !== null) return await this.#write(rawKey, await this.#encode(value), [], put);
        await this.#write(rawKey, "", [["KV-Operation", "DEL"]], put);
        return 0;
      } catch (error) {
        const wait = waits.backoff(attempt);
        if (!(error instanceof WrongLastSequenceError) || left().timeout <= wait) throw error;
        await pause(wait, { signal: options.signal, what: `the change of key '${key}'` });
      }
    }
  }

  // What is left of the time of a call that asks several times; never none at all.
  #deadline({
    timeout = this.#api.options.timeout,
    signal,
  }: WaitOptions): () => WaitOptions & { timeout: number } {
    check(timeout > 0, "timeout", timeout, "milliseconds, more than 0");
    const end = performance.now() + timeout;
    return () => ({ timeout: Math.max(1, end - performance.now()), signal });
  }

  // A marker of one key, or of each that a filter matches.
  async #mark(key: string, fields: Field[], options: KvPutOptions): Promise<void> {
    const write = (rawKey: string): Promise<unknown> => this.#write(rawKey, "", fields, options);
    if (!isFilter(this.#rawFilter(key))) {
      await write(this.#rawKey(key));
      return;
    }
    check(
      options.previousSeq === undefined,
      "previousSeq",
      options.previousSeq,
      "none with a filter of keys",
    );
    const keys = await this.#keys(key, (entry) => entry.rawKey, options);
    await eachOf(keys, write);
  }

  async #write(
    rawKey: string,
    payload: Payload,
    fields: readonly Field[],
    { previousSeq, ...options }: KvPutOptions,
  ): Promise<number> {
    const all: readonly Field[] =
      previousSeq === undefined
        ? fields
        : [...fields, ["Nats-Expected-Last-Subject-Sequence", sequenceText("previousSeq", previousSeq)]];
    const headers = all.length === 0 ? undefined : withFields(undefined, all);
    const subject = this.#place.putPrefix + rawKey;
    const reply = await ask(this.#api, subject, payload, headers, options);
    return readPubAck(reply, subject, previousSeq).seq;
  }

  async #ttlFields(ttl: number | string | undefined, options: WaitOptions): Promise<Field[]> {
    if (ttl === undefined) return [];
    const text = ttlText("ttl", ttl);
    await requireLevel(this.#api, [["a TTL per key", 1]], options);
    return [["Nats-TTL", text]];
  }

  // -- reading -------------------------------------------------------------------------------------------------------

  async get(
    key: string,
    { revision, leader = false, deleted = false, ...wait }: KvGetOptions = {},
  ): Promise<KvEntry | null> {
    const rawKey = this.#rawKey(key);
    const entry =
      revision === undefined
        ? await this.#last(rawKey, leader, wait)
        : await this.#fetch({ seq: positive("revision", revision) }, leader, wait);
    // C-ADR8-23: each revision is of one key
    if (entry === null || entry.rawKey !== rawKey || (!deleted && entry.operation !== "PUT")) return null;
    return entry.decoded();
  }

  #last(rawKey: string, leader: boolean, options: WaitOptions): Promise<Entry | null> {
    return this.#fetch({ last_by_subj: this.#place.prefix + rawKey }, leader, options);
  }

  // As its leader has it, unless only others may be asked.
  async #newest(rawKey: string, options: WaitOptions): Promise<Entry | null> {
    try {
      return await this.#last(rawKey, true, options);
    } catch (error) {
      if (!isNatsError(error) || error.code !== "PERMISSION_VIOLATION") throw error;
      return this.#last(rawKey, false, options);
    }
  }

  async #fetch(
    query: { seq: number } | { last_by_subj: string },
    leader: boolean,
    options: WaitOptions,
  ): Promise<Entry | null> {
    const { stream, direct } = this.#place;
    const found =
      direct && !leader
        ? await directGet(this.#api, stream, query, options)
        : await ofBucket(this.bucket, getMessage(this.#api, stream, query, options));
    return found === null ? null : new Entry(this.#owner, found, found.seq);
  }

  async history(
    options: Pick<KvWatchOptions, "key" | "headers_only" | "signal" | "timeout"> = {},
  ): Promise<QueuedIterator<KvEntry>> {
    return this.#feed(options, { finite: true, deliver_policy: "all" });
  }

  async keys(filter?: string | string[], options: WaitOptions = {}): Promise<QueuedIterator<string>> {
    return this.#keys(filter, (entry) => entry.key, options);
  }

  async watch(options: KvWatchOptions = {}): Promise<KvWatch> {
    const { ignoreDeletes = false, include = "", resumeFromRevision } = options;
    const admits = ignoreDeletes ? isValue : undefined;
    if (resumeFromRevision !== undefined) {
      const opt_start_seq = positive("resumeFromRevision", resumeFromRevision);
      return this.#feed(options, { admits, deliver_policy: "by_start_sequence", opt_start_seq });
    }
    const deliver_policy = POLICIES[include];
    check(deliver_policy !== undefined, "include", `'${include}'`, "one of KvWatchInclude, or leave it out");
    return this.#feed(options, { admits, deliver_policy });
  }

  async #keys<T>(
    key: string | string[] | undefined,
    map: (entry: Entry) => T,
    options: WaitOptions,
  ): Promise<Feed<Entry, T>> {
    // what is written while they come is sent again
    const known = new Set<string>();
    const isNew = (entry: Entry): boolean => isValue(entry) && known.size < known.add(entry.rawKey).size;
    return this.#feed(
      { ...options, ...(key !== undefined && { key }), headers_only: true },
      { finite: true, admits: isNew, map, deliver_policy: "last_per_subject" },
    );
  }

  // Entries, or what `map` makes of those that are admitted.
  async #feed<T = Entry>(
    { key = ">", headers_only, signal, timeout }: KvWatchOptions,
    { finite = false, admits, map, ...start }: FeedOptions<T>,
  ): Promise<Feed<Entry, T>> {
    const owner = this.#owner;
    const filters = [key].flat().map((one) => owner.prefix + this.#rawFilter(one));
    check(filters.length > 0, "key", "an empty list", "one filter of keys, or more");
    const decoded = (entry: Entry): Promise<T> => entry.decoded() as Promise<T>;
    const feed = Feed.start<Entry, T>(this.#api, {
      stream: this.#place.stream,
      config: orderedBase(filters, {
        ...start,
        ...(headers_only && { headers_only }),
        inactive_threshold: INACTIVE,
      }),
      finite,
      make: (msg, { sequence, pending, isUpdate }) => {
        const entry = new Entry(owner, msg, sequence, pending, isUpdate);
        return admits === undefined || admits(entry) ? entry : undefined;
      },
      map: map ?? (owner.valueCodec && decoded),
      signal,
      timeout,
    });
    return ofBucket(owner.bucket, feed);
  }

  // -- looking after it ----------------------------------------------------------------------------------------------

  async status(options?: WaitOptions): Promise<KvStatus> {
    const { stream } = this.#place;
    const info = await ofBucket(this.bucket, this.#api.call("STREAM.INFO", [stream], undefined, options));
    return statusOf(this.bucket, info);
  }

  async purgeDeletes(olderMillis: number = 30 * 60_000, options: WaitOptions = {}): Promise<KvPurgeResult> {
    const limit = olderMillis <= 0 ? Infinity : Date.now() - olderMillis;
    const markers = await this.#feed<Entry>(
      { ...options, headers_only: true },
      { finite: true, admits: (entry) => !isValue(entry), deliver_policy: "last_per_subject" },
    );
    let purged = 0;
    await eachOf(markers, async ({ rawKey, revision, created }) => {
      // up to the marker: never what was put since
      const seq = created.getTime() <= limit ? revision + 1 : revision;
      const request = { filter: this.#place.prefix + rawKey, seq };
      const done = await this.#api.call("STREAM.PURGE", [this.#place.stream], request, options);
      purged += done.purged;
    });
    return { purged };
  }

  async destroy(options?: WaitOptions): Promise<boolean> {
    const { stream } = this.#place;
    const done = this.#api.call("STREAM.DELETE", [stream], undefined, options);
    return (await ofBucket(this.bucket, done)).success;
  }

  // -- keys and values as they are sent ------------------------------------------------------------------------------

  #rawKey(key: string): string {
    const { keyCodec } = this.#owner;
    const rawKey = keyCodec === undefined || typeof key !== "string" ? key : encodeKey(keyCodec, key);
    validateKey(rawKey);
    return rawKey;
  }

  #rawFilter(filter: string): string {
    const { keyCodec } = this.#owner;
    const raw =
      keyCodec === undefined || typeof filter !== "string" ? filter : encodeFilter(keyCodec, filter);
    validateFilter(raw);
    return raw;
  }

  #encode(value: Payload): Payload | Promise<Payload> {
    const { valueCodec } = this.#owner;
    return valueCodec === undefined ? value : valueCodec.encode(value);
  }
}

const POLICIES = { "": "last_per_subject", history: "all", updates: "new" } as const;

function isValue({ operation }: Entry): boolean {
  return operation === "PUT";
}

// C-ADR8-11, C-ADR8-16
function refuseTtl(call: string, options: { ttl?: unknown } | KvPutOptions): void {
  const ttl = "ttl" in options ? options.ttl : undefined;
  check(ttl === undefined, "ttl", ttl, `none to ${call}: keys get theirs from create, markers from purge`);
}

function positive(name: string, value: number): number {
  checkWhole(name, value, 1, "a revision, 1 or more");
  return value;
}

// Do it for each item, some at once.
async function eachOf<T>(items: AsyncIterable<T>, what: (item: T) => Promise<unknown>): Promise<void> {
  const underWay = new Set<Promise<unknown>>();
  for await (const item of items) {
    const one: Promise<unknown> = what(item).then(() => underWay.delete(one));
    // what failed stays, to be thrown when it is waited for
    one.catch(() => undefined);
    underWay.add(one);
    if (underWay.size >= AT_ONCE) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}
