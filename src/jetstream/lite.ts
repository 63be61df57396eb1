// Lite: what most pages need of a JetStream client, without the bytes of the rest; the whole client stands on it.
import type { NatsConnection, Payload } from "../client/connection.ts";
import { NatsError } from "../errors.ts";
import { Api } from "./api.ts";
import type { ApiHolder } from "./api-of.ts";
import { type JetStreamOptions, resolveOptions } from "./options.ts";
import type { PubAck } from "./pub-ack.ts";
import { publish } from "./publish.ts";
import {
  type JetStreamMessageOptions,
  type JetStreamPublishOptions,
  type Prepared,
  prepareMessage,
} from "./publish-options.ts";
import { type PullConsumers, pullConsumersOf } from "./pull-consumers.ts";

/** Publishes to streams and pulls from consumers: the part of a {@link JetStreamClient} that most pages need. */
export interface JetStreamLite {
  /** consumers, to pull messages from */
  readonly consumers: PullConsumers;
  /** what the subjects of its API begin with */
  readonly apiPrefix: string;
  /**
   * Publish a message and wait until a stream has stored it. Bytes must not change before it settles: it may be sent again.
   *
   * @throws {NatsError} WRONG_LAST_SEQUENCE and JETSTREAM_API when the stream refuses it, NO_RESPONDERS when there is none,
   * UNSUPPORTED, INVALID_ARGUMENT, INVALID_SUBJECT, and those of `request`; an {@link OutcomeUnknownError} when no ack came
   */
  publish(
    subject: string,
    payload?: Payload,
    options?: Omit<JetStreamPublishOptions, "schedule" | "cancelSchedule">,
  ): Promise<PubAck>;
  /** The options, as they were given. */
  getOptions(): JetStreamOptions;
}

/** Schedules have bytes of their own. */
function unscheduled(
  subject: string,
  payload: Payload | undefined,
  options: JetStreamMessageOptions,
): Prepared {
  const { schedule, cancelSchedule } = options;
  if (schedule === undefined && cancelSchedule === undefined) return prepareMessage(payload, options);
  throw new NatsError("UNSUPPORTED", "jetstreamLite() has no schedules: publish it with jetstream()", {
    subject,
  });
}

/** The part of a client behind an API, which {@link apiOf} finds in it. */
export function liteOf(api: Api): JetStreamLite & ApiHolder {
  return {
    api,
    consumers: pullConsumersOf(api),
    apiPrefix: api.options.prefix,
    publish: (subject, payload, options = {}) => publish(api, subject, payload, options, unscheduled),
    getOptions: () => ({ ...api.options.given }),
  };
}

/**
 * The part of {@link jetstream} that most pages need, at half its size in a bundle: `publish` without schedules, and pull consumers,
 * named and ordered, without `process`. Nothing is sent before the first call.
 *
 * @example
 * const js = jetstreamLite(nc);
 * await js.publish("orders.new", JSON.stringify({ id: 1 }));
 *
 * @throws {NatsError} INVALID_ARGUMENT, INVALID_SUBJECT
 */
export function jetstreamLite(nc: NatsConnection, options?: JetStreamOptions): JetStreamLite {
  return liteOf(new Api(nc, resolveOptions(options)));
}
