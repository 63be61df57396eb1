// Manager: everything about the streams and consumers of an account; what jetstreamManager() gives.
import type { JetStreamAccountStats } from "../protocol/jetstream/account.ts";
import { type Advisories, type AdvisoryOptions, listen } from "./advisories.ts";
import type { Api, ApiOptions } from "./api.ts";
import type { JetStreamClient } from "./client.ts";
import { type ConsumerAPI, consumerApi } from "./consumer-api.ts";
import { directApi, type DirectStreamAPI } from "./direct.ts";
import type { JetStreamOptions } from "./options.ts";
import { type StreamAPI, streamApi } from "./stream-api.ts";

/** Looks after the streams and consumers of an account. */
export interface JetStreamManager {
  /** everything about streams */
  readonly streams: StreamAPI;
  /** everything about consumers */
  readonly consumers: ConsumerAPI;
  /** messages from any replica or mirror of a stream */
  readonly direct: DirectStreamAPI;
  /**
   * What the account uses and may use.
   * @throws {NatsError} JETSTREAM_NOT_ENABLED, TIMEOUT, and those of `request`
   */
  getAccountInfo(options?: ApiOptions): Promise<JetStreamAccountStats>;
  /**
   * What happens to streams and consumers from now on; only in the `domain`, where one was given.
   * @throws {NatsError} CLOSED, DRAINING, INVALID_SUBJECT
   */
  advisories(options?: AdvisoryOptions): Advisories;
  /** The options, as they were given. */
  getOptions(): JetStreamOptions;
  /** A client with the same options. */
  jetstream(): JetStreamClient;
}

/** The manager behind an API; `client` is the one it gives. */
export function createManager(api: Api, client: JetStreamClient): JetStreamManager {
  return {
    streams: streamApi(api),
    consumers: consumerApi(api),
    direct: directApi(api),
    getAccountInfo: (options) => api.accountInfo(options),
    advisories: (options) => listen(api, options),
    getOptions: () => ({ ...api.options.given }),
    jetstream: () => client,
  };
}
