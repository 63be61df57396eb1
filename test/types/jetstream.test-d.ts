// Types of isonats/jetstream as programs meet them; compiled only.
import type { NatsConnection } from "../../src/index.node.ts";
import {
  AckPolicy,
  type Advisory,
  type ConsumerConfig,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
  type StreamInfo,
} from "../../src/jetstream/index.ts";
import { type Equals, holds } from "./equals.ts";

declare const nc: NatsConnection;
declare const jsm: JetStreamManager;
declare const advisory: Advisory;
declare const info: StreamInfo;

holds<Equals<ReturnType<typeof jetstreamManager>, Promise<JetStreamManager>>>();
holds<Equals<AckPolicy, "none" | "all" | "explicit" | "flow_control">>();

// enumerations are values, types, and the words themselves
const consumer: ConsumerConfig = { ack_policy: AckPolicy.All, deliver_policy: "new" };
void jetstreamManager(nc, { domain: "hub" }).then(({ consumers }) => consumers.add("S", consumer));

// a fetched configuration is fit for an update, null takes a field back, a name is not for change
void jsm.streams.update("S", { description: null, max_msgs: 3 });
void jsm.streams.addOrUpdate({ ...info.config, max_msgs: 3 });
// @ts-expect-error -- there is no such field
void jsm.streams.update("S", { max_mesages: 3 });
// @ts-expect-error -- no such word
const wrong: StreamConfig = { name: "S", retention: "forever" };
void wrong;
// @ts-expect-error -- a stream has a name
void jsm.streams.add({ subjects: ["a"] });
// @ts-expect-error -- pause needs a time
void jsm.consumers.pause("S", "c");
// @ts-expect-error -- direct gets have no form without headers
void jsm.direct.getMessage("S", { seq: 1, no_hdr: true });

// the kind of an advisory says which fields it has
if (advisory.kind === "max_deliver") {
  const deliveries: number = advisory.data.deliveries;
  void deliveries;
}
// @ts-expect-error -- not every advisory has them
void advisory.data.deliveries;
