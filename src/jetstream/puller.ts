// Puller: what a flow that pulls has beside one that is pushed to: it asks for messages, says until when, and knows what the
// statuses mean that come in their place (jetstream/status-table). Made with jetstream/flow, of which it knows no more than
// the PullHost.
import type { Msg } from "../client/connection.ts";
import { isNatsError, type NatsError, TimeoutError } from "../errors.ts";
import { startTimer } from "../lib/deferred.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { Api } from "./api.ts";
import { ConsumerNotFoundError, JetStreamStatusError } from "./api-error.ts";
import { type Binding, factsOf, whatOf } from "./binding.ts";
import type { ConsumerHealth, ConsumerNotification } from "./consuming.ts";
import type { Pulls } from "./pulls.ts";
import { numberIn, readStatus } from "./status-table.ts";

/** The flow, as its puller sees it. */
export interface PullHost {
  readonly api: Api;
  readonly binding: Binding;
  readonly state: ConsumerHealth["state"];
  /** where messages come to; the number of the pull is one more token */
  readonly inbox: string;
  /** a word came since it flows */
  readonly heard: boolean;
  /** wait for what is gone, rather than end */
  readonly patient: boolean;
  /** what ended while nothing came */
  failures: number;
  /** messages and bytes that are here and not done with */
  readonly held: number;
  readonly heldBytes: number;
  emit(event: ConsumerNotification): void;
  /** Go on, after a wait, unless that is under way; `suspect` says that the consumer may be gone. */
  recover(suspect: boolean): void;
  /** Ask whether it is there, without giving up what was asked for. Resolves to the error when nobody answers. */
  look(): Promise<NatsError | undefined>;
  /** Have the connection find out whether its link is dead. */
  doubtLink(): void;
  /** What is here is handed over, then the error is thrown. */
  finish(error?: Error): void;
}

type Timer = ReturnType<typeof setTimeout>;

// attempts without a word of whether it is there, after which one that can't be asked for counts as gone
const BLIND_ATTEMPTS = 7;
// milliseconds that a fetch waits for the server beyond what the server was told
const MARGIN = 1000;

export class Puller {
  readonly pulls: Pulls;
  readonly #flow: PullHost;
  #probe: Timer | undefined;
  #deadline: Timer | undefined;
  #deadlineAt = Infinity;
  #overall: Timer | undefined;

  constructor(flow: PullHost, pulls: Pulls) {
    this.#flow = flow;
    this.pulls = pulls;
  }

  /** what a pull is published to */
  get subject(): string {
    const { api, binding } = this.#flow;
    return api.subject("CONSUMER.MSG.NEXT", binding.stream, binding.name);
  }

  /** A fetch begins; `timeout` is for all of it. */
  begin(timeout: number | undefined): void {
    const flow = this.#flow;
    const { once, expires } = this.pulls.plan;
    if (!once) return;
    const wait = expires > 0 ? expires : flow.api.options.timeout;
    this.#deadlineAt = performance.now() + wait;
    this.#deadline = startTimer(() => void this.#tooLate(), wait + MARGIN);
    if (timeout === undefined) return;
    const late = (): void =>
      flow.finish(
        new TimeoutError(`${whatOf(flow.binding)} took longer than ${timeout} ms`, factsOf(flow.binding)),
      );
    this.#overall = startTimer(late, timeout);
  }

