// Objm: makes, opens and lists buckets of objects. Each entry of isonats/obj has one that hashes as its runtime can.
import type { NatsConnection, WaitOptions } from "../client/connection.ts";
import type { Api } from "../jetstream/api.ts";
import { StreamExistsError } from "../jetstream/api-error.ts";
import { apiOf } from "../jetstream/api-of.ts";
import type { JetStreamClient } from "../jetstream/client.ts";
import { type Lister, lister } from "../jetstream/lister.ts";
import { createStream } from "../jetstream/stream-create.ts";
import { Bucket } from "./bucket.ts";
import { ALL_CHUNKS, configOf, statusIn } from "./bucket-config.ts";
import type { NewHash } from "./hash.ts";
import type { ObjectStore, ObjectStoreOptions, ObjectStoreStatus } from "./object-store.ts";
import { storeOf } from "./store.ts";

/**
 * Buckets of objects of any size (ADR-20).
 *
 * @example
 * const store = await new Objm(nc).create("files");
 * await store.put({ name: "notes.txt" }, new Blob(["hello"]));
 * const bytes = await store.getBlob("notes.txt");
 */
export interface ObjectStoreManager {
  /**
   * Make a bucket, or open the one that has the name, whatever its options are.
   * @throws {NatsError} INVALID_ARGUMENT, UNSUPPORTED, and those of a call of the JetStream API
   */
  create(name: string, options?: Partial<ObjectStoreOptions> & WaitOptions): Promise<ObjectStore>;
  /**
   * Open a bucket. Whether it is there is asked for, unless `check` is false: so for those who may not ask.
   * @throws {NatsError} STREAM_NOT_FOUND, INVALID_ARGUMENT, and those of a call of the JetStream API
   */
  open(name: string, check?: boolean | ObjectStoreOpenOptions): Promise<ObjectStore>;
  /** All buckets. */
  list(options?: WaitOptions): Lister<ObjectStoreStatus>;
}

/** Options of {@link ObjectStoreManager.open}. */
export interface ObjectStoreOpenOptions extends WaitOptions {
  /** ask whether it is there. Default true. */
  check?: boolean;
}

/** Of a connection, or of a JetStream client, whose domain, prefix and timeout it takes. */
export type ObjmConstructor = new (of: NatsConnection | JetStreamClient) => ObjectStoreManager;

/** The class of an entry. */
export function createObjm(newHash: NewHash): ObjmConstructor {
  return class Objm {
    readonly #api: Api;

    constructor(of: NatsConnection | JetStreamClient) {
      this.#api = apiOf(of);
    }

    async create(
      name: string,
      { timeout, signal, ...options }: Partial<ObjectStoreOptions> & WaitOptions = {},
    ): Promise<ObjectStore> {
      const bucket = new Bucket(this.#api, name);
      const waits = { timeout: timeout || undefined, signal };
      try {
        await createStream(this.#api, "STREAM.CREATE", configOf(bucket, options), waits);
      } catch (error) {
        if (!(error instanceof StreamExistsError)) throw error;
      }
      return storeOf(bucket, newHash);
    }

    async open(name: string, given: boolean | ObjectStoreOpenOptions = true): Promise<ObjectStore> {
      const { check = true, ...waits } = typeof given === "boolean" ? { check: given } : given;
      const bucket = new Bucket(this.#api, name);
      if (check) await this.#api.call("STREAM.INFO", [bucket.stream], undefined, waits);
      return storeOf(bucket, newHash);
    }

    list(options?: WaitOptions): Lister<ObjectStoreStatus> {
      return lister(
        (offset) => this.#api.call("STREAM.LIST", [], { offset, subject: ALL_CHUNKS }, options),
        statusIn,
      );
    }
  };
}
