// Flow setup: what a flow is told by those who begin it: consumers, feeds, readers of objects.
import type { Msg } from "../client/connection.ts";
import type { ConsumerInfo } from "../protocol/jetstream/consumer.ts";
import type { Binding } from "./binding.ts";
import type { Delivery } from "./intake.ts";
import type { Puller, PullHost } from "./puller.ts";

/** Where what comes goes to. */
export interface Sink<T> {
  /** Hand it over when it is its turn; what is returned is for the subscription, to wait for. */
  put(item: T): Promise<unknown> | undefined;
  /** Do it when all that is here now has been handed over. */
  mark(marker: () => void): void;
  /** Go on, of an ordered one with a new consumer; `suspect` says that one that has a name may be gone. */
  recover(suspect: boolean): void;
  /** This is all: the flow ends when all has been handed over. */
  finish(): void;
}

/** What a flow is of. */
export interface FlowSetup<T extends Delivery> {
  readonly binding: Binding;
  /** puts what is to be handed over for a message, if anything is; returns what `put` does */
  readonly take: (msg: Msg, sink: Sink<T>) => Promise<unknown> | undefined;
  /** of an ordered one: it has a new consumer, whose first messages may have come before */
  readonly onConsumer?: ((info: ConsumerInfo, sink: Sink<T>) => void) | undefined;
  /** of an ordered one that is pushed to: all that the server has for it now has come */
  readonly onIdle?: ((sink: Sink<T>) => void) | undefined;
  /** of a pull consumer: makes what asks it for messages */
  readonly pull?: ((flow: PullHost) => Puller) | undefined;
  /** of a push consumer that has a name: where it delivers to */
  readonly deliver?: { readonly subject: string; readonly queue: string | undefined } | undefined;
  /** prefix of the inboxes */
  readonly inboxPrefix?: string | undefined;
  /** milliseconds; 0 for none */
  readonly heartbeat: number;
  /** wait for what is gone, rather than end */
  readonly patient?: boolean | undefined;
  readonly callback?: ((item: T) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** milliseconds for all of it; then it ends with code `TIMEOUT` */
  readonly timeout?: number | undefined;
}
