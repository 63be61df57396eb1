// Ordered: consumers that deliver every message once and in order, whatever happens, as the user has them (ADR-17).
import { InvalidArgumentError, InvalidOperationError } from "../errors.ts";
import { nanos } from "../lib/nanos.ts";
import { nuid } from "../lib/nuid.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import { OrderedBinding } from "./binding.ts";
import { pulling, setupOf } from "./consumer.ts";
import type {
  Consumer,
  OrderedConsumerOptions,
  OrderedPushConsumerOptions,
  PushConsumer,
} from "./consuming.ts";
import { Exclusive } from "./exclusive.ts";
import type { Engine } from "./flow.ts";
import { validateName } from "./names.ts";
import { limitsOf } from "./pull-plan.ts";
import { Pulls } from "./pulls.ts";

const INACTIVE = 300_000;
// C-ADR17-2: the server's own wait would send again what has no acknowledgement
const ACK_WAIT = 22 * 3_600_000;
const PUSH_HEARTBEAT = 5000;

const KNOWN: readonly string[] = [
  "name_prefix",
  "filter_subjects",
  "deliver_policy",
  "opt_start_seq",
  "opt_start_time",
  "replay_policy",
  "inactive_threshold",
  "headers_only",
  "deliver_prefix",
  "idle_heartbeat",
];

/** The configuration that all consumers of an ordered one have. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
function orderedConfig(options: OrderedConsumerOptions): ConsumerConfig {
  // C-ADR17-1
  const foreign = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (foreign !== undefined) {
    throw new InvalidArgumentError(
      `${foreign} is no option of an ordered consumer: it is set so that the order holds`,
    );
  }
  const {
    opt_start_seq,
    opt_start_time,
    replay_policy,
    headers_only,
    inactive_threshold = INACTIVE,
  } = options;
  if (!(inactive_threshold > 0)) {
    throw new InvalidArgumentError(
      `inactive_threshold is ${String(inactive_threshold)}: give milliseconds, more than 0`,
    );
  }
  const start = opt_start_seq === undefined ? undefined : "by_start_sequence";
  const { deliver_policy = opt_start_time === undefined ? (start ?? "all") : "by_start_time" } = options;
  const filters = [options.filter_subjects ?? []].flat();
  // without a filter the server refuses it
  if (deliver_policy === "last_per_subject" && filters.length === 0) filters.push(">");
  return {
    ack_policy: "none",
    max_deliver: 1,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(inactive_threshold),
    deliver_policy,
    ...(opt_start_seq !== undefined && { opt_start_seq }),
    ...(opt_start_time !== undefined && { opt_start_time }),
    ...(replay_policy !== undefined && { replay_policy }),
    ...(headers_only !== undefined && { headers_only }),
    ...(filters.length === 1 && { filter_subject: filters[0] as string }),
    ...(filters.length > 1 && { filter_subjects: filters }),
  };
}

function bindingOf(
  engine: Engine,
  stream: string,
  { name_prefix = nuid.next() }: OrderedConsumerOptions,
  config: ConsumerConfig,
): OrderedBinding {
  validateName("stream", stream);
  validateName("consumer", name_prefix);
  return new OrderedBinding(engine.api, stream, { prefix: name_prefix, config });
}

// What can be said and done about the consumer that is used now.
function present(engine: Engine, binding: OrderedBinding): Pick<Consumer, "info" | "delete"> {
  const { api } = engine;
  return {
    async info(cached = false) {
      const { info, name } = binding;
      if (info === undefined || name === "") {
        throw new InvalidOperationError(
          "the ordered consumer has none on the server now: consume or fetch first",
        );
      }
      return cached ? info : api.call("CONSUMER.INFO", [binding.stream, name]);
    },
    async delete() {
      const { name } = binding;
      if (name === "") return false;
      return (await api.call("CONSUMER.DELETE", [binding.stream, name])).success;
    },
  };
}

/** @throws {@link NatsError} INVALID_ARGUMENT */
export function orderedConsumer(engine: Engine, stream: string, options: OrderedConsumerOptions): Consumer {
  const binding = bindingOf(engine, stream, options, orderedConfig(options));
  const flows = new Exclusive(engine, "an ordered consumer");
  return {
    ...pulling(
      async (plan, call) => {
        if (call.group !== undefined) {
          throw new InvalidArgumentError(
            "an ordered consumer has no priority groups: leave the option group out",
          );
        }
        return flows.start({
          ...setupOf(engine, call, true),
          binding,
          pulls: new Pulls(plan, limitsOf(undefined), new Map()),
          heartbeat: plan.heartbeat,
        });
      },
      () => undefined,
    ),
    process: () =>
      Promise.reject(
        new InvalidOperationError(
          "consumer.process() acknowledges each message: an ordered consumer has no acknowledgements",
        ),
      ),
    ...present(engine, binding),
  };
}

/** @throws {@link NatsError} INVALID_ARGUMENT, INVALID_SUBJECT */
export function orderedPushConsumer(
  engine: Engine,
  stream: string,
  options: OrderedPushConsumerOptions,
): PushConsumer {
  const { idle_heartbeat = PUSH_HEARTBEAT, deliver_prefix = engine.api.options.watcherPrefix } = options;
  if (!(idle_heartbeat >= 100)) {
    throw new InvalidArgumentError(
      `idle_heartbeat is ${String(idle_heartbeat)}: give milliseconds, 100 or more`,
    );
  }
  const binding = bindingOf(engine, stream, options, {
    ...orderedConfig(options),
    flow_control: true,
    idle_heartbeat: nanos(idle_heartbeat),
    ack_wait: nanos(ACK_WAIT),
  });
  const flows = new Exclusive(engine, "an ordered consumer");
  return {
    consume: async (call = {}) =>
      flows.start({
        ...setupOf(engine, call, true),
        binding,
        inboxPrefix: deliver_prefix,
        heartbeat: idle_heartbeat,
      }),
    ...present(engine, binding),
    isPullConsumer: () => false,
    isPushConsumer: () => true,
  };
}
