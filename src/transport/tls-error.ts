// TLS errors: what to say of a handshake that failed, or of an alert after it. The TCP transports tell the kinds apart.
import { NatsError } from "../errors.ts";
import { serverOf } from "./dial.ts";
import type { DialTarget } from "./transport.ts";

/** What went wrong. */
export type TlsFault =
  /** the certificate of the server is for another name */
  | "name"
  /** it is not valid yet, or not any more */
  | "time"
  /** nobody vouches for it */
  | "authority"
  /** the server wants a certificate, and has got none */
  | "no-client-certificate"
  /** the server does not take ours */
  | "client-certificate"
  /** what answers is not TLS */
  | "not-tls"
  | "other";

/** The cure where a certificate of the client is missing. */
export const CLIENT_CERT_HINT = "set tls.cert (or certFile) and tls.key (or keyFile)";

/** Code `TLS`, with the cure. `detail` is what the runtime says of it. */
export function tlsError(fault: TlsFault, detail: string, target: DialTarget, cause: unknown): NatsError {
  const server = serverOf(target);
  return new NatsError("TLS", textOf(fault, detail, server, target.handshakeFirst), { server, cause });
}

function textOf(fault: TlsFault, detail: string, server: string, first: boolean): string {
  switch (fault) {
    case "name":
      return (
        `the certificate of ${server} is for another name (${detail}): ` +
        "use a name of the certificate in the address, or set tls.servername"
      );
    case "time":
      return `the certificate of ${server} is out of its time (${detail}): renew it, or check the clock`;
    case "authority":
      return (
        `the certificate of ${server} is not signed by an authority that is trusted here (${detail}): ` +
        "set tls.ca or tls.caFile to the authority that signed it"
      );
    case "no-client-certificate":
      return `${server} demands a certificate of the client: ${CLIENT_CERT_HINT}`;
    case "client-certificate":
      return `${server} does not accept the certificate of the client (${detail}): check tls.cert`;
    case "not-tls":
      return (
        `${server} does not answer in TLS: ` +
        (first
          ? "its handshake_first is off, so leave out tls.handshakeFirst"
          : "is this the client port of a NATS server, and does it take more connections?")
      );
    case "other":
      return `TLS with ${server} failed: ${detail}`;
  }
}
