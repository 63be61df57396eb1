// Consuming: what consumers offer and how it is asked for. Types only.
/// <reference lib="esnext.disposable" preserve="true" />
import type { QueuedIterator, WaitOptions } from "../client/connection.ts";
import type { ConsumerInfo } from "../protocol/jetstream/consumer.ts";
import type { DeliverPolicy, ReplayPolicy } from "../protocol/jetstream/enums.ts";
import type { JsMsg } from "./js-msg.ts";

/** Which pulls of a priority group are served, and when. */
export interface PriorityOptions {
  /** name of the priority group, of consumers that have one. Server 2.11. */
  group?: string;
  /** policy `overflow`: serve this pull when so many messages wait to be delivered, or `min_ack_pending` is reached */
  min_pending?: number;
  /** policy `overflow`: serve this pull when so many messages wait to be acknowledged, or `min_pending` is reached */
  min_ack_pending?: number;
  /** policy `prioritized`: 0 (first) to 9. Server 2.12. */
  priority?: number;
}

/** What to do when the consumer or its stream is gone, also when it went while there was no connection. */
export interface MissingOptions {
  /** `throw` (default) ends with the typed error; `retry` waits until it is there again */
  onMissing?: "throw" | "retry";
  /** the familiar spelling: true is `throw`, false is `retry` */
  abort_on_missing_resource?: boolean;
}

/** Options of every pull. */
export interface PullOptions extends PriorityOptions, WaitOptions {
  /** milliseconds that the server waits for messages; default 30 000, at least 1000 */
  expires?: number;
  /**
   * milliseconds of silence after which the server says that it is still there. Default: half of `expires`, between 500 and
   * 30 000; with `fetch` and `next` none up to 30 s of `expires`, as they end then anyway.
   */
  idle_heartbeat?: number;
  /** never ask for the consumer info: for those who may pull and nothing else. Default false. */
  bind?: boolean;
}

/** Options of {@link Consumer.next}. `timeout` is for all of it; then it rejects, where `expires` resolves to null. */
export interface NextOptions extends PullOptions {
  /** end at once when there is no message; with `expires` set, wait so long for one. Default false. */
  no_wait?: boolean;
}

/** Options of {@link Consumer.fetch}. */
export interface FetchOptions extends NextOptions {
  /** messages; default 100, with `max_bytes` a million */
  max_messages?: number;
  /** bytes of subjects, replies, headers and payloads together */
  max_bytes?: number;
}

/** Options of {@link Consumer.consume}. `timeout` is for the beginning: the creation of an ordered consumer. */
export interface ConsumeOptions extends PullOptions, MissingOptions {
  /**
   * Messages that are asked for and not yet handed over, at most. Default 100, with `max_bytes` a million. The bound of
   * memory, and of what other members wait for.
   */
  max_messages?: number;
  /** the same in bytes of subjects, replies, headers and payloads */
  max_bytes?: number;
  /** ask for more when this many are left; default half of `max_messages` */
  threshold_messages?: number;
  /** ask for more when this many bytes are left; default half of `max_bytes` */
  threshold_bytes?: number;
  /**
   * receives each message; without it, iterate. A promise it returns is waited for before more is asked for. What it
   * throws is a `handlerError` of the connection's status, and the next message comes all the same.
   */
  callback?: ConsumeCallback;
}

/** Receives messages. */
export type ConsumeCallback = (msg: JsMsg) => void | Promise<unknown>;

/** Options of {@link PushConsumer.consume}. `timeout` is for the beginning. */
export interface PushConsumeOptions extends MissingOptions, WaitOptions {
  /** see {@link ConsumeOptions.callback} */
  callback?: ConsumeCallback;
}

/** Options of ordered consumers. */
export interface OrderedConsumerOptions {
  /** what the names of the consumers it makes begin with; default: random */
  name_prefix?: string;
  /** only these subjects; more than one need server 2.10 */
  filter_subjects?: string | string[];
  /** where to begin; default with the first message */
  deliver_policy?: DeliverPolicy;
  /** with `by_start_sequence` */
  opt_start_seq?: number;
  /** RFC 3339, with `by_start_time` */
  opt_start_time?: string;
  /** default `instant` */
  replay_policy?: ReplayPolicy;
  /** milliseconds without use after which the server removes the consumer; default 5 minutes */
  inactive_threshold?: number;
  /** without payloads. Default false. */
  headers_only?: boolean;
}

