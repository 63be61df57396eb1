// The types of servers.mjs.

/** One nats-server of the matrix. */
export interface ProvidedServer {
  readonly path: string;
  /** as the binary says it: `2.15.1` */
  readonly version: string;
  /** where it came from, for people */
  readonly source: string;
}

/** One entry of the machine's apt sources. */
export interface AptSource {
  readonly uri: string;
  readonly suites: string[];
  readonly components: string[];
  readonly checkValidUntil: boolean;
}

export const minors: readonly string[];
export function resolveMinor(minor?: string): string;
export function provideServer(minor?: string): Promise<ProvidedServer>;
export function parseOneLine(text: string): AptSource[];
export function parseDeb822(text: string): AptSource[];
