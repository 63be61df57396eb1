// WebSocket transport: bytes in the messages of any WebSocket. Dialled by websocket.ts, own-websocket.ts, websocket.deno.ts.
import { ConnectionError, NatsError } from "../errors.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import { abortedError, serverOf, unsentError } from "./dial.ts";
import type { Dialer, DialTarget, Transport, TransportEvents } from "./transport.ts";
import type { WebSocketFactory, WebSocketLike } from "./websocket-factory.ts";

/**
 * The largest message to send. Where compression was negotiated, a server closes the link when one message inflates to
 * more than its max_payload, however many operations are in it.
 */
const MAX_WRITE = 65536;
/** write() says "hold back" above this many bytes, and onDrain comes at half of it. */
const HIGH_WATER = 1 << 20;
/** onDrain comes once more when no more than this is left: an owner may wait for that. */
const LOW_WATER = 65_536;
/** How long close() waits for the peer. */
const CLOSE_LIMIT = 5000;

/** Makes the WebSocket of a runtime; may throw. */
export type OpenSocket = (url: string, target: DialTarget) => WebSocketLike;

/** Knows what the failures of a runtime's sockets mean, by their `code` or their text. */
export type Explain = (
  code: string,
  text: string,
  facts: { server: string; cause: unknown },
) => NatsError | undefined;

/** The dialer that gets its sockets from `open`, or from a factory: of the target, else `made`. */
export function socketDialer(open: OpenSocket, explain?: Explain, made?: WebSocketFactory): Dialer {
  return (target: DialTarget): Promise<Transport> =>
    new Promise<Transport>((resolve, reject) => {
      const { scheme, signal, wsFactory: factory = made } = target;
      const server = serverOf(target);
      const failed = (error: unknown): NatsError => failure(error, server, explain);
      if (scheme !== "ws" && scheme !== "wss") {
        throw new NatsError(
          "UNSUPPORTED",
          `${scheme}://${server} needs TCP; here is WebSocket only: use the ws:// or wss:// address of the server`,
          { server },
        );
      }
      if (signal.aborted) throw abortedError(target);

      let transport: WebSocketTransport | undefined;
      const settle = (error?: Error): void => {
        signal.removeEventListener("abort", abort);
        if (error) reject(error);
        else resolve(transport as Transport);
      };
      const abort = (): void => {
        settle(abortedError(target));
        transport?.destroy();
      };
      const adopt = (socket: WebSocketLike, encrypted: boolean): void => {
        transport = new WebSocketTransport(socket, encrypted, server, settle, failed);
        if (signal.aborted || socket.readyState > 1) transport.destroy();
        else if (socket.readyState === 1) settle();
      };
      signal.addEventListener("abort", abort);

      const url = `${scheme}://${server}${target.path}`;
      if (!factory) {
        try {
          adopt(open(url, target), scheme === "wss");
        } catch (error) {
          settle(failed(error));
        }
        return;
      }
      Promise.resolve()
        .then(() => factory(url, target))
        .then(({ socket, encrypted }) => adopt(socket, encrypted))
        .catch((error) => settle(failed(error)));
    });
}

/** The failure behind an 'error' event, or what a constructor or factory threw. */
function failure(event: unknown, server: string, explain?: Explain): NatsError {
  if (event instanceof NatsError) return event;
  const { error: cause = event, message } = (event ?? {}) as {
    error?: unknown;
    message?: string;
  };
  const code = `${(cause as { code?: string | number } | undefined)?.code ?? ""}`;
  const text = message || code || "the runtime does not say why";
  return (
    explain?.(code, text, { server, cause }) ??
    new ConnectionError(`the WebSocket to ${server} failed: ${text}`, { server, cause })
  );
}

class WebSocketTransport implements Transport {
  maxWrite = MAX_WRITE;
  readonly encrypted: boolean;
  readonly #socket: WebSocketLike;
  readonly #server: string;
  readonly #gone: Promise<void>;
  /** settles the dial; later calls change nothing */
  readonly #ready: (error?: Error) => void;
  readonly #failed: (error: unknown) => NatsError;
  #resolveGone!: () => void;
  #events: TransportEvents | undefined;
  /** what came before open(); undefined from then on */
  #early: Uint8Array[] | undefined = [];
  #error: Error | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #limit: ReturnType<typeof setTimeout> | undefined;
  #closing = false;
  #ended = false;
  /** write() returned false, onDrain is owed */
  #held = false;
  /** what was buffered when we last looked, where that is much: some sockets forget it when they break */
  #left = 0;
  /** bytes that came when the socket took none any more */
  #refused = 0;

