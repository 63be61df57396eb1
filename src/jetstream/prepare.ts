// Prepare: a message with all that its options say, schedules included, ready to be published in any way.
import type { Payload } from "../client/connection.ts";
import { InvalidArgumentError } from "../errors.ts";
import {
  type JetStreamMessageOptions,
  type Prepared,
  prepareMessage,
  withFields,
} from "./publish-options.ts";
import { cancelHeaders, scheduleHeaders } from "./schedule.ts";

/** The {@link Prepare} of all that publishes but {@link jetstreamLite}. @throws {@link NatsError} INVALID_ARGUMENT, INVALID_SUBJECT */
export function prepare(
  subject: string,
  payload: Payload | undefined,
  options: JetStreamMessageOptions,
): Prepared {
  const { schedule, cancelSchedule } = options;
  const made = prepareMessage(payload, options);
  if (schedule !== undefined && cancelSchedule !== undefined) {
    throw InvalidArgumentError.format(["schedule", "cancelSchedule"], "are mutually exclusive");
  }
  const scheduling =
    (schedule && scheduleHeaders(subject, schedule)) ??
    (cancelSchedule && cancelHeaders(subject, cancelSchedule));
  if (scheduling === undefined) return made;
  const [fields, gate] = scheduling;
  return { headers: withFields(made.headers, fields), gates: [...made.gates, gate] };
}
