// Stream API: the requests that are about streams and their messages, and about the account.
import { encodeBase64 } from "../../lib/base64.ts";
import type { StreamConfig, StreamState } from "../../protocol/jetstream/stream.ts";
import { goTime, NO_TIME } from "../go-text.ts";
import { timeOf } from "../go-time.ts";
import { lacking } from "../lacking.ts";
import { subjectsCollide } from "../subjects.ts";
import { API_LEVEL } from "../version.ts";
import { type MsgGetRequest, msgGetRequest } from "./direct-get.ts";
import { byBytes, decode, type GoStruct } from "./go-json.ts";
import type { JetStream } from "./jetstream.ts";
import { shownMetadata } from "./metadata.ts";
import { refusal, refuse } from "./refusal.ts";
import type { ServedStream } from "./served.ts";
import type { StoreReader } from "./store.ts";
import type { Stored } from "./stored.ts";
import { Stream } from "./stream.ts";
import {
  checkNew,
  streamConfigRequest,
  updatedStreamConfig,
  type WholeStreamConfig,
  wholeStreamConfig,
} from "./stream-config.ts";
import type { Call, Handler, Verb } from "./verb.ts";

/** How many of a list one answer has: names, and whole infos. */
export const NAMES_LIMIT = 1024;
export const LIST_LIMIT = 256;
const SUBJECTS_LIMIT = 100_000;

