// Client: finds services, by asking all of them and taking the answers that come (ADR-32, ADR-47).
import type { Msg, NatsConnection, QueuedIterator, RequestManyOptions } from "../client/connection.ts";
import { isNatsError } from "../errors.ts";
import { controlSubject } from "./control.ts";
import { mapped } from "./mapped.ts";
import type {
  ServiceClient,
  ServiceIdentity,
  ServiceInfo,
  ServiceStats,
  ServiceVerb,
} from "./service-types.ts";

export class Discovery implements ServiceClient {
  readonly #nc: NatsConnection;
  readonly #options: Partial<RequestManyOptions>;
  readonly #prefix: string | undefined;

  constructor(nc: NatsConnection, options: Partial<RequestManyOptions>, prefix: string | undefined) {
    this.#nc = nc;
    this.#options = { strategy: "stall", maxWait: 2000, ...options };
    this.#prefix = prefix;
  }

  ping(name?: string, id?: string): Promise<QueuedIterator<ServiceIdentity>> {
    return this.#ask("PING", name, id);
  }

  stats(name?: string, id?: string): Promise<QueuedIterator<ServiceStats>> {
    return this.#ask("STATS", name, id);
  }

  info(name?: string, id?: string): Promise<QueuedIterator<ServiceInfo>> {
    return this.#ask("INFO", name, id);
  }

  async #ask<T>(verb: ServiceVerb, name?: string, id?: string): Promise<QueuedIterator<T>> {
    const replies = await this.#nc.requestMany(
      controlSubject(verb, this.#prefix, name, id),
      undefined,
      this.#options,
    );
    const answers = mapped<Msg, T>(replies, {
      map: (msg) => msg.json<T>(),
      stop: (error) => replies.stop(error),
    });
    return { ...answers, [Symbol.asyncIterator]: () => orNone(answers) };
  }
}

// no service at all is an answer too
async function* orNone<T>(answers: AsyncIterable<T>): AsyncGenerator<T, undefined> {
  try {
    yield* answers;
  } catch (error) {
    if (!isNatsError(error) || error.code !== "NO_RESPONDERS") throw error;
  }
}
