// isonats/server: a NATS server inside the process. Here it can't listen, and runs everywhere; see index.node.ts.
import { bareRuntime } from "./bare-runtime.ts";
import type { ServerOptions } from "./options.ts";
import { Server } from "./server.ts";

export * from "./names.ts";

/** A NATS server inside the process, for tests, demos, offline development and pages without a network. */
export class NatsServer extends Server {
  /**
   * Start a server. Where it shall listen, it does when this resolves.
   * @throws {NatsError} INVALID_ARGUMENT, CONNECTION when a port is taken, UNSUPPORTED where a runtime can't listen, has no files, or was not given the extras that an option needs
   */
  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(options, { ...bareRuntime, extras: options.extras });
    await server.listen(options);
    return server;
  }
}
