// isonats/server: a NATS server inside the process. Here it can't listen, and runs everywhere; see index.node.ts.
import { NatsError } from "../errors.ts";
import type { ServerOptions } from "./options.ts";
import { memoryStorage } from "./jetstream/storage.ts";
import { type Keep, type Listen, Server } from "./server.ts";

export type { Clock, Timer } from "../lib/clock.ts";
export type { ExportOptions, ImportOptions, ImportSource } from "./exchange.ts";
export type { UserOptions, VerifyNkey } from "./logins.ts";
export { ManualClock } from "./manual-clock.ts";
export type { Mappings, WeightedDestination } from "./mapping.ts";
export type { AccountOptions, JetStreamOptions, ListenTlsOptions, ServerOptions } from "./options.ts";
export type { PermissionOptions, SubjectPermission } from "./permissions.ts";
export type { Faults, PeerAddress } from "./server.ts";

const listen: Listen = async (_, { port, websocket }) => {
  if (port === undefined && !websocket) return [];
  throw new NatsError(
    "UNSUPPORTED",
    "a server can't listen in this runtime: leave out port and websocket, and use dialer()",
  );
};

const inMemory: Keep = (storeDir) => {
  if (storeDir === undefined) return memoryStorage;
  throw new NatsError("UNSUPPORTED", "a server has no files in this runtime: leave out storeDir");
};

/** A NATS server inside the process, for tests, demos, offline development and pages without a network. */
export class NatsServer extends Server {
  /**
   * Start a server. Where it shall listen, it does when this resolves.
   * @throws {NatsError} INVALID_ARGUMENT, CONNECTION when a port is taken, UNSUPPORTED where a runtime can't listen, or has no files
   */
  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(options, inMemory);
    await server.listen(options, listen);
    return server;
  }
}
