// Config text: the configuration format of nats-server, as values. `include` is not among what it reads.
//
//   listen: 127.0.0.1:4222          # keys and values, apart by : or = or a blank
//   jetstream { max_mem = 1GB }     # maps and [lists]; a comma or a new line between their entries
//   authorization { user: a, password: $PASSWORD }
import { InvalidArgumentError } from "../errors.ts";

export type ConfigValue = string | number | boolean | ConfigValue[] | ConfigMap;
export type ConfigMap = { [key: string]: ConfigValue };

const BLANK = /(?:[\s,;]|#[^\n]*|\/\/[^\n]*)*/;
const KEY = /"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s:={}[\],#"']+)/;
const BETWEEN = /[ \t]*[:=]?\s*/;
const QUOTED = /"((?:[^"\\]|\\.)*)"|'([^']*)'/;
// up to what ends a value: an address may have // in it, a comment has a blank before it
const BARE = /[^\s,;[\]{}](?:(?!\s+(?:#|\/\/))[^\n,;[\]{}])*/;
const NUMBER = /^([-+]?\d+(?:\.\d+)?)(?:(k|m|g|t)(i?b|i)?)?$/i;
const POWER = { k: 1, m: 2, g: 3, t: 4 };

/**
 * Read a configuration. `variables` are those that `$NAME` may
 * mean beside those that the text sets, such as the environment.
 * @throws {NatsError} INVALID_ARGUMENT with the line
 */
export function readConfig(
  text: string,
  variables: Readonly<Record<string, string | undefined>> = {},
): ConfigMap {
  let at = 0;
  const fail = (what: string): never => {
    throw new InvalidArgumentError(
      `line ${text.slice(0, at).split("\n").length} of the configuration ${what}`,
    );
  };
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const here = new RegExp(pattern, "y");
    here.lastIndex = at;
    const match = here.exec(text) ?? undefined;
    if (match !== undefined) at = here.lastIndex;
    return match;
  };

  function map(end: string, scopes: readonly ConfigMap[]): ConfigMap {
    const entries: ConfigMap = {};
    const inner = [entries, ...scopes];
    for (take(BLANK); at < text.length && text[at] !== end; take(BLANK)) {
      const [, double, single, bare] = take(KEY) ?? fail(`has '${text[at]}' where a name should be`);
      const name = double ?? single ?? (bare as string);
      if (name === "include") fail("includes a file: put it all into one");
      take(BETWEEN);
      entries[name] = value(inner, name);
    }
    if (end !== "" && at++ >= text.length) fail(`ends before its '${end}'`);
    return entries;
  }

  function list(scopes: readonly ConfigMap[]): ConfigValue[] {
    const values: ConfigValue[] = [];
    for (take(BLANK); text[at] !== "]"; take(BLANK)) {
      if (at >= text.length) fail("ends before its ']'");
      values.push(value(scopes, "a list"));
    }
    at++;
    return values;
  }

  function value(scopes: readonly ConfigMap[], of: string): ConfigValue {
    if (text[at] === "{") {
      at++;
      return map("}", scopes);
    }
    if (text[at] === "[") {
      at++;
      return list(scopes);
    }
    const quoted = take(QUOTED);
    if (quoted !== undefined) return quoted[2] ?? unescape(quoted[1] as string);
    const bare = (take(BARE)?.[0] ?? fail(`has no value for '${of}'`)).trim();
    return bare.startsWith("$") ? variable(bare.slice(1), scopes) : plain(bare);
  }

  function variable(name: string, scopes: readonly ConfigMap[]): ConfigValue {
    const scope = scopes.find((one) => Object.hasOwn(one, name));
    const given = scope?.[name] ?? variables[name];
    if (given === undefined) return fail(`uses $${name}, which is set nowhere`);
    return typeof given === "string" ? plain(given) : given;
  }

  return map("", []);
}

/** A value without quotes: a number with its unit, a yes or no, or a text. */
function plain(text: string): ConfigValue {
  const number = NUMBER.exec(text);
  if (number !== null) {
    const [, digits, unit, bytes] = number;
    const power = unit === undefined ? 0 : POWER[unit.toLowerCase() as keyof typeof POWER];
    return Number(digits) * (bytes === undefined ? 1000 : 1024) ** power;
  }
  if (/^(true|on|yes)$/i.test(text)) return true;
  if (/^(false|off|no)$/i.test(text)) return false;
  return text;
}

const ESCAPED: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

function unescape(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (ESCAPED[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
