// Go JSON: decodes the JSON of requests into what structs of Go would hold, with the errors that a decoder written in Go finds.
// A field that a struct doesn't know is one of them. Used by the tables of stream-api and consumer-api.
import { utf8Encoder } from "../../lib/bytes.ts";
import { goQuote } from "../go-text.ts";
import { readTime } from "../go-time.ts";
import { refuse } from "./refusal.ts";
import { GoError } from "../go-error.ts";

/** A type of Go, as far as requests have it. Numbers come out as numbers, durations as nanoseconds, times as text. */
export type GoType =
  | "string"
  | "bool"
  | "int"
  | "int32"
  | "int64"
  | "uint64"
  | "time.Duration"
  | "time.Time"
  | GoList
  | GoMap
  | GoOwn
  | GoStruct;

/** A list. Of pointers, Go's name for it says so. */
export interface GoList {
  readonly list: GoType;
  readonly pointers?: boolean;
}

/** A map of texts. */
export interface GoMap {
  readonly map: GoType;
}

/** A type that reads its own JSON: `token` is the text of it. What it throws is the error, by its message. */
export interface GoOwn {
  readonly read: (token: string) => unknown;
}

/**
 * A struct: its fields in the order they are written. `*` at the end of a name: it is written also when it is zero, and a
 * text that was not given is `""`.
 */
export interface GoStruct {
  /** as Go names it: `server.StreamConfig` */
  readonly go: string;
  readonly fields: Readonly<Record<string, GoType>>;
}

/** An enum by its values; others are no JSON. */
export function goEnum(...values: readonly string[]): GoOwn {
  return oneOf(values, (token) => `can not unmarshal ${goQuote(token)}`);
}

/** One of these words; the error names the kind. */
export function goWord(kind: string, ...values: readonly string[]): GoOwn {
  return oneOf(values, (token) => `unknown ${kind}: ${token}`);
}

function oneOf(values: readonly string[], wrong: (token: string) => string): GoOwn {
  return {
    read(token) {
      const value = values.find((one) => token === `"${one}"`);
      if (value === undefined) throw new GoError(wrong(token));
      return value;
    },
  };
}

// A value as it was found. Objects keep their order, and what is there twice.
type Node =
  | { kind: "string"; text: string; written: string }
  | { kind: "number"; text: string }
  | { kind: "bool"; text: string }
  | { kind: "null"; text: string }
  | { kind: "array"; items: Node[]; text: string }
  | { kind: "object"; entries: [string, Node][]; text: string };

/** What is no JSON, or not what was asked for. */
class JsonError extends Error {}

// deeper than any request, and not so deep that the stack ends
const DEEPEST = 1000;

/**
 * What a request says. No text at all is an empty struct, and so are values one after the other taken one over the other:
 * that is how the server's decoder is used.
 * @throws {Refusal} 10025
 */
export function decode(struct: GoStruct, text: string): Record<string, unknown> {
  try {
    const into = fill(struct, { kind: "object", entries: [], text: "" }, "", {});
    const scanner = new Scanner(text, true);
    while (!scanner.atEnd()) fill(struct, scanner.value(0), "", into);
    return into;
  } catch (error) {
    return refuse(10025, { err: (error as Error).message });
  }
}

/** As `decode`, where fields that are not known are ignored and one value is all there may be. @throws {Error} with Go's text */
export function decodeLoosely(struct: GoStruct, text: string): Record<string, unknown> {
  const scanner = new Scanner(text, false);
  if (scanner.atEnd()) throw new JsonError("unexpected end of JSON input");
  const node = scanner.value(0);
  if (!scanner.atEnd()) throw scanner.unexpected("after top-level value");
  const into: Record<string, unknown> = {};
  fill(struct, node, "", into, true);
  return into;
}

class Scanner {
  readonly #text: string;
  readonly #strict: boolean;
  #at = 0;

  constructor(text: string, strict: boolean) {
    this.#text = text;
    this.#strict = strict;
  }

