// Streams: the part of the API that is about streams; `jsm.streams`.
import { InvalidArgumentError } from "../errors.ts";
import { checkWhole } from "../lib/check.ts";
import type {
  ApiCalls,
  MsgGetRequest,
  PurgeRequest,
  PurgeResponse,
  SnapshotInfo,
} from "../protocol/jetstream/api.ts";
import type {
  Placement,
  StreamConfig,
  StreamInfo,
  StreamUpdateConfig,
} from "../protocol/jetstream/stream.ts";
import { validateSubscribeSubject } from "../protocol/subject.ts";
import type { Api, ApiOptions } from "./api.ts";
import { StreamExistsError, StreamNotFoundError } from "./api-error.ts";
import { type Changes, type ConfigOptions, merged, requestOf } from "./config.ts";
import { messageGates, requireLevel } from "./gates.ts";
import { lister, type Lister } from "./lister.ts";
import { getMessage } from "./message-get.ts";
import { validateName } from "./names.ts";
import {
  restore,
  type RestoreOptions,
  snapshot,
  type SnapshotOptions,
  type SnapshotSource,
  type StreamSnapshot,
} from "./snapshot.ts";
import type { StoredMsg } from "./stored.ts";
import { openStream, type Stream } from "./stream.ts";
import { createStream } from "./stream-create.ts";
import { type StreamInfoOptions, streamInfo } from "./stream-info.ts";

/** What to purge, and how long to wait for it. */
export interface PurgeOptions extends ApiOptions, PurgeRequest {}

/**
 * The streams of an account. All calls reject with {@link JetStreamApiError} and its subclasses for what the server says, and
 * with the codes `JETSTREAM_NOT_ENABLED`, `TIMEOUT`, `ABORTED`, `CLOSED`, `DRAINING`, `PERMISSION_VIOLATION`; `INVALID_ARGUMENT`
 * for names that can't be sent, and `UNSUPPORTED` for what the server is too old for.
 */
export interface StreamAPI {
  /**
   * Make a stream. A stream that exists with this very configuration is as good.
   * @throws {NatsError} STREAM_EXISTS, UNSUPPORTED
   */
  add(config: StreamConfig, options?: ConfigOptions): Promise<StreamInfo>;
  /**
   * Change some of the configuration; the rest stays. `null` takes a field back to its default. Fetches the configuration first:
   * {@link StreamAPI.addOrUpdate} replaces it without.
   * @throws {NatsError} STREAM_NOT_FOUND, UNSUPPORTED
   */
  update(name: string, changes: Changes<StreamUpdateConfig>, options?: ConfigOptions): Promise<StreamInfo>;
  /** Make a stream, or replace the configuration of the one that has the name: what is not given becomes the default. */
  addOrUpdate(config: StreamConfig, options?: ConfigOptions): Promise<StreamInfo>;
  /**
   * What the server knows of it. All subjects that `subjects_filter` matches are fetched, page by page.
   * @throws {NatsError} STREAM_NOT_FOUND
   */
  info(name: string, options?: StreamInfoOptions): Promise<StreamInfo>;
  /** Infos of all streams, or of those that store something the subject matches. */
  list(subject?: string, options?: ApiOptions): Lister<StreamInfo>;
  /** Names of all streams, or of those that store something the subject matches. */
  names(subject?: string, options?: ApiOptions): Lister<string>;
  /**
   * The name of the one stream that stores the subject.
   * @throws {NatsError} STREAM_NOT_FOUND when there is none, or several; INVALID_SUBJECT
   */
  find(subject: string, options?: ApiOptions): Promise<string>;
  /**
   * Remove messages: all, those of a `filter`, those before a `seq`, or all but the last so many (`keep`).
   * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, INVALID_SUBJECT
   */
  purge(name: string, options?: PurgeOptions): Promise<PurgeResponse>;
  /** Remove it with all its messages and consumers. @throws {NatsError} STREAM_NOT_FOUND */
  delete(name: string, options?: ApiOptions): Promise<boolean>;
  /**
   * One message, from the leader: what was acknowledged to a publisher is there. null where there is none.
   * @throws {NatsError} STREAM_NOT_FOUND, UNSUPPORTED
   */
  getMessage(name: string, query: MsgGetRequest, options?: ApiOptions): Promise<StoredMsg | null>;
  /**
   * Remove one message; with `erase` (default) its bytes are overwritten.
   * @throws {NatsError} STREAM_NOT_FOUND, MESSAGE_NOT_FOUND
   */
  deleteMessage(name: string, seq: number | bigint, erase?: boolean, options?: ApiOptions): Promise<boolean>;
  /** A stream by its name. @throws {NatsError} STREAM_NOT_FOUND */
  get(name: string, options?: ApiOptions): Promise<Stream>;
  /**
   * Begin a snapshot: the stream with its messages and, unless `no_consumers` is set, its consumers, as bytes for
   * {@link StreamAPI.restore}. Any client can restore them; a server of 2.14 or before none that one of 2.15 made.
   * @throws {NatsError} STREAM_NOT_FOUND
   */
  snapshot(name: string, options?: SnapshotOptions): Promise<StreamSnapshot>;
  /**
   * Make a stream of a snapshot: `config` and `state` are those it came with, where the configuration may have changes. `source`
   * has its chunks, of any size; it is cancelled when the restore fails.
   * @throws {NatsError} STREAM_EXISTS, JETSTREAM_API, TIMEOUT
   */
  restore(snapshot: SnapshotInfo, source: SnapshotSource, options?: RestoreOptions): Promise<StreamInfo>;
  /** Have another server lead it, where `placement` says (server 2.11). Clusters only. */
  stepDown(name: string, placement?: Placement, options?: ApiOptions): Promise<boolean>;
  /** Take its replica from a server, by the server's name; another one takes over. Clusters only. */
  removePeer(name: string, peer: string, options?: ApiOptions): Promise<boolean>;
  /** The same, but the replica stays until the other one has all. Server 2.15. */
  evacuatePeer(name: string, peer: string, options?: ApiOptions): Promise<boolean>;
  /** Have its replicas stay where they were when a move of them began. Clusters only. Server 2.15. */
  cancelMove(name: string, options?: ApiOptions): Promise<StreamInfo>;
}

