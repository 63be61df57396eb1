// Consumer reset: sends a consumer back (ADR-60). The server doesn't answer for one that isn't there, so it is asked for too.
import type { ConsumerResetResponse } from "../protocol/jetstream/api.ts";
import type { Api, ApiOptions } from "./api.ts";
import { ConsumerNotFoundError, StreamNotFoundError } from "./api-error.ts";
import { requireLevel } from "./gates.ts";

/** Reset a consumer, to its ack floor or so that `seq` is next. */
export async function resetConsumer(
  api: Api,
  names: [stream: string, consumer: string],
  seq?: number | bigint,
  options?: ApiOptions,
): Promise<ConsumerResetResponse> {
  await requireLevel(api, [["the reset of a consumer", 4]], options);
  const reset = api.call("CONSUMER.RESET", names, seq === undefined ? undefined : { seq }, options);
  const missing = api.call("CONSUMER.INFO", names, undefined, options).then(
    () => reset,
    (error: unknown) => {
      if (error instanceof ConsumerNotFoundError || error instanceof StreamNotFoundError) throw error;
      return reset;
    },
  );
  return Promise.race([reset, missing]);
}
