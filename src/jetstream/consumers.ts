// Consumers: the consumers of a JetStream client, by their names or made on the spot; `js.consumers`.
import { InvalidArgumentError, InvalidOperationError } from "../errors.ts";
import { type ConsumerInfo, isPushConsumer } from "../protocol/jetstream/consumer.ts";
import { validateSubscribeSubject } from "../protocol/subject.ts";
import type { Api, ApiOptions } from "./api.ts";
import { pullConsumer } from "./consumer.ts";
import type {
  BoundPushConsumerOptions,
  Consumer,
  OrderedConsumerOptions,
  OrderedPushConsumerOptions,
  PushConsumer,
} from "./consuming.ts";
import { namesOf } from "./names.ts";
import { orderedConsumer, orderedPushConsumer } from "./ordered.ts";
import { boundPushConsumer, pushConsumer } from "./push-consumer.ts";

/** Consumers, to read messages with. None of the calls changes one. */
export interface Consumers {
  /**
   * The pull consumer that has the name.
   * @throws {NatsError} CONSUMER_NOT_FOUND, STREAM_NOT_FOUND, INVALID_OPERATION for a push consumer, and those of a call
   */
  get(stream: string, name: string, options?: ApiOptions): Promise<Consumer>;
  /**
   * An ordered consumer: every message once and in order. It makes itself consumers on the server as it needs them, the first
   * one when it is used.
   * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, and those of a call
   */
  get(stream: string, ordered?: OrderedConsumerOptions, options?: ApiOptions): Promise<Consumer>;
  /** The pull consumer of an info, without asking the server. @throws {NatsError} INVALID_OPERATION */
  getConsumerFromInfo(info: ConsumerInfo): Consumer;
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
  const found = async (
    stream: string,
    name: string,
    push: boolean,
    options?: ApiOptions,
  ): Promise<ConsumerInfo> => {
    const info = await api.call("CONSUMER.INFO", namesOf(stream, name), undefined, options);
    assertKind(info, push);
    return info;
  };
  // an ordered consumer is made when it is used; that its stream is there is good to know before
  const ordered = async <T>(make: T, stream: string, options?: ApiOptions): Promise<T> => {
    await api.call("STREAM.INFO", [stream], undefined, options);
    return make;
  };
  return {
    get: async (stream: string, of?: string | OrderedConsumerOptions, options?: ApiOptions) =>
      typeof of === "string"
        ? pullConsumer(api, await found(stream, of, false, options))
        : ordered(orderedConsumer(api, stream, of ?? {}), stream, options),

    getConsumerFromInfo(info) {
      assertKind(info, false);
      return pullConsumer(api, info);
    },

    getPushConsumer: async (
      stream: string,
      of?: string | OrderedPushConsumerOptions,
      options?: ApiOptions,
    ) =>
      typeof of === "string"
        ? pushConsumer(api, await found(stream, of, true, options))
        : ordered(orderedPushConsumer(api, stream, of ?? {}), stream, options),

    // oxlint-disable-next-line require-await -- what is thrown shall be a rejection
    async getBoundPushConsumer(options) {
      validateSubscribeSubject(options.deliver_subject, "deliver_subject");
      const { idle_heartbeat = 0 } = options;
      if (!(idle_heartbeat >= 0)) {
        throw new InvalidArgumentError(
          `idle_heartbeat is ${String(idle_heartbeat)}: give milliseconds, 0 or more`,
        );
      }
      return boundPushConsumer(api, options);
    },
  };
}

function assertKind(info: ConsumerInfo, push: boolean): void {
  if (isPushConsumer(info) === push) return;
  const { stream_name: stream, name: consumer } = info;
  const [is, call] = push ? ["pull", "consumers.get"] : ["push", "consumers.getPushConsumer"];
  throw new InvalidOperationError(`'${consumer}' is a ${is} consumer: use ${call}()`, { stream, consumer });
}
