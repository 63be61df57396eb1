// Batch: messages that a stream stores all at once or not at all (ADR-50); what js.startBatch gives.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Msg, Payload, WaitOptions } from "../client/connection.ts";
import { InvalidArgumentError, InvalidOperationError, NatsError, isNatsError } from "../errors.ts";
import { nuid } from "../lib/nuid.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { Api } from "./api.ts";
import { assertLevel, type Gated } from "./gates.ts";
import { prepare } from "./prepare.ts";
import { type BatchAck, pubAckOf, parsePubAck, readPubAck } from "./pub-ack.ts";
import { ask } from "./publish.ts";
import {
  expectedSequence,
  type JetStreamMessageOptions,
  type JetStreamPublishOptions,
  withFields,
} from "./publish-options.ts";

/** Options of a message of a batch. */
export interface BatchMessageOptions extends JetStreamMessageOptions, WaitOptions {
  /** wait until the server has taken the message; `timeout` and `signal` are for that. Default false: only the commit tells. */
  ack?: boolean;
}

/**
 * An atomic batch that was begun. Nothing of it can be seen before the commit, and the server forgets it when nothing comes for
 * ten seconds. After an error it is dead: begin another.
 */
export interface Batch extends Disposable {
  /** what the server knows it by, made up for each */
  readonly id: string;
  /** messages so far */
  readonly count: number;
  /**
   * Add a message. What the stream expects is looked at when the batch is committed: `lastSequence` may only be expected by the
   * first message, `lastSubjectSequence` only of a subject that the batch has not written yet, and `lastMsgID` by none.
   *
   * @throws {NatsError} INVALID_OPERATION when the batch is dead or over, UNSUPPORTED, and those of `publish`
   */
  add(subject: string, payload?: Payload, options?: BatchMessageOptions & { ack?: false }): void;
  /** The same; resolves when the server has taken it. @throws {NatsError} those of `js.publish` too */
  add(
    subject: string,
    payload: Payload | undefined,
    options: BatchMessageOptions & { ack: true },
  ): Promise<void>;
  /**
   * Add the last message, and store them all.
   * @throws {NatsError} BATCH_INCOMPLETE when not all of it arrived, and those of `js.publish`: nothing is stored then
   */
  commit(
    subject: string,
    payload?: Payload,
    options?: JetStreamMessageOptions & WaitOptions,
  ): Promise<BatchAck>;
  /** Store what was added so far, without a last message. Server 2.14. @throws {NatsError} as `commit` */
  end(options?: WaitOptions): Promise<BatchAck>;
  /** Drop it. The server is not told: it forgets it by itself. Does nothing after the commit; `using` does it at its end. */
  abort(): void;
}

const ATOMIC: Gated = ["an atomic batch", 2];

/**
 * Begin a batch with its first message.
 *
 * @throws {NatsError} those of `js.publish`
 */
export async function startBatch(
  api: Api,
  subject: string,
  payload?: Payload,
  options: JetStreamPublishOptions = {},
): Promise<Batch> {
  const { headers, gates } = prepare(subject, payload, options);
  const { timeout, signal } = options;
  const level = await api.level({ timeout, signal });
  assertLevel(api, [ATOMIC, ...gates], level);
  const batch = new AtomicBatch(api, level, subject);
  await batch.begin(payload, headers, options);
  return batch;
}

class AtomicBatch implements Batch {
  readonly id: string = nuid.next();
  count = 0;
  readonly #api: Api;
  readonly #level: number;
  // of the first message
  readonly #subject: string;
  // why there can be no more: it was committed, or it is dead
  #over: string | undefined;

  constructor(api: Api, level: number, subject: string) {
    this.#api = api;
    this.#level = level;
    this.#subject = subject;
  }

