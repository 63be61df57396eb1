// ChunkReader: the bytes of one object, or of a part of it, as an ordered consumer brings them; checked on the way.
//
//   wanted       offset |---------------------| end
//   chunks  |-------|-------|-------|-------|-------|         begins with the one that has the offset, where that can be known
//
// Who reads asks for each piece, and the flow holds no more than the server sends before it is told to go on. Where nothing
// more comes although something is missing, the stream is asked how many chunks it has.
import type { WaitOptions } from "../client/connection.ts";
import { ClosedConnectionError, isNatsError } from "../errors.ts";
import { check, checkWhole } from "../lib/check.ts";
import { settle } from "../lib/deferred.ts";
import { nuid } from "../lib/nuid.ts";
import type { ConsumerConfig } from "../protocol/jetstream/consumer.ts";
import { OrderedBinding } from "../jetstream/binding.ts";
import { directGet } from "../jetstream/direct-get.ts";
import { Flow } from "../jetstream/flow.ts";
import { orderedBase, pushedConfig } from "../jetstream/ordered-config.ts";
import type { Bucket } from "./bucket.ts";
import { isDigestOf } from "./digest.ts";
import type { Hash, NewHash } from "./hash.ts";
import { ObjectError } from "./object-error.ts";
import type { ObjectInfo } from "./object-info.ts";
import type { ObjectStoreGetOpts } from "./object-store.ts";

/** A chunk as it came. */
interface Chunk {
  readonly data: Uint8Array;
  /** how many there are behind it */
  readonly pending: number;
  readonly seq: number;
  size(): number;
}

// milliseconds
const PATIENCE = 30_000;
const HEARTBEAT = 2000;

export class ChunkReader {
  /** bytes that will be read */
  readonly length: number;
  readonly #bucket: Bucket;
  readonly #info: ObjectInfo;
  readonly #subject: string;
  readonly #timeout: number;
  readonly #signal: { readonly signal: AbortSignal } | undefined;
  readonly #waits: WaitOptions & { readonly what: string };
  readonly #offset: number;
  readonly #end: number;
  // of what is read from its first byte to the last
  readonly #hash: Hash | undefined;
  #flow: Flow<Chunk> | undefined;
  #arriving: AsyncIterator<Chunk, undefined> | undefined;
  // offset and number of the chunk that comes next
  #at = 0;
  #chunk = 0;
  // what came first is not the first chunk
  #skipped = false;
  #done = false;

