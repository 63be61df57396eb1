// Message get: one message of a stream, from its leader.
import type { ApiCalls, MsgGetRequest } from "../protocol/jetstream/api.ts";
import type { Api, ApiOptions } from "./api.ts";
import { MessageNotFoundError } from "./api-error.ts";
import { validateName } from "./names.ts";
import { fromReply, type StoredMsg } from "./stored.ts";

/**
 * The message; null where there is none. Whether the server knows all that is asked for is the caller's to see to.
 *
 * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, and those of a call
 */
export async function getMessage(
  api: Api,
  stream: string,
  query: MsgGetRequest,
  options?: ApiOptions,
): Promise<StoredMsg | null> {
  validateName("stream", stream);
  const text = (await api.request("STREAM.MSG.GET", [stream], query, options)).string();
  try {
    const { message } = api.read<ApiCalls["STREAM.MSG.GET"]["reply"]>(text, [stream]);
    return fromReply(stream, message, text);
  } catch (error) {
    if (error instanceof MessageNotFoundError) return null;
    throw error;
  }
}
