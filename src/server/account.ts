// Account: one subject space, apart from all others. Takes what is published to whoever has subscribed.
import { type Interest, Router } from "./router.ts";
import type { Message } from "./message.ts";

/** A subscription, of a connection or of the server itself. */
export interface Subscriber extends Interest {
  /** Hand the message over; false when it is not for this one (no echo, denied, gone), and a group asks another member. */
  deliver(message: Message): boolean;
}

export class Account {
  readonly name: string;
  readonly router: Router<Subscriber> = new Router();
  /** gives what is published another subject, or the same */
  mapped: ((subject: string) => string) | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Deliver a message, to who listens to its subject or to another one. How many got it. */
  publish(given: Message, to?: string): number {
    const message = this.mapped === undefined ? given : given.as(this.mapped(given.subject));
    const { plain, groups } = this.router.match(to ?? message.subject);
    let delivered = 0;
    for (const sub of plain) if (sub.deliver(message)) delivered++;
    for (const group of groups) if (deliverToOne(group, message)) delivered++;
    return delivered;
  }
}

// A random member, or the next one that takes it.
function deliverToOne(group: readonly Subscriber[], message: Message): boolean {
  const { length } = group;
  const start = length === 1 ? 0 : Math.floor(Math.random() * length);
  for (let i = 0; i < length; i++) {
    if ((group[(start + i) % length] as Subscriber).deliver(message)) return true;
  }
  return false;
}
