// ChunkWriter: stores the chunks of one object, many under way at once, and in their order whatever happens: readers know them
// by the order in the stream alone.
//
//   write --> [first not confirmed ... last] at most a window --> sent in order --> acks, in order --> confirmed
//
//             link lost, a chunk refused for now, an ack late
//   flowing ──────────────────────────────────────────────────► recovering
//      ▲    the first one is sent alone; what the stream has           │
//      └─── before it and nobody confirmed is deleted ─────────────────┘
//
// Some of what was under way may be stored, and what the connection had kept may come after it. So when the first chunk that
// is not confirmed is stored for good, all between it and the one confirmed before it is taken out of the stream, and the rest
// sent again. Where this was needed, the chunks are counted at the end, and what came late is taken out too.
import type { Msg, Subscription } from "../client/connection.ts";
import {
  ClosedConnectionError,
  isNatsError,
  NatsError,
  type PermissionViolationError,
  TimeoutError,
} from "../errors.ts";
import { backoff } from "../lib/backoff.ts";
import { type Deferred, deferred, delay, type Delay, settle } from "../lib/deferred.ts";
import { JetStreamApiError } from "../jetstream/api-error.ts";
import type { LinkListener } from "../jetstream/link-watch.ts";
import { getMessage } from "../jetstream/message-get.ts";
import { isNoResponders, NoStreamError, readPubAck } from "../jetstream/pub-ack.ts";
import type { Bucket } from "./bucket.ts";

interface Chunk {
  readonly bytes: Uint8Array;
  /** the last token of the subject that its ack comes to; 0 while it is not sent */
  token: number;
  /** its sequence in the stream; 0 while it is not known to be stored */
  sequence: number;
}

// bytes and chunks without an ack: as many as keep the server busy over some latency
const WINDOW_BYTES = 8 * 1024 * 1024;
const WINDOW_CHUNKS = 256;
// milliseconds after which an ack is late
const ACK_WAIT = 5000;
// milliseconds before each attempt to go on
const WAITS = [0, 100, 250, 500, 1000];

export class ChunkWriter implements LinkListener {
  /** chunks and bytes that are stored for good */
  chunks = 0;
  bytes = 0;
  readonly #bucket: Bucket;
  readonly #subject: string;
  readonly #timeout: number;
  readonly #ackWait: number;
  readonly #window: number;
  readonly #inbox: string;
  readonly #sub: Subscription;
  readonly #onFail: (error: unknown) => void;
  // not confirmed, in their order; the first `#sent` of them are under way
  #open: Chunk[] = [];
  #sent = 0;
  #token = 0;
  #lastSequence = 0;
  #state: "flowing" | "recovering" | "over" = "flowing";
  #failure: { readonly error: unknown } | undefined;
  // why a chunk was not stored last
  #refusal: unknown;
  // where the first recovery began, and the sequences that were confirmed since
  #from = 0;
  #confirmed: Set<number> | undefined;
  // when something went forward last
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  // who waits until so many are open
  #waiter: { readonly most: number; readonly done: Deferred<void> } | undefined;
  // the chunk that is sent alone
  #alone: Deferred<number | undefined> | undefined;
  #pause: Delay | undefined;
  #linked: Deferred<void> | undefined;

