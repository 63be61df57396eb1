// Subject transform: gives subjects that match one pattern another form. Used by streams, republishing, mirrors and sources.
//
//   src  orders.*.*     dest  by.$2.{{partition(3,1)}}     orders.a.b  ->  by.b.2
import { utf8Encoder } from "../lib/bytes.ts";
import { isSubscribeSubject } from "./subjects.ts";
import { GoError } from "./go-error.ts";

/** The other form; undefined for a subject that doesn't match. */
export type SubjectTransform = (subject: string) => string | undefined;

// One token of the destination. `index` is that of a token of the source.
type Part =
  | { kind: "text" }
  | { kind: "random"; count: number }
  | { kind: "partition"; count: number; indexes: readonly number[] }
  | { kind: "wildcard" | "split" | Cut; index: number; arg: string };

type Cut = "splitfromleft" | "splitfromright" | "slicefromleft" | "slicefromright" | "left" | "right";

const FUNCTION =
  /^\{\{\s*([wW]ildcard|[pP]artition|[rR]andom|[sS](?:plit|lice)[fF]rom(?:[lL]eft|[rR]ight)|[sS]plit|[lL]eft|[rR]ight)\s*\((.*)\)\s*\}\}$/;

class DestinationError extends GoError {
  constructor(what: string, token: string) {
    super(`invalid mapping destination: ${what} in ${token}`);
  }
}

const OUT_OF_RANGE = "wildcard index out of range";

/** @throws {Error} with the server's text, where the two don't go together */
export function subjectTransform(src: string, dest: string): SubjectTransform {
  const source = (src === "" ? ">" : src).split(".");
  const tokens = dest.split(".");
  for (const [i, token] of tokens.entries()) {
    if (token === "" || tokens[i - 1] === ">" || (!isFunction(token) && /[\t\n\f\r ]/.test(token))) {
      throw new GoError("invalid mapping destination: invalid transform");
    }
    if (isFunction(token) && !FUNCTION.test(token)) throw new DestinationError("unknown function", token);
  }
  const open = source.at(-1) === ">";
  if (!isSubscribeSubject(source.join(".")) || tokens.includes("*") || open !== (tokens.at(-1) === ">")) {
    throw new GoError("invalid subject");
  }
  const wild = source.flatMap((token, i) => (token === "*" ? [i] : []));
  const parts = tokens.map((token) => partOf(token, wild, open || wild.length > 0));
  const fixed = open ? source.length - 1 : source.length;
  return (subject) => {
    const given = subject.split(".");
    if (open ? given.length <= fixed : given.length !== fixed) return undefined;
    for (let i = 0; i < fixed; i++) if (source[i] !== "*" && source[i] !== given[i]) return undefined;
    const made = parts.map((part, i) => {
      const token = tokens[i] as string;
      return token === ">" ? given.slice(fixed).join(".") : tokenOf(part, token, given, subject);
    });
    return made.join(".");
  };
}

function isFunction(token: string): boolean {
  return token.length > 4 && token.startsWith("{{") && token.endsWith("}}");
}

function partOf(token: string, wild: readonly number[], hasWildcards: boolean): Part {
  const short = /^\$(\d{1,18})$/.exec(token)?.[1];
  const [, name = short === undefined ? "" : "wildcard", list = short ?? ""] = FUNCTION.exec(token) ?? [];
  if (name === "") return { kind: "text" };
  const kind = name.toLowerCase();
  const args = list.split(/,\s*/);
  const [first = "", second = ""] = args;
  const indexOf = (arg: string): number => {
    const n = integer(arg, token);
    if (!hasWildcards) throw new DestinationError(OUT_OF_RANGE, token);
    if (n > wild.length) throw new DestinationError(OUT_OF_RANGE, `${token}: [${n}]`);
    // the server looks it up in a map, where what is not there is the first
    return wild[n - 1] ?? 0;
  };
  if (kind === "partition") {
    // of what has no wildcards all is taken
    const indexes = args.slice(1).map(hasWildcards ? indexOf : (arg) => integer(arg, token));
    return { kind, count: integer(first, token) >>> 0, indexes: hasWildcards ? indexes : [] };
  }
  if (kind === "random") {
    if (args.length > 1) throw new DestinationError("not enough arguments passed to the function", token);
    return { kind, count: integer(first, token) };
  }
  const wanted = kind === "wildcard" ? 1 : 2;
  if (args.length < wanted || list.trim() === "") {
    throw new DestinationError("not enough arguments passed to the function", token);
  }
  if (args.length > wanted) throw new DestinationError("too many arguments passed to the function", token);
  if (kind === "split" && /[ .]/.test(second)) invalidArgument(token);
  if (wanted === 2 && kind !== "split") integer(second, token);
  return { kind: kind as "wildcard" | "split" | Cut, index: indexOf(first), arg: second };
}

function integer(text: string, token: string): number {
  const value = Number(text);
  if (!/^\s*[+-]?\d+\s*$/.test(text) || value !== (value | 0)) invalidArgument(token);
  return value;
}

function invalidArgument(token: string): never {
  throw new DestinationError("function argument is invalid or in the wrong format", token);
}

function tokenOf(part: Part, token: string, given: readonly string[], subject: string): string {
  switch (part.kind) {
    case "text":
      return token;
    case "random":
      return `${Math.floor(Math.random() * Math.max(1, part.count))}`;
    case "partition": {
      const key = part.indexes.length === 0 ? subject : part.indexes.map((i) => given[i]).join("");
      return `${fnv1a(key) % part.count || 0}`;
    }
    default:
      return cut(part.kind, given[part.index] as string, part.arg);
  }
}

function cut(kind: "wildcard" | "split" | Cut, text: string, arg: string): string {
  if (kind === "wildcard") return text;
  if (kind === "split") {
    return text
      .split(arg)
      .filter((piece) => piece !== "")
      .join(".");
  }
  const size = Number(arg);
  if (size <= 0 || size >= text.length) return text;
  const at = kind.endsWith("left") ? size : text.length - size;
  const [left, right] = [text.slice(0, at), text.slice(at)];
  switch (kind) {
    case "left":
      return left;
    case "right":
      return right;
    case "splitfromleft":
    case "splitfromright":
      return `${left}.${right}`;
    case "slicefromleft":
      return `${left}.${cut(kind, right, arg)}`;
    case "slicefromright":
      return `${cut(kind, left, arg)}.${right}`;
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8Encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