/** Options of ordered push consumers. */
export interface OrderedPushConsumerOptions extends OrderedConsumerOptions {
  /** prefix of the subjects it is delivered to; default: the `watcherPrefix` of the client, else the inbox prefix */
  deliver_prefix?: string;
  /** milliseconds of silence after which the server says that it is still there; default 5000, at least 100 */
  idle_heartbeat?: number;
}

/** What is known of a push consumer that is used without asking the API. */
export interface BoundPushConsumerOptions {
  /** where it delivers to */
  deliver_subject: string;
  /** queue group */
  deliver_group?: string;
  /** milliseconds, as the consumer has it; without it silence is not noticed */
  idle_heartbeat?: number;
  /** see {@link ConsumeOptions.callback} */
  callback?: ConsumeCallback;
}

/** nothing came for `count` times the heartbeat */
export interface HeartbeatsMissed {
  type: "heartbeats_missed";
  /** heartbeats that should have come since the last word of the server */
  count: number;
}
/** the consumer is not there; `count` times in a row */
export interface ConsumerNotFound {
  type: "consumer_not_found";
  /** of the consumer */
  name: string;
  /** the stream that it should be of */
  stream: string;
  /** how often in a row it was looked for, from 1 on */
  count: number;
}
/** the stream is not there */
export interface StreamNotFound {
  type: "stream_not_found";
  /** of the stream */
  name: string;
  /** how often an ordered consumer could not be made, in a row */
  consumerCreateFails?: number;
}
/** the consumer was deleted */
export interface ConsumerDeleted {
  type: "consumer_deleted";
  /** the status of the server, 409 */
  code: number;
  /** what it says of it */
  description: string;
}
/** an ordered consumer has a new consumer on the server, and goes on behind the last message */
export interface OrderedConsumerRecreated {
  type: "ordered_consumer_recreated";
  /** of the new consumer */
  name: string;
}
/** a limit of the consumer is in the way */
export interface ExceededLimits {
  type: "exceeded_limits";
  /** the status of the server, 409 */
  code: number;
  /** which limit it is, as the server says it */
  description: string;
}
/** any other status of the server */
export interface Debug {
  type: "debug";
  /** the status, such as 100 or 408 */
  code: number;
  /** what the server says of it */
  description: string;
}
/** a pull ended before it had all it asked for */
export interface Discard {
  type: "discard";
  /** messages that it asked for and did not get */
  messagesLeft: number;
  /** bytes that it asked for and did not get; 0 where it asked by messages alone */
  bytesLeft: number;
}
/** what was asked for is void; it is asked for again */
export interface Reset {
  type: "reset";
  /** of the consumer */
  name: string;
}
/** more was asked for */
export interface NextPull {
  type: "next";
  /** the request as it was sent */
  options: PullRequest;
}
/** the server has nothing to send, and is there */
export interface Heartbeat {
  type: "heartbeat";
  /** number of the last delivery, of the consumer */
  lastConsumerSequence: number;
  /** sequence of the last message that was delivered, in the stream */
  lastStreamSequence: number;
}
/** the server asked whether it may send on */
export interface FlowControl {
  type: "flow_control";
}
/** nobody serves the consumer */
export interface NoResponders {
  type: "no_responders";
  /** the status of the server, 503 */
  code: number;
}
/** this client has the pin of its priority group */
export interface ConsumerPinned {
  type: "consumer_pinned";
  /** of the pin, as the server gave it */
  id: string;
}
/** it lost it */
export interface ConsumerUnpinned {
  type: "consumer_unpinned";
}

/** An event of {@link ConsumerMessages.status}. */
export type ConsumerNotification =
  | HeartbeatsMissed
  | ConsumerNotFound
  | StreamNotFound
  | ConsumerDeleted
  | OrderedConsumerRecreated
  | ExceededLimits
  | Debug
  | Discard
  | Reset
  | NextPull
  | Heartbeat
  | FlowControl
  | NoResponders
  | ConsumerPinned
  | ConsumerUnpinned;

