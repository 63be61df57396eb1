// Direct: messages from any replica or mirror of a stream, without the leader; `jsm.direct`.
import type { WaitOptions } from "../client/connection.ts";
import { InvalidArgumentError } from "../errors.ts";
import { checkWhole } from "../lib/check.ts";
import type { DirectGetRequest } from "../protocol/jetstream/api.ts";
import type { Api } from "./api.ts";
import { directBatch, type DirectMessages } from "./direct-batch.ts";
import { directGet, type DirectMsgRequest } from "./direct-get.ts";
import { messageGates, requireLevel } from "./gates.ts";
import type { DirectMsg } from "./stored.ts";

/** Which messages to get: those from `seq` (default 1) or `start_time` on, of `next_by_subj` where it is given. */
export type DirectBatchRequest = Pick<
  DirectGetRequest,
  "seq" | "start_time" | "next_by_subj" | "batch" | "max_bytes"
>;

/** Of which subjects to get the last message; at most 1024 subjects may match. */
export type DirectLastRequest = Pick<
  DirectGetRequest,
  "seq" | "up_to_seq" | "up_to_time" | "batch" | "max_bytes"
> & {
  /** the last message of each of these subjects; wildcards allowed */
  multi_last: string[];
};

/**
 * Messages from any replica or mirror of a stream. They are spared the leader, and may lag behind it. The stream must have
 * `allow_direct`, or `mirror_direct`.
 *
 * All calls reject with {@link JetStreamStatusError} for what the server says, with `NO_RESPONDERS` when nobody answers (no such
 * stream, or none that allows it; servers before 2.10 say nothing: `TIMEOUT`), and with the codes of `request`.
 */
export interface DirectStreamAPI {
  /**
   * One message; null where there is none. `last_by_subj` is part of the subject that is asked, so permissions can be about it.
   * @throws {NatsError} JETSTREAM_STATUS, NO_RESPONDERS, TIMEOUT, UNSUPPORTED
   */
  getMessage(stream: string, request: DirectMsgRequest, options?: WaitOptions): Promise<DirectMsg | null>;
  /**
   * Several messages in a row: at most `batch` (default 1024) or `max_bytes` (the server's default is 64 MiB); so much may wait in
   * memory. The `timeout` is for the time between two of them. Server 2.11.
   * @throws {NatsError} as {@link DirectStreamAPI.getMessage}; what the server says is thrown by the iteration
   */
  getBatch(
    stream: string,
    request: DirectBatchRequest,
    options?: WaitOptions,
  ): Promise<DirectMessages<DirectBatchRequest>>;
  /**
   * The last message of each subject, by their sequences, all as of one moment. `timeout` and bounds as in
   * {@link DirectStreamAPI.getBatch}. Server 2.11.
   * @throws {NatsError} as {@link DirectStreamAPI.getBatch}
   */
  getLastMessagesFor(
    stream: string,
    request: DirectLastRequest,
    options?: WaitOptions,
  ): Promise<DirectMessages<DirectLastRequest>>;
}

// none of either is no bound to the server, and a batch of none the get of one message
function checkBounds({ batch, max_bytes }: Pick<DirectGetRequest, "batch" | "max_bytes">): void {
  checkWhole("batch", batch, 1);
  checkWhole("max_bytes", max_bytes, 1);
}

/** The direct gets behind an API. */
export function directApi(api: Api): DirectStreamAPI {
  return {
    async getMessage(stream, request, options) {
      await requireLevel(api, messageGates(request), options);
      return directGet(api, stream, request, options);
    },

    async getBatch(stream, { batch = 1024, ...request }, options) {
      checkBounds({ batch, ...request });
      const { start_time, seq = start_time === undefined ? 1 : undefined } = request;
      return directBatch(api, stream, { ...request, batch, ...(seq !== undefined && { seq }) }, options);
    },

    async getLastMessagesFor(stream, request, options) {
      checkBounds(request);
      if (request.up_to_seq !== undefined && request.up_to_time !== undefined) {
        throw InvalidArgumentError.format(["up_to_seq", "up_to_time"], "are mutually exclusive");
      }
      return directBatch(api, stream, request, options);
    },
  };
}
