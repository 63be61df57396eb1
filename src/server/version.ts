// Version: the server whose behaviour this is, and what of it a request may ask for.
import { headerValue } from "./header-block.ts";

export const VERSION = "2.15.1";
/** of the API of JetStream */
export const API_LEVEL = 5;

/** Does a request want more than servers of this level have? */
export function isBeyondLevel(header: Uint8Array): boolean {
  return !(Number(headerValue(header, "Nats-Required-Api-Level") ?? 0) <= API_LEVEL);
}
