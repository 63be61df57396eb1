// isonats/server: a NATS server inside the process. Here it can't listen, and runs everywhere; see index.node.ts.
import { NatsError } from "../errors.ts";
import type { ServerOptions } from "./options.ts";
import { refuse } from "./jetstream/refusal.ts";
import { memoryStorage } from "./jetstream/storage.ts";
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

const err = "a server has no snapshots in this runtime";

const runtime: Runtime = {
  async listen(_, { port, websocket }) {
    if (port === undefined && !websocket) return [];
    throw new NatsError(
      "UNSUPPORTED",
      "a server can't listen in this runtime: leave out port and websocket, and use dialer()",
    );
  },
  keep(storeDir) {
    if (storeDir === undefined) return memoryStorage;
    throw new NatsError("UNSUPPORTED", "a server has no files in this runtime: leave out storeDir");
  },
  verbs: [
    { subject: "STREAM.SNAPSHOT.*", type: "stream_snapshot", handle: () => refuse(10064, { err }) },
    { subject: "STREAM.RESTORE.*", type: "stream_restore", handle: () => refuse(10062, { err }) },
  ],
};

/** A NATS server inside the process, for tests, demos, offline development and pages without a network. */
export class NatsServer extends Server {
  /**
   * Start a server. Where it shall listen, it does when this resolves.
   * @throws {NatsError} INVALID_ARGUMENT, CONNECTION when a port is taken, UNSUPPORTED where a runtime can't listen, or has no files
   */
  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(options, runtime);
    await server.listen(options);
    return server;
  }
}
