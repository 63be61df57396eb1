// Snapshot: a stream on its way out in chunks, at the pace of who takes them. Begun by a call of the API.
import { Empty } from "../../lib/bytes.ts";
import type { Timer } from "../../lib/clock.ts";
import { randomId } from "../../lib/random.ts";
import type { Subscriber } from "../account.ts";
import { goTime } from "../go-text.ts";
import { internal } from "../internal.ts";
import { Message } from "../message.ts";
import { isPublishSubject } from "../subjects.ts";
import { archive } from "./archive.ts";
import { decode, type GoStruct } from "./go-json.ts";
import { refuseExtra } from "./extra-refusal.ts";
import type { JetStream } from "./jetstream.ts";
import { expectBody, stateOf } from "./stream-api.ts";
import type { Call, Verb } from "./verb.ts";

const request: GoStruct = {
  go: "server.JSApiStreamSnapshotRequest",
  fields: {
    deliver_subject: "string",
    no_consumers: "bool",
    chunk_size: "int",
    window_size: "int",
    jsck: "bool",
  },
};

const CHUNK = 128 * 1024;
const SMALLEST = 1024;
const LARGEST = 1 << 20;
const WINDOW = 8 << 20;
/** who takes nothing for so long has left */
const PATIENCE = 5000;

function snapshot({ js, tokens: [name = ""], body, message: { origin } }: Call): object {
  expectBody(body);
  const {
    deliver_subject = "",
    no_consumers,
    chunk_size = 0,
    window_size = 0,
  } = decode(request, body) as {
    deliver_subject?: string;
    no_consumers?: boolean;
    chunk_size?: number;
    window_size?: number;
  };
  const stream = js.stream(name);
  if (deliver_subject === "" || /\s/.test(deliver_subject) || !isPublishSubject(deliver_subject))
    refuseExtra(10015);
  const kept = [...stream.consumers.values()].map((one) => ({
    name: one.name,
    config: one.config,
    created: one.created,
    state: one.state(),
  }));
  const bytes = archive(stream.store, stream.created, no_consumers ? [] : kept);
  const state = stateOf(stream.store, stream.consumers.size);
  const client = js.clientOf(origin);
  js.advise(`ADVISORY.STREAM.SNAPSHOT_CREATE.${name}`, "advisory.v1.snapshot_create", {
    stream: name,
    state,
    client,
  });
  const size = chunk_size <= 0 ? CHUNK : Math.min(LARGEST, Math.max(SMALLEST, chunk_size));
  new Sending(js, name, deliver_subject, bytes, size, window_size <= 0 ? WINDOW : window_size, client);
  return { config: stream.config, state };
}

class Sending {
  readonly #js: JetStream;
  readonly #stream: string;
  readonly #to: string;
  readonly #bytes: Uint8Array;
  readonly #size: number;
  readonly #window: number;
  readonly #client: object | undefined;
  readonly #begun: number;
  readonly #acks: Subscriber;
  readonly #prefix: string;
  #sent = 0;
  #taken = 0;
  #timer: Timer | undefined;

  constructor(
    js: JetStream,
    stream: string,
    to: string,
    bytes: Uint8Array,
    size: number,
    window: number,
    client: object | undefined,
  ) {
    this.#js = js;
    this.#stream = stream;
    this.#to = to;
    this.#bytes = bytes;
    this.#size = size;
    this.#window = window;
    this.#client = client;
    this.#begun = js.clock.now();
    this.#prefix = `$JS.SNAPSHOT.ACK.${stream}.${randomId(22)}`;
    this.#acks = internal(`${this.#prefix}.*.*`, () => {
      this.#taken++;
      this.#go();
    });
    js.account.router.add(this.#acks);
    this.#go();
  }

  // Send what the window has room for; the end behind the last whole chunk.
  #go(): void {
    this.#timer?.cancel();
    const whole = Math.floor(this.#bytes.length / this.#size);
    if (!this.#js.account.router.hasInterest(this.#to)) return this.#end();
    while (this.#sent < whole) {
      const open = (this.#sent - this.#taken) * this.#size;
      if (open > 0 && open + this.#size > this.#window) return this.#wait();
      const chunk = this.#chunk(this.#sent++);
      this.#js.send(Message.of(this.#to, chunk, "", `${this.#prefix}.${chunk.length}.${this.#sent}`));
    }
    const rest = this.#chunk(whole);
    if (rest.length > 0) this.#js.send(Message.of(this.#to, rest));
    this.#js.send(Message.of(this.#to, Empty, whole > 0 ? "NATS/1.0 204\r\n\r\n" : ""));
    this.#end();
  }

  #chunk(index: number): Uint8Array {
    return this.#bytes.subarray(index * this.#size, (index + 1) * this.#size);
  }

  #wait(): void {
    this.#timer = this.#js.clock.after(PATIENCE, () => {
      this.#js.send(Message.of(this.#to, Empty, "NATS/1.0 408 No Flow Response\r\n\r\n"));
      this.#end();
    });
  }

  #end(): void {
    this.#js.account.router.remove(this.#acks);
    this.#js.advise(`ADVISORY.STREAM.SNAPSHOT_COMPLETE.${this.#stream}`, "advisory.v1.snapshot_complete", {
      stream: this.#stream,
      start: goTime(this.#begun),
      end: goTime(this.#js.clock.now()),
      client: this.#client,
    });
  }
}

export const snapshotVerb: Verb = { subject: "STREAM.SNAPSHOT.*", type: "stream_snapshot", handle: snapshot };
