// File name: a name that any file system takes, for a name of NATS: readable, and another one for each.
import { fnv64 } from "../fnv64.ts";

const READABLE = 40;

export function fileName(name: string): string {
  return `${name.slice(0, READABLE).replace(/[^\w-]/g, "_")}-${fnv64(name).toString(36)}`;
}
