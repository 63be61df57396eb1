import type { TransportName } from "../fixtures/real-server.ts";
import type { Need } from "../suites/harness.ts";

export interface RuntimeRow {
  readonly name: string;
  readonly starter: string;
  command(): readonly string[];
  readonly transports: Readonly<Record<TransportName, true | string>>;
  readonly lacks: readonly Lack[];
}

export type Lack = (
  | { readonly need: Need; readonly name?: never }
  | { readonly name: string; readonly need?: never }
) & {
  readonly transport?: TransportName;
  readonly why: string;
};

export const runtimes: readonly RuntimeRow[];
export function runtimeOf(starter: string, name?: string): RuntimeRow;
