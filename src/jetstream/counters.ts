// Counters: numbers that a stream keeps, one for each subject (ADR-49), over js.publish and direct gets.
import type { WaitOptions } from "../client/connection.ts";
import { NatsError } from "../errors.ts";
import { apiOf } from "./api-of.ts";
import type { DirectLastRequest } from "./direct.ts";
import { directBatch, type DirectMessages } from "./direct-batch.ts";
import { directGet } from "./direct-get.ts";
import type { JetStreamLite } from "./lite.ts";
import type { JetStreamPublishOptions } from "./publish-options.ts";
import type { DirectMsg } from "./stored.ts";
import { streamInfo } from "./stream-info.ts";

/** A counter, as it is stored. */
export interface CounterEntry {
  /** the subject of the counter */
  readonly subject: string;
  /** what it stands at */
  readonly value: bigint;
  /** what it grew by last */
  readonly increment: bigint;
  /** of a stream that sources counters: what each stream and subject has brought; else empty */
  readonly sources: Readonly<Record<string, Readonly<Record<string, bigint>>>>;
}

/** The counters of a stream. */
export interface Counters {
  /** name of the stream */
  readonly stream: string;
  /**
   * Add to a counter, which begins at 0; resolves with its value. Give a `msgID` where it may be tried again.
   * @throws {NatsError} those of `js.publish`
   */
  add(
    subject: string,
    increment: number | bigint,
    options?: Pick<JetStreamPublishOptions, "headers" | "msgID" | "signal" | "timeout">,
  ): Promise<bigint>;
  /** A counter; null where nothing was added yet. @throws {NatsError} as `jsm.direct.getMessage` */
  get(subject: string, options?: WaitOptions): Promise<CounterEntry | null>;
  /** The counters of these subjects; wildcards allowed. @throws {NatsError} as `jsm.direct.getLastMessagesFor` */
  getMultiple(subjects: string[], options?: WaitOptions): AsyncIterable<CounterEntry>;
}

/**
 * The counters of a stream that has `allow_msg_counter` and `allow_direct`. Server 2.12. To begin a counter anew, purge its subject.
 *
 * @example
 * const hits = await counters(js, "HITS");
 * console.log(await hits.add("hits.home", 1));
 *
 * @throws {NatsError} STREAM_NOT_FOUND, UNSUPPORTED when the stream has no counters, and those of a call
 */
export async function counters(js: JetStreamLite, stream: string, options?: WaitOptions): Promise<Counters> {
  const api = apiOf(js);
  const { config } = await streamInfo(api, stream, options);
  for (const field of ["allow_msg_counter", "allow_direct"] as const) {
    if (config[field]) continue;
    throw new NatsError(
      "UNSUPPORTED",
      `the stream '${stream}' keeps no counters to be read: it has no ${field}`,
      { stream },
    );
  }
  return {
    stream,
    async add(subject, increment, given) {
      const { val } = await js.publish(subject, undefined, { ...given, increment });
      return val as bigint;
    },
    async get(subject, given) {
      const msg = await directGet(api, stream, { last_by_subj: subject }, given);
      return msg && entry(msg);
    },
    async *getMultiple(subjects, given) {
      let request: DirectLastRequest | undefined = { multi_last: subjects };
      while (request !== undefined) {
        const messages: DirectMessages<DirectLastRequest> = await directBatch(api, stream, request, given);
        for await (const msg of messages) yield entry(msg);
        request = messages.next;
      }
    },
  };
}

function entry(msg: DirectMsg): CounterEntry {
  const sources = msg.header.get("Nats-Counter-Sources");
  return {
    subject: msg.subject,
    value: BigInt(msg.json<{ val: string }>().val),
    increment: BigInt(msg.header.get("Nats-Incr").replace("+", "")),
    sources:
      sources === "" ? {} : JSON.parse(sources, (_, v: unknown) => (typeof v === "string" ? BigInt(v) : v)),
  };
}
