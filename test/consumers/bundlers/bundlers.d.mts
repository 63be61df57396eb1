// The types of bundlers.mjs.

export interface Bundled {
  /** one ES module, for a browser */
  readonly code: string;
  readonly warnings: readonly string[];
}

/** By name: bundles a module of a project; an error rejects. */
export const bundlers: Readonly<
  Record<string, (project: string, file: string, minify?: boolean) => Promise<Bundled>>
>;
