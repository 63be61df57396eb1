// Restore: a stream on its way in, chunk by chunk, from a snapshot. Begun by a call of the API.
import { concat } from "../../lib/bytes.ts";
import type { Timer } from "../../lib/clock.ts";
import { randomId } from "../../lib/random.ts";
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import type { Subscriber } from "../account.ts";
import { goJson, goTime } from "../go-text.ts";
import { internal } from "../internal.ts";
import { Message } from "../message.ts";
import { unarchive } from "./archive.ts";
import { refuseExtra } from "./extra-refusal.ts";
import { decode, type GoStruct } from "./go-json.ts";
import type { JetStream } from "./jetstream.ts";
import { refusal, refuse } from "./refusal.ts";
import { revive } from "./revive.ts";
import { checkOverlap, expectBody, infoOf, shownConfig } from "./stream-api.ts";
import { streamConfig, type WholeStreamConfig, wholeStreamConfig } from "./stream-config.ts";
import type { Call, Verb } from "./verb.ts";
import { GoError } from "../go-error.ts";

const request: GoStruct = {
  go: "server.JSApiStreamRestoreRequest",
  fields: {
    config: streamConfig,
    state: {
      go: "server.StreamState",
      fields: {
        messages: "uint64",
        bytes: "uint64",
        first_seq: "uint64",
        first_ts: "time.Time",
        last_seq: "uint64",
        last_ts: "time.Time",
        num_subjects: "int",
        subjects: { map: "uint64" },
        num_deleted: "int",
        deleted: { list: "uint64" },
        lost: { go: "server.LostStreamData", fields: { msgs: { list: "uint64" }, bytes: "uint64" } },
        consumer_count: "int",
      },
    },
  },
};

/** more than this is no snapshot that fits into memory */
const MOST = 1 << 30;
/** who sends nothing for so long has left */
const PATIENCE = 5000;

function restore({ js, tokens: [name = ""], body, message: { origin } }: Call): object {
  expectBody(body);
  const { config: given = { name: "" } } = decode(request, body) as { config?: StreamConfig };
  if (given.name !== name) refuse(10056);
  const config = wholeStreamConfig(given, js, false);
  if (js.streams.has(name)) refuseExtra(10130);
  const client = js.clientOf(origin);
  js.advise(`ADVISORY.STREAM.RESTORE_CREATE.${name}`, "advisory.v1.restore_create", { stream: name, client });
  return { deliver_subject: new Receiving(js, config, client).subject };
}

class Receiving {
  readonly subject: string;
  readonly #js: JetStream;
  readonly #config: WholeStreamConfig;
  readonly #client: object | undefined;
  readonly #begun: number;
  readonly #chunks: Uint8Array[] = [];
  readonly #subscription: Subscriber;
  #bytes = 0;
  #timer: Timer | undefined;

  constructor(js: JetStream, config: WholeStreamConfig, client: object | undefined) {
    this.#js = js;
    this.#config = config;
    this.#client = client;
    this.#begun = js.clock.now();
    this.subject = `$JS.SNAPSHOT.RESTORE.${config.name}.${randomId(22)}`;
    this.#subscription = internal(this.subject, (message) => this.#take(message));
    js.account.router.add(this.#subscription);
    this.#wait();
  }

  #wait(): void {
    this.#timer?.cancel();
    this.#timer = this.#js.clock.after(PATIENCE, () => this.#end());
  }

  #take({ data, reply }: Message): void {
    this.#wait();
    if (data.length === 0) return this.#finish(reply);
    this.#bytes += data.length;
    if (this.#bytes > MOST) return this.#finish(reply);
    // a view of what came in
    this.#chunks.push(data.slice());
    if (reply !== "") this.#js.send(Message.of(reply));
  }

  #finish(reply: string): void {
    this.#end();
    const answer = goJson({ type: "io.nats.jetstream.api.v1.stream_create_response", ...this.#made() });
    if (reply !== "") this.#js.send(Message.of(reply, answer));
  }

  // The stream, or why there is none.
  #made(): object {
    const js = this.#js;
    const config = this.#config;
    try {
      if (this.#bytes > MOST) throw new GoError("too large");
      if (js.streams.has(config.name)) throw new GoError("stream name already in use");
      checkOverlap(js, config);
      const { created, store, consumers } = unarchive(concat(this.#chunks), (since) =>
        js.storage.create(config, since),
      );
      const stream = revive(js, { config, created, store, consumers });
      return infoOf(stream, shownConfig(stream.config));
    } catch (error) {
      return { error: refusal(10062, { err: (error as Error).message }).wire };
    }
  }

  #end(): void {
    this.#timer?.cancel();
    this.#js.account.router.remove(this.#subscription);
    this.#js.advise(`ADVISORY.STREAM.RESTORE_COMPLETE.${this.#config.name}`, "advisory.v1.restore_complete", {
      stream: this.#config.name,
      start: goTime(this.#begun),
      end: goTime(this.#js.clock.now()),
      bytes: this.#bytes,
      client: this.#client,
    });
  }
}

export const restoreVerb: Verb = {
  subject: "STREAM.RESTORE.*",
  type: "stream_restore",
  handle: restore,
  zeros: { deliver_subject: "" },
};
