// Workers sockets: a `connect` like that of cloudflare:sockets, on node:net and node:tls. As strict as workerd where it
// matters to us: one upgrade, only from "starttls", and only of streams that nobody holds or reads.
import net from "node:net";
import tls from "node:tls";
import type { WorkersConnect, WorkersSocket } from "../../src/transport/tcp.cloudflare.ts";

export interface WorkersSockets {
  connect: WorkersConnect;
  /** the options of each startTls() */
  readonly upgrades: { expectedServerHostname?: string }[];
}

/** @param ca the authority that is trusted, for the public ones */
export function workersSockets(ca?: string): WorkersSockets {
  const upgrades: { expectedServerHostname?: string }[] = [];

  const connect: WorkersConnect = ({ hostname, port }, { secureTransport, allowHalfOpen }) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    const raw = net.connect({ host, port, allowHalfOpen, noDelay: true });
    const opened = once(raw, "connect", "proxy request failed, cannot connect to the specified address");
    return socketOf(raw, opened, (own, reading, options = {}) => {
      if (secureTransport !== "starttls") {
        throw new TypeError(
          "The `secureTransport` socket option must be set to 'starttls' for startTls to be used.",
        );
      }
      if (reading())
        throw new TypeError("Cannot call releaseLock() on a reader with outstanding read promises.");
      if (own.readable.locked) throw new TypeError("This ReadableStream is currently locked to a reader.");
      if (own.writable.locked) throw new TypeError("This WritableStream is currently locked to a writer.");
      upgrades.push(options);
      const name = options.expectedServerHostname ?? host;
      const secure = tls.connect({
        socket: raw,
        host: name,
        ...(ca !== undefined && { ca }),
        ...(net.isIP(name) === 0 && { servername: name }),
      });
      return socketOf(secure, once(secure, "secureConnect", "internal error; reference = 0"), () => {
        throw new TypeError("Cannot startTls on a TLS socket.");
      });
    });
  };
  return { connect, upgrades };
}

/** Resolves at the event; rejects, as the runtime words it, when the socket is gone before. */
function once(raw: net.Socket, event: string, text: string): Promise<object> {
  return new Promise((resolve, reject) => {
    raw.once(event, () => resolve({ remoteAddress: raw.remoteAddress }));
    raw.once("error", (cause) => reject(new Error(text, { cause })));
    raw.once("close", () => reject(new Error(text)));
  });
}

type Upgrade = (
  own: WorkersSocket,
  reading: () => boolean,
  options?: { expectedServerHostname?: string },
) => WorkersSocket;

function socketOf(raw: net.Socket, opened: Promise<object>, upgrade: Upgrade): WorkersSocket {
  let reading = false;
  let upgraded = false;
  let failure: Error | undefined;
  raw.on("error", (error) => (failure = error));

  const readable = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reading = true;
        await opened;
        let chunk = raw.read() as Buffer | null;
        while (chunk === null && !raw.readableEnded && !raw.destroyed) {
          await new Promise<void>((resolve) => {
            for (const event of ["readable", "end", "close"]) raw.once(event, resolve);
          });
          chunk = raw.read() as Buffer | null;
        }
        reading = false;
        if (chunk) controller.enqueue(chunk);
        else if (failure) controller.error(failure);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) =>
      new Promise((resolve, reject) => {
        raw.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => new Promise<void>((resolve) => void raw.end(resolve)),
    abort: () => void raw.destroy(),
  });
  const closed = new Promise<void>((resolve, reject) => {
    raw.once("close", () => {
      if (failure) reject(failure);
      else resolve();
    });
  });
  opened.catch(() => undefined);

  const own: WorkersSocket = {
    readable,
    writable,
    opened,
    closed,
    close: () => {
      if (!upgraded) raw.destroy();
      return closed;
    },
    startTls: (options) => {
      const secure = upgrade(own, () => reading, options);
      upgraded = true;
      return secure;
    },
  };
  return own;
}
