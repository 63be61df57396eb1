// ApiError: what the JetStream API says in numbers, as errors of ours. The only place that knows which number is which.
import { NatsError, type NatsErrorCode, type NatsErrorFacts } from "../errors.ts";
import type { ApiError } from "../protocol/jetstream/stream.ts";

/** What is known of a call that failed. */
export interface ApiErrorFacts extends NatsErrorFacts {
  /** the sequence that a publish expected to be the last */
  expected?: number | undefined;
}

/** What a server says of JetStream other than in a reply of its API; see {@link JetStreamStatusError}. */
export class JetStreamError extends NatsError {}

/** The error of a message that says, in its status line, why there is no more. Code `JETSTREAM_STATUS`. */
export class JetStreamStatusError extends JetStreamError {
  /** the number of the status line, such as 408 */
  readonly status: number;
  /** the text of the status line */
  readonly description: string;
  constructor(status: number, description: string, facts?: NatsErrorFacts) {
    super("JETSTREAM_STATUS", `the server ended it: ${status} ${description}`, facts);
    this.status = status;
    this.description = description;
  }

  override get name(): string {
    return "JetStreamStatusError";
  }
}

/** JetStream is not enabled on the server, for the account, or in the domain. Code `JETSTREAM_NOT_ENABLED`. */
export class JetStreamNotEnabledError extends NatsError {
  constructor(prefix: string, facts?: NatsErrorFacts) {
    super(
      "JETSTREAM_NOT_ENABLED",
      `JetStream is not enabled: nobody answers at '${prefix}'. Enable it on the server and for the account, or check the domain`,
      facts,
    );
  }

  override get name(): string {
    return "JetStreamNotEnabledError";
  }
}

/** The JetStream API refused a call. Code `JETSTREAM_API`, or that of a subclass. */
export class JetStreamApiError extends NatsError {
  /** the number that tells errors of the API apart (`err_code`), see `JetStreamApiCodes`; 0 where there is none */
  readonly apiErrorCode: number;
  /** its class, as the status codes of HTTP */
  readonly status: number;
  /** what the server wrote, for people */
  readonly description: string;

  constructor(
    error: ApiError,
    { expected: _, ...facts }: ApiErrorFacts = {},
    code: NatsErrorCode = "JETSTREAM_API",
  ) {
    const { err_code = 0, description } = error;
    const { stream, consumer } = facts;
    const of = consumer === undefined ? stream : `${stream}, consumer ${consumer}`;
    super(code, `${description}${of === undefined ? "" : ` (stream ${of})`}, API error ${err_code}`, facts);
    this.apiErrorCode = err_code;
    this.status = error.code;
    this.description = description;
  }

  override get name(): string {
    return "JetStreamApiError";
  }

  /** True when the same call may well succeed in a moment: no leader yet, too much at once, an asset offline. */
  get transient(): boolean {
    return [10008, 10009, 10023, 10118, 10119, 10158, 10167, 10210, 10211].includes(this.apiErrorCode);
  }

  /** The error as it came. */
  apiError(): ApiError {
    return { code: this.status, err_code: this.apiErrorCode, description: this.description };
  }
}

/** There is no such stream. Code `STREAM_NOT_FOUND`. */
export class StreamNotFoundError extends JetStreamApiError {
  constructor(error: ApiError, facts?: NatsErrorFacts) {
    super(error, facts, "STREAM_NOT_FOUND");
  }

  override get name(): string {
    return "StreamNotFoundError";
  }
}

/** A stream has that name and another configuration. Code `STREAM_EXISTS`. */
export class StreamExistsError extends JetStreamApiError {
  constructor(error: ApiError, facts?: NatsErrorFacts) {
    super(error, facts, "STREAM_EXISTS");
  }

  override get name(): string {
    return "StreamExistsError";
  }
}

/** There is no such consumer. Code `CONSUMER_NOT_FOUND`. */
export class ConsumerNotFoundError extends JetStreamApiError {
  constructor(error: ApiError, facts?: NatsErrorFacts) {
    super(error, facts, "CONSUMER_NOT_FOUND");
  }

  override get name(): string {
    return "ConsumerNotFoundError";
  }
}

/** A consumer has that name, and may not be replaced. Code `CONSUMER_EXISTS`. */
export class ConsumerExistsError extends JetStreamApiError {
  constructor(error: ApiError, facts?: NatsErrorFacts) {
    super(error, facts, "CONSUMER_EXISTS");
  }

  override get name(): string {
    return "ConsumerExistsError";
  }
}

/** No message has that sequence or subject. Code `MESSAGE_NOT_FOUND`. */
export class MessageNotFoundError extends JetStreamApiError {
  constructor(error: ApiError, facts?: NatsErrorFacts) {
    super(error, facts, "MESSAGE_NOT_FOUND");
  }

  override get name(): string {
    return "MessageNotFoundError";
  }
}

/** The last sequence is not the expected one; nothing was stored. Code `WRONG_LAST_SEQUENCE`. */
export class WrongLastSequenceError extends JetStreamApiError {
  /** the sequence that was expected to be the last */
  readonly expected: number | undefined;
  /** the one that is, where the server tells */
  readonly actual: number | undefined;
  constructor(error: ApiError, facts: ApiErrorFacts = {}) {
    super(error, facts, "WRONG_LAST_SEQUENCE");
    this.expected = facts.expected;
    // 10071: "wrong last sequence: 7"; 10164 does not know it
    const [, digits] = / (\d+)$/.exec(error.description) ?? [];
    this.actual = digits === undefined ? undefined : Number(digits);
  }

  override get name(): string {
    return "WrongLastSequenceError";
  }
}

// errors that have a class of their own, and those that have a code of their own
const CLASSES: Record<number, new (error: ApiError, facts?: ApiErrorFacts) => JetStreamApiError> = {
  10013: ConsumerExistsError,
  10014: ConsumerNotFoundError,
  10037: MessageNotFoundError,
  10043: MessageNotFoundError,
  10058: StreamExistsError,
  10059: StreamNotFoundError,
  10071: WrongLastSequenceError,
  10105: ConsumerExistsError,
  10130: StreamExistsError,
  10148: ConsumerExistsError,
  10149: ConsumerNotFoundError,
  10164: WrongLastSequenceError,
};
const CODES: Record<number, NatsErrorCode> = {
  10039: "JETSTREAM_NOT_ENABLED",
  10076: "JETSTREAM_NOT_ENABLED",
  10176: "BATCH_INCOMPLETE",
  10185: "UNSUPPORTED",
  10208: "BATCH_INCOMPLETE",
};

/** The error of a reply, by its number. */
export function apiError(error: ApiError, facts: ApiErrorFacts = {}): NatsError {
  const { err_code = 0 } = error;
  const Known = CLASSES[err_code];
  return Known ? new Known(error, facts) : new JetStreamApiError(error, facts, CODES[err_code]);
}
