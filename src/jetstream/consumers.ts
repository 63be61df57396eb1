// Consumers: all consumers of a JetStream client, with what is built upon them; `js.consumers`.
import { InvalidOperationError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { validateSubscribeSubject } from "../protocol/subject.ts";
import type { Api, ApiOptions } from "./api.ts";
import type {
  BoundPushConsumerOptions,
  Consumer,
  OrderedConsumerOptions,
  OrderedPushConsumerOptions,
  PullConsumer,
  PushConsumer,
} from "./consuming.ts";
import { orderedPushConsumer } from "./ordered.ts";
import { startProcessing } from "./processing.ts";
import { findConsumer, type PullConsumers, pullConsumersOf, whereStream } from "./pull-consumers.ts";
import { boundPushConsumer, pushConsumer } from "./push-consumer.ts";

/** Consumers, to read messages with. None of the calls changes one. */
export interface Consumers extends PullConsumers<Consumer> {
  /** The push consumer that has the name. @throws {NatsError} as `get` */
  getPushConsumer(stream: string, name: string, options?: ApiOptions): Promise<PushConsumer>;
  /** An ordered consumer that is pushed to. @throws {NatsError} as `get` */
  getPushConsumer(
    stream: string,
    ordered?: OrderedPushConsumerOptions,
    options?: ApiOptions,
  ): Promise<PushConsumer>;
  /**
   * A push consumer of which only the subject is known, for those who may not ask the API.
   * @throws {NatsError} INVALID_SUBJECT, INVALID_ARGUMENT
   */
  getBoundPushConsumer(options: BoundPushConsumerOptions): Promise<PushConsumer>;
}

/** The consumers behind an API. */
export function consumersOf(api: Api): Consumers {
  const pull = pullConsumersOf(api);
  const processing = (consumer: PullConsumer): Consumer => ({
    ...consumer,
    process: (handler, options = {}) => startProcessing(api, consumer, handler, options),
  });
  const unacknowledged = (consumer: PullConsumer): Consumer => ({
    ...consumer,
    process: () =>
      Promise.reject(
        new InvalidOperationError(
          "consumer.process() acknowledges each message: an ordered consumer has no acknowledgements",
        ),
      ),
  });
  return {
    get: async (stream: string, of?: string | OrderedConsumerOptions, options?: ApiOptions) =>
      typeof of === "string"
        ? processing(await pull.get(stream, of, options))
        : unacknowledged(await pull.get(stream, of, options)),

    getConsumerFromInfo: (info) => processing(pull.getConsumerFromInfo(info)),

    getPushConsumer: async (
      stream: string,
      of?: string | OrderedPushConsumerOptions,
      options?: ApiOptions,
    ) =>
      typeof of === "string"
        ? pushConsumer(api, await findConsumer(api, stream, of, true, options))
        : whereStream(orderedPushConsumer(api, stream, of ?? {}), api, stream, options),

    // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
    async getBoundPushConsumer(options) {
      validateSubscribeSubject(options.deliver_subject, "deliver_subject");
      const { idle_heartbeat = 0 } = options;
      check(idle_heartbeat >= 0, "idle_heartbeat", idle_heartbeat, "milliseconds, 0 or more");
      return boundPushConsumer(api, options);
    },
  };
}
