// All suites, in the order in which a starter runs them.
import { connection, dialing } from "./connection.ts";
import { drain } from "./drain.ts";
import { refusals } from "./errors.ts";
import { flowControl } from "./flow-control.ts";
import type { Suite } from "./harness.ts";
import { messageHeaders } from "./headers.ts";
import { limits } from "./limits.ts";
import { noEcho, publishSubscribe } from "./publish-subscribe.ts";
import { queueGroups } from "./queue-groups.ts";
import { reconnect } from "./reconnect.ts";
import { requestMany, requests } from "./requests.ts";

export const suites: readonly Suite[] = [
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
  reconnect,
];
