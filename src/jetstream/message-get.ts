// Message get: one message of a stream, from its leader.
import type { ApiCalls, MsgGetRequest } from "../protocol/jetstream/api.ts";
import type { Api, ApiOptions } from "./api.ts";
import { MessageNotFoundError } from "./api-error.ts";
import { messageGates, requireLevel } from "./gates.ts";
import { validateName } from "./names.ts";
import { fromReply, type StoredMsg } from "./stored.ts";

/**
 * The message; null where there is none.
 *
 * @throws {NatsError} STREAM_NOT_FOUND, UNSUPPORTED, INVALID_ARGUMENT, and those of a call
 */
export async function getMessage(
  api: Api,
  stream: string,
  query: MsgGetRequest,
  options?: ApiOptions,
): Promise<StoredMsg | null> {
  validateName("stream", stream);
  const { start_time, no_hdr } = query;
  await requireLevel(api, messageGates(start_time, no_hdr), options);
  const text = (await api.request("STREAM.MSG.GET", [stream], query, options)).string();
  try {
    const { message } = api.read<ApiCalls["STREAM.MSG.GET"]["reply"]>(text, [stream]);
    return fromReply(stream, message, text);
  } catch (error) {
    if (error instanceof MessageNotFoundError) return null;
    throw error;
  }
}
