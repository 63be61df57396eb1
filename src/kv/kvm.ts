// Kvm: makes, finds and lists the buckets of an account.
import type { NatsConnection, WaitOptions } from "../client/connection.ts";
import { InvalidOperationError, isNatsError } from "../errors.ts";
import type { StreamConfig, StreamInfo } from "../protocol/jetstream/stream.ts";
import { Api } from "../jetstream/api.ts";
import { StreamExistsError } from "../jetstream/api-error.ts";
import { apiOf } from "../jetstream/api-of.ts";
import { merged } from "../jetstream/config.ts";
import { lister, type Lister } from "../jetstream/lister.ts";
import type { JetStreamLite } from "../jetstream/lite.ts";
import { createStream, wireConfig } from "../jetstream/stream-create.ts";
import { Bucket } from "./bucket.ts";
import { ofBucket } from "./bucket-error.ts";
import { bucketIn, configOf, fieldsOf, fits, placeOf, statusOf, streamNameOf } from "./config.ts";
import { validateBucket } from "./key.ts";
import type { KV, KvOptions, KvStatus } from "./kv-types.ts";

/**
 * The buckets of an account, over a connection or by a JetStream client, whose domain and options it takes.
 *
 * @example
 * const kv = await new Kvm(nc).create("settings", { history: 5 });
 * await kv.put("theme", "dark");
 */
export class Kvm {
  readonly #api: Api;

  constructor(of: NatsConnection | JetStreamLite) {
    this.#api = apiOf(of);
  }

  /**
   * Make a bucket. One that exists is as good if it is as the options given say; what they don't say does not matter then.
   * @throws {NatsError} STREAM_EXISTS where it is otherwise, UNSUPPORTED, INVALID_ARGUMENT, and those of a call
   */
  async create(bucket: string, options: KvOptions = {}): Promise<KV> {
    if (options.bindOnly === true) return this.open(bucket, options);
    validateBucket(bucket);
    const api = this.#with(options);
    const config = configOf(bucket, options);
    try {
      return open(api, bucket, options, (await createStream(api, "STREAM.CREATE", config)).config);
    } catch (error) {
      if (!(error instanceof StreamExistsError)) throw error;
      const { config: found } = await api.call("STREAM.INFO", [config.name]);
      if (!fits(found, wireConfig(fieldsOf(bucket, options) as StreamConfig))) throw error;
      return open(api, bucket, options, found);
    }
  }

  /**
   * The bucket of that name. Who may not ask whether it is there gets it as the options say, as with `bindOnly`.
   * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, INVALID_OPERATION where the stream of that name is no bucket, and those
   * of a call
   */
  async open(bucket: string, options: KvOptions = {}): Promise<KV> {
    validateBucket(bucket);
    const api = this.#with(options);
    const unseen = configOf(bucket, options);
    if (options.bindOnly === true) return open(api, bucket, options, unseen);
    try {
      const info = await ofBucket(bucket, api.call("STREAM.INFO", [unseen.name]));
      return open(api, bucket, options, info.config);
    } catch (error) {
      if (!isNatsError(error) || error.code !== "PERMISSION_VIOLATION") throw error;
      return open(api, bucket, options, unseen);
    }
  }

  /**
   * Change some options of a bucket; the others stay.
   * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, INVALID_OPERATION, UNSUPPORTED, and those of a call
   */
  async update(bucket: string, options: KvOptions): Promise<KV> {
    validateBucket(bucket);
    const api = this.#with(options);
    const name = streamNameOf(bucket, options);
    const { config } = await ofBucket(bucket, api.call("STREAM.INFO", [name]));
    assertBucket(config);
    const changed = merged(config, fieldsOf(bucket, options));
    return open(api, bucket, options, (await createStream(api, "STREAM.UPDATE", changed)).config);
  }

  /** Make a bucket, or change the one that exists as {@link Kvm.update} does. @throws {NatsError} those of both */
  async createOrUpdate(bucket: string, options: KvOptions = {}): Promise<KV> {
    try {
      return await this.create(bucket, options);
    } catch (error) {
      if (!(error instanceof StreamExistsError)) throw error;
      return this.update(bucket, options);
    }
  }

  /** Remove a bucket with all that is in it. @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, and those of a call */
  async delete(bucket: string, options?: WaitOptions): Promise<boolean> {
    validateBucket(bucket);
    const done = this.#api.call("STREAM.DELETE", [streamNameOf(bucket, {})], undefined, options);
    return (await ofBucket(bucket, done)).success;
  }

  /** All buckets, mirrors too. */
  list(options?: WaitOptions): Lister<KvStatus> {
    return lister(
      (offset) => this.#api.call("STREAM.LIST", [], { offset }, options),
      (info: StreamInfo) => {
        const bucket = bucketIn(info.config.name);
        return bucket === undefined || !isBucket(info.config) ? undefined : statusOf(bucket, info);
      },
    );
  }

  /** The names of all buckets, mirrors too. */
  names(options?: WaitOptions): Lister<string> {
    return lister((offset) => this.#api.call("STREAM.NAMES", [], { offset }, options), bucketIn);
  }

  // The API, with the timeout of the bucket.
  #with({ timeout }: KvOptions): Api {
    const { nc, options } = this.#api;
    return timeout === undefined ? this.#api : new Api(nc, { ...options, timeout });
  }
}

function isBucket({ max_msgs_per_subject = -1 }: StreamConfig): boolean {
  return max_msgs_per_subject >= 1;
}

// C-ADR8-4
function assertBucket(config: StreamConfig): void {
  if (isBucket(config)) return;
  const { name: stream } = config;
  throw new InvalidOperationError(`stream '${stream}' is no bucket: it has no max_msgs_per_subject`, {
    stream,
  });
}

function open(api: Api, bucket: string, { codec, allow_direct = true }: KvOptions, config: StreamConfig): KV {
  assertBucket(config);
  const place = placeOf(bucket, config, api.options.prefix);
  return new Bucket(api, bucket, { ...place, direct: place.direct && allow_direct }, codec);
}
