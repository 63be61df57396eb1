// Stream config: what a configuration may say, what it means where it says nothing, and what an update may change. For stream-api.
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import { goQuote } from "../go-text.ts";
import { isSubscribeSubject, subjectCovers, subjectsCollide } from "../subjects.ts";
import { goEnum, type GoStruct, inOrder } from "./go-json.ts";
import type { Home } from "./home.ts";
import { bytesOf, isTooLarge, keptMetadata } from "./metadata.ts";
import { refuse } from "./refusal.ts";
import type { StreamExtras } from "./stream-extras.ts";
import { subjectTransform } from "../subject-transform.ts";
import { GoError } from "../go-error.ts";

const transform: GoStruct = {
  go: "server.SubjectTransformConfig",
  fields: { "src*": "string", "dest*": "string" },
};

const source: GoStruct = {
  go: "server.StreamSource",
  fields: {
    "name*": "string",
    opt_start_seq: "uint64",
    opt_start_time: "time.Time",
    filter_subject: "string",
    subject_transforms: { list: transform },
    external: { go: "server.ExternalStream", fields: { "api*": "string", "deliver*": "string" } },
    consumer: {
      go: "server.StreamConsumerSource",
      fields: { "name*": "string", "deliver_subject*": "string" },
    },
  },
};

const compressions: readonly string[] = ["none", "s2"];

export const streamConfig: GoStruct = {
  go: "server.StreamConfig",
  fields: {
    "name*": "string",
    description: "string",
    subjects: { list: "string" },
    "retention*": goEnum("limits", "interest", "workqueue"),
    "max_consumers*": "int",
    "max_msgs*": "int64",
    "max_bytes*": "int64",
    "max_age*": "time.Duration",
    "max_msgs_per_subject*": "int64",
    "max_msg_size*": "int32",
    "discard*": goEnum("old", "new"),
    "storage*": goEnum("memory", "file"),
    "num_replicas*": "int",
    no_ack: "bool",
    duplicate_window: "time.Duration",
    placement: {
      go: "server.Placement",
      fields: { cluster: "string", tags: { list: "string" }, preferred: "string" },
    },
    mirror: source,
    sources: { list: source, pointers: true },
    "compression*": {
      read(token) {
        const value = JSON.parse(token) as unknown;
        if (typeof value !== "string" && value !== null) {
          const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
          throw new GoError(`json: cannot unmarshal ${kind} into Go value of type string`);
        }
        if (value === null || !compressions.includes(value))
          throw new GoError("unknown compression algorithm");
        return value;
      },
    },
    first_seq: "uint64",
    subject_transform: transform,
    republish: {
      go: "server.RePublish",
      fields: { src: "string", "dest*": "string", headers_only: "bool" },
    },
    "allow_direct*": "bool",
    "mirror_direct*": "bool",
    discard_new_per_subject: "bool",
    "sealed*": "bool",
    "deny_delete*": "bool",
    "deny_purge*": "bool",
    "allow_rollup_hdrs*": "bool",
    "consumer_limits*": {
      go: "server.StreamConsumerLimits",
      fields: { inactive_threshold: "time.Duration", max_ack_pending: "int" },
    },
    "allow_msg_ttl*": "bool",
    subject_delete_marker_ttl: "time.Duration",
    allow_msg_counter: "bool",
    allow_atomic: "bool",
    allow_msg_schedules: "bool",
    persist_mode: goEnum("default", "async"),
    allow_batched: "bool",
    metadata: { map: "string" },
  },
};

/** A configuration and whether it is taken to the letter. */
export const streamConfigRequest: GoStruct = {
  go: "server.StreamConfigRequest",
  fields: { ...streamConfig.fields, pedantic: "bool" },
};

/** A configuration without gaps: what a stream is made with. */
export type WholeStreamConfig = StreamConfig & Decided;

type Decided = Required<
  Pick<
    StreamConfig,
    | "retention"
    | "max_consumers"
    | "max_msgs"
    | "max_bytes"
    | "max_age"
    | "max_msgs_per_subject"
    | "max_msg_size"
    | "discard"
    | "storage"
    | "num_replicas"
    | "compression"
    | "allow_direct"
    | "mirror_direct"
    | "sealed"
    | "deny_delete"
    | "deny_purge"
    | "allow_rollup_hdrs"
    | "consumer_limits"
    | "allow_msg_ttl"
  >
>;

const DEFAULTS: Decided = {
  retention: "limits",
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  discard: "old",
  storage: "file",
  num_replicas: 1,
  compression: "none",
  allow_direct: false,
  mirror_direct: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  consumer_limits: {},
  allow_msg_ttl: false,
};

const LIMITS = ["max_msgs", "max_msgs_per_subject", "max_bytes", "max_msg_size", "max_consumers"] as const;
const LEAST = 1e8;
const SECOND = 1e9;
const WINDOW = 120 * SECOND;

/** @throws {Refusal} 10052 always */
export function invalid(err: string): never {
  return refuse(10052, { err });
}