/** The body where one is not needed: what is no object or list counts as none. */
export function optionalBody(struct: GoStruct, body: string): Record<string, unknown> {
  return decode(struct, /^\s*[{[]/.test(body) ? body : "");
}

/** A body that says nothing. @throws {Refusal} 10038 */
export function expectEmpty(body: string): void {
  if (body !== "" && !/^\s*\{\s*\}\s*$/.test(body)) refuse(10038);
}

/** A body that has to say something. @throws {Refusal} 10003 */
export function expectBody(body: string): void {
  if (body === "" || /^\s*(?:\{\s*\}|null)\s*$/.test(body)) refuse(10003);
}

/** A part of a list, as lists are answered. */
export function page<T>(all: readonly T[], offset: number, limit: number): { head: object; part: T[] } {
  const from = Math.min(Math.max(0, offset), all.length);
  return { head: { total: all.length, offset: from, limit }, part: all.slice(from, from + limit) };
}

const time = (ms: number): string => (ms === 0 ? NO_TIME : goTime(ms));

function account({ js }: Call): object {
  const streams = [...js.streams.values()];
  const sum = (storage: string, of: (stream: ServedStream) => number): number =>
    streams.filter(({ config }) => config.storage === storage).reduce((total, one) => total + of(one), 0);
  return {
    memory: sum("memory", ({ store }) => store.bytes),
    storage: sum("file", ({ store }) => store.bytes),
    reserved_memory: js.reserved("memory"),
    reserved_storage: js.reserved("file"),
    streams: streams.length,
    consumers: streams.reduce((total, { consumers }) => total + consumers.size, 0),
    limits: {
      max_memory: -1,
      max_storage: -1,
      max_streams: -1,
      max_consumers: -1,
      max_ack_pending: -1,
      memory_max_stream_bytes: -1,
      storage_max_stream_bytes: -1,
      max_bytes_required: false,
    },
    ...(js.domain !== "" && { domain: js.domain }),
    api: { level: API_LEVEL, ...js.calls },
  };
}

/** What a state has beyond the numbers, if asked. */
interface Details {
  readonly subjects?: Map<string, number>;
  /** the storage, where the deleted ones are to be listed */
  readonly deleted?: string | undefined;
}

/** The state of a store, as it is told. */
export function stateOf(
  store: StoreReader,
  consumers: number,
  { subjects, deleted }: Details = {},
): Omit<StreamState, "subjects"> & { subjects?: Map<string, number> } {
  const { messages, firstSeq, lastSeq } = store;
  const gaps = messages === 0 ? 0 : lastSeq - firstSeq + 1 - messages;
  // what nats-server says of a file without a message
  const odd = deleted === "file" && firstSeq === 0;
  return {
    messages,
    bytes: store.bytes,
    first_seq: firstSeq,
    first_ts: time(store.firstTime),
    last_seq: lastSeq,
    last_ts: time(store.lastTime),
    ...(store.subjectCount > 0 && { num_subjects: store.subjectCount }),
    ...(subjects && subjects.size > 0 && { subjects }),
    ...(odd && { num_deleted: 1, deleted: [0] }),
    ...(gaps > 0 && { num_deleted: gaps }),
    ...(deleted && gaps > 0 && { deleted: store.deleted() }),
    consumer_count: consumers,
  };
}

/** With what metadata tells of this server. */
export function shownConfig(config: StreamConfig): object {
  return { ...config, metadata: shownMetadata(config.metadata) };
}

/** What is told of a stream. */
export function infoOf(stream: ServedStream, config: object, more: object = {}, details?: Details): object {
  const { created, store, consumers, clock } = stream;
  return {
    config,
    created: goTime(created),
    state: stateOf(store, consumers.size, details),
    ...more,
    ...stream.origins(),
    ts: goTime(clock.now()),
  };
}

function requestOf({ js, tokens: [name = ""], body }: Call): {
  given: StreamConfig;
  pedantic: boolean;
  name: string;
  js: JetStream;
} {
  const { pedantic = false, ...given } = decode(streamConfigRequest, body) as unknown as StreamConfig & {
    pedantic?: boolean;
  };
  for (const [field, what] of EXTRA) {
    const wish = given[field];
    const wanted = Array.isArray(wish) ? wish.length > 0 : wish;
    if (wanted && js.extras === undefined) refuse(10052, { err: lacking(what) });
  }
  return { given, pedantic, name, js };
}

// what only the extras can do
const EXTRA = [
  ["mirror", "mirrors"],
  ["sources", "sources"],
  ["allow_atomic", "atomic batches"],
  ["allow_batched", "fast batches"],
  ["allow_msg_counter", "counters"],
  ["allow_msg_schedules", "schedules"],
] as const;

function create(call: Call): object {
  const { js, name, given, pedantic } = requestOf(call);
  if (given.name !== name) refuse(10056);
  if (/[/\\]/.test(name)) refuse(10128);
  checkNew(given);
  const existing = js.streams.get(name);
  checkResources(js, given, existing?.config);
  const config = wholeStreamConfig(given, js, pedantic);
  if (config.num_replicas > 1) refuse(10074);
  if (existing !== undefined) {
    if (JSON.stringify(existing.config) !== JSON.stringify(config)) refuse(10058);
    return { ...infoOf(existing, shownConfig(existing.config)), did_create: true };
  }
  checkOverlap(js, config);
  const stream = addStream(js, config);
  return { ...infoOf(stream, shownConfig(stream.config)), did_create: true };
}

/** Make a stream of a configuration that was checked, and say so. */
export function addStream(js: JetStream, config: WholeStreamConfig): ServedStream {
  const created = js.clock.now();
  const stream = new Stream(js, config, created, js.storage.create(config, created));
  js.streams.set(config.name, stream);
  adviseStream(js, "CREATED", config.name, "create");
  return stream;
}

function adviseStream(js: JetStream, what: string, stream: string, action: string): void {
  js.advise(`ADVISORY.STREAM.${what}.${stream}`, "advisory.v1.stream_action", { stream, action });
}

// What a stream may grow to, in place of what it could before.
function checkResources(
  js: JetStream,
  { storage = "file", max_bytes = 0 }: StreamConfig,
  before?: StreamConfig,
): void {
  const most = storage === "memory" ? js.maxMemory : js.maxStorage;
  const freed = Math.max(0, before?.max_bytes ?? 0);
  if (max_bytes > 0 && js.reserved(storage) - freed + max_bytes > most) {
    refuse(storage === "memory" ? 10028 : 10047);
  }
}

/** No two streams store the same subject, and a filter is a subject. @throws {Refusal} 10065, 10049 */
export function checkOverlap(js: JetStream, config: StreamConfig): void {
  const { name, subjects = [] } = config;
  for (const other of js.streams.values()) {
    if (other.name === name) continue;
    const theirs = other.config.subjects ?? [];
    if (subjects.some((one) => theirs.some((subject) => subjectsCollide(one, subject)))) refuse(10065);
  }
  js.extras?.checkOriginFilters(config);
}

function update(call: Call): object {
  const { js, name, given, pedantic } = requestOf(call);
  const whole = wholeStreamConfig(given, js, pedantic);
  if (whole.name !== name) refuse(10056);
  const stream = js.stream(name);
  if (whole.num_replicas > 1) refuse(10074);
  // nats-server looks at it once more, with what it decided itself
  const config = updatedStreamConfig(wholeStreamConfig(whole, js, pedantic), stream.config);
  checkResources(js, config, stream.config);
  checkConsumers(stream, config);
  checkOverlap(js, config);
  stream.update(config);
  js.storage.saveStream(config, stream.created);
  adviseStream(js, "UPDATED", name, "modify");
  return infoOf(stream, shownConfig(config), domainOf(js));
}

// New limits for consumers must be such as they have.
function checkConsumers({ consumers }: ServedStream, { consumer_limits }: WholeStreamConfig): void {
  const { max_ack_pending: pending = 0, inactive_threshold: threshold = 0 } = consumer_limits;
  const violating = [...consumers.values()].filter(
    ({ config }) =>
      (pending > 0 && (config.max_ack_pending ?? 0) > pending) ||
      (threshold > 0 && (config.inactive_threshold ?? 0) > threshold),
  );
  if (violating.length === 0) return;
  refuse(10069, {
    err: `change to limits violates consumers: ${violating.map(({ name }) => name).join(", ")}`,
  });
}

function domainOf({ domain }: JetStream): object {
  return domain === "" ? {} : { domain };
}

const infoRequest: GoStruct = {
  go: "server.JSApiStreamInfoRequest",
  fields: { offset: "int", deleted_details: "bool", subjects_filter: "string" },
};

function info({ js, tokens: [name = ""], body }: Call): object {
  const request = optionalBody(infoRequest, body);
  const {
    offset = 0,
    deleted_details: deleted = false,
    subjects_filter: filter = "",
  } = request as {
    offset?: number;
    deleted_details?: boolean;
    subjects_filter?: string;
  };
  const stream = js.stream(name);
  const { store } = stream;
  const all = filter === "" ? undefined : [...store.subjects(filter)];
  const { head, part } = page(all ?? [], offset, SUBJECTS_LIMIT);
  const shown = infoOf(
    stream,
    shownConfig(stream.config),
    { ...domainOf(js), cluster: { leader: js.serverName } },
    { ...(all && { subjects: new Map(part) }), deleted: deleted ? stream.config.storage : undefined },
  );
  return { ...(all?.length ? head : none), ...shown };
}

const listRequest = (go: string): GoStruct => ({ go, fields: { offset: "int", subject: "string" } });

function listed({ js, body }: Call, struct: GoStruct, limit: number): { head: object; part: ServedStream[] } {
  const { offset = 0, subject = "" } = optionalBody(struct, body) as { offset?: number; subject?: string };
  const wanted = [...js.streams.values()].filter(
    ({ config: { subjects = [] } }) =>
      subject === "" || subjects.some((one) => subjectsCollide(one, subject)),
  );
  return page(
    wanted.sort((a, b) => byBytes(a.name, b.name)),
    offset,
    limit,
  );
}

function names(call: Call): object {
  const { head, part } = listed(call, listRequest("server.JSApiStreamNamesRequest"), NAMES_LIMIT);
  return { ...head, streams: part.length === 0 ? null : part.map(({ name }) => name) };
}

function list(call: Call): object {
  const { head, part } = listed(call, listRequest("server.JSApiStreamListRequest"), LIST_LIMIT);
  return { ...head, streams: part.map((stream) => infoOf(stream, stream.config, domainOf(call.js))) };
}

function remove({ js, tokens: [name = ""], body }: Call): object {
  expectEmpty(body);
  const stream = js.stream(name);
  js.streams.delete(name);
  stream.delete();
  adviseStream(js, "DELETED", name, "delete");
  return { success: true };
}

const purgeRequest: GoStruct = {
  go: "server.JSApiStreamPurgeRequest",
  fields: { seq: "uint64", filter: "string", keep: "uint64" },
};

function purge({ js, tokens: [name = ""], body }: Call): object {
  const {
    filter = "",
    seq = 0,
    keep = 0,
  } = optionalBody(purgeRequest, body) as {
    filter?: string;
    seq?: number;
    keep?: number;
  };
  if (seq > 0 && keep > 0) refuse(10003);
  const stream = js.stream(name);
  if (stream.config.sealed) refuse(10109);
  if (stream.config.deny_purge) refuse(10110, { err: "stream purge not permitted" });
  return { success: true, purged: stream.purge(filter, seq, keep) };
}

function getMessage({ js, tokens: [name = ""], body }: Call): object {
  expectBody(body);
  const request = decode(msgGetRequest, body) as MsgGetRequest;
  const { seq = 0, last_by_subj: last = "", next_by_subj: next = "", start_time, no_hdr } = request;
  const ways = [seq > 0 && next === "", last !== "", next !== "", start_time !== undefined && next === ""];
  const several = request.batch || request.max_bytes;
  if (ways.filter(Boolean).length !== 1 || several || (seq > 0 && start_time !== undefined)) refuse(10003);
  const found = find(js.stream(name).store, seq, last, next, start_time) ?? refuse(10037);
  const { subject, header, data } = found;
  return {
    message: {
      subject,
      seq: found.seq,
      ...(header.length > 0 && !no_hdr && { hdrs: encodeBase64(header) }),
      ...(data.length > 0 && { data: encodeBase64(data) }),
      time: goTime(found.time),
    },
  };
}

function find(
  store: StoreReader,
  seq: number,
  last: string,
  next: string,
  start: string | undefined,
): Stored | undefined {
  if (last !== "") return store.last([last]);
  const from = start === undefined ? seq : store.seqAt(timeOf(start));
  if (next !== "") return store.next([next], from);
  return start === undefined ? store.get(seq) : store.next([], from);
}

const msgDeleteRequest: GoStruct = {
  go: "server.JSApiMsgDeleteRequest",
  fields: { seq: "uint64", no_erase: "bool" },
};

function deleteMessage({ js, tokens: [name = ""], body }: Call): object {
  expectBody(body);
  const { seq = 0 } = decode(msgDeleteRequest, body) as { seq?: number };
  const stream = js.stream(name);
  const { sealed, deny_delete, storage } = stream.config;
  if (sealed) refuse(10109);
  if (deny_delete) refuse(10057, { err: "message delete not permitted" });
  if (stream.remove(seq)) return { success: true };
  // an answer as any other: it is not counted as an error
  let failure = refusal(10043, { seq });
  if (storage === "file" && seq > stream.store.lastSeq) failure = refusal(10057, { err: "stream store EOF" });
  else if (storage === "file" && seq < Math.max(1, stream.store.firstSeq))
    failure = refusal(10057, { err: "no message found" });
  return { error: failure.wire };
}

// what only a cluster can do
const CLUSTERED: readonly (readonly [subject: string, type: string])[] = [
  ["STREAM.LEADER.STEPDOWN.*", "stream_leader_stepdown"],
  ["STREAM.PEER.REMOVE.*", "stream_remove_peer"],
  ["STREAM.PEER.EVACUATE.*", "stream_evacuate_peer"],
  ["STREAM.CANCEL_MOVE.*", "stream_cancel_move"],
  ["CONSUMER.LEADER.STEPDOWN.*.*", "consumer_leader_stepdown"],
  ["CONSUMER.PEER.REMOVE.*.*", "consumer_remove_peer"],
  ["CONSUMER.PEER.EVACUATE.*.*", "consumer_evacuate_peer"],
];

const none = { total: 0, offset: 0, limit: 0 };

export const streamVerbs: readonly Verb[] = [
  { subject: "INFO", type: "account_info", handle: account },
  { subject: "STREAM.CREATE.*", type: "stream_create", handle: create },
  { subject: "STREAM.UPDATE.*", type: "stream_update", handle: update },
  { subject: "STREAM.INFO.*", type: "stream_info", handle: info, zeros: none },
  { subject: "STREAM.NAMES", type: "stream_names", handle: names, zeros: { ...none, streams: null } },
  { subject: "STREAM.LIST", type: "stream_list", handle: list, zeros: { ...none, streams: [] } },
  { subject: "STREAM.DELETE.*", type: "stream_delete", handle: remove },
  { subject: "STREAM.PURGE.*", type: "stream_purge", handle: purge, zeros: { purged: 0 } },
  { subject: "STREAM.MSG.GET.*", type: "stream_msg_get", handle: getMessage, counted: "errors" },
  { subject: "STREAM.MSG.DELETE.*", type: "stream_msg_delete", handle: deleteMessage },
  ...CLUSTERED.map(([subject, type]): Verb => ({ subject, type, handle: (() => refuse(10010)) as Handler })),
];
