// The types of size.mjs.

export interface SizeCase {
  readonly name: string;
  readonly code: string;
  /** bytes after gzip; beyond is a fault */
  readonly budget: number;
  readonly goal?: number;
  /** patterns of paths that must not be in the bundle */
  readonly never: readonly string[];
  /** folders of which there must be one copy in it */
  readonly once: readonly string[];
}

export interface SizePage {
  readonly name: string;
  /** a file of dist/browser */
  readonly file: string;
  readonly budget: number;
}

export interface Measured {
  readonly minified: number;
  readonly gzip: number;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly faults: readonly string[];
}

export const cases: readonly SizeCase[];
export function measure(of: Pick<SizeCase, "code" | "budget" | "never" | "once">): Promise<Measured>;
export const pages: readonly SizePage[];
export function measurePage(of: Pick<SizePage, "file" | "budget">): Measured;
