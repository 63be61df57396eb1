// Fast batches: messages that are stored as they come, with an acknowledgement for many. The reply subject says which message it is:
//
//   <prefix>.<batch id>.<flow>.<gap ok|fail>.<seq>.<op>.$FI      op 0 start, 1 append, 2 last, 3 end, 4 ping
//
// Owned by stream.
import { goJson } from "../go-text.ts";
import type { Arrival } from "./arrival.ts";
import { checkRoom, drafted, Duplicate } from "./draft.ts";
import { refuseExtra } from "./extra-refusal.ts";
import { OpenBatches } from "./open-batches.ts";
import { Refusal, refuse } from "./refusal.ts";
import type { Stream } from "./stream.ts";

const LONGEST_ID = 64;
const OPEN = 1000;
const OPEN_IN_ALL = 50_000;
const FLOW = 10;
const MOST_FLOW = 500;

const [START, APPEND, LAST, END, PING] = [0, 1, 2, 3, 4] as const;

interface Batch {
  /** of the last message */
  seq: number;
  /** of the last acknowledgement */
  acked: number;
  /** messages for each acknowledgement */
  each: number;
  readonly flow: number;
  readonly goesOn: boolean;
}

interface Step {
  readonly id: string;
  readonly flow: number;
  readonly goesOn: boolean;
  readonly seq: number;
  readonly op: number;
}

export class FastBatches {
  readonly #stream: Stream;
  readonly #open: OpenBatches<Batch>;

  constructor(stream: Stream) {
    this.#stream = stream;
    const { clock, openBatches } = stream.home;
    this.#open = new OpenBatches(clock, openBatches.fast, OPEN, OPEN_IN_ALL, () => {});
  }

  /** Take the next message of a batch. @throws {Refusal} */
  take(arrival: Arrival, reply: string): void {
    if (this.#stream.config.allow_batched !== true) refuse(10205);
    const step = read(reply);
    const batch = this.#batchOf(step, reply);
    const { seq, op, id } = step;
    const expected = batch.seq + 1;
    // a ping is behind all that was sent
    const got = op === PING ? seq + 1 : seq;
    if (got > expected || (got < expected && op !== PING)) {
      this.#say(reply, { type: "gap", last_seq: expected, seq: got });
      if (!batch.goesOn || got < expected) return this.#commit(id, batch, reply);
      batch.seq = got - 1;
    }
    if (op === PING) return this.#say(reply, { type: "ack", seq: batch.acked, msgs: batch.each });
    if (op === END) return this.#commit(id, batch, reply);
    const failed = this.#store(arrival, seq, batch, reply);
    if (failed !== undefined) {
      if (!batch.goesOn && seq === 1) {
        this.#open.delete(id);
        throw failed;
      }
      this.#say(reply, { type: "err", seq, error: failed.wire });
      if (!batch.goesOn || op === LAST) return this.#commit(id, batch, reply);
    }
    batch.seq = seq;
    if (op === LAST) return this.#commit(id, batch, reply);
    if (failed === undefined && seq >= batch.acked + batch.each) this.#acknowledge(batch, seq, reply);
  }

  #batchOf({ id, flow, goesOn, seq, op }: Step, reply: string): Batch {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    if (seq !== 1 || op === PING) refuseExtra(10208);
    if (this.#open.full) refuseExtra(10211);
    const batch = { seq: 0, acked: 0, each: 1, flow, goesOn };
    this.#open.add(id, batch);
    if (this.#open.size === 1) batch.each = Math.min(flow, MOST_FLOW);
    if (op === START) this.#say(reply, { type: "ack", seq: 0, msgs: batch.each });
    return batch;
  }

  // Why it was not stored, if it was not.
  #store(arrival: Arrival, seq: number, batch: Batch, reply: string): Refusal | undefined {
    const stream = this.#stream;
    try {
      const draft = drafted(arrival, stream);
      if (draft instanceof Duplicate) {
        if (read(reply).op === LAST) this.#acknowledge(batch, seq, reply);
        return undefined;
      }
      if (stream.keeps(draft.subject)) checkRoom(draft, stream);
      stream.keep(draft);
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
    return undefined;
  }

  // There is more room for each, up to its share.
  #acknowledge(batch: Batch, seq: number, reply: string): void {
    const share = Math.max(1, Math.floor(MOST_FLOW / this.#open.size));
    batch.each = Math.min(2 * batch.each, batch.flow, share);
    batch.acked = seq;
    this.#say(reply, { type: "ack", seq, msgs: batch.each });
  }

  #commit(id: string, { seq }: Batch, reply: string): void {
    this.#open.delete(id);
    const more = `,"batch":${JSON.stringify(id)},"count":${seq}`;
    this.#stream.answer(reply, this.#stream.ack(this.#stream.lastSeq, more));
  }

  #say(reply: string, frame: object): void {
    this.#stream.answer(reply, goJson(frame));
  }

  /** Those that go on do so no more. */
  stop(): void {
    this.#open.clear();
  }
}

// @throws {Refusal} 10206, 10207
function read(reply: string): Step {
  const [id = "", flow = "", gap = "", number = "", code = ""] = reply.split(".").slice(-6);
  const seq = /^\d+$/.test(number) ? Number(number) : 0;
  const op = /^[0-4]$/.test(code) ? Number(code) : -1;
  const fits = op === START ? seq === 1 : op === APPEND ? seq > 1 : op === END ? seq > 1 : op >= 0;
  if ((gap !== "ok" && gap !== "fail") || seq === 0 || !fits) refuseExtra(10206);
  if (id.length > LONGEST_ID) refuseExtra(10207);
  return { id, flow: Number(flow) > 0 ? Number(flow) : FLOW, goesOn: gap === "ok", seq, op };
}
