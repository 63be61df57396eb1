// isonats/obj for Node, Bun and Deno: the object store, with the SHA-256 of the runtime.
import { createHash } from "node:crypto";
import { createObjm, type ObjectStoreManager, type ObjmConstructor } from "./objm.ts";

export * from "./names.ts";

/** The buckets of a connection, `new Objm(nc)`, or of a JetStream client: see {@link ObjectStoreManager}. */
export const Objm: ObjmConstructor = /* @__PURE__ */ createObjm(() => createHash("sha256"));
/** See {@link ObjectStoreManager}. */
export type Objm = ObjectStoreManager;