/** The other streams of the account. */
export type Others = ReadonlyMap<string, { readonly config: StreamConfig }>;

/**
 * All that a configuration says and leaves open. `pedantic`: what would be corrected is refused.
 * @throws {Refusal} of what can't be
 */
export function wholeStreamConfig(
  given: StreamConfig,
  { streams, extras }: Pick<Home, "streams" | "extras">,
  pedantic: boolean,
): WholeStreamConfig {
  const config: WholeStreamConfig = { ...DEFAULTS, ...given };
  const correct = (err: string): void => {
    if (pedantic) refuse(10157, { err });
  };
  checkName(config.name);
  if (bytesOf(config.description ?? "") > 4096) {
    invalid("stream description is too long, maximum allowed is 4096");
  }
  if (isTooLarge(config.metadata)) {
    invalid("stream metadata exceeds maximum size of 131072 bytes");
  }
  if (config.num_replicas === 0) config.num_replicas = 1;
  if (config.num_replicas > 5) invalid("maximum replicas is 5");
  if (config.num_replicas < 0) refuse(10133);
  for (const limit of LIMITS) {
    if (config[limit] < -1) correct(`${limit} must be set to -1`);
    if (config[limit] <= 0) config[limit] = -1;
  }
  checkTimes(config, correct);
  checkTogether(config, pedantic, extras);
  extras?.checkOrigins(config, streams, correct);
  checkSubjects(config);
  checkTransform(config);
  checkRepublish(config, correct);
  checkPlacement(config);
  config.metadata = keptMetadata(levelOf(config), config.metadata);
  if (config.persist_mode === "default") delete config.persist_mode;
  return inOrder(streamConfig, config);
}

/** What a stream can become, and not be made as. @throws {Refusal} 10052 */
export function checkNew({ sealed, mirror, mirror_direct }: StreamConfig): void {
  if (sealed) invalid("stream configuration for create can not be sealed");
  if (mirror === undefined && mirror_direct) invalid("stream has no mirror but does have mirror direct");
}

/** A name, as part of subjects and of paths. @throws {Refusal} 10052 */
export function checkName(name: string): void {
  if (name === "" || /[\s.*>/\\]/.test(name)) {
    invalid("stream name is required and can not contain '.', '*', '>', '\\', '/'");
  }
  if (bytesOf(name) > 255) invalid("stream name is too long, maximum allowed is 255");
}

function checkTimes(config: WholeStreamConfig, correct: (err: string) => void): void {
  const { max_age, mirror, sources = [] } = config;
  const own = mirror === undefined && sources.length === 0;
  if (max_age < 0) invalid("max age can not be negative");
  if (max_age > 0 && max_age < LEAST) invalid("max age needs to be >= 100ms");
  if (!config.duplicate_window && own) {
    if (max_age > 0 && max_age < WINDOW) correct("duplicate window cannot be bigger than max age");
    config.duplicate_window = max_age > 0 ? Math.min(max_age, WINDOW) : WINDOW;
  }
  const { duplicate_window: window = 0 } = config;
  if (window < 0) invalid("duplicates window can not be negative");
  if (max_age > 0 && window > max_age) invalid("duplicates window can not be larger then max age");
  if (window > 0 && window < LEAST) invalid("duplicates window needs to be >= 100ms");
}

// What goes together and what doesn't.
function checkTogether(config: WholeStreamConfig, pedantic: boolean, extras: StreamExtras | undefined): void {
  const { discard, storage, subject_delete_marker_ttl: marker = 0 } = config;
  if (config.deny_purge && config.allow_rollup_hdrs) invalid("roll-ups require the purge permission");
  extras?.counter.check(config);
  if (config.discard_new_per_subject) {
    if (discard !== "new") invalid("discard new per subject requires discard new policy to be set");
    if (config.max_msgs_per_subject <= 0) {
      invalid("discard new per subject requires max msgs per subject > 0");
    }
  }
  if (marker !== 0) {
    if (marker < 0) invalid("subject delete marker TTL must not be negative");
    if (marker < SECOND) invalid("subject delete marker TTL must be at least 1 second");
    if (pedantic && !config.allow_msg_ttl) {
      invalid("subject delete marker cannot be set if message TTLs are disabled");
    }
    if (pedantic && !config.allow_rollup_hdrs) {
      invalid("subject delete marker cannot be set if roll-ups are disabled");
    }
    config.allow_msg_ttl = true;
  }
  if (config.allow_msg_schedules && pedantic && !config.allow_rollup_hdrs) {
    invalid("message scheduling cannot be set if roll-ups are disabled");
  }
  if (rollsUp(config)) {
    config.allow_rollup_hdrs = true;
    config.deny_purge = false;
  }
  if (config.allow_msg_schedules && discard === "new") invalid("message scheduling cannot use discard new");
  if (config.persist_mode === "async") {
    if (storage === "memory") invalid("async persist mode is only supported on file storage");
    if (config.allow_atomic) invalid("async persist mode is not supported with atomic batch publish");
  }
}

