// Dial: how every dialer names its server, and the steps and failures they share.
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import type { DialTarget, Transport } from "./transport.ts";

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

/** Whether TCP can dial the target. @throws {NatsError} UNSUPPORTED, INVALID_ARGUMENT */
export function checkTcpTarget(target: DialTarget): void {
  const { scheme, port } = target;
  const server = serverOf(target);
  if (scheme !== "nats" && scheme !== "tls") {
    throw new NatsError(
      "UNSUPPORTED",
      `${scheme}://${server} is a WebSocket address; the TCP transport takes nats:// and tls://`,
      { server },
    );
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new InvalidArgumentError(`${server} has no port between 1 and 65535`);
  }
}

/** The end of a TCP dial: TLS at once, where the target asks for that. No socket is left when its signal fires. */
export async function finishDial<T extends Transport & { startTls(): Promise<void> }>(
  transport: T,
  target: DialTarget,
): Promise<T> {
  if (target.handshakeFirst) {
    const abort = (): void => transport.destroy(abortedError(target));
    target.signal.addEventListener("abort", abort);
    try {
      await transport.startTls();
    } finally {
      target.signal.removeEventListener("abort", abort);
    }
  }
  if (target.signal.aborted) {
    transport.destroy();
    throw abortedError(target);
  }
  return transport;
}
