// Pull plan: the options of next, fetch and consume, checked and with nothing left to decide.
import { InvalidArgumentError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { millis } from "../lib/nanos.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import type { ConsumeOptions, FetchOptions, MissingOptions, PullOptions } from "./consuming.ts";
import type { PullLimits, PullPlan } from "./pulls.ts";

// what a pull by bytes asks for in messages (ADR-37)
const MANY = 1_000_000;
const EXPIRES = 30_000;

/** An option, or what it is when it was not given: `least` or more. */
function atLeast(
  name: string,
  value: number | undefined,
  fallback: number,
  least: number,
  kind = "milliseconds",
): number {
  if (value === undefined) return fallback;
  const ok = value >= least && (kind === "milliseconds" ? value < Infinity : Number.isInteger(value));
  check(ok, name, value, `${kind}, ${least} or more`);
  return value;
}

function whole(name: string, value: number | undefined, fallback: number, least: number): number {
  return atLeast(name, value, fallback, least, "a whole number");
}

/** What the policy of the consumer's priority group takes (C-ADR42-2, C-ADR42-8); everything where it isn't known. */
function checkPriority(options: PullOptions, config: ConsumerConfig | undefined): void {
  const { group, priority } = options;
  const given = (["min_pending", "min_ack_pending", "priority"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (group === undefined && given !== undefined) {
    throw InvalidArgumentError.format([given, "group"], "go together: name the priority group");
  }
  const known = priority === undefined || (Number.isInteger(priority) && priority >= 0 && priority <= 9);
  check(known, "priority", priority, "a whole number from 0 (first) to 9");
  if (config === undefined) return;
  const { priority_groups: groups = [], priority_policy: policy = "none" } = config;
  if (group === undefined && groups.length > 0) {
    throw new InvalidArgumentError(
      `the consumer has priority groups: give the option group (${groups.join(", ")})`,
    );
  }
  if (group !== undefined && !groups.includes(group)) {
    const those = groups.length === 0 ? "no priority groups" : `the priority groups ${groups.join(", ")}`;
    throw new InvalidArgumentError(`group is '${group}': the consumer has ${those}`);
  }
  const wanted = given === "priority" ? "prioritized" : "overflow";
  if (given !== undefined && policy !== wanted) {
    throw new InvalidArgumentError(`${given} is of the policy '${wanted}': the consumer has '${policy}'`);
  }
}

function priorityOf({ min_pending, min_ack_pending, priority }: PullOptions): PullPlan["priority"] {
  return {
    ...(min_pending !== undefined && { min_pending: whole("min_pending", min_pending, 0, 0) }),
    ...(min_ack_pending !== undefined && {
      min_ack_pending: whole("min_ack_pending", min_ack_pending, 0, 0),
    }),
    ...(priority !== undefined && { priority }),
  };
}

/** What the consumer allows of one pull; no limits where it isn't known. */
export function limitsOf(config: ConsumerConfig | undefined): PullLimits {
  const { max_batch, max_bytes, max_expires } = config ?? {};
  return {
    batch: max_batch || Infinity,
    bytes: max_bytes || Infinity,
    expires: max_expires ? Math.max(1, millis(max_expires)) : Infinity,
  };
}

/** @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function fetchPlan(options: FetchOptions, config: ConsumerConfig | undefined): PullPlan {
  const { no_wait = false, expires = no_wait ? 0 : EXPIRES } = options;
  // up to there the end of the pull tells as early
  const heartbeat = expires > EXPIRES ? EXPIRES / 2 : 0;
  return { ...planOf(options, config, expires, heartbeat), once: true, noWait: no_wait };
}

/** @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function consumePlan(options: ConsumeOptions, config: ConsumerConfig | undefined): PullPlan {
  const { expires = EXPIRES } = options;
  const plan = planOf(options, config, expires, clamp(expires / 2, 500, 30_000));
  return {
    ...plan,
    thresholdMessages: threshold("messages", options.threshold_messages, plan.messages),
    thresholdBytes: threshold("bytes", options.threshold_bytes, plan.bytes),
  };
}

// What both have; `usual` is the heartbeat, where none is given.
function planOf(
  options: FetchOptions | ConsumeOptions,
  config: ConsumerConfig | undefined,
  expires: number,
  usual: number,
): PullPlan {
  const { timeout = Infinity } = options;
  check(timeout > 0, "timeout", timeout, "milliseconds, more than 0");
  checkPriority(options, config);
  if (options.expires !== undefined) atLeast("expires", expires, 0, 1000);
  const bytes = whole("max_bytes", options.max_bytes, 0, 1);
  const heartbeat = atLeast("idle_heartbeat", options.idle_heartbeat, usual, 100);
  if (heartbeat * 2 > expires && heartbeat > 0) {
    throw new InvalidArgumentError(
      `idle_heartbeat is ${heartbeat} and expires ${expires}: a heartbeat can be at most half of it`,
    );
  }
  return {
    once: false,
    messages: whole("max_messages", options.max_messages, bytes > 0 ? MANY : 100, 1),
    bytes,
    thresholdMessages: 0,
    thresholdBytes: 0,
    expires,
    noWait: false,
    heartbeat,
    group: options.group,
    priority: priorityOf(options),
  };
}

function threshold(of: "messages" | "bytes", value: number | undefined, max: number): number {
  const name = `threshold_${of}`;
  const given = whole(name, value, Math.floor(max / 2), 0);
  if (given > max)
    throw new InvalidArgumentError(`${name} is ${given}: it can't be more than max_${of}, ${max}`);
  return given;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/** Wait for what is gone? @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function isPatient({ onMissing, abort_on_missing_resource }: MissingOptions): boolean {
  if (onMissing === undefined) return abort_on_missing_resource === false;
  if (onMissing !== "throw" && onMissing !== "retry") {
    throw new InvalidArgumentError(`onMissing is '${String(onMissing)}': give 'throw' or 'retry'`);
  }
  if (abort_on_missing_resource !== undefined) {
    throw InvalidArgumentError.format(
      ["onMissing", "abort_on_missing_resource"],
      "are the same: give one of them",
    );
  }
  return onMissing === "retry";
}