  /** @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
  constructor(
    bucket: Bucket,
    info: ObjectInfo,
    newHash: NewHash,
    { timeout = PATIENCE, signal, range }: ObjectStoreGetOpts,
  ) {
    const { offset = 0, length = info.size - offset } = range ?? {};
    const within = Number.isInteger(offset) && offset >= 0 && offset <= info.size;
    check(within, "range.offset", offset, `a whole number from 0 to ${info.size}, the size of the object`);
    checkWhole("range.length", length, 0);
    check(timeout > 0, "timeout", timeout, "milliseconds, more than 0");
    this.#bucket = bucket;
    this.#info = info;
    this.#subject = bucket.chunkSubject(info.nuid);
    this.#timeout = timeout;
    this.#signal = signal && { signal };
    this.#waits = { timeout, ...this.#signal, what: `the get of object ${JSON.stringify(info.name)}` };
    this.#offset = offset;
    this.#end = Math.min(info.size, offset + length);
    this.length = this.#end - offset;
    if (info.digest !== "" && this.length === info.size) this.#hash = newHash();
  }

  /**
   * The next piece; undefined after the last. A view: it keeps more memory than it has.
   * @throws {@link NatsError} OBJECT_INCOMPLETE, OBJECT_MISMATCH, TIMEOUT, ABORTED, CLOSED, and those of a call
   */
  async next(): Promise<Uint8Array | undefined> {
    try {
      let piece: Uint8Array | undefined;
      while (!this.#done && piece === undefined) piece = await this.#read();
      return piece;
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** No more is wanted. */
  stop(): void {
    this.#done = true;
    this.#flow?.stop();
  }

  // A piece of the next chunk; undefined where nothing of it is wanted.
  async #read(): Promise<Uint8Array | undefined> {
    const { size, chunks } = this.#info;
    if (this.length === 0 || this.#at >= this.#end) {
      // nothing was wanted, or there is nothing
      if (size === 0) this.#check();
      this.stop();
      return undefined;
    }
    this.#arriving ??= await this.#start();
    const { value } = await settle(this.#arriving.next(), this.#waits);
    if (this.#done) return undefined;
    if (value === undefined) throw new ClosedConnectionError();
    const { data, pending } = value;
    if (this.#skipped) this.#place(chunks - 1 - pending);
    const at = this.#at;
    this.#at += data.length;
    this.#chunk++;
    this.#hash?.update(data);
    if (this.#at > size) throw this.#mismatch(`has more than the ${size} bytes that its info tells of`);
    if (chunks === 0 ? pending === 0 : this.#chunk === chunks) {
      this.#check();
      this.stop();
    } else if (this.#at >= this.#end) {
      this.stop();
    } else if (pending === 0) {
      await this.#count();
    }
    const from = Math.max(0, this.#offset - at);
    return from < data.length ? data.subarray(from, Math.min(data.length, this.#end - at)) : undefined;
  }

  async #start(): Promise<AsyncIterator<Chunk, undefined>> {
    const { api, stream } = this.#bucket;
    const skipped = await this.#skip();
    const config: ConsumerConfig = {
      ...orderedBase([this.#subject], {
        ...(skipped > 0
          ? { deliver_policy: "by_start_sequence", opt_start_seq: skipped }
          : { deliver_policy: "all" }),
      }),
      ...pushedConfig(HEARTBEAT),
    };
    const binding = new OrderedBinding(api, stream, { prefix: nuid.next(), config });
    const flow = await Flow.start<Chunk>(api, {
      binding,
      take: ({ data }, sink) => {
        const { stream: seq, pending } = binding.accepted;
        return sink.put({ data, pending, seq, size: () => data.length });
      },
      onIdle: () => void this.#count().catch((error: Error) => this.#flow?.stop(error)),
      inboxPrefix: api.options.watcherPrefix,
      heartbeat: HEARTBEAT,
      timeout: Math.min(this.#timeout, api.options.timeout),
      ...this.#signal,
    });
    this.#flow = flow;
    if (this.#done) flow.stop();
    this.#skipped = skipped > 0;
    if (binding.info?.num_pending === 0) await this.#count();
    return flow[Symbol.asyncIterator]();
  }

  // The first chunk that came is the one with this number.
  #place(index: number): void {
    this.#skipped = false;
    this.#chunk = index;
    this.#at = index * (this.#info.options?.max_chunk_size ?? 0);
    if (this.#at >= 0 && this.#at <= this.#offset) return;
    throw this.#mismatch(`has other chunks than the ${this.#info.chunks} that its info tells of`);
  }

  // Where to begin, as a sequence of the stream that is not behind the first chunk wanted; 0 for at the beginning.
  async #skip(): Promise<number> {
    const { size, chunks, options } = this.#info;
    const index = Math.floor(this.#offset / (options?.max_chunk_size ?? size));
    // a client may have written chunks of other sizes
    if (index === 0 || Math.ceil(size / (options?.max_chunk_size ?? size)) !== chunks) return 0;
    const { api, stream } = this.#bucket;
    try {
      const first = await directGet(api, stream, { seq: 1, next_by_subj: this.#subject }, this.#waits);
      // each chunk has a sequence of its own: those before it have at least as many
      return first === null ? 0 : first.seq + index;
    } catch (error) {
      if (isNatsError(error) && error.code === "NO_RESPONDERS") return 0;
      throw error;
    }
  }

  // Are all chunks there? A replica may be behind; the leader knows.
  async #count(): Promise<void> {
    const { api, stream } = this.#bucket;
    let stored: number;
    try {
      const request = { subjects_filter: this.#subject };
      const { state } = await api.call("STREAM.INFO", [stream], request, this.#signal);
      stored = state.subjects?.[this.#subject] ?? 0;
    } catch (error) {
      // who may not ask finds out by the timeout
      if (isNatsError(error) && ["PERMISSION_VIOLATION", "TIMEOUT"].includes(error.code)) return;
      throw error;
    }
    if (stored >= this.#info.chunks) return;
    const { chunks } = this.#info;
    const text = `has ${stored} of its ${chunks} chunks left: it was replaced, deleted or aged out meanwhile, or they got lost`;
    throw new ObjectError("OBJECT_INCOMPLETE", this.#info, text);
  }

  #check(): void {
    const { size, digest } = this.#info;
    if (this.#at !== size) {
      throw this.#mismatch(`has ${this.#at} bytes, where its info tells of ${size}`);
    }
    if (this.#hash !== undefined && !isDigestOf(digest, this.#hash.digest())) {
      throw this.#mismatch(`is not what its digest says (${digest}): its bytes were changed`);
    }
  }

  #mismatch(what: string): ObjectError {
    return new ObjectError("OBJECT_MISMATCH", this.#info, what);
  }
}
