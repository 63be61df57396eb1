// Identity key: the public keys by which a server names itself in INFO. Random: it signs nothing.
import { crc16 } from "../auth/crc16.ts";
import { randomBytes } from "../lib/random.ts";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A public key of a server (`N...`). */
export function serverId(): string {
  return keyText(0x68);
}

/** A public curve key (`X...`). */
export function curveKey(): string {
  return keyText(0xb8);
}

// The byte of the kind, 32 bytes and their checksum: as the digits of one number. All that auth/ has for keys would be too much.
function keyText(kind: number): string {
  const key = Uint8Array.of(kind, ...randomBytes(32));
  const crc = crc16(key);
  let number = 0n;
  for (const byte of [...key, crc & 0xff, crc >> 8]) number = (number << 8n) | BigInt(byte);
  return number.toString(32).replace(/./g, (digit) => BASE32[Number.parseInt(digit, 32)] as string);
}

/** The characters to sign: 11 random bytes as base64url. */
export function nonce(): string {
  return btoa(String.fromCharCode(...randomBytes(11)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace("=", "");
}
