// Types of codecs: what they take, what they give, and what is inferred.
import {
  type Codec,
  json,
  jsonCodec,
  msgpack,
  msgpackCodec,
  type StandardSchema,
  text,
  validated,
} from "../../src/codec/index.ts";
import type { Msg } from "../../src/index.node.ts";
import { type Equals, holds, some } from "./equals.ts";

interface Order {
  id: number;
}
const msg = some<Msg>();

// what is inferred from a codec
const words = msg.decode(text);
holds<Equals<typeof words, string>>();
const anything = msg.decode(json);
holds<Equals<typeof anything, unknown>>();
const order = msg.decode(jsonCodec<Order>());
holds<Equals<typeof order, Order>>();
holds<Equals<typeof msgpack, Codec<unknown>>>();
holds<Equals<ReturnType<typeof msgpackCodec<Order>>, Codec<Order>>>();

// a schema decides the type: what it gives when it decodes
const checked = validated(json, some<StandardSchema<unknown, Order>>());
holds<Equals<typeof checked, Codec<Order>>>();
const sameBothWays = validated(msgpack, some<StandardSchema<Order>>());
holds<Equals<typeof sameBothWays, Codec<Order>>>();

// codecs are strict both ways
text.encode("words");
// @ts-expect-error text takes text
text.encode(1);
// @ts-expect-error an order has an id
jsonCodec<Order>().encode({ name: "lamp" });
// @ts-expect-error a codec of orders is none of text
export const wrong: Codec<string> = jsonCodec<Order>();

// one's own
export const numbers: Codec<number> = {
  contentType: "application/x-number",
  encode: (value) => new Uint8Array([value]),
  decode: (data) => data[0] ?? 0,
};
const number = msg.decode(numbers);
holds<Equals<typeof number, number>>();
