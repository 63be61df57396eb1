// Connection: the interfaces everything above the connection is written against. Types only.
// AsyncDisposable is in no `lib` before ESNext: the declarations bring it along
/// <reference lib="esnext.disposable" preserve="true" />
import type { Codec } from "../codec/codec.ts";
import type { NatsError, PermissionViolationError } from "../errors.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { ServerInfo } from "../protocol/ops.ts";
import type { BytesReader } from "../lib/bytes.ts";
import type { SemVer } from "../lib/semver.ts";

/** What can be sent: bytes, or text that is sent as UTF-8. */
export type Payload = Uint8Array | string;

/** How long a call may wait. */
export interface WaitOptions {
  /** milliseconds; the call rejects with code `TIMEOUT` after them. What the default is, the call says. */
  timeout?: number | undefined;
  /** ends the wait; the call rejects with code `ABORTED` and the signal's reason as `cause` */
  signal?: AbortSignal | undefined;
}

/** Options of a publish. */
export interface PublishOptions {
  /** where replies go */
  reply?: string | undefined;
  /** headers of the message; the object is not changed */
  headers?: MsgHdrs | undefined;
  /** subject that receives the server's trace events of this message (ADR-41, server 2.11) */
  traceDestination?: string | undefined;
  /** trace only: the message itself is neither delivered nor stored (server 2.11; refused below) */
  traceOnly?: boolean | undefined;
}

/** Options of a request. */
export interface RequestOptions extends WaitOptions {
  /** milliseconds to wait for the reply; default 1000 */
  timeout?: number | undefined;
  headers?: MsgHdrs | undefined;
  /** use a subscription of its own rather than the shared inbox of the connection. Default false. */
  noMux?: boolean;
  /** the reply subject to use; only with `noMux` */
  reply?: string | undefined;
  /** see {@link PublishOptions.traceDestination} */
  traceDestination?: string | undefined;
  /** see {@link PublishOptions.traceOnly} */
  traceOnly?: boolean | undefined;
}

/**
 * When a {@link NatsConnection.requestMany} ends; `maxWait` ends each of them.
 * - `timer`: after `maxWait`
 * - `count`: after `maxMessages`
 * - `stall`: when `stall` milliseconds pass after a message without another
 * - `sentinel`: with a message that has an empty payload; it is yielded too
 */
export type RequestStrategy = "timer" | "count" | "stall" | "sentinel";

/** Options of a request for many replies. Each of them may be left out. */
export interface RequestManyOptions {
  /** default `timer` */
  strategy: RequestStrategy;
  /** milliseconds that the whole request may take; default 1000 */
  maxWait: number;
  /** end after so many messages, whatever the strategy */
  maxMessages?: number;
  /** milliseconds between messages, of the strategy `stall`; default 300. Time spent in the consumer's loop doesn't count. */
  stall?: number;
  headers?: MsgHdrs | undefined;
  /** use a subscription of its own rather than the shared inbox. Default false. */
  noMux?: boolean;
  /** ends the request; the iteration throws code `ABORTED`, or the call does when it is aborted already */
  signal?: AbortSignal | undefined;
  /** see {@link PublishOptions.traceDestination} */
  traceDestination?: string | undefined;
  /** see {@link PublishOptions.traceOnly} */
  traceOnly?: boolean | undefined;
}

/**
 * A message.
 *
 * `data` and `headers` refer to the bytes as they came from the socket, and keep the chunk they came in alive:
 * copy (`msg.data.slice()`) what you keep for long.
 */
export interface Msg {
  /** the subject it was published to */
  readonly subject: string;
  /** id of the subscription it came by */
  readonly sid: number;
  /** where a reply goes, if one is wanted */
  readonly reply?: string | undefined;
  /** the payload; always a plain `Uint8Array` */
  readonly data: Uint8Array;
  /** the headers, if there are any */
  readonly headers?: MsgHdrs | undefined;
  /** @internal the number in the status line of a message of the server, which has no payload; else 0. Looks at the bytes only. */
  readonly statusCode?: number;
  /** @internal the reply subject in the bytes it came in, for those who read it without making a text of it */
  readReply?<T>(read: BytesReader<T>): T;
  /** @internal the same of the subject */
  readSubject?<T>(read: BytesReader<T>): T;
  /** publish a reply; false when the message asks for none */
  respond(payload?: Payload, options?: PublishOptions): boolean;
  /**
   * the payload, parsed as JSON
   * @throws {NatsError} CODEC
   */
  json<T = unknown>(reviver?: ReviverFn): T;
  /** the payload as text */
  string(): string;
  /**
   * the payload, decoded
   * @throws {NatsError} CODEC
   */
  decode<T>(codec: Codec<T>): T;
  /** bytes of subject, reply, headers and payload together */
  size(): number;
}

