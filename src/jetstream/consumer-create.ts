// Consumer create: the one call that makes and changes consumers; also those that the client makes for itself.
import { nuid } from "../lib/nuid.ts";
import type { ConsumerAction, CreateConsumerRequest } from "../protocol/jetstream/api.ts";
import type { ConsumerConfig, ConsumerInfo } from "../protocol/jetstream/consumer.ts";
import type { Api, ApiOptions } from "./api.ts";
import { apiError, ConsumerNotFoundError } from "./api-error.ts";
import type { ConfigOptions } from "./config.ts";
import { assertKept, consumerGates, type Gated, isModern, requiredHeaders, requireLevel } from "./gates.ts";
import { namesOf } from "./names.ts";

/** The filter as tokens of the subject, which permissions can be about, wildcards too; none where it isn't one subject (C-CONS-2). */
function filterTokens({ filter_subject, filter_subjects }: ConsumerConfig): string[] {
  const usable =
    filter_subject && filter_subjects === undefined && /^[^\s\p{Cc}]{1,200}$/u.test(filter_subject);
  return usable ? [filter_subject] : [];
}

/** What the action means, for a server that ignores it: before 2.10. */
async function assertAction(
  api: Api,
  names: [stream: string, consumer: string],
  action: ConsumerAction,
  options: ApiOptions,
): Promise<void> {
  try {
    await api.call("CONSUMER.INFO", names, undefined, options);
  } catch (error) {
    if (action === "create" && error instanceof ConsumerNotFoundError) return;
    throw error;
  }
  if (action === "update") return;
  const [stream, consumer] = names;
  throw apiError(
    { code: 400, err_code: 10148, description: "consumer already exists" },
    { stream, consumer },
  );
}

/**
 * The call for a configuration that is complete. `gated` is what it asks for that not every server has.
 *
 * @throws {@link NatsError} CONSUMER_EXISTS, CONSUMER_NOT_FOUND, STREAM_NOT_FOUND, UNSUPPORTED, and those of a call
 */
export async function putConsumer(
  api: Api,
  names: [stream: string, consumer: string],
  request: CreateConsumerRequest,
  gated: readonly Gated[],
  options?: ApiOptions,
): Promise<ConsumerInfo> {
  const tokens = [...names, ...filterTokens(request.config)];
  const info = await api.call("CONSUMER.CREATE", tokens, request, options);
  assertKept(api, gated, info.config);
  return info;
}

/**
 * Make a consumer (`create`), change it (`update`), or whatever is needed (no action), as users want it.
 *
 * @throws {@link NatsError} as {@link putConsumer}
 */
export async function createConsumer(
  api: Api,
  stream: string,
  given: ConsumerConfig,
  action?: ConsumerAction,
  { pedantic = false, ...options }: ConfigOptions = {},
): Promise<ConsumerInfo> {
  const { durable_name, name = durable_name ?? nuid.next() } = given;
  const names = namesOf(stream, name);
  const config: ConsumerConfig = { ...given, name };
  // the server's own default would be none: what a pull consumer gives is then gone
  if (config.ack_policy === undefined && !config.deliver_subject) config.ack_policy = "explicit";
  const gated = consumerGates(config);
  const all: Gated[] = pedantic ? [...gated, ["pedantic", 1]] : gated;
  const level = await requireLevel(api, all, options);
  if (action !== undefined && !isModern(api)) await assertAction(api, names, action, options);
  const request: CreateConsumerRequest = {
    stream_name: stream,
    config,
    ...(action && { action }),
    ...(pedantic && { pedantic }),
  };
  return putConsumer(api, names, request, gated, requiredHeaders(api, level, options));
}
