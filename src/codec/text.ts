// The text codec: strings as UTF-8.
import { NatsError } from "../errors.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import { type Codec, coding } from "./codec.ts";

/** @internal bytes that must be UTF-8 as a string */
export function strictText(data: Uint8Array, ignoreBOM: boolean): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM }).decode(data);
}

/**
 * Strings as UTF-8. Payloads that are not UTF-8 are an error; use `msg.string()` to read those leniently.
 *
 * A lone surrogate in a string has no UTF-8 form and is sent as U+FFFD.
 */
export const text: Codec<string> = {
  contentType: "text/plain; charset=utf-8",
  encode(value) {
    if (typeof value === "string") return utf8Encoder.encode(value);
    throw new NatsError("CODEC", `the text codec takes a string, not a ${typeof value}`);
  },
  decode(data) {
    return coding("the payload is not UTF-8 text", () => strictText(data, true));
  },
};