/** The reviver of `JSON.parse`. */
// oxlint-disable-next-line typescript/no-explicit-any -- the type of JSON.parse's own reviver
export type ReviverFn = (key: string, value: any) => any;

/** Receives messages, or the error that ended the subscription (then `msg` is undefined at run time). */
export type MsgCallback<T = Msg> = (err: NatsError | null, msg: T) => void | Promise<unknown>;

/** How many undelivered messages a subscription keeps, and what happens beyond. */
export interface SubscriptionLimits {
  /** default 524 288 */
  messages?: number;
  /** bytes of subjects, headers and payloads; default 64 MiB */
  bytes?: number;
  /**
   * `drop-newest` (default) and `drop-oldest` drop and count; `close` ends the subscription with code `SLOW_CONSUMER`.
   */
  overflow?: "drop-newest" | "drop-oldest" | "close";
}

/** Options of a subscription. */
export interface SubscriptionOptions {
  /** queue group: of all its members, one gets each message */
  queue?: string;
  /** unsubscribe after so many messages */
  max?: number;
  /** milliseconds to wait for the first message; then the subscription ends with code `TIMEOUT`. Default: no limit. */
  timeout?: number;
  /** receives each message; without it, iterate the subscription. A promise it returns is watched for failure. */
  callback?: MsgCallback;
  /** with an async `callback`: how many may run at once; the others wait in the queue. Default: unlimited. */
  concurrency?: number;
  /** bounds of the queue */
  limits?: SubscriptionLimits;
  /** number of queued messages at which one `slowConsumer` status is sent, before anything is dropped */
  slow?: number;
}

/** Interest in a subject. Iterate it for the messages, unless it has a callback. */
export interface Subscription extends AsyncIterable<Msg>, AsyncDisposable {
  /** resolves when the subscription has ended, with the error if one ended it; never rejects */
  readonly closed: Promise<undefined | Error>;
  /** the callback, if it has one */
  readonly callback: MsgCallback | undefined;
  /** messages dropped because the queue was full */
  readonly dropped: number;
  /** the messages as a web stream, over the same queue; cancelling it unsubscribes */
  readonly readable: ReadableStream<Msg>;
  /** end it now, or with `max` after so many messages counted from its beginning. What is still queued is discarded. */
  unsubscribe(max?: number): void;
  /**
   * end it after what the server has already sent: resolves when that was handed over, and the callbacks have run. The one
   * that calls it, before its first `await`, is not waited for.
   * @throws {NatsError} CLOSED, INVALID_OPERATION, TIMEOUT, ABORTED
   */
  drain(options?: WaitOptions): Promise<void>;
  isDraining(): boolean;
  isClosed(): boolean;
  getSubject(): string;
  /** messages that arrived */
  getReceived(): number;
  /** messages handed over */
  getProcessed(): number;
  /** messages queued */
  getPending(): number;
  getID(): number;
  /** the number of messages after which it ends, if there is one */
  getMax(): number | undefined;
}

/** An async iterator with a name for its end. */
export interface QueuedIterator<T> extends AsyncIterable<T> {
  /** end the iteration, with an error if given */
  stop(error?: Error): void;
  getProcessed(): number;
  getPending(): number;
  getReceived(): number;
}

/** Counters of a connection, over all its reconnects. */
export interface Stats {
  /** bytes of payloads and headers received */
  inBytes: number;
  /** bytes of payloads and headers published */
  outBytes: number;
  inMsgs: number;
  outMsgs: number;
  /** how often it came back */
  reconnects: number;
  /** bytes that the socket has not yet taken */
  pendingBytes: number;
  /** published messages that were not sent: refused by the policy, or in a link when it broke */
  droppedOutbound: number;
  /** messages that arrived and were dropped because the queue of a subscription was full */
  droppedInbound: number;
}

