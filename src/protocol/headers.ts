// Headers: the NATS/1.0 block of a message, as text and as bytes. Malformed blocks never harm more than themselves.
import { InvalidArgumentError, NatsError } from "../errors.ts";
import { utf8Decoder, utf8Encoder } from "../lib/bytes.ts";
import { halfPair } from "../lib/surrogates.ts";

/** How a header name given to an accessor is compared with the names that are there. */
export const Match: {
  /** character for character (the default; it is also how the server looks for its own headers) */
  readonly Exact: "exact";
  /** the name given is brought to its canonical form (`nats-msg-id` to `Nats-Msg-Id`), then compared exactly */
  readonly CanonicalMIME: "canonical";
  /** upper and lower case are the same */
  readonly IgnoreCase: "insensitive";
} = { Exact: "exact", CanonicalMIME: "canonical", IgnoreCase: "insensitive" };
/** One of the values of {@link Match}. */
export type Match = (typeof Match)[keyof typeof Match];

/**
 * The headers of a message: names with one or more values each, in order, and the status of a message of the server.
 *
 * Names are case-sensitive and keep their case; {@link Match} relaxes that per call.
 */
export interface MsgHdrs extends Iterable<[string, string[]]> {
  /** the status is 300 or more */
  readonly hasError: boolean;
  /** code and description, as in `"404 No Messages"`; `""` where there is no status */
  readonly status: string;
  /** the status code; 0 where there is none */
  readonly code: number;
  /** the text after the status code */
  readonly description: string;
  /** the first value, or `""` */
  get(name: string, match?: Match): string;
  /** replace all values by one. @throws {@link NatsError} INVALID_HEADER */
  set(name: string, value: string, match?: Match): void;
  /** add a value, under the spelling that is already there. @throws {@link NatsError} INVALID_HEADER */
  append(name: string, value: string, match?: Match): void;
  /** true where there is a value, even an empty one */
  has(name: string, match?: Match): boolean;
  /** the distinct names, in order of appearance */
  keys(): string[];
  /** all values, in order */
  values(name: string, match?: Match): string[];
  /** remove all values */
  delete(name: string, match?: Match): void;
  /** the last value, or `""` */
  last(name: string, match?: Match): string;
  /** the block as it is sent */
  toString(): string;
}

const PREFIX = "NATS/1.0";

function invalid(message: string): NatsError {
  return new NatsError("INVALID_HEADER", message);
}

function checkName(name: string): void {
  const length = typeof name === "string" ? name.length : 0;
  let ok = length > 0;
  for (let i = 0; i < length; i++) {
    const c = name.charCodeAt(i);
    if (c < 33 || c > 126 || c === 58) ok = false;
  }
  if (!ok) {
    const shown = typeof name === "string" ? JSON.stringify(name) : `a value of type ${typeof name}`;
    throw invalid(`${shown} is no header name: names are printable ASCII without space and ':'`);
  }
}

/** Refuse what is not one line of text; true when it isn't ASCII. The message has no part of the value: it may be a secret. */
function checkValue(value: string, name: string): boolean {
  if (typeof value !== "string")
    throw invalid(`the value of '${name}' must be a string, not ${typeof value}`);
  let wide = false;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 10 || c === 13) {
      throw invalid(`the value of '${name}' has a line break at index ${i}: header values are one line`);
    }
    if (c > 127) {
      wide = true;
      const flaw = halfPair(value, i);
      if (flaw !== undefined) throw invalid(`the value of '${name}' ${flaw}`);
    }
  }
  return wide;
}

/** `text.slice(start, end)` without blanks at its ends (and without the CR of a line end). */
function trimmed(text: string, start: number, end: number): string {
  let c: number;
  while (start < end && ((c = text.charCodeAt(start)) === 32 || c === 9)) start++;
  while (end > start && ((c = text.charCodeAt(end - 1)) === 32 || c === 9 || c === 13)) end--;
  return text.slice(start, end);
}

function endLine(target: Uint8Array, offset: number): number {
  target[offset] = 13;
  target[offset + 1] = 10;
  return offset + 2;
}

function put(text: string, target: Uint8Array, offset: number): number {
  for (let i = 0; i < text.length; i++) target[offset + i] = text.charCodeAt(i);
  return offset + text.length;
}

const canonical = (name: string): string =>
  String(name)
    .toLowerCase()
    .replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());

/**
 * The canonical spelling of a header name: `nats-msg-id` becomes `Nats-Msg-Id`.
 *
 * @throws {@link NatsError} INVALID_HEADER
 */
export function canonicalMIMEHeaderKey(name: string): string {
  checkName(name);
  return canonical(name);
}

/**
 * Headers without any value yet.
 *
 * `code` (100 to 999) and `description` make a status line, as servers send it; give both or none.
 *
 * @example
 * const h = headers();
 * h.set("Nats-Msg-Id", "order-17");
 * h.append("Trace", "a");
 * nc.publish("orders.created", payload, { headers: h });
 *
 * @throws {@link NatsError} INVALID_ARGUMENT, INVALID_HEADER
 */