/** The streams behind an API. */
export function streamApi(api: Api): StreamAPI {
  const moved = async <V extends "STREAM.PEER.EVACUATE" | "STREAM.CANCEL_MOVE">(
    verb: V,
    name: string,
    request: ApiCalls[V]["request"],
    options: ApiOptions | undefined,
  ): Promise<ApiCalls[V]["reply"]> => {
    validateName("stream", name);
    await requireLevel(api, [[verb, 5]], options);
    return api.call(verb, [name], request, options);
  };

  const self: StreamAPI = {
    add: (config, options) => createStream(api, "STREAM.CREATE", config, options),

    async update(name, changes, options) {
      const { timeout, signal } = options ?? {};
      const { config } = await streamInfo(api, name, { timeout, signal });
      return createStream(api, "STREAM.UPDATE", merged(config, changes), options);
    },

    async addOrUpdate(config, options) {
      try {
        return await createStream(api, "STREAM.CREATE", config, options);
      } catch (error) {
        if (!(error instanceof StreamExistsError)) throw error;
        return createStream(api, "STREAM.UPDATE", config, options);
      }
    },

    info: (name, options) => streamInfo(api, name, options),

    list: (subject, options) => lister((offset) => api.call("STREAM.LIST", [], { offset, subject }, options)),

    names: (subject, options) =>
      lister((offset) => api.call("STREAM.NAMES", [], { offset, subject }, options)),

    async find(subject, options) {
      // without one the server tells of all streams
      validateSubscribeSubject(subject);
      const found = await self.names(subject, options).next();
      const [name] = found;
      if (name !== undefined && found.length === 1) return name;
      const description =
        name === undefined
          ? `no stream stores '${subject}'`
          : `'${subject}' is stored by several streams: ${found.join(", ")}`;
      throw new StreamNotFoundError({ code: 404, err_code: 10059, description }, { subject });
    },

    async purge(name, given = {}) {
      validateName("stream", name);
      const [request, options] = requestOf(given);
      const { filter, seq, keep } = request;
      if (seq !== undefined && keep !== undefined) {
        throw InvalidArgumentError.format(["seq", "keep"], "are mutually exclusive");
      }
      // to the server an empty filter and a 0 are as if nothing was said: it would take all
      if (filter !== undefined) validateSubscribeSubject(filter, "filter");
      checkWhole("seq", seq, 1);
      checkWhole("keep", keep, 0);
      return api.call("STREAM.PURGE", [name], request, options);
    },

    async delete(name, options) {
      validateName("stream", name);
      return (await api.call("STREAM.DELETE", [name], undefined, options)).success;
    },

    async getMessage(name, query, options) {
      await requireLevel(api, messageGates(query), options);
      return getMessage(api, name, query, options);
    },

    async deleteMessage(name, seq, erase = true, options) {
      validateName("stream", name);
      const request = { seq, ...(!erase && { no_erase: true }) };
      return (await api.call("STREAM.MSG.DELETE", [name], request, options)).success;
    },

    async get(name, options) {
      return openStream(api, self, await streamInfo(api, name, options));
    },

    snapshot: (name, options) => snapshot(api, name, options),

    restore: ({ config, state }, source, options) => restore(api, { config, state }, source, options),

    async stepDown(name, placement, options) {
      validateName("stream", name);
      if (placement) await requireLevel(api, [["placement of a leader", 1]], options);
      const request = placement && { placement };
      return (await api.call("STREAM.LEADER.STEPDOWN", [name], request, options)).success;
    },

    async removePeer(name, peer, options) {
      validateName("stream", name);
      return (await api.call("STREAM.PEER.REMOVE", [name], { peer }, options)).success;
    },

    evacuatePeer: async (name, peer, options) =>
      (await moved("STREAM.PEER.EVACUATE", name, { peer }, options)).success,

    cancelMove: (name, options) => moved("STREAM.CANCEL_MOVE", name, undefined, options),
  };
  return self;
}
