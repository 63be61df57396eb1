// Endpoint: one subscription of a service, and its figures. Made by services/service.
import type { Msg, NatsConnection, QueuedIterator, Subscription } from "../client/connection.ts";
import { isNatsError, type NatsError } from "../errors.ts";
import { nanos } from "../lib/nanos.ts";
import { mapped } from "./mapped.ts";
import { ServiceError } from "./service-error.ts";
import { Request } from "./service-msg.ts";
import type {
  EndpointInfo,
  EndpointOptions,
  NamedEndpointStats,
  ServiceHandler,
  ServiceMsg,
} from "./service-types.ts";

export class Endpoint {
  readonly info: EndpointInfo;
  readonly subscription: Subscription;
  #requests = 0;
  #errors = 0;
  #lastError: string | undefined;
  /** milliseconds */
  #time = 0;

  constructor(nc: NatsConnection, info: EndpointInfo, options: EndpointOptions) {
    this.info = info;
    const { handler, concurrency, limits } = options;
    this.subscription = nc.subscribe(info.subject, {
      ...(info.queue_group !== "" && { queue: info.queue_group }),
      ...(handler && { callback: (error, msg) => this.#handle(handler, error, msg) }),
      ...(concurrency !== undefined && { concurrency }),
      ...(limits && { limits }),
    });
  }

  /** The requests, for an endpoint without a handler. The time that counts is that from one to the asking for the next. */
  requests(): QueuedIterator<ServiceMsg> {
    let since = 0;
    return mapped<Msg, ServiceMsg>(this.subscription, {
      map: (msg) => {
        this.#requests++;
        since = performance.now();
        return this.#request(msg);
      },
      taken: () => {
        this.#time += performance.now() - since;
      },
      stop: () => this.subscription.unsubscribe(),
    });
  }

  #request(msg: Msg): ServiceMsg {
    return new Request(msg, (error) => {
      this.#errors++;
      this.#lastError = error;
    });
  }

  async #handle(handler: ServiceHandler, error: NatsError | null, msg: Msg): Promise<void> {
    if (error !== null) {
      await handler(error, msg as ServiceMsg);
      return;
    }
    this.#requests++;
    const request = this.#request(msg);
    const start = performance.now();
    try {
      await handler(null, request);
    } catch (failure) {
      answer(request, failure);
    } finally {
      this.#time += performance.now() - start;
    }
  }

  stats(): NamedEndpointStats {
    const { name, subject, queue_group } = this.info;
    const time = Math.round(nanos(this.#time));
    return {
      name,
      subject,
      queue_group,
      num_requests: this.#requests,
      num_errors: this.#errors,
      ...(this.#lastError !== undefined && { last_error: this.#lastError }),
      processing_time: time,
      average_processing_time: this.#requests === 0 ? 0 : Math.round(time / this.#requests),
    };
  }

  reset(): void {
    this.#requests = this.#errors = this.#time = 0;
    this.#lastError = undefined;
  }
}

// characters of what was thrown: an answer that is too large for the server would be none
const LONGEST = 4096;

// C-ADR32-10. What the handler did not mean is thrown again: the subscription reports it.
function answer(request: ServiceMsg, failure: unknown): void {
  if (isNatsError(failure) && failure.code === "SERVICE") {
    const { serviceCode, description } = failure as ServiceError;
    request.respondError(serviceCode, description.slice(0, LONGEST));
    return;
  }
  const text = failure instanceof Error ? failure.message : String(failure);
  request.respondError(500, text.slice(0, LONGEST));
  throw failure;
}
