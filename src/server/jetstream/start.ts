// Start: where a consumer begins, as its deliver policy says, in the stream as it is.
import type { ConsumerConfig } from "../../protocol/jetstream/consumer.ts";
import { timeOf } from "../go-time.ts";
import type { StoreReader } from "./store.ts";
import type { Filters } from "./stored.ts";

/** Where to begin. */
export interface Start {
  /** the first sequence to look at */
  readonly seq: number;
  /** Only these first, ascending. What follows them is at and behind `resume`. */
  readonly picked: number[];
  readonly resume: number;
}

export function startOf(config: ConsumerConfig, store: StoreReader, filters: Filters): Start {
  const first = Math.max(1, store.firstSeq);
  const last = Math.max(first, store.lastSeq);
  const end = Math.max(first, store.lastSeq + 1);
  const at = (seq: number): Start => ({ seq, picked: [], resume: seq });
  switch (config.deliver_policy) {
    case "last":
      return at(store.last(filters)?.seq ?? first);
    case "new":
      return at(end);
    case "by_start_sequence":
      return at(Math.max(first, config.opt_start_seq ?? 0));
    case "by_start_time":
      return at(store.seqAt(timeOf(config.opt_start_time ?? "")));
    case "last_per_subject": {
      const picked = store.lastOfEach(filters);
      return { seq: picked[0] ?? last, picked, resume: end };
    }
    default:
      return at(first);
  }
}
