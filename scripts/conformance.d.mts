// The types of conformance.mjs.

/** What test/conformance-ids.json holds: what must be named, in words, and what need not be, with the reason. */
export interface Wanted {
  readonly requirements: Readonly<Record<string, string>>;
  readonly traps: Readonly<Record<string, string>>;
  readonly waived: Readonly<Record<string, string>>;
}

export interface Conformance {
  readonly wanted: Map<string, string>;
  readonly covered: Map<string, string[]>;
  readonly missing: string[];
  readonly waived: string[];
  readonly idle: string[];
  readonly unknown: string[];
}

export function namedIn(text: string): { ids: string[]; traps: string[] };
export function conformance(wanted: Wanted, texts: Readonly<Record<string, string>>): Conformance;
export function conformanceOfTree(): Conformance;
