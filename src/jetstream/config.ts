// Config: what is sent of what the caller gave.
import type { Pedantic } from "../protocol/jetstream/api.ts";
import type { ApiOptions } from "./api.ts";

/** Options of calls that make or change something. */
export interface ConfigOptions extends ApiOptions, Pedantic {}

/** Some fields of a configuration; `null` takes one back to its default. */
export type Changes<T> = { [K in keyof T]?: T[K] | null | undefined };

/** A configuration with changes. What is `undefined` stays; what the server wrote into the metadata is the server's. */
export function merged<T extends object>(config: T, changes: object): T {
  const made = { ...config } as Record<string, unknown>;
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete made[key];
    else if (value !== undefined) made[key] = value;
  }
  const { metadata } = made;
  if (metadata) made["metadata"] = ownMetadata(metadata as Record<string, string>);
  return made as T;
}

/** Metadata without what the server wrote into it. */
export function ownMetadata(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !name.startsWith("_nats.")));
}

/** The request in an object that also says how long to wait for its reply. */
export function requestOf<T extends ApiOptions>(given: T): [Omit<T, keyof ApiOptions>, ApiOptions] {
  const { timeout, signal, headers, ...request } = given;
  return [request, { timeout: timeout || undefined, signal, headers }];
}