  /** The flow flows. */
  start(): void {
    const flow = this.#flow;
    // servers before 2.10 don't answer pulls of consumers that are not there (C-PULL-8)
    const version = flow.api.nc.getServerVersion();
    if (version?.major === 2 && version.minor < 10) {
      this.#probe = setTimeout(() => {
        if (!flow.heard) void flow.look();
      }, MARGIN);
    }
    this.ask();
  }

  /** It flows no more. */
  pause(): void {
    clearTimeout(this.#probe);
  }

  end(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#overall);
  }

  /** A message is done with; most leave no room that is worth a pull. */
  room(): void {
    if (this.pulls.isLow(this.#flow.held, this.#flow.heldBytes)) this.ask();
  }

  /** Ask for what there is room for. */
  ask(): void {
    const flow = this.#flow;
    const { pulls } = this;
    const { nc } = flow.api;
    if (flow.state !== "flowing" || nc.state !== "connected") return;
    const { expires, once, noWait } = pulls.plan;
    // the rest of a fetch; a pull of no time at all would wait for ever
    const left =
      once && !(noWait && expires === 0) ? Math.max(1, this.#deadlineAt - performance.now()) : expires;
    const options = pulls.next(flow.held, flow.heldBytes, left);
    if (options === undefined) return;
    try {
      nc.publish(this.subject, JSON.stringify(options), { reply: `${flow.inbox}.${pulls.id}` });
    } catch (error) {
      // no room to send, or no connection any more
      pulls.over(pulls.id, undefined, undefined);
      if (isNatsError(error) && error.code === "OUTBOUND_FULL") flow.recover(false);
      return;
    }
    flow.emit({ type: "next", options });
  }

  /** A message came. */
  took(msg: Msg): void {
    const { pulls } = this;
    pulls.took(pulls.counts ? msg.size() : 0);
    if (pulls.plan.group === undefined) return;
    const id = msg.headers?.get("Nats-Pin-Id") ?? "";
    if (pulls.pinned(id)) this.#flow.emit({ type: "consumer_pinned", id });
  }

  /** The number of the pull that a status is of; 0 when it is of no interest any more. */
  numberOf(subject: string): number {
    const id = Number(subject.slice(this.#flow.inbox.length + 1));
    return this.pulls.isCurrent(id) ? id : 0;
  }

  /** A status came. */
  onStatus(id: number, headers: MsgHdrs): void {
    const flow = this.#flow;
    const { pulls } = this;
    const { code, description } = headers;
    const [, , kind, once, always] = readStatus(code, description);
    // what shows that it is served
    if (kind === "over" || kind === "too-large") flow.failures = 0;
    switch (kind) {
      case "absent":
        flow.emit({ type: "no_responders", code });
        break;
      case "deleted":
        flow.emit({ type: "consumer_deleted", code, description });
        break;
      case "limit":
      case "busy":
        flow.emit({ type: "exceeded_limits", code, description });
        break;
      case "unpinned":
        pulls.unpinned();
        flow.emit({ type: "consumer_unpinned" });
        break;
      default:
        flow.emit({ type: "debug", code, description });
    }
    const messagesLeft = numberIn(headers, "Nats-Pending-Messages");
    const bytesLeft = numberIn(headers, "Nats-Pending-Bytes");
    if (kind !== "unknown" || messagesLeft !== undefined) pulls.over(id, messagesLeft, bytesLeft);
    if (messagesLeft) flow.emit({ type: "discard", messagesLeft, bytesLeft: bytesLeft ?? 0 });
    const fail = (): void => flow.finish(new JetStreamStatusError(code, description, factsOf(flow.binding)));
    if (kind === "too-large" && !pulls.makeRoom(bytesLeft)) return fail();

    const { binding } = flow;
    // an ordered consumer makes itself a new one of whatever is the matter with this one
    if (binding.ordered && (kind === "lost" || kind === "absent" || kind === "deleted")) {
      return flow.recover(false);
    }
    const reaction = pulls.plan.once ? once : always;
    switch (reaction) {
      case "note":
        return;
      case "end":
        return flow.finish();
      case "again":
        return this.ask();
      case "later":
        if (kind !== "limit") return flow.recover(false);
        // what the refusal says of the limit helps at once
        return pulls.limit(description) ? this.ask() : fail();
      case "check":
        if (!binding.askable && (pulls.plan.once || flow.failures >= BLIND_ATTEMPTS)) return fail();
        return flow.recover(binding.askable);
      case "error":
        if (kind !== "deleted") return fail();
        if (flow.patient) return flow.recover(binding.askable);
        return flow.finish(gone(description, binding));
      default:
        reaction satisfies never;
    }
  }

  // The server did not end a fetch in time.
  async #tooLate(): Promise<void> {
    const flow = this.#flow;
    flow.doubtLink();
    let error: NatsError | undefined;
    if (this.pulls.received === 0) {
      if (!flow.heard && flow.state !== "offline") error = await flow.look();
      if (flow.state === "offline") {
        const text = `${whatOf(flow.binding)}: there was no connection within ${this.pulls.plan.expires} ms`;
        error = new TimeoutError(text, factsOf(flow.binding), "no connection");
      }
    }
    flow.finish(error);
  }
}

function gone(description: string, binding: Binding): NatsError {
  return new ConsumerNotFoundError({ code: 404, err_code: 10014, description }, factsOf(binding));
}
