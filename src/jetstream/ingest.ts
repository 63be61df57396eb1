// Ingest: a batch of fast ingest, from its first message to its ack. Made by jetstream/fast-ingest.
//
//   add --> waiting, while the server is behind --> sent --> flow acks, gaps, refusals ... --> the ack of the batch
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
import type {
  FastIngest,
  FastIngestGap,
  FastIngestOptions,
  FastIngestProgress,
  FastIngestRefusal,
} from "./fast-ingest.ts";
import { assertLevel } from "./gates.ts";
import { APPEND, END, IngestSubject, LAST, PING, START } from "./ingest-subject.ts";
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

const MAX_WAITING = 65_536;

interface Waiting {
  readonly operation: number;
  readonly subject: string;
  readonly payload: Payload | undefined;
  readonly headers: MsgHdrs | undefined;
  resolve(progress: FastIngestProgress): void;
  reject(error: unknown): void;
}

/** The batch behind {@link startFastIngest}. */
export class Ingest implements FastIngest {
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
  readonly #replies: IngestSubject;
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
    this.#replies = new IngestSubject(this.#nc.createInbox(), ackInterval, allowGaps);
    this.batch = this.#replies.batch;
    // whoever waits for nothing need not hear of it
    this.#done.catch(() => undefined);
    this.#sub = this.#nc.subscribe(this.#replies.all, {
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
    const reply = this.#replies.of(sequence, operation);
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
    const { sequence, operation } = this.#replies.read(reply);
    const error = new NoStreamError(this.#subject, 1);
    if (this.#started !== undefined) return this.#finish(error);
    if (this.#allowGaps) return;
    if (operation === PING) return this.#finish(this.#refusal ?? error);
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
