// Awaited transport: a transport over a socket whose reads and writes are promises, as those of Deno and of Workers are.
import { NatsError } from "../errors.ts";
import { serverOf, unsentError } from "./dial.ts";
import type { DialTarget, Transport, TransportEvents } from "./transport.ts";

/** How long close() waits for the peer. */
const CLOSE_LIMIT = 5000;

/** What had happened on a connection when it failed. */
export interface Circumstances {
  /** the TLS handshake was on */
  readonly handshake: boolean;
  readonly encrypted: boolean;
  /** something had come from the peer since the last upgrade */
  readonly heard: boolean;
}

/** A connected socket. */
export interface AwaitedSocket {
  /** where it is from, for people */
  readonly runtime: string;
  /** the next bytes, which belong to the caller; undefined at the end */
  read(): Promise<Uint8Array | undefined>;
  /** give it bytes; how many it took */
  write(bytes: Uint8Array): Promise<number>;
  /** end our half */
  shut(): Promise<unknown>;
  /** end both halves at once, also while TLS begins; never throws */
  close(): void;
  /** go on under TLS. Rejects with a {@link NatsError}, or with what `explain` explains. */
  startTls(): Promise<void>;
  /** what a failure of the runtime means; undefined where the peer just closed */
  explain(cause: Error, circumstances: Circumstances): NatsError | undefined;
}

export class AwaitedTransport implements Transport {
  encrypted = false;
  buffered = 0;
  // a write that is done has left nothing behind
  readonly copies = true;
  readonly #target: DialTarget;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  readonly #socket: AwaitedSocket;
  #events: TransportEvents | undefined;
  /** what the runtime has not taken yet, oldest first */
  #queue: Uint8Array[] = [];
  #writing = false;
  #reading = false;
  /** ends the turn in which the reading waits for startTls() */
  #readOn: (() => void) | undefined;
  /** rejects startTls(), while it runs */
  #handshake: ((error: Error) => void) | undefined;
  #error: Error | undefined;
  #limit: ReturnType<typeof setTimeout> | undefined;
  /** nothing more is taken or delivered, but onClose */
  #over = false;
  /** the socket is closed */
  #closed = false;
  /** something was written in clear, or under TLS: it will not be started any more */
  #spoke = false;
  /** something came from the peer since the last upgrade */
  #heard = false;

  constructor(socket: AwaitedSocket, target: DialTarget) {
    this.#socket = socket;
    this.#target = target;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
  }

  open(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed) queueMicrotask(this.#report);
    else void this.#read();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    this.buffered += bytes.length;
    this.#queue.push(bytes);
    if (!this.#handshake && !this.#writing) void this.#send();
    // that the runtime has it, only a later turn tells
    return false;
  }

  startTls(): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = serverOf(this.#target);
      if (this.#over || this.encrypted || this.#handshake || this.#spoke || this.#reading) {
        const why = this.#over
          ? "the connection is over"
          : this.encrypted || this.#handshake
            ? "the connection is under TLS already"
            : `in ${this.#socket.runtime} it begins in the turn in which bytes came, before any are sent`;
        reject(new NatsError("TLS", `cannot start TLS with ${server}: ${why}`, { server }));
        return;
      }
      this.#handshake = reject;
      this.#readOn?.();
      void this.#upgrade().then(resolve);
    });
  }

  close(settled = false): Promise<void> {
    if (this.#handshake || (settled && !this.encrypted)) this.destroy();
    if (!this.#over) {
      this.#over = true;
      this.#limit = setTimeout(() => {
        this.destroy(unsentError(serverOf(this.#target), this.buffered));
      }, CLOSE_LIMIT);
      (this.#limit as { unref?(): void }).unref?.();
      this.#readOn?.();
      if (!this.#writing) this.#shut();
      // read on until the peer closes as well: closing over unread bytes would reset the link and cut off ours
      if (!this.#events) void this.#read();
    }
    return this.#gone;
  }

  destroy(error?: Error): void {
    this.#end(error);
  }

  /** Give the runtime what waits, one piece at a time. */
  async #send(): Promise<void> {
    this.#writing = this.#spoke = true;
    this.#readOn?.();
    try {
      for (let [bytes] = this.#queue; bytes && !this.#closed; [bytes] = this.#queue) {
        const size = await this.#socket.write(bytes);
        if (this.#closed) return;
        this.buffered -= size;
        if (size < bytes.length) this.#queue[0] = bytes.subarray(size);
        else this.#queue.shift();
      }
    } catch (cause) {
      this.#broke(cause as Error);
      return;
    }
    this.#writing = false;
    if (this.#over) this.#shut();
    else this.#events?.onDrain();
  }

  /** End our half. When that fails the reading ends as well. */
  #shut(): void {
    this.#socket.shut().catch(() => undefined);
  }

  async #read(): Promise<void> {
    try {
      while (!this.#closed && !this.#handshake) {
        this.#reading = true;
        const bytes = await this.#socket.read();
        this.#reading = false;
        if (this.#closed) return;
        if (bytes === undefined) return this.#end();
        if (this.#over) continue;
        this.#heard = true;
        this.#events?.onData(bytes);
        if (!this.#spoke) await this.#turn();
      }
    } catch (cause) {
      this.#broke(cause as Error);
    }
  }

  /** No connection on which a read waits can be upgraded: as long as nothing was written, there is a turn for startTls(). */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#readOn = resolve;
      setTimeout(resolve);
    });
  }

  /** Never rejects; when it fails the transport is over, and so startTls() has rejected. */
  async #upgrade(): Promise<void> {
    try {
      await this.#socket.startTls();
    } catch (cause) {
      this.#broke(cause as Error);
    }
    if (this.#closed) return;
    this.#handshake = undefined;
    this.encrypted = this.#spoke = true;
    this.#heard = false;
    if (this.#queue.length > 0) void this.#send();
    if (this.#events) void this.#read();
  }

  /** Reading, writing or the handshake failed. */
  #broke(cause: Error): void {
    // after close(), once everything is sent, it does not matter how the peer ends it
    if (this.#over && this.buffered === 0) return this.#end();
    if (cause instanceof NatsError) return this.#end(cause);
    const { encrypted } = this;
    const handshake = this.#handshake !== undefined;
    this.#end(this.#socket.explain(cause, { handshake, encrypted, heard: this.#heard }));
  }

  #end(error?: Error): void {
    if (this.#closed) return;
    this.#closed = this.#over = true;
    this.#error = error;
    clearTimeout(this.#limit);
    this.#queue = [];
    this.#socket.close();
    this.#readOn?.();
    if (this.#handshake) {
      const server = serverOf(this.#target);
      this.#error ??= new NatsError("TLS", `${server} closed the connection during the TLS handshake`, {
        server,
      });
      this.#handshake(this.#error);
      this.#handshake = undefined;
    }
    this.#resolveGone();
    queueMicrotask(this.#report);
  }

  #report = (): void => {
    const events = this.#events;
    this.#events = undefined;
    events?.onClose(this.#error);
  };
}
