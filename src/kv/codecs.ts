// Codecs: what keys and values of a bucket are turned into on their way (ADR-54).
import type { Payload } from "../client/connection.ts";
import { NatsError } from "../errors.ts";
import { decodeBase64, encodeBase64Url } from "../lib/base64.ts";
import { utf8Decoder, utf8Encoder } from "../lib/bytes.ts";

/**
 * Turns keys into others. One without `encodeFilter` gets one token at a time, and no wildcards; one with it gets keys as a
 * whole.
 */
export interface KvKeyCodec {
  /** as the server has it: what a key may have */
  encode(key: string): string;
  /** as the user has it */
  decode(key: string): string;
  /** a filter of keys, in which wildcards stay what they are */
  encodeFilter?(filter: string): string;
}

/** Turns values into others; either way may take its time. */
export interface KvPayloadCodec {
  /** as the server has it */
  encode(value: Payload): Uint8Array | Promise<Uint8Array>;
  /** as the user has it */
  decode(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Both. */
export interface KvCodecs {
  /** of keys, and of filters of keys */
  key: KvKeyCodec;
  /** of values */
  value: KvPayloadCodec;
}

function tokens(key: string, map: (token: string) => string): string {
  return key.split(".").map(map).join(".");
}

/** A key as the server has it. */
export function encodeKey(codec: KvKeyCodec, key: string): string {
  return codec.encodeFilter === undefined ? tokens(key, (token) => codec.encode(token)) : codec.encode(key);
}

/** A key as the user has it. */
export function decodeKey(codec: KvKeyCodec, key: string): string {
  return codec.encodeFilter === undefined ? tokens(key, (token) => codec.decode(token)) : codec.decode(key);
}

/** A filter as the server has it. */
export function encodeFilter(codec: KvKeyCodec, filter: string): string {
  return (
    codec.encodeFilter?.(filter) ??
    tokens(filter, (token) => (token === "*" || token === ">" ? token : codec.encode(token)))
  );
}

function bytesOf(value: Payload): Uint8Array {
  return typeof value === "string" ? utf8Encoder.encode(value) : value;
}

function fromBase64(what: string, text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new NatsError("CODEC", `${what} ${JSON.stringify(text)} is not base64`);
  return bytes;
}

/** Codecs that change nothing. */
export function NoopKvCodecs(): KvCodecs {
  return {
    key: { encode: (key) => key, decode: (key) => key },
    value: { encode: bytesOf, decode: (data) => data },
  };
}

/** Each token of a key as base64 in the URL alphabet, without padding: keys may be of any characters then. */
export function Base64KeyCodec(): KvKeyCodec {
  return {
    encode: (token) => encodeBase64Url(utf8Encoder.encode(token)),
    decode: (token) => utf8Decoder.decode(fromBase64("the token of a key", token)),
  };
}

/** A value as base64 in the URL alphabet, without padding. */
export function Base64PayloadCodec(): KvPayloadCodec {
  return {
    encode: (value) => utf8Encoder.encode(encodeBase64Url(bytesOf(value))),
    decode: (data) => fromBase64("the value", utf8Decoder.decode(data)),
  };
}

/** Keys as paths: `/a/b` is sent as `_root_.a.b`, `a/b` as `a.b`. A slash at the end is dropped. */
export function PathKeyCodec(): KvKeyCodec {
  const encode = (path: string): string =>
    path
      .replace(/(.)\/$/, "$1")
      .replace(/^\/(?=.)/, "_root_.")
      .replace(/^\/$/, "_root_")
      .replaceAll("/", ".");
  return {
    encode,
    encodeFilter: encode,
    decode: (key) => key.replaceAll(".", "/").replace(/^_root_(\/|$)/, "/"),
  };
}

/** Codecs one after the other: the first is the first to encode, and the last to decode. */
export function ChainKeyCodec(...codecs: KvKeyCodec[]): KvKeyCodec {
  return {
    encode: (key) => codecs.reduce((made, codec) => encodeKey(codec, made), key),
    decode: (key) => codecs.reduceRight((made, codec) => decodeKey(codec, made), key),
    encodeFilter: (filter) => codecs.reduce((made, codec) => encodeFilter(codec, made), filter),
  };
}

/** As {@link ChainKeyCodec}, of values. */
export function ChainPayloadCodec(...codecs: KvPayloadCodec[]): KvPayloadCodec {
  return {
    async encode(value) {
      let made = bytesOf(value);
      for (const codec of codecs) made = await codec.encode(made);
      return made;
    },
    async decode(data) {
      let made = data;
      for (const codec of codecs.toReversed()) made = await codec.decode(made);
      return made;
    },
  };
}
