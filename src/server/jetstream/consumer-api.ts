// Consumer API: the calls that make, change, list and end consumers. A table for the dispatcher.
import { randomId } from "../../lib/random.ts";
import { subjectsCollide } from "../subjects.ts";
import { checkLevel } from "./api.ts";
import { Consumer } from "./consumer.ts";
import {
  checkConsumerConfig,
  checkConsumerUpdate,
  checkGroup,
  createConsumerRequest,
  filtersOf,
  type ServedConfig,
  wholeConsumerConfig,
  withPause,
} from "./consumer-config.ts";
import { byBytes, decode, decodeLoosely, type GoStruct } from "./go-json.ts";
import { goTime, NO_TIME } from "../go-text.ts";
import { timeOf } from "../go-time.ts";
import { shownMetadata } from "./metadata.ts";
import { refuse } from "./refusal.ts";
import type { ServedStream } from "./served.ts";
import { expectEmpty, LIST_LIMIT, NAMES_LIMIT, optionalBody, page } from "./stream-api.ts";
import type { Call, Handler, Verb } from "./verb.ts";

const LONGEST_NAME = 255;

const pagedRequest: GoStruct = { go: "server.JSApiConsumersRequest", fields: { offset: "int" } };
const pauseRequest: GoStruct = {
  go: "server.JSApiConsumerPauseRequest",
  fields: { pause_until: "time.Time" },
};
const unpinRequest: GoStruct = { go: "server.JSApiConsumerUnpinRequest", fields: { group: "string" } };
const resetRequest: GoStruct = { go: "server.JSApiConsumerResetRequest", fields: { seq: "uint64" } };

// All that is among the consumers of a stream was made here.
function find({ js, tokens: [stream = "", name = ""] }: Call): Consumer {
  return js.consumer(stream, name) as Consumer;
}

/** Its info, with the metadata that is made when it is shown. */
function shown(consumer: Consumer): object {
  const info = consumer.info();
  return { ...info, config: { ...info.config, metadata: shownMetadata(info.config.metadata) } };
}

// --- making and changing

interface CreateRequest {
  readonly stream_name?: string;
  readonly config?: ServedConfig;
  readonly action?: "create" | "update" | "";
  readonly pedantic?: boolean;
}

/** What the subject of a request says of names: `ephemeral` and `durable` are the old forms. */
type Form = "ephemeral" | "durable" | "named";

const create =
  (form: Form): Handler =>
  (call) => {
    const request = decode(createConsumerRequest, call.body) as CreateRequest;
    const [streamName = "", token = "", filter] = call.tokens;
    const { stream_name = "", config = {}, action = "", pedantic = false } = request;
    checkLevel(call.header);
    if (stream_name !== streamName) refuse(10056);
    const name = nameOf(form, token, config);
    if (filter !== undefined) {
      if (config.filter_subjects?.length) refuse(10137);
      if (filter !== config.filter_subject) refuse(10131);
    }
    if ((config.num_replicas ?? 0) > 1) refuse(10074);
    const stream = call.js.stream(streamName);
    const named = form === "ephemeral" ? config : { ...config, name };
    const existing = stream.consumers.get(name) as Consumer | undefined;
    const durable = Boolean((existing?.config ?? config).durable_name);
    const whole = wholeConsumerConfig(named, stream.config, pedantic, durable);
    checkConsumerConfig(whole, stream.config);
    if (existing !== undefined) return change(stream, existing, whole, action);
    if (action === "update") refuse(10149);
    const { max_consumers = -1 } = stream.config;
    if (max_consumers > 0 && stream.consumers.size >= max_consumers) refuse(10026);
    checkWorkQueue(stream, name, whole);
    // files have no such names
    if (name.length > LONGEST_NAME && stream.config.storage === "file" && !whole.mem_storage) {
      refuse(10012, { err: "error creating store for consumer" });
    }
    return shown(new Consumer(call.js, stream, name, whole, call.js.clock.now()));
  };

function change(stream: ServedStream, consumer: Consumer, config: ServedConfig, action: string): object {
  const { pause_until = "" } = consumer.config;
  const after = withPause(config, pause_until);
  if (JSON.stringify(after) === JSON.stringify(consumer.config)) return shown(consumer);
  if (action === "create") refuse(10148);
  checkConsumerUpdate(consumer.config, after, consumer.bound);
  checkWorkQueue(stream, consumer.name, after);
  consumer.update(after);
  return shown(consumer);
}

function nameOf(form: Form, token: string, { durable_name = "", name = "" }: ServedConfig): string {
  if (form === "durable" && durable_name === "") refuse(10018);
  if (form === "ephemeral" && durable_name !== "") refuse(10020);
  if (form !== "ephemeral" && durable_name !== "" && durable_name !== token) refuse(10017);
  const chosen = form === "ephemeral" ? name || randomId(8) : token;
  if (/[/\\]/.test(chosen)) refuse(10127);
  if (/[\s.*>]/.test(chosen)) {
    refuse(10052, { err: "consumer name can not contain '.', '*', '>', '\\', '/'" });
  }
  if (durable_name.length > LONGEST_NAME) refuse(10102);
  return chosen;
}

