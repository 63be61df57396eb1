// Raw client: says bytes to a server over TCP and keeps what it answers, for comparing servers.
import { connect, type Socket } from "node:net";
import { within } from "../fixtures/cleanup.ts";

/** What differs between two servers that behave alike. */
const DIFFERS =
  /"(server_id|server_name|go|port|client_id|client_ip|xkey|nonce|git_commit|id|name|time|host|seq|rtt)":("[^"]*"|\d+)/g;

// a message with all its lines, or any other line
const FRAME = /H?MSG [\s\S]*?\r\n(?=(?:H?MSG |PONG|PING|INFO |-ERR|\+OK|$))|.*\r\n/g;

const sidOf = (frame: string): number => Number(/^\S+ \S+ (\d+)/.exec(frame)?.[1] ?? 1e9);
const bySid = (a: string, b: string): number => sidOf(a) - sidOf(b);

export class RawClient {
  readonly #socket: Socket;
  #heard = "";
  #look: () => void = () => {};
  #over = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#heard += text;
      this.#look();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#over = true;
      this.#look();
    });
  }

  static async to(port: number): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const client = new RawClient(socket);
    await client.#until((heard) => heard.includes("\r\n"));
    return client;
  }

  get over(): boolean {
    return this.#over;
  }

  async #until(found: (heard: string) => boolean): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#look = () => (this.#over || found(this.#heard)) && resolve();
      this.#look();
    });
    await within(done, () => `it waits for more than ${JSON.stringify(this.#heard)}`);
  }

  say(text: string): void {
    if (!this.#over) this.#socket.write(Buffer.from(text, "latin1"));
  }

  /** All that it was said to came back: the answers to `pings` more PINGs, or the end. */
  async settled(pings: number): Promise<void> {
    await this.#until((heard) => (heard.match(/PONG\r\n/g)?.length ?? 0) >= pings);
  }

  /** Resolves when a line that begins so has come, or the end. */
  heard(line: string): Promise<void> {
    return this.#until((heard) => heard.includes(line) && heard.endsWith("\r\n"));
  }

  /**
   * What was heard, frame by frame, without what differs between servers. Messages that came together are in the order of
   * their subscriptions: no server promises another.
   */
  get transcript(): string[] {
    const heard = this.#heard.replace(DIFFERS, '"$1":…').replace(/(?<= )_R_\.\w{6}\.\w{6}(?= )/g, "_R_.…");
    // what differs is in the size too
    const size = (frame: string): RegExp => (frame.startsWith("H") ? /\d+ \d+\r\n/ : /\d+\r\n/);
    const frames = (heard.match(FRAME) ?? []).map((frame) =>
      /^H?MSG/.test(frame) && frame.includes("…") ? frame.replace(size(frame), "…\r\n") : frame,
    );
    const sorted: string[] = [];
    // of several subscriptions that match, any one hears that nobody was there
    const anySid = (frame: string): string =>
      frame.replace(/^(HMSG \S+) \S+(?= .*\r\nNATS\/1\.0 503)/, "$1 …");
    let together: string[] = [];
    for (const frame of [...frames, this.#over ? "<closed>" : "<open>"]) {
      if (/^H?MSG/.test(frame)) {
        together.push(frame);
        continue;
      }
      sorted.push(...together.map(anySid).sort(bySid), frame);
      together = [];
    }
    return sorted;
  }

  end(): void {
    this.#socket.destroy();
  }
}
