// isonats/obj for browsers and every runtime without a hash of its own that takes bytes in pieces: the object store.
import { sha256 } from "@noble/hashes/sha2.js";
import { createObjm, type ObjectStoreManager, type ObjmConstructor } from "./objm.ts";

export * from "./names.ts";

/** The buckets of a connection, `new Objm(nc)`, or of a JetStream client: see {@link ObjectStoreManager}. */
export const Objm: ObjmConstructor = /* @__PURE__ */ createObjm(() => sha256.create());
/** See {@link ObjectStoreManager}. */
export type Objm = ObjectStoreManager;
