// Service types: what a service is made of, and what it says of itself (ADR-32). Types only, but for the names of the wire.
import type {
  Msg,
  Payload,
  PublishOptions,
  QueuedIterator,
  SubscriptionLimits,
  WaitOptions,
} from "../client/connection.ts";
import type { NatsError } from "../errors.ts";

/** The headers of an answer that is an error. */
export const ServiceErrorHeader = "Nats-Service-Error";
/** See {@link ServiceErrorHeader}. */
export const ServiceErrorCodeHeader = "Nats-Service-Error-Code";

/** What can be asked of services. */
export const ServiceVerb = {
  /** who is there */
  PING: "PING",
  /** the figures of each endpoint */
  STATS: "STATS",
  /** what there is to ask for */
  INFO: "INFO",
} as const;
/** One of the values of {@link ServiceVerb}. */
export type ServiceVerb = (typeof ServiceVerb)[keyof typeof ServiceVerb];

/** The `type` of each answer. */
export const ServiceResponseType = {
  /** of a {@link ServiceIdentity} */
  PING: "io.nats.micro.v1.ping_response",
  /** of {@link ServiceStats} */
  STATS: "io.nats.micro.v1.stats_response",
  /** of a {@link ServiceInfo} */
  INFO: "io.nats.micro.v1.info_response",
} as const;
/** One of the values of {@link ServiceResponseType}. */
export type ServiceResponseType = (typeof ServiceResponseType)[keyof typeof ServiceResponseType];

/** Texts by name that say more of a service or an endpoint. */
export type ServiceMetadata = Readonly<Record<string, string>>;

/** What every answer of a service begins with; the answer to PING is no more than that. */
export interface ServiceIdentity {
  /** which answer it is: of PING, STATS or INFO */
  type: ServiceResponseType;
  /** its kind: all instances of a service share it */
  name: string;
  /** this instance */
  id: string;
  /** SemVer */
  version: string;
  /** what was given with the service; empty for none */
  metadata: ServiceMetadata;
}

/** One endpoint, as INFO describes it. */
export interface EndpointInfo {
  /** as it was given to `addEndpoint` */
  name: string;
  /** where it listens: the subjects of its groups before its own */
  subject: string;
  /** `""` where each instance gets every request */
  queue_group: string;
  /** what was given with the endpoint; empty for none */
  metadata: ServiceMetadata;
}

/** The answer to INFO. */
export interface ServiceInfo extends ServiceIdentity {
  /** for people; `""` for none */
  description: string;
  /** in the order in which they were added */
  endpoints: EndpointInfo[];
}

/** The figures of one endpoint since `started`. */
export interface NamedEndpointStats {
  /** see {@link EndpointInfo.name} */
  name: string;
  /** see {@link EndpointInfo.subject} */
  subject: string;
  /** see {@link EndpointInfo.queue_group} */
  queue_group: string;
  /** requests that came, with those that are being worked on */
  num_requests: number;
  /** requests that were answered with an error */
  num_errors: number;
  /** the last of them, as `<code>:<description>` */
  last_error?: string;
  /** nanoseconds spent on all requests, each from the call of the handler until its promise has settled */
  processing_time: number;
  /** nanoseconds for one request; 0 before the first */
  average_processing_time: number;
  /** what `statsHandler` gave */
  data?: unknown;
}

/** The answer to STATS. */
export interface ServiceStats extends ServiceIdentity {
  /** since when is counted; ISO 8601 */
  started: string;
  /** in the order in which they were added */
  endpoints: NamedEndpointStats[];
}

/** A request to a service. */
export interface ServiceMsg extends Msg {
  /**
   * Answer with an error, and count it. `code` and `description` go into headers (line breaks become blanks), `data` is the
   * payload. False when the request wants no answer.
   */
  respondError(code: number, description: string, data?: Payload, options?: PublishOptions): boolean;
}

/**
 * Handles a request. What it throws, or what its promise rejects with, is answered as an error: a `ServiceError` with its
 * own code, anything else with 500 (and reported as `handlerError` in `nc.status()`).
 *
 * `err` is given when the subscription of the endpoint ended with an error; then there is no `msg`.
 */
export type ServiceHandler = (err: NatsError | null, msg: ServiceMsg) => void | Promise<unknown>;

/** Where requests are shared among instances. */
export interface QueueOption {
  /** queue group; `""` gives every request to each instance. Default: that of the group, then of the service, then `q`. */
  queue?: string;
}

/** How an endpoint shall be. */
export interface EndpointOptions extends QueueOption {
  /** default: the name. Follows the subjects of the groups it is in; may have wildcards. */
  subject?: string;
  /** without it, iterate what `addEndpoint` returns */
  handler?: ServiceHandler;
  /** what INFO says of it */
  metadata?: Record<string, string>;
  /** with an async `handler`: how many may run at once. Default: unlimited. */
  concurrency?: number;
  /** bounds of the queue of requests that wait */
  limits?: SubscriptionLimits;
}

/** How a service shall be. */
export interface ServiceConfig extends QueueOption {
  /** letters, digits, `-` and `_` */
  name: string;
  /** SemVer 2.0.0 without a leading `v` */
  version: string;
  /** what INFO says of it, for people; default none */
  description?: string;
  /** what every answer says of it */
  metadata?: Record<string, string>;
  /** gives the `data` of an endpoint's stats. When it fails, that endpoint has none, and a `handlerError` status says why. */
  statsHandler?: (endpoint: EndpointInfo) => unknown;
  /** subject that the control subjects begin with; default `$SRV` */
  prefix?: string;
}

/** What endpoints can be added to. */
export interface ServiceGroup {
  /**
   * Add an endpoint: a name with a handler, or with options. The iterator is for those without a handler; leaving its loop
   * ends the endpoint, and the service with it.
   * @throws {NatsError} INVALID_ARGUMENT, INVALID_SUBJECT, INVALID_OPERATION when the service has stopped, CLOSED, DRAINING
   */
  addEndpoint(name: string, options?: ServiceHandler | EndpointOptions): QueuedIterator<ServiceMsg>;
  /**
   * A group whose endpoints have this subject before theirs. Groups nest.
   * @throws {NatsError} INVALID_SUBJECT
   */
  addGroup(subject?: string, queue?: string): ServiceGroup;
}

/** A running service. */
export interface Service extends ServiceGroup, AsyncDisposable {
  /** resolves when it has stopped, with the error if one stopped it; never rejects */
  readonly stopped: Promise<null | Error>;
  /** true once `stopped` has resolved */
  readonly isStopped: boolean;
  /** as the answer to STATS */
  stats(): Promise<ServiceStats>;
  /** as the answer to INFO */
  info(): ServiceInfo;
  /** as the answer to PING */
  ping(): ServiceIdentity;
  /** forget all figures and begin anew */
  reset(): void;
  /**
   * Take no more requests, finish those that have come, and end. The connection stays. Idempotent; resolves as `stopped`. Handlers
   * are waited for as long as they run; with a `timeout` or a `signal` no longer than that.
   */
  stop(error?: Error, options?: WaitOptions): Promise<null | Error>;
}

/** Finds services. */
export interface ServiceClient {
  /** all that answer, those of one name, or one instance */
  ping(name?: string, id?: string): Promise<QueuedIterator<ServiceIdentity>>;
  /** the figures of all that answer, of those of one name, or of one instance */
  stats(name?: string, id?: string): Promise<QueuedIterator<ServiceStats>>;
  /** the endpoints of all that answer, of those of one name, or of one instance */
  info(name?: string, id?: string): Promise<QueuedIterator<ServiceInfo>>;
}
