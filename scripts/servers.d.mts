// The types of servers.mjs.

/** One nats-server of the matrix. */
export interface ProvidedServer {
  readonly path: string;
  /** as the binary says it: `2.15.1` */
  readonly version: string;
  /** where it came from, for people */
  readonly source: string;
}

export const minors: readonly string[];
export function resolveMinor(minor?: string): string;
export function provideServer(minor?: string): Promise<ProvidedServer>;
