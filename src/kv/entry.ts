// Entry: a message of a bucket's stream as a value of a key, or as the marker that says that it has none.
import type { Msg, ReviverFn } from "../client/connection.ts";
import type { Codec } from "../codec/codec.ts";
import { NatsError } from "../errors.ts";
import { utf8Decoder } from "../lib/bytes.ts";
import { parseJson } from "../lib/json.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import { storedAt } from "../jetstream/ack-subject.ts";
import type { StoredMsg } from "../jetstream/stored.ts";
import { decodeKey, type KvKeyCodec, type KvPayloadCodec } from "./codecs.ts";
import type { KvMarkerReason, KvOperation, KvWatchEntry } from "./kv-types.ts";

/** What the entries of a bucket share. */
export interface EntryOwner {
  readonly bucket: string;
  /** what the subjects of its messages begin with */
  readonly prefix: string;
  readonly keyCodec: KvKeyCodec | undefined;
  readonly valueCodec: KvPayloadCodec | undefined;
}

/** An entry over the message as it came. */
export class Entry implements KvWatchEntry {
  readonly revision: number;
  readonly delta: number;
  readonly isUpdate: boolean;
  readonly #owner: EntryOwner;
  readonly #msg: Msg | StoredMsg;
  #decoded: (() => Uint8Array) | undefined;

  constructor(owner: EntryOwner, msg: Msg | StoredMsg, revision: number, delta = 0, isUpdate = false) {
    this.#owner = owner;
    this.#msg = msg;
    this.revision = revision;
    this.delta = delta;
    this.isUpdate = isUpdate;
  }

  /** Decode the value, where that needs to be done. What the codec throws is thrown by `value`. */
  async decoded(): Promise<this> {
    const codec = this.#owner.valueCodec;
    if (codec === undefined || this.operation !== "PUT" || this.#msg.data.length === 0) return this;
    try {
      const value = await codec.decode(this.#msg.data);
      this.#decoded = () => value;
    } catch (cause) {
      this.#decoded = () => {
        throw new NatsError("CODEC", `the value of key '${this.rawKey}' can't be decoded`, { cause });
      };
    }
    return this;
  }

  get bucket(): string {
    return this.#owner.bucket;
  }

  get rawKey(): string {
    return this.#msg.subject.slice(this.#owner.prefix.length);
  }

  get key(): string {
    const { keyCodec } = this.#owner;
    return keyCodec === undefined ? this.rawKey : decodeKey(keyCodec, this.rawKey);
  }

  get headers(): MsgHdrs | undefined {
    return "header" in this.#msg ? this.#msg.header : this.#msg.headers;
  }

  // C-ADR8-21
  get operation(): KvOperation {
    const { headers } = this;
    if (headers === undefined) return "PUT";
    const operation = headers.get("KV-Operation");
    if (operation !== "") return operation === "PUT" || operation === "PURGE" ? operation : "DEL";
    const { reason } = this;
    return reason === undefined ? "PUT" : reason === "Remove" ? "DEL" : "PURGE";
  }

  get reason(): KvMarkerReason | undefined {
    return (this.headers?.get("Nats-Marker-Reason") || undefined) as KvMarkerReason | undefined;
  }

  get createdNanos(): bigint {
    const msg = this.#msg;
    return "header" in msg ? msg.timestampNanos : storedAt(msg.reply ?? "");
  }

  get created(): Date {
    return new Date(Number(this.createdNanos / 1_000_000n));
  }

  get value(): Uint8Array {
    return this.#decoded?.() ?? this.#msg.data;
  }

  get length(): number {
    // instead of the payload, where only headers were asked for
    return Number(this.headers?.get("Nats-Msg-Size") || this.#msg.data.length);
  }

  string(): string {
    return utf8Decoder.decode(this.value);
  }

  json<T = unknown>(reviver?: ReviverFn): T {
    const text = this.string();
    try {
      return parseJson(text, reviver) as T;
    } catch (cause) {
      throw new NatsError("CODEC", `the value of key '${this.rawKey}' is not JSON`, { cause });
    }
  }

  decode<T>(codec: Codec<T>): T {
    return codec.decode(this.value);
  }

  get seq(): number {
    return this.revision;
  }

  size(): number {
    return this.length;
  }
}
