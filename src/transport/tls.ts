// TLS options: what the user may say about TLS. Read by the TCP transports.
import { InvalidArgumentError } from "../errors.ts";

/** TLS options of a connection. Strings are PEM. */
export interface TlsOptions {
  /** begin the TLS handshake before the server says anything; the server must be set so (`handshake_first`). Default false. */
  handshakeFirst?: boolean;
  /** certificate of the client, PEM */
  cert?: string;
  /** path of a file with the certificate of the client */
  certFile?: string;
  /** private key of the client, PEM */
  key?: string;
  /** path of a file with the private key */
  keyFile?: string;
  /** certificate authority, PEM; replaces the runtime's own list (in Deno it joins it) */
  ca?: string;
  /** path of a file with the certificate authority */
  caFile?: string;
  /** the name to ask for and verify, in place of the host name of the server (SNI) */
  servername?: string;
  /** false accepts any certificate: for experiments only. Default true. Over TCP, and over WebSocket in Node and Bun. */
  rejectUnauthorized?: boolean;
  /** any further option of the runtime's own TLS (of `tls.connect`, which Deno has too) */
  [option: string]: unknown;
}

/**
 * The options with the texts of their files in place of the paths.
 * @throws {NatsError} INVALID_ARGUMENT for a file that cannot be read, or one beside its text
 */
export async function readTlsFiles(
  { certFile, keyFile, caFile, ...options }: TlsOptions,
  read: (path: string) => Promise<string>,
): Promise<TlsOptions> {
  const files = { cert: certFile, key: keyFile, ca: caFile };
  for (const name of ["cert", "key", "ca"] as const) {
    const path = files[name];
    if (path !== undefined) {
      if (options[name] !== undefined) {
        throw InvalidArgumentError.format([`tls.${name}`, `tls.${name}File`], "are mutually exclusive");
      }
      try {
        options[name] = await read(path);
      } catch (cause) {
        const { code, message } = cause as { code?: string; message: string };
        throw new InvalidArgumentError(
          `tls.${name}File: cannot read '${path}' (${code ?? message}); ` +
            `check the path and its permissions, or give the PEM text as tls.${name}`,
          { cause },
        );
      }
    }
    // not all runtimes say so
    if (typeof options[name] === "string" && !options[name].includes("-----BEGIN ")) {
      throw new InvalidArgumentError(
        `the tls options cannot be used: tls.${name}${path === undefined ? "" : "File"} is not PEM, there is no '-----BEGIN' in it`,
      );
    }
  }
  return options;
}
