// Nanos: between our milliseconds and the nanoseconds of the wire.

/** A duration in nanoseconds. */
export type Nanos = number;

/** Milliseconds as nanoseconds. */
export function nanos(ms: number): Nanos {
  return ms * 1_000_000;
}

/** Nanoseconds as whole milliseconds, rounded down. */
export function millis(ns: Nanos): number {
  return Math.floor(ns / 1_000_000);
}
