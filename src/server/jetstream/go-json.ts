// Go JSON: what a request is decoded to, and which errors a decoder written in Go finds. Strict: a field it doesn't know is one of them.

/** A type of Go, as far as requests have it. Numbers come out as numbers, durations as nanoseconds, times as text. */
export type GoType =
  | "string"
  | "bool"
  | "int"
  | "int64"
  | "uint64"
  | "time.Duration"
  | "time.Time"
  | { readonly list: GoType }
  | { readonly map: GoType }
  | { readonly read: (token: string) => unknown; readonly go: string }
  | GoStruct;

/** A struct: its fields in the order they are written. A name that ends in `*` is written also when it is zero. */
export interface GoStruct {
  /** as Go names it: `server.StreamConfig` */
  readonly go: string;
  readonly fields: Readonly<Record<string, GoType>>;
}
