// Options: how a JetStream client reaches its API. Resolved once; the caller's object is not changed.
import { InvalidArgumentError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { API_PREFIX, domainPrefix } from "../protocol/jetstream/api.ts";
import { validateInboxPrefix, validatePublishSubject } from "../protocol/subject.ts";
import { validateName } from "./names.ts";

/** Options of {@link jetstream}. */
export interface JetStreamOptions {
  /**
   * What the subjects of the API begin with; default `$JS.API`. For an API that is imported from another account. Not
   * together with `domain`.
   */
  apiPrefix?: string;
  /** JetStream domain whose API to use: its prefix is `$JS.<domain>.API`. Default: that of the connected server. */
  domain?: string;
  /** milliseconds that a call of the API may take; default 5000. Each call has a `timeout` of its own too. */
  timeout?: number;
  /** prefix of the inboxes that ordered push consumers deliver to; default: that of the connection */
  watcherPrefix?: string;
  /**
   * Send `Nats-Required-Api-Level` when a stream or consumer is created or updated with something that not every server has
   * (ADR-44), so that an older server in the way refuses it rather than ignores it. Default false.
   */
  sendRequiredApiLevel?: boolean;
}

/** Options of {@link jetstreamManager}. */
export interface JetStreamManagerOptions extends JetStreamOptions {
  /** Ask for the account info first, which tells at once when JetStream is not there. Default true. */
  checkAPI?: boolean;
}

/** {@link JetStreamOptions} with nothing left to decide. */
export interface ResolvedJetStreamOptions {
  /** as they were given */
  readonly given: Readonly<JetStreamOptions>;
  /** of the subjects of the API, without a dot at its end */
  readonly prefix: string;
  readonly domain: string | undefined;
  readonly timeout: number;
  readonly watcherPrefix: string | undefined;
  readonly sendRequiredApiLevel: boolean;
}

/** Those of who says nothing. */
export const DEFAULTS: ResolvedJetStreamOptions = {
  given: {},
  prefix: API_PREFIX,
  domain: undefined,
  timeout: 5000,
  watcherPrefix: undefined,
  sendRequiredApiLevel: false,
};

/** @throws {@link NatsError} INVALID_ARGUMENT, INVALID_SUBJECT */
export function resolveOptions(options: JetStreamOptions = {}): ResolvedJetStreamOptions {
  const {
    apiPrefix,
    domain,
    timeout = DEFAULTS.timeout,
    watcherPrefix,
    sendRequiredApiLevel = DEFAULTS.sendRequiredApiLevel,
  } = options;
  if (apiPrefix !== undefined && domain !== undefined) {
    throw InvalidArgumentError.format(["apiPrefix", "domain"], "are mutually exclusive");
  }
  check(timeout > 0, "timeout", timeout, "milliseconds, more than 0");
  if (watcherPrefix !== undefined) validateInboxPrefix(watcherPrefix);
  let { prefix } = DEFAULTS;
  if (domain !== undefined) {
    validateName("domain", domain);
    prefix = domainPrefix(domain);
  } else if (apiPrefix !== undefined) {
    prefix = apiPrefix.replace(/\.$/, "");
    validatePublishSubject(prefix, "apiPrefix");
  }
  return { given: { ...options }, prefix, domain, timeout, watcherPrefix, sendRequiredApiLevel };
}
