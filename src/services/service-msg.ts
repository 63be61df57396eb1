// Service message: a request as a handler has it. Made by services/endpoint.
import type { Msg, Payload, PublishOptions, ReviverFn } from "../client/connection.ts";
import type { Codec } from "../codec/codec.ts";
import { oneLine } from "../lib/one-line.ts";
import { headers, type MsgHdrs, toHeaders } from "../protocol/headers.ts";
import { ServiceErrorCodeHeader, ServiceErrorHeader, type ServiceMsg } from "./service-types.ts";

/** A message that can also be answered with an error. */
export class Request implements ServiceMsg {
  readonly #msg: Msg;
  readonly #failed: (error: string) => void;

  /** `failed` is told of each error that it is answered with, as `<code>:<description>` */
  constructor(msg: Msg, failed: (error: string) => void) {
    this.#msg = msg;
    this.#failed = failed;
  }

  get subject(): string {
    return this.#msg.subject;
  }

  get sid(): number {
    return this.#msg.sid;
  }

  get reply(): string | undefined {
    return this.#msg.reply;
  }

  get data(): Uint8Array {
    return this.#msg.data;
  }

  get headers(): MsgHdrs | undefined {
    return this.#msg.headers;
  }

  respond(payload?: Payload, options?: PublishOptions): boolean {
    return this.#msg.respond(payload, options);
  }

  respondError(code: number, description: string, data?: Payload, options: PublishOptions = {}): boolean {
    // C-ADR32-11: a header is one line
    const text = oneLine(description);
    this.#failed(`${code}:${text}`);
    const all = options.headers === undefined ? headers() : toHeaders(options.headers).clone();
    all.set(ServiceErrorCodeHeader, String(code));
    all.set(ServiceErrorHeader, text);
    return this.#msg.respond(data, { ...options, headers: all });
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
}
