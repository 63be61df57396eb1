// Semver: versions of servers.
import { InvalidArgumentError } from "../errors.ts";

/** A version. */
export interface SemVer {
  major: number;
  minor: number;
  micro: number;
}

/** Read a version as `2.10.27`, `v2.12.0-beta.1` or `2.15.1+x`. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function parseSemVer(text: string): SemVer {
  const [, major, minor, micro] = /^v?(\d+)\.(\d+)\.(\d+)(?![\d.])/.exec(text) ?? [];
  if (micro === undefined)
    throw new InvalidArgumentError(`'${text}' is no version: it must look like 2.10.27`);
  return { major: Number(major), minor: Number(minor), micro: Number(micro) };
}

/**
 * -1, 0 or 1 as `a` is older than, the same as or newer than `b`.
 *
 * It tells what a server can do, so a pre-release counts as its release.
 */
export function compare(a: SemVer, b: SemVer): number {
  return Math.sign(a.major - b.major || a.minor - b.minor || a.micro - b.micro);
}
