// Backoff: how long to wait before the next attempt.

/** Gives the wait before an attempt. */
export interface Backoff {
  /** milliseconds before attempt number `attempt`, counted from 0; attempts beyond the policy use its last entry */
  backoff(attempt: number): number;
}

/**
 * Waits after a policy of milliseconds, each scattered between half and one and a half of its entry.
 *
 * `random` gives numbers from 0 up to 1.
 */
export function backoff(
  policy: readonly number[] = [0, 250, 250, 500, 500, 3000, 5000],
  random: () => number = Math.random,
): Backoff {
  const waits = [...policy];
  return {
    backoff(attempt) {
      const wait = waits[Math.max(0, Math.min(attempt, waits.length - 1))] ?? 0;
      return wait === 0 ? 0 : Math.floor(wait / 2 + random() * wait);
    },
  };
}