export function headers(code = 0, description = ""): MsgHdrs {
  if ((code === 0) !== (description === "")) {
    throw InvalidArgumentError.format(["code", "description"], "must be given together or not at all");
  }
  return new MsgHdrsImpl(code, description);
}

/** The class behind {@link MsgHdrs}. */
export class MsgHdrsImpl implements MsgHdrs {
  // name, value, name, value ...: for the few headers that messages have, faster than a Map
  readonly #fields: string[] = [];
  #code: number;
  #description: string;
  // something in here may not be ASCII
  #wide = false;
  // the block, from the second time on that it is encoded, or where it isn't ASCII; how often it was since it changed
  #bytes: Uint8Array | undefined;
  #encodings = 0;

  /** @throws {@link NatsError} INVALID_ARGUMENT, INVALID_HEADER */
  constructor(code = 0, description = "") {
    if (code !== 0 && !(Number.isInteger(code) && code > 99 && code < 1000)) {
      throw InvalidArgumentError.format("code", `must be 0 or have three digits, got ${String(code)}`);
    }
    if (description !== "") this.#wide = checkValue(description, "description");
    this.#code = code;
    this.#description = trimmed(description, 0, description.length);
  }

  /**
   * Read a header block as it comes from the wire.
   *
   * Lines that are no header are ignored, and so is a status that has no three digits (its text is then the `description`
   * of code 0). Only a block that does not begin with `NATS/1.0` is refused.
   *
   * @throws {@link NatsError} INVALID_HEADER
   */
  static decode(block: Uint8Array): MsgHdrsImpl {
    const text = utf8Decoder.decode(block);
    if (!text.startsWith(PREFIX)) throw invalid(`a header block begins with ${PREFIX}; this one does not`);
    const made = new MsgHdrsImpl();
    made.#wide = true;
    let end = text.indexOf("\n");
    if (end < 0) end = text.length;
    if (end > PREFIX.length + 1) made.#readStatus(trimmed(text, PREFIX.length, end));
    for (let start = end + 1; start < text.length; start = end + 1) {
      end = text.indexOf("\n", start);
      if (end < 0) end = text.length;
      const colon = text.indexOf(":", start);
      if (colon > start && colon < end) {
        let i = start;
        while (text.charCodeAt(i) > 32) i++;
        // a blank up to the colon: no name, and a folded line has none either
        if (i > colon) made.#fields.push(text.slice(start, colon), trimmed(text, colon + 1, end));
      } else if (end - start < 2) break;
    }
    return made;
  }

