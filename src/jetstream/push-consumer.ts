// Push consumer: a consumer that the server sends messages of as they come, as the user has it: one that has a name, or one that
// is used without asking the API. Made by jetstream/consumers.
import { InvalidOperationError } from "../errors.ts";
import { millis } from "../lib/nanos.ts";
import type { ConsumerInfo } from "../protocol/jetstream/consumer.ts";
import type { Api } from "./api.ts";
import { NamedBinding } from "./binding.ts";
import { setupOf } from "./consumer.ts";
import type { BoundPushConsumerOptions, PushConsumer } from "./consuming.ts";
import { exclusive } from "./exclusive.ts";

const kind: Pick<PushConsumer, "isPullConsumer" | "isPushConsumer"> = {
  isPullConsumer: () => false,
  isPushConsumer: () => true,
};

/** The push consumer of an info. */
export function pushConsumer(api: Api, found: ConsumerInfo): PushConsumer {
  let last = found;
  const { stream_name: stream, name } = found;
  const {
    deliver_subject: subject = "",
    deliver_group: queue,
    idle_heartbeat = 0,
    ack_policy,
  } = found.config;
  const start = exclusive(api, `the push consumer '${name}'`);
  const info = async (): Promise<ConsumerInfo> => (last = await api.call("CONSUMER.INFO", [stream, name]));
  return {
    async consume(options = {}) {
      // C-ADR15-8: each would get every message
      if (queue === undefined && (await info()).push_bound === true) {
        throw new InvalidOperationError(
          `somebody receives the messages of the push consumer '${name}' already: give it a deliver_group to share them`,
          { stream, consumer: name },
        );
      }
      return start({
        ...setupOf(api, options, ack_policy === "none"),
        binding: new NamedBinding(api, stream, name, true),
        deliver: { subject, queue },
        // C-ADR15-7: members of a group get none that they could count on
        heartbeat: queue === undefined ? millis(idle_heartbeat) : 0,
      });
    },
    info: async (cached = false) => (cached ? last : info()),
    delete: async () => (await api.call("CONSUMER.DELETE", [stream, name])).success,
    ...kind,
  };
}

/** A push consumer that only its subject is known of. */
export function boundPushConsumer(api: Api, options: BoundPushConsumerOptions): PushConsumer {
  const { deliver_subject: subject, deliver_group: queue, idle_heartbeat = 0, callback } = options;
  const start = exclusive(api, `the push consumer on '${subject}'`);
  const unknown = (): Promise<never> =>
    Promise.reject(
      new InvalidOperationError(
        `of a bound push consumer only its subject is known, '${subject}': ask jsm.consumers`,
      ),
    );
  return {
    consume: async (call = {}) =>
      start({
        ...setupOf(api, callback === undefined ? call : { callback, ...call }, false),
        binding: new NamedBinding(api, "", "", false),
        deliver: { subject, queue },
        heartbeat: queue === undefined ? idle_heartbeat : 0,
      }),
    info: unknown,
    delete: unknown,
    ...kind,
  };
}
