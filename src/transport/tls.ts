// TLS options: what the user may say about TLS. Read by the TCP transports.

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
  /** certificate authority, PEM; replaces the runtime's own list */
  ca?: string;
  /** path of a file with the certificate authority */
  caFile?: string;
  /** the name to ask for and verify, in place of the host name of the server (SNI) */
  servername?: string;
  /** false accepts any certificate: for experiments only. Default true. Node and Bun. */
  rejectUnauthorized?: boolean;
  /** any further option of the runtime's own TLS (on Node: of `tls.connect`) */
  [option: string]: unknown;
}
