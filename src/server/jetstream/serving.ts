// Serving: what a consumer and its way of sending, by push or by pull, are to each other.
import { Empty } from "../../lib/bytes.ts";
import type { ConsumerConfig, ConsumerInfo } from "../../protocol/jetstream/consumer.ts";
import { Message } from "../message.ts";
import type { Home } from "./home.ts";

/** A place in the stream, and in the deliveries of the consumer. */
export interface Position {
  delivery: number;
  seq: number;
  /** when it last moved, in milliseconds; 0 for never */
  active: number;
}

/** A consumer, as its way of sending sees it. */
export interface Serving {
  readonly home: Home;
  readonly streamName: string;
  readonly name: string;
  readonly config: ConsumerConfig;
  readonly delivered: Readonly<Position>;
  /** it sends nothing now, whatever there is */
  readonly paused: boolean;
  /** messages that were not sent yet */
  readonly unsent: number;
  /** messages that are to be sent again */
  readonly again: number;
  /** messages that are not acknowledged */
  readonly ackPending: number;
  /** all up to there is acknowledged */
  ackThrough(seq: number, delivery: number): void;
  /** somebody had to do with it: it is not idle */
  used(): void;
  /** look whether something can be sent */
  wake(): void;
  /** be told then: `tick` is called at that time, or before */
  wakeAt(time: number): void;
}

/** A way of sending. */
export interface Side {
  /** is anybody there to send to? */
  ready(): boolean;
  /** Where a message of this size goes, and the pin that it carries; undefined when nobody wants it now. */
  choose(size: number): Target | undefined;
  /** It was sent to who was chosen. */
  sent(target: Target, size: number): void;
  /** There is nothing to send: this is the end of the stream. */
  atEnd(): void;
  /** A request for messages. */
  request(inbox: string, body: string, header: Uint8Array): void;
  /** Time has passed. When to come again; Infinity for never. */
  tick(now: number): number;
  /** is it in use, so that the consumer stays? */
  inUse(): boolean;
  /** how many requests wait */
  waiting(): number;
  /** what info says of this way alone */
  info(): Pick<ConsumerInfo, "push_bound" | "priority_groups">;
  /** the configuration is another one */
  reconfigure(): void;
  /** It ends. `status` is told to who waits. */
  end(status: string): void;
}

export interface Target {
  readonly inbox: string;
  readonly pin?: string | undefined;
}

/** A message without payload that says how things are: `100 Idle Heartbeat`, `408 Request Timeout`. */
export function status(
  inbox: string,
  line: string,
  fields: Readonly<Record<string, string | number>> = {},
  reply = "",
): Message {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Message.of(inbox, Empty, `NATS/1.0 ${line}\r\n${lines.join("")}\r\n`, reply);
}

/** Milliseconds of a duration of the wire; 0 where there is none. */
export function msOf(nanos: number | undefined): number {
  return (nanos ?? 0) / 1e6;
}
