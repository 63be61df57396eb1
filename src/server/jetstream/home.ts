// Home: what streams and consumers have around them: the account they live in, its time, and ways to speak up.
import type { Clock } from "../../lib/clock.ts";
import type { Account } from "../account.ts";
import type { Message } from "../message.ts";
import type { Count } from "./open-batches.ts";
import type { ServedStream } from "./served.ts";
import type { Storage } from "./storage.ts";
import type { StreamExtras } from "./stream-extras.ts";

/** How many batches are open. */
export interface OpenBatchCounts {
  readonly atomic: Count;
  readonly fast: Count;
}

export interface Home {
  readonly account: Account;
  readonly clock: Clock;
  /** of the server, which leads everything */
  readonly serverName: string;
  /** `""` for none */
  readonly domain: string;
  /** by name */
  readonly streams: ReadonlyMap<string, ServedStream>;
  readonly storage: Storage;
  readonly extras: StreamExtras | undefined;
  /** of the whole server */
  readonly openBatches: OpenBatchCounts;
  /** Do the streams of this storage have more than they may? Then nothing is taken in. */
  full(storage: "file" | "memory"): boolean;
  /** Publish in a later microtask, in order: behind what the same input brings. Confirmations, answers and deliveries. */
  send(message: Message): void;
  /**
   * Tell who listens what happened, in order with `send`. `subject` is behind `$JS.EVENT.`, `type` behind `io.nats.jetstream.`:
   * `advise("ADVISORY.STREAM.CREATED.S", "advisory.v1.stream_action", { stream: "S", action: "create" })`.
   */
  advise(subject: string, type: string, body: object): void;
}
