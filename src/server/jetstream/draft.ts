// Draft: a message that may be stored: what was checked, in the order in which the server checks it.
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import { type Arrival, INCREMENT } from "./arrival.ts";
import { withHeaders, withoutHeaders } from "../header-block.ts";
import { refuse } from "./refusal.ts";
import type { Plan } from "./schedule.ts";
import type { Schedules } from "./schedules.ts";
import type { Store } from "./store.ts";
import type { Stored } from "./stored.ts";
import type { Counter } from "./stream-extras.ts";
import { TTL, ttlOf } from "./ttl.ts";

export interface Draft extends Plan {
  readonly subject: string;
  readonly header: Uint8Array;
  readonly data: Uint8Array;
  /** message id; `""` for none */
  readonly id: string;
  /** what is replaced by it */
  readonly rollup: "" | "sub" | "all";
  /** milliseconds; 0: none; NaN where it can't be read, which is refused when it comes to storing */
  readonly ttl: number;
  /** the sum, of a counter */
  readonly value?: bigint | undefined;
}

/** What a message is checked against: a stream, or a stream with the part of a batch before it. */
export interface View {
  readonly config: StreamConfig;
  readonly store: Store;
  /** undefined where the server has none, as are the next */
  readonly schedules: Schedules | undefined;
  readonly counter: Counter | undefined;
  readonly messages: number;
  readonly bytes: number;
  /** there is no room for anything */
  readonly full: boolean;
  readonly lastSeq: number;
  /** id of the last message */
  readonly lastId: string;
  /** sequence of the last message that matches, 0 where there is none */
  lastOf(filter: string): number;
  /** the last message of exactly this subject */
  latest(subject: string): Pick<Stored, "header" | "data"> | undefined;
  /** how many of exactly this subject there are */
  countOf(subject: string): number;
  /** a batch looks first at what is expected to be the last, and takes it of its first message only. @throws {Refusal} 10071, 10164 */
  expectLast?(text: string): void;
  /** sequence of the message that had this id */
  seqOfId(id: string): number | undefined;
}

/** It is there already, as this sequence. */
export class Duplicate {
  readonly seq: number;

  constructor(seq: number) {
    this.seq = seq;
  }
}

const LARGEST_HEADER = 65_535;

/** @throws {Refusal} 10054, 10097 */
export function checkSize(
  { header, data }: Pick<Arrival, "header" | "data">,
  { config: { max_msg_size: largest = -1 } }: View,
): void {
  if (largest >= 0 && header.length + data.length > largest) refuse(10054);
  if (header.length > LARGEST_HEADER) refuse(10097);
}

/** @throws {Refusal} */
export function drafted(arrival: Arrival, view: View): Draft | Duplicate {
  checkSize(arrival, view);
  const { subject, asks } = arrival;
  const { config } = view;
  const { allow_msg_counter: counts } = config;
  let { header } = arrival;
  let id = "";
  let rollup: Draft["rollup"] = "";
  let ttl = 0;
  let by: bigint | undefined;
  let plan: Plan | undefined;
  if (asks.size > 0) {
    const ask = (name: string): string => asks.get(name) ?? "";
    if (view.counter !== undefined) by = view.counter.increment(arrival, view);
    else if (ask(INCREMENT) !== "") refuse(10168);
    const stream = ask("Nats-Expected-Stream");
    if (stream !== "" && stream !== config.name) refuse(10060);
    // one that is none is refused when all else is well
    if (config.allow_msg_ttl !== true && ttlOf(ask(TTL)) !== undefined) refuse(10166);
    expectSequences(arrival, view);
    if (config.allow_msg_schedules === true) plan = view.schedules?.plan(arrival);
    else if (ask("Nats-Schedule") !== "") refuse(10188);
    if (asks.has("Nats-Stream-Source")) refuse(10227);
    id = ask("Nats-Msg-Id");
    const seen = id === "" ? undefined : view.seqOfId(id);
    if (seen !== undefined) return new Duplicate(seen);
    const lastId = ask("Nats-Expected-Last-Msg-Id");
    if (lastId !== "" && lastId !== view.lastId) refuse(10070, { id: view.lastId });
    rollup = rollupOf(ask("Nats-Rollup"), config);
    if (ask(TTL) !== "") ttl = ttlOf(ask(TTL)) ?? NaN;
  }
  if (plan?.schedule !== undefined && rollup === "") {
    rollup = "sub";
    header = withHeaders(header, [["Nats-Rollup", "sub"]]);
  }
  if (counts === true && by === undefined) refuse(10169);
  // seconds
  const marker = Math.floor((config.subject_delete_marker_ttl ?? 0) / 1e9);
  if (ttl > 0 && ttl < marker * 1000 && config.max_msgs_per_subject !== 1) {
    ttl = marker * 1000;
    const others = withoutHeaders(header, (name) => name === TTL);
    header = withHeaders(others, [[TTL, marker]]);
  }
  const counted = by === undefined ? undefined : view.counter?.counted(subject, header, by, view);
  return { subject, header, data: arrival.data, id, rollup, ttl, ...counted, ...plan };
}

