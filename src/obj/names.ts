// Names: every public name of isonats/obj, one by one; the entries add `Objm`.
export { StorageType } from "../protocol/jetstream/enums.ts";
export type { Placement } from "../protocol/jetstream/stream.ts";
export type { Lister } from "../jetstream/lister.ts";
export { OutcomeUnknownError } from "../jetstream/pub-ack.ts";
export { ObjectError } from "./object-error.ts";
export type {
  ObjectInfo,
  ObjectStoreLink,
  ObjectStoreMeta,
  ObjectStoreMetaOptions,
} from "./object-info.ts";
export type {
  ObjectListOptions,
  ObjectProgress,
  ObjectRange,
  ObjectResult,
  ObjectStore,
  ObjectStoreGetOpts,
  ObjectStoreOptions,
  ObjectStorePutOpts,
  ObjectStoreStatus,
  ObjectWatch,
  ObjectWatchInfo,
  ObjectWatchOptions,
} from "./object-store.ts";
export type { ObjectStoreManager, ObjectStoreOpenOptions, ObjmConstructor } from "./objm.ts";
export type { ObjectSource } from "./source.ts";
