// Api of: the API behind a JetStream client, or over a connection, for what stands on streams without all of the client.
import type { NatsConnection } from "../client/connection.ts";
import { Api } from "./api.ts";
import type { JetStreamLite } from "./lite.ts";
import { DEFAULTS } from "./options.ts";

/** Every client has its API in it; the types of users don't say so. */
export interface ApiHolder {
  readonly api: Api;
}

/** The API that a client uses; that of a connection is the one of its server, with the default options. */
export function apiOf(of: NatsConnection | JetStreamLite): Api {
  return "api" in of ? (of as unknown as ApiHolder).api : new Api(of as NatsConnection, DEFAULTS);
}
