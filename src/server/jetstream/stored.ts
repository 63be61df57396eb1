// Stored: one message as a stream keeps it, and which of them a reader wants.

/** A message of a stream. */
export interface Stored {
  readonly seq: number;
  readonly subject: string;
  /** the header block; empty where there is none */
  readonly header: Uint8Array;
  readonly data: Uint8Array;
  /** when it was stored: milliseconds since 1970, with fractions */
  readonly time: number;
}

/** Subjects, with wildcards or without, of which one must match. None: all. */
export type Filters = readonly string[];
