// Consumer config: what a configuration may say, what it means where it says nothing, and what an update may change. For consumer-api.
import type { ConsumerConfig } from "../../protocol/jetstream/consumer.ts";
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import { goDurationText, goQuote } from "../go-text.ts";
import { isPublishSubject, isSubscribeSubject, subjectCovers, subjectsCollide } from "../subjects.ts";
import { goEnum, type GoStruct, goWord, inOrder } from "./go-json.ts";
import { bytesOf, isTooLarge, keptMetadata } from "./metadata.ts";
import { refuse } from "./refusal.ts";
import type { Filters } from "./stored.ts";

/** A configuration, with what only servers ask each other for. */
export interface ServedConfig extends ConsumerConfig {
  /** for a mirror or a source: it is no interest of its stream */
  direct?: boolean;
  sourcing?: boolean;
}

/** Empty: all. */
export function filtersOf({ filter_subject = "", filter_subjects = [] }: ConsumerConfig): Filters {
  return filter_subject === "" ? filter_subjects : [filter_subject];
}

/** Its fields, in the order of the wire. */
export const consumerConfig: GoStruct = {
  go: "server.ConsumerConfig",
  fields: {
    durable_name: "string",
    name: "string",
    description: "string",
    "deliver_policy*": goEnum(
      "all",
      "undefined",
      "last",
      "new",
      "by_start_sequence",
      "by_start_time",
      "last_per_subject",
    ),
    opt_start_seq: "uint64",
    opt_start_time: "time.Time",
    "ack_policy*": goEnum("none", "all", "explicit", "flow_control"),
    ack_wait: "time.Duration",
    max_deliver: "int",
    backoff: { list: "time.Duration" },
    filter_subject: "string",
    filter_subjects: { list: "string" },
    "replay_policy*": goEnum("instant", "original"),
    rate_limit_bps: "uint64",
    sample_freq: "string",
    max_waiting: "int",
    max_ack_pending: "int",
    flow_control: "bool",
    headers_only: "bool",
    max_batch: "int",
    max_expires: "time.Duration",
    max_bytes: "int",
    deliver_subject: "string",
    deliver_group: "string",
    idle_heartbeat: "time.Duration",
    inactive_threshold: "time.Duration",
    "num_replicas*": "int",
    mem_storage: "bool",
    direct: "bool",
    sourcing: "bool",
    metadata: { map: "string" },
    pause_until: "time.Time",
    priority_groups: { list: "string" },
    priority_policy: goWord("priority policy", "none", "overflow", "pinned_client", "prioritized"),
    priority_timeout: "time.Duration",
  },
};

/** The request that makes a consumer or changes it. */
export const createConsumerRequest: GoStruct = {
  go: "server.CreateConsumerRequest",
  fields: {
    stream_name: "string",
    config: consumerConfig,
    action: goWord("consumer action", "create", "update", ""),
    pedantic: "bool",
  },
};

const SECOND = 1e9;
const GROUP = /^[a-zA-Z0-9/_=-]{1,16}$/;

/** The configuration with all that it leaves open. `durable`: whether the consumer is, which an update leaves as it was. @throws {Refusal} of what a pedantic request leaves open or has wrong */
export function wholeConsumerConfig(
  given: ServedConfig,
  stream: StreamConfig,
  pedantic: boolean,
  durable: boolean = Boolean(given.durable_name),
): ServedConfig {
  const config: ServedConfig = { ...given };
  const limits = stream.consumer_limits ?? {};
  const acked = config.ack_policy === "explicit" || config.ack_policy === "all";
  // that is a word too
  if (String(config.deliver_policy) === "undefined") config.deliver_policy = "all";
  config.ack_policy ??= "none";
  config.replay_policy ??= "instant";
  config.num_replicas ??= 0;
  const correct = (wrong: boolean, err: string): boolean => {
    if (wrong && pedantic) refuse(10157, { err });
    return wrong;
  };
  const { max_deliver = 0, backoff = [], max_ack_pending = 0 } = config;
  if (max_deliver === 0 || correct(max_deliver < -1, "max_deliver must be set to -1"))
    config.max_deliver = -1;
  if (config.ack_policy === "flow_control" && !pedantic) {
    config.flow_control = true;
    config.idle_heartbeat = SECOND;
  }
  const [first] = backoff;
  if (first !== undefined) {
    correct(config.ack_wait !== first, "first backoff value has to equal batch AckWait");
    config.ack_wait = first;
  } else if (acked && !config.ack_wait) config.ack_wait = 30 * SECOND;
  if (correct(max_ack_pending < -1, "max_ack_pending must be set to -1")) config.max_ack_pending = -1;
  for (const name of [
    "max_waiting",
    "max_batch",
    "max_bytes",
    "max_expires",
    "idle_heartbeat",
    "inactive_threshold",
    "priority_timeout",
  ] as const) {
    if (correct((config[name] ?? 0) < 0, `${name} must not be negative`)) config[name] = 0;
  }
  if (!config.deliver_subject && !config.max_waiting) config.max_waiting = 512;
  for (const [name, fallback] of [
    ["max_ack_pending", config.ack_policy !== "none" && 1000],
    ["inactive_threshold", !durable && 5 * SECOND],
  ] as const) {
    const limit = limits[name] ?? 0;
    const value = limit > 0 ? limit : fallback;
    if (!config[name] && value) {
      correct(value === limit, `${name} must be set if it's configured in stream limits`);
      config[name] = value;
    }
  }
  if (config.priority_policy === "pinned_client" && !config.priority_timeout)
    config.priority_timeout = 120 * SECOND;
  if (config.priority_policy === "none") delete config.priority_policy;
  config.metadata = keptMetadata(levelOf(given), config.metadata);
  return inOrder(consumerConfig, config);
}

