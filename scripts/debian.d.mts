// The types of debian.mjs.

/** One entry of the machine's apt sources. */
export interface AptSource {
  readonly uri: string;
  readonly suites: string[];
  readonly components: string[];
  readonly checkValidUntil: boolean;
}

export function unpackFromDebian<T>(
  folder: string,
  suite: string,
  packages: readonly string[],
  use: (files: string, source: string) => Promise<T>,
): Promise<T>;
export function parseOneLine(text: string): AptSource[];
export function parseDeb822(text: string): AptSource[];