/** A pull as it is on the wire; durations are nanoseconds. */
export interface PullRequest {
  /** messages, at most */
  batch: number;
  /** nanoseconds that the server waits for messages; without it, for ever */
  expires?: number;
  /** bytes, at most; without it, any number */
  max_bytes?: number;
  /** end at once when there is no message. Default false. */
  no_wait?: boolean;
  /** nanoseconds of silence after which the server says that it is still there; without it, never */
  idle_heartbeat?: number;
  /** see {@link PriorityOptions.group} */
  group?: string;
  /** see {@link PriorityOptions.min_pending} */
  min_pending?: number;
  /** see {@link PriorityOptions.min_ack_pending} */
  min_ack_pending?: number;
  /** see {@link PriorityOptions.priority} */
  priority?: number;
  /** of the pin that this client has, in a group of the policy `pinned_client` */
  id?: string;
}

/** How the consuming is. */
export interface ConsumerHealth {
  /**
   * - `starting`: nothing was asked for yet
   * - `flowing`: messages come when there are any
   * - `offline`: there is no connection
   * - `recovering`: the consumer is looked for, or made anew
   * - `ended`: no more will come
   */
  readonly state: "starting" | "flowing" | "offline" | "recovering" | "ended";
  /** when the last message came, as of `Date.now()`; 0 for never */
  readonly lastMessage: number;
  /** when the last heartbeat came; 0 for never */
  readonly lastHeartbeat: number;
  /** asked for, and not here yet */
  readonly outstanding: {
    /** how many */
    readonly messages: number;
    /** bytes of them; 0 where it is asked for by messages alone */
    readonly bytes: number;
  };
  /** how often what was asked for was void, and it was asked for again */
  readonly resets: number;
}

/** The messages of a consumer, while it consumes. Iterate it, unless there is a callback. */
export interface ConsumerMessages extends QueuedIterator<JsMsg>, AsyncDisposable {
  /** how it is, right now */
  readonly health: ConsumerHealth;
  /**
   * Ask for no more. What is here already can still be iterated. Resolves when the server has been told; to wait for the
   * last message to be handed over, await `closed()`.
   */
  close(): Promise<undefined | Error>;
  /** resolves when it has ended and all that came is handed over, with the error if one ended it; never rejects */
  closed(): Promise<undefined | Error>;
  /** what happens on the way; ends with it */
  status(): AsyncIterable<ConsumerNotification>;
  /** end it now, with an error if given. What is here and not handed over is dropped: the server delivers it again. */
  stop(error?: Error): void;
}

/** Works on a message. `signal` is aborted when the processing is stopped. */
export type ProcessHandler = (msg: JsMsg, signal: AbortSignal) => unknown;

/** Options of {@link Consumer.process}. */
export interface ProcessOptions extends Omit<PullOptions, "timeout">, MissingOptions {
  /** handlers that run at once; default 1 */
  concurrency?: number;
  /**
   * Messages of the same key are worked on one after the other, in their order; others need not wait for them. What it throws
   * counts as the failure of the handler.
   */
  orderBy?: (msg: JsMsg) => string;
  /** when a message comes again whose handler failed, and how often */
  retry?: {
    /** deliveries after which a message is given up; default `max_deliver` of the consumer, or no limit where it has none */
    attempts?: number;
    /**
     * milliseconds until it comes again after its first, second ... failed delivery, the last for all that follow; or a
     * function of the number of the delivery. Default 1, 5, 30 and 120 seconds.
     */
    backoff?: readonly number[] | ((attempt: number) => number);
  };
  /**
   * Where a message goes that is given up, with its headers and `Dead-Letter-Subject`, `-Stream`, `-Consumer`, `-Sequence`,
   * `-Deliveries` and `-Error`. A stream has to store it: until one has, the message is tried again. Default: nowhere.
   */
  deadLetter?: string | ((msg: JsMsg, error: unknown) => string);
  /** extend the ack wait while a message is here: true (default) in time for the consumer, false never, or every so many ms */
  keepAlive?: boolean | number;
  /** messages that are here at once; default `concurrency`, or four times as many with `orderBy` */
  max_messages?: number;
}

