// isonats/server for Node and Bun: the same names as index.ts, with listeners, files, and the extras.
import { join } from "node:path";
import { extras } from "./extras.ts";
import { fileName } from "./jetstream/file-name.ts";
import { FileStorage } from "./jetstream/file-storage.node.ts";
import { memoryStorage } from "./jetstream/storage.ts";
import { listen } from "./listen.node.ts";
import type { ServerOptions } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import { Server } from "./server.ts";
import { verifyNkey } from "./verify-nkey.ts";

export * from "./names.ts";

const runtime: Runtime = {
  extras,
  listen,
  keep: (dir, account, clock) =>
    dir === undefined ? memoryStorage : new FileStorage(join(dir, fileName(account)), clock),
};

/** A NATS server inside the process, for tests, demos and offline development. */
export class NatsServer extends Server {
  /** See `index.ts`. */
  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer({ verifyNkey, ...options }, runtime);
    await server.listen(options);
    return server;
  }
}