/** The same, paused until then; `""`: not paused. */
export function withPause({ pause_until: _, ...config }: ServedConfig, until: string): ServedConfig {
  const paused: ServedConfig = until === "" ? config : { ...config, pause_until: until };
  return inOrder(consumerConfig, { ...paused, metadata: keptMetadata(levelOf(paused), paused.metadata) });
}

// A policy has groups too.
function levelOf({ pause_until, priority_timeout, priority_groups, ack_policy }: ServedConfig): number {
  if (ack_policy === "flow_control") return 4;
  return pause_until || priority_timeout || priority_groups?.length ? 1 : 0;
}

/** @throws {Refusal} of what can't be. `config` is whole. */
export function checkConsumerConfig(config: ServedConfig, stream: StreamConfig): void {
  const { num_replicas = 0, direct, deliver_subject = "" } = config;
  if (num_replicas < 0) refuse(10133);
  checkWaits(config);
  if (bytesOf(config.description ?? "") > 4096) refuse(10107);
  if (deliver_subject === "") checkPull(config, stream);
  else checkPush(config, stream);
  if (direct && deliver_subject === "") refuse(10090);
  if (direct && config.durable_name) refuse(10091);
  checkLimits(config, stream);
  checkFilters(config);
  checkStart(config);
  checkSampling(config);
  if (config.flow_control && !config.idle_heartbeat) refuse(10108);
  if (isTooLarge(config.metadata)) refuse(10135);
  checkGroups(config);
}

function checkPush(config: ServedConfig, stream: StreamConfig): void {
  const { deliver_subject = "", idle_heartbeat = 0, max_ack_pending = 0 } = config;
  const literal = isPublishSubject(deliver_subject);
  if (!literal && isSubscribeSubject(deliver_subject)) refuse(10079);
  if (!literal || /\s/.test(deliver_subject)) refuse(10112);
  if (stream.subjects?.some((subject) => subjectsCollide(subject, deliver_subject))) refuse(10081);
  if (config.max_waiting) refuse(10080);
  if (max_ack_pending > 0 && config.ack_policy === "none") refuse(10082);
  if (idle_heartbeat > 0 && idle_heartbeat < SECOND / 10) refuse(10083);
}

function checkPull(config: ServedConfig, stream: StreamConfig): void {
  const { max_expires = 0 } = config;
  if (config.ack_policy === "none" && stream.retention === "workqueue") refuse(10084);
  if (config.rate_limit_bps) refuse(10086);
  if (config.idle_heartbeat) refuse(10088);
  if (config.flow_control) refuse(10089);
  if (max_expires !== 0 && max_expires < 1e6) refuse(10115);
}

function checkLimits(config: ServedConfig, { consumer_limits = {} }: StreamConfig): void {
  const { max_ack_pending: most = 0, inactive_threshold: longest = 0 } = consumer_limits;
  if (most > 0 && (config.max_ack_pending ?? 0) > most) refuse(10121, { limit: most });
  if (longest > 0 && (config.inactive_threshold ?? 0) > longest) {
    refuse(10153, { limit: goDurationText(longest / 1e6) });
  }
}

