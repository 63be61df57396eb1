// isonats/server for Deno: the same names as index.ts, with the extras.
import { bareRuntime } from "./bare-runtime.ts";
import { extras } from "./extras.ts";
import type { ServerOptions } from "./options.ts";
import { Server } from "./server.ts";
import { verifyNkey } from "./verify-nkey.ts";

export * from "./names.ts";

/** A NATS server inside the process, for tests, demos and offline development. */
export class NatsServer extends Server {
  /** See `index.ts`. */
  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer({ verifyNkey, ...options }, { ...bareRuntime, extras });
    await server.listen(options);
    return server;
  }
}
