// Key text: the written form of keys and seeds, and the kinds of key there are. No cryptography.
//
//   public   base32( prefix | 32 bytes | crc16le )                             56 characters
//   private  base32( 0x78   | 64 bytes | crc16le )                            108 characters; curve: 32 bytes, 56
//   seed     base32( 0x90 | prefix >> 5,  prefix << 3 | 32 bytes | crc16le )   58 characters
import { concat, utf8Decoder } from "../lib/bytes.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { crc16 } from "./crc16.ts";
import { NKeysError } from "./nkeys-error.ts";

/** The first byte of a key: its kind. It makes the first letter of the text: `S P O N C A U X`. */
export const Prefix = {
  Unknown: -1,
  /** `S` */
  Seed: 0x90,
  /** `P` */
  Private: 0x78,
  /** `O` */
  Operator: 0x70,
  /** `N` */
  Server: 0x68,
  /** `C` */
  Cluster: 0x10,
  /** `A` */
  Account: 0x00,
  /** `U` */
  User: 0xa0,
  /** `X` */
  Curve: 0xb8,
} as const;
/** One of the values of the constant of the same name. */
export type Prefix = (typeof Prefix)[keyof typeof Prefix];

const VALUES: readonly number[] = Object.values(Prefix);

/** Questions about prefix bytes. */
export const Prefixes: {
  /** true for the kinds that a public key may have */
  isValidPublicPrefix(prefix: number): boolean;
  /** true for all kinds, seeds and private keys included */
  isValidPrefix(prefix: number): boolean;
  /** true when the first letter is that of a kind; says nothing of the rest */
  startsWithValidPrefix(text: string): boolean;
  /** the kind of a first byte; `Prefix.Unknown` for those that are none */
  parsePrefix(byte: number): Prefix;
} = {
  isValidPublicPrefix(prefix) {
    return Prefixes.isValidPrefix(prefix) && prefix !== Prefix.Seed && prefix !== Prefix.Private;
  },
  isValidPrefix(prefix) {
    return prefix >= 0 && VALUES.includes(prefix);
  },
  startsWithValidPrefix(text) {
    return /^[SPONCAUX]/.test(text);
  },
  parsePrefix(byte) {
    return Prefixes.isValidPrefix(byte) ? (byte as Prefix) : Prefix.Unknown;
  },
};

/** @internal the kind in words, for messages */
export function kindName(prefix: number): string {
  return (Object.entries(Prefix).find(([, value]) => value === prefix)?.[0] ?? "Unknown").toLowerCase();
}

/** @internal the parts, their checksum after them, as text */
export function encodeKey(head: readonly number[], body: Uint8Array): string {
  const bytes = concat([Uint8Array.from(head), body, new Uint8Array(2)]);
  const end = bytes.length - 2;
  const crc = crc16(bytes.subarray(0, end));
  bytes[end] = crc;
  bytes[end + 1] = crc >> 8;
  const text = encodeBase32(bytes);
  bytes.fill(0);
  return text;
}

function decodeKey(text: unknown, length: number, what: string): Uint8Array {
  const found = typeof text === "string" ? text.length : 0;
  if (typeof text !== "string" || found !== length) {
    throw new NKeysError("InvalidLength", `${what} has ${length} characters, this has ${found}`);
  }
  const bytes = decodeBase32(text);
  if (!bytes) {
    throw new NKeysError("InvalidEncoding", `${what} is made of A-Z and 2-7 only, this has something else`);
  }
  const end = bytes.length - 2;
  if (crc16(bytes.subarray(0, end)) !== ((bytes[end] as number) | ((bytes[end + 1] as number) << 8))) {
    throw new NKeysError("InvalidChecksum", `the checksum of ${what} does not fit: a character is wrong`);
  }
  return bytes.subarray(0, end);
}

function expectKind(kind: number, expected: Prefix | undefined, what: string): void {
  if (expected === undefined ? !Prefixes.isValidPublicPrefix(kind) : kind !== expected) {
    const wanted = expected === undefined ? "" : ` of kind '${kindName(expected)}'`;
    throw new NKeysError(
      "InvalidPrefixByte",
      `${what}${wanted} is needed, this is of kind '${kindName(kind)}'`,
    );
  }
}

/** @internal the kind and the 32 bytes of a public key; of the `expected` kind where one is named */
export function decodePublicKey(text: string, expected?: Prefix): { kind: Prefix; bytes: Uint8Array } {
  const bytes = decodeKey(text, 56, "a public key");
  const kind = bytes[0] as number;
  expectKind(kind, expected, "a public key");
  return { kind: kind as Prefix, bytes: bytes.subarray(1) };
}

/** @internal the kind and the 32 bytes of a seed; of the `expected` kind where one is named */
export function decodeSeed(
  seed: Uint8Array | string,
  expected?: Prefix,
): { kind: Prefix; bytes: Uint8Array } {
  const text = ArrayBuffer.isView(seed) ? utf8Decoder.decode(seed) : seed;
  const bytes = decodeKey(text, 58, "a seed");
  const [first, second] = bytes as unknown as [number, number];
  if ((first & 0xf8) !== Prefix.Seed || second & 7) {
    throw new NKeysError("InvalidPrefixByte", "a seed begins with 'S', this does not");
  }
  const kind = ((first & 7) << 5) | (second >> 3);
  expectKind(kind, expected, "a seed");
  return { kind: kind as Prefix, bytes: bytes.subarray(2) };
}

/** @internal the text of a seed */
export function encodeSeed(kind: Prefix, seed: Uint8Array): string {
  return encodeKey([Prefix.Seed | (kind >> 5), (kind << 3) & 0xff], seed);
}