function checkWaits(config: ServedConfig): void {
  const { ack_wait = 0, backoff = [], max_deliver = -1, max_ack_pending = 0 } = config;
  if (backoff.some((wait) => wait < 0)) refuse(10184);
  if (ack_wait < 0) refuse(10183);
  if (config.ack_policy === "flow_control") {
    if (!config.deliver_subject) refuse(10218);
    if (!config.flow_control) refuse(10219);
    if (config.idle_heartbeat !== SECOND) {
      refuse(10052, { err: "flow control ack policy heartbeat needs to be 1s" });
    }
    if (max_ack_pending <= 0) refuse(10220);
    if (ack_wait > 0) refuse(10221);
    if (max_deliver !== -1) refuse(10222);
  }
  if (max_deliver > 0 && backoff.length > max_deliver) refuse(10116);
}

function checkFilters(config: ServedConfig): void {
  if (config.filter_subject && config.filter_subjects?.length) refuse(10136);
  const filters = filtersOf(config);
  if (filters.includes("")) refuse(10139);
  for (const [i, filter] of filters.entries()) {
    if (!isSubscribeSubject(filter) || /\s/.test(filter)) refuse(10052, { err: "invalid subject" });
    if (filters.some((other, j) => i !== j && subjectCovers(other, filter))) refuse(10138);
  }
}

function checkStart(config: ServedConfig): void {
  const { deliver_policy: policy = "all", opt_start_seq: seq = 0, opt_start_time: time } = config;
  const no = (what: string): never =>
    refuse(10094, {
      err: `consumer delivery policy is deliver ${policy.replaceAll("_", " ")}, but optional ${what} set`,
    });
  if (policy === "by_start_sequence" && seq === 0) no("start sequence is not");
  if (policy === "by_start_time" && time === undefined) no("start time is not");
  if (policy !== "by_start_sequence" && seq !== 0) no("start sequence is also");
  if (policy !== "by_start_time" && time !== undefined) no("start time is also");
  if (policy === "last_per_subject" && !config.filter_subject && !config.filter_subjects?.length) {
    no("filter subject is not");
  }
}

function checkSampling({ sample_freq = "" }: ServedConfig): void {
  if (sample_freq === "") return;
  const text = sample_freq.replace(/%$/, "");
  const share = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (!(Math.abs(share) < 2 ** 63)) {
    const what = share ? "value out of range" : "invalid syntax";
    refuse(10095, { err: `strconv.Atoi: parsing ${goQuote(text)}: ${what}` });
  }
  if (share < 0) refuse(10095, { err: "<nil>" });
}

function checkGroups(config: ServedConfig): void {
  const { priority_policy, priority_groups: groups = [] } = config;
  if (priority_policy === undefined) {
    if (groups.length > 0) refuse(10196);
    if (config.priority_timeout) refuse(10197);
    return;
  }
  if (config.deliver_subject) refuse(10178);
  if (groups.length === 0) refuse(10159);
  for (const group of groups) {
    if (group === "") refuse(10161);
    checkGroup(group);
  }
}

/** @throws {Refusal} of what can't be the name of a priority group */
export function checkGroup(group: string): void {
  if (!GROUP.test(group)) refuse(10162);
}

// What stays as it was made, and what the refusal calls it where it has another name there.
const FIXED: readonly (readonly [keyof ServedConfig, string?])[] = [
  ["deliver_policy"],
  ["opt_start_seq", "start sequence"],
  ["opt_start_time", "start time"],
  ["mem_storage", "storage type"],
  ["direct"],
  ["sourcing"],
  ["ack_policy"],
  ["replay_policy"],
  ["idle_heartbeat", "heart beats"],
  ["flow_control"],
];

/** May a consumer become this? `bound`: somebody listens to its deliver subject. @throws {Refusal} 10012, 10013 */
export function checkConsumerUpdate(before: ServedConfig, after: ServedConfig, bound: boolean): void {
  const no = (what: string): never => refuse(10012, { err: what });
  for (const [name, what = name.replace("_", " ")] of FIXED) {
    if ((before[name] || undefined) !== (after[name] || undefined)) no(`${what} can not be updated`);
  }
  const [from, to] = [before.deliver_subject ?? "", after.deliver_subject ?? ""];
  if (from !== to) {
    if (from === "") no("can not update pull consumer to push based");
    if (to === "") no("can not update push consumer to pull based");
    if (bound) refuse(10013);
  }
  if ((before.max_waiting ?? 0) !== (after.max_waiting ?? 0)) no("max waiting can not be updated");
}
