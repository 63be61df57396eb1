// Hash: SHA-256 of bytes that come in pieces. Each entry brings the one that its runtimes have.

/** A hash under way. */
export interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Begins one. */
export type NewHash = () => Hash;