  /** Nothing but blanks is left. */
  atEnd(): boolean {
    while (" \t\r\n".includes(this.#text[this.#at] ?? "x")) this.#at++;
    return this.#at >= this.#text.length;
  }

  unexpected(where: string): Error {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    const quoted = char === "'" ? "'\\''" : char === '"' ? "'\"'" : `'${goQuote(char).slice(1, -1)}'`;
    return this.#error(`invalid character ${quoted} ${where}`, this.#at + char.length);
  }

  #error(message: string, end: number): Error {
    if (!this.#strict) return new JsonError(message);
    return new JsonError(`${message} at offset ${utf8Encoder.encode(this.#text.slice(0, end)).length}`);
  }

  // The character that comes next, behind blanks.
  #peek(): string {
    if (this.atEnd()) this.#eof();
    return this.#text[this.#at] as string;
  }

  #eof(): never {
    throw new JsonError(this.#strict ? "unexpected EOF" : "unexpected end of JSON input");
  }

  value(depth: number): Node {
    if (depth > DEEPEST) throw new JsonError("exceeded max depth");
    const char = this.#peek();
    const start = this.#at;
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === '"') {
      const text = this.#string();
      return { kind: "string", text, written: this.#text.slice(start, this.#at) };
    }
    if (char === "-" || (char >= "0" && char <= "9")) return { kind: "number", text: this.#number() };
    for (const word of ["true", "false", "null"]) if (char === word[0]) this.#literal(word);
    if (this.#at === start) throw this.unexpected("looking for beginning of value");
    return { kind: char === "n" ? "null" : "bool", text: this.#text.slice(start, this.#at) };
  }

  #literal(word: string): void {
    for (const char of word) {
      if (this.#at >= this.#text.length) this.#eof();
      if (this.#text[this.#at] !== char) throw this.unexpected(`in literal ${word} (expecting '${char}')`);
      this.#at++;
    }
  }

  #number(): string {
    const start = this.#at;
    const digits = (): void => {
      if (this.#at >= this.#text.length) this.#eof();
      if (!/\d/.test(this.#text[this.#at] as string)) throw this.unexpected("in numeric literal");
      while (/\d/.test(this.#text[this.#at] ?? "")) this.#at++;
    };
    if (this.#text[this.#at] === "-") this.#at++;
    if (this.#text[this.#at] === "0") this.#at++;
    else digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      digits();
    }
    if (/[eE]/.test(this.#text[this.#at] ?? "")) {
      this.#at++;
      if (/[+-]/.test(this.#text[this.#at] ?? "")) this.#at++;
      digits();
    }
    return this.#text.slice(start, this.#at);
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) this.#eof();
      if (char < " ") throw this.unexpected("in string");
      if (char === '"') break;
      this.#at += char === "\\" ? this.#escape() : 1;
    }
    this.#at++;
    const read = JSON.parse(this.#text.slice(start, this.#at)) as string;
    // half a pair is no text
    return read.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
  }

  // How long it is.
  #escape(): number {
    const kind = this.#text[this.#at + 1];
    if (kind === undefined) this.#eof();
    const length = kind === "u" ? 6 : 2;
    const escape = this.#text.slice(this.#at, this.#at + length);
    if (/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})$/.test(escape)) return length;
    if (escape.length < length && /^\\u[\da-fA-F]*$/.test(escape)) this.#eof();
    const shown = escape.includes("`") ? goQuote(escape) : `\`${escape}\``;
    throw this.#error(`invalid escape sequence ${shown} in string`, this.#at + escape.length);
  }

  #array(depth: number): Node {
    const start = this.#at++;
    const items: Node[] = [];
    if (this.#peek() !== "]") {
      for (;;) {
        items.push(this.value(depth + 1));
        const char = this.#peek();
        if (char === "]") break;
        if (char !== ",") throw this.unexpected("after array element");
        this.#at++;
      }
    }
    this.#at++;
    return { kind: "array", items, text: this.#text.slice(start, this.#at) };
  }

  #object(depth: number): Node {
    const start = this.#at++;
    const entries: [string, Node][] = [];
    if (this.#peek() !== "}") {
      for (;;) {
        if (this.#peek() !== '"') throw this.unexpected("looking for beginning of object key string");
        const key = this.#string();
        if (this.#peek() !== ":") throw this.unexpected("after object key");
        this.#at++;
        entries.push([key, this.value(depth + 1)]);
        const char = this.#peek();
        if (char === "}") break;
        if (char !== ",") throw this.unexpected("after object key:value pair");
        this.#at++;
      }
    }
    this.#at++;
    return { kind: "object", entries, text: this.#text.slice(start, this.#at) };
  }
}

// Fields of a struct by their names, and by these in lower case.
function fieldOf({ fields }: GoStruct, key: string): [string, GoType] | undefined {
  const lower = key.toLowerCase();
  for (const [name, type] of Object.entries(fields)) {
    const plain = name.replace("*", "");
    if (plain === lower) return [plain, type];
  }
  return undefined;
}

function fill(
  struct: GoStruct,
  node: Node,
  path: string,
  into: Record<string, unknown>,
  loosely = false,
): Record<string, unknown> {
  if (node.kind === "null") return into;
  if (node.kind !== "object") throw mismatch(node, path, struct);
  for (const [key, value] of node.entries) {
    const field = fieldOf(struct, key);
    if (field === undefined) {
      if (loosely) continue;
      throw new JsonError(`json: unknown field ${goQuote(key)}`);
    }
    const [name, type] = field;
    const at = path === "" ? `${struct.go.slice(struct.go.indexOf(".") + 1)}.${key}` : `${path}.${key}`;
    const read = valueOf(type, value, at, into[name], loosely);
    if (read !== undefined) into[name] = read;
    else if (typeof type === "object" && !("read" in type)) delete into[name];
  }
  for (const [name, type] of Object.entries(struct.fields)) {
    if (type === "string" && name.endsWith("*")) into[name.slice(0, -1)] ??= "";
  }
  return into;
}

// Undefined is what null leaves.
function valueOf(type: GoType, node: Node, path: string, before: unknown, loosely: boolean): unknown {
  if (typeof type === "object" && "read" in type) {
    return type.read(node.kind === "string" ? node.written : node.text);
  }
  if (node.kind === "null") return undefined;
  if (typeof type === "object") {
    if ("list" in type) {
      if (node.kind !== "array") throw mismatch(node, path, type);
      return node.items.map((item, i) => elementOf(type.list, item, `${path}.${i}`, loosely));
    }
    if ("map" in type) {
      if (node.kind !== "object") throw mismatch(node, path, type);
      const read = node.entries.map(([key, value]) => [
        key,
        valueOf(type.map, value, `${path}.${key}`, undefined, loosely) ?? zeroOf(type.map),
      ]);
      return Object.fromEntries([...Object.entries(before ?? {}), ...read]);
    }
    return fill(type, node, path, { ...(before as object | undefined) }, loosely);
  }
  switch (type) {
    case "string":
      if (node.kind === "string") return node.text;
      break;
    case "bool":
      if (node.kind === "bool") return node.text === "true";
      break;
    case "time.Time":
      if (node.kind === "string") return readTime(node.text);
      break;
    case "int":
    case "int32":
    case "int64":
    case "uint64":
    case "time.Duration":
      if (node.kind === "number" && fits(node.text, type)) return Number(node.text);
      break;
  }
  throw mismatch(node, path, type);
}

// An element of a list is not a field, and errors say so.
function elementOf(type: GoType, node: Node, path: string, loosely: boolean): unknown {
  try {
    return valueOf(type, node, path, undefined, loosely) ?? zeroOf(type);
  } catch (error) {
    const message = (error as Error).message.replace(`Go struct field ${path} of type`, `${path} of type`);
    throw new JsonError(message);
  }
}

function zeroOf(type: GoType): unknown {
  return type === "string" ? "" : type === "bool" ? false : typeof type === "string" ? 0 : {};
}

function fits(text: string, type: "int" | "int32" | "int64" | "uint64" | "time.Duration"): boolean {
  if (!/^-?\d+$/.test(text)) return false;
  const value = BigInt(text);
  if (type === "uint64") return value === BigInt.asUintN(64, value) && !text.startsWith("-");
  return value === BigInt.asIntN(type === "int32" ? 32 : 64, value);
}

function mismatch(node: Node, path: string, type: GoType): Error {
  const number = path !== "" && node.kind === "number" && /^(u?int|time\.Dur)/.test(nameOf(type));
  const found = number ? `number ${node.text}` : node.kind;
  const where = path === "" ? "Go value" : `Go struct field ${path}`;
  return new JsonError(`json: cannot unmarshal ${found} into ${where} of type ${nameOf(type)}`);
}

function nameOf(type: GoType): string {
  if (typeof type === "string") return type;
  if ("list" in type) return `[]${type.pointers ? "*" : ""}${nameOf(type.list)}`;
  if ("map" in type) return `map[string]${nameOf(type.map)}`;
  return "read" in type ? "string" : type.go;
}

/** The fields of a struct in its order, without those that are zero and are not written then. */
export function inOrder<T extends object>(struct: GoStruct, value: T): T {
  const ordered: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(struct.fields)) {
    const always = name.endsWith("*");
    const key = always ? name.slice(0, -1) : name;
    const field = (value as Record<string, unknown>)[key];
    if (always || !isZero(field)) ordered[key] = orderedValue(type, field);
  }
  return ordered as T;
}

function isZero(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return !value;
  return Array.isArray(value) && value.length === 0;
}

function orderedValue(type: GoType, value: unknown): unknown {
  if (typeof type === "string" || "read" in type || value === undefined) return value;
  if ("list" in type) return (value as unknown[]).map((item) => orderedValue(type.list, item));
  return "fields" in type ? inOrder(type, value as object) : value;
}

/** The order of Go's maps, and of names in lists. */
export function byBytes(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i === end ? a.length - b.length : rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

// halves of pairs come behind all that has no pair
function rank(code: number): number {
  return code >= 0xe000 ? code - 0x800 : code >= 0xd800 ? code + 0x2000 : code;
}
