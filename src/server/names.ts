// Names: what isonats/server exports beside NatsServer, which each entry has its own of.
export type { Clock, Timer } from "../lib/clock.ts";
export type { ExportOptions, ImportOptions, ImportSource } from "./exchange.ts";
export type { UserOptions, VerifyNkey } from "./logins.ts";
export { ManualClock } from "./manual-clock.ts";
export type { Mappings, WeightedDestination } from "./mapping.ts";
export type { AccountOptions, JetStreamOptions, ListenTlsOptions, ServerOptions } from "./options.ts";
export type { PermissionOptions, SubjectPermission } from "./permissions.ts";
export type { Faults, PeerAddress } from "./server.ts";
