// Gates: what not every server has. Older ones ignore fields that they don't know, so it is refused before it is sent.
import { NatsError } from "../errors.ts";
import type { MsgGetRequest } from "../protocol/jetstream/api.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import type { StreamConfig } from "../protocol/jetstream/stream.ts";
import { headers as newHeaders, toHeaders } from "../protocol/headers.ts";
import type { Api, ApiOptions } from "./api.ts";

/** The API level that something came with. Level 0 has no number on the wire: it stands for 2.10, which 2.9 can't be told from. */
type Level = 0 | 1 | 2 | 4 | 5;

const RELEASES: Record<Level, string> = { 0: "2.10", 1: "2.11", 2: "2.12", 4: "2.14", 5: "2.15" };

/** Fields by their name, with the level they came with. */
type Gates<T> = { readonly [K in keyof T]?: Level };

const STREAM: Gates<StreamConfig> = {
  metadata: 0,
  compression: 0,
  first_seq: 0,
  subject_transform: 0,
  consumer_limits: 0,
  allow_msg_ttl: 1,
  subject_delete_marker_ttl: 1,
  allow_msg_counter: 2,
  allow_atomic: 2,
  allow_msg_schedules: 2,
  persist_mode: 2,
  allow_batched: 4,
};

const CONSUMER: Gates<ConsumerConfig> = {
  metadata: 0,
  filter_subjects: 0,
  pause_until: 1,
  priority_groups: 1,
  priority_policy: 1,
  priority_timeout: 1,
};

/** A use of something that not every server has. */
export type Gated = readonly [feature: string, level: Level];

/** Does this value ask for anything? The defaults of a server are no request. */
function isUsed(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value) && value !== "none" && value !== "default";
}

function used<T extends object>(gates: Gates<T>, config: T): Gated[] {
  return (Object.entries(gates) as [keyof T & string, Level][]).filter(([field]) => isUsed(config[field]));
}

/** What a stream configuration asks for that not every server has. */
export function streamGates(config: StreamConfig): Gated[] {
  const found = used(STREAM, config);
  const { mirror, sources = [] } = config;
  for (const source of mirror ? [mirror, ...sources] : sources) {
    if (isUsed(source.subject_transforms)) found.push(["subject_transforms", 0]);
    if (isUsed(source.consumer)) found.push(["consumer of a source", 4]);
  }
  return found;
}

/** What a consumer configuration asks for that not every server has. */
export function consumerGates(config: ConsumerConfig): Gated[] {
  const found = used(CONSUMER, config);
  if (config.priority_policy === "prioritized") found.push(["priority_policy 'prioritized'", 2]);
  if (config.ack_policy === "flow_control") found.push(["ack_policy 'flow_control'", 4]);
  return found;
}

/** What a get of a message asks for that not every server has. */
export function messageGates({ start_time, no_hdr }: MsgGetRequest): Gated[] {
  const found: Gated[] = [];
  if (start_time !== undefined) found.push(["start_time", 1]);
  if (no_hdr === true) found.push(["no_hdr", 2]);
  return found;
}

/** Is the connected server 2.10 or later? */
export function isModern({ nc }: Api): boolean {
  const { major = 0, minor = 0 } = nc.getServerVersion() ?? {};
  return major > 2 || (major === 2 && minor >= 10);
}

/**
 * Refuse what the server doesn't have; resolves with the highest level that is asked for.
 *
 * @throws {@link NatsError} UNSUPPORTED, and those of a call
 */
export async function requireLevel(api: Api, gated: readonly Gated[], options?: ApiOptions): Promise<number> {
  // should the one behind a 2.10 be older: what it left out is found in its reply
  const questions = gated.filter(([, level]) => level > 0 || !isModern(api));
  if (questions.length === 0) return 0;
  assertLevel(api, questions, await api.level(options));
  return Math.max(...questions.map(([, level]) => level));
}

/** Refuse what a JetStream of API level `has` doesn't have. @throws {@link NatsError} UNSUPPORTED */
export function assertLevel({ nc }: Api, gated: readonly Gated[], has: number): void {
  for (const [feature, level] of gated) {
    // whoever has a level is 2.11 or later
    if (level === 0 ? has > 0 : has >= level) continue;
    const { server_name, version: text } = nc.info ?? {};
    throw new NatsError(
      "UNSUPPORTED",
      `${feature} needs nats-server ${RELEASES[level]}${level > 0 ? ` (API level ${level})` : ""}; ` +
        `'${server_name}' is ${text}, its JetStream has API level ${has}`,
      { server: nc.getServer() },
    );
  }
}

/**
 * Make sure that the server kept what it was asked for: one behind the connected one may be older.
 *
 * @throws {@link NatsError} UNSUPPORTED
 */
export function assertKept(api: Api, gated: readonly Gated[], config: object): void {
  const kept = config as Record<string, unknown>;
  const lost = gated.find(
    ([field, level]) => level === 0 && field !== "subject_transforms" && !isUsed(kept[field]),
  );
  if (lost === undefined) return;
  throw new NatsError(
    "UNSUPPORTED",
    `${lost[0]} needs nats-server 2.10: the server that answered did the rest and left it out`,
    { server: api.nc.getServer() },
  );
}

/** The options of a call with the level that it needs in its headers, where that is wanted (C-ADR44-1). */
export function requiredHeaders(api: Api, level: number, options: ApiOptions): ApiOptions {
  if (level === 0 || !api.options.sendRequiredApiLevel) return options;
  const headers = toHeaders(options.headers ?? newHeaders()).clone();
  headers.set("Nats-Required-Api-Level", String(level));
  return { ...options, headers };
}
