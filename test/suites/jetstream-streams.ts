// Suite: streams, as the manager sees them.
import {
  JetStreamApiError,
  type JetStreamManager,
  JetStreamNotEnabledError,
  jetstreamManager,
  type StreamConfig,
  StreamExistsError,
  type StreamInfo,
  StreamNotFoundError,
} from "../../src/jetstream/index.ts";
import { isNatsError } from "../../src/names.ts";
import type { Harness, Suite } from "./harness.ts";
import { atLeast, equal, ok, rejects } from "./tools.ts";

/** A manager, and a stream that stores `<prefix>.>`. */
async function begin({
  connect,
  prefix,
}: Harness): Promise<{ jsm: JetStreamManager; name: string; info: StreamInfo }> {
  const jsm = await jetstreamManager(await connect());
  const info = await jsm.streams.add({ name: prefix, subjects: [`${prefix}.>`], storage: "memory" });
  return { jsm, name: prefix, info };
}

export const jetstreamStreams: Suite = {
  name: "jetstream streams",
  needs: ["jetstream"],
  cases: {
    "a stream is made, found, listed and deleted (C-ADR1-1, C-ADR1-2, C-STRM-1, C-STRM-7)": async (
      harness,
    ) => {
      const { jsm, name, info } = await begin(harness);
      equal([info.config.name, info.config.subjects], [name, [`${name}.>`]]);
      // what is not given is the server's default
      equal([info.config.max_msgs, info.config.num_replicas], [-1, 1]);
      equal(await jsm.streams.find(`${name}.a`), name);
      const names: string[] = [];
      for await (const one of jsm.streams.names(`${name}.a`)) names.push(one);
      equal(names, [name]);
      const [listed] = await jsm.streams.list(`${name}.a`).next();
      equal(listed?.config.name, name);
      equal(await jsm.streams.delete(name), true);
      const error = await rejects(jsm.streams.info(name), "STREAM_NOT_FOUND");
      ok(error instanceof StreamNotFoundError && error instanceof JetStreamApiError);
      equal([error.apiErrorCode, error.status, error.stream], [10059, 404, name]);
    },

    "the same stream may be made again, another of that name not; addOrUpdate replaces it (C-STRM-3)": async (
      harness,
    ) => {
      const { jsm, name } = await begin(harness);
      const config: StreamConfig = { name, subjects: [`${name}.>`], storage: "memory" };
      await jsm.streams.add(config);
      const error = await rejects(jsm.streams.add({ ...config, max_msgs: 5 }), "STREAM_EXISTS");
      ok(error instanceof StreamExistsError);
      equal((await jsm.streams.addOrUpdate({ ...config, max_msgs: 5 })).config.max_msgs, 5);
      equal((await jsm.streams.addOrUpdate(config)).config.max_msgs, -1);
      await jsm.streams.delete(name);
    },

    "the account info has the API level of the server, or none before 2.11 (C-VER-2)": async (harness) => {
      const { api, limits } = await (await jetstreamManager(await harness.connect())).getAccountInfo();
      equal(api.level, atLeast(harness.version, "2.11") ? 5 : undefined);
      equal(limits.max_streams, -1);
    },
  },
};

export const jetstreamAbsent: Suite = {
  name: "jetstream absent",
  needs: ["own-server"],
  cases: {
    "a server without JetStream says so at once (C-ADR1-10)": async ({ connect, serve }) => {
      const server = await serve();
      const nc = await connect({ servers: server.url });
      const error = await rejects(jetstreamManager(nc), "JETSTREAM_NOT_ENABLED");
      ok(error instanceof JetStreamNotEnabledError && isNatsError(error.cause));
      // nothing is asked for before it is needed
      const jsm = await jetstreamManager(nc, { checkAPI: false });
      await rejects(jsm.streams.info("S"), "JETSTREAM_NOT_ENABLED");
    },
  },
};
