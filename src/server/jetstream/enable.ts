// Enable: gives an account its JetStream, or its refusals.
import type { Account } from "../account.ts";
import { lacking } from "../lacking.ts";
import { apiOf } from "./api.ts";
import { consumerVerbs } from "./consumer-api.ts";
import { JetStream, type Surroundings } from "./jetstream.ts";
import { refuse } from "./refusal.ts";
import { revive } from "./revive.ts";
import { streamVerbs } from "./stream-api.ts";
import type { Verb } from "./verb.ts";

// of the system account, which has no JetStream
const systemVerbs: readonly Verb[] = [
  { subject: "INFO", type: "account_info", handle: () => refuse(10039) },
  { subject: ">", type: "system", handle: () => refuse(10039) },
];

// in place of the calls that only the extras have
const lackingVerbs: readonly Verb[] = [
  {
    subject: "STREAM.SNAPSHOT.*",
    type: "stream_snapshot",
    handle: () => refuse(10064, { err: lacking("snapshots") }),
  },
  {
    subject: "STREAM.RESTORE.*",
    type: "stream_restore",
    handle: () => refuse(10062, { err: lacking("snapshots") }),
  },
];

/** JetStream of an account, with what its storage still has. `isSystem`: it is the system account. */
export function enableJetStream(account: Account, around: Surroundings, isSystem: boolean): JetStream {
  const { verbs = lackingVerbs } = around.extras ?? {};
  const js = new JetStream(account, around);
  for (const subscription of apiOf(js, isSystem ? systemVerbs : [...verbs, ...streamVerbs, ...consumerVerbs]))
    account.router.add(subscription);
  for (const kept of js.storage.recover()) revive(js, kept);
  return js;
}
