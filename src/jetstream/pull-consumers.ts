// Pull consumers: consumers to pull messages from, by their names or made on the spot.
import { InvalidOperationError } from "../errors.ts";
import { type ConsumerInfo, isPushConsumer } from "../protocol/jetstream/consumer.ts";
import type { Api, ApiOptions } from "./api.ts";
import { pullConsumer } from "./consumer.ts";
import type { OrderedConsumerOptions, PullConsumer } from "./consuming.ts";
import { namesOf } from "./names.ts";
import { orderedConsumer } from "./ordered.ts";

/** Consumers to pull messages from. None of the calls changes one. */
export interface PullConsumers<T extends PullConsumer = PullConsumer> {
  /**
   * The pull consumer that has the name.
   * @throws {NatsError} CONSUMER_NOT_FOUND, STREAM_NOT_FOUND, INVALID_OPERATION for a push consumer, and those of a call
   */
  get(stream: string, name: string, options?: ApiOptions): Promise<T>;
  /**
   * An ordered consumer: every message once and in order. It makes itself consumers on the server as it needs them, the first
   * one when it is used.
   * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, and those of a call
   */
  get(stream: string, ordered?: OrderedConsumerOptions, options?: ApiOptions): Promise<T>;
  /** The pull consumer of an info, without asking the server. @throws {NatsError} INVALID_OPERATION */
  getConsumerFromInfo(info: ConsumerInfo): T;
}

/** The pull consumers behind an API. */
export function pullConsumersOf(api: Api): PullConsumers {
  return {
    get: async (stream: string, of?: string | OrderedConsumerOptions, options?: ApiOptions) =>
      typeof of === "string"
        ? pullConsumer(api, await findConsumer(api, stream, of, false, options))
        : whereStream(orderedConsumer(api, stream, of ?? {}), api, stream, options),

    getConsumerFromInfo(info) {
      assertKind(info, false);
      return pullConsumer(api, info);
    },
  };
}

/** The info of the consumer that has the name, which must be of the kind. */
export async function findConsumer(
  api: Api,
  stream: string,
  name: string,
  push: boolean,
  options?: ApiOptions,
): Promise<ConsumerInfo> {
  const info = await api.call("CONSUMER.INFO", namesOf(stream, name), undefined, options);
  assertKind(info, push);
  return info;
}

/** An ordered consumer is made when it is used; that its stream is there is good to know before. */
export async function whereStream<T>(ordered: T, api: Api, stream: string, options?: ApiOptions): Promise<T> {
  await api.call("STREAM.INFO", [stream], undefined, options);
  return ordered;
}

function assertKind(info: ConsumerInfo, push: boolean): void {
  if (isPushConsumer(info) === push) return;
  const { stream_name: stream, name: consumer } = info;
  const [is, call] = push ? ["pull", "consumers.get"] : ["push", "consumers.getPushConsumer"];
  throw new InvalidOperationError(`'${consumer}' is a ${is} consumer: use ${call}()`, { stream, consumer });
}