function rollsUp({ subject_delete_marker_ttl: marker = 0, allow_msg_schedules }: StreamConfig): boolean {
  return marker > 0 || allow_msg_schedules === true;
}

function checkTransform({ subject_transform: { src = "", dest } = { dest: "" } }: StreamConfig): void {
  if (src !== "" && !isSubject(src)) refuse(10155, { err: `invalid subject ${src}` });
  const err = transformError(src, dest);
  if (err !== undefined) refuse(10156, { err });
}

/** Why there is no such transform, if there is none. */
export function transformError(src: string, dest: string | undefined): string | undefined {
  if (!dest) return undefined;
  try {
    subjectTransform(src, dest);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** May a configuration name it as a subject? */
export function isSubject(subject: string): boolean {
  return isSubscribeSubject(subject) && !/[\t\n\f\r ]/.test(subject);
}

const RESERVED: readonly (readonly [subject: string, allowed: string, of: string])[] = [
  ["$JS.>", "$JS.EVENT.>", "jetstream"],
  ["$JSC.>", "$JS.EVENT.>", "jetstream"],
  ["$NRG.>", "$JS.EVENT.>", "jetstream"],
  ["$SYS.>", "$SYS.ACCOUNT.>", "system"],
];

function checkSubjects(config: WholeStreamConfig): void {
  const { subjects = [], no_ack, mirror, sources = [] } = config;
  if (subjects.length === 0 && mirror === undefined && sources.length === 0) config.subjects = [config.name];
  for (const [i, subject] of subjects.entries()) {
    if (!isSubject(subject)) invalid("invalid subject");
    const other = subjects.find((one, j) => j < i && subjectsCollide(one, subject));
    if (other !== undefined) invalid(`subject ${goQuote(other)} overlaps with ${goQuote(subject)}`);
    if (no_ack) continue;
    if (subject === ">") invalid("capturing all subjects requires no-ack to be true");
    for (const [reserved, allowed, of] of RESERVED) {
      if (subjectsCollide(subject, reserved) && !subjectCovers(allowed, subject)) {
        invalid(`subjects that overlap with ${of} api require no-ack to be true`);
      }
    }
  }
}

function checkPlacement(config: WholeStreamConfig): void {
  const { placement } = config;
  if (placement?.preferred) invalid("preferred server not permitted in placement");
  if (placement && !placement.cluster && !placement.tags?.length) delete config.placement;
}

function checkRepublish(config: WholeStreamConfig, correct: (err: string) => void): void {
  const { republish: given, subject_transform: changed, subjects = [] } = config;
  if (given === undefined) return;
  if (!given.src) correct("republish source can not be empty");
  let { src = "", dest } = given;
  if (src === "") src = ">";
  if (src === ">" && dest === ">" && changed && subjects.length === 1 && changed.src === subjects[0]) {
    correct("implicit republish based on subject transform");
    src = changed.dest;
    dest = changed.dest;
  }
  config.republish = { ...given, src, dest };
  if (subjects.some((subject) => subjectsCollide(dest, subject))) {
    invalid("stream configuration for republish destination forms a cycle");
  }
  if (dest === "") return;
  try {
    subjectTransform(src, dest);
  } catch {
    invalid(`stream configuration for republish with transform from '${src}' to '${dest}' not valid`);
  }
}

// The level of the API that a client needs to have asked for it.
function levelOf(config: StreamConfig): number {
  if (config.allow_batched) return 4;
  if (config.allow_msg_counter || config.allow_atomic || config.allow_msg_schedules) return 2;
  if (config.persist_mode === "async") return 2;
  return config.allow_msg_ttl || config.subject_delete_marker_ttl ? 1 : 0;
}

/** What a stream that has the configuration `old` may become. @throws {Refusal} of what can't be changed */
export function updatedStreamConfig(config: WholeStreamConfig, old: StreamConfig): WholeStreamConfig {
  const update = (what: string): never => invalid(`stream configuration update can not ${what}`);
  if (config.storage !== old.storage) update("change storage type");
  if (config.retention !== old.retention && [config.retention, old.retention].includes("workqueue")) {
    update("change retention policy to/from workqueue");
  }
  if (old.sealed && !config.sealed) update("unseal a sealed stream");
  if (old.deny_delete && !config.deny_delete) update("cancel deny message deletes");
  if (old.deny_purge && !config.deny_purge) update("cancel deny purge");
  if (config.mirror !== undefined && JSON.stringify(config.mirror) !== JSON.stringify(old.mirror))
    refuse(10055);
  if (old.allow_msg_ttl && !config.allow_msg_ttl) invalid("message TTL status can not be disabled");
  if (!!config.allow_msg_counter !== !!old.allow_msg_counter) update("change message counter setting");
  if (old.allow_msg_schedules && !config.allow_msg_schedules)
    invalid("message schedules can not be disabled");
  if (config.persist_mode !== old.persist_mode) update("change persist mode");
  if (!config.sealed) return config;
  const sealed = {
    max_age: 0,
    discard: "new",
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
  } as const;
  return { ...config, ...sealed };
}
