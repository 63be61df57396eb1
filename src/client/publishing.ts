// Publishing: what becomes of a message between publish() and the link, with and without a connection. Owned by client/session.
//
//   publish --> refused? (drained, closed) --> kept, refused or dropped (no link) --> Outbox --> Link, at the end of this turn
import {
  ClosedConnectionError,
  ConnectionError,
  type DrainingConnectionError,
  NatsError,
} from "../errors.ts";
import { Waits } from "../lib/waits.ts";
import { compare, parseSemVer } from "../lib/semver.ts";
import { headers, type MsgHdrsImpl, toHeaders } from "../protocol/headers.ts";
import type { ServerInfo } from "../protocol/ops.ts";
import { Outbox } from "../protocol/outbox.ts";
import { validatePublishSubject } from "../protocol/subject.ts";
import type { Payload, PublishOptions, WaitOptions } from "./connection.ts";
import type { Link } from "./link.ts";
import type { ResolvedOptions } from "./options.ts";

// what has gathered in one turn is written at its end, or when it is this much
const FLUSH_AT = 524288;
// it waits until nothing has been added for so many microtasks, or so often
const QUIET = 4;
const ROUNDS = 64;
// writable() waits until less than this is unsent
const LOW_WATER = 65536;

type Refusal = typeof ClosedConnectionError | typeof DrainingConnectionError;

/** All that a connection sends. */
export class Publishing {
  /** where it goes; undefined while there is no connection */
  link: Link | undefined;
  /** INFO of the server, or of the last one */
  info: ServerInfo | undefined;
  readonly outbox: Outbox = new Outbox();
  messages = 0;
  bytes = 0;
  /** messages that were accepted, or left to the policy, and not sent */
  dropped = 0;
  readonly #options: ResolvedOptions;
  readonly #writers = new Waits();
  #flushScheduled = false;
  // bytes that waited at the last look; looks since they grew, and how often they did
  #gathered = 0;
  #quiet = 0;
  #rounds = 0;
  #refusal: Refusal | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.outbox.bytes + (this.link?.buffered ?? 0);
  }

  publish(subject: string, payload?: Payload, options?: PublishOptions): void {
    if (this.link === undefined || this.#refusal !== undefined) {
      if (!this.#admits(subject, payload, options)) return;
    }
    const { outbox } = this;
    const { maxOutboundBytes } = this.#options;
    if (outbox.bytes > maxOutboundBytes) throw this.#full(subject);
    const maxPayload = this.info?.max_payload ?? 0;
    if (options === undefined) outbox.message(subject, undefined, undefined, payload, maxPayload);
    else outbox.message(subject, options.reply, this.#headersOf(options), payload, maxPayload);
    this.messages++;
    this.bytes += outbox.lastSize;
    if (outbox.bytes >= FLUSH_AT) this.link?.send();
    this.#scheduleFlush();
  }

  // What the policy says while there is no connection. False: dropped.
  #admits(subject: string, payload: Payload | undefined, options: PublishOptions = {}): boolean {
    if (this.#refusal !== undefined) throw new this.#refusal({ subject });
    const { whenDisconnected, maxPendingBytes } = this.#options;
    if (whenDisconnected === "throw") {
      throw new ConnectionError(
        `there is no connection to publish '${subject}' on`,
        { subject },
        "DISCONNECTED",
      );
    }
    if (whenDisconnected === "drop") {
      validatePublishSubject(subject);
      this.dropped++;
      return false;
    }
    const { reply = "", headers: given } = options;
    const headerSize = given === undefined ? 0 : toHeaders(given).encodedLength();
    const size = subject.length + reply.length + headerSize + (payload?.length ?? 0);
    if (this.outbox.bytes + size > maxPendingBytes) throw this.#full(subject);
    return true;
  }

  #full(subject: string): NatsError {
    const cure =
      this.link === undefined
        ? "There is no connection; wait for it, or raise maxPendingBytes"
        : "Await nc.writable() between publishes, or raise maxOutboundBytes";
    return new NatsError(
      "OUTBOUND_FULL",
      `${this.outbox.bytes} bytes wait to be sent: '${subject}' was not taken. ${cure}`,
      { subject },
    );
  }

  #headersOf(options: PublishOptions): MsgHdrsImpl | undefined {
    const { headers: given, traceDestination, traceOnly } = options;
    if (given === undefined && traceDestination === undefined && traceOnly !== true) return undefined;
    let made = toHeaders(given ?? headers());
    if (this.info?.headers !== true) throw new NatsError("UNSUPPORTED", "the server does not know headers");
    if (traceDestination !== undefined || traceOnly === true) {
      // never the caller's own object
      made = made.clone();
      if (traceDestination !== undefined) made.set("Nats-Trace-Dest", traceDestination);
      if (traceOnly === true) {
        // an older server delivers and stores it for real (C-ADR41-5)
        const { version } = this.info;
        if (compare(parseSemVer(version), { major: 2, minor: 11, micro: 0 }) < 0) {
          throw new NatsError("UNSUPPORTED", `traceOnly needs a server of 2.11 or later, this is ${version}`);
        }
        made.set("Nats-Trace-Only", "true");
      }
    }
    return made;
  }

  /** A line to the server, if there is one: after a reconnect it is told of everything anyway. */
  control(line: string): void {
    if (this.link === undefined) return;
    this.outbox.control(line);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#gathered = this.outbox.bytes;
    this.#quiet = this.#rounds = 0;
    queueMicrotask(this.#flush);
  }

  #flush = (): void => {
    // a loop over messages that answers each does so in a microtask each: the answers go out together
    if (this.outbox.bytes === this.#gathered) this.#quiet++;
    else {
      this.#gathered = this.outbox.bytes;
      this.#quiet = 0;
      this.#rounds++;
    }
    if (this.#quiet < QUIET && this.#rounds < ROUNDS) return queueMicrotask(this.#flush);
    this.#flushScheduled = false;
    this.send();
  };

  /** Give the link what it takes. */
  send(): void {
    this.link?.send();
    if (this.pendingBytes <= LOW_WATER) this.#writers.resolve();
  }

  /** Resolves when little waits to be sent. */
  writable(options: WaitOptions): Promise<void> {
    if (this.pendingBytes <= LOW_WATER) return Promise.resolve();
    return this.#writers.add({ ...options, what: "waiting for room to publish" });
  }

  /** The link is gone, and `lost` messages with it; what is whole waits for the next one. */
  unlink(lost: number): void {
    this.link = undefined;
    this.dropped += lost;
    this.outbox.restore([]);
  }

  /** From now on, publish throws this. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal;
    if (refusal === ClosedConnectionError) this.#writers.reject(new refusal());
  }

  /** The end, when the link has left `unsent` messages behind; gives the number with those that wait here. */
  end(unsent: number): number {
    this.unlink(unsent);
    const kept = this.outbox.messages;
    this.outbox.take();
    this.dropped += kept;
    return unsent + kept;
  }
}
