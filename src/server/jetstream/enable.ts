// Enable: gives an account its JetStream.
import { internal } from "../internal.ts";
import type { Account } from "../account.ts";
import { Message } from "../message.ts";
import { API_PREFIX, apiOf } from "./api.ts";
import { consumerVerbs } from "./consumer-api.ts";
import { JetStream, type Surroundings } from "./jetstream.ts";
import { streamVerbs } from "./stream-api.ts";

/** JetStream of an account, with what its storage still has. */
export function enableJetStream(account: Account, around: Surroundings): JetStream {
  const js = new JetStream(account, around);
  account.router.add(apiOf(js, [...streamVerbs, ...consumerVerbs]));
  if (js.domain !== "") {
    const prefix = `$JS.${js.domain}.API.`;
    account.router.add(
      internal(`${prefix}>`, ({ subject, reply, header, data, sizes, origin }) => {
        const to = `${API_PREFIX}${subject.slice(prefix.length)}`;
        account.publish(new Message(to, reply, header, data, sizes, origin));
      }),
    );
  }
  return js;
}
