// isonats/server for Node and Bun: the same names as index.ts, with listeners, files, snapshots and the monitor.
import { join } from "node:path";
import { fromPublic } from "../auth/nkeys.ts";
import { listen } from "./listen.node.ts";
import type { VerifyNkey } from "./logins.ts";
import type { ServerOptions } from "./options.ts";
import { fileName } from "./jetstream/file-name.ts";
import { FileStorage } from "./jetstream/file-storage.node.ts";
import { restoreVerb } from "./jetstream/restore.ts";
import { snapshotVerb } from "./jetstream/snapshot.ts";
import { memoryStorage } from "./jetstream/storage.ts";
import { Monitor } from "./monitor.ts";
import type { Runtime } from "./runtime.ts";
import { Server } from "./server.ts";

export type { Clock, Timer } from "../lib/clock.ts";
export type { ExportOptions, ImportOptions, ImportSource } from "./exchange.ts";
export type { UserOptions, VerifyNkey } from "./logins.ts";
export { ManualClock } from "./manual-clock.ts";
export type { Mappings, WeightedDestination } from "./mapping.ts";
export type { AccountOptions, JetStreamOptions, ListenTlsOptions, ServerOptions } from "./options.ts";
export type { PermissionOptions, SubjectPermission } from "./permissions.ts";
export type { Faults, PeerAddress } from "./server.ts";

const runtime: Runtime = {
  listen,
  keep: (dir, account, clock) =>
    dir === undefined ? memoryStorage : new FileStorage(join(dir, fileName(account)), clock),
  monitor: (system, account, server) => new Monitor(system, account, server),
  verbs: [snapshotVerb, restoreVerb],
};

const verifyNkey: VerifyNkey = (nkey, nonce, signature) => fromPublic(nkey).verify(nonce, signature);

/** A NATS server inside the process, for tests, demos and offline development. */
export class NatsServer extends Server {
  /** See `index.ts`. */
  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer({ verifyNkey, ...options }, runtime);
    await server.listen(options);
    return server;
  }
}
