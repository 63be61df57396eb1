// Support of the JetStream suites: a stream of the case's own, and what is in it.
import {
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type StoredMsg,
  type StreamConfig,
} from "../../src/jetstream/index.ts";
import type { NatsConnection } from "../../src/names.ts";
import type { Harness } from "./harness.ts";
import { ok } from "./tools.ts";

export interface Setup {
  nc: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** the name of the stream, and the first token of its subjects */
  name: string;
}

/** A stream in memory with the subjects `<prefix>.>`. */
export async function setUp(
  { connect, prefix: name }: Harness,
  config: Partial<StreamConfig> = {},
): Promise<Setup> {
  const nc = await connect();
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name, subjects: [`${name}.>`], storage: "memory", ...config });
  return { nc, jsm, js: jsm.jetstream(), name };
}

/** A message that must be there. */
export async function stored(jsm: JetStreamManager, stream: string, seq: number): Promise<StoredMsg> {
  const msg = await jsm.streams.getMessage(stream, { seq });
  ok(msg, `message ${seq} of '${stream}' is not there`);
  return msg;
}
