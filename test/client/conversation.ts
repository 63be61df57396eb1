// Conversation: a connection whose server is the test, over memory transports; and a watch on the events of any connection.
import { connect, type ConnectionOptions, type NatsConnection, type Status } from "../../src/index.node.ts";
import { memoryPair, type MemoryPairOptions } from "../../src/transport/memory.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { type Peer, scriptedPeer } from "../fixtures/scripted-server.ts";

type StatusOf<T extends Status["type"]> = Extract<Status, { type: T }>;

/** All events of a connection from now on. */
export class Watch {
  /** what came so far */
  readonly seen: Status[] = [];
  /** resolves when the iteration of the events has ended */
  readonly ended: Promise<void>;
  readonly #waiting = new Set<() => void>();

  constructor(nc: NatsConnection) {
    const events = nc.status();
    this.ended = (async () => {
      for await (const event of events) {
        this.seen.push(event);
        for (const look of this.#waiting) look();
      }
    })();
  }

  of<T extends Status["type"]>(type: T): StatusOf<T>[] {
    return this.seen.filter((event): event is StatusOf<T> => event.type === type);
  }

  /** The `count`th event of this type, which may have come already. */
  async until<T extends Status["type"]>(type: T, count = 1, timeout = 10_000): Promise<StatusOf<T>> {
    let look: () => void = () => {};
    const found = new Promise<StatusOf<T>>((resolve) => {
      look = () => {
        const event = this.of(type)[count - 1];
        if (event !== undefined) resolve(event);
      };
      this.#waiting.add(look);
      look();
    });
    const late = () => `no ${count}. event '${type}', but ${this.seen.map((event) => event.type).join(", ")}`;
    try {
      return await within(found, late, timeout);
    } finally {
      this.#waiting.delete(look);
    }
  }
}

export interface Conversation {
  readonly nc: NatsConnection;
  /** the first peer, its handshake done, its PINGs answered */
  readonly peer: Peer;
  readonly events: Watch;
  /** the next dial; its handshake is not done yet */
  nextPeer(): Promise<Peer>;
}

/** A connection to a scripted peer; it closes at the end of the test. Reconnects come at once. */
export async function converse(
  t: Scope,
  options: ConnectionOptions = {},
  { info = {}, pair = {} }: { info?: Record<string, unknown>; pair?: MemoryPairOptions } = {},
): Promise<Conversation> {
  const fresh: Peer[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  const dialer = (): Promise<Transport> => {
    const [ours, theirs] = memoryPair(pair);
    const peer = scriptedPeer(theirs);
    const taker = waiting.shift();
    if (taker) taker(peer);
    else fresh.push(peer);
    return Promise.resolve(ours);
  };
  const nextPeer = (): Promise<Peer> => {
    const peer = fresh.shift();
    if (peer) return Promise.resolve(peer);
    return within(new Promise<Peer>((resolve) => waiting.push(resolve)), "nobody dialled");
  };
  const connecting = connect({ dialer, reconnectTimeWait: 1, reconnectJitter: 0, ...options });
  const peer = await nextPeer();
  await peer.handshake(info);
  peer.answerPings();
  const nc = await connecting;
  atEnd(t, () => nc.close());
  return { nc, peer, events: new Watch(nc), nextPeer };
}

/** Greet the next dial, and answer its PINGs. */
export async function welcome(peer: Peer, info: Record<string, unknown> = {}): Promise<Peer> {
  await peer.handshake(info);
  peer.answerPings();
  return peer;
}

/** A MSG, or with `headers` (the whole block as text) an HMSG. */
export function msg(
  subject: string,
  sid: number,
  payload = "",
  { reply, headers }: { reply?: string; headers?: string } = {},
): string {
  const to = reply === undefined ? "" : `${reply} `;
  const size = Buffer.byteLength(payload);
  if (headers === undefined) return `MSG ${subject} ${sid} ${to}${size}\r\n${payload}\r\n`;
  const block = Buffer.byteLength(headers);
  return `HMSG ${subject} ${sid} ${to}${block} ${block + size}\r\n${headers}${payload}\r\n`;
}

/** The message that says that nobody was there to answer. */
export function noResponders(inbox: string, sid: number): string {
  return msg(inbox, sid, "", { headers: "NATS/1.0 503\r\n\r\n" });
}

/** Resolves after everything that is under way in this process, as far as promises and turns of the loop go. */
export async function settled(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What a promise did so far: `"pending"`, its value, or its error. */
export async function outcome<T>(promise: PromiseLike<T>): Promise<T | Error | "pending"> {
  const seen = Promise.resolve(promise).catch((error: Error) => error);
  await settled();
  return Promise.race([seen, Promise.resolve("pending" as const)]);
}
