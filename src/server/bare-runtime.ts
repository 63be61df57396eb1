// Bare runtime: one without a network and files, and what a server there says to who wants them. For pages above all.
import { NatsError } from "../errors.ts";
import { memoryStorage } from "./jetstream/storage.ts";
import type { Runtime } from "./runtime.ts";

export const bareRuntime: Pick<Runtime, "listen" | "keep"> = {
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
};
