// Stream create: the calls that make and change streams; also of those that the client makes for itself.
import { InvalidArgumentError } from "../errors.ts";
import { domainPrefix } from "../protocol/jetstream/api.ts";
import type { StreamConfig, StreamInfo, StreamSource } from "../protocol/jetstream/stream.ts";
import type { Api } from "./api.ts";
import type { ConfigOptions } from "./config.ts";
import { assertKept, type Gated, requiredHeaders, requireLevel, streamGates } from "./gates.ts";
import { validateName } from "./names.ts";

/** A source as it is sent: a domain is a prefix. */
function wireSource({ domain, ...source }: StreamSource): StreamSource {
  if (domain === undefined) return source;
  if (source.external !== undefined) {
    throw InvalidArgumentError.format(["domain", "external"], "are mutually exclusive");
  }
  validateName("domain", domain);
  return { ...source, external: { api: domainPrefix(domain) } };
}

/** A configuration as it is sent. */
export function wireConfig<T extends Pick<StreamConfig, "mirror" | "sources">>(config: T): T {
  const { mirror, sources } = config;
  return {
    ...config,
    ...(mirror && { mirror: wireSource(mirror) }),
    ...(sources && { sources: sources.map(wireSource) }),
  };
}

/**
 * Make a stream, or change one.
 *
 * @throws {NatsError} STREAM_EXISTS, STREAM_NOT_FOUND, UNSUPPORTED, INVALID_ARGUMENT, and those of a call
 */
export async function createStream(
  api: Api,
  verb: "STREAM.CREATE" | "STREAM.UPDATE",
  given: StreamConfig,
  { pedantic = false, ...options }: ConfigOptions = {},
): Promise<StreamInfo> {
  validateName("stream", given.name);
  const config = wireConfig(given);
  const gated = streamGates(config);
  const all: Gated[] = pedantic ? [...gated, ["pedantic", 1]] : gated;
  const level = await requireLevel(api, all, options);
  const request = pedantic ? { ...config, pedantic } : config;
  const info = await api.call(verb, [given.name], request, requiredHeaders(api, level, options));
  assertKept(api, gated, info.config);
  return info;
}
