// Publish: a message to a stream, and its ack. What js.publish does, and the first message of a batch.
import type { Msg, Payload, WaitOptions } from "../client/connection.ts";
import { isNatsError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { aborted, pause } from "../lib/deferred.ts";
import { nuid } from "../lib/nuid.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { Api } from "./api.ts";
import { requireLevel } from "./gates.ts";
import { NoStreamError, type PubAck, publishError, readPubAck } from "./pub-ack.ts";
import {
  expectedSequence,
  type JetStreamPublishOptions,
  type Prepare,
  type RetryOptions,
  withFields,
} from "./publish-options.ts";

/** Publish what `prepare` makes of the options, and wait for the ack. */
export async function publish(
  api: Api,
  subject: string,
  payload: Payload | undefined,
  options: JetStreamPublishOptions,
  prepare: Prepare,
): Promise<PubAck> {
  const { headers, gates } = prepare(subject, payload, options);
  if (gates.length > 0) await requireLevel(api, gates, options);
  const reply = await ask(api, subject, payload, headers, options);
  return readPubAck(reply, subject, expectedSequence(options));
}

/**
 * Publish until somebody answers (ADR-22), within one deadline for all of it.
 *
 * @throws {@link NatsError} NO_RESPONDERS, TIMEOUT, ABORTED, CLOSED, INVALID_ARGUMENT, and those of `request`
 */
export async function ask(
  api: Api,
  subject: string,
  payload: Payload | undefined,
  headers: MsgHdrs | undefined,
  { timeout = api.options.timeout, signal, retries = 2, retryWait = 250 }: RetryOptions & WaitOptions,
): Promise<Msg> {
  check(retries >= -1, "retries", retries, "a number of -1 or more");
  check(retryWait >= 0, "retryWait", retryWait, "milliseconds, 0 or more");
  const what = `the publish to '${subject}'`;
  if (signal?.aborted) throw aborted(signal, what);
  const end = performance.now() + timeout;
  let left = timeout;
  for (let attempt = 1; ; attempt++) {
    try {
      return await api.nc.request(subject, payload, {
        timeout: left,
        signal,
        headers,
      });
    } catch (error) {
      const msgID = headers?.get("Nats-Msg-Id") || undefined;
      if (!isNatsError(error) || error.code !== "NO_RESPONDERS") throw publishError(subject, msgID, error);
      left = end - performance.now() - retryWait;
      if ((retries >= 0 && attempt > retries) || left <= 0) throw new NoStreamError(subject, attempt, error);
      if (msgID === undefined) headers = withFields(headers, [["Nats-Msg-Id", nuid.next()]]);
    }
    await pause(retryWait, { signal, what });
  }
}