/** A server the connection knows. */
export interface Server {
  readonly hostname: string;
  readonly port: number;
  /** `host:port` */
  readonly listen: string;
  /** the address as it was given, without credentials */
  readonly src: string;
  /** the name its certificate is checked against, when that is not `hostname` */
  readonly tlsName: string;
  /** failed attempts in a row */
  readonly reconnects: number;
  /** when it was dialled last, as of `Date.now()`; 0 for never */
  readonly lastConnect: number;
  /** the cluster told of it; the user did not name it */
  readonly gossiped: boolean;
  /** it was connected at least once */
  readonly didConnect: boolean;
}

/**
 * Chooses the server of the next dial: one of `pool`, if wanted with a delay in milliseconds; null leaves the choice.
 */
export type ReconnectToServerHandler = (
  pool: readonly Server[],
  info: ServerInfo | null,
) => Server | { server: Server; delay?: number } | null;

/** What the connection is doing. */
export type ConnectionState = "connecting" | "connected" | "reconnecting" | "draining" | "closed";

/** the link to a server is gone */
export interface DisconnectStatus {
  type: "disconnect";
  server: string;
  /** why, when it was not asked for */
  error?: NatsError;
  /** messages that were given to the link and are known not to have been sent whole */
  lost: number;
}
/** a dial is about to begin, after `delay` */
export interface ReconnectingStatus {
  type: "reconnecting";
  server: string;
  /** attempts since the connection was lost, this one included */
  attempt: number;
  /** milliseconds until the dial */
  delay: number;
  /** why the attempt before it failed, or why the connection was lost */
  error?: NatsError;
}
/** connected again */
export interface ReconnectStatus {
  type: "reconnect";
  server: string;
}
/** the cluster changed */
export interface ClusterUpdateStatus {
  type: "update";
  added?: string[];
  deleted?: string[];
}
/** the server announced that it will shut down (lame duck) */
export interface LDMStatus {
  type: "ldm";
  server: string;
}
/** the server sent `-ERR`, or something failed that belongs to no call */
export interface ServerErrorStatus {
  type: "error";
  error: NatsError | PermissionViolationError;
}
/** a ping was sent to see whether the server is alive */
export interface ClientPingStatus {
  type: "ping";
  pendingPings: number;
}
/** the server did not answer the pings */
export interface StaleConnectionStatus {
  type: "staleConnection";
}
/** `reconnect()` was called */
export interface ForceReconnectStatus {
  type: "forceReconnect";
}
/** the queue of a subscription passed its `slow` mark, or began to drop */
export interface SlowConsumerStatus {
  type: "slowConsumer";
  sub: Subscription;
  /** messages queued */
  pending: number;
  /** messages dropped so far */
  dropped: number;
}
/** a callback, authenticator or other code of the user failed */
export interface HandlerErrorStatus {
  type: "handlerError";
  error: unknown;
  /** subject of the message concerned, or `""` */
  subject: string;
  /** whose code it was */
  source: "subscription" | "authenticator" | "reconnectDelayHandler" | "reconnectToServer" | "service";
}
/** the connection is closed; the last event */
export interface CloseStatus {
  type: "close";
  error?: Error;
  /** messages that were accepted and not sent */
  unsent: number;
}

/** An event of {@link NatsConnection.status}. */
export type Status =
  | ClientPingStatus
  | CloseStatus
  | ClusterUpdateStatus
  | DisconnectStatus
  | ForceReconnectStatus
  | HandlerErrorStatus
  | LDMStatus
  | ReconnectingStatus
  | ReconnectStatus
  | ServerErrorStatus
  | SlowConsumerStatus
  | StaleConnectionStatus;

/** Who the server takes us for (`$SYS.REQ.USER.INFO`, server 2.10). */
export interface Context {
  server: {
    name: string;
    host: string;
    id: string;
    version?: string;
    ver?: string;
    [field: string]: unknown;
  };
  data: {
    user: string;
    account: string;
    permissions?: { publish?: unknown; subscribe?: unknown; responses?: unknown };
    /** nanoseconds until the login ends, when it does */
    expires?: number;
    [field: string]: unknown;
  };
}

/** Publishes. What a message needs to respond. */
export interface Publisher {
  publish(subject: string, payload?: Payload, options?: PublishOptions): void;
}

/**
 * A connection to NATS that survives its links: subscriptions, requests and buffered messages go on after a reconnect.
 */
