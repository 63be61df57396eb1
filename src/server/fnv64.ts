// FNV-1a with 64 bits: a number for a text, for names that have to differ, not for secrets.
import { utf8Encoder } from "../lib/bytes.ts";

export function fnv64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of utf8Encoder.encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}
