// Memory: two joined transports inside one process, with faults on demand. For tests, demos and the in-process server.
import { ConnectionError } from "../errors.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** How the link of a {@link memoryPair} behaves. Everything holds for both directions. */
export interface MemoryPairOptions {
  /**
   * Cut what is written into pieces of this many bytes; a function is asked for the size of each next piece and told how
   * many bytes are left of the write. Sizes below 1 count as 1. Default: every write arrives in one piece.
   */
  chunk?: number | ((left: number) => number);
  /** how long bytes, and the end, travel: milliseconds. Default 0: they arrive in a microtask. */
  latency?: number;
  /** the timer that `latency` uses, such as the one of a fake clock; calls of equal delay must come in order. Default: `setTimeout`. */
  setTimeout?: (callback: () => void, ms: number) => unknown;
  /** break the link once it has carried this many bytes, both directions together; both ends then get an error of code `CONNECTION`. Default: never. */
  cutAfter?: number;
  /** `write` returns false from this many undelivered bytes on, and `onDrain` comes when all are delivered (as after more than 64 KiB). Default: no limit. */
  highWaterMark?: number;
  /** gives both ends a `startTls`, which waits for this and then says `encrypted`. Default: they have none. */
  startTls?: () => Promise<void>;
}

/** The end of more than this is told by `onDrain`, also where `write` never said to hold back. */
const MUCH = 65_536;

/** What travels: bytes, or the end of the link. */
type Parcel = Uint8Array | { readonly error: Error | undefined };

/** What both ends know. */
interface Link {
  readonly options: MemoryPairOptions;
  /** bytes that may still travel */
  left: number;
}

/**
 * Two {@link Transport}s, each the peer of the other, without any socket.
 *
 * Delivery is in order and never inside the call of `write`. Bytes are copied when they are written.
 *
 * @example
 * ```ts
 * const [a, b] = memoryPair({ chunk: 3 });
 * b.open({ onData: (bytes) => console.log(bytes.length), onDrain() {}, onClose() {} });
 * a.write(new TextEncoder().encode("PING\r\n")); // 3, 3
 * ```
 */
export function memoryPair(options: MemoryPairOptions = {}): [Transport, Transport] {
  const link: Link = {
    options,
    left: options.cutAfter ?? Number.POSITIVE_INFINITY,
  };
  const a = new MemoryTransport(link);
  const b = new MemoryTransport(link);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

class MemoryTransport implements Transport {
  encrypted = false;
  buffered = 0;
  startTls?: () => Promise<void>;
  peer!: MemoryTransport;
  readonly #link: Link;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #events: TransportEvents | undefined;
  /** what this end sent and that has not arrived yet */
  #sent: Parcel[] = [];
  /** index of the first of them; what is before it has arrived */
  #first = 0;
  /** what arrived here before open() */
  #inbox: Parcel[] = [];
  #opened = false;
  #held = false;
  /** nothing more is sent */
  #shut = false;
  /** nothing more is delivered, but the end: close() or destroy() was called */
  #deaf = false;
  /** the end is here: `onClose` is due, or was */
  #ended = false;
  #error: Error | undefined;

  constructor(link: Link) {
    this.#link = link;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    const { startTls } = link.options;
    if (startTls) {
      this.startTls = async () => {
        try {
          await startTls();
        } catch (error) {
          this.destroy(error as Error);
          throw error;
        }
        this.encrypted = true;
      };
    }
  }

  open(events: TransportEvents): void {
    this.#events = events;
    queueMicrotask(() => {
      this.#opened = true;
      for (const parcel of this.#inbox.splice(0)) this.#receive(parcel);
      this.#report();
    });
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#deaf) this.buffered += bytes.length;
    if (this.#shut) return false;
    if (bytes.length > 0) {
      this.#send(new Uint8Array(bytes)); // not slice(): a Buffer's does not copy
    }
    const full = this.buffered >= (this.#link.options.highWaterMark ?? Number.POSITIVE_INFINITY);
    if (full || this.buffered > MUCH) this.#held = true;
    return !full;
  }

  close(): Promise<void> {
    this.#deaf = true;
    for (const parcel of this.#inbox.splice(0)) this.#receive(parcel);
    if (!this.#shut) {
      this.#shut = true;
      this.#send({ error: undefined });
    }
    return this.#gone;
  }

  destroy(error?: Error): void {
    if (this.#ended) return;
    this.#deaf = true;
    this.#recall();
    this.#send({ error: undefined });
    this.#end(error);
  }

  #send(parcel: Parcel): void {
    const { latency = 0, setTimeout: later = setTimeout } = this.#link.options;
    this.#sent.push(parcel);
    // each call takes the first parcel, whichever it is: the order stays, and destroy() can clear the list
    if (latency > 0) later(this.#arrive, latency);
    else queueMicrotask(this.#arrive);
  }

  /** The first parcel of those on their way is at the peer. */
  #arrive = (): void => {
    const parcel = this.#sent[this.#first++];
    if (this.#first >= this.#sent.length) this.#recall();
    if (parcel === undefined) return;
    const { peer } = this;
    if (!(parcel instanceof Uint8Array)) {
      peer.#deliver(parcel);
      this.#end();
      return;
    }
    if (this.#ended) return;
    const bytes = parcel.subarray(0, this.#link.left);
    this.#link.left -= bytes.length;
    this.buffered -= parcel.length;
    peer.#deliver(bytes);
    if (this.#link.left === 0) {
      const cut = new ConnectionError(`the memory link was cut after ${this.#link.options.cutAfter} bytes`);
      for (const end of [this, peer]) {
        end.#shut = true;
        end.#recall();
        end.#deliver({ error: cut });
      }
    } else if (this.#held && this.buffered === 0) {
      this.#held = false;
      if (!this.#shut) this.#events?.onDrain();
    }
  };

  #recall(): void {
    this.#sent = [];
    this.#first = 0;
  }

  #deliver(parcel: Parcel): void {
    if (this.#opened || this.#deaf) this.#receive(parcel);
    else this.#inbox.push(parcel);
  }

  #receive(parcel: Parcel): void {
    if (!(parcel instanceof Uint8Array)) {
      this.#end(parcel.error);
      return;
    }
    const { chunk } = this.#link.options;
    for (let at = 0; at < parcel.length && !this.#deaf; ) {
      const left = parcel.length - at;
      const size = Math.max(1, typeof chunk === "function" ? chunk(left) : (chunk ?? left));
      this.#events?.onData(parcel.subarray(at, at + size));
      at += size;
    }
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = this.#shut = true;
    this.#error = error;
    this.#resolveGone();
    queueMicrotask(() => this.#report());
  }

  #report(): void {
    if (!this.#ended || !this.#opened || !this.#events) return;
    const events = this.#events;
    this.#events = undefined;
    events.onClose(this.#error);
  }
}