/** What a processing has done with messages. */
export interface ProcessFigures {
  /** handled and acknowledged */
  readonly done: number;
  /** deliveries that failed and come again */
  readonly retried: number;
  /** given up, and stored as dead letters where there is a subject for them */
  readonly dead: number;
}

/** Handlers at work. */
export interface Processing extends AsyncDisposable {
  /** how it is, right now */
  readonly health: ConsumerHealth;
  /** what it has done so far */
  readonly figures: ProcessFigures;
  /** Ask for no more. Handlers that run go on: to wait for them, await `closed()`. */
  close(): Promise<undefined | Error>;
  /** resolves when it has ended and no handler runs, with the error if one ended it; never rejects */
  closed(): Promise<undefined | Error>;
  /** see {@link ConsumerMessages.status} */
  status(): AsyncIterable<ConsumerNotification>;
  /** End it now, and abort the signal of the handlers that run. Messages whose handler has not begun come again. */
  stop(error?: Error): void;
}

/** A consumer that is asked for messages. */
export interface PullConsumer {
  /**
   * The next message; null when there is none within `expires`.
   * @throws {NatsError} CONSUMER_NOT_FOUND, STREAM_NOT_FOUND, JETSTREAM_STATUS, TIMEOUT, ABORTED, CLOSED, INVALID_ARGUMENT
   */
  next(options?: NextOptions): Promise<JsMsg | null>;
  /**
   * So many messages, or fewer when no more come within `expires`. The iteration ends, as soon as the server says that it is
   * over. Leaving the loop early leaves what came meanwhile to the ack wait of the consumer.
   * @throws {NatsError} as `next`; most by the iteration
   */
  fetch(options?: FetchOptions): Promise<ConsumerMessages>;
  /**
   * Messages without an end, over reconnects and what else happens to servers.
   * @throws {NatsError} INVALID_ARGUMENT, and of ordered consumers those of their creation. The iteration: CONSUMER_NOT_FOUND,
   * STREAM_NOT_FOUND, JETSTREAM_STATUS, PERMISSION_VIOLATION, ABORTED
   */
  consume(options?: ConsumeOptions): Promise<ConsumerMessages>;
  /** the consumer as the server sees it; with `cached` as it was seen last. @throws {NatsError} as a call of the API */
  info(cached?: boolean): Promise<ConsumerInfo>;
  /** remove it from the server. @throws {NatsError} as a call of the API */
  delete(): Promise<boolean>;
  /** true */
  isPullConsumer(): boolean;
  /** false */
  isPushConsumer(): boolean;
}

/** A consumer to pull messages from, with what is built upon it. */
export interface Consumer extends PullConsumer {
  /**
   * Run a handler for each message, and acknowledge as it does: when it resolves the message is done; when it rejects it comes
   * again after the backoff, and goes to the dead letters when its attempts are used up. What it throws is a `handlerError` of
   * the connection's status.
   * @throws {NatsError} INVALID_OPERATION unless the `ack_policy` is `explicit`, INVALID_ARGUMENT, and those of `consume`
   */
  readonly process: (handler: ProcessHandler, options?: ProcessOptions) => Promise<Processing>;
}

/** A consumer that the server sends messages of as they come. */
export interface PushConsumer {
  /**
   * Receive its messages; once at a time.
   * @throws {NatsError} INVALID_OPERATION, and of ordered consumers those of their creation. The iteration: CONSUMER_NOT_FOUND,
   * STREAM_NOT_FOUND, PERMISSION_VIOLATION, ABORTED
   */
  consume(options?: PushConsumeOptions): Promise<ConsumerMessages>;
  /** see {@link PullConsumer.info}. @throws {NatsError} INVALID_OPERATION for a bound one */
  info(cached?: boolean): Promise<ConsumerInfo>;
  /** see {@link PullConsumer.delete}. @throws {NatsError} INVALID_OPERATION for a bound one */
  delete(): Promise<boolean>;
  /** false */
  isPullConsumer(): boolean;
  /** true */
  isPushConsumer(): boolean;
}
