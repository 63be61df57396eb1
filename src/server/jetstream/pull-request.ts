// Pull request: reads the body of a request for messages, and says what is wrong with it in the words of a status.
import type { ConsumerConfig } from "../../protocol/jetstream/consumer.ts";
import { goDurationText } from "../go-text.ts";
import { decodeLoosely, type GoStruct } from "./go-json.ts";
import type { Pull } from "./pull.ts";
import { msOf } from "./serving.ts";

const REQUEST: GoStruct = {
  // errors of this one don't name it
  go: "",
  fields: {
    expires: "time.Duration",
    batch: "int",
    max_bytes: "int",
    no_wait: "bool",
    idle_heartbeat: "time.Duration",
    group: "string",
    min_pending: "int64",
    min_ack_pending: "int64",
    id: "string",
    priority: "int",
  },
};

interface Asked {
  expires?: number;
  batch?: number;
  max_bytes?: number;
  no_wait?: boolean;
  idle_heartbeat?: number;
  group?: string;
  min_pending?: number;
  min_ack_pending?: number;
  id?: string;
  priority?: number;
}

/** What a request asks for; a text is the status line that refuses it. `pinned`: the id of the pinned client, where there is one. */
export function readPull(
  inbox: string,
  body: string,
  config: ConsumerConfig,
  pinned: string,
  now: number,
): Pull | string {
  const text = body.trim();
  const grouped = text.startsWith("{");
  let asked: Asked;
  try {
    asked = grouped ? decodeLoosely(REQUEST, text) : { batch: /^[+-]?\d+$/.test(text) ? Number(text) : 1 };
  } catch (error) {
    return `400 Bad Request - ${(error as Error).message}`;
  }
  // a batch of none is as good as one of one
  const { batch = 0, expires = 0, max_bytes = 0, idle_heartbeat = 0, priority = 0, id = "" } = asked;
  if (idle_heartbeat > 0 && 2 * idle_heartbeat > expires)
    return "400 Bad Request - heartbeat value too large";
  const refused =
    beyond(config, batch, expires, max_bytes) ?? (grouped ? misplaced(config, asked, pinned) : undefined);
  if (refused !== undefined) return refused;
  const heartbeat = msOf(idle_heartbeat);
  return {
    inbox,
    left: batch,
    bytes: max_bytes,
    expires: expires === 0 ? Infinity : now + msOf(expires),
    noWait: asked.no_wait === true,
    heartbeat,
    beat: heartbeat > 0 ? now + heartbeat : Infinity,
    sent: 0,
    grouped,
    minPending: asked.min_pending ?? 0,
    minAckPending: asked.min_ack_pending ?? 0,
    id,
    priority,
  };
}

// More than the consumer gives at once?
function beyond(config: ConsumerConfig, batch: number, expires: number, bytes: number): string | undefined {
  const { max_batch = 0, max_expires = 0, max_bytes = 0 } = config;
  if (max_batch > 0 && batch > max_batch) return `409 Exceeded MaxRequestBatch of ${max_batch}`;
  if (max_expires > 0 && expires > max_expires) {
    return `409 Exceeded MaxRequestExpires of ${goDurationText(msOf(max_expires))}`;
  }
  if (max_bytes > 0 && bytes > max_bytes) return `409 Exceeded MaxRequestMaxBytes of ${max_bytes}`;
  return undefined;
}

// Of the wrong group, or with wishes that its policy doesn't know?
function misplaced(config: ConsumerConfig, asked: Asked, pinned: string): string | undefined {
  const { priority_policy = "none", priority_groups = [] } = config;
  const { group = "", min_pending = 0, min_ack_pending = 0, id = "", priority = 0 } = asked;
  if (min_pending + min_ack_pending !== 0 && priority_policy !== "overflow") {
    return "400 Bad Request - Not a Overflow Priority consumer";
  }
  if (id !== "" && priority_policy !== "pinned_client") {
    return "400 Bad Request - Not a Pinned Client Priority consumer";
  }
  if (priority < 0 || priority > 9) return "400 Bad Request - Priority must be between 0 and 9";
  if (priority_policy === "none") return undefined;
  if (group === "") return "400 Bad Request - Priority Group missing";
  if (!priority_groups.includes(group)) return "400 Bad Request - Invalid Priority Group";
  if (id !== "" && pinned !== "" && id !== pinned) return "423 Nats-Pin-Id mismatch";
  return undefined;
}
