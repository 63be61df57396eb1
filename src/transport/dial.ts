// Dial: how every dialer names its server, and the failures they share.
import { ConnectionError, NatsError } from "../errors.ts";
import type { DialTarget } from "./transport.ts";

/** `host:port` of a target, for messages and for the `server` field of errors. */
export function serverOf({ hostname, port }: DialTarget): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** The dial was ended by its signal. */
export function abortedError(target: DialTarget): NatsError {
  const server = serverOf(target);
  return new NatsError("ABORTED", `the dial of ${server} was ended by its signal`, {
    server,
    cause: target.signal.reason,
  });
}

/** close() ran into its bound: an error where bytes were lost by that, else undefined. */
export function unsentError(server: string, bytes: number): NatsError | undefined {
  return bytes > 0
    ? new ConnectionError(`${server} stopped reading: ${bytes} bytes were not sent before the close`, {
        server,
      })
    : undefined;
}
