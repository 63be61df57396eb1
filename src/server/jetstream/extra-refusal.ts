// Extra refusal: the refusals that only the extras have a use for. The others are in refusal.
import { Refusal, type RefusalParams } from "./refusal.ts";

const REFUSALS = {
  10015: "400 deliver subject not valid",
  10021: "400 stream external api prefix {prefix} must not overlap with {subject}",
  10022: "400 stream external delivery prefix {prefix} overlaps with stream subject {subject}",
  10024: "400 stream external delivery prefix {prefix} must not contain wildcards",
  10030: "400 stream mirror must have max message size >= source",
  10031: "400 stream mirrors can not also contain other sources",
  10034: "400 stream mirrors can not contain subjects",
  10046: "400 stream source must have max message size >= target",
  10049: "500 {err}",
  10130: "400 stream name already in use, cannot restore",
  10140: "400 duplicate source configuration detected",
  10141: "400 sourced stream name is invalid",
  10142: "400 mirrored stream name is invalid",
  10143: "400 stream mirrors can not have first sequence configured",
  10144: "400 source with multiple subject transforms cannot also have a single subject filter",
  10145: "400 source transform source: {err}",
  10146: "400 source transform: {err}",
  10147: "400 source filters can not overlap",
  10150: "400 mirror with multiple subject transforms cannot also have a single subject filter",
  10151: "400 mirror transform source: {err}",
  10152: "400 mirror subject filters can not overlap",
  10154: "400 mirror transform: {err}",
  10164: "400 wrong last sequence",
  10170: "400 message counter has payload",
  10171: "400 message counter increment is invalid",
  10172: "400 message counter is broken",
  10173: "400 stream mirrors can not also calculate counters",
  10175: "400 atomic publish sequence is missing",
  10176: "400 atomic publish batch is incomplete",
  10177: "400 atomic publish unsupported header used: {header}",
  10179: "400 atomic publish batch ID is invalid",
  10186: "400 stream mirrors can not also schedule messages",
  10187: "400 stream source can not also schedule messages",
  10189: "400 message schedules pattern is invalid",
  10190: "400 message schedules target is invalid",
  10191: "400 message schedules invalid per-message TTL",
  10192: "400 message schedules invalid rollup",
  10198: "400 stream mirrors can not also use atomic publishing",
  10199: "400 atomic publish batch is too large: {size}",
  10200: "400 atomic publish batch commit is invalid",
  10201: "400 atomic publish batch contains duplicate message id",
  10203: "400 message schedules source is invalid",
  10206: "400 batch publish pattern is invalid",
  10207: "400 batch publish ID is invalid",
  10208: "400 batch publish ID unknown",
  10209: "400 stream mirrors can not also use batch publishing",
  10210: "429 atomic publish too many inflight",
  10211: "429 batch publish too many inflight",
  10212: "400 message schedules invalid scheduler",
  10213: "400 stream mirror consumer config is invalid",
  10215: "400 stream source consumer config is invalid",
  10223: "400 message schedules time zone is invalid",
} as const;

export type ExtraRefusalCode = keyof typeof REFUSALS;

/** As `refuse`, with an entry of this table. @throws {Refusal} always */
export function refuseExtra(errCode: ExtraRefusalCode, params?: RefusalParams): never {
  throw new Refusal(errCode, REFUSALS[errCode], params);
}
