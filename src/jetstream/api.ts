// Api: one call of the JetStream API: JSON out, JSON or a typed error back. Everything in jetstream/ asks through it.
import type { Msg, NatsConnection, WaitOptions } from "../client/connection.ts";
import { isNatsError, NatsError } from "../errors.ts";
import { check } from "../lib/check.ts";
import { settle } from "../lib/deferred.ts";
import { parseJson } from "../lib/json.ts";
import type { MsgHdrs } from "../protocol/headers.ts";
import type { JetStreamAccountStats } from "../protocol/jetstream/account.ts";
import type { ApiCalls, ApiReply, ApiVerb } from "../protocol/jetstream/api.ts";
import { apiError, JetStreamNotEnabledError } from "./api-error.ts";
import { LinkWatch } from "./link-watch.ts";
import type { ResolvedJetStreamOptions } from "./options.ts";

/** Options of every call of the API. */
export interface ApiOptions extends WaitOptions {
  /** milliseconds to wait for the reply; default: the `timeout` of the {@link JetStreamOptions} */
  timeout?: number | undefined;
  /** headers to send along */
  headers?: MsgHdrs | undefined;
}

/**
 * As `JSON.stringify`; a bigint becomes a number of as many digits as it has.
 *
 * @throws {@link InvalidArgumentError} INVALID_ARGUMENT
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, onWire).replace(/"\\u0000(-?\d+)"/g, "$1");
}

function onWire(name: string, value: unknown): unknown {
  // no name on the wire begins with a zero byte
  if (typeof value === "bigint") return `\0${value}`;
  // JSON makes null of it, which the server takes for nothing said: a purge would take all
  check(typeof value !== "number" || Number.isFinite(value), name, value, "a finite number, or leave it out");
  return value;
}

/** The API of one server, domain or account, over one connection. */
export class Api {
  readonly nc: NatsConnection;
  readonly options: ResolvedJetStreamOptions;
  /** what becomes of the link of the connection, for all that is under way */
  readonly links: LinkWatch;
  #level: Promise<number> | undefined;
  // the INFO of the server that was connected when #level was asked for
  #levelOf: unknown;

  constructor(nc: NatsConnection, options: ResolvedJetStreamOptions) {
    this.nc = nc;
    this.options = options;
    this.links = new LinkWatch(nc);
  }

  /** The subject of a call: prefix, verb, then the names. */
  subject(verb: string, ...names: string[]): string {
    return [this.options.prefix, verb, ...names].join(".");
  }

  /**
   * Call and wait for the reply. `names` are those of stream and consumer, checked before, and what else the subject ends with.
   *
   * @throws {@link NatsError} JETSTREAM_API and the codes of its subclasses, JETSTREAM_NOT_ENABLED, TIMEOUT, ABORTED, CODEC,
   * PERMISSION_VIOLATION, CLOSED, DRAINING
   */
  async call<V extends ApiVerb>(
    verb: V,
    names: readonly string[],
    request?: ApiCalls[V]["request"],
    options?: ApiOptions,
  ): Promise<ApiCalls[V]["reply"]> {
    const text = (await this.request(verb, names, request, options)).string();
    return this.read<ApiCalls[V]["reply"]>(text, names);
  }

  /** The reply of a call as it came. Anything that can't be sent is thrown by the promise. */
  async request(
    verb: ApiVerb,
    names: readonly string[],
    request: unknown,
    { timeout = this.options.timeout, signal, headers }: ApiOptions = {},
  ): Promise<Msg> {
    const subject = this.subject(verb, ...names);
    try {
      return await this.nc.request(subject, request === undefined ? "" : toJson(request), {
        timeout,
        signal,
        headers,
      });
    } catch (error) {
      if (!isNatsError(error) || error.code !== "NO_RESPONDERS") throw error;
      throw new JetStreamNotEnabledError(this.options.prefix, { cause: error, subject });
    }
  }

  /** What a reply says; `names` are of the stream and the consumer it is about. */
  read<T>(text: string, [stream, consumer]: readonly string[] = []): T {
    let reply: ApiReply;
    try {
      reply = parseJson(text) as ApiReply;
    } catch (cause) {
      throw new NatsError("CODEC", "the reply of the JetStream API is not JSON", { cause });
    }
    const { error } = reply;
    if (error === undefined) return reply as T;
    throw apiError(error, { stream, consumer });
  }

  /** The account info. @throws {@link NatsError} as {@link call} */
  accountInfo(options?: ApiOptions): Promise<JetStreamAccountStats> {
    const info = this.call("INFO", [], undefined, options);
    void this.#know(info);
    return info;
  }

  /**
   * The API level of the server that answers (ADR-44): 0 before 2.11. Asked for once per connected server, as that one may be a
   * leaf in front of another version; what it says of itself counts only where the account info is not allowed.
   */
  async level({ timeout, signal }: WaitOptions = {}): Promise<number> {
    const { info } = this.nc;
    const known = this.#levelOf === info ? this.#level : undefined;
    const level = known ?? this.#know(this.call("INFO", []));
    try {
      // others may wait for it too
      return await settle(level, { timeout, signal, what: "the question for the API level" });
    } catch (error) {
      if (isNatsError(error) && error.code === "PERMISSION_VIOLATION") return info?.api_lvl ?? 0;
      throw error;
    }
  }

  #know(info: Promise<JetStreamAccountStats>): Promise<number> {
    const level = info.then(({ api }) => api.level ?? 0);
    this.#levelOf = this.nc.info;
    this.#level = level;
    // the next one asks again
    level.catch(() => {
      if (this.#level === level) this.#level = undefined;
    });
    return level;
  }
}
