// Atomic batches: messages that are stored together or not at all. They wait until the last of them has come. Owned by stream.
import { type Arrival, BATCH_ID, INCREMENT } from "./arrival.ts";
import { BatchView } from "./batch-view.ts";
import { checkStorable, type Draft, drafted, Duplicate, refuseMore } from "./draft.ts";
import { refuseExtra } from "./extra-refusal.ts";
import { withHeaders } from "../header-block.ts";
import { OpenBatches } from "./open-batches.ts";
import { refuse } from "./refusal.ts";
import type { Stream } from "./stream.ts";
import { TTL, ttlOf } from "./ttl.ts";
import { isBeyondLevel } from "../version.ts";

const COMMIT = "Nats-Batch-Commit";
const LONGEST_ID = 64;
const LARGEST = 1000;
const OPEN = 50;
const OPEN_IN_ALL = 1000;

export class AtomicBatches {
  readonly #stream: Stream;
  readonly #open: OpenBatches<Arrival[]>;

  constructor(stream: Stream) {
    this.#stream = stream;
    const { clock, openBatches } = stream.home;
    const idle = (id: string): void => this.#abandon(id, "timeout");
    this.#open = new OpenBatches(clock, openBatches.atomic, OPEN, OPEN_IN_ALL, idle);
  }

  /** Take the next message of a batch. What its publisher is told: nothing but that it came, until the batch is stored. @throws {Refusal} */
  take(arrival: Arrival): string {
    const { asks } = arrival;
    if (this.#stream.config.allow_atomic !== true) refuse(10174);
    const id = asks.get(BATCH_ID) as string;
    if (id.length > LONGEST_ID) refuseExtra(10179);
    const text = asks.get("Nats-Batch-Sequence") ?? "";
    const seq = /^\d+$/.test(text) ? Number(text) : refuseExtra(10175);
    const commit = asks.get(COMMIT);
    let batch = this.#open.get(id);
    if (seq > LARGEST && commit !== "eob") {
      if (batch !== undefined) this.#abandon(id, "large");
      refuseExtra(10199, { size: LARGEST });
    }
    if (batch === undefined) {
      if (seq !== 1) refuseExtra(10176);
      if (this.#open.full) refuseExtra(10210);
      this.#open.add(id, (batch = []));
    }
    if (commit !== undefined && commit !== "1" && commit !== "eob") {
      this.#open.delete(id);
      refuseExtra(10200);
    }
    if (isBeyondLevel(arrival.header)) {
      this.#abandon(id, "unsupported");
      refuse(10185);
    }
    if (seq !== batch.length + 1 || (commit === "eob" && seq === 1)) {
      this.#abandon(id, "incomplete");
      refuseExtra(10176);
    }
    if (commit !== "eob") batch.push(arrival);
    if (commit === undefined) return "";
    this.#open.delete(id);
    return this.#commit(id, batch, commit === "eob");
  }

  #commit(id: string, arrivals: readonly Arrival[], marked: boolean): string {
    const stream = this.#stream;
    const view = new BatchView(stream);
    for (const [i, arrival] of arrivals.entries()) {
      const last = marked && i === arrivals.length - 1;
      view.add(draftOf(last ? committing(arrival) : arrival, view));
    }
    let seq = 0;
    for (const draft of view.drafts) seq = stream.keep(draft);
    return stream.ack(seq, `,"batch":${JSON.stringify(id)},"count":${arrivals.length}`);
  }

  #abandon(batch: string, reason: string): void {
    this.#open.delete(batch);
    const { home, name: stream } = this.#stream;
    home.advise(`ADVISORY.STREAM.BATCH_ABANDONED.${stream}`, "advisory.v1.stream_batch_abandoned", {
      stream,
      batch,
      reason,
    });
  }

  /** Those that are open are forgotten, without a word. */
  stop(): void {
    this.#open.clear();
  }
}

function committing(arrival: Arrival): Arrival {
  return { ...arrival, header: withHeaders(arrival.header, [[COMMIT, 1]]) };
}

function draftOf(arrival: Arrival, view: BatchView): ReturnType<BatchView["drafts"]["slice"]>[number] {
  const { asks, subject } = arrival;
  const { config, drafts } = view;
  const ask = (name: string): string => asks.get(name) ?? "";
  const unfit = "Nats-Expected-Last-Msg-Id";
  if (ask(unfit) !== "") refuseExtra(10177, { header: unfit });
  view.counter?.increment(arrival, view);
  if (!["", config.name].includes(ask("Nats-Expected-Stream"))) refuse(10060);
  // of these a single message is asked later
  if (ask(TTL) !== "") {
    if (config.allow_msg_ttl !== true) refuse(10166);
    if (ttlOf(ask(TTL)) === undefined) refuse(10165);
  }
  if (ask("Nats-Msg-Id") !== "" && view.seqOfId(ask("Nats-Msg-Id")) !== undefined) refuseExtra(10201);
  if (asks.has("Nats-Stream-Source")) refuse(10227);
  if (config.allow_msg_counter === true && ask(INCREMENT) === "") refuse(10169);
  const draft = drafted(arrival, view);
  if (draft instanceof Duplicate) return refuseExtra(10201);
  if (drafts.length > 0 && draft.rollup === "all") refuse(10111, { err: "batch rollup all invalid" });
  if (draft.rollup === "sub" && view.has(subject)) refuse(10111, { err: "batch rollup sub invalid" });
  checkStorable(draft, view);
  checkRoom(draft, view);
  return draft;
}

// There must be room for all of them, whatever each replaces.
function checkRoom({ subject, header, data, rollup }: Draft, view: BatchView): void {
  const { config, store } = view;
  const { max_msgs = -1, max_bytes = -1, max_msgs_per_subject: perSubject = -1 } = config;
  if (config.discard !== "new") return;
  if (max_msgs > 0 && view.messages >= max_msgs) refuseMore("messages");
  if (max_bytes > 0 && view.bytes + store.size(subject, header, data) > max_bytes) {
    refuseMore("bytes");
  }
  // a nats-server does not always count the part of the batch before it, and stores that part then
  if (config.discard_new_per_subject === true && rollup === "" && view.countOf(subject) >= perSubject) {
    refuseMore("messages per subject");
  }
}
