// JsMsg: a message that a consumer delivered, and how it is acknowledged. Made by jetstream/flow, one per message.
import type { Msg, NatsConnection, Payload, ReviverFn, WaitOptions } from "../client/connection.ts";
import type { Codec } from "../codec/codec.ts";
import { check, checkWhole } from "../lib/check.ts";
import { nanos } from "../lib/nanos.ts";
import { compare } from "../lib/semver.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import { type DeliveryInfo, exactSequence, parseAckSubject } from "./ack-subject.ts";

/** What to ask for together with an acknowledgement. */
export interface NextRequest {
  /** messages; default 1 */
  batch?: number;
  /** end at once when there are no messages */
  no_wait?: boolean;
  /** milliseconds; without it the request waits for ever, unless `no_wait` is set */
  expires?: number;
}

/**
 * A message of a stream, as a consumer delivered it.
 *
 * A message is acknowledged once: after `ack`, `nak`, `term`, `next` or a confirmed `ackAck`, these do nothing. Where the
 * consumer has no acknowledgements (`ack_policy: none`, ordered consumers) they never do.
 */
export interface JsMsg {
  /** the subject it was stored under */
  readonly subject: string;
  /** id of the subscription it came by */
  readonly sid: number;
  /** the payload; always a plain `Uint8Array`. A view: copy (`slice()`) what you keep for long. */
  readonly data: Uint8Array;
  /** the headers, if there are any */
  readonly headers?: MsgHdrs | undefined;
  /** the subject that acknowledgements go to */
  readonly reply: string;
  /** its sequence in the stream; rounded above 2^53 - 1 */
  readonly seq: number;
  /** its sequence in the stream */
  readonly exactSeq: bigint;
  /** it was delivered before */
  readonly redelivered: boolean;
  /** what the server says of this delivery */
  readonly info: DeliveryInfo;
  /** when it was stored, to the millisecond */
  readonly time: Date;
  /** when it was stored, as RFC 3339 text with nanoseconds */
  readonly timestamp: string;
  /** when it was stored: nanoseconds since 1970 */
  readonly timestampNanos: bigint;
  /** true once it has its final acknowledgement */
  readonly didAck: boolean;
  /**
   * It is done. Sent, not confirmed: see {@link JsMsg.ackAck}.
   * @throws {NatsError} CLOSED, DRAINING, DISCONNECTED, OUTBOUND_FULL
   */
  ack(): void;
  /** Deliver it again, at once or after `millis` milliseconds. @throws {NatsError} INVALID_ARGUMENT, and as `ack` */
  nak(millis?: number): void;
  /** Work goes on: the server's ack wait begins anew. May be called often. @throws {NatsError} as `ack` */
  working(): void;
  /** Never deliver it again; `reason` is in the server's advisory (server 2.10.4). @throws {NatsError} as `ack` */
  term(reason?: string): void;
  /** Acknowledge and ask for more, which goes to `subject`: of a pull consumer. @throws {NatsError} INVALID_ARGUMENT, and as `ack` */
  next(subject: string, request?: NextRequest): void;
  /**
   * Acknowledge, and wait until the server has noted it: the message never comes again then. False when it had its final
   * acknowledgement before. After a failure it may be acknowledged again. Default timeout 5000 ms.
   * @throws {NatsError} TIMEOUT, NO_RESPONDERS, ABORTED, CLOSED, DRAINING
   */
  ackAck(options?: WaitOptions): Promise<boolean>;
  /** the payload, parsed as JSON. @throws {NatsError} CODEC */
  json<T = unknown>(reviver?: ReviverFn): T;
  /** the payload as text */
  string(): string;
  /** the payload, decoded. @throws {NatsError} CODEC */
  decode<T>(codec: Codec<T>): T;
  /** bytes of subject, reply, headers and payload together */
  size(): number;
}

// the nanoseconds of the server have 63 bits
function checkDelay(name: string, millis = 0): void {
  check(millis >= 0 && millis < 2 ** 63 / 1e6, name, millis, "milliseconds, from 0 to 292 years");
}

/** What the messages of one consumer share. */
export interface AckHost {
  readonly nc: NatsConnection;
  /** milliseconds that a confirmed acknowledgement may take */
  readonly timeout: number;
  /** the consumer has no acknowledgements */
  readonly ackNone: boolean;
}

