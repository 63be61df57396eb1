// Enable: gives an account its JetStream, or its refusals.
import type { Account } from "../account.ts";
import { apiOf } from "./api.ts";
import { consumerVerbs } from "./consumer-api.ts";
import { JetStream, type Surroundings } from "./jetstream.ts";
import { refuse } from "./refusal.ts";
import { revive } from "./revive.ts";
import { streamVerbs } from "./stream-api.ts";
import type { Verb } from "./verb.ts";

/** What every account has. */
export const accountVerbs: readonly Verb[] = [...streamVerbs, ...consumerVerbs];

/** Of the system account, which has no JetStream. */
export const systemVerbs: readonly Verb[] = [
  { subject: "INFO", type: "account_info", handle: () => refuse(10039) },
  { subject: ">", type: "system", handle: () => refuse(10039) },
];

/** JetStream of an account, with what its storage still has. */
export function enableJetStream(account: Account, around: Surroundings, verbs: readonly Verb[]): JetStream {
  const js = new JetStream(account, around);
  for (const subscription of apiOf(js, verbs)) account.router.add(subscription);
  for (const kept of js.storage.recover()) revive(js, kept);
  return js;
}