/** @throws {Refusal} 10077 */
export function refuseMore(what: string): never {
  return refuse(10077, { err: `maximum ${what} exceeded` });
}

/** @throws {Refusal} 10023, 10165 */
export function checkStorable({ ttl }: Draft, view: View): void {
  if (view.full) refuse(10023);
  if (Number.isNaN(ttl)) refuse(10165);
}

/** May it be stored? Only some streams refuse when they are full. @throws {Refusal} 10023, 10077, 10165 */
export function checkRoom(draft: Draft, view: View): void {
  checkStorable(draft, view);
  const { subject, header, data, rollup } = draft;
  const {
    discard,
    max_msgs = -1,
    max_bytes = -1,
    max_msgs_per_subject: perSubject = -1,
    discard_new_per_subject: refuseSubject,
  } = view.config;
  if (discard !== "new") return;
  const { store } = view;
  // the message that this one replaces
  let replaced: Stored | undefined;
  if (perSubject > 0 && view.countOf(subject) >= perSubject) {
    if (refuseSubject === true && rollup === "") {
      refuseMore("messages per subject");
    }
    replaced = store.next([subject], 0);
  }
  if (max_msgs > 0 && view.messages >= max_msgs && replaced === undefined) {
    refuseMore("messages");
  }
  if (max_bytes > 0) {
    const size = store.size(subject, header, data);
    const freed = replaced ? store.size(subject, replaced.header, replaced.data) : 0;
    if (view.bytes + size > max_bytes && freed < size) refuseMore("bytes");
  }
}

function expectSequences({ subject, asks }: Arrival, view: View): void {
  const last = asks.get("Nats-Expected-Last-Sequence") ?? "";
  if (last !== "") view.expectLast?.(last);
  const bySubject = asks.get("Nats-Expected-Last-Subject-Sequence");
  const filter = asks.get("Nats-Expected-Last-Subject-Sequence-Subject") ?? "";
  if (bySubject !== undefined && bySubject !== "") {
    expectSeq(bySubject, view.lastOf(filter === "" ? subject : filter));
  } else if (filter !== "") refuse(10193);
  if (last !== "") expectSeq(last, view.lastSeq);
}

/** @throws {Refusal} 10071 */
export function expectSeq(text: string, seq: number): void {
  if (!/^\d+$/.test(text) || Number(text) !== seq) refuse(10071, { seq });
}

/** @throws {Refusal} 10111 */
export function rollupOf(text: string, { allow_rollup_hdrs: allowed }: StreamConfig): Draft["rollup"] {
  if (text === "") return "";
  if (allowed !== true) refuse(10111, { err: "rollup not permitted" });
  const value = text.toLowerCase();
  if (value !== "sub" && value !== "all") refuse(10111, { err: `rollup value invalid: "${text}"` });
  return value;
}
