// Bare runtime: one without a network and files, and what a server there says to who wants them. For pages above all.
import { NatsError } from "../errors.ts";
import { refuse } from "./jetstream/refusal.ts";
import { memoryStorage } from "./jetstream/storage.ts";
import type { Runtime } from "./runtime.ts";

const err = "a server has no snapshots in this runtime";

export const bareRuntime: Runtime = {
  async listen(_, { port, websocket }) {
    if (port === undefined && !websocket) return [];
    throw new NatsError(
      "UNSUPPORTED",
      "a server can't listen in this runtime: leave out port and websocket, and use dialer()",
    );
  },
  keep(storeDir) {
    if (storeDir === undefined) return memoryStorage;
    throw new NatsError("UNSUPPORTED", "a server has no files in this runtime: leave out storeDir");
  },
  verbs: [
    { subject: "STREAM.SNAPSHOT.*", type: "stream_snapshot", handle: () => refuse(10064, { err }) },
    { subject: "STREAM.RESTORE.*", type: "stream_restore", handle: () => refuse(10062, { err }) },
  ],
};
