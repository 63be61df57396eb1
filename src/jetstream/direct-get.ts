// Direct get: one message of a stream from any replica or mirror of it (ADR-31).
import type { Msg, WaitOptions } from "../client/connection.ts";
import { isNatsError, NatsError } from "../errors.ts";
import type { MsgGetRequest } from "../protocol/jetstream/api.ts";
import { isWildcard } from "../protocol/subject.ts";
import { type Api, toJson } from "./api.ts";
import { JetStreamStatusError } from "./api-error.ts";
import { validateName } from "./names.ts";
import { type DirectMsg, fromDirect } from "./stored.ts";

/** Which message to get: by its sequence, the last or the next of a subject, or the first since a time (server 2.11). */
export type DirectMsgRequest = Omit<MsgGetRequest, "no_hdr">;

/** What the subjects of direct gets have behind the prefix of the API. */
export const DIRECT_GET = "DIRECT.GET";

/**
 * The message; null where there is none. Whether the server knows all that is asked for is the caller's to see to.
 *
 * @throws {NatsError} JETSTREAM_STATUS, NO_RESPONDERS, TIMEOUT, INVALID_ARGUMENT, and those of `request`
 */
export async function directGet(
  api: Api,
  stream: string,
  request: DirectMsgRequest,
  { timeout = api.options.timeout, signal }: WaitOptions = {},
): Promise<DirectMsg | null> {
  validateName("stream", stream);
  const options = { timeout, signal };
  const { last_by_subj: last } = request;
  const bySubject = last !== undefined && !isWildcard(last);
  const subject = bySubject ? api.subject(DIRECT_GET, stream, last) : api.subject(DIRECT_GET, stream);
  let msg: Msg;
  try {
    msg = await api.nc.request(subject, bySubject ? "" : toJson(request), options);
  } catch (error) {
    if (isNatsError(error) && error.code === "NO_RESPONDERS") throw noDirect(stream, error);
    throw error;
  }
  const found = fromDirect(msg);
  if (found !== undefined) return found;
  const { code = 0, description = "" } = msg.headers ?? {};
  if (code === 404) return null;
  throw directError(stream, { code, description });
}

/** The error of a status that answers a direct get. */
export function directError(
  stream: string,
  { code, description }: { code: number; description: string },
): NatsError {
  return code === 503 ? noDirect(stream) : new JetStreamStatusError(code, description, { stream });
}

// The error when nobody answers.
function noDirect(stream: string, cause?: unknown): NatsError {
  return new NatsError(
    "NO_RESPONDERS",
    `nobody answers direct gets of stream '${stream}': there is no such stream, or it has no allow_direct`,
    { stream, cause },
  );
}