  async begin(
    payload: Payload | undefined,
    headers: MsgHdrs | undefined,
    options: JetStreamPublishOptions,
  ): Promise<void> {
    refuseLastMsgID(options);
    // an older server in the way refuses it then, rather than store one message (C-ADR44-2)
    const fields = this.#fields();
    if (this.#api.options.sendRequiredApiLevel) fields.push(["Nats-Required-Api-Level", "2"]);
    this.count = 1;
    this.#taken(
      await ask(this.#api, this.#subject, payload, withFields(headers, fields), options),
      this.#subject,
      options,
    );
  }

  add(subject: string, payload?: Payload, options?: BatchMessageOptions & { ack?: false }): void;
  add(
    subject: string,
    payload: Payload | undefined,
    options: BatchMessageOptions & { ack: true },
  ): Promise<void>;
  add(subject: string, payload?: Payload, options: BatchMessageOptions = {}): void | Promise<void> {
    if (options.ack === true) return this.#addAndWait(subject, payload, options);
    const headers = this.#prepare(subject, payload, options);
    this.#api.nc.publish(subject, payload, { headers });
    this.count++;
  }

  async #addAndWait(
    subject: string,
    payload: Payload | undefined,
    options: BatchMessageOptions,
  ): Promise<void> {
    const headers = this.#prepare(subject, payload, options);
    this.count++;
    await this.#alive(async () => {
      const reply = await ask(this.#api, subject, payload, headers, { ...options, retries: 0 });
      this.#taken(reply, subject, options);
    });
  }

  async commit(
    subject: string,
    payload?: Payload,
    options: JetStreamMessageOptions & WaitOptions = {},
  ): Promise<BatchAck> {
    const headers = this.#prepare(subject, payload, options);
    this.count++;
    return this.#commit("1", subject, payload, headers, options);
  }

  async end(options: WaitOptions = {}): Promise<BatchAck> {
    assertLevel(this.#api, [["the end of a batch without a message", 4]], this.#level);
    return this.#commit(
      "eob",
      this.#subject,
      undefined,
      this.#prepare(this.#subject, undefined, {}),
      options,
    );
  }

  async #commit(
    how: "1" | "eob",
    subject: string,
    payload: Payload | undefined,
    headers: MsgHdrs,
    options: JetStreamMessageOptions & WaitOptions,
  ): Promise<BatchAck> {
    this.#over = "it was committed";
    return this.#alive(async () => {
      const commit = withFields(headers, [["Nats-Batch-Commit", how]]);
      const reply = await ask(this.#api, subject, payload, commit, { ...options, retries: 0 });
      const ack = readPubAck(reply, subject, expectedSequence(options));
      const { batch, count } = ack;
      if (batch === this.id && count === this.count) return ack as BatchAck;
      throw new NatsError(
        "BATCH_INCOMPLETE",
        `the stream '${ack.stream}' acknowledged ${String(count)} messages of batch '${String(batch)}': ` +
          `batch '${this.id}' had ${this.count}`,
        { subject, stream: ack.stream },
      );
    });
  }

  abort(): void {
    this.#over ??= "it was aborted";
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  #fields(): [string, string][] {
    return [
      ["Nats-Batch-Id", this.id],
      ["Nats-Batch-Sequence", String(this.count + 1)],
    ];
  }

  // The headers of the next message.
  #prepare(subject: string, payload: Payload | undefined, options: JetStreamMessageOptions): MsgHdrs {
    if (this.#over !== undefined) {
      throw new InvalidOperationError(`the batch takes no more messages, as ${this.#over}: begin another`, {
        subject,
      });
    }
    refuseLastMsgID(options);
    if (options.expect?.lastSequence !== undefined) {
      throw new InvalidArgumentError("only the first message of a batch may expect a lastSequence", {
        subject,
      });
    }
    const { headers, gates } = prepare(subject, payload, options);
    assertLevel(this.#api, gates, this.#level);
    return withFields(headers, this.#fields());
  }

  // A message that is not the last is answered by nothing, or by an error.
  #taken(reply: Msg, subject: string, options: JetStreamMessageOptions): void {
    if (reply.data.length === 0 && !reply.headers?.hasError) return;
    const { stream, seq } = pubAckOf(parsePubAck(reply, subject), subject, expectedSequence(options));
    throw new NatsError(
      "UNSUPPORTED",
      `the stream '${stream}' does not know batches: it stored the message to '${subject}' as ${seq}`,
      { subject, stream },
    );
  }

  // An error is the end of it.
  async #alive<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      this.#over = `it failed${isNatsError(error) ? ` (${error.code})` : ""}`;
      throw error;
    }
  }
}

// The server says so at the commit only (10177).
function refuseLastMsgID({ expect }: JetStreamMessageOptions): void {
  if (expect?.lastMsgID !== undefined)
    throw new InvalidArgumentError("no message of a batch may expect a lastMsgID");
}