  constructor(
    socket: WebSocketLike,
    encrypted: boolean,
    server: string,
    ready: (error?: Error) => void,
    failed: (error: unknown) => NatsError,
  ) {
    this.#socket = socket;
    this.encrypted = encrypted;
    this.#server = server;
    this.#ready = ready;
    this.#failed = failed;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    socket.binaryType = "arraybuffer";
    // the handlers stay for good: a socket that was given up may still open, and must be closed then
    socket.onopen = () => (this.#ended ? this.#discard() : ready());
    socket.onmessage = ({ data }: { data: ArrayBuffer | string }) =>
      this.#receive(typeof data === "string" ? utf8Encoder.encode(data) : new Uint8Array(data));
    // some sockets never say 'close' after 'error'
    socket.onerror = (event: unknown) => this.#end(failed(event));
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      // 1000 closed, 1001 going away (a shutdown), 1005 no code given
      this.#end(
        this.#closing || code === 1000 || code === 1001 || code === 1005
          ? undefined
          : new ConnectionError(
              `the WebSocket to ${server} broke (${code}${reason && `: ${reason}`})`,
              { server },
              // a full server says so at once: Firefox drops the -ERR when it came with the handshake
              reason.startsWith("Maximum Connections") ? "MAX_CONNECTIONS" : "CONNECTION",
            ),
      );
  }

  get buffered(): number {
    const { bufferedAmount, readyState } = this.#socket;
    return readyState > 1 ? Math.max(bufferedAmount, this.#left) + this.#refused : bufferedAmount;
  }

  open(events: TransportEvents): void {
    this.#events = events;
    queueMicrotask(() => {
      for (let bytes = this.#early?.shift(); bytes; bytes = this.#early?.shift()) events.onData(bytes);
      this.#early = undefined;
      this.#report();
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closing || this.#ended) return false;
    // dead, and 'close' has not come yet
    if (this.#socket.readyState > 1) {
      this.#refused += bytes.length;
      return false;
    }
    try {
      for (let at = 0; at < bytes.length; at += this.maxWrite) {
        this.#socket.send(bytes.subarray(at, at + this.maxWrite) as never);
      }
    } catch (error) {
      this.#end(this.#failed(error));
      return false;
    }
    const left = this.#note();
    if (left === 0) return true;
    const held = left > HIGH_WATER;
    this.#held ||= held;
    if (this.#poll === undefined) this.#watch(1);
    return !held;
  }

  close(): Promise<void> {
    if (!this.#closing && !this.#ended) {
      this.#closing = true;
      this.#early &&= [];
      this.#limit = setTimeout(() => {
        this.#end(unsentError(this.#server, this.#socket.bufferedAmount));
      }, CLOSE_LIMIT);
      (this.#limit as { unref?(): void }).unref?.();
      clearTimeout(this.#poll);
      this.#check(1);
    }
    return this.#gone;
  }

  destroy(error?: Error): void {
    this.#early &&= [];
    this.#end(error);
  }

  /** What is buffered, where that is much. */
  #note(): number {
    const { bufferedAmount } = this.#socket;
    return (this.#left = bufferedAmount > LOW_WATER ? bufferedAmount : 0);
  }

  /** Look again after `delay` ms whether the bytes went: a WebSocket does not tell. */
  #watch(delay: number): void {
    this.#poll = setTimeout(() => this.#check(Math.min(delay * 2, 32)), delay);
  }

  #check(delay: number): void {
    this.#poll = undefined;
    if (this.#closing) {
      if (this.#socket.bufferedAmount > 0) this.#watch(delay);
      else this.#socket.close(1000);
      return;
    }
    if (this.#socket.readyState > 1) return;
    const left = this.#note();
    if (left > (this.#held ? HIGH_WATER / 2 : 0)) return this.#watch(delay);
    this.#held = false;
    if (left > 0) this.#watch(1);
    this.#events?.onDrain();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closing || this.#ended) return;
    if (this.#early) this.#early.push(bytes);
    else this.#events?.onData(bytes);
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    clearTimeout(this.#poll);
    clearTimeout(this.#limit);
    this.#discard();
    this.#ready(
      error ??
        new ConnectionError(`${this.#server} closed the WebSocket`, {
          server: this.#server,
        }),
    );
    this.#resolveGone();
    queueMicrotask(() => this.#report());
  }

  /** Give the socket up, at once where it can. */
  #discard(): void {
    const socket = this.#socket;
    if (socket.terminate) socket.terminate();
    else socket.close();
  }

  #report(): void {
    if (!this.#ended || !this.#events || this.#early) return;
    const events = this.#events;
    this.#events = undefined;
    events.onClose(this.#error);
  }
}
