// Direct get: `$JS.API.DIRECT.GET.<stream>` answers with messages as they were stored. Owned by stream.
import { Empty, utf8Decoder } from "../../lib/bytes.ts";
import type { Subscriber } from "../account.ts";
import { goTime } from "../go-text.ts";
import { timeOf } from "../go-time.ts";
import { internal } from "../internal.ts";
import { Message } from "../message.ts";
import { isBeyondLevel } from "../version.ts";
import { decodeLoosely, type GoStruct } from "./go-json.ts";
import { withHeaders } from "../header-block.ts";
import type { Home } from "./home.ts";
import type { StoreReader } from "./store.ts";
import type { Filters, Stored } from "./stored.ts";

export interface MsgGetRequest {
  readonly seq?: number;
  readonly last_by_subj?: string;
  readonly next_by_subj?: string;
  readonly batch?: number;
  readonly max_bytes?: number;
  readonly start_time?: string;
  readonly multi_last?: readonly string[];
  readonly up_to_seq?: number;
  readonly up_to_time?: string;
  readonly no_hdr?: boolean;
}

/** Of direct gets, and of those through the API. */
export const msgGetRequest: GoStruct = {
  go: "server.JSApiMsgGetRequest",
  fields: {
    seq: "uint64",
    last_by_subj: "string",
    next_by_subj: "string",
    batch: "int",
    max_bytes: "int",
    start_time: "time.Time",
    multi_last: { list: "string" },
    up_to_seq: "uint64",
    up_to_time: "time.Time",
    no_hdr: "bool",
  },
};

// subjects that one request may get the last message of
const MOST = 1024;

interface Answering {
  readonly name: string;
  readonly home: Home;
  readonly store: StoreReader;
}

// a stream, and the mirrors that answer for it
const GROUP = "_sys_";

/** The subscriptions with which a stream answers for itself, or for the one that it is the mirror of. */
export function directGet(stream: Answering, name: string): Subscriber[] {
  const root = `$JS.API.DIRECT.GET.${name}`;
  const answer = ({ subject, reply, header, data }: Message): void => {
    if (reply === "") return;
    const last = subject.slice(root.length + 1);
    for (const [block, body] of answers(stream, header, utf8Decoder.decode(data), last)) {
      stream.home.send(Message.of(reply, body, block));
    }
  };
  return [internal(root, answer, GROUP), internal(`${root}.>`, answer, GROUP)];
}

type Answer = readonly [header: Uint8Array | string, data: Uint8Array];

function status(line: string): Answer[] {
  return [[`NATS/1.0 ${line}\r\n\r\n`, Empty]];
}

function answers(stream: Answering, header: Uint8Array, body: string, subject: string): Answer[] {
  if (isBeyondLevel(header)) return status("412 Required Api Level");
  let request: MsgGetRequest;
  try {
    request = body === "" ? {} : decodeLoosely(msgGetRequest, body);
  } catch {
    return status("408 Malformed Request");
  }
  const { seq = 0, next_by_subj: next = "", batch = 0, start_time, multi_last = [], up_to_seq = 0 } = request;
  const { last_by_subj: given = "", up_to_time } = request;
  const multi = multi_last.length > 0;
  const last = subject === "" ? given : subject;
  const from = seq > 0 || start_time !== undefined;
  if (last === "" && next === "" && !from && !multi) return status("408 Empty Request");
  if (
    (subject !== "" && (given !== "" || up_to_seq > 0 || up_to_time !== undefined)) ||
    (last !== "" && (from || next !== "" || batch > 0 || multi)) ||
    (seq > 0 && start_time !== undefined) ||
    (next !== "" && multi) ||
    (up_to_seq > 0 && up_to_time !== undefined)
  ) {
    return status("408 Bad Request");
  }
  if (multi) return lastOfMany(stream, request);
  if (batch !== 0) return several(stream, request);
  const found = last === "" ? first(stream.store, request) : stream.store.last([last]);
  if (found === undefined) return status("404 Message Not Found");
  return [shown(stream, found, request.no_hdr === true)];
}

// Where to begin.
function first(store: StoreReader, request: MsgGetRequest): Stored | undefined {
  const { seq = 0, next_by_subj: next = "", start_time, batch = 0 } = request;
  const from = start_time === undefined ? seq : store.seqAt(timeOf(start_time));
  if (next === "" && batch === 0 && start_time === undefined) return store.get(seq);
  return store.next(next === "" ? [] : [next], from);
}

function shown(
  { name }: Answering,
  { subject, seq, header, data, time }: Stored,
  bare: boolean,
  more: readonly (readonly [string, number])[] = [],
): Answer {
  if (bare) return [Empty, data];
  const block = withHeaders(header, [
    ["Nats-Stream", name],
    ["Nats-Subject", subject],
    ["Nats-Sequence", seq],
    ["Nats-Time-Stamp", goTime(time)],
    ...more,
  ]);
  return [block, data];
}

function several(stream: Answering, request: MsgGetRequest): Answer[] {
  const { next_by_subj: next = "", batch = 0 } = request;
  const { store } = stream;
  const filters = next === "" ? [] : [next];
  const at = first(store, request);
  if (at === undefined) return status("404 Message Not Found");
  const messages = batch < 0 ? [] : following(store, filters, at);
  return inARow(stream, messages, store.count(filters, at.seq), request);
}

function* following(store: StoreReader, filters: Filters, first: Stored): Iterable<Stored> {
  for (let at: Stored | undefined = first; at !== undefined; at = store.next(filters, at.seq + 1)) yield at;
}

function lastOfMany(stream: Answering, request: MsgGetRequest): Answer[] {
  const { seq = 0, multi_last = [], start_time, up_to_time } = request;
  const { store } = stream;
  let { up_to_seq: upTo = 0 } = request;
  if (up_to_time !== undefined) upTo = store.seqAt(timeOf(up_to_time)) - 1;
  else if (upTo === 0) upTo = store.lastSeq;
  const least = start_time === undefined ? seq : store.seqAt(timeOf(start_time));
  const all = store.lastOfEach(multi_last, upTo);
  if (all.length > MOST) return status("413 Too Many Results");
  const found = all.filter((one) => one >= least).map((one) => store.get(one) as Stored);
  if (found.length === 0) return status("404 No Results");
  const whole = { ...request, no_hdr: false };
  return inARow(stream, found, found.length, whole, `Nats-UpTo-Sequence: ${upTo}\r\n`);
}

// One after the other, as many as may be, and what is left then.
function inARow(
  stream: Answering,
  messages: Iterable<Stored>,
  count: number,
  { batch = 0, max_bytes = 0, no_hdr: bare = false }: MsgGetRequest,
  more = "",
): Answer[] {
  const sent: Answer[] = [];
  let pending = count;
  let lastSeq = 0;
  let bytes = 0;
  for (const message of messages) {
    // what comes without headers is not counted
    if (!bare) pending--;
    const place = [["Nats-Num-Pending", pending] as const, ["Nats-Last-Sequence", lastSeq] as const];
    sent.push(shown(stream, message, bare, place));
    lastSeq = message.seq;
    bytes += size(message);
    if (sent.length === batch || (max_bytes > 0 && bytes >= max_bytes)) break;
  }
  const left = `Nats-Num-Pending: ${pending}\r\nNats-Last-Sequence: ${lastSeq}\r\n${more}`;
  return [...sent, [`NATS/1.0 204 EOB\r\n${left}\r\n`, Empty]];
}

function size({ subject, header, data }: Stored): number {
  return subject.length + header.length + data.length;
}
