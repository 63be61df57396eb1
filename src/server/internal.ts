// Internal: a subscription of the server's own.
import type { Subscriber } from "./account.ts";
import type { Message } from "./message.ts";

/** A subscription to put into the router of an account. `queue`: one of several gets each message */
export function internal(subject: string, handle: (message: Message) => void, queue = ""): Subscriber {
  return {
    subject,
    queue,
    deliver(message) {
      handle(message);
      return true;
    },
  };
}
