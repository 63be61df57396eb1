// The MessagePack codec.
import { decode, encode } from "@msgpack/msgpack";
import { type Codec, coding } from "./codec.ts";

/**
 * MessagePack. What comes in is `unknown`, for it may be anything: narrow it, or have it checked by
 * `validated(msgpack, schema)`.
 *
 * Binary is `Uint8Array`, timestamps are `Date`; `undefined` is sent as nil and comes back as `null`; integers beyond
 * 2^53 lose precision. What has no MessagePack form (a function, a bigint, a cycle) is an error.
 */
export const msgpack: Codec<unknown> = {
  contentType: "application/vnd.msgpack",
  encode(value) {
    return coding("the value has no MessagePack form", () => encode(value));
  },
  decode(data) {
    return coding("the payload is not one MessagePack value", () => decode(data));
  },
};

/** {@link msgpack} with a type of your own, which is a promise that nothing checks. */
export function msgpackCodec<T>(): Codec<T> {
  return msgpack as Codec<T>;
}
