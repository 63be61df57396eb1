// JetStream tools: a manager and a stream of its own for each case.
import {
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
} from "../../src/jetstream/index.ts";
import type { NatsConnection, NatsErrorCode, PublishOptions } from "../../src/names.ts";
import type { Harness } from "./harness.ts";
import { ok, PATIENT, rejects } from "./tools.ts";

/** What the cases begin with. */
export interface Beginning {
  nc: NatsConnection;
  jsm: JetStreamManager;
  /** name of the stream, and first token of its subjects */
  name: string;
  /** store messages at `<name>.<token>`; resolves when all are acknowledged, with the last sequence */
  store(tokens: readonly string[], options?: PublishOptions): Promise<number>;
}

/** A manager, and a stream in memory that stores `<prefix>.>`; it goes with the case's connection and the server. */
export async function begin(harness: Harness, config: Partial<StreamConfig> = {}): Promise<Beginning> {
  const { prefix: name } = harness;
  const nc = await harness.connect();
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name, subjects: [`${name}.>`], storage: "memory", ...config });
  const store = async (tokens: readonly string[], { headers }: PublishOptions = {}): Promise<number> => {
    let last = 0;
    for (const token of tokens) {
      const ack = await nc.request(`${name}.${token}`, `of ${token}`, {
        ...PATIENT,
        ...(headers && { headers }),
      });
      ({ seq: last } = ack.json<{ seq: number }>());
    }
    return last;
  };
  return { nc, jsm, name, store };
}

/** The API error with this number that the promise rejects with. */
export async function refuses(
  promise: PromiseLike<unknown>,
  apiErrorCode: number,
  code: NatsErrorCode = "JETSTREAM_API",
): Promise<JetStreamApiError> {
  const error = await rejects(promise, code);
  ok(error instanceof JetStreamApiError, `expected a JetStreamApiError, got ${error}`);
  ok(error.apiErrorCode === apiErrorCode, `expected ${apiErrorCode}, got ${error.message}`);
  return error;
}

/** What the iterable yields. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