// A work queue has one consumer for each message.
function checkWorkQueue(stream: ServedStream, name: string, config: ServedConfig): void {
  if (stream.config.retention !== "workqueue" || config.direct) return;
  if (config.ack_policy !== "explicit" && config.ack_policy !== "flow_control") refuse(10098);
  if (config.deliver_policy !== "all") refuse(10101);
  const filters = filtersOf(config);
  for (const other of stream.consumers.values()) {
    if (other.name === name || !other.counts) continue;
    // an update may take the filter away
    if (filters.length === 0 && !stream.consumers.has(name)) refuse(10099);
    const theirs = other.filters.length > 0 ? other.filters : [">"];
    if (filters.some((filter) => theirs.some((one) => subjectsCollide(filter, one)))) refuse(10100);
  }
}

// --- lists

function pageOf(
  { js, tokens: [stream = ""], body }: Call,
  limit: number,
): { head: object; part: Consumer[] } {
  const { offset = 0 } = optionalBody(pagedRequest, body) as { offset?: number };
  const consumers = [...js.stream(stream).consumers.values()] as Consumer[];
  return page(
    consumers.sort((a, b) => byBytes(a.name, b.name)),
    offset,
    limit,
  );
}

const names: Handler = (call) => {
  const { head, part } = pageOf(call, NAMES_LIMIT);
  return { ...head, consumers: part.map(({ name }) => name) };
};

const list: Handler = (call) => {
  const { head, part } = pageOf(call, LIST_LIMIT);
  return { ...head, consumers: part.map((consumer) => consumer.info()) };
};

// --- what is done to one

const info: Handler = (call) => {
  expectEmpty(call.body);
  return shown(find(call));
};

const remove: Handler = (call) => {
  expectEmpty(call.body);
  find(call).delete();
  return { success: true };
};

const pause: Handler = (call) => {
  const { pause_until = "" } = optionalBody(pauseRequest, call.body) as { pause_until?: string };
  const until = pause_until === "" ? "" : goTime(timeOf(pause_until));
  checkLevel(call.header);
  const consumer = find(call);
  const now = call.js.clock.now();
  consumer.pause(withPause(consumer.config, until));
  const left = until === "" ? 0 : timeOf(until) - now;
  return {
    paused: left > 0,
    pause_until: until === "" ? NO_TIME : until,
    ...(left > 0 && { pause_remaining: Math.round(left * 1e6) }),
  };
};

// @throws {Refusal} 10025
function loosely(struct: GoStruct, body: string): Record<string, unknown> {
  try {
    return decodeLoosely(struct, body);
  } catch (error) {
    return refuse(10025, { err: (error as Error).message });
  }
}

const unpin: Handler = (call) => {
  const { group = "" } = loosely(unpinRequest, call.body) as { group?: string };
  if (group === "") refuse(10025, { err: "consumer group not specified" });
  checkGroup(group);
  if (!find(call).unpin(group)) refuse(10160);
  return {};
};

const reset: Handler = (call) => {
  const { js, tokens } = call;
  const [streamName = "", name = ""] = tokens;
  const stream = js.streams.get(streamName);
  const consumer = stream?.consumers.get(name) as Consumer | undefined;
  if (stream === undefined || consumer === undefined) return undefined;
  const { seq: asked = 0 } = loosely(resetRequest, call.body || "{}") as { seq?: number };
  const seq = asked === 0 ? consumer.floor + 1 : asked;
  if (asked !== 0) checkReset(stream, consumer.config, asked);
  consumer.reset(seq);
  return { ...shown(consumer), reset_seq: seq };
};

function checkReset(stream: ServedStream, config: ServedConfig, seq: number): void {
  const { deliver_policy, opt_start_seq = 0, opt_start_time = "" } = config;
  const no = (err: string): never => refuse(10204, { err });
  if (deliver_policy === "by_start_sequence") {
    if (seq < opt_start_seq) no("below start seq");
  } else if (deliver_policy === "by_start_time") {
    const message = stream.store.next([], seq);
    if (message !== undefined && message.time < timeOf(opt_start_time)) no("below start time");
  } else if (deliver_policy !== "all") no("not allowed");
}

const unpaused = { paused: false, pause_until: NO_TIME };
const paged = { total: 0, offset: 0, limit: 0, consumers: [] };

/** What is called behind `$JS.API.`. */
export const consumerVerbs: readonly Verb[] = [
  { subject: "CONSUMER.CREATE.*", type: "consumer_create", handle: create("ephemeral"), levelLater: true },
  { subject: "CONSUMER.CREATE.*.*", type: "consumer_create", handle: create("named"), levelLater: true },
  { subject: "CONSUMER.CREATE.*.*.>", type: "consumer_create", handle: create("named"), levelLater: true },
  {
    subject: "CONSUMER.DURABLE.CREATE.*.*",
    type: "consumer_create",
    handle: create("durable"),
    levelLater: true,
  },
  { subject: "CONSUMER.INFO.*.*", type: "consumer_info", handle: info },
  { subject: "CONSUMER.NAMES.*", type: "consumer_names", handle: names, zeros: paged },
  { subject: "CONSUMER.LIST.*", type: "consumer_list", handle: list, zeros: paged },
  { subject: "CONSUMER.DELETE.*.*", type: "consumer_delete", handle: remove },
  { subject: "CONSUMER.PAUSE.*.*", type: "consumer_pause", handle: pause, zeros: unpaused, levelLater: true },
  { subject: "CONSUMER.UNPIN.*.*", type: "consumer_unpin", handle: unpin },
  {
    subject: "CONSUMER.RESET.*.*",
    type: "consumer_reset",
    handle: reset,
    zeros: { reset_seq: 0 },
    counted: "none",
  },
];
