// All suites, in the order in which a starter runs them: a new suite is one more line in the list.
import type { TransportName } from "../fixtures/real-server.ts";
import { auth } from "./auth.ts";
import { connection, dialing } from "./connection.ts";
import { drain } from "./drain.ts";
import { refusals } from "./errors.ts";
import { flowControl } from "./flow-control.ts";
import type { Case, Need, Suite } from "./harness.ts";
import { messageHeaders } from "./headers.ts";
import { jetstreamBatch } from "./jetstream-batch.ts";
import { jetstreamFastIngest } from "./jetstream-fast-ingest.ts";
import { jetstreamOrdered, jetstreamPush } from "./jetstream-ordered.ts";
import { jetstreamPublish } from "./jetstream-publish.ts";
import { jetstreamPublisher, jetstreamPublisherCut } from "./jetstream-publisher.ts";
import { jetstreamConsume, jetstreamFetch } from "./jetstream-consume.ts";
import { jetstreamPriority } from "./jetstream-priority.ts";
import { jetstreamProcess } from "./jetstream-process.ts";
import { jetstreamMessages } from "./jetstream-messages.ts";
import { jetstreamAdvisories } from "./jetstream-advisories.ts";
import { jetstreamConsumers } from "./jetstream-consumers.ts";
import { jetstreamCounters } from "./jetstream-counters.ts";
import { jetstreamDirect } from "./jetstream-direct.ts";
import { jetstreamSchedules } from "./jetstream-schedules.ts";
import { jetstreamSnapshots } from "./jetstream-snapshots.ts";
import { jetstreamAbsent, jetstreamStreams } from "./jetstream-streams.ts";
import { kvBuckets } from "./kv-buckets.ts";
import { kvCodecs } from "./kv-codecs.ts";
import { kvEntries } from "./kv-entries.ts";
import { kvWatch } from "./kv-watch.ts";
import { limits } from "./limits.ts";
import { objBuckets, objObjects, objReading, objWatching } from "./obj.ts";
import { noEcho, publishSubscribe } from "./publish-subscribe.ts";
import { queueGroups } from "./queue-groups.ts";
import { reconnect } from "./reconnect.ts";
import { requestMany, requests } from "./requests.ts";
import { services, servicesElsewhere } from "./services.ts";
import { secureWebSocket, tls } from "./tls.ts";

const suites: readonly Suite[] = [
  connection,
  dialing,
  publishSubscribe,
  noEcho,
  queueGroups,
  messageHeaders,
  requests,
  requestMany,
  drain,
  flowControl,
  limits,
  refusals,
  auth,
  tls,
  secureWebSocket,
  reconnect,
  services,
  servicesElsewhere,
  jetstreamStreams,
  jetstreamAbsent,
  jetstreamPublish,
  jetstreamPublisher,
  jetstreamPublisherCut,
  jetstreamBatch,
  jetstreamMessages,
  jetstreamFetch,
  jetstreamConsume,
  jetstreamConsumers,
  jetstreamDirect,
  jetstreamSnapshots,
  jetstreamAdvisories,
  jetstreamFastIngest,
  jetstreamOrdered,
  jetstreamPush,
  jetstreamSchedules,
  jetstreamCounters,
  jetstreamProcess,
  jetstreamPriority,
  kvBuckets,
  kvCodecs,
  kvEntries,
  kvWatch,
  objBuckets,
  objObjects,
  objReading,
  objWatching,
];

/** A case as starters see it: its name begins with that of its suite. */
export interface NamedCase {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly run: Case;
}

// what stands on the connection does not see TLS: one cell of the matrix shows that, the others are spared it
const STREAMS: readonly TransportName[] = ["tcp", "ws"];

/** The cases of all suites that are about this transport; with `all` also of those that TLS is nothing to. */
export function casesOver(transport: TransportName, all = false): NamedCase[] {
  return suites
    .filter(({ needs, over = !all && needs?.includes("jetstream") ? STREAMS : undefined }) => {
      return over?.includes(transport) ?? true;
    })
    .flatMap(({ name, needs = [], cases }) =>
      Object.entries(cases).map(([title, run]) => ({ name: `${name}: ${title}`, needs, run })),
    );
}
