// Ordered: consumers that deliver every message once and in order, whatever happens, as the user has them (ADR-17).
import { InvalidArgumentError, InvalidOperationError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { nuid } from "../lib/nuid.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import type { Api } from "./api.ts";
import { OrderedBinding } from "./binding.ts";
import { pulling, setupOf } from "./consumer.ts";
import type {
  OrderedConsumerOptions,
  OrderedPushConsumerOptions,
  PullConsumer,
  PushConsumer,
} from "./consuming.ts";
import { exclusive } from "./exclusive.ts";
import { validateName } from "./names.ts";
import { orderedConfig, pushedConfig } from "./ordered-config.ts";
import { limitsOf } from "./pull-plan.ts";
import { Puller } from "./puller.ts";
import { Pulls } from "./pulls.ts";

const PUSH_HEARTBEAT = 5000;

function bindingOf(
  api: Api,
  stream: string,
  { name_prefix }: OrderedConsumerOptions,
  config: ConsumerConfig,
): OrderedBinding {
  validateName("stream", stream);
  if (name_prefix !== undefined) validateName("consumer", name_prefix);
  // others may have the same prefix, and the server would give both the same consumer
  const prefix = [...(name_prefix === undefined ? [] : [name_prefix]), nuid.next()].join("_");
  return new OrderedBinding(api, stream, { prefix, config });
}

// What can be said and done about the consumer that is used now.
function present(api: Api, binding: OrderedBinding): Pick<PullConsumer, "info" | "delete"> {
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
export function orderedConsumer(api: Api, stream: string, options: OrderedConsumerOptions): PullConsumer {
  const binding = bindingOf(api, stream, options, orderedConfig(options));
  const start = exclusive(api, "an ordered consumer");
  return {
    ...pulling(
      async (plan, call) => {
        if (call.group !== undefined) {
          throw new InvalidArgumentError(
            "an ordered consumer has no priority groups: leave the option group out",
          );
        }
        return start({
          ...setupOf(api, call, true),
          binding,
          pull: (flow) => new Puller(flow, new Pulls(plan, limitsOf(undefined), new Map())),
          heartbeat: plan.heartbeat,
        });
      },
      () => undefined,
    ),
    ...present(api, binding),
  };
}

/** @throws {@link NatsError} INVALID_ARGUMENT, INVALID_SUBJECT */
export function orderedPushConsumer(
  api: Api,
  stream: string,
  options: OrderedPushConsumerOptions,
): PushConsumer {
  const { idle_heartbeat = PUSH_HEARTBEAT, deliver_prefix = api.options.watcherPrefix } = options;
  check(idle_heartbeat >= 100, "idle_heartbeat", idle_heartbeat, "milliseconds, 100 or more");
  const binding = bindingOf(api, stream, options, {
    ...orderedConfig(options),
    ...pushedConfig(idle_heartbeat),
  });
  const start = exclusive(api, "an ordered consumer");
  return {
    consume: async (call = {}) =>
      start({
        ...setupOf(api, call, true),
        binding,
        inboxPrefix: deliver_prefix,
        heartbeat: idle_heartbeat,
      }),
    ...present(api, binding),
    isPullConsumer: () => false,
    isPushConsumer: () => true,
  };
}
