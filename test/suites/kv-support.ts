// KV support: a bucket of the case's own, and what is in it, for the suites of buckets.
import { type JetStreamManager, jetstreamManager, type StreamInfo } from "../../src/jetstream/index.ts";
import { type KV, type KvEntry, Kvm, type KvOptions } from "../../src/kv/index.ts";
import type { NatsConnection } from "../../src/names.ts";
import type { Harness } from "./harness.ts";

export interface Place {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly kvm: Kvm;
  readonly kv: KV;
  /** name of the bucket */
  readonly name: string;
  /** its stream */
  info(): Promise<StreamInfo>;
}

/** A bucket in memory with the name of the case. */
export async function bucket(
  { connect, prefix: name }: Harness,
  options: KvOptions = {},
  url?: string,
): Promise<Place> {
  const nc = await connect(url === undefined ? {} : { servers: url });
  const jsm = await jetstreamManager(nc);
  const kvm = new Kvm(nc);
  const kv = await kvm.create(name, { storage: "memory", ...options });
  return { nc, jsm, kvm, kv, name, info: () => jsm.streams.info(`KV_${name}`) };
}

/** `key=value@revision` of a value, `key DEL@revision` of a marker. */
export function shown(entry: KvEntry): string {
  const { key, operation, revision } = entry;
  return `${key}${operation === "PUT" ? `=${entry.string()}` : ` ${operation}`}@${revision}`;
}

/** What a loop that ends by itself, or after `count`, gives. */
export async function all<T>(items: AsyncIterable<T>, count = Number.POSITIVE_INFINITY): Promise<T[]> {
  const found: T[] = [];
  if (count === 0) return found;
  for await (const item of items) if (found.push(item) >= count) break;
  return found;
}

/** As {@link all}, of entries as text. */
export async function texts(entries: AsyncIterable<KvEntry>, count?: number): Promise<string[]> {
  return (await all(entries, count)).map(shown);
}
