// Ordered config: how the consumers are that an ordered one makes for itself (ADR-17).
import { InvalidArgumentError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { millis, nanos } from "../lib/nanos.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import type { OrderedConsumerOptions, OrderedPushConsumerOptions } from "./consuming.ts";

// C-ADR17-2: the server's own wait would send again what has no acknowledgement
const ACK_WAIT = 22 * 3_600_000;
// nanoseconds after which the server forgets the consumer of one that is gone
const INACTIVE = 300e9;

/** The configuration that all consumers of an ordered one have. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function orderedConfig(options: OrderedConsumerOptions): ConsumerConfig {
  const {
    name_prefix: _,
    deliver_prefix: __,
    idle_heartbeat: ___,
    filter_subjects,
    opt_start_seq,
    opt_start_time,
    deliver_policy: policy,
    replay_policy,
    headers_only,
    inactive_threshold = millis(INACTIVE),
    ...foreign
  }: OrderedPushConsumerOptions = options;
  // C-ADR17-1
  const [name] = Object.keys(foreign);
  if (name !== undefined) {
    throw new InvalidArgumentError(
      `${name} is no option of an ordered consumer: it is set so that the order holds`,
    );
  }
  check(inactive_threshold > 0, "inactive_threshold", inactive_threshold, "milliseconds, more than 0");
  const start = opt_start_seq === undefined ? undefined : "by_start_sequence";
  const deliver_policy = policy ?? (opt_start_time === undefined ? (start ?? "all") : "by_start_time");
  const filters = [filter_subjects ?? []].flat();
  // without a filter the server refuses it
  if (deliver_policy === "last_per_subject" && filters.length === 0) filters.push(">");
  return orderedBase(filters, {
    inactive_threshold: nanos(inactive_threshold),
    deliver_policy,
    ...(opt_start_seq !== undefined && { opt_start_seq }),
    ...(opt_start_time !== undefined && { opt_start_time }),
    ...(replay_policy !== undefined && { replay_policy }),
    ...(headers_only !== undefined && { headers_only }),
  });
}

/** The same of what needs no check: which subjects, and the fields that differ, as on the wire. */
export function orderedBase(filters: string[], config: ConsumerConfig): ConsumerConfig {
  return {
    ack_policy: "none",
    max_deliver: 1,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: INACTIVE,
    ...config,
    ...(filters.length === 1 && { filter_subject: filters[0] as string }),
    ...(filters.length > 1 && { filter_subjects: filters }),
  };
}

/** What makes them push consumers; `idle_heartbeat` in milliseconds. */
export function pushedConfig(idle_heartbeat: number): ConsumerConfig {
  return { flow_control: true, idle_heartbeat: nanos(idle_heartbeat), ack_wait: nanos(ACK_WAIT) };
}
