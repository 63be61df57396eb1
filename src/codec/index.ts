// isonats/codec: payloads as text, JSON and MessagePack, checked by a schema where one is given.
export type { Codec } from "./codec.ts";
export { json, jsonCodec } from "./json.ts";
export { msgpack, msgpackCodec } from "./msgpack.ts";
export { text } from "./text.ts";
export {
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
  validated,
  ValidationError,
} from "./validated.ts";
