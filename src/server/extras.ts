// Extras: what a server has anywhere but in a page, where it would not be worth its bytes.
import { fromPublic } from "../auth/nkeys.ts";
import { restoreVerb } from "./jetstream/restore.ts";
import { snapshotVerb } from "./jetstream/snapshot.ts";
import type { VerifyNkey } from "./logins.ts";
import { Monitor } from "./monitor.ts";
import type { Runtime } from "./runtime.ts";

export const extras: Pick<Runtime, "monitor" | "verbs"> = {
  monitor: (system, account, server) => new Monitor(system, account, server),
  verbs: [snapshotVerb, restoreVerb],
};

export const verifyNkey: VerifyNkey = (nkey, nonce, signature) => fromPublic(nkey).verify(nonce, signature);
