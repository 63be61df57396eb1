// Snapshot: a stream as a stream of bytes, out of one server and into another; `jsm.streams.snapshot()` and `.restore()`.
import type { Msg } from "../client/connection.ts";
import { ClosedConnectionError, NatsError } from "../errors.ts";
import { onAbort, settle } from "../lib/deferred.ts";
import { piecesOf } from "../lib/pieces.ts";
import type { SnapshotInfo, SnapshotRequest } from "../protocol/jetstream/api.ts";
import type { StreamInfo } from "../protocol/jetstream/stream.ts";
import type { Api, ApiOptions } from "./api.ts";
import { JetStreamStatusError } from "./api-error.ts";
import { requestOf } from "./config.ts";
import { requireLevel } from "./gates.ts";
import { validateName } from "./names.ts";

/** How far a snapshot or a restore is. */
export interface SnapshotProgress {
  /** chunks so far */
  readonly chunks: number;
  /** bytes so far; they are compressed, so the size of the stream says little about the end */
  readonly bytes: number;
}

/** Options of a restore; `timeout` is for each chunk. */
export interface RestoreOptions extends ApiOptions {
  /** called after each chunk; what it throws ends the restore */
  onProgress?: (progress: SnapshotProgress) => void;
}

/** Options of a snapshot; `timeout` is for the first reply, and for each chunk that is waited for. */
export interface SnapshotOptions extends RestoreOptions, Omit<SnapshotRequest, "deliver_subject"> {}

/** A snapshot under way. */
export interface StreamSnapshot extends SnapshotInfo {
  /**
   * The chunks, to be kept in their order. They are asked for as they are read; the server gives up on a reader that pauses for
   * more than five seconds. It errors with JETSTREAM_STATUS, TIMEOUT, DISCONNECTED, ABORTED or CLOSED; cancelling it ends the
   * snapshot.
   */
  readonly readable: ReadableStream<Uint8Array>;
}

/** Begin a snapshot. */
export async function snapshot(
  api: Api,
  name: string,
  { onProgress, ...given }: SnapshotOptions = {},
): Promise<StreamSnapshot> {
  validateName("stream", name);
  const { nc } = api;
  const [request, options] = requestOf(given);
  if (request.window_size !== undefined) await requireLevel(api, [["window_size", 2]], options);
  const { timeout = api.options.timeout, signal } = options;
  const what = `the snapshot of stream '${name}'`;
  const inbox = nc.createInbox();
  // never a chunk less: what is too much ends it
  const sub = nc.subscribe(inbox, { limits: { overflow: "close" } });
  const messages = sub[Symbol.asyncIterator]();
  const { reconnects } = nc.stats();

  const next = async (): Promise<Msg | undefined> => {
    const { value: msg } = await settle(messages.next(), { timeout, signal, what });
    if (msg === undefined) throw new ClosedConnectionError();
    if (nc.stats().reconnects !== reconnects) {
      throw new NatsError("DISCONNECTED", `the connection was lost during ${what}`, { stream: name });
    }
    const { code = 0, description = "" } = msg.headers ?? {};
    if (code >= 300) throw new JetStreamStatusError(code, description, { stream: name });
    return msg.data.length === 0 && msg.reply === undefined ? undefined : msg;
  };

  let chunks = 0;
  let bytes = 0;
  let deafen: (() => void) | undefined;
  const release = (): void => {
    deafen?.();
    sub.unsubscribe();
  };
  try {
    const { config, state } = await api.call(
      "STREAM.SNAPSHOT",
      [name],
      { ...request, deliver_subject: inbox },
      options,
    );
    const source: UnderlyingDefaultSource<Uint8Array> = {
      start(controller) {
        const fail = (error: NatsError): void => {
          controller.error(error);
          release();
        };
        deafen = signal && onAbort(signal, what, fail);
      },
      async pull(controller) {
        try {
          const msg = await next();
          if (msg === undefined) {
            release();
            controller.close();
            return;
          }
          controller.enqueue(msg.data);
          // this is what makes the server go on
          if (msg.reply !== undefined) nc.publish(msg.reply, "");
          onProgress?.({ chunks: ++chunks, bytes: (bytes += msg.data.length) });
        } catch (error) {
          release();
          throw error;
        }
      },
      cancel: release,
    };
    return { config, state, readable: new ReadableStream(source, { highWaterMark: 0 }) };
  } catch (error) {
    release();
    throw error;
  }
}

/** What a restore can be fed from. Node's streams are async iterables. */
export type SnapshotSource =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Uint8Array
  | Blob;

/** bytes of a chunk; as the server makes them by default */
const CHUNK = 128 * 1024;
/** chunks on their way */
const WINDOW = 8;

/** Restore a stream. */
export async function restore(
  api: Api,
  { config, state }: SnapshotInfo,
  source: SnapshotSource,
  { onProgress, ...options }: RestoreOptions = {},
): Promise<StreamInfo> {
  const { name } = config;
  const { nc } = api;
  const { timeout = api.options.timeout, signal } = options;
  const waits = { timeout, signal };
  const what = `the restore of stream '${name}'`;
  const pieces = piecesOf(source, `the source of ${what}`);
  const underway: Promise<void>[] = [];
  try {
    validateName("stream", name);
    const { deliver_subject } = await api.call("STREAM.RESTORE", [name], { config, state }, options);
    const size = Math.min(CHUNK, nc.info?.max_payload || CHUNK);
    let chunks = 0;
    let bytes = 0;
    const send = async (chunk: Uint8Array): Promise<void> => {
      const reply = await nc.request(deliver_subject, chunk, waits);
      // nothing, or why there is no use in going on
      if (reply.data.length > 0) api.read(reply.string(), [name]);
      onProgress?.({ chunks: ++chunks, bytes: (bytes += chunk.length) });
    };
    for (;;) {
      // whoever fills it may take its time
      const piece = await settle(pieces.next(), { signal, what });
      if (piece === undefined) break;
      for (let at = 0; at < piece.length; at += size) {
        const sent = send(piece.subarray(at, at + size));
        // it is looked at when its turn comes
        sent.catch(() => {});
        underway.push(sent);
        if (underway.length >= WINDOW) await underway.shift();
      }
    }
    await Promise.all(underway);
    return api.read<StreamInfo>((await nc.request(deliver_subject, "", waits)).string(), [name]);
  } catch (error) {
    // whoever fills it shall know that nobody reads it
    pieces.stop(error);
    // the others fail for the same reason, or are of no use any more
    await Promise.allSettled(underway);
    throw error;
  }
}
