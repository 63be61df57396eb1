// Stream info: what the server knows of one stream; also of those that the client has made for itself.
import type { ApiCalls, StreamInfoRequest } from "../protocol/jetstream/api.ts";
import type { StreamInfo } from "../protocol/jetstream/stream.ts";
import type { Api, ApiOptions } from "./api.ts";
import { requestOf } from "./config.ts";
import { validateName } from "./names.ts";

/** What to tell of a stream, and how long to wait for it. */
export interface StreamInfoOptions extends ApiOptions, StreamInfoRequest {}

/**
 * The info of a stream, with the subjects of all pages.
 *
 * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, and those of a call
 */
export async function streamInfo(api: Api, name: string, given: StreamInfoOptions = {}): Promise<StreamInfo> {
  validateName("stream", name);
  const [request, options] = requestOf(given);
  const page = (offset?: number): Promise<ApiCalls["STREAM.INFO"]["reply"]> =>
    api.call("STREAM.INFO", [name], offset === undefined ? request : { ...request, offset }, options);
  const info = await page();
  const { state } = info;
  let { offset = 0 } = request;
  const subjects = { ...state.subjects };
  for (let { total } = info, more = state.subjects; more !== undefined; ) {
    const count = Object.keys(more).length;
    offset += count;
    if (count === 0 || offset >= total) break;
    const next = await page(offset);
    // the totals are those of this moment
    ({ total } = next);
    more = next.state.subjects ?? {};
    Object.assign(subjects, more);
  }
  if (state.subjects !== undefined) state.subjects = subjects;
  return info;
}
