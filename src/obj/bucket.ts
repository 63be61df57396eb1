// Bucket: the stream of an object store as the calls see it: its subjects, the infos in it, and how they are replaced.
import type { WaitOptions } from "../client/connection.ts";
import { InvalidArgumentError, isNatsError } from "../errors.ts";
import { encodeBase64UrlPadded } from "../lib/base64.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import { halfPair } from "../lib/surrogates.ts";
import type { PurgeRequest, PurgeResponse } from "../protocol/jetstream/api.ts";
import type { Api } from "../jetstream/api.ts";
import { WrongLastSequenceError } from "../jetstream/api-error.ts";
import { directGet } from "../jetstream/direct-get.ts";
import { getMessage } from "../jetstream/message-get.ts";
import { OutcomeUnknownError, readPubAck } from "../jetstream/pub-ack.ts";
import { ask } from "../jetstream/publish.ts";
import { withFields } from "../jetstream/publish-options.ts";
import type { StoredMsg } from "../jetstream/stored.ts";
import { infoOf, metaMessage, type ObjectInfo, type ObjectNote } from "./object-info.ts";

/** What the names of streams of buckets begin with. */
export const STREAM_PREFIX = "OBJ_";

// a subject and what is around it must fit into a line of the server, 4096 bytes by default
const LONGEST_SUBJECT = 3500;

/** An info was replaced. */
export interface Replaced {
  /** what was there; null for nothing */
  readonly before: ObjectInfo | null;
  readonly after: ObjectInfo;
}

/** How an info is replaced. */
export interface ReplaceOptions extends WaitOptions {
  /** the revision that it must have; 0 for none. Without it, whatever it is then */
  previousRevision?: number | undefined;
  /** what is there, where it was looked at already */
  before?: ObjectInfo | null;
}

export class Bucket {
  readonly api: Api;
  readonly name: string;
  readonly stream: string;
  // some streams of old clients allow no direct gets
  #direct = true;

  /** @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
  constructor(api: Api, name: string) {
    if (typeof name !== "string" || !/^[\w-]+$/.test(name)) {
      throw new InvalidArgumentError(
        `the name of the bucket is ${JSON.stringify(name)}: letters, digits, - and _ are allowed`,
      );
    }
    this.api = api;
    this.name = name;
    this.stream = STREAM_PREFIX + name;
  }

  /** The subject of the info of an object. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
  metaSubject(name: string): string {
    if (typeof name !== "string" || name === "") {
      throw new InvalidArgumentError(`the name of the object is ${name === "" ? "empty" : typeof name}`);
    }
    for (let i = 0; i < name.length; i++) {
      const flaw = halfPair(name, i);
      if (flaw !== undefined) throw new InvalidArgumentError(`the name of the object ${flaw}`);
    }
    const bytes = utf8Encoder.encode(name);
    const subject = this.metaSubjects.slice(0, -1) + encodeBase64UrlPadded(bytes);
    if (subject.length <= LONGEST_SUBJECT) return subject;
    throw new InvalidArgumentError(
      `the name of the object has ${bytes.length} bytes: the subject made of it would not fit into a line of the server`,
    );
  }

  /** The subjects of all infos. */
  get metaSubjects(): string {
    return `$O.${this.name}.M.>`;
  }

  /** The subject of the chunks of an object. */
  chunkSubject(nuid: string): string {
    return `$O.${this.name}.C.${nuid}`;
  }

  /**
   * The info of an object, also of a deleted one; null where there is none. From any replica that has one, or with `leader` as it
   * is now.
   * @throws {@link NatsError} STREAM_NOT_FOUND, CODEC, INVALID_ARGUMENT, and those of a call
   */
  async find(name: string, options?: WaitOptions, leader = false): Promise<ObjectInfo | null> {
    const last_by_subj = this.metaSubject(name);
    const { api, stream } = this;
    const read = (found: StoredMsg): ObjectInfo =>
      infoOf(found.string(), last_by_subj, found.seq, found.time);
    let direct = this.#direct && !leader;
    if (direct) {
      try {
        const found = await directGet(api, stream, { last_by_subj }, options);
        // who says that there is none may be behind: the leader knows
        if (found !== null) return read(found);
      } catch (error) {
        if (!isNatsError(error) || error.code !== "NO_RESPONDERS") throw error;
        direct = false;
      }
    }
    let found: StoredMsg | null;
    try {
      // this tells too when there is no such stream
      found = await getMessage(api, stream, { last_by_subj }, options);
    } catch (error) {
      // who may not ask the leader takes the word of the other
      if (direct && isNatsError(error) && error.code === "PERMISSION_VIOLATION") return null;
      throw error;
    }
    if (!leader) this.#direct = direct;
    return found && read(found);
  }

  /**
   * Replace the info of an object by what `make` makes of the present one. Nobody else's change is lost: where there was one
   * in between, it is made of that. An ack that does not come is looked for in the stream.
   *
   * @throws {@link NatsError} WRONG_LAST_SEQUENCE, an {@link OutcomeUnknownError}, those of `find` and of a publish, and what
   * `make` throws
   */
  async replace(
    name: string,
    make: (before: ObjectInfo | null) => ObjectNote,
    options: ReplaceOptions = {},
  ): Promise<Replaced> {
    const { api } = this;
    const { timeout = api.options.timeout, signal, previousRevision } = options;
    const waits = { timeout: Math.min(timeout, api.options.timeout), signal };
    const end = performance.now() + timeout;
    const subject = this.metaSubject(name);
    const look = (): Promise<ObjectInfo | null> => this.find(name, waits, true);
    let { before = await look() } = options;
    // an attempt of which nobody knows whether it was stored
    let doubt: OutcomeUnknownError | undefined;
    for (;;) {
      const text = metaMessage(this.name, make(before));
      const expected = previousRevision ?? before?.revision ?? 0;
      const headers = withFields(undefined, [
        ["Nats-Rollup", "sub"],
        ["Nats-Expected-Last-Subject-Sequence", String(expected)],
      ]);
      try {
        const reply = await ask(api, subject, text, headers, { ...waits, retries: -1 });
        const { seq } = readPubAck(reply, subject, expected);
        return { before, after: infoOf(text, subject, seq, new Date()) };
      } catch (error) {
        if (error instanceof OutcomeUnknownError) doubt = error;
        else if (!(error instanceof WrongLastSequenceError)) throw doubt ?? error;
        const late = performance.now() >= end;
        let now: ObjectInfo | null;
        try {
          now = await look();
        } catch (failure) {
          if (late || !isNatsError(failure) || failure.code !== "TIMEOUT") throw doubt ?? failure;
          continue;
        }
        const revision = now?.revision ?? 0;
        // only the ack got lost
        if (now !== null && revision > expected && metaMessage(this.name, now) === text) {
          return { before, after: now };
        }
        if (late || (previousRevision ?? revision) !== revision) throw doubt ?? error;
        // what was sent is refused from now on, or was replaced: nothing is stored twice
        before = now;
      }
    }
  }

  /** Remove messages. @throws {@link NatsError} those of a call */
  purge(request: PurgeRequest, options?: WaitOptions): Promise<PurgeResponse> {
    return this.api.call("STREAM.PURGE", [this.stream], request, options);
  }

  /** Remove the chunks of an object. @throws {@link NatsError} those of a call */
  purgeChunks({ nuid }: { readonly nuid: string }, options?: WaitOptions): Promise<PurgeResponse> {
    return this.purge({ filter: this.chunkSubject(nuid) }, options);
  }
}
