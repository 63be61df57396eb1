// Drain: the steps from "draining" to the moment when nothing is left to do. Run by client/session, which closes then.
import { DrainingConnectionError } from "../errors.ts";
import type { Publishing } from "./publishing.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What a drain is about. */
export interface Draining {
  readonly subscriptions: Subscriptions;
  readonly publishing: Publishing;
  /** a round trip to the server */
  readonly flush: () => Promise<void>;
  /** the next link */
  readonly link: () => Promise<void>;
  /** the connection was closed meanwhile */
  readonly isOver: () => boolean;
}

/** Resolves when what arrived is handed over and what was published is sent. From then on, publish is refused. */
export async function drained({ subscriptions, publishing, flush, link, isOver }: Draining): Promise<void> {
  const subs = [...subscriptions];
  subscriptions.unsubscribe();
  // a round trip: what the server sent before it knew is here then. Without a link there is nothing to come.
  await flush().catch(() => undefined);
  for (const sub of subs) sub.finish();
  await Promise.all([...subs, ...subscriptions.ending].map((sub) => sub.handedOver()));
  while (!isOver()) {
    // what is kept from an outage wants a link
    if (publishing.link === undefined && publishing.outbox.messages > 0) await link();
    publishing.refuse(DrainingConnectionError);
    if (publishing.link === undefined) return;
    try {
      return await flush();
    } catch {
      // the link broke: what is whole goes over the next one
    }
  }
}
