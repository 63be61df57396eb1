// Stream: one stream, known by its name.
import type { ConsumerResetResponse, MsgGetRequest } from "../protocol/jetstream/api.ts";
import type { StreamAlternate, StreamInfo } from "../protocol/jetstream/stream.ts";
import type { Api, ApiOptions } from "./api.ts";
import { consumersOf } from "./consumers.ts";
import type {
  Consumer,
  OrderedConsumerOptions,
  OrderedPushConsumerOptions,
  PushConsumer,
} from "./consuming.ts";
import { resetConsumer } from "./consumer-reset.ts";
import { namesOf } from "./names.ts";
import type { StoredMsg } from "./stored.ts";
import type { StreamAPI } from "./stream-api.ts";
import type { StreamInfoOptions } from "./stream-info.ts";

/** A stream. Each call rejects with code `STREAM_NOT_FOUND` once it is gone. */
export interface Stream {
  /** its name */
  readonly name: string;
  /** What the server knows of it; with `cached` what was fetched last. */
  info(cached?: boolean, options?: StreamInfoOptions): Promise<StreamInfo>;
  /** The streams that have the same messages, the nearest first: this one and its mirrors. */
  alternates(options?: ApiOptions): Promise<StreamAlternate[]>;
  /** The nearest of them. */
  best(options?: ApiOptions): Promise<Stream>;
  /** See {@link StreamAPI.getMessage}. */
  getMessage(query: MsgGetRequest, options?: ApiOptions): Promise<StoredMsg | null>;
  /** See {@link StreamAPI.deleteMessage}. */
  deleteMessage(seq: number | bigint, erase?: boolean, options?: ApiOptions): Promise<boolean>;
  /** See {@link Consumers.get}: a consumer of this stream by its name, or an ordered one. */
  getConsumer(consumer?: string | OrderedConsumerOptions, options?: ApiOptions): Promise<Consumer>;
  /** See {@link Consumers.getPushConsumer}. */
  getPushConsumer(
    consumer?: string | OrderedPushConsumerOptions,
    options?: ApiOptions,
  ): Promise<PushConsumer>;
  /** See {@link ConsumerAPI.reset}. */
  resetConsumer(name: string, seq?: number | bigint, options?: ApiOptions): Promise<ConsumerResetResponse>;
}

/** The stream of an info. */
export function openStream(api: Api, streams: StreamAPI, first: StreamInfo): Stream {
  let last = first;
  const { name } = first.config;
  const consumers = consumersOf(api);
  const fetch = async (options?: StreamInfoOptions): Promise<StreamInfo> =>
    (last = await streams.info(name, options));
  const self: Stream = {
    name,
    info: (cached = false, options) => (cached ? Promise.resolve(last) : fetch(options)),
    alternates: async (options) => (await fetch(options)).alternates ?? [],
    async best(options) {
      const [nearest] = await self.alternates(options);
      return nearest === undefined || nearest.name === name ? self : streams.get(nearest.name, options);
    },
    getMessage: (query, options) => streams.getMessage(name, query, options),
    deleteMessage: (seq, erase, options) => streams.deleteMessage(name, seq, erase, options),
    getConsumer: (consumer, options) =>
      typeof consumer === "string"
        ? consumers.get(name, consumer, options)
        : consumers.get(name, consumer, options),
    getPushConsumer: (consumer, options) =>
      typeof consumer === "string"
        ? consumers.getPushConsumer(name, consumer, options)
        : consumers.getPushConsumer(name, consumer, options),
    resetConsumer: async (consumer, seq, options) =>
      resetConsumer(api, namesOf(name, consumer), seq, options),
  };
  return self;
}
