// The wire vocabulary: what INFO and CONNECT hold. Used by client and server alike.

/** What the server says of itself in INFO. Unknown fields are kept. */
export interface ServerInfo {
  server_id: string;
  server_name: string;
  version: string;
  proto: number;
  go?: string;
  git_commit?: string;
  host: string;
  port: number;
  /** the server understands headers */
  headers?: boolean;
  /** credentials are expected; not reliable where the server has a `no_auth_user` */
  auth_required?: boolean;
  tls_required?: boolean;
  tls_available?: boolean;
  tls_verify?: boolean;
  /** bytes of header and payload that one message may have; 0 or less means no limit */
  max_payload: number;
  /** JetStream is enabled on this server */
  jetstream?: boolean;
  /** JetStream domain of this server */
  domain?: string;
  client_id: number;
  client_ip?: string;
  ip?: string;
  /** the challenge to sign; the characters themselves are signed */
  nonce?: string;
  cluster?: string;
  cluster_dynamic?: boolean;
  /** other servers of the cluster, as `host:port` */
  connect_urls?: string[];
  /** the server is about to shut down (lame duck) */
  ldm?: boolean;
  /** public curve key of the server (2.10) */
  xkey?: string;
  /** this INFO answers the first PING (2.12) */
  connect_info?: boolean;
  /** the account the user is bound to (2.12, with `connect_info`) */
  remote_account?: string;
  /** bound to the system account (2.12) */
  acc_is_sys?: boolean;
  /** JetStream API level of the connected server (2.12) */
  api_lvl?: number;
}

/** The credential fields of CONNECT. */
export interface AuthFields {
  user?: string;
  pass?: string;
  auth_token?: string;
  nkey?: string;
  sig?: string;
  jwt?: string;
}

/** What the client says in CONNECT. */
export interface ConnectFields extends AuthFields {
  verbose: boolean;
  pedantic: boolean;
  tls_required: boolean;
  echo?: boolean | undefined;
  name?: string | undefined;
  lang: string;
  version: string;
  protocol: number;
  headers: boolean;
  no_responders: boolean;
}
