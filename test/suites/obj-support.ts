// Support of the object store suites: a bucket of the case's own, bytes, and a raw client that knows nothing of buckets.
import { type JetStreamManager, jetstreamManager } from "../../src/jetstream/index.ts";
import type { NatsConnection } from "../../src/names.ts";
import { Objm, type ObjectResult, type ObjectStore, type ObjectStoreOptions } from "../../src/obj/index.ts";
import type { Harness } from "./harness.ts";
import { eventually, ok, PATIENT } from "./tools.ts";

export interface Setup {
  nc: NatsConnection;
  jsm: JetStreamManager;
  objm: Objm;
  store: ObjectStore;
  /** of the bucket */
  name: string;
  /** of its stream */
  stream: string;
}

/** A bucket in memory. */
export async function setUp(
  { connect, prefix: name }: Harness,
  options: Partial<ObjectStoreOptions> = {},
): Promise<Setup> {
  const nc = await connect();
  const jsm = await jetstreamManager(nc);
  const objm = new Objm(nc);
  const store = await objm.create(name, { storage: "memory", ...options });
  return { nc, jsm, objm, store, name, stream: `OBJ_${name}` };
}

/** So many bytes, each kind of which is somewhere else than at its neighbour's. */
export function bytes(length: number, seed = 1): Uint8Array {
  const made = new Uint8Array(length);
  for (let i = 0, x = seed; i < length; i++) made[i] = x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff & 0xff;
  return made;
}

/** A web stream that gives these pieces, one for each time it is asked. */
export function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let i = 0;
  return new ReadableStream(
    {
      pull(controller) {
        const piece = pieces[i++];
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
}

/** All that a result gives, piece by piece. */
export async function read({ data }: ObjectResult): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  const reader = data.getReader();
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read())
    pieces.push(value);
  return pieces;
}

/** An object that must be there. */
export async function got(result: Promise<ObjectResult | null>): Promise<ObjectResult> {
  const found = await result;
  ok(found, "the object is not there");
  return found;
}

/** How many chunks the bucket has, by what their subjects end with. */
export async function chunksIn(jsm: JetStreamManager, bucket: string): Promise<Record<string, number>> {
  const { state } = await jsm.streams.info(`OBJ_${bucket}`, { subjects_filter: `$O.${bucket}.C.>` });
  return Object.fromEntries(
    Object.entries(state.subjects ?? {}).map(([subject, count]) => [subject.split(".")[3] ?? "", count]),
  );
}

/** Resolves when the stream has no consumers. */
export async function unused(jsm: JetStreamManager, stream: string): Promise<void> {
  const none = async (): Promise<true | undefined> =>
    (await jsm.streams.info(stream)).state.consumer_count === 0 || undefined;
  await eventually(none, "a consumer is left");
}

/** The subject of an info, by the base64 of its name. */
export const metaSubject = (bucket: string, base64: string): string => `$O.${bucket}.M.${base64}`;

/** Write an object frame by frame, as any client might; `info` is the JSON of its info but for `bucket`. */
export async function writeRaw(
  nc: NatsConnection,
  bucket: string,
  base64: string,
  info: { nuid: string; [field: string]: unknown },
  chunks: readonly Uint8Array[] = [],
): Promise<void> {
  for (const chunk of chunks) await nc.request(`$O.${bucket}.C.${info.nuid}`, chunk, PATIENT);
  await nc.request(metaSubject(bucket, base64), JSON.stringify({ bucket, ...info }), PATIENT);
}
