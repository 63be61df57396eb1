// Happy eyeballs: the addresses of a host, staggered, until the first one connects (RFC 8305). Called by the TCP dialers.
import { ConnectionError, NatsError } from "../errors.ts";
import { abortedError, serverOf } from "./dial.ts";
import type { DialTarget } from "./transport.ts";

/** How long one address may take before the next is tried beside it, RFC 8305's connection attempt delay. */
const ATTEMPT_DELAY = 250;

/** What a runtime does for {@link connectFirst}. */
export interface Sockets<Socket> {
  /** the addresses that the system knows for a host name; none where it fails: the name itself is tried then */
  readonly lookup: (hostname: string) => Promise<string[]>;
  /** one attempt; when the signal fires it is given up, and no socket is left */
  readonly open: (host: string, port: number, signal: AbortSignal) => Promise<Socket>;
  /** an attempt that succeeded too late */
  readonly discard: (socket: Socket) => void;
}

/** Resolve the name, then try its addresses until the first one connects; the other attempts are given up. */
export function connectFirst<Socket>(
  target: DialTarget,
  { lookup, open, discard }: Sockets<Socket>,
): Promise<Socket> {
  const { hostname, port, signal } = target;
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const failures: Error[] = [];
    let addresses: string[] = [];
    let running = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      // a reason that is there: the one that the runtime makes costs more than the rest
      settled.abort(target);
    };
    const abort = (): void => {
      settle();
      reject(abortedError(target));
    };
    const next = (): void => {
      clearTimeout(timer);
      const host = addresses.shift();
      if (host === undefined) {
        if (running > 0) return;
        settle();
        reject(dialError(failures, target));
        return;
      }
      running++;
      open(host, port, settled.signal).then(
        (socket) => {
          if (settled.signal.aborted) return discard(socket);
          settle();
          resolve(socket);
        },
        (error: Error) => {
          if (settled.signal.aborted) return;
          running--;
          failures.push(error);
          next();
        },
      );
      if (addresses.length > 0) timer = setTimeout(next, ATTEMPT_DELAY);
    };

    signal.addEventListener("abort", abort);
    // a failed lookup leaves it to the socket, whose error is the one to report
    void lookup(hostname).then((found) => {
      if (settled.signal.aborted) return;
      addresses = found.length === 0 ? [hostname] : target.noRandomize ? [...found] : shuffled(found);
      next();
    });
  });
}

function shuffled(list: readonly string[]): string[] {
  const made = [...list];
  for (let i = made.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [made[i], made[j]] = [made[j] as string, made[i] as string];
  }
  return made;
}

/** What to say of a dial all of whose addresses failed. */
function dialError(failures: Error[], target: DialTarget): NatsError {
  const server = serverOf(target);
  const codes = failures.map((error) => (error as { code?: string }).code ?? error.message);
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures, codes.join(", "));
  const facts = { server, cause };
  if (codes.includes("ECONNREFUSED")) {
    return new ConnectionError(
      `connection refused: nothing listens at ${server}`,
      facts,
      "CONNECTION_REFUSED",
    );
  }
  const code = codes[0] as string;
  return new ConnectionError(
    code === "ENOTFOUND" || code === "EAI_AGAIN"
      ? `the host name '${target.hostname}' cannot be resolved (${code}): check its spelling and the DNS`
      : `cannot connect to ${server}: ${[...new Set(codes)].join(", ")}`,
    facts,
  );
}
