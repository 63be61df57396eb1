// Verify NKey: how logins by NKey are verified where the entry brings what it takes.
import { fromPublic } from "../auth/nkeys.ts";
import type { VerifyNkey } from "./logins.ts";

export const verifyNkey: VerifyNkey = (nkey, nonce, signature) => fromPublic(nkey).verify(nonce, signature);
