// Consumer API: the part of the API that is about consumers; `jsm.consumers`.
import { check } from "../lib/check.ts";
import type { ConsumerResetResponse, PauseResponse } from "../protocol/jetstream/api.ts";
import type { ConsumerConfig, ConsumerInfo, ConsumerUpdateConfig } from "../protocol/jetstream/consumer.ts";
import type { Placement } from "../protocol/jetstream/stream.ts";
import type { Api, ApiOptions } from "./api.ts";
import { type Changes, type ConfigOptions, merged } from "./config.ts";
import { createConsumer } from "./consumer-create.ts";
import { resetConsumer } from "./consumer-reset.ts";
import { requireLevel } from "./gates.ts";
import { lister, type Lister } from "./lister.ts";
import { namesOf, validateName } from "./names.ts";

/**
 * The consumers of a stream. All calls reject with {@link JetStreamApiError} and its subclasses for what the server says, and
 * with the codes `JETSTREAM_NOT_ENABLED`, `TIMEOUT`, `ABORTED`, `CLOSED`, `DRAINING`, `PERMISSION_VIOLATION`; `INVALID_ARGUMENT`
 * for names that can't be sent, and `UNSUPPORTED` for what the server is too old for.
 */
export interface ConsumerAPI {
  /**
   * Make a consumer. Its name is `durable_name`, or `name`, or one that is made up. One that exists with this very configuration
   * is as good, where the server says so.
   *
   * A pull consumer without `ack_policy` gets `explicit`.
   * @throws {NatsError} CONSUMER_EXISTS, STREAM_NOT_FOUND, UNSUPPORTED
   */
  add(stream: string, config: ConsumerConfig, options?: ConfigOptions): Promise<ConsumerInfo>;
  /** Make a consumer, or replace the configuration of the one that has the name. */
  addOrUpdate(stream: string, config: ConsumerConfig, options?: ConfigOptions): Promise<ConsumerInfo>;
  /**
   * Change some of the configuration; the rest stays. `null` takes a field back to its default. Fetches the configuration first:
   * {@link ConsumerAPI.addOrUpdate} replaces it without.
   * @throws {NatsError} CONSUMER_NOT_FOUND, STREAM_NOT_FOUND, UNSUPPORTED
   */
  update(
    stream: string,
    consumer: string,
    changes: Changes<ConsumerUpdateConfig>,
    options?: ConfigOptions,
  ): Promise<ConsumerInfo>;
  /** What the server knows of it. @throws {NatsError} CONSUMER_NOT_FOUND, STREAM_NOT_FOUND */
  info(stream: string, consumer: string, options?: ApiOptions): Promise<ConsumerInfo>;
  /** Infos of all consumers of a stream. */
  list(stream: string, options?: ApiOptions): Lister<ConsumerInfo>;
  /** Names of all consumers of a stream. */
  names(stream: string, options?: ApiOptions): Lister<string>;
  /** Remove it. @throws {NatsError} CONSUMER_NOT_FOUND, STREAM_NOT_FOUND */
  delete(stream: string, consumer: string, options?: ApiOptions): Promise<boolean>;
  /** Deliver nothing until then. Server 2.11. @throws {NatsError} INVALID_ARGUMENT, UNSUPPORTED, CONSUMER_NOT_FOUND */
  pause(stream: string, consumer: string, until: Date, options?: ApiOptions): Promise<PauseResponse>;
  /** End a pause. Server 2.11. @throws {NatsError} UNSUPPORTED, CONSUMER_NOT_FOUND */
  resume(stream: string, consumer: string, options?: ApiOptions): Promise<PauseResponse>;
  /** Take its place from the pinned client of a priority group. Server 2.11. @throws {NatsError} UNSUPPORTED */
  unpin(stream: string, consumer: string, group: string, options?: ApiOptions): Promise<void>;
  /**
   * Send it back to what it has no acknowledgement for, or so that the message `seq` or the one after it is the next. Deliveries
   * count from 1 again. Server 2.14.
   * @throws {NatsError} UNSUPPORTED, CONSUMER_NOT_FOUND, STREAM_NOT_FOUND
   */
  reset(
    stream: string,
    consumer: string,
    seq?: number | bigint,
    options?: ApiOptions,
  ): Promise<ConsumerResetResponse>;
  /** Have another server lead it, where `placement` says (server 2.11). Clusters only. */
  stepDown(stream: string, consumer: string, placement?: Placement, options?: ApiOptions): Promise<boolean>;
  /** Take its replica from a server, by the server's name. Clusters only. Server 2.15. */
  removePeer(stream: string, consumer: string, peer: string, options?: ApiOptions): Promise<boolean>;
  /** The same, but the replica stays until the other one has all. Server 2.15. */
  evacuatePeer(stream: string, consumer: string, peer: string, options?: ApiOptions): Promise<boolean>;
}