/** A delivered message over the message as it came. */
export class JsMsgImpl implements JsMsg {
  readonly #host: AckHost;
  readonly #msg: Msg;
  #done = false;
  #info: DeliveryInfo | undefined;

  constructor(host: AckHost, msg: Msg) {
    this.#host = host;
    this.#msg = msg;
  }

  get subject(): string {
    return this.#msg.subject;
  }

  get sid(): number {
    return this.#msg.sid;
  }

  get data(): Uint8Array {
    return this.#msg.data;
  }

  get headers(): MsgHdrs | undefined {
    return this.#msg.headers;
  }

  get reply(): string {
    return this.#msg.reply ?? "";
  }

  get info(): DeliveryInfo {
    return (this.#info ??= parseAckSubject(this.reply));
  }

  get seq(): number {
    return this.info.streamSequence;
  }

  get exactSeq(): bigint {
    return exactSequence(this.reply);
  }

  get redelivered(): boolean {
    return this.info.redelivered;
  }

  get timestampNanos(): bigint {
    return this.info.timestampNanos;
  }

  get time(): Date {
    return new Date(Number(this.timestampNanos / 1_000_000n));
  }

  get timestamp(): string {
    const fraction = String(this.timestampNanos % 1_000_000_000n).padStart(9, "0");
    return `${this.time.toISOString().slice(0, 19)}.${fraction}Z`;
  }

  get didAck(): boolean {
    return this.#done;
  }

  json<T = unknown>(reviver?: ReviverFn): T {
    return this.#msg.json<T>(reviver);
  }

  string(): string {
    return this.#msg.string();
  }

  decode<T>(codec: Codec<T>): T {
    return this.#msg.decode(codec);
  }

  size(): number {
    return this.#msg.size();
  }

  ack(): void {
    this.#finally("+ACK");
  }

  nak(millis?: number): void {
    if (millis === undefined) return this.#finally("-NAK");
    // a delay that the server can't read is none: the message would come again at once
    checkDelay("the delay", millis);
    this.#finally(`-NAK {"delay":${Math.round(nanos(millis))}}`);
  }

  term(reason?: string): void {
    this.#finally(reason === undefined || !this.#knowsReasons() ? "+TERM" : `+TERM ${reason}`);
  }

  working(): void {
    if (!this.#done && !this.#host.ackNone) this.#msg.respond("+WPI");
  }

  next(subject: string, { batch = 1, no_wait, expires }: NextRequest = {}): void {
    checkWhole("batch", batch, 1);
    checkDelay("expires", expires);
    const request = JSON.stringify({
      batch,
      no_wait,
      expires: expires === undefined ? undefined : Math.round(nanos(expires)),
    });
    this.#finally(`+NXT ${request}`, subject);
  }

  async ackAck({ timeout = this.#host.timeout, signal }: WaitOptions = {}): Promise<boolean> {
    const { nc, ackNone } = this.#host;
    if (this.#done || ackNone) return false;
    // whoever acknowledges meanwhile is second
    this.#done = true;
    try {
      await nc.request(this.reply, "+ACK", { timeout, signal });
    } catch (error) {
      this.#done = false;
      throw error;
    }
    return true;
  }

  // Marked as done only when it is on its way: what throws can be tried again (C-ADR15-5).
  #finally(payload: Payload, reply?: string): void {
    if (this.#done || this.#host.ackNone) return;
    if (reply === undefined) this.#msg.respond(payload);
    else this.#msg.respond(payload, { reply });
    this.#done = true;
  }

  // older servers don't take `+TERM reason` for an acknowledgement
  #knowsReasons(): boolean {
    const version = this.#host.nc.getServerVersion();
    return version === undefined || compare(version, { major: 2, minor: 10, micro: 4 }) >= 0;
  }
}

/**
 * {@link JsMsg.ackAck} for many messages at once: resolves, in their order, to what it does for each.
 *
 * @throws {NatsError} as `ackAck`, when one of them is not confirmed; those that were stay so
 */
export function ackAckAll(messages: Iterable<JsMsg>, options?: WaitOptions): Promise<boolean[]> {
  return Promise.all(Array.from(messages, (msg) => msg.ackAck(options)));
}
