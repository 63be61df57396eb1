// Upgrade: whether a link goes on under TLS. Decided by client/link with the first INFO: nothing in clear may follow it then (C-TLS-4).
import type { ServerInfo } from "../protocol/ops.ts";
import type { TlsOptions } from "../transport/tls.ts";
import type { Transport } from "../transport/transport.ts";
import { familyOf } from "./address.ts";
import type { PoolServer } from "./pool.ts";

/** Does the address or an option ask for TLS? */
export function demandsTls(server: PoolServer, tls: TlsOptions | null | undefined): boolean {
  const { scheme } = server.address;
  return scheme === "tls" || scheme === "wss" || (scheme === "nats" && tls != null);
}

/**
 * Must the transport be upgraded, after this INFO?
 * @throws {NatsError} TLS where the server, the transport or the options do not allow what the others want
 */
export function needsUpgrade(
  server: PoolServer,
  transport: Transport,
  tls: TlsOptions | null | undefined,
  { tls_required: required = false, tls_available: available = false }: ServerInfo,
): boolean {
  if (transport.encrypted || familyOf(server.address.scheme) !== "tcp") return false;
  if (tls === null) {
    if (required) throw server.failure("requires TLS and the option 'tls: null' refuses it", "TLS");
    return false;
  }
  if (!required && !available) {
    if (!demandsTls(server, tls)) return false;
    throw server.failure("does not offer TLS, which was asked for: nothing was sent to it", "TLS");
  }
  if (transport.startTls === undefined) throw server.failure("wants TLS and this transport can't", "TLS");
  return true;
}