export interface NatsConnection extends Publisher, AsyncDisposable {
  /** the INFO of the connected server; undefined while there is none */
  readonly info: ServerInfo | undefined;
  /** what the connection is doing */
  readonly state: ConnectionState;
  /** bytes that are published and that the socket has not yet taken */
  readonly pendingBytes: number;
  /** resolves when the connection is closed, with the last real error if one ended it; never rejects */
  closed(): Promise<undefined | Error>;
  /** end it now: pending requests reject, subscriptions end. What is already published is still sent if the link is alive. Idempotent. */
  close(): Promise<void>;
  /**
   * Publish a message. Synchronous; never blocks. While there is no connection, `whenDisconnected` decides.
   * @throws {NatsError} CLOSED, DRAINING, DISCONNECTED, INVALID_SUBJECT, INVALID_ARGUMENT, MAX_PAYLOAD, OUTBOUND_FULL, UNSUPPORTED
   */
  publish(subject: string, payload?: Payload, options?: PublishOptions): void;
  /** publish subject, payload, reply and headers of a message as they are */
  publishMessage(msg: Msg): void;
  /** publish the payload and headers of a message to its reply subject; false when it has none */
  respondMessage(msg: Msg): boolean;
  /**
   * Subscribe. The subscription is live at the server once a following `flush()` resolves.
   * @throws {NatsError} CLOSED, DRAINING, INVALID_SUBJECT, INVALID_ARGUMENT
   */
  subscribe(subject: string, options?: SubscriptionOptions): Subscription;
  /**
   * Publish a request and wait for one reply. Default timeout 1000 ms.
   * @throws {NatsError} NO_RESPONDERS, TIMEOUT, PERMISSION_VIOLATION, ABORTED, CLOSED, DRAINING, DISCONNECTED, and those of publish
   */
  request(subject: string, payload?: Payload, options?: RequestOptions): Promise<Msg>;
  /**
   * Publish a request and iterate the replies (ADR-47). Up to 524 288 of them or 64 MiB wait for the loop; beyond, it throws
   * code `SLOW_CONSUMER`.
   * @throws {NatsError} as `request`; no responders is thrown by the iteration
   */
  requestMany(
    subject: string,
    payload?: Payload,
    options?: Partial<RequestManyOptions>,
  ): Promise<QueuedIterator<Msg>>;
  /**
   * A round trip to the server: all that was sent before has been processed by it.
   * @throws {NatsError} DISCONNECTED, TIMEOUT, ABORTED, CLOSED
   */
  flush(options?: WaitOptions): Promise<void>;
  /**
   * Resolves when `pendingBytes` is below the low-water mark (64 KiB), at once when it is.
   * @throws {NatsError} TIMEOUT, ABORTED, CLOSED
   */
  writable(options?: WaitOptions): Promise<void>;
  /** a web stream that publishes what is written to it, with back-pressure */
  writableStream(subject: string, options?: PublishOptions): WritableStream<Payload>;
  /**
   * Unsubscribe everything, hand over what arrived, send what was published, close. Default timeout 30 000 ms; it ends closed
   * in every case. Callbacks that run are waited for, but for the one that calls it before its first `await`.
   * @throws {NatsError} CLOSED, DRAINING, TIMEOUT, ABORTED
   */
  drain(options?: WaitOptions): Promise<void>;
  /** a subject that nobody else uses, below the `inboxPrefix` of the connection: for replies to a subscription of your own */
  createInbox(): string;
  isClosed(): boolean;
  isDraining(): boolean;
  /** `host:port` of the connected server, `""` while there is none */
  getServer(): string;
  /** version of the connected server */
  getServerVersion(): SemVer | undefined;
  /** events of the connection; the iteration ends when the connection is closed */
  status(): AsyncIterable<Status>;
  stats(): Stats;
  /**
   * milliseconds of one round trip
   * @throws {NatsError} DISCONNECTED, TIMEOUT, ABORTED, CLOSED
   */
  rtt(options?: WaitOptions): Promise<number>;
  /**
   * Drop the link and dial at once, all options respected.
   * @throws {NatsError} CLOSED, DRAINING
   */
  reconnect(): Promise<void>;
  /** @internal something that should have come did not: the link is dropped unless it shows a sign of life within `ms` milliseconds */
  doubt?(ms: number): void;
  /**
   * Replace the servers to use from the next dial on; the live link stays.
   * @throws {NatsError} INVALID_ARGUMENT
   */
  setServers(servers: string[]): void;
  /** a snapshot of the pool */
  getServers(): readonly Server[];
  /** asks the server who we are (server 2.10) */
  context(options?: WaitOptions): Promise<Context>;
}
