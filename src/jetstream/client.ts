// Client: what jetstream() gives.
import type { NatsConnection, Payload } from "../client/connection.ts";
import { Api, type ApiOptions } from "./api.ts";
import { type Batch, startBatch } from "./batch.ts";
import { type Consumers, consumersOf } from "./consumers.ts";
import { type FastIngest, type FastIngestOptions, startFastIngest } from "./fast-ingest.ts";
import { type JetStreamLite, liteOf } from "./lite.ts";
import { createManager, type JetStreamManager } from "./manager.ts";
import { prepare } from "./prepare.ts";
import type { PubAck } from "./pub-ack.ts";
import { publish } from "./publish.ts";
import type { JetStreamPublishOptions } from "./publish-options.ts";
import { type JetStreamPublisher, Publisher, type PublisherOptions } from "./publisher.ts";
import { type JetStreamManagerOptions, type JetStreamOptions, resolveOptions } from "./options.ts";
import { type StreamAPI, streamApi } from "./stream-api.ts";

/** JetStream for those who store and read messages. */
export interface JetStreamClient extends JetStreamLite {
  /** consumers, to read messages with */
  readonly consumers: Consumers;
  publish(subject: string, payload?: Payload, options?: JetStreamPublishOptions): Promise<PubAck>;
  /** streams by their name */
  readonly streams: Pick<StreamAPI, "get">;
  /**
   * A publisher with many messages in flight, each with an ack of its own.
   *
   * @throws {NatsError} INVALID_ARGUMENT, CLOSED, DRAINING
   */
  publisher(options?: PublisherOptions): JetStreamPublisher;
  /**
   * Begin an atomic batch with its first message. The stream must have `allow_atomic`. Server 2.12.
   *
   * @throws {NatsError} those of `publish`
   */
  startBatch(subject: string, payload?: Payload, options?: JetStreamPublishOptions): Promise<Batch>;
  /**
   * Begin a batch that is stored as it comes, with one ack for many messages. The stream must have `allow_batched`. Server 2.14.
   *
   * @throws {NatsError} those of `publish`
   */
  startFastIngest(subject: string, payload?: Payload, options?: FastIngestOptions): Promise<FastIngest>;
  /**
   * A manager with the same options. It asks for the account info first, unless `checkAPI` is false.
   * @throws {NatsError} JETSTREAM_NOT_ENABLED, TIMEOUT, and those of `request`
   */
  jetstreamManager(checkAPI?: boolean, options?: ApiOptions): Promise<JetStreamManager>;
}

/** The client behind an API. */
function createClient(api: Api): JetStreamClient {
  const self: JetStreamClient = {
    ...liteOf(api),
    publish: (subject, payload, options = {}) => publish(api, subject, payload, options, prepare),
    consumers: consumersOf(api),
    streams: streamApi(api),
    publisher: (options) => new Publisher(api, options),
    startBatch: (subject, payload, options) => startBatch(api, subject, payload, options),
    startFastIngest: (subject, payload, options) => startFastIngest(api, subject, payload, options),
    async jetstreamManager(checkAPI = true, options) {
      const jsm = createManager(api, self);
      if (checkAPI) await jsm.getAccountInfo(options);
      return jsm;
    },
  };
  return self;
}

/**
 * JetStream over a connection. Nothing is sent before the first call.
 *
 * @throws {NatsError} INVALID_ARGUMENT, INVALID_SUBJECT
 */
export function jetstream(nc: NatsConnection, options?: JetStreamOptions): JetStreamClient {
  return createClient(new Api(nc, resolveOptions(options)));
}

/**
 * The manager of the streams and consumers of an account. It asks for the account info first, unless `checkAPI` is false.
 *
 * @example
 * const jsm = await jetstreamManager(nc);
 * await jsm.streams.add({ name: "ORDERS", subjects: ["orders.>"] });
 *
 * @throws {NatsError} JETSTREAM_NOT_ENABLED, TIMEOUT, INVALID_ARGUMENT, INVALID_SUBJECT, and those of `request`
 */
export async function jetstreamManager(
  nc: NatsConnection,
  options: JetStreamManagerOptions = {},
): Promise<JetStreamManager> {
  const { checkAPI, ...rest } = options;
  return jetstream(nc, rest).jetstreamManager(checkAPI);
}
