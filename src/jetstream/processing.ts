// Process: runs a handler for every message of a consumer, and does what there is to do around it: acknowledgements, retries, the
// ack wait, dead letters. Made by jetstream/consumers.
import { InvalidOperationError } from "../errors.ts";
import { check, checkWhole } from "../lib/check.ts";
import { millis } from "../lib/nanos.ts";
import { oneLine } from "../lib/one-line.ts";
import { headers as newHeaders, type MsgHdrs } from "../protocol/headers.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import { validatePublishSubject } from "../protocol/subject.ts";
import type { Api } from "./api.ts";
import type {
  ConsumeOptions,
  ProcessHandler,
  Processing,
  ProcessOptions,
  PullConsumer,
} from "./consuming.ts";
import type { JsMsg } from "./js-msg.ts";
import { Lanes } from "./lanes.ts";
import { prepare } from "./prepare.ts";
import { publish } from "./publish.ts";

const ACK_WAIT = 30_000;
// of the ack wait: two signs of life may get lost
const SHARE = 3;
const BACKOFF = [1000, 5000, 30_000, 120_000];
// with an order, those whose key is busy must not keep the others from coming
const AHEAD = 4;
// headers that would make the stream refuse or change the dead letter
const CONTROL = /^Nats-(?:Expected-|Msg-Id$|Rollup$|TTL$|Schedule|Batch-|Required-|Incr$|Pin-Id$|Fast-)/;

interface Rules {
  readonly concurrency: number;
  readonly attempts: number;
  readonly wait: (attempt: number) => number;
  /** milliseconds; 0 for none */
  readonly keepAlive: number;
}

function resolve(options: ProcessOptions, config: ConsumerConfig): Rules {
  const { concurrency = 1, retry = {}, keepAlive = true, deadLetter } = options;
  const { max_deliver = -1, ack_wait, backoff: waits } = config;
  const { attempts = max_deliver > 0 ? max_deliver : Infinity, backoff = BACKOFF } = retry;
  checkWhole("concurrency", concurrency, 1);
  check(attempts >= 1, "attempts", attempts, "1 or more");
  for (const ms of typeof backoff === "function" ? [] : backoff) {
    check(ms >= 0 && ms < Infinity, "a backoff", ms, "milliseconds, 0 or more");
  }
  if (typeof deadLetter === "string") validatePublishSubject(deadLetter, "deadLetter");
  // the shortest that the server waits
  const patience = Math.min(...(waits?.length ? waits : [ack_wait ?? 0]).map(millis)) || ACK_WAIT;
  const every = keepAlive === true ? patience / SHARE : keepAlive === false ? 0 : keepAlive;
  check(every >= 0, "keepAlive", keepAlive, "milliseconds, or true or false");
  return {
    concurrency,
    attempts,
    wait:
      typeof backoff === "function"
        ? backoff
        : (attempt) => backoff[Math.min(attempt, backoff.length) - 1] ?? 0,
    keepAlive: every,
  };
}

/** Tells the server of messages that are being worked on, all with one timer. */
class KeepAlive {
  readonly #every: number;
  readonly #messages = new Set<JsMsg>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(every: number) {
    this.#every = every;
  }

  add(msg: JsMsg): void {
    this.#messages.add(msg);
    if (this.#every > 0) this.#timer ??= setInterval(() => this.#tell(), Math.max(10, this.#every));
  }

  remove(msg: JsMsg): void {
    this.#messages.delete(msg);
    if (this.#messages.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    try {
      for (const msg of this.#messages) msg.working();
    } catch {
      // there is no connection to tell it by: the server will deliver them again
    }
  }
}

/** @throws {@link NatsError} INVALID_ARGUMENT, INVALID_SUBJECT, INVALID_OPERATION, and those of `consume` */
export async function startProcessing(
  api: Api,
  consumer: PullConsumer,
  handler: ProcessHandler,
  options: ProcessOptions,
): Promise<Processing> {
  const { orderBy, deadLetter, concurrency: _, retry: __, keepAlive: ___, ...pull } = options;
  const { config } = await consumer.info(true);
  const rules = resolve(options, config);
  if (config.ack_policy !== "explicit") {
    throw new InvalidOperationError(
      `consumer.process() acknowledges each message: the consumer's ack_policy is '${config.ack_policy ?? "none"}', not 'explicit'`,
    );
  }
  const lanes = new Lanes(rules.concurrency);
  const alive = new KeepAlive(rules.keepAlive);
  const ending = new AbortController();
  const figures = { done: 0, retried: 0, dead: 0 };

  // Acknowledged as the handler does; what it threw is reported by whoever called this.
  const work = async (msg: JsMsg, handle: () => unknown): Promise<void> => {
    try {
      // what had not begun when it was stopped comes again
      if (ending.signal.aborted) return;
      await handle();
      msg.ack();
      figures.done++;
    } catch (error) {
      const attempt = msg.info.deliveryCount;
      if (attempt < rules.attempts) {
        figures.retried++;
        msg.nak(rules.wait(attempt));
      } else await bury(msg, error);
      throw error;
    } finally {
      alive.remove(msg);
    }
  };

  const bury = async (msg: JsMsg, error: unknown): Promise<void> => {
    try {
      const subject = typeof deadLetter === "function" ? deadLetter(msg, error) : deadLetter;
      if (subject !== undefined) {
        await publish(api, subject, msg.data, deadLetterOf(msg, error), prepare);
      }
    } catch (failure) {
      // not lost as long as it is not acknowledged
      msg.nak(rules.wait(msg.info.deliveryCount));
      throw failure;
    }
    figures.dead++;
    msg.term(textOf(error));
  };

  const ahead = orderBy === undefined ? 1 : AHEAD;
  const settings: ConsumeOptions = { max_messages: Math.ceil(rules.concurrency) * ahead, ...pull };
  const messages = await consumer.consume({
    ...settings,
    callback: (msg) => {
      alive.add(msg);
      try {
        return lanes.run(orderBy?.(msg), () => work(msg, () => handler(msg, ending.signal)));
      } catch (error) {
        // without a key: as if its handler had failed
        return lanes.run(undefined, () => work(msg, () => Promise.reject(error)));
      }
    },
  });
  const { signal } = options;
  const abort = (): void => ending.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  void messages.closed().then(() => signal?.removeEventListener("abort", abort));
  return {
    get health() {
      return messages.health;
    },
    get figures() {
      return { ...figures };
    },
    status: () => messages.status(),
    closed: () => messages.closed(),
    close: () => messages.close(),
    stop(error) {
      messages.stop(error);
      ending.abort(error);
    },
    async [Symbol.asyncDispose]() {
      await messages.close();
      await messages.closed();
    },
  };
}

function textOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error), 500);
}

// The headers of the message, but for orders to the stream that had it; where it was, and why it is here.
function deadLetterOf(msg: JsMsg, error: unknown): { headers: MsgHdrs; msgID: string } {
  const made = newHeaders();
  for (const [name, values] of msg.headers ?? []) {
    if (!CONTROL.test(name)) for (const value of values) made.append(name, value);
  }
  const { stream, consumer, deliveryCount } = msg.info;
  const facts = {
    Subject: msg.subject,
    Stream: stream,
    Consumer: consumer,
    Sequence: msg.exactSeq,
    Deliveries: deliveryCount,
    Error: textOf(error),
  };
  for (const [name, value] of Object.entries(facts)) made.set(`Dead-Letter-${name}`, String(value));
  // a retry of the dead letter is stored once
  return { headers: made, msgID: `${stream}.${consumer}.${msg.exactSeq}.dead` };
}
