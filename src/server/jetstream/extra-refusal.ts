// Extra refusal: the refusals that only the extras have a use for. The others are in refusal.
import { Refusal, type RefusalParams } from "./refusal.ts";

const REFUSALS = {
  10130: "400 stream name already in use, cannot restore",
  10175: "400 atomic publish sequence is missing",
  10176: "400 atomic publish batch is incomplete",
  10177: "400 atomic publish unsupported header used: {header}",
  10179: "400 atomic publish batch ID is invalid",
  10189: "400 message schedules pattern is invalid",
  10190: "400 message schedules target is invalid",
  10191: "400 message schedules invalid per-message TTL",
  10192: "400 message schedules invalid rollup",
  10199: "400 atomic publish batch is too large: {size}",
  10200: "400 atomic publish batch commit is invalid",
  10201: "400 atomic publish batch contains duplicate message id",
  10203: "400 message schedules source is invalid",
  10206: "400 batch publish pattern is invalid",
  10207: "400 batch publish ID is invalid",
  10208: "400 batch publish ID unknown",
  10210: "429 atomic publish too many inflight",
  10211: "429 batch publish too many inflight",
  10212: "400 message schedules invalid scheduler",
  10223: "400 message schedules time zone is invalid",
} as const;

/** As `refuse`, with an entry of this table. @throws {Refusal} always */
export function refuseExtra(errCode: keyof typeof REFUSALS, params?: RefusalParams): never {
  throw new Refusal(errCode, REFUSALS[errCode], params);
}
