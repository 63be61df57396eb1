// Svcm: adds services to a connection, and finds those of others.
import type { NatsConnection, RequestManyOptions } from "../client/connection.ts";
import { isNatsError } from "../errors.ts";
import { Discovery } from "./client.ts";
import { ServiceInstance } from "./service.ts";
import type { Service, ServiceClient, ServiceConfig } from "./service-types.ts";

/**
 * Services over a connection (ADR-32).
 *
 * @example
 * const service = await new Svcm(nc).add({ name: "greeter", version: "1.0.0" });
 * service.addEndpoint("hello", (_err, msg) => void msg.respond(`hello, ${msg.string()}`));
 */
export class Svcm {
  readonly #nc: NatsConnection;

  constructor(nc: NatsConnection) {
    this.#nc = nc;
  }

  /**
   * Start an instance of a service. It can be found once this resolves, and stays over reconnects, with its id and figures.
   * @throws {NatsError} INVALID_ARGUMENT, CLOSED, DRAINING
   */
  // what is thrown shall be a rejection
  async add(config: ServiceConfig): Promise<Service> {
    const service = new ServiceInstance(this.#nc, config);
    service.start();
    try {
      await this.#nc.flush();
    } catch (error) {
      // the next link is told of it
      if (!isNatsError(error) || error.code !== "DISCONNECTED") throw error;
    }
    return service;
  }

  /**
   * Find services: asks all, and takes answers until none has come for a while (strategy `stall`, `maxWait` 2000). `prefix`
   * is that of the control subjects, default `$SRV`: another where an import from another account puts them elsewhere.
   */
  client(options: Partial<RequestManyOptions> = {}, prefix?: string): ServiceClient {
    return new Discovery(this.#nc, options, prefix);
  }
}
