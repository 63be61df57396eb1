// The types of libnats.mjs.

/** Where the headers and the libraries are. */
export interface Libnats {
  readonly include: string;
  readonly lib: string;
  /** where they came from, for people */
  readonly source: string;
}

export function provideLibnats(): Promise<Libnats>;