  #readStatus(line: string): void {
    const [, code = 0, description = line] = /^([1-9]\d\d)(?:[ \t]+(.*)|$)/.exec(line) ?? [];
    this.#code = Number(code);
    this.#description = code === line ? "" : description;
  }

  /** Headers from lists of values by name. @throws {@link NatsError} INVALID_HEADER */
  static fromRecord(record: Record<string, string[]>): MsgHdrsImpl {
    const made = new MsgHdrsImpl();
    for (const [name, values] of Object.entries(record)) {
      for (const value of values) made.append(name, value);
    }
    return made;
  }

  /** The value without the blanks around it. @throws {@link NatsError} INVALID_HEADER when it isn't one line of text */
  static validHeaderValue(value: string): string {
    checkValue(value, "header");
    return trimmed(value, 0, value.length);
  }

  get hasError(): boolean {
    return this.#code >= 300;
  }

  get status(): string {
    return `${this.#code || ""} ${this.#description}`.trim();
  }

  get code(): number {
    return this.#code;
  }

  get description(): string {
    return this.#description;
  }

  /** Where in the fields the next match is; -1 when there is none. */
  #find(name: string, match: Match, from = 0): number {
    const fields = this.#fields;
    const fold = match === Match.IgnoreCase;
    const wanted = match === Match.Exact ? name : fold ? String(name).toLowerCase() : canonical(name);
    for (let i = from; i < fields.length; i += 2) {
      const key = fields[i] as string;
      if (key === wanted || (fold && key.toLowerCase() === wanted)) return i;
    }
    return -1;
  }

  /** The spelling under which a value is kept. */
  #spelling(name: string, match: Match): string {
    checkName(name);
    return match === Match.CanonicalMIME ? canonical(name) : name;
  }

  get(name: string, match: Match = Match.Exact): string {
    const i = this.#find(name, match);
    return i < 0 ? "" : (this.#fields[i + 1] as string);
  }

  last(name: string, match: Match = Match.Exact): string {
    return this.values(name, match).at(-1) ?? "";
  }

  has(name: string, match: Match = Match.Exact): boolean {
    return this.#find(name, match) >= 0;
  }

  values(name: string, match: Match = Match.Exact): string[] {
    const found: string[] = [];
    for (let i = this.#find(name, match); i >= 0; i = this.#find(name, match, i + 2)) {
      found.push(this.#fields[i + 1] as string);
    }
    return found;
  }

  keys(): string[] {
    const names = new Set<string>();
    for (let i = 0; i < this.#fields.length; i += 2) names.add(this.#fields[i] as string);
    return [...names];
  }

  /** The spellings present that match. */
  findKeys(name: string, match: Match = Match.Exact): string[] {
    const names = new Set<string>();
    for (let i = this.#find(name, match); i >= 0; i = this.#find(name, match, i + 2)) {
      names.add(this.#fields[i] as string);
    }
    return [...names];
  }

  set(name: string, value: string, match: Match = Match.Exact): void {
    const key = this.#spelling(name, match);
    const wide = checkValue(value, name);
    this.delete(name, match);
    this.#push(key, value, wide);
  }

  append(name: string, value: string, match: Match = Match.Exact): void {
    const key = this.#spelling(name, match);
    const i = match === Match.IgnoreCase ? this.#find(name, match) : -1;
    this.#push(i < 0 ? key : (this.#fields[i] as string), value, checkValue(value, name));
  }

  #changed(): string[] {
    this.#encodings = 0;
    this.#bytes = undefined;
    return this.#fields;
  }

  #push(key: string, value: string, wide: boolean): void {
    this.#changed().push(key, trimmed(value, 0, value.length));
    if (wide) this.#wide = true;
  }

  delete(name: string, match: Match = Match.Exact): void {
    for (let i = this.#find(name, match); i >= 0; i = this.#find(name, match, i))
      this.#changed().splice(i, 2);
  }

  /** How many distinct names there are. */
  size(): number {
    return this.keys().length;
  }

  *[Symbol.iterator](): IterableIterator<[string, string[]]> {
    for (const name of this.keys()) yield [name, this.values(name)];
  }

  /** Lists of values by name. The status is not part of it. */
  toRecord(): Record<string, string[]> {
    return Object.fromEntries(this);
  }

  /** True when status, names and the values of each name are the same; the order of the names doesn't count. */
  equals(other: MsgHdrs): boolean {
    const mine = this.keys();
    return (
      this.code === other.code &&
      this.description === other.description &&
      mine.length === other.keys().length &&
      mine.every((name) => this.values(name).join("\n") === other.values(name).join("\n"))
    );
  }

  /** A copy, to be changed without changing this one. */
  clone(): MsgHdrsImpl {
    const made = new MsgHdrsImpl();
    made.#code = this.#code;
    made.#description = this.#description;
    made.#wide = this.#wide;
    made.#fields.push(...this.#fields);
    return made;
  }

  /** The block as it is sent. */
  toString(): string {
    let text = PREFIX + this.#inline() + "\r\n";
    for (let i = 0; i < this.#fields.length; i += 2) text += `${this.#fields[i]}: ${this.#fields[i + 1]}\r\n`;
    return `${text}\r\n`;
  }

  /** The block as bytes. */
  encode(): Uint8Array {
    const block = new Uint8Array(this.encodedLength());
    this.encodeInto(block, 0);
    return block;
  }

  /** The status as it follows the prefix. */
  #inline(): string {
    return this.#code === 0 ? "" : ` ${this.status}`;
  }

  /** The exact length of the encoded block. */
  encodedLength(): number {
    if (this.#wide) this.#bytes ??= utf8Encoder.encode(this.toString());
    if (this.#bytes !== undefined) return this.#bytes.length;
    const fields = this.#fields;
    // the prefix and two line ends; per header ": " and a line end
    let length = 12 + this.#inline().length + 2 * fields.length;
    for (let i = 0; i < fields.length; i++) length += (fields[i] as string).length;
    return length;
  }

  /** Write the block to `target`, which has the room that `encodedLength()` asked for; returns the offset after it. */
  encodeInto(target: Uint8Array, offset: number): number {
    if (this.#bytes !== undefined) {
      target.set(this.#bytes, offset);
      return offset + this.#bytes.length;
    }
    const fields = this.#fields;
    let at = endLine(target, put(PREFIX + this.#inline(), target, offset));
    for (let i = 0; i < fields.length; i += 2) {
      at = put(fields[i] as string, target, at);
      target[at++] = 58; // ": "
      target[at++] = 32;
      at = endLine(target, put(fields[i + 1] as string, target, at));
    }
    at = endLine(target, at);
    if (++this.#encodings > 1) this.#bytes = target.slice(offset, at);
    return at;
  }
}

/** The same headers, copied. */
function copied(other: MsgHdrs): MsgHdrsImpl {
  const made = new MsgHdrsImpl(other.code, other.description);
  for (const [name, values] of other) for (const value of values) made.append(name, value);
  return made;
}

/**
 * What a caller gave as headers, ready to be encoded. Headers of another copy of the package are copied.
 *
 * @throws {@link NatsError} INVALID_ARGUMENT when it is something else, as a plain object
 */
export function toHeaders(value: unknown): MsgHdrsImpl {
  if (value instanceof MsgHdrsImpl) return value;
  const other = value as Partial<MsgHdrs> | null | undefined;
  if (typeof other?.append !== "function" || typeof other.last !== "function") {
    const kind =
      value === null ? "null" : Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
    throw new InvalidArgumentError(
      `'headers' can't be ${kind}: make them with headers() or MsgHdrsImpl.fromRecord()`,
    );
  }
  return copied(other as MsgHdrs);
}
