// The JSON codec.
import { utf8Encoder } from "../lib/bytes.ts";
import { parseJson } from "../lib/json.ts";
import { type Codec, coding } from "./codec.ts";
import { strictText } from "./text.ts";

/**
 * JSON as UTF-8. What comes in is `unknown`, for it may be anything: narrow it, or have it checked by
 * `validated(json, schema)`. A byte order mark is skipped.
 *
 * What has no JSON form (`undefined`, a function, a bigint, a cycle) is an error.
 */
export const json: Codec<unknown> = {
  contentType: "application/json",
  encode(value) {
    return coding("the value has no JSON form", () => {
      const written: string | undefined = JSON.stringify(value);
      if (written === undefined) throw new TypeError(`${typeof value} is not JSON`);
      return utf8Encoder.encode(written);
    });
  },
  decode(data) {
    return coding("the payload is not JSON", () => parseJson(strictText(data, false)));
  },
};

/** {@link json} with a type of your own, which is a promise that nothing checks. */
export function jsonCodec<T>(): Codec<T> {
  return json as Codec<T>;
}
