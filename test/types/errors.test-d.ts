// Types of errors: one family, one closed set of codes, facts by class.
import {
  errors,
  isNatsError,
  NatsError,
  type NatsErrorCode,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
} from "../../src/errors.ts";
import { type Equals, holds, some } from "./equals.ts";

export function told(error: unknown): string | undefined {
  if (error instanceof TimeoutError) return error.reason;
  if (error instanceof NoRespondersError) {
    holds<Equals<typeof error.subject, string>>();
    return error.subject;
  }
  if (error instanceof PermissionViolationError) {
    holds<Equals<typeof error.operation, "publish" | "subscription">>();
    return error.operation;
  }
  if (error instanceof RequestError) return String(error.isNoResponders());
  if (isNatsError(error)) {
    holds<Equals<typeof error, NatsError>>();
    holds<Equals<typeof error.code, NatsErrorCode>>();
    return error.subject ?? error.server ?? error.serverText;
  }
  holds<Equals<typeof error, unknown>>();
  return undefined;
}

// the set of codes is closed
const error = some<NatsError>();
// @ts-expect-error there is no such code
export const never: boolean = error.code === "TIME_OUT";
// @ts-expect-error a code is what happened, and does not change
error.code = "TIMEOUT";
// @ts-expect-error only codes of the set
new NatsError("TIME_OUT", "");

holds<Equals<typeof errors.TimeoutError, typeof TimeoutError>>();
export const asError: Error = error;