/** The consumers behind an API. */
export function consumerApi(api: Api): ConsumerAPI {
  const paused = async (
    names: [string, string],
    pause_until: string | undefined,
    options: ApiOptions | undefined,
  ): Promise<PauseResponse> => {
    await requireLevel(api, [["the pause of a consumer", 1]], options);
    return api.call("CONSUMER.PAUSE", names, pause_until === undefined ? {} : { pause_until }, options);
  };

  const moved = async (
    verb: "CONSUMER.PEER.REMOVE" | "CONSUMER.PEER.EVACUATE",
    stream: string,
    consumer: string,
    peer: string,
    options?: ApiOptions,
  ): Promise<boolean> => {
    const names = namesOf(stream, consumer);
    await requireLevel(api, [[verb, 5]], options);
    return (await api.call(verb, names, { peer }, options)).success;
  };

  const self: ConsumerAPI = {
    add: (stream, config, options) => createConsumer(api, stream, config, "create", options),

    addOrUpdate: (stream, config, options) => createConsumer(api, stream, config, undefined, options),

    async update(stream, consumer, changes, options) {
      const { timeout, signal } = options ?? {};
      const { config } = await self.info(stream, consumer, { timeout, signal });
      // one filter takes the place of the other kind
      const { filter_subject, filter_subjects } = changes;
      const made = merged(config, {
        ...(filter_subject && { filter_subjects: null }),
        ...(filter_subjects && { filter_subject: null }),
        ...changes,
      });
      return createConsumer(api, stream, { name: consumer, ...made }, "update", options);
    },

    info: async (stream, consumer, options) =>
      api.call("CONSUMER.INFO", namesOf(stream, consumer), undefined, options),

    list: (stream, options) =>
      lister(async (offset) => {
        validateName("stream", stream);
        return api.call("CONSUMER.LIST", [stream], { offset }, options);
      }),

    names: (stream, options) =>
      lister(async (offset) => {
        validateName("stream", stream);
        return api.call("CONSUMER.NAMES", [stream], { offset }, options);
      }),

    delete: async (stream, consumer, options) =>
      (await api.call("CONSUMER.DELETE", namesOf(stream, consumer), undefined, options)).success,

    async pause(stream, consumer, until, options) {
      const names = namesOf(stream, consumer);
      check(until instanceof Date && +until > 0, "until", until, "a Date");
      return paused(names, until.toISOString(), options);
    },

    resume: async (stream, consumer, options) => paused(namesOf(stream, consumer), undefined, options),

    async unpin(stream, consumer, group, options) {
      const names = namesOf(stream, consumer);
      await requireLevel(api, [["unpin", 1]], options);
      await api.call("CONSUMER.UNPIN", names, { group }, options);
    },

    reset: async (stream, consumer, seq, options) =>
      resetConsumer(api, namesOf(stream, consumer), seq, options),

    async stepDown(stream, consumer, placement, options) {
      const names = namesOf(stream, consumer);
      if (placement) await requireLevel(api, [["placement of a leader", 1]], options);
      const request = placement && { placement };
      return (await api.call("CONSUMER.LEADER.STEPDOWN", names, request, options)).success;
    },

    removePeer: (...of) => moved("CONSUMER.PEER.REMOVE", ...of),

    evacuatePeer: (...of) => moved("CONSUMER.PEER.EVACUATE", ...of),
  };
  return self;
}