  /**
   * Chunks of `size` bytes at most; `timeout` ms without any progress end it. `onFail` is told at once, who waits too.
   * @throws {@link NatsError} CLOSED, DRAINING
   */
  constructor(
    bucket: Bucket,
    subject: string,
    size: number,
    timeout: number,
    onFail: (error: unknown) => void,
  ) {
    this.#onFail = onFail;
    this.#bucket = bucket;
    this.#subject = subject;
    this.#timeout = timeout;
    this.#ackWait = Math.min(ACK_WAIT, timeout / 2);
    this.#window = Math.max(2, Math.min(WINDOW_CHUNKS, Math.floor(WINDOW_BYTES / size)));
    const { nc } = bucket.api;
    this.#inbox = `${nc.createInbox()}.`;
    this.#sub = nc.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => (error === null ? this.#onReply(msg) : undefined),
    });
    void this.#sub.closed.then((error) => this.#fail(error ?? new ClosedConnectionError()));
    bucket.api.links.add(this);
  }

  /**
   * Store the next chunk; resolves when there is room for another one. The bytes must not change until it is stored.
   * @throws {@link NatsError} what ended it
   */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#open.length === 0) this.#since = performance.now();
    this.#open.push({ bytes, token: 0, sequence: 0 });
    this.#pump();
    this.#timer ??= this.#lookAfter(this.#ackWait);
    return this.#until(this.#window - 1);
  }

  /** Resolves when all chunks are stored, and no others. @throws {@link NatsError} what ended it */
  async end(): Promise<void> {
    await this.#until(0);
    if (this.#confirmed === undefined) return;
    const { api, stream } = this.#bucket;
    let count = 0;
    for (let attempt = 0; attempt < 5; attempt++) {
      const { state } = await api.call("STREAM.INFO", [stream], { subjects_filter: this.#subject });
      count = state.subjects?.[this.#subject] ?? 0;
      if (count === this.chunks) return;
      await this.#sweep(this.#confirmed);
    }
    throw new NatsError(
      "CONNECTION",
      `${count} chunks are stored at '${this.#subject}' where ${this.chunks} were confirmed: what a broken link still held ` +
        "came late",
      { subject: this.#subject, stream },
    );
  }

  // A broken link may have brought chunks behind those that were sent again.
  async #sweep(confirmed: Set<number>): Promise<void> {
    const { api, stream } = this.#bucket;
    for (let seq = this.#from + 1; ; seq++) {
      while (confirmed.has(seq)) seq++;
      const found = await getMessage(api, stream, { seq, next_by_subj: this.#subject });
      if (found === null) return;
      ({ seq } = found);
      if (!confirmed.has(seq)) await api.call("STREAM.MSG.DELETE", [stream], { seq, no_erase: true });
    }
  }

  /** Send no more; resolves when nothing is under way any more, or nothing more is heard of it. */
  async close(): Promise<void> {
    this.#state = "over";
    this.#bucket.api.links.remove(this);
    this.#pause?.cancel();
    this.#linked?.resolve();
    this.#alone?.resolve(undefined);
    clearTimeout(this.#timer);
    if (this.#underWay()) {
      const done = deferred();
      this.#waiter = { most: 0, done };
      await settle(done, { timeout: this.#ackWait }).catch(() => undefined);
    }
    this.#sub.unsubscribe();
  }

  // -- sending -------------------------------------------------------------------------------------------------------

  #pump(): void {
    while (this.#state === "flowing" && this.#sent < this.#open.length) {
      if (!this.#send(this.#open[this.#sent] as Chunk)) return;
      this.#sent++;
    }
  }

  #send(chunk: Chunk): boolean {
    const { nc } = this.#bucket.api;
    try {
      if (nc.state === "reconnecting") throw new NatsError("DISCONNECTED", "there is no connection");
      const token = ++this.#token;
      nc.publish(this.#subject, chunk.bytes, { reply: this.#inbox + token });
      chunk.token = token;
      return true;
    } catch (error) {
      const { code } = error as NatsError;
      if (code === "OUTBOUND_FULL") nc.writable().then(() => this.#pump(), this.#fail);
      else if (code === "DISCONNECTED") void this.#recover();
      else this.#fail(error);
      return false;
    }
  }

  // -- what comes of it ----------------------------------------------------------------------------------------------

  #onReply(msg: Msg): void {
    const token = Number(msg.subject.slice(this.#inbox.length));
    const chunk = this.#open.find((one) => one.token === token);
    // there is none for what is sent again meanwhile
    if (chunk === undefined) return;
    chunk.token = 0;
    try {
      if (isNoResponders(msg)) throw new NoStreamError(this.#subject, 1);
      chunk.sequence = readPubAck(msg, this.#subject).seq;
    } catch (error) {
      this.#refusal = error;
      if (this.#state === "over") this.#settle();
      else if (!passes(error)) this.#fail(error);
      else if (this.#alone !== undefined) this.#alone.resolve(undefined);
      else void this.#recover();
      return;
    }
    if (this.#alone !== undefined) this.#alone.resolve(chunk.sequence);
    else if (this.#state === "over") this.#settle();
    else this.#confirm();
  }

  #confirm(): void {
    let done = 0;
    for (const { bytes, sequence } of this.#open) {
      if (sequence === 0) break;
      this.#lastSequence = sequence;
      this.#confirmed?.add(sequence);
      this.bytes += bytes.length;
      done++;
    }
    if (done === 0) return;
    this.chunks += done;
    this.#refusal = undefined;
    this.#open.splice(0, done);
    this.#sent -= done;
    this.#since = performance.now();
    this.#settle();
  }

  #until(most: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#open.length <= most) return Promise.resolve();
    const done = deferred();
    this.#waiter = { most, done };
    return done;
  }

  #settle(): void {
    const { most, done } = this.#waiter ?? {};
    if (done === undefined || most === undefined) return;
    if (this.#state === "over" ? this.#underWay() : this.#open.length > most) return;
    this.#waiter = undefined;
    done.resolve();
  }

  #underWay(): boolean {
    return this.#bucket.api.nc.info !== undefined && this.#open.some(({ token }) => token > 0);
  }

  #fail = (error: unknown): void => {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#failure = { error };
    this.#waiter?.done.reject(error);
    this.#waiter = undefined;
    this.#onFail(error);
  };

  // -- recovery ------------------------------------------------------------------------------------------------------

  onDisconnect(): void {
    this.#alone?.resolve(undefined);
    if (this.#sent > 0) void this.#recover();
  }

  onReconnect(): void {
    this.#linked?.resolve();
  }

  onRefused(error: PermissionViolationError): void {
    if (error.subject !== this.#subject) return;
    // no ack comes of what is refused
    for (const chunk of this.#open) chunk.token = 0;
    this.#fail(error);
  }

  #lookAfter(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#look(), Math.max(ms, 10));
  }

  // Is an ack late, or is it time to give up?
  #look(): void {
    this.#timer = undefined;
    if (this.#state === "over" || this.#open.length === 0) return;
    const silent = performance.now() - this.#since;
    if (silent >= this.#timeout) {
      const missing = this.#bucket.api.nc.info === undefined ? "no connection" : "no reply";
      const text = `no chunk was stored for ${this.#timeout} ms`;
      return this.#fail(new TimeoutError(text, { subject: this.#subject, cause: this.#refusal }, missing));
    }
    if (silent >= this.#ackWait) void this.#recover();
    this.#timer = this.#lookAfter(Math.min(this.#ackWait, this.#timeout - silent));
  }

  async #recover(): Promise<void> {
    if (this.#state !== "flowing") return;
    this.#state = "recovering";
    if (this.#confirmed === undefined) {
      this.#confirmed = new Set();
      this.#from = this.#lastSequence;
    }
    const waits = backoff(WAITS);
    for (let attempt = 0; this.#state === "recovering"; attempt++) {
      await (this.#pause = delay(waits.backoff(attempt)));
      if (this.#bucket.api.nc.state === "reconnecting") await (this.#linked = deferred());
      try {
        if (await this.#storeFirst()) break;
      } catch (error) {
        if (!passes(error)) this.#fail(error);
      }
    }
    if (this.#state !== "recovering") return;
    this.#state = "flowing";
    this.#confirm();
    this.#pump();
  }

  // Store the first chunk, and nothing between it and the one before it.
  async #storeFirst(): Promise<boolean> {
    for (const chunk of this.#open) chunk.token = chunk.sequence = 0;
    this.#sent = 0;
    const [first] = this.#open;
    if (first === undefined) return true;
    const { api, stream } = this.#bucket;
    const alone = (this.#alone = deferred<number | undefined>());
    try {
      if (this.#state !== "recovering" || !this.#send(first)) return false;
      const sequence = await settle(alone, { timeout: this.#ackWait, what: "the ack of a chunk" });
      if (sequence === undefined) return false;
      for (;;) {
        const query = { seq: this.#lastSequence + 1, next_by_subj: this.#subject };
        const stray = await getMessage(api, stream, query);
        if (stray === null || stray.seq >= sequence) break;
        await api.call("STREAM.MSG.DELETE", [stream], { seq: stray.seq, no_erase: true });
      }
      first.sequence = sequence;
      this.#sent = 1;
      return true;
    } finally {
      this.#alone = undefined;
    }
  }
}

/** Will it be better in a while? */
function passes(error: unknown): boolean {
  if (!isNatsError(error)) return false;
  const { code } = error;
  if (code === "JETSTREAM_NOT_ENABLED") return !(error instanceof JetStreamApiError);
  if (code === "TIMEOUT" || code === "DISCONNECTED" || code === "MESSAGE_NOT_FOUND") return true;
  return code === "NO_RESPONDERS" || (error instanceof JetStreamApiError && error.transient);
}
