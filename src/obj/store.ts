// Store: the calls of a bucket. Made by obj/objm.
import type { WaitOptions } from "../client/connection.ts";
import { InvalidArgumentError, InvalidOperationError } from "../errors.ts";
import { nuid } from "../lib/nuid.ts";
import { merged } from "../jetstream/config.ts";
import { createStream } from "../jetstream/stream-create.ts";
import { Bucket } from "./bucket.ts";
import { statusOf } from "./bucket-config.ts";
import { getBytes, getObject } from "./get.ts";
import type { NewHash } from "./hash.ts";
import { ObjectError } from "./object-error.ts";
import type { ObjectInfo, ObjectNote, ObjectStoreLink } from "./object-info.ts";
import type { ObjectStore } from "./object-store.ts";
import { putObject } from "./put.ts";
import { listObjects, watchObjects } from "./watch.ts";

/** The store that is in a bucket. */
export function storeOf(bucket: Bucket, newHash: NewHash): ObjectStore {
  const { api, name: bucketName, stream } = bucket;

  const missing = (name: string): ObjectError =>
    new ObjectError("OBJECT_NOT_FOUND", { bucket: bucketName, name }, "is not there");
  const taken = (name: string): ObjectError =>
    new ObjectError("OBJECT_EXISTS", { bucket: bucketName, name }, "is there already: delete it first");

  // Where the bytes of an object are: itself, or what it is a link to.
  const resolved = async (name: string, options: WaitOptions): Promise<[Bucket, ObjectInfo] | null> => {
    const waits = waitsOf(options);
    const info = await bucket.find(name, waits);
    if (info === null || info.deleted) return null;
    const link = info.options?.link;
    if (link == null) return [bucket, info];
    if (!link.name) {
      throw new InvalidOperationError(
        `'${name}' is a link to the bucket '${link.bucket}', which is no object`,
      );
    }
    const home = link.bucket === bucketName ? bucket : new Bucket(api, link.bucket);
    const found = await home.find(link.name, waits);
    if (found?.isLink()) throw new InvalidOperationError(`'${name}' is a link to a link, '${link.name}'`);
    return found === null || found.deleted ? null : [home, found];
  };

  const makeLink = async (
    name: string,
    link: ObjectStoreLink,
    options?: WaitOptions,
  ): Promise<ObjectInfo> => {
    const note: ObjectNote = {
      name,
      options: { link },
      nuid: nuid.next(),
      size: 0,
      chunks: 0,
      digest: "",
      deleted: false,
    };
    const { after } = await bucket.replace(
      name,
      (before) => {
        if (before !== null && !before.deleted && !before.isLink()) throw taken(name);
        return note;
      },
      options,
    );
    return after;
  };

  return {
    bucket: bucketName,

    put: (meta, source, options) => putObject(bucket, newHash, meta, source, options),

    putBlob: (meta, bytes, options) => putObject(bucket, newHash, meta, bytes, options),

    async get(name, options = {}) {
      const found = await resolved(name, options);
      return found && getObject(found[0], newHash, found[1], options);
    },

    async getBlob(name, options = {}) {
      const found = await resolved(name, options);
      return found && getBytes(found[0], newHash, found[1], options);
    },

    info: async (name, options) => bucket.find(name, options),

    list: (options) => listObjects(bucket, options),

    watch: (options) => watchObjects(bucket, options),

    async delete(name, options = {}) {
      const found = await bucket.find(name, options, true);
      if (found?.deleted) return { success: true, purged: 0 };
      const { before } = await bucket.replace(
        name,
        (there) => {
          if (there === null) throw missing(name);
          return { ...there, size: 0, chunks: 0, digest: "", deleted: true };
        },
        { ...options, before: found },
      );
      return bucket.purgeChunks(before as ObjectInfo, options);
    },

    async update(name, { name: newName = name, description, headers, metadata }, options) {
      const changed = (found: ObjectInfo | null): ObjectInfo => {
        if (found === null || found.deleted) throw missing(name);
        return {
          ...found,
          name: newName,
          ...(description !== undefined && { description }),
          ...(headers !== undefined && { headers }),
          ...(metadata !== undefined && { metadata }),
        };
      };
      if (newName === name) return (await bucket.replace(name, changed, options)).after;
      const found = await bucket.find(name, options, true);
      const note = changed(found);
      const { after } = await bucket.replace(
        newName,
        (there) => {
          if (there !== null && !there.deleted) throw taken(newName);
          return note;
        },
        options,
      );
      // whoever put it again meanwhile keeps it
      const seq = (found as ObjectInfo).revision + 1;
      await bucket.purge({ filter: bucket.metaSubject(name), seq }, options);
      return after;
    },

    async link(name, target, options) {
      const { bucket: home, name: object } = target;
      if (target.deleted) {
        throw new ObjectError(
          "OBJECT_NOT_FOUND",
          { bucket: home, name: object },
          "is deleted: nothing can lead to it",
        );
      }
      if (target.isLink()) {
        throw new InvalidArgumentError(`the target '${object}' is a link itself: link to what it leads to`);
      }
      return makeLink(name, { bucket: home, name: object }, options);
    },

    linkStore: async (name, of, options) =>
      makeLink(name, { bucket: typeof of === "string" ? of : of.bucket }, options),

    async seal(options) {
      const { config } = await api.call("STREAM.INFO", [stream], undefined, options);
      return statusOf(await createStream(api, "STREAM.UPDATE", merged(config, { sealed: true }), options));
    },

    status: async (options) => statusOf(await api.call("STREAM.INFO", [stream], undefined, options)),

    destroy: async (options) => (await api.call("STREAM.DELETE", [stream], undefined, options)).success,
  };
}

function waitsOf({ timeout, signal }: WaitOptions): WaitOptions {
  return { timeout: timeout || undefined, signal };
}
