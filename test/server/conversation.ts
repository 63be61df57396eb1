// Conversation: steps that a client says to the embedded server and to a nats-server, and what both answer to each.
//
// The embedded server answers a step before it answers the second PING behind it. So it is asked first; then the other one
// is waited for until it has said as much. What takes time is said to both at once.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { within } from "../fixtures/cleanup.ts";
import { hello, type Pair } from "./pair.ts";

/**
 * What is said: a text, where all is waited for that it causes at once; with the text that its last frame has, where that
 * takes time; or a question, which is asked again while the answers differ: a nats-server counts what comes behind its back.
 */
export type Step = string | readonly [say: string, until: string] | { readonly ask: string };

/** A publish, of text. */
export function pub(subject: string, body: object | string = "", reply = ""): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return `PUB ${subject} ${reply} ${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** A publish with headers, where they have a value; the answer comes to `in.ack`. */
export function put(
  subject: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  body = "x",
  reply = "in.ack",
): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}: ${value}\r\n`,
  );
  if (lines.length === 0) return pub(subject, body, reply);
  const block = `NATS/1.0\r\n${lines.join("")}\r\n`;
  return `HPUB ${subject} ${reply} ${block.length} ${block.length + body.length}\r\n${block}${body}\r\n`;
}

/** A call of the API; the answer comes to `in.api`. */
export function api(verb: string, body: object | string = ""): string {
  return pub(`$JS.API.${verb}`, body, "in.api");
}

// what differs between two servers that behave alike, and from one time to the next
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/"(created|ts|last_active|first_ts|last_ts|pinned_ts|timestamp|time)":"(?!0001)[^"]*"/g, '"$1":…'],
  [/"(id|pinned_id|pinned_client_id)":"\w{22}"/g, '"$1":…'],
  [/"leader":"[^"]*"/g, '"leader":…'],
  [/"(pause_remaining|ack_time)":\d+/g, '"$1":…'],
  [/Nats-Pin-Id: \w{22}/g, "Nats-Pin-Id: …"],
  [/(Nats-Time-Stamp|Nats-Schedule-Next): 2\S+/g, "$1: …"],
  [/(Nats-Stream-Source: .*) \w{8}\r/g, "$1 …\r"],
  [/"active":\d+/g, '"active":…'],
  [/(\$JS\.ACK\.\S+\.)\d{19}(\.\d+)/g, "$1…$2"],
  [/(\$JS\.FC\.\S+\.)\w{4}\b/g, "$1…"],
];

function masked(frame: string): string {
  const text = MASKS.reduce((all, [pattern, mask]) => all.replace(pattern, mask), frame);
  // what differs is in the size of JSON too; and an empty reply is not there, or a blank
  if (text.includes("Nats-Time-Stamp: …")) return text.replace(/ \d+ \d+\n/, " … …\n");
  return text === frame || text.startsWith("HMSG")
    ? text.replace(/ {2,}/, " ")
    : text.replace(/ +\d+\n/, " …\n");
}

class Talk {
  readonly #socket: Socket;
  #heard = "";
  #pongs = 0;
  #frames: string[] = [];
  #look: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => {
      this.#heard += text;
      while (this.#takeFrame());
      this.#look();
    });
  }

  // True when there was a whole one.
  #takeFrame(): boolean {
    const end = this.#heard.indexOf("\r\n");
    if (end < 0) return false;
    const line = this.#heard.slice(0, end);
    let after = end + 2;
    if (/^H?MSG /.test(line)) {
      const size = Number(line.slice(line.lastIndexOf(" ") + 1));
      if (this.#heard.length < after + size + 2) return false;
      this.#frames.push(`${line}\n${this.#heard.slice(after, after + size)}`);
      after += size + 2;
    } else if (line === "PONG") this.#pongs++;
    else if (line === "PING") this.say("PONG\r\n");
    else if (!line.startsWith("INFO")) this.#frames.push(line);
    this.#heard = this.#heard.slice(after);
    return true;
  }

  say(text: string): void {
    this.#socket.write(Buffer.from(text, "latin1"));
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    const found = new Promise<void>((resolve) => {
      this.#look = () => done() && resolve();
      this.#look();
    });
    await within(found, () => `it waits for ${what}; what came:\n${this.#frames.join("\n")}`);
  }

  async pong(): Promise<void> {
    const pongs = this.#pongs + 1;
    this.say("PING\r\n");
    await this.#until(() => this.#pongs >= pongs, "PONG");
  }

  /** So many frames, with this text among them. */
  async frames(count: number, until = ""): Promise<void> {
    const has = (): boolean =>
      this.#frames.length >= count && (until === "" || this.#frames.some((one) => one.includes(until)));
    await this.#until(has, `${count} frames with ${JSON.stringify(until)}`);
  }

  /** how many frames came since the last time */
  get count(): number {
    return this.#frames.length;
  }

  /**
   * What came since the last time, each subscription for itself: in which order they hear is no promise. Nor is how many
   * heartbeats there are in a while.
   */
  take(): string[] {
    const sid = (frame: string): number => Number(frame.split(" ")[2]);
    return this.#frames
      .splice(0)
      .map(masked)
      .sort((a, b) => sid(a) - sid(b))
      .filter((frame, i, all) => frame !== all[i - 1] || !frame.includes("100 Idle Heartbeat"));
  }

  end(): void {
    this.#socket.destroy();
  }
}

// Say it to both, and take what each says then.
async function exchange(
  ours: Talk,
  theirs: Talk,
  say: string,
  until?: string,
): Promise<[string[], string[]]> {
  ours.say(say);
  if (until === undefined) {
    await ours.pong();
    await ours.pong();
    theirs.say(say);
    await theirs.pong();
    await theirs.frames(ours.count);
  } else {
    theirs.say(say);
    await Promise.all([ours.frames(1, until), theirs.frames(1, until)]);
  }
  return [ours.take(), theirs.take()];
}

// how long a question may be answered otherwise, in milliseconds
const PATIENCE = 5000;

async function compare(ours: Talk, theirs: Talk, step: Step): Promise<void> {
  if (typeof step === "object" && "ask" in step) {
    for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
      const [answer, expected] = await exchange(ours, theirs, step.ask);
      if (isDeepStrictEqual(answer, expected)) return;
    }
    return compare(ours, theirs, step.ask);
  }
  const [say, until] = typeof step === "string" ? [step] : step;
  const [answer, expected] = await exchange(ours, theirs, say, until);
  assert.deepEqual(answer, expected, say);
}

/** What each server answers to the steps, which is to be the same. `before` clears the table: its answer, one frame, is not compared. */
export async function converse({ real, embedded }: Pair, steps: readonly Step[], before = ""): Promise<void> {
  const [theirs, ours] = [new Talk(real), new Talk(embedded)];
  try {
    for (const talk of [theirs, ours]) {
      talk.say(`${hello()}${before}`);
      if (before !== "") await talk.frames(1);
      await talk.pong();
      talk.take();
    }
    for (const step of steps) await compare(ours, theirs, step);
  } finally {
    theirs.end();
    ours.end();
  }
}

/** Say something to both, whatever they answer: it is worked off when this resolves. */
export async function forget({ real, embedded }: Pair, steps: readonly string[]): Promise<void> {
  for (const port of [real, embedded]) {
    const talk = new Talk(port);
    talk.say(`${hello()}SUB in.1 1\r\n${steps.join("")}`);
    await talk.frames(steps.length);
    talk.end();
  }
}
