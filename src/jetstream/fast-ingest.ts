// Fast ingest: a batch that is stored as it comes, with one ack for many messages (ADR-50); what js.startFastIngest gives.
//
//   <inbox>.<batch id>.<flow>.<ok|fail>.<sequence>.<operation>.$FI      the reply subject says it all: there are no headers
//
//   add --> waiting, while the server is behind --> sent --> flow acks, gaps, refusals ... --> the ack of the batch
/// <reference lib="esnext.disposable" preserve="true" />
import type { Msg, NatsConnection, Payload, Subscription, WaitOptions } from "../client/connection.ts";
import { ClosedConnectionError, InvalidOperationError, NatsError, TimeoutError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { type Deferred, deferred, settle } from "../lib/deferred.ts";
import { Listeners } from "../lib/listeners.ts";
import { Queue } from "../lib/queue.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { IngestFrame, PubAckReply } from "../protocol/jetstream/publish.ts";
import type { Api } from "./api.ts";
import { apiError } from "./api-error.ts";
import { assertLevel } from "./gates.ts";
import { prepare } from "./prepare.ts";
import {
  type BatchAck,
  isNoResponders,
  NoStreamError,
  OutcomeUnknownError,
  parsePubAck,
  pubAckOf,
} from "./pub-ack.ts";
import type { JetStreamMessageOptions } from "./publish-options.ts";

/** Options of {@link JetStreamClient.startFastIngest}; those of a message are for the first one. */
export interface FastIngestOptions extends JetStreamMessageOptions, WaitOptions {
  /**
   * Go on when a message is lost or refused? Default false: the batch ends there, and what is stored is all that was published
   * before. With true each loss is told by `gaps()`, each refusal by `errors()`.
   */
  allowGaps?: boolean;
  /** the most messages for which the server may send one ack: 1 to 65 535, default 100. The server begins with fewer when busy. */
  ackInterval?: number;
  /** how many acks may be due before `add` waits: 1 to 3, default 2 */
  maxOutstandingAcks?: number;
  /** milliseconds of silence, when an answer is due, that end the batch; default: the `timeout` of the {@link JetStreamOptions} */
  timeout?: number;
}

/** How far a batch is. */
export interface FastIngestProgress {
  /** the number of the message in the batch, from 1 on */
  batchSeq: number;
  /** the server is done with the messages up to this number */
  ackSeq: number;
}

/** The messages from `lastSeq` to the one before `seq` were lost. */
export interface FastIngestGap {
  lastSeq: number;
  seq: number;
}

/** A message of a batch was refused. */
export interface FastIngestRefusal {
  /** its number in the batch */
  seq: number;
  error: NatsError;
}

/** A batch that is stored as it comes. The server forgets it when nothing comes for ten seconds: `ping` keeps it. */
export interface FastIngest extends Disposable {
  /** its id */
  readonly batch: string;
  /** the server is done with the messages up to this number; without `allowGaps` they are stored */
  readonly acked: number;
  /** messages that were lost so far */
  readonly lost: number;
  /** messages that were refused so far */
  readonly refused: number;
  /**
   * Add a message; resolves when it is sent, which waits while the server is behind. Up to 65 536 wait.
   * @throws {NatsError} the error that ended the batch, INVALID_OPERATION after its end, UNSUPPORTED, OUTBOUND_FULL, and
   * those of `publish`
   */
  add(subject: string, payload?: Payload, options?: JetStreamMessageOptions): Promise<FastIngestProgress>;
  /** Add the last message, and wait for the ack of the batch. @throws {NatsError} as `done` */
  last(
    subject: string,
    payload?: Payload,
    options?: JetStreamMessageOptions & WaitOptions,
  ): Promise<BatchAck>;
  /** End the batch without a last message. @throws {NatsError} as `done` */
  end(options?: WaitOptions): Promise<BatchAck>;
  /** Ask how far the server is. @throws {NatsError} TIMEOUT, ABORTED, and the error that ended the batch */
  ping(options?: WaitOptions): Promise<FastIngestProgress>;
  /** What is lost from now on; ends with the batch. */
  gaps(): AsyncIterable<FastIngestGap>;
  /** What is refused from now on; ends with the batch. */
  errors(): AsyncIterable<FastIngestRefusal>;
  /**
   * The ack of the batch, once `last` or `end` was called.
   * @throws {NatsError} BATCH_INCOMPLETE when it ended before: go on after `acked`; its `cause` is the refusal, if that was why;
   * those of `js.publish`
   */
  done(options?: WaitOptions): Promise<BatchAck>;
  /** Send no more. What is stored stays. Does nothing after the end; `using` does it. */
  abort(): void;
}

const START = 0;
const APPEND = 1;
const LAST = 2;
const END = 3;
const PING = 4;

const MAX_WAITING = 65_536;

/**
 * Begin a batch with its first message.
 *
 * @throws {NatsError} those of `js.publish`
 */
export async function startFastIngest(
  api: Api,
  subject: string,
  payload?: Payload,
  options: FastIngestOptions = {},
): Promise<FastIngest> {
  const { timeout = api.options.timeout, signal } = options;
  const wait: WaitOptions = { timeout, ...(signal && { signal }) };
  const { headers, gates } = prepare(subject, payload, options);
  const level = await api.level(wait);
  assertLevel(api, [["fast ingest", 4], ...gates], level);
  const ingest = new Ingest(api, level, subject, options);
  await ingest.begin(payload, headers, wait);
  return ingest;
}

interface Waiting {
  readonly operation: number;
  readonly subject: string;
  readonly payload: Payload | undefined;
  readonly headers: MsgHdrs | undefined;
  resolve(progress: FastIngestProgress): void;
  reject(error: unknown): void;
}

class Ingest implements FastIngest {
  readonly batch: string;
  acked = 0;
  lost = 0;
  refused = 0;
  readonly #api: Api;
  readonly #nc: NatsConnection;
  readonly #level: number;
  // of the first message
  readonly #subject: string;
  readonly #allowGaps: boolean;
  readonly #maxOutstanding: number;
  readonly #timeout: number;
  // the reply subject up to the sequence
  readonly #prefix: string;
  readonly #sub: Subscription;
  readonly #gaps = new Listeners<FastIngestGap>();
  readonly #errors = new Listeners<FastIngestRefusal>();
  readonly #done: Deferred<BatchAck> = deferred();
  readonly #waiting = new Queue<Waiting>();
  // the next frame answers them
  #pings: Deferred<FastIngestProgress>[] = [];
  #started: Deferred<void> | undefined = deferred();
  // number of the message sent last
  #sequence = 0;
  // messages that the server takes for one ack
  #messages = 1;
  // `last` or `end` was called, and how many messages there are then
  #committed = false;
  #count = 0;
  // why the server ends it: a message was refused, or reached nobody
  #refusal: NatsError | undefined;
  #over: NatsError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silentSince = 0;

  constructor(api: Api, level: number, subject: string, options: FastIngestOptions) {
    const {
      allowGaps = false,
      ackInterval = 100,
      maxOutstandingAcks = 2,
      timeout = api.options.timeout,
    } = options;
    for (const [name, value, most] of [
      ["ackInterval", ackInterval, 65_535],
      ["maxOutstandingAcks", maxOutstandingAcks, 3],
    ] as const) {
      const ok = Number.isInteger(value) && value >= 1 && value <= most;
      check(ok, name, value, `a whole number from 1 to ${most}`);
    }
    this.#api = api;
    this.#nc = api.nc;
    this.#level = level;
    this.#subject = subject;
    this.#allowGaps = allowGaps;
    this.#maxOutstanding = maxOutstandingAcks;
    this.#timeout = timeout;
    const inbox = this.#nc.createInbox();
    this.batch = inbox.slice(inbox.lastIndexOf(".") + 1);
    this.#prefix = `${inbox}.${ackInterval}.${allowGaps ? "ok" : "fail"}`;
    // whoever waits for nothing need not hear of it
    this.#done.catch(() => undefined);
    this.#sub = this.#nc.subscribe(`${inbox}.>`, {
      callback: (error, msg) => (error === null ? this.#onMessage(msg) : undefined),
    });
    void this.#sub.closed.then((error) =>
      this.#finish((error as NatsError | undefined) ?? new ClosedConnectionError()),
    );
  }

  async begin(
    payload: Payload | undefined,
    headers: MsgHdrs | undefined,
    options: WaitOptions,
  ): Promise<void> {
    const started = this.#started as Deferred<void>;
    started.catch(() => undefined);
    try {
      this.#send(START, this.#subject, payload, headers);
      await settle(started, { ...options, what: `the start of a batch on '${this.#subject}'` });
    } catch (error) {
      this.#finish(error as NatsError);
      throw error;
    }
  }

  add(
    subject: string,
    payload?: Payload,
    options: JetStreamMessageOptions = {},
  ): Promise<FastIngestProgress> {
    return this.#enqueue(APPEND, subject, payload, options);
  }

  async last(
    subject: string,
    payload?: Payload,
    options: JetStreamMessageOptions & WaitOptions = {},
  ): Promise<BatchAck> {
    return this.#commit(LAST, subject, payload, options);
  }

  async end(options: WaitOptions = {}): Promise<BatchAck> {
    return this.#commit(END, this.#subject, undefined, options);
  }

  async #commit(
    operation: number,
    subject: string,
    payload: Payload | undefined,
    options: JetStreamMessageOptions & WaitOptions,
  ): Promise<BatchAck> {
    const sent = this.#enqueue(operation, subject, payload, options);
    this.#committed = true;
    sent.catch((error: unknown) => this.#finish(error as NatsError));
    return this.done(options);
  }

  #enqueue(
    operation: number,
    subject: string,
    payload: Payload | undefined,
    options: JetStreamMessageOptions,
  ): Promise<FastIngestProgress> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) throw this.#over;
      if (this.#refusal !== undefined) throw this.#refusal;
      if (this.#committed) {
        throw new InvalidOperationError("the batch takes no more messages: it was ended", { subject });
      }
      if (this.#waiting.length >= MAX_WAITING) {
        throw new NatsError(
          "OUTBOUND_FULL",
          `${MAX_WAITING} messages wait: '${subject}' was not taken. Await each add()`,
          { subject },
        );
      }
      const { headers, gates } = prepare(subject, payload, options);
      assertLevel(this.#api, gates, this.#level);
      this.#waiting.push({ operation, subject, payload, headers, resolve, reject });
      this.#pump();
    });
  }

  // -- sending -------------------------------------------------------------------------------------------------------

  get #stalled(): boolean {
    return this.acked + this.#messages * this.#maxOutstanding <= this.#sequence;
  }

  #pump(): void {
    while (!this.#stalled) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      try {
        this.#send(next.operation, next.subject, next.payload, next.headers);
        next.resolve(this.#progress);
      } catch (error) {
        next.reject(error);
      }
    }
    this.#listenFor();
  }

  #send(
    operation: number,
    subject: string,
    payload: Payload | undefined,
    headers: MsgHdrs | undefined,
  ): void {
    const sequence = operation === PING ? this.#sequence : this.#sequence + 1;
    const reply = `${this.#prefix}.${sequence}.${operation}.$FI`;
    this.#nc.publish(subject, payload, headers === undefined ? { reply } : { reply, headers });
    this.#sequence = sequence;
    if (operation === LAST) this.#count = sequence;
    // it takes a number, and is no message
    if (operation === END) this.#count = sequence - 1;
  }

  get #progress(): FastIngestProgress {
    return { batchSeq: this.#sequence, ackSeq: this.acked };
  }

  /** Where an answer is due, ask when it is late, and give up after the timeout. */
  #listenFor(): void {
    const due =
      this.#over === undefined &&
      (this.#waiting.length > 0 || this.#pings.length > 0 || this.#count > 0 || this.#refusal !== undefined);
    if (!due) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      this.#silentSince = performance.now();
      this.#timer = setTimeout(() => this.#late(), Math.min(this.#timeout / 4, 1000));
    }
  }

  #late(): void {
    this.#timer = undefined;
    const silent = performance.now() - this.#silentSince;
    if (silent >= this.#timeout) {
      const missing = this.#nc.info === undefined ? "no connection" : "no reply";
      const facts = { subject: this.#subject };
      this.#finish(new TimeoutError(`the stream did not answer within ${this.#timeout} ms`, facts, missing));
      return;
    }
    try {
      this.#send(PING, this.#subject, undefined, undefined);
    } catch (error) {
      this.#finish(error as NatsError);
      return;
    }
    this.#timer = setTimeout(() => this.#late(), Math.min(this.#timeout / 4, 1000, this.#timeout - silent));
  }

  ping(options: WaitOptions = {}): Promise<FastIngestProgress> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const pong = deferred<FastIngestProgress>();
    this.#pings.push(pong);
    try {
      this.#send(PING, this.#subject, undefined, undefined);
    } catch (error) {
      pong.reject(error);
    }
    this.#listenFor();
    return settle(pong, { ...options, what: "the ping of the batch" });
  }

  // -- what the server says ------------------------------------------------------------------------------------------

  #onMessage(msg: Msg): void {
    if (isNoResponders(msg)) return this.#onNobody(msg.subject);
    let frame: IngestFrame | PubAckReply;
    try {
      frame = parsePubAck(msg, this.#subject) as IngestFrame | PubAckReply;
    } catch (error) {
      return this.#finish(error as NatsError);
    }
    if ("type" in frame) this.#onFrame(frame);
    else this.#onAck(frame);
  }

  // A message reached no stream. Where gaps are allowed it is one, and the server tells; else a ping shows how far it came.
  #onNobody(reply: string): void {
    const [sequence, operation] = reply.split(".").slice(-3);
    const error = new NoStreamError(this.#subject, 1);
    if (this.#started !== undefined) return this.#finish(error);
    if (this.#allowGaps) return;
    if (Number(operation) === PING) return this.#finish(this.#refusal ?? error);
    if (this.#refusal !== undefined) return;
    this.#refusal = new NatsError("NO_RESPONDERS", `message ${sequence} of the batch reached no stream`);
    clearTimeout(this.#timer);
    this.#silentSince = performance.now();
    this.#late();
  }

  #onFrame(frame: IngestFrame): void {
    switch (frame.type) {
      case "ack":
        // one that was overtaken says nothing new
        if (frame.seq >= this.acked) {
          this.acked = frame.seq;
          this.#messages = frame.msgs;
        }
        break;
      case "gap":
        this.lost += Math.max(0, frame.seq - frame.last_seq);
        if (this.#allowGaps) this.acked = Math.max(this.acked, frame.seq - 1);
        this.#gaps.emit({ lastSeq: frame.last_seq, seq: frame.seq });
        break;
      case "err": {
        const error = apiError(frame.error, { subject: this.#subject });
        this.refused++;
        // the ack of what was stored before follows
        if (!this.#allowGaps) this.#refusal ??= error;
        this.#errors.emit({ seq: frame.seq, error });
        break;
      }
      default:
    }
    this.#started?.resolve();
    this.#started = undefined;
    const pings = this.#pings;
    this.#pings = [];
    for (const ping of pings) ping.resolve(this.#progress);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pump();
  }

  // Without a type: the batch is over.
  #onAck(reply: PubAckReply): void {
    try {
      const ack = pubAckOf(reply, this.#subject);
      const { stream, seq, batch, count = 0 } = ack;
      if (batch !== this.batch) {
        const text = `the stream '${stream}' does not know fast ingest: it stored the message to '${this.#subject}' as ${seq}`;
        throw new NatsError("UNSUPPORTED", text, { subject: this.#subject, stream });
      }
      this.acked = count;
      if (this.#count === 0 || (count < this.#count && !this.#allowGaps)) {
        const text = `the batch ended after ${count} messages in stream '${stream}': go on with number ${count + 1}`;
        throw new NatsError("BATCH_INCOMPLETE", text, {
          subject: this.#subject,
          stream,
          cause: this.#refusal,
        });
      }
      this.#finish(undefined, ack as BatchAck);
    } catch (error) {
      // the batch is unknown: it was committed already, or what was before never arrived
      this.#finish(error as NatsError, undefined, reply.error?.err_code === 10208);
    }
  }

  // -- end -----------------------------------------------------------------------------------------------------------

  done(options: WaitOptions = {}): Promise<BatchAck> {
    return settle(this.#done, { ...options, what: "the ack of the batch" });
  }

  gaps(): AsyncIterable<FastIngestGap> {
    return this.#gaps.listen();
  }

  errors(): AsyncIterable<FastIngestRefusal> {
    return this.#errors.listen();
  }

  abort(): void {
    this.#finish(new NatsError("ABORTED", "the batch was aborted", { subject: this.#subject }));
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  #finish(
    error: NatsError | undefined,
    ack?: BatchAck,
    open = error?.code === "TIMEOUT" || error?.code === "CLOSED",
  ): void {
    if (this.#over !== undefined) return;
    // the end of the batch was sent
    if (error !== undefined && open && this.#count > 0) {
      error = new OutcomeUnknownError(this.#subject, undefined, error);
    }
    this.#over = error ?? new InvalidOperationError("the batch has ended");
    this.#sub.unsubscribe();
    this.#listenFor();
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift())
      one.reject(this.#over);
    for (const ping of this.#pings) ping.reject(this.#over);
    this.#started?.reject(this.#over);
    if (ack === undefined) this.#done.reject(this.#over);
    else this.#done.resolve(ack);
    this.#gaps.close();
    this.#errors.close();
  }
}
